//! Iteration: arrays and strings, which nobody can make iterate otherwise, since there are no symbols here.

use super::{Interpreter, Js, Obj, Root, Run};
use heaplab::Scope;
use heaplab_objects::map;
use heaplab_objects::property::Key;
use heaplab_objects::{ARRAY_LENGTH, elements, kind, kind_of, map_of, object, small, string};

/// The state of an iteration that goes on in steps.
pub(super) enum Cursor<'s> {
    Array { array: Js<'s>, index: usize },
    Text { units: Vec<u16>, at: usize },
    Ended,
}

impl Interpreter {
    /// Calls `f` with each value of an array or a string, in a handle scope of its own, until `f` returns false.
    /// `text` is what the message calls a value that is neither.
    ///
    /// # Errors
    /// Those of `f`; a TypeError if the value cannot be iterated.
    pub fn iterate<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        value: Js<'s>,
        text: Option<String>,
        mut f: impl for<'i> FnMut(&mut Interpreter, &mut Scope<'i, 's>, Js<'i>) -> Run<bool>,
    ) -> Run<()> {
        if let Some(text) = string::cast(scope, scope.get(value)) {
            let units = string::units(scope, text);
            for character in char::decode_utf16(units) {
                self.poll(scope)?;
                let goes_on = scope.nested(|scope| {
                    let units = match character {
                        Ok(character) => character.encode_utf16(&mut [0; 2]).to_vec(),
                        Err(lone) => vec![lone.unpaired_surrogate()],
                    };
                    let value = self.string_of_units(scope, &units)?;
                    f(self, scope, value.any())
                })?;
                if !goes_on {
                    break;
                }
            }
            return Ok(());
        }
        if !self.is_array(scope, scope.get(value)) {
            return Err(self.is_no(scope, text, "iterable"));
        }
        let mut index = 0;
        loop {
            self.poll(scope)?;
            let goes_on = scope.nested(|scope| {
                let array = object(scope, scope.get(value)).expect("an array");
                if index >= elements::array_length(scope, array) {
                    return Ok(false);
                }
                let element = self.get(scope, value, Key::Index(index as u32))?;
                f(self, scope, element)
            })?;
            if !goes_on {
                return Ok(());
            }
            index += 1;
        }
    }

    /// The values of an array or a string.
    ///
    /// # Errors
    /// A TypeError if the value cannot be iterated.
    pub(super) fn list_of<'s>(&mut self, scope: &mut Scope<'s, '_>, value: Js<'s>) -> Run<Vec<Js<'s>>> {
        // Values leave the scopes of the iteration in an array.
        let list = self.new_array(scope, 0)?;
        self.iterate(scope, value, None, |interpreter, scope, value| {
            interpreter.push(scope, list, value)?;
            Ok(true)
        })?;
        Ok(self.handles_of(scope, list))
    }

    /// Begins an iteration that a pattern takes values from, one at a time.
    ///
    /// # Errors
    /// A TypeError if the value cannot be iterated.
    pub(super) fn cursor<'s>(&mut self, scope: &mut Scope<'s, '_>, value: Js<'s>) -> Run<Cursor<'s>> {
        if let Some(text) = string::cast(scope, scope.get(value)) {
            return Ok(Cursor::Text { units: string::units(scope, text), at: 0 });
        }
        if self.is_array(scope, scope.get(value)) {
            return Ok(Cursor::Array { array: value, index: 0 });
        }
        Err(self.is_no(scope, None, "iterable"))
    }

    /// The cursor's next value, if there is one. The array may change between two calls; once a cursor has reached
    /// the end it has no more values, even if the array grows. May collect.
    ///
    /// # Errors
    /// No memory.
    pub(super) fn next<'s>(&mut self, scope: &mut Scope<'s, '_>, cursor: &mut Cursor<'s>) -> Run<Option<Js<'s>>> {
        self.poll(scope)?;
        match cursor {
            Cursor::Text { units, at } => {
                let rest = &units[*at..];
                let Some(character) = char::decode_utf16(rest.iter().copied()).next() else { return Ok(None) };
                let taken = &rest[..character.map_or(1, char::len_utf16)];
                *at += taken.len();
                Ok(Some(self.string_of_units(scope, taken)?.any()))
            }
            Cursor::Array { array, index } => {
                let at = object(scope, scope.get(*array)).expect("an array");
                if *index >= elements::array_length(scope, at) {
                    *cursor = Cursor::Ended;
                    return Ok(None);
                }
                let key = Key::Index(*index as u32);
                *index += 1;
                self.get(scope, *array, key).map(Some)
            }
            Cursor::Ended => Ok(None),
        }
    }

    /// Handles to the elements of an array, undefined for holes.
    pub fn handles_of<'s>(&self, scope: &Scope<'s, '_>, array: Obj<'s>) -> Vec<Js<'s>> {
        let array = scope.get(array);
        (0..elements::array_length(scope, array))
            .map(|index| scope.handle(self.element_or_undefined(scope, array, index)))
            .collect()
    }

    /// Appends to an array. May collect.
    ///
    /// # Errors
    /// No memory; a TypeError if the array is not extensible.
    pub fn push<'s>(&mut self, scope: &mut Scope<'s, '_>, array: Obj<'s>, value: Js<'s>) -> Run<()> {
        let at = scope.get(array);
        let length = elements::array_length(scope, at);
        if map::info(scope, map_of(scope, at)).has(map::flag::SEALED) {
            let message = format!("Cannot add property {length}, object is not extensible");
            return Err(self.type_error(scope, message));
        }
        if length >= elements::DENSE_MAX {
            return Err(self.unsupported("an array of so many elements"));
        }
        let hole = self.sentinel(scope, Root::Hole)?;
        elements::reserve(scope, hole, array, length + 1)?;
        let at = scope.get(array);
        elements::set(scope, at, length, scope.get(value));
        scope.store_field(at, ARRAY_LENGTH, small(length + 1));
        Ok(())
    }

    /// Sets an array's length: cuts it off, or adds holes. May collect.
    ///
    /// # Errors
    /// No memory; a refusal if `length` is too great or the array is not extensible.
    pub fn set_array_length<'s>(&mut self, scope: &mut Scope<'s, '_>, array: Obj<'s>, length: usize) -> Run<()> {
        let at = scope.get(array);
        if map::info(scope, map_of(scope, at)).has(map::flag::SEALED) {
            return Err(self.unsupported("the length of an array that is not extensible"));
        }
        if length > elements::DENSE_MAX {
            return Err(self.unsupported("an array of so many elements"));
        }
        let old = elements::array_length(scope, at);
        for index in length..old.min(elements::capacity(scope, at)) {
            elements::set(scope, at, index, self.hole(scope));
        }
        if length > old {
            let hole = self.sentinel(scope, Root::Hole)?;
            elements::reserve(scope, hole, array, length)?;
        }
        scope.store_field(scope.get(array), ARRAY_LENGTH, small(length));
        Ok(())
    }

    /// The keys that a for-in loop meets: of the value and its prototypes, each name once.
    pub(super) fn keys_for_in<'s>(&self, scope: &Scope<'s, '_>, value: Js<'s>) -> Vec<Key<'s>> {
        if let Some(text) = string::cast(scope, scope.get(value)) {
            return (0..string::length(scope, text) as u32).map(Key::Index).collect();
        }
        let mut keys: Vec<Key<'s>> = Vec::new();
        let mut hidden: Vec<Key<'s>> = Vec::new();
        let mut next = object(scope, scope.get(value));
        while let Some(holder) = next {
            for key in self.own_keys(scope, holder, false) {
                let same = |other: &Key<'s>| match (key, *other) {
                    (Key::Index(one), Key::Index(other)) => one == other,
                    (Key::Name(one), Key::Name(other)) => scope.get(one) == scope.get(other),
                    _ => false,
                };
                // The first object's own keys are distinct, so they need no look for an equal one.
                let is_first_object = holder == scope.get(value);
                if !is_first_object && (keys.iter().any(same) || hidden.iter().any(same)) {
                    continue;
                }
                let enumerable = self.find_own(scope, holder, key).is_some_and(|own| own.details.is_enumerable());
                if enumerable { keys.push(key) } else { hidden.push(key) }
            }
            next = object(scope, map::prototype(scope, map_of(scope, holder)));
        }
        keys
    }

    /// Whether a key that a for-in loop found is still there.
    pub(super) fn is_key_of<'s>(&self, scope: &Scope<'s, '_>, value: Js<'s>, key: Key<'s>) -> bool {
        match kind_of(scope, scope.get(value)) {
            Some(kind::ONE_BYTE | kind::TWO_BYTE | kind::CONS) => true,
            _ => object(scope, scope.get(value)).is_some_and(|object| self.has(scope, object, key)),
        }
    }
}
