//! `stress_js`: `alloc_after_failures` inside an accessor that a script calls.
//!
//! The steps are those of the mission's source, on the objects of [`heaplab_objects`]:
//!
//! | step | what | in the heap |
//! |---|---|---|
//! | 1 | a function of the library, `Foo`, strict and empty | shared info, function |
//! | 2 | `new Foo` once: forces the initial map, which has no descriptors | map, prototype |
//! | 3 | slack of one descriptor, then the accessor `get`, constant, without attributes | descriptors, accessor info |
//! | 4 | `Foo` on the global object | a property |
//! | 5 | `(new Foo).get` is parsed and run | the getter finds itself in the receiver's own map |
//!
//! The getter runs `alloc_after_failures`, and returns its result. The interpreter meanwhile holds the receiver, the
//! accessor and its frames as handles; every collection moves what it can.
//!
//! Then the mission's example runs: a class `Foo` with a getter, `const foo = new Foo()`, `console.log(foo.get)`,
//! where the class's own getter has been replaced by the native accessor. It must print `true`.
//!
//! * **SJ-1** The initial map has no descriptors after step 2 and one, an accessor, after step 3.
//! * **SJ-2** The getter runs once for each script, and each result is `true`, the heap's.
//! * **SJ-3** What the interpreter holds over the getter is whole afterwards. The object, the holder of the accessor
//!   and the global object have the same map, the same prototype and the same properties, each with the same details
//!   and the same value. `Foo` has the same initial map.

use crate::interpreter::{HostFn, Interpreter, Native, Root, Run, Unwind};
use crate::{Printed, code::Unit, lower};
use heaplab::{Attachment, Handle, Heap, Map, Scope};
use heaplab_common::claim_eq;
use heaplab_objects::function::{self, Code, Info, flag};
use heaplab_objects::map::{self, Details};
use heaplab_objects::property::{self, Key};
use heaplab_objects::{Js, Obj, accessor, kind, kind_of, map_of, object_handle};
use heaplab_scenarios::{Scenario, Tally, alloc_after_failures, attached};
use std::cell::RefCell;
use std::rc::Rc;

/// What the mission's source runs.
const SCRIPT: &str = "(new Foo).get";
/// The mission's example, in two parts; the getter is replaced after the first.
const EXAMPLE: [&str; 2] = [
    "\"use strict\"; globalThis.Foo = class Foo { get get() { return false; } };",
    "\"use strict\"; const foo = new Foo(); console.log(foo.get);",
];

/// What an object was at one moment. Its handles follow what a collection moves.
struct Picture<'s> {
    object: Obj<'s>,
    /// What messages call the object.
    what: &'static str,
    map: Handle<'s, Map>,
    prototype: Js<'s>,
    properties: Vec<Seen<'s>>,
}

/// What a property was at one moment.
struct Seen<'s> {
    key: String,
    details: Details,
    value: Js<'s>,
    /// The value as messages show it: a string or a number may be the same object with other content.
    text: String,
}

impl<'s> Picture<'s> {
    /// The picture of the object now.
    fn of(interpreter: &Interpreter, scope: &Scope<'s, '_>, object: Obj<'s>, what: &'static str) -> Picture<'s> {
        let at = scope.get(object);
        let properties = interpreter.own_keys(scope, at, false).into_iter().map(|key| {
            let own = interpreter.find_own(scope, at, key).expect("an own key");
            let value = scope.handle(property::value(scope, at, own.place));
            let (key, text) = (interpreter.key_text(scope, key), interpreter.display(scope, value));
            Seen { key, details: own.details, value, text }
        });
        Picture {
            object,
            what,
            map: scope.handle(map_of(scope, at)),
            prototype: interpreter.prototype_of(scope, object),
            properties: properties.collect(),
        }
    }

    /// Claims that the object is the same still: its map, its prototype, and each property with its details and its
    /// value, in this order.
    ///
    /// # Panics
    /// SJ-3 is broken.
    fn claim_whole(&self, interpreter: &Interpreter, scope: &Scope<'s, '_>) {
        let (now, what) = (Picture::of(interpreter, scope, self.object, self.what), self.what);
        claim_eq!(scope.get(now.map), scope.get(self.map), "SJ-3: the map of {what}");
        claim_eq!(scope.get(now.prototype), scope.get(self.prototype), "SJ-3: the prototype of {what}");
        let keys = |picture: &Picture<'s>| -> Vec<String> {
            picture.properties.iter().map(|property| property.key.clone()).collect()
        };
        claim_eq!(keys(&now), keys(self), "SJ-3: the list of the properties of {what}");
        for (property, before) in now.properties.iter().zip(&self.properties) {
            let key = &property.key;
            claim_eq!(property.details, before.details, "SJ-3: what the property {key} of {what} is like");
            let (value, value_before) = (scope.get(property.value), scope.get(before.value));
            claim_eq!(value, value_before, "SJ-3: the value of the property {key} of {what}");
            claim_eq!(property.text, before.text, "SJ-3: the content of the property {key} of {what}");
        }
    }
}

