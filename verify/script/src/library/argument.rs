//! Arguments of native functions.

use super::super::interpreter::{Call, ErrorKind, Interpreter, Run};
use heaplab::Scope;
use heaplab_objects::Js;

/// A position in a sequence of `length`, from an argument that may count from the end; `default` if it is undefined.
pub(super) fn relative<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    argument: Js<'s>,
    length: usize,
    default: usize,
) -> Run<usize> {
    if scope.get(argument) == scope.undefined() {
        return Ok(default);
    }
    let position = interpreter.to_integer(scope, argument)?;
    let position = if position < 0.0 { position + length as f64 } else { position };
    Ok(position.clamp(0.0, length as f64) as usize)
}

/// Argument 0 as a callback. A TypeError if it cannot be called.
pub(super) fn callback<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    call: &Call<'s, '_>,
) -> Run<Js<'s>> {
    let callback = call.argument(scope, 0);
    if interpreter.is_callable(scope, scope.get(callback)) {
        return Ok(callback);
    }
    let text = interpreter.display(scope, callback);
    Err(interpreter.throw(scope, ErrorKind::Type, format!("{text} is not a function")))
}
