//! The global object's own functions and values.

use super::super::interpreter::{Call, ErrorKind, Interpreter, Root, Run};
use super::super::lower;
use super::super::parse::SourceError;
use super::number::global_constant;
use super::result::boolean;
use heaplab::Scope;
use heaplab_objects::{Js, string};

pub(super) fn set_up(interpreter: &mut Interpreter, scope: &mut Scope<'_, '_>) -> Run<()> {
    global_constant(interpreter, scope, "NaN", Some(f64::NAN))?;
    global_constant(interpreter, scope, "Infinity", Some(f64::INFINITY))?;
    global_constant(interpreter, scope, "undefined", None)?;
    let global = interpreter.root_record(scope, Root::Global);
    interpreter.define_global(scope, "globalThis", global.any())?;
    interpreter.method_of(scope, global, "isNaN", 1, is_nan)?;
    interpreter.method_of(scope, global, "isFinite", 1, is_finite)?;
    interpreter.method_of(scope, global, "eval", 1, eval)?;
    interpreter.absent(scope, global, lower::ABSENT)
}

fn is_nan<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let value = call.argument(scope, 0);
    let value = interpreter.to_number(scope, value)?;
    boolean(scope, value.is_nan())
}

fn is_finite<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let value = call.argument(scope, 0);
    let value = interpreter.to_number(scope, value)?;
    boolean(scope, value.is_finite())
}

/// Runs a source in the global scope: how a script's accessor runs scripts.
fn eval<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let source = call.argument(scope, 0);
    let Some(source) = string::cast(scope, scope.get(source)) else { return Ok(source) };
    let Ok(source) = String::from_utf16(&string::units(scope, source)) else {
        return Err(interpreter.unsupported("a source with lone surrogates"));
    };
    match lower::lower(&source, true) {
        Ok(unit) => interpreter.run_unit(scope, unit),
        Err(SourceError::Syntax { message, at }) => {
            Err(interpreter.throw(scope, ErrorKind::Syntax, format!("{message} ({at} in the source of eval)")))
        }
        Err(SourceError::Unsupported { construct, at }) => {
            Err(interpreter.unsupported(format!("{construct} ({at} in the source of eval)")))
        }
    }
}
