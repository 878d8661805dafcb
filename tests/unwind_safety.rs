//! Goal: what an embedder holds over a `catch_unwind` may be held over it.
//!
//! Method: a constant asks for the traits, which the compiler checks.

use heaplab::{Array, Attachment, Heap, LocalHeap, Persistent, RootSet};
use std::panic::{RefUnwindSafe, UnwindSafe};

const fn is_unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}

const _: () = {
    is_unwind_safe::<Heap>();
    is_unwind_safe::<Attachment>();
    is_unwind_safe::<LocalHeap>();
    is_unwind_safe::<Persistent<Array>>();
    is_unwind_safe::<RootSet>();
};

/// Catches the panic of a run as an embedder does; the heap serves the next run.
#[cfg(not(feature = "shuttle"))]
#[test]
fn a_run_is_caught() {
    let heap = Heap::new(heaplab::HeapConfig::tiny()).unwrap();
    let mut thread = heap.attach().unwrap();
    let held = heap.clone();
    let caught = std::panic::catch_unwind(move || {
        held.attach().unwrap().run(|scope| scope.new_array(1).map(|_| panic!("caught"))).map(drop)
    });
    assert_eq!(*caught.unwrap_err().downcast::<&str>().unwrap(), "caught");
    assert!(thread.run(|scope| scope.new_array(1).is_ok()).unwrap());
}
