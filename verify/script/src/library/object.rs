//! Objects: `Object` and its prototype.

use super::super::interpreter::{Call, Interpreter, NativeFn, Root, Run};
use super::result::boolean;
use heaplab::Scope;
use heaplab_objects::map::{self, Details, flag};
use heaplab_objects::property::{self, Key};
use heaplab_objects::{Js, dictionary, kind, kind_of, map_of, number, object_handle};

pub(super) fn set_up(interpreter: &mut Interpreter, scope: &mut Scope<'_, '_>) -> Run<()> {
    let prototype = interpreter.root_record(scope, Root::ObjectPrototype);
    interpreter.to_dictionary(scope, prototype)?;
    let constructor = interpreter.constructor_of(scope, "Object", 1, object, prototype)?;
    interpreter.method_of(scope, prototype, "hasOwnProperty", 1, has_own_property)?;
    interpreter.method_of(scope, prototype, "isPrototypeOf", 1, is_prototype_of)?;
    interpreter.method_of(scope, prototype, "toString", 0, to_string)?;
    interpreter.method_of(scope, prototype, "valueOf", 0, value_of)?;
    interpreter.absent(
        scope,
        prototype,
        &[
            "__proto__",
            "__defineGetter__",
            "__defineSetter__",
            "__lookupGetter__",
            "__lookupSetter__",
            "propertyIsEnumerable",
            "toLocaleString",
        ],
    )?;
    for (name, length, native) in [
        ("keys", 1, keys as NativeFn),
        ("values", 1, values),
        ("entries", 1, entries),
        ("assign", 2, assign),
        ("create", 2, create),
        ("getPrototypeOf", 1, get_prototype_of),
        ("setPrototypeOf", 2, set_prototype_of),
        ("freeze", 1, freeze),
        ("isFrozen", 1, is_frozen),
        ("defineProperty", 3, define_property),
        ("getOwnPropertyNames", 1, own_names),
        ("is", 2, is),
        ("hasOwn", 2, has_own),
    ] {
        interpreter.method_of(scope, constructor, name, length, native)?;
    }
    interpreter.absent(
        scope,
        constructor,
        &[
            "defineProperties",
            "fromEntries",
            "getOwnPropertyDescriptor",
            "getOwnPropertyDescriptors",
            "getOwnPropertySymbols",
            "groupBy",
            "isExtensible",
            "isSealed",
            "preventExtensions",
            "seal",
        ],
    )
}

fn object<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    if let Some(target) = call.new_target
        && scope.get(target) != scope.get(call.callee)
    {
        let map = interpreter.initial_map(scope, target, kind::OBJECT, 4)?;
        return Ok(map::new_object(scope, map)?.any());
    }
    let value = call.argument(scope, 0);
    if interpreter.is_nullish(scope, scope.get(value)) {
        return Ok(interpreter.new_object(scope)?.any());
    }
    Ok(interpreter.expect_object(scope, value)?.any())
}

fn has_own_property<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let key = call.argument(scope, 0);
    let key = interpreter.to_key(scope, key)?;
    own(interpreter, scope, call.this, key)
}

fn has_own<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let (value, key) = (call.argument(scope, 0), call.argument(scope, 1));
    if interpreter.is_nullish(scope, scope.get(value)) {
        return Err(interpreter.type_error(scope, "Cannot convert undefined or null to object"));
    }
    let key = interpreter.to_key(scope, key)?;
    own(interpreter, scope, value, key)
}

fn own<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, value: Js<'s>, key: Key<'s>) -> Run<Js<'s>> {
    let object = interpreter.expect_object(scope, value)?;
    let is_own = interpreter.find_own(scope, scope.get(object), key).is_some();
    boolean(scope, is_own)
}

fn is_prototype_of<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let Some(mut next) = object_handle(scope, call.argument(scope, 0)) else { return boolean(scope, false) };
    loop {
        let prototype = interpreter.prototype_of(scope, next);
        if scope.get(prototype) == scope.get(call.this) {
            return boolean(scope, true);
        }
        match object_handle(scope, prototype) {
            Some(prototype) => next = prototype,
            None => return boolean(scope, false),
        }
    }
}

fn to_string<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let value = scope.get(call.this);
    let text = match kind_of(scope, value) {
        None | Some(kind::NUMBER) => "[object Number]",
        Some(kind::ONE_BYTE | kind::TWO_BYTE | kind::CONS) => "[object String]",
        Some(kind::ARRAY) => "[object Array]",
        Some(kind::FUNCTION) => "[object Function]",
        Some(kind::ERROR) => "[object Error]",
        _ if value == scope.undefined() => "[object Undefined]",
        _ if value == scope.null() => "[object Null]",
        _ if value == scope.boolean(true) || value == scope.boolean(false) => "[object Boolean]",
        _ => "[object Object]",
    };
    Ok(interpreter.name(scope, text)?.any())
}

