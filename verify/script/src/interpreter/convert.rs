//! Conversions, and how values look in messages.

use super::{Interpreter, Js, Obj, Root, Run};
use heaplab::{Record, Ref, Scope, Value};
use heaplab_objects::property::Key;
use heaplab_objects::{function, kind, kind_of, map, map_of, number, object, object_handle, property, string};

/// What an object's primitive is wanted for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hint {
    /// Either: treated as [`Number`](Hint::Number).
    Default,
    /// A number.
    Number,
    /// A string.
    String,
}

impl Interpreter {
    /// Whether a value counts as true.
    #[must_use]
    pub fn to_boolean(&self, scope: &Scope<'_, '_>, value: Ref<'_, Value>) -> bool {
        if let Some(number) = number::value(scope, value) {
            return number != 0.0 && !number.is_nan();
        }
        if let Some(text) = string::cast(scope, value) {
            return string::length(scope, text) != 0;
        }
        !(self.is_nullish(scope, value) || value == scope.boolean(false))
    }

    /// A value as a number. May call the script.
    ///
    /// # Errors
    /// What the conversion throws.
    pub fn to_number<'s>(&mut self, scope: &mut Scope<'s, '_>, value: Js<'s>) -> Run<f64> {
        let at = scope.get(value);
        if let Some(number) = number::value(scope, at) {
            return Ok(number);
        }
        if let Some(text) = string::cast(scope, at) {
            return Ok(number::parse(&string::units(scope, text)));
        }
        if object(scope, at).is_some() {
            return scope.nested(|scope| {
                let primitive = self.to_primitive(scope, value, Hint::Number)?;
                self.to_number(scope, primitive)
            });
        }
        Ok(if at == scope.undefined() {
            f64::NAN
        } else if at == scope.boolean(true) {
            1.0
        } else {
            0.0
        })
    }

    /// A value as an integer, for the library: NaN counts as 0, and infinities stay. May call the script.
    ///
    /// # Errors
    /// What the conversion throws.
    pub fn to_integer<'s>(&mut self, scope: &mut Scope<'s, '_>, value: Js<'s>) -> Run<f64> {
        let number = self.to_number(scope, value)?;
        Ok(if number.is_nan() { 0.0 } else { number.trunc() + 0.0 })
    }

    /// A value as a string. May call the script, and collect.
    ///
    /// # Errors
    /// What the conversion throws.
    pub fn to_string<'s>(&mut self, scope: &mut Scope<'s, '_>, value: Js<'s>) -> Run<Obj<'s>> {
        let at = scope.get(value);
        if let Some(text) = string::cast(scope, at) {
            return Ok(scope.handle(text));
        }
        if let Some(number) = number::value(scope, at) {
            return self.string(scope, &number::to_text(number));
        }
        if object(scope, at).is_some() {
            let primitive = self.to_primitive(scope, value, Hint::String)?;
            return self.to_string(scope, primitive);
        }
        let text = self.primitive_text(scope, at);
        self.name(scope, &text)
    }

    /// The code units of a value as a string. May call the script, and collect.
    ///
    /// # Errors
    /// What the conversion throws.
    pub fn to_units<'s>(&mut self, scope: &mut Scope<'s, '_>, value: Js<'s>) -> Run<Vec<u16>> {
        let text = self.to_string(scope, value)?;
        Ok(string::units(scope, scope.get(text)))
    }

    /// A value as a primitive: an object is asked for one. May call the script.
    ///
    /// # Errors
    /// What the object's methods throw; a TypeError if they give no primitive.
    pub fn to_primitive<'s>(&mut self, scope: &mut Scope<'s, '_>, value: Js<'s>, hint: Hint) -> Run<Js<'s>> {
        if object(scope, scope.get(value)).is_none() {
            return Ok(value);
        }
        let order = match hint {
            Hint::String => [Root::ToString, Root::ValueOf],
            Hint::Default | Hint::Number => [Root::ValueOf, Root::ToString],
        };
        for name in order {
            let name = self.root_record(scope, name);
            let method = self.get(scope, value, Key::Name(name))?;
            if self.is_callable(scope, scope.get(method)) {
                let primitive = self.call(scope, method, value, &[])?;
                if !self.is_object(scope, primitive) {
                    return Ok(primitive);
                }
            }
        }
        Err(self.type_error(scope, "Cannot convert object to primitive value"))
    }

    /// A primitive that is no string, as text.
    #[must_use]
    pub fn primitive_text(&self, scope: &Scope<'_, '_>, value: Ref<'_, Value>) -> String {
        if let Some(number) = number::value(scope, value) {
            return number::to_text(number);
        }
        let named = [
            (scope.undefined(), "undefined"),
            (scope.null(), "null"),
            (scope.boolean(true), "true"),
            (scope.boolean(false), "false"),
        ];
        named.iter().find(|(known, _)| *known == value).map_or("?", |(_, text)| text).to_owned()
    }

    /// A value as messages show it: an object as [`object_text`](Self::object_text) does.
    #[must_use]
    pub fn display<'s>(&self, scope: &Scope<'s, '_>, value: Js<'s>) -> String {
        let at = scope.get(value);
        if let Some(text) = string::cast(scope, at) {
            return string::to_text(scope, text);
        }
        match object(scope, at) {
            Some(object) => self.object_text(scope, object),
            None => self.primitive_text(scope, at),
        }
    }

    /// An object as messages show it: by its constructor's name, unless it is an array or a function.
    #[must_use]
    pub fn object_text(&self, scope: &Scope<'_, '_>, at: Ref<'_, Record>) -> String {
        match kind_of(scope, at.into()) {
            Some(kind::ARRAY) => "[object Array]".to_owned(),
            Some(kind::FUNCTION) => format!("function '{}'", self.name_of_function(scope, at)),
            _ => format!("#<{}>", self.constructor_name(scope, at).unwrap_or_else(|| "Object".to_owned())),
        }
    }

    /// The name of the function that the nearest property `constructor` holds, in the object or along its prototypes.
    #[must_use]
    pub fn constructor_name(&self, scope: &Scope<'_, '_>, at: Ref<'_, Record>) -> Option<String> {
        let name = heaplab_objects::record(scope, self.root(scope, Root::Constructor))?;
        let mut next = Some(at);
        while let Some(holder) = next {
            if let Some(own) = property::find_named(scope, holder, name)
                && !own.details.is_accessor()
                && let Some(constructor) = function::cast(scope, property::value(scope, holder, own.place))
            {
                return Some(self.name_of_function(scope, constructor));
            }
            next = object(scope, map::prototype(scope, map_of(scope, holder)));
        }
        None
    }

    /// The name that a function was made with.
    #[must_use]
    pub fn name_of_function(&self, scope: &Scope<'_, '_>, at: Ref<'_, Record>) -> String {
        let name = string::cast(scope, scope.load_field(function::shared(scope, at), function::NAME));
        name.map_or(String::new(), |name| string::to_text(scope, name))
    }

    /// A value as an object, for the library.
    ///
    /// # Errors
    /// A TypeError for undefined and null; a refusal of other primitives, which have no wrappers here.
    pub fn expect_object<'s>(&mut self, scope: &mut Scope<'s, '_>, value: Js<'s>) -> Run<Obj<'s>> {
        if let Some(object) = object_handle(scope, value) {
            return Ok(object);
        }
        if self.is_nullish(scope, scope.get(value)) {
            return Err(self.type_error(scope, "Cannot convert undefined or null to object"));
        }
        Err(self.unsupported("a primitive as an object"))
    }
}