/// Registers a native getter that runs `getter` and claims that what the interpreter holds meanwhile is whole
/// afterwards (SJ-3). Returns its number.
fn watched(interpreter: &mut Interpreter, getter: Rc<HostFn>) -> usize {
    interpreter.native(Native::Host(Rc::new(move |interpreter, scope, call| {
        let receiver = object_handle(scope, call.this).expect("the receiver is an object");
        let holder = call.holder.expect("an accessor has a holder");
        let global = interpreter.root_record(scope, Root::Global);
        let held = [(receiver, "the object"), (holder, "the holder of the accessor"), (global, "the global object")];
        let pictures = held.map(|(object, what)| Picture::of(interpreter, scope, object, what));
        let result = getter(interpreter, scope, call)?;
        let again = interpreter.root_record(scope, Root::Global);
        claim_eq!(scope.get(again), scope.get(global), "SJ-3: the global object");
        pictures.iter().for_each(|picture| picture.claim_whole(interpreter, scope));
        Ok(result)
    })))
}

/// Steps 1 to 4, in an interpreter whose core is set up: builds the function, its initial map and the accessor, which
/// runs `getter`, and binds `Foo` on the global object. Returns the function.
///
/// # Errors
/// What the interpreter throws; no memory.
///
/// # Panics
/// SJ-1 is broken.
fn bind_foo<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, getter: Rc<HostFn>) -> Run<Obj<'s>> {
    let native = watched(interpreter, getter);
    let class = empty_function(interpreter, scope, "Foo")?;
    let map = interpreter.initial_map(scope, class, kind::OBJECT, 0)?;
    map::new_object(scope, map)?;
    claim_eq!(map::info(scope, scope.get(map)).own(), 0, "SJ-1: the number of descriptors of a fresh initial map");
    add_native_accessor(interpreter, scope, map, "get", native)?;
    claim_eq!(map::info(scope, scope.get(map)).own(), 1, "SJ-1: the number of descriptors with the accessor");
    interpreter.define_global(scope, "Foo", class.any())?;
    Ok(class)
}

/// Step 5: runs the unit of `(new Foo).get`. Returns whether the result is `true`.
///
/// # Errors
/// What the interpreter throws; no memory.
///
/// # Panics
/// SJ-3 is broken.
fn run_foo<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, class: Obj<'s>, unit: Unit) -> Run<bool> {
    let map = interpreter.initial_map(scope, class, kind::OBJECT, 0)?;
    let result = interpreter.run_unit(scope, unit)?;
    let again = interpreter.initial_map(scope, class, kind::OBJECT, 0)?;
    claim_eq!(scope.get(again), scope.get(map), "SJ-3: the initial map");
    let name = interpreter.name(scope, "get")?;
    let found = map::find(scope, scope.get(map), scope.get(name));
    assert!(found.is_some_and(|(_, details)| details.is_accessor()), "SJ-3: the accessor is still there");
    Ok(scope.get(result) == scope.boolean(true))
}

/// A strict function that does nothing, which may be called with `new`.
fn empty_function<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, name: &str) -> Run<Obj<'s>> {
    let empty = interpreter.native(Native::Function(|_, scope, _| Ok(scope.handle(scope.undefined()))));
    let shared_map = interpreter.map(scope, Root::SharedMap)?;
    let name = interpreter.name(scope, name)?;
    let info = Info { length: 0, code: Code::Native(empty), flags: flag::CONSTRUCTOR };
    let shared = function::new_shared(scope, shared_map, name, info, None)?;
    let map = interpreter.map(scope, Root::FunctionMap)?;
    Ok(function::new(scope, map, shared, None)?)
}

/// The accessor info of a native getter, with its name.
fn native_accessor<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    name: &str,
    native: usize,
) -> Run<(Obj<'s>, Obj<'s>)> {
    let name = interpreter.name(scope, name)?;
    let info_map = interpreter.map(scope, Root::AccessorInfoMap)?;
    Ok((name, accessor::new_info(scope, info_map, name, Some(native), None)?))
}

/// Appends a constant native accessor to a map's descriptors.
fn add_native_accessor<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    map: Handle<'s, Map>,
    name: &str,
    native: usize,
) -> Run<()> {
    scope.nested(|scope| {
        let (name, info) = native_accessor(interpreter, scope, name, native)?;
        let descriptors = interpreter.map(scope, Root::DescriptorsMap)?;
        map::ensure_slack(scope, descriptors, map, 1)?;
        let details = Details::new(true, false, true, true);
        map::append(scope, scope.get(map), scope.get(name), details, Some(scope.get(info).into()));
        Ok(())
    })
}

