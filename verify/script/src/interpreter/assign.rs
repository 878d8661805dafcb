//! Assignment: to names, members and patterns.

use super::call::Frame;
use super::code_text::code_text;
use super::{Interpreter, Js, Obj, Run};
use crate::code::{self, Binary, Expression, Logical, Target};
use heaplab::{Scope, Value};
use heaplab_objects::map::Details;
use heaplab_objects::property::Key;
use heaplab_objects::{function, kind, object_handle, record_of};

/// A target whose parts are evaluated: what is read and then written.
#[derive(Clone, Copy)]
enum Place<'s> {
    Name(code::ReferenceId),
    /// A binding that is initialised.
    Fresh(code::ReferenceId),
    Member {
        object: Js<'s>,
        key: Js<'s>,
        known: Option<Key<'s>>,
    },
    Super {
        this: Js<'s>,
        start: Obj<'s>,
        key: Key<'s>,
    },
}

/// Where a value that is taken apart comes from, which the message of an error says.
pub(super) enum Source {
    /// An expression of the source, if messages show it.
    Text(Option<String>),
    /// An argument.
    Argument,
    /// Another pattern.
    Within,
}

impl Interpreter {
    /// Assigns a value, or initialises a binding with it. May do anything.
    ///
    /// # Errors
    /// What the assignment throws.
    pub(super) fn assign<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        target: &Target,
        value: Js<'s>,
    ) -> Run<()> {
        match target {
            Target::Initialise(reference) => {
                self.initialise(scope, frame, *reference, value);
                Ok(())
            }
            Target::Object(..) | Target::Array(..) => self.destructure(scope, frame, target, value, &Source::Argument),
            target => {
                let place = self.place(scope, frame, target)?;
                self.put(scope, frame, place, value)
            }
        }
    }

    /// `target = expression`: the target's parts come first.
    pub(super) fn assign_expression<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        target: &Target,
        expression: &Expression,
    ) -> Run<Js<'s>> {
        if matches!(target, Target::Object(..) | Target::Array(..)) {
            let value = self.expression(scope, frame, expression)?;
            let source = Source::Text(code_text(self, frame, expression));
            self.destructure(scope, frame, target, value, &source)?;
            return Ok(value);
        }
        let place = self.place(scope, frame, target)?;
        let value = self.expression(scope, frame, expression)?;
        self.at = position(target, expression);
        self.put(scope, frame, place, value)?;
        Ok(value)
    }

    /// `target op= expression`.
    pub(super) fn assign_binary<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        op: Binary,
        target: &Target,
        expression: &Expression,
    ) -> Run<Js<'s>> {
        let place = self.place(scope, frame, target)?;
        let (place, before) = self.take(scope, frame, place)?;
        let operand = self.expression(scope, frame, expression)?;
        self.at = position(target, expression);
        let value = self.binary(scope, op, before, operand)?;
        self.put(scope, frame, place, value)?;
        Ok(value)
    }

    /// `target &&= expression` and the like.
    pub(super) fn assign_logical<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        op: Logical,
        target: &Target,
        expression: &Expression,
    ) -> Run<Js<'s>> {
        let place = self.place(scope, frame, target)?;
        let (place, before) = self.take(scope, frame, place)?;
        if self.is_decided(scope, op, before) {
            return Ok(before);
        }
        let value = self.expression(scope, frame, expression)?;
        self.at = position(target, expression);
        self.put(scope, frame, place, value)?;
        Ok(value)
    }

    /// `target++` and the like.
    pub(super) fn update<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        target: &Target,
        step: i32,
        is_prefix: bool,
    ) -> Run<Js<'s>> {
        let place = self.place(scope, frame, target)?;
        let (place, before) = self.take(scope, frame, place)?;
        let number = self.to_number(scope, before)?;
        let before = self.number(scope, number)?;
        let after = self.number(scope, number + f64::from(step))?;
        self.put(scope, frame, place, after)?;
        Ok(if is_prefix { after } else { before })
    }

    /// Evaluates a target's parts. A computed key of a member is converted only when the property is read or written.
    fn place<'s>(&mut self, scope: &mut Scope<'s, '_>, frame: &Frame<'s, '_>, target: &Target) -> Run<Place<'s>> {
        match target {
            Target::Assign(reference, at) => {
                self.at = *at;
                Ok(Place::Name(*reference))
            }
            Target::Initialise(reference) => Ok(Place::Fresh(*reference)),
            Target::Member(object, key, at) => {
                let object = self.expression(scope, frame, object)?;
                let (key, known) = match &**key {
                    code::Key::Computed(key) => (self.expression(scope, frame, key)?, None),
                    known => {
                        let key = self.key(scope, frame, known)?;
                        (scope.handle(scope.undefined()), Some(key))
                    }
                };
                self.at = *at;
                Ok(Place::Member { object, key, known })
            }
            Target::Super { this, callee, key, at } => {
                let this = self.read(scope, frame, *this)?;
                let start = self.super_start(scope, frame, *callee)?;
                let key = self.key(scope, frame, key)?;
                self.at = *at;
                Ok(Place::Super { this, start, key })
            }
            Target::Object(..) | Target::Array(..) => unreachable!("patterns are taken apart"),
        }
    }

    /// Reads a place. Returns the place, its key converted, and the value.
    fn take<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        place: Place<'s>,
    ) -> Run<(Place<'s>, Js<'s>)> {
        match place {
            Place::Name(reference) | Place::Fresh(reference) => Ok((place, self.read(scope, frame, reference)?)),
            Place::Member { object, key, known } => {
                let known = match known {
                    Some(known) => known,
                    None => self.key_of_member(scope, object, key, "read")?,
                };
                let value = self.get(scope, object, known)?;
                Ok((Place::Member { object, key, known: Some(known) }, value))
            }
            Place::Super { this, start, key } => Ok((place, self.get_from(scope, start, this, key)?)),
        }
    }

    /// Writes a place.
    fn put<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        place: Place<'s>,
        value: Js<'s>,
    ) -> Run<()> {
        match place {
            Place::Name(reference) => self.write(scope, frame, reference, value),
            Place::Fresh(reference) => {
                self.initialise(scope, frame, reference, value);
                Ok(())
            }
            Place::Member { object, key, known } => {
                let key = match known {
                    Some(known) => known,
                    None => self.key_of_member(scope, object, key, "set")?,
                };
                self.set(scope, object, key, value)
            }
            Place::Super { this, start, key } => match object_handle(scope, this) {
                Some(this) => self.set_from(scope, start, this, key, value),
                None => self.set(scope, this, key, value),
            },
        }
    }

    /// Converts a computed key of a member; `verb` says in the message what is done with the member.
    ///
    /// # Errors
    /// A TypeError, before the key is converted, if the object is undefined or null; what the conversion throws.
    pub(super) fn key_of_member<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        object: Js<'s>,
        key: Js<'s>,
        verb: &str,
    ) -> Run<Key<'s>> {
        if self.is_nullish(scope, scope.get(object)) {
            let what = self.primitive_text(scope, scope.get(object));
            let shown = self.display(scope, key);
            let gerund = if verb == "set" { "setting" } else { "reading" };
            return Err(self.type_error(scope, format!("Cannot {verb} properties of {what} ({gerund} '{shown}')")));
        }
        self.to_key(scope, key)
    }

    /// Where `super` looks: the prototype of the function's home object.
    pub(super) fn super_start<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        callee: code::ReferenceId,
    ) -> Run<Obj<'s>> {
        let callee = self.read(scope, frame, callee)?;
        let function = record_of(scope, scope.get(callee), kind::FUNCTION);
        let home = function.map(|function| scope.load_field(function, function::HOME));
        let home = home.and_then(|home| heaplab_objects::object(scope, home)).map(|home| scope.handle(home));
        let Some(home) = home else { return Err(self.unsupported("super without a home object")) };
        let start = self.prototype_of(scope, home);
        match object_handle(scope, start) {
            Some(start) => Ok(start),
            None => Err(self.unsupported("super of an object without a prototype")),
        }
    }

    /// Assigns a value as [`assign`](Self::assign) does, from a source that the messages of a pattern's errors name.
    ///
    /// # Errors
    /// What the assignment throws.
    pub(super) fn destructure<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        target: &Target,
        value: Js<'s>,
        source: &Source,
    ) -> Run<()> {
        match target {
            Target::Object(properties, rest, at) => {
                self.at = *at;
                if self.is_nullish(scope, scope.get(value)) {
                    let what = self.primitive_text(scope, scope.get(value));
                    let name = match properties.first() {
                        Some((code::Key::Name(name), ..)) => Some(self.constant_text(frame, *name)),
                        _ => None,
                    };
                    let message = match (name, source) {
                        (Some(name), Source::Within) => {
                            format!("Cannot read properties of {what} (reading '{name}')")
                        }
                        (Some(name), Source::Text(Some(text))) => {
                            format!("Cannot destructure property '{name}' of '{text}' as it is {what}.")
                        }
                        (Some(name), Source::Argument) => {
                            let kind = if scope.get(value) == scope.null() { "object " } else { "" };
                            format!("Cannot destructure property '{name}' of '{kind}{what}' as it is {what}.")
                        }
                        (None, Source::Text(Some(text))) => format!("Cannot destructure '{text}' as it is {what}."),
                        _ => return Err(self.unsupported(format!("taking {what} apart: the text of its error"))),
                    };
                    return Err(self.type_error(scope, message));
                }
                let mut taken = Vec::new();
                for (key, target, default) in properties {
                    let key = self.key(scope, frame, key)?;
                    taken.push(key);
                    self.destructure_one(scope, frame, target, default.as_ref(), |interpreter, scope| {
                        interpreter.get(scope, value, key)
                    })?;
                }
                if let Some(rest) = rest {
                    let object = self.new_object(scope)?;
                    self.copy_properties(scope, object, value, &taken)?;
                    self.assign(scope, frame, rest, object.any())?;
                }
                Ok(())
            }
            Target::Array(elements, rest, at) => {
                self.at = *at;
                // Each value is taken when its target is reached: targets and defaults may change the array.
                let mut cursor = self.cursor(scope, value)?;
                for entry in elements {
                    let Some((target, default)) = entry else {
                        self.next(scope, &mut cursor)?;
                        continue;
                    };
                    self.destructure_one(scope, frame, target, default.as_ref(), |interpreter, scope| {
                        let next = interpreter.next(scope, &mut cursor)?;
                        Ok(next.unwrap_or_else(|| scope.handle(scope.undefined())))
                    })?;
                }
                if let Some(rest) = rest {
                    self.destructure_one(scope, frame, rest, None, |interpreter, scope| {
                        let mut values = Vec::new();
                        while let Some(next) = interpreter.next(scope, &mut cursor)? {
                            values.push(next);
                        }
                        Ok(interpreter.array_of(scope, &values)?.any())
                    })?;
                }
                Ok(())
            }
            target => self.assign(scope, frame, target, value),
        }
    }

    /// Assigns one element of a pattern: evaluates the target's parts, then the value, then the default.
    fn destructure_one<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        frame: &Frame<'s, '_>,
        target: &Target,
        default: Option<&Expression>,
        value: impl FnOnce(&mut Interpreter, &mut Scope<'s, '_>) -> Run<Js<'s>>,
    ) -> Run<()> {
        let place = match target {
            Target::Object(..) | Target::Array(..) | Target::Initialise(_) => None,
            target => Some(self.place(scope, frame, target)?),
        };
        let mut value = value(self, scope)?;
        if let Some(default) = default
            && scope.get(value) == scope.undefined()
        {
            value = self.expression(scope, frame, default)?;
        }
        match (place, target) {
            (Some(place), _) => self.put(scope, frame, place, value),
            (None, Target::Initialise(_)) => self.assign(scope, frame, target, value),
            (None, _) => self.destructure(scope, frame, target, value, &Source::Within),
        }
    }

    /// Copies the own enumerable properties of a value, except those in `but`: `{...value}`.
    pub(super) fn copy_properties<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        target: Obj<'s>,
        value: Js<'s>,
        but: &[Key<'s>],
    ) -> Run<()> {
        if let Some(text) = heaplab_objects::string::cast(scope, scope.get(value)) {
            let length = heaplab_objects::string::length(scope, text);
            for index in 0..length {
                let key = Key::Index(index as u32);
                let unit = self.get(scope, value, key)?;
                self.define(scope, target, key, Details::PLAIN, unit)?;
            }
            return Ok(());
        }
        let Some(source) = object_handle(scope, value) else { return Ok(()) };
        for key in self.own_keys(scope, scope.get(source), true) {
            let is_same = |other: &Key<'s>| match (key, other) {
                (Key::Index(one), Key::Index(other)) => one == *other,
                (Key::Name(one), Key::Name(other)) => scope.get(one) == scope.get(*other),
                _ => false,
            };
            if but.iter().any(is_same) {
                continue;
            }
            scope.nested(|scope| {
                if self.find_own(scope, scope.get(source), key).is_none_or(|own| !own.details.is_enumerable()) {
                    return Ok(());
                }
                let value = self.get(scope, value, key)?;
                self.define(scope, target, key, Details::PLAIN, value)
            })?;
        }
        Ok(())
    }

    /// Whether a logical operator's value is its first operand.
    pub(super) fn is_decided<'s>(&self, scope: &Scope<'s, '_>, op: Logical, value: heaplab::Handle<'s, Value>) -> bool {
        let value = scope.get(value);
        match op {
            Logical::And => !self.to_boolean(scope, value),
            Logical::Or => self.to_boolean(scope, value),
            Logical::Coalesce => !self.is_nullish(scope, value),
        }
    }
}

/// Where an assignment fails: at its target.
fn position(target: &Target, expression: &Expression) -> code::Position {
    match target {
        Target::Assign(_, at) | Target::Member(_, _, at) | Target::Super { at, .. } => *at,
        _ => expression.at,
    }
}
