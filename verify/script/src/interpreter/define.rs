//! Making properties, changing what they are, deleting and listing them; and making objects.

use super::{Interpreter, Js, Obj, Root, Run};
use heaplab::{Record, Ref, Scope};
use heaplab_objects::accessor;
use heaplab_objects::map::{self, Details, flag};
use heaplab_objects::property::{self, Key, Place, Property};
use heaplab_objects::{ARRAY_LENGTH, PROPERTIES, dictionary, elements, kind, kind_of, map_of, record, small, string};

impl Interpreter {
    /// Defines an own data property, in place of one that is there. May collect.
    ///
    /// # Errors
    /// No memory; what is not supported.
    pub fn define<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        object: Obj<'s>,
        key: Key<'s>,
        details: Details,
        value: Js<'s>,
    ) -> Run<()> {
        let Some(own) = self.find_own(scope, scope.get(object), key) else {
            return self.create(scope, object, key, details, value);
        };
        if let Key::Index(_) = key
            && matches!(own.place, Place::Element(_))
        {
            if details != Details::PLAIN {
                return Err(self.unsupported("an element with attributes"));
            }
            property::set_value(scope, scope.get(object), own.place, scope.get(value));
            return Ok(());
        }
        if own.details.attributes() == details {
            property::set_value(scope, scope.get(object), own.place, scope.get(value));
            return Ok(());
        }
        self.redefine(scope, object, key, details, value)
    }

    /// Gives an own property other details and another value. The object goes to dictionary mode, since other objects
    /// share the descriptors of its map.
    fn redefine<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        object: Obj<'s>,
        key: Key<'s>,
        details: Details,
        value: Js<'s>,
    ) -> Run<()> {
        self.to_dictionary(scope, object)?;
        let at = scope.get(object);
        let Some(Property { place: Place::Entry(entry), .. }) = self.find_own(scope, at, key) else {
            return Err(self.unsupported("an element with attributes"));
        };
        let dictionary = property::dictionary_of(scope, at);
        dictionary::set_details(scope, dictionary, entry, details);
        dictionary::set_value(scope, dictionary, entry, scope.get(value));
        Ok(())
    }

    /// Creates a property that is not there.
    pub(super) fn create<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        object: Obj<'s>,
        key: Key<'s>,
        details: Details,
        value: Js<'s>,
    ) -> Run<()> {
        match key {
            Key::Name(name) => self.add_property(scope, object, name, details, value),
            Key::Index(index) => self.create_element(scope, object, index as usize, details, value),
        }
    }

    fn create_element<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        object: Obj<'s>,
        index: usize,
        details: Details,
        value: Js<'s>,
    ) -> Run<()> {
        if details != Details::PLAIN {
            return Err(self.unsupported("an element with attributes"));
        }
        let at = scope.get(object);
        let is_array = kind_of(scope, at.into()) == Some(kind::ARRAY);
        let within = is_array && index < elements::array_length(scope, at);
        if !within && !elements::is_near(scope, at, index) {
            if is_array {
                return Err(self.unsupported("an array with so great a gap"));
            }
            return self.create_sparse(scope, object, index, value);
        }
        let count = if within { elements::array_length(scope, at).max(index + 1) } else { index + 1 };
        let hole = self.sentinel(scope, Root::Hole)?;
        elements::reserve(scope, hole, object, count)?;
        let at = scope.get(object);
        elements::set(scope, at, index, scope.get(value));
        if is_array && !within {
            scope.store_field(at, ARRAY_LENGTH, small(index + 1));
        }
        Ok(())
    }

    /// Creates an element far beyond the others, as a named property of a sparse object (M-5).
    fn create_sparse<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        object: Obj<'s>,
        index: usize,
        value: Js<'s>,
    ) -> Run<()> {
        if !map::info(scope, map_of(scope, scope.get(object))).has(flag::SPARSE) {
            self.to_dictionary(scope, object)?;
            let map = scope.handle(map_of(scope, scope.get(object)));
            let sparse = map::with_flags(scope, map, flag::SPARSE)?;
            map::set(scope, scope.get(object), scope.get(sparse));
        }
        let name = self.name(scope, &index.to_string())?;
        self.add_property(scope, object, name, Details::PLAIN, value)
    }

    /// Adds a named data property that is not there. May collect.
    ///
    /// # Errors
    /// No memory.
    pub fn add_property<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        object: Obj<'s>,
        name: Obj<'s>,
        details: Details,
        value: Js<'s>,
    ) -> Run<()> {
        let map = scope.handle(map_of(scope, scope.get(object)));
        let before = map::info(scope, scope.get(map));
        if !before.has(flag::DICTIONARY) {
            let descriptors = self.map(scope, Root::DescriptorsMap)?;
            if let Some(next) = map::add(scope, descriptors, map, name, details, None)? {
                let field = before.fields();
                self.reserve_field(scope, object, field, before.in_object())?;
                // Nothing collects from here on: the map and the value change as one.
                let at = scope.get(object);
                property::set_field_value(scope, at, field, scope.get(value));
                map::set(scope, at, scope.get(next));
                return Ok(());
            }
            self.to_dictionary(scope, object)?;
        }
        self.add_to_dictionary(scope, object, name, details, value)
    }

    fn add_to_dictionary<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        object: Obj<'s>,
        name: Obj<'s>,
        details: Details,
        value: Js<'s>,
    ) -> Run<()> {
        let map = self.map(scope, Root::DictionaryMap)?;
        let dictionary = scope.handle(property::dictionary_of(scope, scope.get(object)));
        let dictionary = dictionary::add(scope, map, dictionary, name, details, value)?;
        scope.store_field(scope.get(object), PROPERTIES, scope.get(dictionary).into());
        Ok(())
    }

    /// Makes room for a field.
    fn reserve_field<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        object: Obj<'s>,
        field: usize,
        in_object: usize,
    ) -> Run<()> {
        let Some(outside) = field.checked_sub(in_object) else { return Ok(()) };
        let room = property::outside(scope, scope.get(object)).map_or(0, |array| scope.len(array));
        if outside < room {
            return Ok(());
        }
        let grown = scope.new_array(room + room / 2 + 3)?;
        let (at, to) = (scope.get(object), scope.get(grown));
        if let Some(from) = property::outside(scope, at) {
            (0..room).for_each(|index| scope.store(to, index, scope.load(from, index)));
        }
        scope.store_field(at, PROPERTIES, to.into());
        Ok(())
    }

    /// Takes an object to dictionary mode (M-3). May collect.
    ///
    /// # Errors
    /// No memory.
    pub fn to_dictionary<'s>(&mut self, scope: &mut Scope<'s, '_>, object: Obj<'s>) -> Run<()> {
        scope.nested(|scope| {
            let map = scope.handle(map_of(scope, scope.get(object)));
            let info = map::info(scope, scope.get(map));
            if info.has(flag::DICTIONARY) {
                return Ok(());
            }
            let dictionary_map = self.map(scope, Root::DictionaryMap)?;
            let mut dictionary = dictionary::new(scope, dictionary_map, info.own() + 2)?;
            for index in 0..info.own() {
                dictionary = scope
                    .nested(|scope| {
                        let at = scope.get(map);
                        let details = map::details(scope, at, index);
                        let name = scope.handle(record(scope, map::key(scope, at, index)).expect("a name"));
                        let place = if details.is_accessor() {
                            Place::Descriptor(index)
                        } else {
                            Place::Field(details.field())
                        };
                        let value = scope.handle(property::value(scope, scope.get(object), place));
                        // There is room, so the dictionary stays the same.
                        dictionary::add(scope, dictionary_map, dictionary, name, details, value).map(drop)
                    })
                    .map(|()| dictionary)?;
            }
            let next = map::for_dictionary(scope, map)?;
            let at = scope.get(object);
            scope.store_field(at, PROPERTIES, scope.get(dictionary).into());
            map::set(scope, at, scope.get(next));
            Ok(())
        })
    }

    /// Defines an accessor. Where `getter` or `setter` is undefined, the function that the property has stays. May
    /// collect.
    ///
    /// # Errors
    /// No memory; what is not supported.
    pub fn define_accessor<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        object: Obj<'s>,
        key: Key<'s>,
        details: Details,
        getter: Js<'s>,
        setter: Js<'s>,
    ) -> Run<()> {
        let Key::Name(name) = key else { return Err(self.unsupported("an accessor for an element")) };
        let own = self.find_own(scope, scope.get(object), key);
        if let Some(own) = own
            && own.details.is_accessor()
        {
            let at = scope.get(object);
            let pair = accessor::of_value(scope, property::value(scope, at, own.place));
            if kind_of(scope, pair.into()) == Some(kind::ACCESSOR_PAIR) {
                for (function, field) in [(getter, accessor::PAIR_GETTER), (setter, accessor::PAIR_SETTER)] {
                    if scope.get(function) != scope.undefined() {
                        scope.store_field(pair, field, scope.get(function));
                    }
                }
                return Ok(());
            }
        }
        let pair_map = self.map(scope, Root::AccessorPairMap)?;
        let pair = accessor::new_pair(scope, pair_map, getter, setter)?;
        if own.is_some() {
            return self.redefine(scope, object, key, details, pair.any());
        }
        self.add_accessor(scope, object, name, details, pair)
    }

    /// Adds an accessor, native or the script's, that is not there. May collect.
    ///
    /// # Errors
    /// No memory.
    pub fn add_accessor<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        object: Obj<'s>,
        name: Obj<'s>,
        details: Details,
        accessor: Obj<'s>,
    ) -> Run<()> {
        let map = scope.handle(map_of(scope, scope.get(object)));
        if !map::info(scope, scope.get(map)).has(flag::DICTIONARY) {
            let descriptors = self.map(scope, Root::DescriptorsMap)?;
            if let Some(next) = map::add(scope, descriptors, map, name, details, Some(accessor.any()))? {
                map::set(scope, scope.get(object), scope.get(next));
                return Ok(());
            }
            self.to_dictionary(scope, object)?;
        }
        self.add_to_dictionary(scope, object, name, details, accessor.any())
    }

    /// `delete object[key]`, as strict code does it. May collect.
    ///
    /// # Errors
    /// A TypeError if the property cannot be deleted; no memory.
    pub fn delete<'s>(&mut self, scope: &mut Scope<'s, '_>, object: Obj<'s>, key: Key<'s>) -> Run<()> {
        let Some(own) = self.find_own(scope, scope.get(object), key) else { return Ok(()) };
        if !own.details.is_configurable() {
            if kind_of(scope, scope.get(object).into()) == Some(kind::FUNCTION) {
                return Err(self.unsupported("the text of a function, for the message of an error"));
            }
            let (key, what) = (self.key_text(scope, key), self.object_text(scope, scope.get(object)));
            return Err(self.refuse(scope, format!("Cannot delete property '{key}' of {what}")));
        }
        if let Place::Element(index) = own.place {
            elements::set(scope, scope.get(object), index, self.hole(scope));
            return Ok(());
        }
        self.to_dictionary(scope, object)?;
        let at = scope.get(object);
        if let Some(Property { place: Place::Entry(entry), .. }) = self.find_own(scope, at, key) {
            dictionary::remove(scope, property::dictionary_of(scope, at), entry);
        }
        Ok(())
    }

    /// The keys of an object's own properties: indices in ascending order, then names in the order of their making.
    #[must_use]
    pub fn own_keys<'s>(&self, scope: &Scope<'s, '_>, object: Ref<'_, Record>, enumerable_only: bool) -> Vec<Key<'s>> {
        let hole = self.hole(scope);
        let is_present = |index: &usize| elements::get(scope, hole, object, *index).is_some();
        let mut indices: Vec<u32> =
            (0..elements::capacity(scope, object)).filter(is_present).map(|index| index as u32).collect();
        let mut names = Vec::new();
        let map = map_of(scope, object);
        let info = map::info(scope, map);
        if info.has(flag::DICTIONARY) {
            let dictionary = property::dictionary_of(scope, object);
            for entry in 0..dictionary::used(scope, dictionary) {
                let Some(name) = dictionary::key(scope, dictionary, entry) else { continue };
                if enumerable_only && !dictionary::details(scope, dictionary, entry).is_enumerable() {
                    continue;
                }
                let index = if info.has(flag::SPARSE) { string::as_index(&string::units(scope, name)) } else { None };
                match index {
                    Some(index) => indices.push(index),
                    None => names.push(Key::Name(scope.handle(name))),
                }
            }
        } else {
            for index in 0..info.own() {
                if !enumerable_only || map::details(scope, map, index).is_enumerable() {
                    names.push(Key::Name(scope.handle(record(scope, map::key(scope, map, index)).expect("a name"))));
                }
            }
        }
        indices.sort_unstable();
        indices.into_iter().map(Key::Index).chain(names).collect()
    }

    /// A plain object. May collect.
    ///
    /// # Errors
    /// No memory.
    pub fn new_object<'s>(&mut self, scope: &mut Scope<'s, '_>) -> Run<Obj<'s>> {
        let map = self.map(scope, Root::ObjectMap)?;
        Ok(map::new_object(scope, map)?)
    }

    /// An array of `length` holes. May collect.
    ///
    /// # Errors
    /// No memory; an array that is too long for this interpreter.
    pub fn new_array<'s>(&mut self, scope: &mut Scope<'s, '_>, length: usize) -> Run<Obj<'s>> {
        if length > elements::DENSE_MAX {
            return Err(self.unsupported("an array of so many elements"));
        }
        let map = self.map(scope, Root::ArrayMap)?;
        let array = map::new_object(scope, map)?;
        if length != 0 {
            let hole = self.sentinel(scope, Root::Hole)?;
            elements::reserve(scope, hole, array, length)?;
            scope.store_field(scope.get(array), ARRAY_LENGTH, small(length));
        }
        Ok(array)
    }

    /// An array of these values. May collect.
    ///
    /// # Errors
    /// As [`new_array`](Self::new_array).
    pub fn array_of<'s>(&mut self, scope: &mut Scope<'s, '_>, values: &[Js<'s>]) -> Run<Obj<'s>> {
        let array = self.new_array(scope, values.len())?;
        let at = scope.get(array);
        for (index, &value) in values.iter().enumerate() {
            elements::set(scope, at, index, scope.get(value));
        }
        Ok(array)
    }
}
