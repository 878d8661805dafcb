//! Expressions as messages show them.

use super::Interpreter;
use super::call::Frame;
use crate::code::{self, Expression};

/// An expression as messages show it. `None` if it is made of more than names, members, calls, functions and
/// constants.
pub(super) fn code_text(interpreter: &Interpreter, frame: &Frame<'_, '_>, expression: &Expression) -> Option<String> {
    use code::{Key, Kind};
    Some(match &expression.kind {
        Kind::Read(reference) => interpreter.constant_text(frame, frame.unit.references[*reference].name),
        Kind::Member(object, key) => {
            let object = code_text(interpreter, frame, object)?;
            match &**key {
                Key::Name(name) => format!("{object}.{}", interpreter.constant_text(frame, *name)),
                Key::Index(index) => format!("{object}[{index}]"),
                Key::Computed(key) => format!("{object}[{}]", code_text(interpreter, frame, key)?),
            }
        }
        Kind::SuperMember { key, .. } => match &**key {
            Key::Name(name) => format!("(intermediate value).{}", interpreter.constant_text(frame, *name)),
            _ => return None,
        },
        Kind::Call(callee, _) => format!("{}(...)", code_text(interpreter, frame, callee)?),
        Kind::Small(value) => value.to_string(),
        Kind::Constant(id) => match &frame.unit.constants[*id] {
            code::Constant::String(units) => format!("\"{}\"", String::from_utf16_lossy(units)),
            code::Constant::Number(value) => heaplab_objects::number::to_text(*value),
        },
        Kind::Undefined => "undefined".to_owned(),
        Kind::Null => "null".to_owned(),
        Kind::Boolean(value) => value.to_string(),
        Kind::Function(_) => "(intermediate value)".to_owned(),
        _ => return None,
    })
}

/// What messages say of an expression whose value cannot be iterated.
pub(super) fn iterable_text(
    interpreter: &Interpreter,
    frame: &Frame<'_, '_>,
    expression: &Expression,
) -> Option<String> {
    match &expression.kind {
        code::Kind::Call(callee, _) => {
            Some(format!("{} is not a function or its return value", code_text(interpreter, frame, callee)?))
        }
        _ => code_text(interpreter, frame, expression),
    }
}
