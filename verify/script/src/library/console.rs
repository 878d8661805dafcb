//! `console.log`: prints strings as they are and other values as Node.js shows them, where that is one short line.
//! Values that Node.js breaks into lines or columns are refused, rather than printed otherwise.

use super::super::interpreter::{Call, Interpreter, Root, Run, Stopped, Unwind};
use super::result::undefined;
use heaplab::{Record, Ref, Scope};
use heaplab_objects::property::{self, Key, Property};
use heaplab_objects::{Js, Obj, elements, function, kind, kind_of, number, object_handle, string};
use std::io::Write as _;

/// The longest line, by Node.js's own count, in which Node.js shows an object; a longer one is broken.
const LINE_MAX: usize = 80;
/// What Node.js's count begins with.
const LINE_START: usize = 10;
/// The longest array that Node.js does not show in columns.
const ARRAY_MAX: usize = 6;
/// The most objects around an object that Node.js shows in full. Deeper ones are shown as their class, unless they are
/// empty.
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
            line.push_str(&inspect(interpreter, scope, value, None)?);
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

/// The objects around a value that is shown: the nearest, and those around that one.
struct Around<'a, 's> {
    object: Obj<'s>,
    /// How many objects there are, with the nearest.
    depth: usize,
    outer: Option<&'a Around<'a, 's>>,
}

impl<'a, 's> Around<'a, 's> {
    fn new(object: Obj<'s>, outer: Option<&'a Around<'a, 's>>) -> Self {
        Around { object, depth: depth(outer) + 1, outer }
    }
}

/// How many objects are around a value.
fn depth(around: Option<&Around<'_, '_>>) -> usize {
    around.map_or(0, |around| around.depth)
}

/// A value as Node.js shows it.
fn inspect<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    value: Js<'s>,
    around: Option<&Around<'_, 's>>,
) -> Run<String> {
    let at = scope.get(value);
    if let Some(text) = string::cast(scope, at) {
        return quote(interpreter, &string::to_text(scope, text));
    }
    if let Some(number) = number::value(scope, at) {
        let negative_zero = number == 0.0 && number.is_sign_negative();
        return Ok(if negative_zero { "-0".to_owned() } else { number::to_text(number) });
    }
    let Some(object) = object_handle(scope, value) else { return Ok(interpreter.primitive_text(scope, at)) };
    let at = scope.get(object);
    if core::iter::successors(around, |around| around.outer).any(|around| scope.get(around.object) == at) {
        return Err(interpreter.unsupported("console.log of an object that contains itself"));
    }
    match kind_of(scope, at.into()) {
        Some(kind::FUNCTION) => inspect_function(interpreter, scope, object),
        Some(kind::ARRAY) => inspect_array(interpreter, scope, object, around),
        _ if is_error(interpreter, scope, object) => {
            Err(interpreter.unsupported("console.log of an error (print its message)"))
        }
        _ => inspect_object(interpreter, scope, object, around),
    }
}

/// Whether Node.js shows the object as an error: it is one, or inherits from one.
fn is_error<'s>(interpreter: &Interpreter, scope: &Scope<'s, '_>, object: Obj<'s>) -> bool {
    let at = scope.get(object);
    kind_of(scope, at.into()) == Some(kind::ERROR)
        || interpreter.inherits(scope, at, interpreter.root(scope, Root::ErrorPrototype))
}

/// A string in the first kind of quotes that needs no escaping.
fn quote(interpreter: &Interpreter, text: &str) -> Run<String> {
    if text.chars().any(|c| c.is_control() || c == '\\' || c == '\u{fffd}') {
        return Err(interpreter.unsupported("console.log of an object with a string that needs escapes"));
    }
    // Between backticks `${` would begin a substitution.
    let fits = |&quote: &char| !text.contains(quote) && (quote != '`' || !text.contains("${"));
    let quote = ['\'', '"', '`'].into_iter().find(fits);
    match quote {
        Some(quote) => Ok(format!("{quote}{text}{quote}")),
        None => Err(interpreter.unsupported("console.log of an object with a string that needs escapes")),
    }
}

fn inspect_function<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, object: Obj<'s>) -> Run<String> {
    if !interpreter.own_keys(scope, scope.get(object), true).is_empty() {
        return Err(interpreter.unsupported("console.log of a function with properties"));
    }
    let at = scope.get(object);
    if at == interpreter.root(scope, Root::FunctionPrototype) {
        return Ok("[Function (anonymous)] Object".to_owned());
    }
    let name = unchanged_name(interpreter, scope, at)?;
    if function::flags(scope, at) & function::flag::CLASS == 0 {
        return Ok(if name.is_empty() { "[Function (anonymous)]".to_owned() } else { format!("[Function: {name}]") });
    }
    let name = if name.is_empty() { "(anonymous)".to_owned() } else { name };
    let parent = interpreter.prototype_of(scope, object);
    match function::cast(scope, scope.get(parent)) {
        Some(parent) if function::flags(scope, scope.get(object)) & function::flag::DERIVED != 0 => {
            let parent = unchanged_name(interpreter, scope, parent)?;
            if parent.is_empty() {
                return Err(interpreter.unsupported("console.log of a class that extends one without a name"));
            }
            Ok(format!("[class {name} extends {parent}]"))
        }
        _ => Ok(format!("[class {name}]")),
    }
}

