//! `console.log`: prints strings as they are and other values as Node.js shows them, where that is one short line.
//! Values that Node.js breaks into lines or columns are refused, rather than printed otherwise.

use super::super::interpreter::{Call, Interpreter, Root, Run, Stopped, Unwind};
use super::result::undefined;
use heaplab::Scope;
use heaplab_objects::map::flag;
use heaplab_objects::property::Key;
use heaplab_objects::{Js, Obj, elements, function, kind, kind_of, map, map_of, number, object_handle, string};
use std::io::Write as _;

/// The longest line, by Node.js's own count, in which Node.js shows an object; a longer one is broken.
const LINE_MAX: usize = 80;
/// What Node.js's count begins with.
const LINE_START: usize = 10;
/// The longest array that Node.js does not show in columns.
const ARRAY_MAX: usize = 6;
/// The most objects around an object that Node.js shows in full; deeper ones are shown as their class.
const DEPTH_MAX: usize = 2;

pub(super) fn set_up(interpreter: &mut Interpreter, scope: &mut Scope<'_, '_>) -> Run<()> {
    let console = interpreter.new_object(scope)?;
    interpreter.to_dictionary(scope, console)?;
    interpreter.method_of(scope, console, "log", 0, log)?;
    interpreter.absent(
        scope,
        console,
        &[
            "assert",
            "clear",
            "count",
            "countReset",
            "debug",
            "dir",
            "dirxml",
            "error",
            "group",
            "groupCollapsed",
            "groupEnd",
            "info",
            "table",
            "time",
            "timeEnd",
            "timeLog",
            "trace",
            "warn",
        ],
    )?;
    interpreter.define_global(scope, "console", console.any())
}

fn log<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let mut line = String::new();
    for (index, &value) in call.arguments.iter().enumerate() {
        if index != 0 {
            line.push(' ');
        }
        if let Some(text) = string::cast(scope, scope.get(value)) {
            let text = string::to_text(scope, text);
            if index == 0 && call.arguments.len() > 1 && is_format(&text) {
                return Err(interpreter.unsupported("a format for console.log"));
            }
            line.push_str(&text);
        } else {
            line.push_str(&inspect(interpreter, scope, value, 0)?);
        }
    }
    line.push('\n');
    match interpreter.out.write_all(line.as_bytes()) {
        Ok(()) => undefined(scope),
        Err(_) => Err(Unwind::Stopped(Box::new(Stopped::Output))),
    }
}

/// Whether Node.js would put the arguments that follow into the text.
fn is_format(text: &str) -> bool {
    text.split('%').skip(1).any(|rest| rest.starts_with(['s', 'd', 'i', 'f', 'j', 'o', 'O', 'c']))
        || text.contains("%%")
}

fn too_large(interpreter: &Interpreter) -> Unwind {
    interpreter.unsupported("console.log of a value that does not fit a short line (print a string)")
}

/// A value as Node.js shows it.
fn inspect<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, value: Js<'s>, depth: usize) -> Run<String> {
    let at = scope.get(value);
    if let Some(text) = string::cast(scope, at) {
        let text = string::to_text(scope, text);
        if depth != 0 && text.len() > 16 && text.contains('\n') {
            return Err(too_large(interpreter));
        }
        return quote(interpreter, &text);
    }
    if let Some(number) = number::value(scope, at) {
        let negative_zero = number == 0.0 && number.is_sign_negative();
        return Ok(if negative_zero { "-0".to_owned() } else { number::to_text(number) });
    }
    let Some(object) = object_handle(scope, value) else { return Ok(interpreter.primitive_text(scope, at)) };
    match kind_of(scope, scope.get(object).into()) {
        Some(kind::FUNCTION) => inspect_function(interpreter, scope, object),
        Some(kind::ERROR) => Err(interpreter.unsupported("console.log of an error (print its message)")),
        Some(kind::ARRAY) => inspect_array(interpreter, scope, object, depth),
        _ => inspect_object(interpreter, scope, object, depth),
    }
}

/// A string in the first kind of quotes that needs no escaping.
fn quote(interpreter: &Interpreter, text: &str) -> Run<String> {
    if text.chars().any(|c| c.is_control() || c == '\\' || c == '\u{fffd}') {
        return Err(interpreter.unsupported("console.log of an object with a string that needs escapes"));
    }
    let quote = ['\'', '"', '`'].into_iter().find(|&quote| !text.contains(quote));
    match quote {
        Some(quote) => Ok(format!("{quote}{text}{quote}")),
        None => Err(interpreter.unsupported("console.log of an object with a string that needs escapes")),
    }
}

