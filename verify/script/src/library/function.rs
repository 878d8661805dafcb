//! Functions: their properties, `call` and `apply`; errors and their constructors.

use super::super::interpreter::{Call, ErrorKind, Interpreter, Native, NativeFn, Root, Run};
use super::result::undefined;
use heaplab::Scope;
use heaplab_objects::map::{self, Details};
use heaplab_objects::property::Key;
use heaplab_objects::{ERROR_FIELDS, Js, Obj, function, kind};

pub(super) fn set_up(interpreter: &mut Interpreter, scope: &mut Scope<'_, '_>) -> Run<()> {
    let prototype = function_prototype(interpreter, scope)?;
    for (root, with_prototype) in [(Root::FunctionMap, true), (Root::MethodMap, false), (Root::ClassMap, true)] {
        let map = map::new(scope, kind::FUNCTION, 0, prototype.any(), map::flag::CALLABLE)?;
        interpreter.set_root(scope, root, scope.get(map).into());
        let hidden = Details::new(true, false, false, true);
        interpreter.descriptor(scope, map, "length", (length, None), hidden)?;
        interpreter.descriptor(scope, map, "name", (name, None), hidden)?;
        if with_prototype {
            let setter = if root == Root::ClassMap { None } else { Some(set_prototype as _) };
            let details = Details::new(true, false, false, false);
            interpreter.descriptor(scope, map, "prototype", (get_prototype, setter), details)?;
        }
    }
    interpreter.method_of(scope, prototype, "call", 1, call)?;
    interpreter.method_of(scope, prototype, "apply", 2, apply)?;
    interpreter.absent(scope, prototype, &["bind", "toString", "caller", "arguments"])?;
    errors(interpreter, scope)
}

/// Makes the prototype of functions: a function that does nothing, whose prototype is that of objects.
fn function_prototype<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>) -> Run<Obj<'s>> {
    let objects = interpreter.root_handle(scope, Root::ObjectPrototype);
    let map = map::new(scope, kind::FUNCTION, 0, objects, map::flag::CALLABLE)?;
    let hidden = Details::new(true, false, false, true);
    interpreter.descriptor(scope, map, "length", (length, None), hidden)?;
    interpreter.descriptor(scope, map, "name", (name, None), hidden)?;
    // The function needs a map of methods before there is one; `set_up` replaces this one.
    interpreter.set_root(scope, Root::MethodMap, scope.get(map).into());
    let nothing = Native::Function(|_, scope, _| undefined(scope));
    let prototype = interpreter.native_function(scope, "", 0, nothing, 0)?;
    interpreter.to_dictionary(scope, prototype)?;
    interpreter.set_root(scope, Root::FunctionPrototype, scope.get(prototype).into());
    Ok(prototype)
}

fn length<'s>(_: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let holder = call.holder.expect("an accessor has a holder");
    let shared = function::shared(scope, scope.get(holder));
    Ok(scope.handle(scope.load_field(shared, function::LENGTH)))
}

fn name<'s>(_: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let holder = call.holder.expect("an accessor has a holder");
    let shared = function::shared(scope, scope.get(holder));
    Ok(scope.handle(scope.load_field(shared, function::NAME)))
}

fn get_prototype<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let holder = call.holder.expect("an accessor has a holder");
    interpreter.prototype_property(scope, holder)
}

fn set_prototype<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let holder = call.holder.expect("an accessor has a holder");
    let value = call.argument(scope, 0);
    if !interpreter.is_object(scope, value) {
        return Err(interpreter.unsupported("a prototype that is no object"));
    }
    scope.store_field(scope.get(holder), function::PROTOTYPE_OR_MAP, scope.get(value));
    undefined(scope)
}

fn call<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let this = call.argument(scope, 0);
    interpreter.call(scope, call.this, this, call.arguments.get(1..).unwrap_or(&[]))
}

fn apply<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let (this, list) = (call.argument(scope, 0), call.argument(scope, 1));
    if interpreter.is_nullish(scope, scope.get(list)) {
        return interpreter.call(scope, call.this, this, &[]);
    }
    if !interpreter.is_array(scope, scope.get(list)) {
        return Err(interpreter.unsupported("apply with something that is no array"));
    }
    let array = interpreter.expect_object(scope, list)?;
    let arguments = interpreter.handles_of(scope, array);
    interpreter.call(scope, call.this, this, &arguments)
}

