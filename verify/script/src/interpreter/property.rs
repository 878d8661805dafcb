//! Property keys; finding, getting and setting properties, through prototypes and accessors.

use super::{Call, Interpreter, Js, Obj, Root, Run};
use heaplab::{Record, Ref, Scope, Value};
use heaplab_objects::accessor::{self, READ_ONLY, WRITABLE};
use heaplab_objects::map::{self, Details, flag};
use heaplab_objects::property::{self, Key, Property};
use heaplab_objects::{is_object, kind, kind_of, map_of, number, object, object_handle, small, string};

/// What a look along the prototypes found.
enum Found<'s> {
    Nothing,
    Data(Js<'s>),
    Accessor { holder: Obj<'s>, accessor: Obj<'s> },
}

/// A string's own property.
enum OwnOfString {
    /// Its length, in UTF-16 code units.
    Length(usize),
    /// The code unit at this index.
    Unit(usize),
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

    /// The first property of this key along the prototypes, and the object that has it.
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

    /// The object that a primitive's properties are looked for in. `None` for undefined and null.
    fn prototype_of_primitive<'a>(&self, scope: &'a Scope<'_, '_>, value: Ref<'a, Value>) -> Option<Ref<'a, Record>> {
        let root = match kind_of(scope, value) {
            None | Some(kind::NUMBER) => Root::NumberPrototype,
            Some(kind::ONE_BYTE | kind::TWO_BYTE | kind::CONS) => Root::StringPrototype,
            _ if value == scope.boolean(true) || value == scope.boolean(false) => Root::BooleanPrototype,
            _ => return None,
        };
        object(scope, self.root(scope, root))
    }

    /// A string's own property of this key. Indices count UTF-16 code units, as the length does.
    fn own_of_string<'s>(&self, scope: &Scope<'s, '_>, text: Ref<'_, Record>, key: Key<'s>) -> Option<OwnOfString> {
        let length = string::length(scope, text);
        match key {
            Key::Index(index) => ((index as usize) < length).then_some(OwnOfString::Unit(index as usize)),
            Key::Name(name) => {
                (scope.get(name) == self.root(scope, Root::Length)).then_some(OwnOfString::Length(length))
            }
        }
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
            match self.own_of_string(scope, text, key) {
                Some(OwnOfString::Length(length)) => return Ok(scope.handle(small(length))),
                Some(OwnOfString::Unit(index)) => {
                    let text = scope.handle(text);
                    let flat = self.flat(scope, text)?;
                    let unit = string::unit_at(scope, scope.get(flat), index);
                    return Ok(self.string_of_units(scope, &[unit])?.any());
                }
                None => {}
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

    /// Calls a getter: native, or the script's. The receiver, the holder and the accessor are handles, since a getter
    /// may do anything: collect, move them, run scripts.
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
        let text = string::cast(scope, scope.get(receiver));
        if text.is_some_and(|text| self.own_of_string(scope, text, key).is_some()) {
            let text = self.display(scope, receiver);
            let message = format!("Cannot assign to read only property '{key_text}' of string '{text}'");
            return Err(self.refuse(scope, message));
        }
        if let Found::Accessor { holder, accessor } = self.look(scope, start, key) {
            return self.call_setter(scope, receiver, holder, accessor, key, value);
        }
        let what = self.type_of(scope, scope.get(receiver));
        let text = self.display(scope, receiver);
        Err(self.refuse(scope, format!("Cannot create property '{key_text}' on {what} '{text}'")))
    }

    /// Like [`set`](Self::set), but looks from another object on for the property that decides: `super.x = value`.
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
        // The property is a prototype's, so the receiver gets one of its own. If the look began elsewhere, the
        // receiver may have one already, which is set.
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
        if kind_of(scope, scope.get(holder).into()) == Some(kind::FUNCTION) {
            return self.unsupported("the text of a function, for the message of an error");
        }
        let (key, what) = (self.key_text(scope, key), self.object_text(scope, scope.get(holder)));
        self.refuse(scope, format!("Cannot assign to read only property '{key}' of object '{what}'"))
    }

    /// A TypeError in strict code. Code that is not strict would go on as if nothing had happened, so it is stopped
    /// (SC-3).
    pub(super) fn refuse(&mut self, scope: &mut Scope<'_, '_>, message: String) -> super::Unwind {
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

    /// Whether the object or one of its prototypes has such a property.
    #[must_use]
    pub fn has<'s>(&self, scope: &Scope<'s, '_>, object: Ref<'_, Record>, key: Key<'s>) -> bool {
        self.find(scope, object, key).is_some()
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