fn inspect_function<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, object: Obj<'s>) -> Run<String> {
    if !interpreter.own_keys(scope, scope.get(object), true).is_empty() {
        return Err(interpreter.unsupported("console.log of a function with properties"));
    }
    let name = interpreter.name_of_function(scope, scope.get(object));
    let at = scope.get(object);
    if scope.get(object) == interpreter.root(scope, Root::FunctionPrototype) {
        return Ok("[Function (anonymous)] Object".to_owned());
    }
    if map::info(scope, map_of(scope, at)).has(flag::DICTIONARY) {
        return Err(interpreter.unsupported("console.log of a function whose name was changed"));
    }
    if function::flags(scope, at) & function::flag::CLASS == 0 {
        return Ok(if name.is_empty() { "[Function (anonymous)]".to_owned() } else { format!("[Function: {name}]") });
    }
    let name = if name.is_empty() { "(anonymous)".to_owned() } else { name };
    let parent = interpreter.prototype_of(scope, object);
    match function::cast(scope, scope.get(parent)) {
        Some(parent) if function::flags(scope, at) & function::flag::DERIVED != 0 => {
            let parent = interpreter.name_of_function(scope, parent);
            Ok(format!("[class {name} extends {parent}]"))
        }
        _ => Ok(format!("[class {name}]")),
    }
}

/// What stands before the braces: the class, or nothing for a plain array or object.
fn prefix<'s>(
    interpreter: &Interpreter,
    scope: &Scope<'s, '_>,
    object: Obj<'s>,
    plain: &str,
    root: Root,
) -> Run<String> {
    let prototype = map::prototype(scope, map_of(scope, scope.get(object)));
    if prototype == interpreter.root(scope, root) {
        return Ok(String::new());
    }
    match interpreter.constructor_name(scope, scope.get(object)) {
        Some(name) if !name.is_empty() && name != plain => Ok(name),
        _ => Err(interpreter.unsupported("console.log of an object of no named class")),
    }
}

fn inspect_array<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    array: Obj<'s>,
    depth: usize,
) -> Run<String> {
    let count = elements::array_length(scope, scope.get(array));
    let class = prefix(interpreter, scope, array, "Array", Root::ArrayPrototype)?;
    let prefix = if class.is_empty() { String::new() } else { format!("{class}({count}) ") };
    if depth > DEPTH_MAX {
        return Ok(if class.is_empty() { "[Array]".to_owned() } else { format!("[{class}]") });
    }
    if count > ARRAY_MAX || map::info(scope, map_of(scope, scope.get(array))).own() > 1 {
        return Err(too_large(interpreter));
    }
    let mut parts = Vec::new();
    let mut holes = 0;
    for index in 0..count {
        if interpreter.find_own(scope, scope.get(array), Key::Index(index as u32)).is_none() {
            holes += 1;
            if index + 1 < count {
                continue;
            }
        }
        if holes != 0 {
            parts.push(format!("<{holes} empty item{}>", if holes == 1 { "" } else { "s" }));
            holes = 0;
            if interpreter.find_own(scope, scope.get(array), Key::Index(index as u32)).is_none() {
                continue;
            }
        }
        parts.push(scope.nested(|scope| {
            let value = interpreter.get(scope, array.any(), Key::Index(index as u32))?;
            inspect(interpreter, scope, value, depth + 1)
        })?);
    }
    braces(interpreter, &prefix, parts, ('[', ']'), depth)
}

fn inspect_object<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    object: Obj<'s>,
    depth: usize,
) -> Run<String> {
    let class = prefix(interpreter, scope, object, "Object", Root::ObjectPrototype)?;
    if depth > DEPTH_MAX {
        return Ok(if class.is_empty() { "[Object]".to_owned() } else { format!("[{class}]") });
    }
    let prefix = if class.is_empty() { String::new() } else { format!("{class} ") };
    let keys = interpreter.own_keys(scope, scope.get(object), true);
    let mut parts = Vec::new();
    for key in keys {
        let name = match key {
            Key::Index(index) => format!("'{index}'"),
            Key::Name(_) => {
                let text = interpreter.key_text(scope, key);
                let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
                let starts_well = text.chars().next().is_some_and(|c| !c.is_ascii_digit());
                if starts_well && text.chars().all(is_plain) { text } else { quote(interpreter, &text)? }
            }
        };
        let part = scope.nested(|scope| {
            let own = interpreter.find_own(scope, scope.get(object), key).expect("an own key");
            if own.details.is_accessor() {
                return Err(interpreter.unsupported("console.log of an object with accessors"));
            }
            let value = interpreter.get(scope, object.any(), key)?;
            inspect(interpreter, scope, value, depth + 1)
        })?;
        parts.push(format!("{name}: {part}"));
    }
    braces(interpreter, &prefix, parts, ('{', '}'), depth)
}

fn braces(
    interpreter: &Interpreter,
    prefix: &str,
    parts: Vec<String>,
    (open, close): (char, char),
    depth: usize,
) -> Run<String> {
    if parts.is_empty() {
        return Ok(format!("{prefix}{open}{close}"));
    }
    // Node.js's count: the parts, two more for each, the opening brace with what stands before it, two for each
    // level.
    let parts_length: usize = parts.iter().map(|part| part.len() + 2).sum();
    let length = parts_length + prefix.len() + 1 + 2 * depth + LINE_START;
    if length > LINE_MAX || parts.iter().any(|part| part.contains('\n') || !part.is_ascii()) {
        return Err(too_large(interpreter));
    }
    Ok(format!("{prefix}{open} {} {close}", parts.join(", ")))
}