fn errors(interpreter: &mut Interpreter, scope: &mut Scope<'_, '_>) -> Run<()> {
    for kind_of_error in ErrorKind::ALL {
        let prototype = interpreter.new_object(scope)?;
        if kind_of_error != ErrorKind::Error {
            let parent = interpreter.root_handle(scope, Root::ErrorPrototype);
            let map = interpreter.map(scope, Root::ObjectMap)?;
            let map = map::with_prototype(scope, map, parent)?;
            map::set(scope, scope.get(prototype), scope.get(map));
        }
        interpreter.to_dictionary(scope, prototype)?;
        interpreter.set_root(scope, kind_of_error.prototype(), scope.get(prototype).into());
        let map = map::new(scope, kind::ERROR, ERROR_FIELDS, prototype.any(), 0)?;
        interpreter.set_root(scope, kind_of_error.map(), scope.get(map).into());
        let native: NativeFn = match kind_of_error {
            ErrorKind::Error => |interpreter, scope, call| error(interpreter, scope, call, ErrorKind::Error),
            ErrorKind::Type => |interpreter, scope, call| error(interpreter, scope, call, ErrorKind::Type),
            ErrorKind::Range => |interpreter, scope, call| error(interpreter, scope, call, ErrorKind::Range),
            ErrorKind::Reference => |interpreter, scope, call| error(interpreter, scope, call, ErrorKind::Reference),
            ErrorKind::Syntax => |interpreter, scope, call| error(interpreter, scope, call, ErrorKind::Syntax),
        };
        let constructor = interpreter.constructor_of(scope, kind_of_error.name(), 1, native, prototype)?;
        if kind_of_error != ErrorKind::Error {
            let global = interpreter.root_handle(scope, Root::Global);
            let parent = interpreter.get_named(scope, global, "Error")?;
            let map = scope.handle(heaplab_objects::map_of(scope, scope.get(constructor)));
            let map = map::with_prototype(scope, map, parent)?;
            map::set(scope, scope.get(constructor), scope.get(map));
        } else {
            interpreter.absent(scope, constructor, &["captureStackTrace", "stackTraceLimit"])?;
        }
        let name = interpreter.string(scope, kind_of_error.name())?;
        let empty = interpreter.root_handle(scope, Root::EmptyString);
        for (key, value) in [(Root::Name, name.any()), (Root::Message, empty)] {
            let key = interpreter.root_record(scope, key);
            interpreter.define(scope, prototype, Key::Name(key), Details::METHOD, value)?;
        }
    }
    let prototype = interpreter.root_record(scope, Root::ErrorPrototype);
    interpreter.method_of(scope, prototype, "toString", 0, to_string)?;
    interpreter.absent(scope, prototype, &["stack"])?;
    let full = interpreter.new_error(scope, ErrorKind::Range, "Out of memory")?;
    interpreter.set_root(scope, Root::OutOfMemory, scope.get(full).into());
    Ok(())
}

/// An error's constructor, with `new` or without.
fn error<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    call: &Call<'s, '_>,
    kind_of_error: ErrorKind,
) -> Run<Js<'s>> {
    let target = call.new_target.unwrap_or(call.callee);
    let map = if target_is_native(scope, target) {
        interpreter.map(scope, kind_of_error.map())?
    } else {
        interpreter.initial_map(scope, target, kind::ERROR, ERROR_FIELDS)?
    };
    let error = map::new_object(scope, map)?;
    let message = call.argument(scope, 0);
    if scope.get(message) != scope.undefined() {
        let message = interpreter.to_string(scope, message)?;
        let key = interpreter.root_record(scope, Root::Message);
        interpreter.define(scope, error, Key::Name(key), Details::METHOD, message.any())?;
    }
    let options = call.argument(scope, 1);
    if interpreter.is_object(scope, options) {
        return Err(interpreter.unsupported("the options of an error"));
    }
    Ok(error.any())
}

/// Whether `target` is a native constructor.
fn target_is_native<'s>(scope: &Scope<'s, '_>, target: Obj<'s>) -> bool {
    matches!(function::code(scope, scope.get(target)), function::Code::Native(_))
}

fn to_string<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    if !interpreter.is_object(scope, call.this) {
        return Err(interpreter.type_error(scope, "Error.prototype.toString requires that 'this' be a JSReceiver"));
    }
    let mut parts = Vec::new();
    for (root, default) in [(Root::Name, "Error"), (Root::Message, "")] {
        let key = interpreter.root_record(scope, root);
        let value = interpreter.get(scope, call.this, Key::Name(key))?;
        parts.push(if scope.get(value) == scope.undefined() {
            default.encode_utf16().collect()
        } else {
            interpreter.to_units(scope, value)?
        });
    }
    let [name, message] = &parts[..] else { unreachable!("two parts") };
    let text = match (name.is_empty(), message.is_empty()) {
        (true, _) => message.clone(),
        (false, true) => name.clone(),
        (false, false) => [name.as_slice(), &[u16::from(b':'), u16::from(b' ')], message].concat(),
    };
    Ok(interpreter.string_of_units(scope, &text)?.any())
}
