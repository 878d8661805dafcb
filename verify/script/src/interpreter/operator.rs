//! Operators.

use super::power::power;
use super::{Interpreter, Js, Run};
use crate::code::{Binary, Unary};
use core::cmp::Ordering;
use heaplab::{Record, Ref, Scope, Value};
use heaplab_objects::property::Key;
use heaplab_objects::{function, kind, map, map_of, number, object, object_handle, string};

impl Interpreter {
    /// An operator with one operand. May call the script.
    ///
    /// # Errors
    /// What conversions throw.
    pub(super) fn unary<'s>(&mut self, scope: &mut Scope<'s, '_>, op: Unary, operand: Js<'s>) -> Run<Js<'s>> {
        match op {
            Unary::Minus => {
                let value = self.to_number(scope, operand)?;
                self.number(scope, -value)
            }
            Unary::Plus => {
                let value = self.to_number(scope, operand)?;
                self.number(scope, value)
            }
            Unary::Complement => {
                let value = self.to_number(scope, operand)?;
                self.number(scope, f64::from(!number::to_int32(value)))
            }
            Unary::Not => Ok(scope.handle(scope.boolean(!self.to_boolean(scope, scope.get(operand))))),
            Unary::TypeOf => {
                let name = self.type_of(scope, scope.get(operand));
                Ok(self.name(scope, name)?.any())
            }
            Unary::Void => Ok(scope.handle(scope.undefined())),
        }
    }

    /// An operator with two operands. May call the script.
    ///
    /// # Errors
    /// What conversions throw.
    pub(super) fn binary<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        op: Binary,
        left: Js<'s>,
        right: Js<'s>,
    ) -> Run<Js<'s>> {
        let boolean = |scope: &Scope<'s, '_>, value: bool| scope.handle(scope.boolean(value));
        match op {
            Binary::Add => self.add_values(scope, left, right),
            Binary::StrictEqual => Ok(boolean(scope, self.strict_equal(scope, scope.get(left), scope.get(right)))),
            Binary::StrictNotEqual => Ok(boolean(scope, !self.strict_equal(scope, scope.get(left), scope.get(right)))),
            Binary::Equal => {
                let equal = self.loose_equal(scope, left, right)?;
                Ok(boolean(scope, equal))
            }
            Binary::NotEqual => {
                let equal = self.loose_equal(scope, left, right)?;
                Ok(boolean(scope, !equal))
            }
            Binary::Less | Binary::LessOrEqual | Binary::Greater | Binary::GreaterOrEqual => {
                let order = self.compare(scope, left, right)?;
                let holds = match op {
                    Binary::Less => order == Some(Ordering::Less),
                    Binary::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
                    Binary::Greater => order == Some(Ordering::Greater),
                    _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
                };
                Ok(boolean(scope, holds))
            }
            Binary::In => {
                let Some(object) = object_handle(scope, right) else {
                    let shown = self.display(scope, left);
                    let what = self.display(scope, right);
                    let message = format!("Cannot use 'in' operator to search for '{shown}' in {what}");
                    return Err(self.type_error(scope, message));
                };
                let key = self.to_key(scope, left)?;
                let has = self.has(scope, scope.get(object), key);
                Ok(boolean(scope, has))
            }
            Binary::InstanceOf => {
                let is = self.instance_of(scope, left, right)?;
                Ok(boolean(scope, is))
            }
            _ => {
                let left = self.to_number(scope, left)?;
                let right = self.to_number(scope, right)?;
                let value = match op {
                    Binary::Power => self.power(left, right)?,
                    op => arithmetic(op, left, right),
                };
                self.number(scope, value)
            }
        }
    }

    /// `base ** exponent`. The script is stopped where the result depends on the implementation.
    pub(crate) fn power(&self, base: f64, exponent: f64) -> Run<f64> {
        power(base, exponent).map_err(|what| self.unsupported(what))
    }

    fn add_values<'s>(&mut self, scope: &mut Scope<'s, '_>, left: Js<'s>, right: Js<'s>) -> Run<Js<'s>> {
        if let (Some(one), Some(other)) =
            (number::value(scope, scope.get(left)), number::value(scope, scope.get(right)))
        {
            return self.number(scope, one + other);
        }
        let left = self.to_primitive(scope, left, super::convert::Hint::Default)?;
        let right = self.to_primitive(scope, right, super::convert::Hint::Default)?;
        let is_string = |value: Ref<'_, Value>| string::cast(scope, value).is_some();
        if is_string(scope.get(left)) || is_string(scope.get(right)) {
            let left = self.to_string(scope, left)?;
            let right = self.to_string(scope, right)?;
            return Ok(self.concat(scope, left, right)?.any());
        }
        let left = self.to_number(scope, left)?;
        let right = self.to_number(scope, right)?;
        self.number(scope, left + right)
    }

    /// `left === right`.
    #[must_use]
    pub fn strict_equal(&self, scope: &Scope<'_, '_>, left: Ref<'_, Value>, right: Ref<'_, Value>) -> bool {
        if let (Some(one), Some(other)) = (number::value(scope, left), number::value(scope, right)) {
            return one == other;
        }
        if left == right {
            return true;
        }
        match (string::cast(scope, left), string::cast(scope, right)) {
            (Some(one), Some(other)) => {
                let both = string::is_internalised(scope, one) && string::is_internalised(scope, other);
                !both && string::equal(scope, one, other)
            }
            _ => false,
        }
    }

    fn loose_equal<'s>(&mut self, scope: &mut Scope<'s, '_>, left: Js<'s>, right: Js<'s>) -> Run<bool> {
        let (mut left, mut right) = (left, right);
        // Ends: each conversion makes one of them a number or a primitive.
        loop {
            let (one, other) = (scope.get(left), scope.get(right));
            if self.strict_equal(scope, one, other) {
                return Ok(true);
            }
            match (self.is_nullish(scope, one), self.is_nullish(scope, other)) {
                (true, true) => return Ok(true),
                (true, false) | (false, true) => return Ok(false),
                (false, false) => {}
            }
            let is_boolean = |value: Ref<'_, Value>| value == scope.boolean(true) || value == scope.boolean(false);
            let (one_object, other_object) = (object(scope, one).is_some(), object(scope, other).is_some());
            if is_boolean(one) {
                let value = self.to_number(scope, left)?;
                left = self.number(scope, value)?;
            } else if is_boolean(other) {
                let value = self.to_number(scope, right)?;
                right = self.number(scope, value)?;
            } else if one_object && other_object {
                return Ok(false);
            } else if one_object {
                left = self.to_primitive(scope, left, super::convert::Hint::Default)?;
            } else if other_object {
                right = self.to_primitive(scope, right, super::convert::Hint::Default)?;
            } else {
                // A number and a string. Two values of one type are strictly equal or not at all.
                let strings = (string::cast(scope, one).is_some(), string::cast(scope, other).is_some());
                if strings.0 == strings.1 {
                    return Ok(false);
                }
                let (one, other) = (self.to_number(scope, left)?, self.to_number(scope, right)?);
                return Ok(one == other);
            }
        }
    }

    /// The order of two values. `None` if one of them is NaN.
    fn compare<'s>(&mut self, scope: &mut Scope<'s, '_>, left: Js<'s>, right: Js<'s>) -> Run<Option<Ordering>> {
        let left = self.to_primitive(scope, left, super::convert::Hint::Number)?;
        let right = self.to_primitive(scope, right, super::convert::Hint::Number)?;
        if let (Some(one), Some(other)) = (string::cast(scope, scope.get(left)), string::cast(scope, scope.get(right)))
        {
            return Ok(Some(string::units(scope, one).cmp(&string::units(scope, other))));
        }
        let (one, other) = (self.to_number(scope, left)?, self.to_number(scope, right)?);
        Ok(one.partial_cmp(&other))
    }

    fn instance_of<'s>(&mut self, scope: &mut Scope<'s, '_>, value: Js<'s>, class: Js<'s>) -> Run<bool> {
        if object(scope, scope.get(class)).is_none() {
            return Err(self.type_error(scope, "Right-hand side of 'instanceof' is not an object"));
        }
        let Some(constructor) = function::cast(scope, scope.get(class)) else {
            return Err(self.type_error(scope, "Right-hand side of 'instanceof' is not callable"));
        };
        let constructor = scope.handle(constructor);
        let Some(start) = object_handle(scope, value) else { return Ok(false) };
        let name = self.root_record(scope, super::Root::Prototype);
        let prototype = self.get(scope, constructor.any(), Key::Name(name))?;
        if !self.is_object(scope, prototype) {
            let shown = self.display(scope, prototype);
            let message = format!("Function has non-object prototype '{shown}' in instanceof check");
            return Err(self.type_error(scope, message));
        }
        Ok(self.inherits(scope, scope.get(start), scope.get(prototype)))
    }

    /// Whether `ancestor` is among the object's prototypes.
    #[must_use]
    pub fn inherits(&self, scope: &Scope<'_, '_>, start: Ref<'_, Record>, ancestor: Ref<'_, Value>) -> bool {
        let mut next = object(scope, map::prototype(scope, map_of(scope, start)));
        while let Some(holder) = next {
            if holder == ancestor {
                return true;
            }
            next = object(scope, map::prototype(scope, map_of(scope, holder)));
        }
        false
    }

    /// Whether the value is undefined or null.
    #[inline]
    #[must_use]
    pub fn is_nullish(&self, scope: &Scope<'_, '_>, value: Ref<'_, Value>) -> bool {
        value == scope.undefined() || value == scope.null()
    }

    /// The name that `typeof` gives.
    #[must_use]
    pub fn type_of(&self, scope: &Scope<'_, '_>, value: Ref<'_, Value>) -> &'static str {
        match heaplab_objects::kind_of(scope, value) {
            None | Some(kind::NUMBER) => "number",
            Some(kind::ONE_BYTE | kind::TWO_BYTE | kind::CONS) => "string",
            Some(kind::FUNCTION) => "function",
            _ if value == scope.undefined() => "undefined",
            _ if value == scope.boolean(true) || value == scope.boolean(false) => "boolean",
            _ => "object",
        }
    }
}

/// Operators on numbers.
fn arithmetic(op: Binary, left: f64, right: f64) -> f64 {
    let bits = |f: fn(i32, i32) -> i32| f64::from(f(number::to_int32(left), number::to_int32(right)));
    let count = number::to_int32(right) as u32 & 31;
    match op {
        Binary::Subtract => left - right,
        Binary::Multiply => left * right,
        Binary::Divide => left / right,
        // Rust's remainder of floating-point numbers is exact and has the dividend's sign, as the language's has.
        Binary::Remainder => left % right,
        Binary::And => bits(|one, other| one & other),
        Binary::Or => bits(|one, other| one | other),
        Binary::Xor => bits(|one, other| one ^ other),
        Binary::ShiftLeft => f64::from(number::to_int32(left) << count),
        Binary::ShiftRight => f64::from(number::to_int32(left) >> count),
        Binary::ShiftRightUnsigned => f64::from(number::to_int32(left) as u32 >> count),
        other => unreachable!("{other:?} is not on numbers"),
    }
}