/// Puts a native accessor in the place of an object's own getter.
fn replace_getter<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    object: Obj<'s>,
    name: &str,
    native: usize,
) -> Run<()> {
    scope.nested(|scope| {
        let (name, info) = native_accessor(interpreter, scope, name, native)?;
        let at = scope.get(object);
        match property::find_named(scope, at, scope.get(name)).map(|own| own.place) {
            Some(property::Place::Descriptor(index)) => {
                map::set_value(scope, map_of(scope, at), index, scope.get(info).into());
                Ok(())
            }
            other => Err(interpreter.unsupported(format!("a getter at {other:?}"))),
        }
    })
}

/// Runs the mission's example, whose getter is made native. Returns what the example prints.
fn run_example(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'_, '_>,
    printed: &Printed,
    getter: Rc<HostFn>,
) -> Run<String> {
    let [declares, uses] = EXAMPLE.map(|source| lower(source, false).expect("the example is a script"));
    scope.nested(|scope| {
        let native = watched(interpreter, getter);
        let class = interpreter.run_unit(scope, declares)?;
        let Some(class) = object_handle(scope, class) else {
            return Err(interpreter.unsupported("a class that is none"));
        };
        let prototype = interpreter.prototype_property(scope, class)?;
        let prototype = object_handle(scope, prototype).expect("a class has a prototype");
        replace_getter(interpreter, scope, prototype, "get", native)?;
        // What has been printed so far is not the example's.
        drop(printed.take());
        interpreter.run_unit(scope, uses)?;
        let key = interpreter.name(scope, "get")?;
        let own = interpreter.find_own(scope, scope.get(prototype), Key::Name(key)).expect("the accessor");
        let info = property::value(scope, scope.get(prototype), own.place);
        claim_eq!(kind_of(scope, info), Some(kind::ACCESSOR_INFO), "SJ-3: the kind of what the accessor's slot holds");
        Ok(printed.take())
    })
}

/// The scenario: an accessor of a script allocates when everything is full.
pub const STRESS_JS: Scenario = Scenario {
    name: "stress_js",
    body: |heap, tally| {
        attached(heap, tally, |attachment, tally| {
            stress_js(heap, attachment, tally);
        });
    },
};

/// Runs both scripts of `stress_js`. Returns whether the tally has no violation. May collect.
pub fn stress_js(heap: &Heap, attachment: &mut Attachment, tally: &mut Tally) -> bool {
    // The getters share the tally, which is put back when they are gone.
    let shared = Rc::new(RefCell::new(core::mem::take(tally)));
    let calls = Rc::new(RefCell::new(0_u32));
    let getter: Rc<HostFn> = Rc::new({
        let (shared, calls) = (Rc::clone(&shared), Rc::clone(&calls));
        move |_, scope, _| {
            *calls.borrow_mut() += 1;
            let mut tally = shared.borrow_mut();
            // Each script enters the always-allocate scope for itself, so its entries are counted from 0.
            tally.entries = 0;
            Ok(alloc_after_failures(scope, &mut tally))
        }
    });
    let ran = run_scripts(heap, attachment, getter);
    *tally = Rc::try_unwrap(shared).expect("the getters are gone").into_inner();
    match ran {
        Err(text) => tally.violation(text),
        Ok((is_true, example)) => {
            if !is_true {
                tally.violation(format!("SJ-2: {SCRIPT} is not true"));
            }
            if example != "true\n" {
                tally.violation(format!("SJ-2: the example prints {example:?}"));
            }
            let calls = *calls.borrow();
            if calls != 2 {
                tally.violation(format!("SJ-2: the getter ran {calls} times"));
            }
        }
    }
    tally.violations.is_empty()
}

