//! The string table, and making strings.

use super::{Interpreter, Js, Obj, Root, Run};
use heaplab::{AllocationType, Array, Record, Ref, Scope};
use heaplab_objects::{self, string};

const TABLE_MIN: usize = 8;

impl Interpreter {
    /// A string. May collect.
    ///
    /// # Errors
    /// No memory, or the string is too long.
    pub fn string<'s>(&self, scope: &mut Scope<'s, '_>, text: &str) -> Run<Obj<'s>> {
        let units: Vec<u16> = text.encode_utf16().collect();
        self.string_of_units(scope, &units)
    }

    /// A string of code units. For one Latin-1 character the string is always the same object. May collect.
    ///
    /// # Errors
    /// No memory, or the string is too long.
    pub fn string_of_units<'s>(&self, scope: &mut Scope<'s, '_>, units: &[u16]) -> Run<Obj<'s>> {
        if let [unit @ 0..=255] = *units {
            return self.character(scope, unit);
        }
        let maps = self.string_maps(scope)?;
        Ok(string::new(scope, maps, units, AllocationType::Young)?)
    }

    fn character<'s>(&self, scope: &mut Scope<'s, '_>, unit: u16) -> Run<Obj<'s>> {
        if scope.downcast::<Array>(self.root(scope, Root::Characters)).is_none() {
            let table = scope.new_array(256)?;
            self.set_root(scope, Root::Characters, scope.get(table).into());
        }
        let table = scope.downcast::<Array>(self.root(scope, Root::Characters)).expect("just made");
        if let Some(known) = heaplab_objects::record(scope, scope.load(table, usize::from(unit))) {
            return Ok(scope.handle(known));
        }
        let maps = self.string_maps(scope)?;
        let character = string::new(scope, maps, &[unit], AllocationType::Old)?;
        let table = scope.downcast::<Array>(self.root(scope, Root::Characters)).expect("just made");
        scope.store(table, usize::from(unit), scope.get(character).into());
        Ok(character)
    }

    /// The internalised string of this text. May collect.
    ///
    /// # Errors
    /// No memory.
    pub fn name<'s>(&mut self, scope: &mut Scope<'s, '_>, text: &str) -> Run<Obj<'s>> {
        let units: Vec<u16> = text.encode_utf16().collect();
        self.name_of_units(scope, &units)
    }

    /// The internalised string of these code units. May collect.
    ///
    /// # Errors
    /// No memory.
    pub fn name_of_units<'s>(&mut self, scope: &mut Scope<'s, '_>, units: &[u16]) -> Run<Obj<'s>> {
        if let Some(known) = self.known_name(scope, units) {
            return Ok(scope.handle(known));
        }
        let maps = self.string_maps(scope)?;
        let string = string::new(scope, maps, units, AllocationType::Old)?;
        self.insert(scope, string, string::hash_units(units))?;
        Ok(string)
    }

    /// The internalised string of the same content. May collect.
    ///
    /// # Errors
    /// No memory.
    pub fn internalise<'s>(&mut self, scope: &mut Scope<'s, '_>, string: Obj<'s>) -> Run<Obj<'s>> {
        if string::is_internalised(scope, scope.get(string)) {
            return Ok(string);
        }
        let units = string::units(scope, scope.get(string));
        self.name_of_units(scope, &units)
    }

    /// The internalised string of these code units, if there is one.
    pub fn known_name<'a>(&self, scope: &'a Scope<'_, '_>, units: &[u16]) -> Option<Ref<'a, Record>> {
        let table = scope.downcast::<Array>(self.root(scope, Root::StringTable))?;
        let hash = string::hash_units(units);
        let places = scope.len(table);
        let mut place = hash as usize % places;
        // Ends: the table is never full.
        loop {
            let name = heaplab_objects::record(scope, scope.load(table, place))?;
            if string::hash(scope, name) == hash && string::units(scope, name) == units {
                return Some(name);
            }
            place = (place + 1) % places;
        }
    }

    fn insert<'s>(&mut self, scope: &mut Scope<'s, '_>, string: Obj<'s>, hash: u32) -> Run<()> {
        let places = scope.downcast::<Array>(self.root(scope, Root::StringTable)).map_or(0, |table| scope.len(table));
        if 2 * (self.interned + 1) > places {
            let grown = scope.new_array_in((2 * places).max(TABLE_MIN), AllocationType::Old)?;
            let to = scope.get(grown);
            if let Some(from) = scope.downcast::<Array>(self.root(scope, Root::StringTable)) {
                let names =
                    (0..scope.len(from)).filter_map(|place| heaplab_objects::record(scope, scope.load(from, place)));
                names.for_each(|name| put(scope, to, name, string::hash(scope, name)));
            }
            self.set_root(scope, Root::StringTable, to.into());
        }
        let table = scope.downcast::<Array>(self.root(scope, Root::StringTable)).expect("just made");
        string::internalise(scope, scope.get(string), hash);
        put(scope, table, scope.get(string), hash);
        self.interned += 1;
        Ok(())
    }

    /// The concatenation of two strings. May collect.
    ///
    /// # Errors
    /// No memory, or the string would be too long.
    pub fn concat<'s>(&self, scope: &mut Scope<'s, '_>, left: Obj<'s>, right: Obj<'s>) -> Run<Obj<'s>> {
        let maps = self.string_maps(scope)?;
        Ok(string::concat(scope, maps, left, right)?)
    }

    /// The string without concatenations. May collect.
    ///
    /// # Errors
    /// No memory.
    pub fn flat<'s>(&self, scope: &mut Scope<'s, '_>, string: Obj<'s>) -> Run<Obj<'s>> {
        let maps = self.string_maps(scope)?;
        Ok(string::flatten(scope, maps, string)?)
    }

    /// A number. May collect.
    ///
    /// # Errors
    /// No memory.
    #[inline]
    pub fn number<'s>(&self, scope: &mut Scope<'s, '_>, value: f64) -> Run<Js<'s>> {
        if let Some(small) = heaplab_objects::number::as_small(value).and_then(Ref::small) {
            return Ok(scope.handle(small));
        }
        let map = self.map(scope, Root::NumberMap)?;
        Ok(heaplab_objects::number::new(scope, map, value)?)
    }
}

/// Puts a name that is not there into a table with room.
fn put(scope: &Scope<'_, '_>, table: Ref<'_, Array>, name: Ref<'_, Record>, hash: u32) {
    let places = scope.len(table);
    let mut place = hash as usize % places;
    while heaplab_objects::record(scope, scope.load(table, place)).is_some() {
        place = (place + 1) % places;
    }
    scope.store(table, place, name.into());
}