fn value_of<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    Ok(interpreter.expect_object(scope, call.this)?.any())
}

/// The own properties of `value`, or the enumerable ones among them, each as `make` makes it, in an array.
fn list<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    value: Js<'s>,
    enumerable_only: bool,
    make: for<'i, 'o> fn(&mut Interpreter, &mut Scope<'i, 'o>, Js<'i>, Key<'i>) -> Run<Js<'i>>,
) -> Run<Js<'s>> {
    let object = interpreter.expect_object(scope, value)?;
    let keys = interpreter.own_keys(scope, scope.get(object), enumerable_only);
    let array = interpreter.new_array(scope, 0)?;
    for key in keys {
        scope.nested(|scope| {
            let own = interpreter.find_own(scope, scope.get(object), key);
            if own.is_none_or(|own| enumerable_only && !own.details.is_enumerable()) {
                return Ok(());
            }
            let made = make(interpreter, scope, value, key)?;
            interpreter.push(scope, array, made)
        })?;
    }
    Ok(array.any())
}

fn keys<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let value = call.argument(scope, 0);
    list(interpreter, scope, value, true, |interpreter, scope, _, key| interpreter.key_value(scope, key))
}

fn own_names<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let value = call.argument(scope, 0);
    if kind_of(scope, scope.get(value)) != Some(kind::OBJECT) {
        return Err(interpreter.unsupported("the names of something that is no plain object"));
    }
    list(interpreter, scope, value, false, |interpreter, scope, _, key| interpreter.key_value(scope, key))
}

fn values<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let value = call.argument(scope, 0);
    list(interpreter, scope, value, true, |interpreter, scope, value, key| interpreter.get(scope, value, key))
}

fn entries<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let value = call.argument(scope, 0);
    list(interpreter, scope, value, true, |interpreter, scope, value, key| {
        let name = interpreter.key_value(scope, key)?;
        let value = interpreter.get(scope, value, key)?;
        Ok(interpreter.array_of(scope, &[name, value])?.any())
    })
}

fn assign<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let target = call.argument(scope, 0);
    let object = interpreter.expect_object(scope, target)?;
    for &source in call.arguments.iter().skip(1) {
        let Some(from) = object_handle(scope, source) else {
            if interpreter.is_nullish(scope, scope.get(source)) {
                continue;
            }
            return Err(interpreter.unsupported("a primitive as an object"));
        };
        for key in interpreter.own_keys(scope, scope.get(from), true) {
            scope.nested(|scope| {
                let own = interpreter.find_own(scope, scope.get(from), key);
                if own.is_none_or(|own| !own.details.is_enumerable()) {
                    return Ok(());
                }
                let value = interpreter.get(scope, source, key)?;
                interpreter.set(scope, object.any(), key, value)
            })?;
        }
    }
    Ok(target)
}

fn create<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let prototype = call.argument(scope, 0);
    if !interpreter.is_object(scope, prototype) && scope.get(prototype) != scope.null() {
        let text = interpreter.display(scope, prototype);
        return Err(interpreter.type_error(scope, format!("Object prototype may only be an Object or null: {text}")));
    }
    if scope.get(call.argument(scope, 1)) != scope.undefined() {
        return Err(interpreter.unsupported("Object.create with properties"));
    }
    let map = interpreter.map(scope, Root::ObjectMap)?;
    let map = map::with_prototype(scope, map, prototype)?;
    Ok(map::new_object(scope, map)?.any())
}

fn get_prototype_of<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let value = call.argument(scope, 0);
    let object = interpreter.expect_object(scope, value)?;
    Ok(interpreter.prototype_of(scope, object))
}

fn set_prototype_of<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let (value, prototype) = (call.argument(scope, 0), call.argument(scope, 1));
    let object = interpreter.expect_object(scope, value)?;
    if !interpreter.is_object(scope, prototype) && scope.get(prototype) != scope.null() {
        let text = interpreter.display(scope, prototype);
        return Err(interpreter.type_error(scope, format!("Object prototype may only be an Object or null: {text}")));
    }
    if map::info(scope, map_of(scope, scope.get(object))).has(flag::SEALED) {
        return Err(interpreter.type_error(scope, "#<Object> is not extensible"));
    }
    let mut next = object_handle(scope, prototype);
    while let Some(holder) = next {
        if scope.get(holder) == scope.get(object) {
            return Err(interpreter.type_error(scope, "Cyclic __proto__ value"));
        }
        let prototype = interpreter.prototype_of(scope, holder);
        next = object_handle(scope, prototype);
    }
    let map = scope.handle(map_of(scope, scope.get(object)));
    let map = map::with_prototype(scope, map, prototype)?;
    map::set(scope, scope.get(object), scope.get(map));
    Ok(value)
}