/// Runs both scripts with an accessor that runs `getter`. Returns whether the first script's result is `true`, and
/// what the second one prints.
///
/// # Errors
/// What is wrong, as text: the heap is poisoned, or a script failed.
///
/// # Panics
/// SJ-1 or SJ-3 is broken.
fn run_scripts(heap: &Heap, attachment: &mut Attachment, getter: Rc<HostFn>) -> Result<(bool, String), String> {
    let printed = Printed::default();
    let mut interpreter = Interpreter::new(heap, Box::new(printed.clone()));
    let ran = attachment.run(|scope| {
        let unit = lower(SCRIPT, false).expect("the mission's script is one");
        let scripts = interpreter.set_up(scope).and_then(|()| {
            let class = bind_foo(&mut interpreter, scope, Rc::clone(&getter))?;
            let is_true = run_foo(&mut interpreter, scope, class, unit)?;
            let example = run_example(&mut interpreter, scope, &printed, getter)?;
            Ok::<_, Unwind>((is_true, example))
        });
        scripts.map_err(|unwind| format!("the script failed: {}", interpreter.failure(scope, unwind)))
    });
    ran.unwrap_or_else(|error| Err(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use heaplab::HeapConfig;
    use heaplab_objects::map::PROTOTYPE;
    use heaplab_objects::record;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// What both scripts give with this getter, and otherwise the message of the claim that fails.
    fn run_with(getter: Rc<HostFn>) -> Result<(bool, String), String> {
        let heap = Heap::new(HeapConfig::sized(4 << 20, 2)).expect("a heap of a usual size");
        let mut attachment = heap.attach().expect("a place");
        let ran = catch_unwind(AssertUnwindSafe(|| run_scripts(&heap, &mut attachment, getter)));
        ran.unwrap_or_else(|panic| Err(*panic.downcast::<String>().expect("a claim's message")))
    }

    /// A getter that does harm to an object that the interpreter holds.
    type Harm = for<'s, 'o> fn(&mut Interpreter, &mut Scope<'s, 'o>, receiver: Obj<'s>) -> Run<()>;

    #[test]
    fn a_getter_that_harms_nothing_passes() {
        let getter: Rc<HostFn> = Rc::new(|_, scope, _| Ok(scope.handle(scope.boolean(true))));
        assert_eq!(run_with(getter), Ok((true, "true\n".to_owned())));
    }

    /// SJ-3 of each part: the object, its map, the global object.
    #[test]
    fn a_getter_that_harms_what_the_interpreter_holds_is_noticed() {
        let harms: [(&str, Harm, &str); 9] = [
            (
                "gives the object a property",
                |interpreter, scope, receiver| {
                    let (name, value) = (interpreter.name(scope, "x")?, scope.handle(scope.null()));
                    interpreter.define(scope, receiver, Key::Name(name), Details::PLAIN, value)
                },
                "SJ-3: the map of the object is",
            ),
            (
                "gives the object an element",
                |interpreter, scope, receiver| {
                    let value = scope.handle(scope.null());
                    interpreter.define(scope, receiver, Key::Index(0), Details::PLAIN, value)
                },
                "SJ-3: the list of the properties of the object is",
            ),
            (
                "takes the prototype out of the object's map",
                |_, scope, receiver| {
                    scope.store_map_slot(map_of(scope, scope.get(receiver)), PROTOTYPE, scope.null());
                    Ok(())
                },
                "SJ-3: the prototype of the object is",
            ),
            (
                "adds a descriptor to the object's map",
                |interpreter, scope, receiver| {
                    let map = scope.handle(map_of(scope, scope.get(receiver)));
                    add_native_accessor(interpreter, scope, map, "more", 0)
                },
                "SJ-3: the list of the properties of the object is",
            ),
            (
                "puts another accessor into the object's map",
                |interpreter, scope, receiver| replace_getter(interpreter, scope, receiver, "get", 0),
                "SJ-3: the value of the property get of the object is",
            ),
            (
                "binds Foo to another value",
                |interpreter, scope, _| {
                    let value = scope.handle(scope.null());
                    interpreter.define_global(scope, "Foo", value)
                },
                "SJ-3: the value of the property Foo of the global object is",
            ),
            (
                "writes into the number that Infinity is",
                |interpreter, scope, _| {
                    let global = interpreter.root_record(scope, Root::Global);
                    let infinity = interpreter.get_named(scope, global.any(), "Infinity")?;
                    let number = record(scope, scope.get(infinity)).expect("no small integer");
                    scope.store_raw(number, 1, 0);
                    Ok(())
                },
                "SJ-3: the content of the property Infinity of the global object is",
            ),
            (
                "deletes Foo",
                |interpreter, scope, _| {
                    let global = interpreter.root_record(scope, Root::Global);
                    let name = interpreter.name(scope, "Foo")?;
                    interpreter.delete(scope, global, Key::Name(name))
                },
                "SJ-3: the list of the properties of the global object is",
            ),
            (
                "puts another global object in the root",
                |interpreter, scope, receiver| {
                    interpreter.set_root(scope, Root::Global, scope.get(receiver).into());
                    Ok(())
                },
                "SJ-3: the global object is",
            ),
        ];
        for (what, harm, message) in harms {
            let getter: Rc<HostFn> = Rc::new(move |interpreter, scope, call| {
                let receiver = object_handle(scope, call.this).expect("the receiver is an object");
                harm(interpreter, scope, receiver)?;
                Ok(scope.handle(scope.boolean(true)))
            });
            let ran = run_with(getter);
            assert!(ran.as_ref().is_err_and(|text| text.starts_with(message)), "a getter that {what}: {ran:?}");
        }
    }
}