/// The name that a function was made with, which must be the one that it has: its own native accessor gives it.
fn unchanged_name<'s>(interpreter: &Interpreter, scope: &Scope<'s, '_>, function: Ref<'_, Record>) -> Run<String> {
    let key = Key::Name(interpreter.root_record(scope, Root::Name));
    match interpreter.find_own(scope, function, key) {
        Some(own) if is_native(scope, function, own) => Ok(interpreter.name_of_function(scope, function)),
        _ => Err(interpreter.unsupported("console.log of a function whose name was changed")),
    }
}

/// Whether an own property is an accessor of the library or of the host.
fn is_native(scope: &Scope<'_, '_>, object: Ref<'_, Record>, own: Property) -> bool {
    own.details.is_accessor() && kind_of(scope, property::value(scope, object, own.place)) == Some(kind::ACCESSOR_INFO)
}

/// The name of the object's class: of the nearest constructor whose instance the object is. Nothing if that is
/// `plain`.
fn class_of<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, object: Obj<'s>, plain: &str) -> Run<String> {
    let [key, prototype] = [Root::Constructor, Root::Prototype].map(|root| interpreter.root_record(scope, root));
    let mut holder = object;
    loop {
        let at = scope.get(holder);
        if let Some(own) = interpreter.find_own(scope, at, Key::Name(key))
            && !own.details.is_accessor()
            && let Some(constructor) = function::cast(scope, property::value(scope, at, own.place))
        {
            let name = unchanged_name(interpreter, scope, constructor)?;
            let constructor = scope.handle(constructor);
            let instances = interpreter.get(scope, constructor.any(), Key::Name(prototype))?;
            if !name.is_empty() && interpreter.inherits(scope, scope.get(object), scope.get(instances)) {
                return Ok(if name == plain { String::new() } else { name });
            }
        }
        let parent = interpreter.prototype_of(scope, holder);
        let Some(parent) = object_handle(scope, parent) else {
            return Err(interpreter.unsupported("console.log of an object of no named class"));
        };
        holder = parent;
    }
}

fn inspect_array<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    array: Obj<'s>,
    around: Option<&Around<'_, 's>>,
) -> Run<String> {
    if !interpreter.inherits(scope, scope.get(array), interpreter.root(scope, Root::ArrayPrototype)) {
        return Err(interpreter.unsupported("console.log of an array without an array's methods"));
    }
    let count = elements::array_length(scope, scope.get(array));
    let class = class_of(interpreter, scope, array, "Array")?;
    let prefix = if class.is_empty() { String::new() } else { format!("{class}({count}) ") };
    let is_named = |key: &Key<'_>| matches!(key, Key::Name(_));
    let has_names = interpreter.own_keys(scope, scope.get(array), true).iter().any(is_named);
    // An empty array is shown in full, however deep it is.
    if count == 0 && !has_names {
        return braces(interpreter, &prefix, Vec::new(), ('[', ']'), depth(around));
    }
    if depth(around) > DEPTH_MAX {
        return Ok(if class.is_empty() { "[Array]".to_owned() } else { format!("[{class}]") });
    }
    if count > ARRAY_MAX || has_names {
        return Err(too_large(interpreter));
    }
    let inner = Around::new(array, around);
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
            inspect(interpreter, scope, value, Some(&inner))
        })?);
    }
    braces(interpreter, &prefix, parts, ('[', ']'), depth(around))
}

/// Whether the object is one that the library made: it has a native accessor, as stands in place of what the library
/// has not got. Node.js shows such an object by its tag.
fn is_of_library<'s>(interpreter: &Interpreter, scope: &Scope<'s, '_>, object: Obj<'s>) -> bool {
    let at = scope.get(object);
    interpreter
        .own_keys(scope, at, false)
        .into_iter()
        .any(|key| interpreter.find_own(scope, at, key).is_some_and(|own| is_native(scope, at, own)))
}

fn inspect_object<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    object: Obj<'s>,
    around: Option<&Around<'_, 's>>,
) -> Run<String> {
    if is_of_library(interpreter, scope, object) {
        return Err(interpreter.unsupported("console.log of an object of the library"));
    }
    let class = class_of(interpreter, scope, object, "Object")?;
    let prefix = if class.is_empty() { String::new() } else { format!("{class} ") };
    let keys = interpreter.own_keys(scope, scope.get(object), true);
    // An empty object is shown in full, however deep it is.
    if depth(around) > DEPTH_MAX && !keys.is_empty() {
        return Ok(if class.is_empty() { "[Object]".to_owned() } else { format!("[{class}]") });
    }
    let inner = Around::new(object, around);
    let mut parts = Vec::new();
    for key in keys {
        let name = match key {
            Key::Index(index) => format!("'{index}'"),
            Key::Name(_) => {
                let text = interpreter.key_text(scope, key);
                let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
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
            inspect(interpreter, scope, value, Some(&inner))
        })?;
        parts.push(format!("{name}: {part}"));
    }
    braces(interpreter, &prefix, parts, ('{', '}'), depth(around))
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
