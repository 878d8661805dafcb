//! The second test of the mission, in small: a script's accessor allocates when everything is full, while another
//! thread allocates.
//!
//! Goal: `(new Foo).get` is true; inside the getter's always-allocate scope the first attempt succeeds, although the
//! space was made full and a rival takes what it can get; and what the interpreter holds meanwhile - receiver,
//! accessor, frame - is whole afterwards. Method: the interpreter of `verify/src/script` with its core alone, on the
//! shipping heap. It sets up before the rival begins, so the race is the script's run.

use super::always_allocate::{Step, assert_whole, rival, young};
use super::worlds;
use heaplab::sync::thread;
use heaplab::{Handle, Heap, Reserve, Scope, SpaceKind, Value};
use heaplab_verify::model::Spec;
use heaplab_verify::models;
use heaplab_verify::scenario::{Getter, SCRIPT, bind_foo, run_foo};
use heaplab_verify::script::code::Unit;
use heaplab_verify::script::{Interpreter, Unwind, lower};
use std::rc::Rc;
use std::sync::LazyLock;

models! {
    "script":
    getter_after_full_new_vs_young: Spec::bounded(3, 3).branches_max(BRANCHES),
}

/// Of one execution: setting up takes more than the usual model.
const BRANCHES: usize = 200_000;

/// The script, parsed once, on a thread of the system's: the parser needs more stack than a modelled thread has.
static UNIT: LazyLock<Unit> = LazyLock::new(|| {
    let parse = || lower(SCRIPT, false).expect("the mission's script");
    std::thread::Builder::new().stack_size(8 << 20).spawn(parse).expect("a thread").join().expect("no panic")
});

/// What the getter does in the scope of the interpreter: as `alloc_after_failures`, with one space. Gives true.
fn full_then<'s>(scope: &mut Scope<'s, '_>, reserve: Reserve, space: SpaceKind, step: Step) -> Handle<'s, Value> {
    let entered = scope.always_allocate(reserve, |scope| {
        let before = scope.own_requests();
        scope.simulate_full_space(space);
        let outcome = step(scope);
        assert!(outcome.is_ok(), "{space:?}: {outcome:?}");
        assert_eq!(scope.own_requests(), before, "a first attempt failed, or a collection was asked for");
    });
    assert!(entered.is_ok(), "the reserve fits after a collection: {entered:?}");
    scope.handle(scope.boolean(true))
}

fn get_vs(reserve: Reserve, space: SpaceKind, step: Step) {
    let unit = UNIT.clone();
    let heap = Heap::new(worlds::config(3, 14)).expect("a small world");
    // On a thread of its own, which has more stack than the first. It starts the rival when it is set up.
    let script = thread::spawn({
        let heap = heap.clone();
        move || {
            let mut interpreter = Interpreter::new(&heap, Box::new(std::io::sink()));
            let there = heap.clone();
            let ran = worlds::run(&heap, |scope| {
                interpreter.set_up_core(scope)?;
                let getter: Rc<Getter> = Rc::new(move |scope| full_then(scope, reserve, space, step));
                let class = bind_foo(&mut interpreter, scope, getter)?;
                let rival = thread::spawn(move || rival(&there, &[step]));
                Ok::<_, Unwind>((run_foo(&mut interpreter, scope, class, unit)?, rival))
            });
            let (is_true, rival) = ran.expect("room for everything");
            assert!(is_true);
            rival.join().unwrap();
        }
    });
    script.join().unwrap();
    assert_whole(&heap);
}

fn getter_after_full_new_vs_young() {
    get_vs(Reserve { young_pages: 1, ..Reserve::NONE }, SpaceKind::New, young);
}
