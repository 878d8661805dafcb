//! Getting, setting, defining and deleting properties, through prototypes and accessors.

use super::call::Call;
use super::{Interpreter, Js, Obj, Root, Run};
use crate::script::object::accessor::{self, READ_ONLY, WRITABLE};
use crate::script::object::map::{self, Details, flag};
use crate::script::object::property::{self, Key, Place, Property};
use crate::script::object::{
    ARRAY_LENGTH, PROPERTIES, dictionary, elements, is_object, kind, kind_of, map_of, number, object, object_handle,
    record, small, string,
};
use heaplab::{Record, Ref, Scope, Value};

/// What a look along the prototypes found.
enum Found<'s> {
    Nothing,
    Data(Js<'s>),
    Accessor { holder: Obj<'s>, accessor: Obj<'s> },
}

impl Interpreter {
    /// The value as a property key. May call the script, and collect.
    ///
    /// # Errors
    /// What the conversion throws.
    pub fn to_key<'s>(&mut self, scope: &mut Scope<'s, '_>, value: Js<'s>) -> Run<Key<'s>> {
        if let Some(number) = number::value(scope, scope.get(value))
            && number >= 0.0
            && number < f64::from(u32::MAX)
            && number.fract() == 0.0
        {
            return Ok(Key::Index(number as u32));
        }
        let string = self.to_string(scope, value)?;
        self.key_of_string(scope, string)
    }

    /// The key that a string is. May collect.
    ///
    /// # Errors
    /// No memory.
    pub fn key_of_string<'s>(&mut self, scope: &mut Scope<'s, '_>, string: Obj<'s>) -> Run<Key<'s>> {
        if string::length(scope, scope.get(string)) <= 10 {
            let units = string::units(scope, scope.get(string));
            if let Some(index) = string::as_index(&units) {
                return Ok(Key::Index(index));
            }
        }
        Ok(Key::Name(self.internalise(scope, string)?))
    }

    /// The key as text, for messages.
    #[must_use]
    pub fn key_text<'s>(&self, scope: &Scope<'s, '_>, key: Key<'s>) -> String {
        match key {
            Key::Index(index) => index.to_string(),
            Key::Name(name) => string::to_text(scope, scope.get(name)),
        }
    }

    /// The key as a string value. May collect.
    ///
    /// # Errors
    /// No memory.
    pub fn key_value<'s>(&mut self, scope: &mut Scope<'s, '_>, key: Key<'s>) -> Run<Js<'s>> {
        match key {
            Key::Index(index) => Ok(self.string(scope, &index.to_string())?.any()),
            Key::Name(name) => Ok(name.any()),
        }
    }

    /// An object's own property.
    #[must_use]
    pub fn find_own<'s>(&self, scope: &Scope<'s, '_>, object: Ref<'_, Record>, key: Key<'s>) -> Option<Property> {
        match key {
            Key::Name(name) => property::find_named(scope, object, scope.get(name)),
            Key::Index(index) => {
                let element = property::find_element(scope, self.hole(scope), object, index as usize);
                if element.is_some() || !map::info(scope, map_of(scope, object)).has(flag::SPARSE) {
                    return element;
                }
                let units: Vec<u16> = index.to_string().encode_utf16().collect();
                property::find_named(scope, object, self.known_name(scope, &units)?)
            }
        }
    }

    /// The property along the prototypes, and who has it.
    pub(super) fn find<'s, 'a>(
        &self,
        scope: &'a Scope<'s, '_>,
        start: Ref<'a, Record>,
        key: Key<'s>,
    ) -> Option<(Ref<'a, Record>, Property)> {
        let mut holder = start;
        loop {
            if let Some(property) = self.find_own(scope, holder, key) {
                return Some((holder, property));
            }
            holder = object(scope, map::prototype(scope, map_of(scope, holder)))?;
        }
    }

    fn look<'s>(&self, scope: &Scope<'s, '_>, start: Ref<'_, Record>, key: Key<'s>) -> Found<'s> {
        let Some((holder, property)) = self.find(scope, start, key) else { return Found::Nothing };
        let value = property::value(scope, holder, property.place);
        if property.details.is_accessor() {
            let accessor = scope.handle(accessor::of_value(scope, value));
            return Found::Accessor { holder: scope.handle(holder), accessor };
        }
        Found::Data(scope.handle(value))
    }

    /// Where a primitive's properties are looked for.
    fn prototype_of_primitive<'a>(&self, scope: &'a Scope<'_, '_>, value: Ref<'a, Value>) -> Option<Ref<'a, Record>> {
        let root = match kind_of(scope, value) {
            None | Some(kind::NUMBER) => Root::NumberPrototype,
            Some(kind::ONE_BYTE | kind::TWO_BYTE | kind::CONS) => Root::StringPrototype,
            _ if value == scope.boolean(true) || value == scope.boolean(false) => Root::BooleanPrototype,
            _ => return None,
        };
        object(scope, self.root(scope, root))
    }

    /// `receiver[key]`. May call the script, and collect.
    ///
    /// # Errors
    /// What a getter throws; a TypeError for undefined and null.
    pub fn get<'s>(&mut self, scope: &mut Scope<'s, '_>, receiver: Js<'s>, key: Key<'s>) -> Run<Js<'s>> {
        if let Some(start) = object(scope, scope.get(receiver)) {
            let found = self.look(scope, start, key);
            return self.finish_get(scope, receiver, found);
        }
        if let Some(text) = string::cast(scope, scope.get(receiver)) {
            let length = string::length(scope, text);
            match key {
                Key::Name(name) if scope.get(name) == self.root(scope, Root::Length) => {
                    return Ok(scope.handle(small(length)));
                }
                Key::Index(index) if (index as usize) < length => {
                    let text = scope.handle(text);
                    let flat = self.flat(scope, text)?;
                    let unit = string::unit_at(scope, scope.get(flat), index as usize);
                    return Ok(self.string_of_units(scope, &[unit])?.any());
                }
                _ => {}
            }
        }
        let Some(start) = self.prototype_of_primitive(scope, scope.get(receiver)) else {
            let what = self.primitive_text(scope, scope.get(receiver));
            let key = self.key_text(scope, key);
            return Err(self.type_error(scope, format!("Cannot read properties of {what} (reading '{key}')")));
        };
        let found = self.look(scope, start, key);
        self.finish_get(scope, receiver, found)
    }

    fn finish_get<'s>(&mut self, scope: &mut Scope<'s, '_>, receiver: Js<'s>, found: Found<'s>) -> Run<Js<'s>> {
        match found {
            Found::Nothing => Ok(scope.handle(scope.undefined())),
            Found::Data(value) => Ok(value),
            Found::Accessor { holder, accessor } => self.call_getter(scope, receiver, holder, accessor),
        }
    }

    /// Like [`get`](Self::get), but looks from another object on: `super.x`.
    ///
    /// # Errors
    /// What a getter throws.
    pub fn get_from<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        start: Obj<'s>,
        receiver: Js<'s>,
        key: Key<'s>,
    ) -> Run<Js<'s>> {
        let found = self.look(scope, scope.get(start), key);
        self.finish_get(scope, receiver, found)
    }

    /// `receiver.name` for a name of the library. May call the script, and collect.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_named<'s>(&mut self, scope: &mut Scope<'s, '_>, receiver: Js<'s>, name: &str) -> Run<Js<'s>> {
        let name = self.name(scope, name)?;
        self.get(scope, receiver, Key::Name(name))
    }

    /// Calls a getter: native, or the script's. The receiver, the holder and the accessor are handles, since a getter may
    /// do anything: collect, move them, run scripts.
    fn call_getter<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        receiver: Js<'s>,
        holder: Obj<'s>,
        accessor: Obj<'s>,
    ) -> Run<Js<'s>> {
        let at = scope.get(accessor);
        if kind_of(scope, at.into()) == Some(kind::ACCESSOR_INFO) {
            return match accessor::native(scope, at, accessor::GETTER) {
                Some(native) => {
                    let call = Call {
                        this: receiver,
                        arguments: &[],
                        new_target: None,
                        holder: Some(holder),
                        callee: accessor,
                    };
                    self.call_native(scope, native, &call)
                }
                None => Ok(scope.handle(scope.undefined())),
            };
        }
        let getter = scope.handle(scope.load_field(at, accessor::PAIR_GETTER));
        if scope.get(getter) == scope.undefined() {
            return Ok(getter);
        }
        self.call(scope, getter, receiver, &[])
    }

    /// `receiver[key] = value`, as strict code does it. May call the script, and collect.
    ///
    /// # Errors
    /// What a setter throws; a TypeError if the property cannot be set.
    pub fn set<'s>(&mut self, scope: &mut Scope<'s, '_>, receiver: Js<'s>, key: Key<'s>, value: Js<'s>) -> Run<()> {
        let Some(target) = object_handle(scope, receiver) else {
            return self.set_of_primitive(scope, receiver, key, value);
        };
        self.set_from(scope, target, target, key, value)
    }

    fn set_of_primitive<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        receiver: Js<'s>,
        key: Key<'s>,
        value: Js<'s>,
    ) -> Run<()> {
        let key_text = self.key_text(scope, key);
        let Some(start) = self.prototype_of_primitive(scope, scope.get(receiver)) else {
            let what = self.primitive_text(scope, scope.get(receiver));
            return Err(self.type_error(scope, format!("Cannot set properties of {what} (setting '{key_text}')")));
        };
        if let Found::Accessor { holder, accessor } = self.look(scope, start, key) {
            return self.call_setter(scope, receiver, holder, accessor, key, value);
        }
        if string::cast(scope, scope.get(receiver)).is_some() {
            let text = self.display(scope, receiver)?;
            let own =
                matches!(key, Key::Index(index) if (index as usize) < text.chars().count()) || key_text == "length";
            let message = if own {
                format!("Cannot assign to read only property '{key_text}' of string '{text}'")
            } else {
                format!("Cannot create property '{key_text}' on string '{text}'")
            };
            return Err(self.refuse(scope, message));
        }
        let what = self.type_of(scope, scope.get(receiver));
        let text = self.display(scope, receiver)?;
        Err(self.refuse(scope, format!("Cannot create property '{key_text}' on {what} '{text}'")))
    }

    /// The same, looking from another object on for a property that decides.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn set_from<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        start: Obj<'s>,
        receiver: Obj<'s>,
        key: Key<'s>,
        value: Js<'s>,
    ) -> Run<()> {
        let found = self.find(scope, scope.get(start), key);
        let Some((holder, property)) = found else { return self.add(scope, receiver, key, value) };
        if property.details.is_accessor() {
            let accessor = scope.handle(accessor::of_value(scope, property::value(scope, holder, property.place)));
            let holder = scope.handle(holder);
            let data = scope.get(accessor);
            let like_data = if kind_of(scope, data.into()) == Some(kind::ACCESSOR_INFO) {
                scope.load_field(data, accessor::DATA).as_small()
            } else {
                None
            };
            if like_data == Some(WRITABLE) && scope.get(holder) != scope.get(receiver) {
                return self.add(scope, receiver, key, value);
            }
            return self.call_setter(scope, receiver.any(), holder, accessor, key, value);
        }
        if !property.details.is_writable() {
            let holder = scope.handle(holder);
            return Err(self.read_only(scope, holder, key));
        }
        if holder == scope.get(receiver) {
            property::set_value(scope, holder, property.place, scope.get(value));
            return Ok(());
        }
        // Found in a prototype: the receiver gets a property of its own; or its own is set, if the look began elsewhere.
        if scope.get(start) != scope.get(receiver)
            && let Some(own) = self.find_own(scope, scope.get(receiver), key)
        {
            if own.details.is_accessor() || !own.details.is_writable() {
                return Err(self.read_only(scope, receiver, key));
            }
            property::set_value(scope, scope.get(receiver), own.place, scope.get(value));
            return Ok(());
        }
        self.add(scope, receiver, key, value)
    }

    fn read_only<'s>(&mut self, scope: &mut Scope<'s, '_>, holder: Obj<'s>, key: Key<'s>) -> super::Unwind {
        let (key, what) = (self.key_text(scope, key), self.object_text(scope, scope.get(holder)));
        self.refuse(scope, format!("Cannot assign to read only property '{key}' of object '{what}'"))
    }

    /// A TypeError in strict code. Code that is not strict would go on as if nothing had happened; here it does not.
    fn refuse(&mut self, scope: &mut Scope<'_, '_>, message: String) -> super::Unwind {
        if self.is_strict {
            self.type_error(scope, message)
        } else {
            self.unsupported(format!("what fails in silence in code that is not strict: {message}"))
        }
    }

    fn call_setter<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        receiver: Js<'s>,
        holder: Obj<'s>,
        accessor: Obj<'s>,
        key: Key<'s>,
        value: Js<'s>,
    ) -> Run<()> {
        let at = scope.get(accessor);
        if kind_of(scope, at.into()) == Some(kind::ACCESSOR_INFO) {
            if let Some(native) = accessor::native(scope, at, accessor::SETTER) {
                let arguments = [value];
                let call = Call {
                    this: receiver,
                    arguments: &arguments,
                    new_target: None,
                    holder: Some(holder),
                    callee: accessor,
                };
                self.call_native(scope, native, &call)?;
                return Ok(());
            }
            if scope.load_field(at, accessor::DATA).as_small() == Some(READ_ONLY) {
                return Err(self.read_only(scope, holder, key));
            }
        } else {
            let setter = scope.handle(scope.load_field(at, accessor::PAIR_SETTER));
            if scope.get(setter) != scope.undefined() {
                self.call(scope, setter, receiver, &[value])?;
                return Ok(());
            }
        }
        let key = self.key_text(scope, key);
        let what = match object(scope, scope.get(receiver)) {
            Some(object) => self.object_text(scope, object),
            None => self.primitive_text(scope, scope.get(receiver)),
        };
        Err(self.refuse(scope, format!("Cannot set property {key} of {what} which has only a getter")))
    }

    /// Adds a property that an assignment makes.
    fn add<'s>(&mut self, scope: &mut Scope<'s, '_>, object: Obj<'s>, key: Key<'s>, value: Js<'s>) -> Run<()> {
        if map::info(scope, map_of(scope, scope.get(object))).has(flag::SEALED) {
            let key = self.key_text(scope, key);
            return Err(self.refuse(scope, format!("Cannot add property {key}, object is not extensible")));
        }
        self.create(scope, object, key, Details::PLAIN, value)
    }

    /// Defines an own data property, whatever was there. May collect.
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

    /// Gives an own property other details and another value: in a dictionary, where nobody shares them.
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
    fn create<'s>(
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

    /// An element far beyond the others is a named property of a sparse object (M-5).
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

    /// Room for a field.
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

    /// Defines an accessor; undefined for a function that is not given, which keeps the one that is there. May collect.
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
    /// A TypeError if the property cannot be deleted.
    pub fn delete<'s>(&mut self, scope: &mut Scope<'s, '_>, object: Obj<'s>, key: Key<'s>) -> Run<()> {
        let Some(own) = self.find_own(scope, scope.get(object), key) else { return Ok(()) };
        if !own.details.is_configurable() {
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

    /// Whether there is such a property along the prototypes.
    #[must_use]
    pub fn has<'s>(&self, scope: &Scope<'s, '_>, object: Ref<'_, Record>, key: Key<'s>) -> bool {
        self.find(scope, object, key).is_some()
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

    /// An array of so many holes. May collect.
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

    /// Whether the value is an array.
    #[must_use]
    pub fn is_array(&self, scope: &Scope<'_, '_>, value: Ref<'_, Value>) -> bool {
        kind_of(scope, value) == Some(kind::ARRAY)
    }

    /// The prototype of an object: an object or null.
    pub fn prototype_of<'s>(&self, scope: &Scope<'s, '_>, object: Obj<'s>) -> Js<'s> {
        scope.handle(map::prototype(scope, map_of(scope, scope.get(object))))
    }

    /// Whether the value is no primitive.
    #[must_use]
    pub fn is_object<'s>(&self, scope: &Scope<'s, '_>, value: Js<'s>) -> bool {
        is_object(scope, scope.get(value))
    }
}