fn freeze<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let value = call.argument(scope, 0);
    let Some(object) = object_handle(scope, value) else { return Ok(value) };
    if kind_of(scope, scope.get(object).into()) == Some(kind::FUNCTION) {
        return Err(interpreter.unsupported("freezing a function"));
    }
    // An array's length is an accessor in its map, whose setter refuses a frozen array.
    let is_array = interpreter.is_array(scope, scope.get(value));
    if !is_array {
        interpreter.to_dictionary(scope, object)?;
        let dictionary = property::dictionary_of(scope, scope.get(object));
        for entry in 0..dictionary::used(scope, dictionary) {
            let old = dictionary::details(scope, dictionary, entry);
            let new = Details::new(old.is_accessor(), false, old.is_enumerable(), false);
            dictionary::set_details(scope, dictionary, entry, new);
        }
    } else if map::info(scope, map_of(scope, scope.get(object))).own() > 1 {
        return Err(interpreter.unsupported("freezing an array with named properties"));
    }
    let map = scope.handle(map_of(scope, scope.get(object)));
    let map = map::with_flags(scope, map, flag::SEALED | flag::FROZEN)?;
    map::set(scope, scope.get(object), scope.get(map));
    Ok(value)
}

fn is_frozen<'s>(_: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let frozen = match object_handle(scope, call.argument(scope, 0)) {
        Some(object) => map::info(scope, map_of(scope, scope.get(object))).has(flag::FROZEN),
        None => true,
    };
    boolean(scope, frozen)
}

fn define_property<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let (target, key, descriptor) = (call.argument(scope, 0), call.argument(scope, 1), call.argument(scope, 2));
    let Some(object) = object_handle(scope, target) else {
        return Err(interpreter.type_error(scope, "Object.defineProperty called on non-object"));
    };
    let key = interpreter.to_key(scope, key)?;
    if !interpreter.is_object(scope, descriptor) {
        let text = interpreter.display(scope, descriptor);
        return Err(interpreter.type_error(scope, format!("Property description must be an object: {text}")));
    }
    if interpreter.find_own(scope, scope.get(object), key).is_some()
        || map::info(scope, map_of(scope, scope.get(object))).has(flag::SEALED)
    {
        return Err(interpreter.unsupported("Object.defineProperty of a property that is there, or of a frozen object"));
    }
    let mut bits = [false; 3];
    for (bit, name) in bits.iter_mut().zip(["enumerable", "configurable", "writable"]) {
        let value = interpreter.get_named(scope, descriptor, name)?;
        *bit = interpreter.to_boolean(scope, scope.get(value));
    }
    let [enumerable, configurable, writable] = bits;
    let getter = interpreter.get_named(scope, descriptor, "get")?;
    let setter = interpreter.get_named(scope, descriptor, "set")?;
    let is_absent = |scope: &Scope<'s, '_>, value: Js<'s>| scope.get(value) == scope.undefined();
    if is_absent(scope, getter) && is_absent(scope, setter) {
        let value = interpreter.get_named(scope, descriptor, "value")?;
        let details = Details::new(false, writable, enumerable, configurable);
        interpreter.define(scope, object, key, details, value)?;
        return Ok(target);
    }
    for (function, what) in [(getter, "Getter"), (setter, "Setter")] {
        if !is_absent(scope, function) && !interpreter.is_callable(scope, scope.get(function)) {
            let text = interpreter.display(scope, function);
            return Err(interpreter.type_error(scope, format!("{what} must be a function: {text}")));
        }
    }
    let details = Details::new(true, false, enumerable, configurable);
    interpreter.define_accessor(scope, object, key, details, getter, setter)?;
    Ok(target)
}

fn is<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let (left, right) = (call.argument(scope, 0), call.argument(scope, 1));
    let (left, right) = (scope.get(left), scope.get(right));
    let same = match (number::value(scope, left), number::value(scope, right)) {
        (Some(one), Some(other)) => one.to_bits() == other.to_bits() || (one.is_nan() && other.is_nan()),
        _ => interpreter.strict_equal(scope, left, right),
    };
    boolean(scope, same)
}
