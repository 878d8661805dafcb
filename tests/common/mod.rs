//! What the tests of the public API share: small worlds, a program that uses everything, and a clock for deadlocks.

#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests are no part of the heap")]

use heaplab::{
    AllocError, AllocationType, Array, Attachment, CollectionKind, Handle, Heap, HeapConfig, Ref, Scope, Shape, Tail,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;

/// A few pages of a few words, verified around each collection and at drop.
pub(crate) fn tiny() -> HeapConfig {
    let mut config = HeapConfig::tiny();
    config.verify_heap = true;
    config
}

/// A tiny world of `pages` pages, soft limit equal to the hard one, so that nothing but need collects.
pub(crate) fn tiny_of(pages: usize) -> HeapConfig {
    let mut config = tiny();
    config.hard_limit_bytes = pages * 128;
    config.soft_limit_bytes = pages * 128;
    config.hard_limit_bytes_max = pages * 128;
    config
}

/// Real sizes, but small: 4 MiB in pages of 32 KiB; under Miri, which is slow, 64 KiB in pages of 512 bytes.
pub(crate) fn small() -> HeapConfig {
    let mut config = HeapConfig::sized(if cfg!(miri) { 64 << 10 } else { 4 << 20 }, 7);
    config.page_bytes = cfg!(miri).then_some(512);
    config.verify_heap = true;
    config
}

/// A heap of a good configuration.
pub(crate) fn build(config: HeapConfig) -> Heap {
    Heap::new(config).expect("the configuration is good")
}

/// Fails, instead of hanging, when `f` does not end within 30 seconds (3000 under Miri): says which local heaps there
/// are, and where each thread is.
pub(crate) fn in_time<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> R {
    let (sender, receiver) = mpsc::channel();
    // The thread has the test's name, to be recognised in a report.
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let builder = std::thread::Builder::new().name(name.clone());
    let thread = builder.spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(f));
        let _ = sender.send(());
        result
    });
    let thread = thread.expect("the system has a thread");
    let seconds = if cfg!(miri) { 3000 } else { 30 };
    if receiver.recv_timeout(Duration::from_secs(seconds)).is_err() {
        #[cfg(feature = "internals")]
        let who_is_where = heaplab::sync::roll::report();
        #[cfg(not(feature = "internals"))]
        let who_is_where = "(with the feature `internals` each local heap and each thread stands here)";
        panic!("deadlock: {name} has no end after {seconds} seconds. In this process:\n{who_is_where}");
    }
    match thread.join().expect("the panic was caught") {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Runs `f`, which panics, and returns the message.
pub(crate) fn panics<R>(f: impl FnOnce() -> R) -> String {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(_) => panic!("it was meant to panic"),
        Err(payload) => match payload.downcast::<String>() {
            Ok(text) => *text,
            Err(payload) => payload.downcast::<&str>().map_or("?".to_owned(), |text| (*text).to_owned()),
        },
    }
}

/// Allocates an object of every type, links them, collects in every way, and checks what each holds. About six pages.
pub(crate) fn use_everything(scope: &mut Scope<'_, '_>) -> Result<(), AllocError> {
    scope.nested(|scope| {
        let young = scope.new_array(2)?;
        let old = scope.new_array_in(2, AllocationType::Old)?;
        let bytes = scope.new_bytes(5)?;
        let code = scope.new_code(9)?;
        let map = scope.new_map(Shape::new(16, 4, 2, Tail::None)?)?;
        let record = scope.new_record(map)?;
        scope.write_bytes(scope.get(bytes), 1, &[7, 8, 9]);
        scope.write_code(scope.get(code), 0, b"ret");
        scope.store(scope.get(young), 0, scope.get(old).into());
        scope.store(scope.get(old), 0, scope.get(young).into());
        scope.store(scope.get(old), 1, scope.get(bytes).into());
        scope.store_field(scope.get(record), 0, scope.get(code).into());
        scope.store_raw(scope.get(record), 0, 0xdead_beef);
        scope.store_map_slot(scope.get(map), 3, scope.get(record).into());
        for kind in CollectionKind::ALL {
            scope.collect(kind).unwrap();
            let mut read = [0; 3];
            scope.read_bytes(scope.get(bytes), 1, &mut read);
            assert_eq!(read, [7, 8, 9]);
            scope.read_code(scope.get(code), 0, &mut read);
            assert_eq!(&read, b"ret");
            assert_eq!(scope.load(scope.get(young), 0), scope.get(old));
            assert_eq!(scope.load(scope.get(old), 0), scope.get(young));
            assert_eq!(scope.load(scope.get(old), 1), scope.get(bytes));
            assert_eq!(scope.load_field(scope.get(record), 0), scope.get(code));
            assert_eq!(scope.load_raw(scope.get(record), 0), 0xdead_beef);
            assert_eq!(scope.load_map_slot(scope.get(map), 3), scope.get(record));
        }
        Ok(())
    })
}

/// Asserts that the heap is usable through this attachment, and sound afterwards.
pub(crate) fn assert_usable(heap: &Heap, thread: &mut Attachment) {
    thread.run(use_everything).expect("not poisoned, not running").expect("there is room for a few objects");
    assert_sound(heap);
}

/// Asserts that the verifier finds nothing.
pub(crate) fn assert_sound(heap: &Heap) {
    let verification = heap.verify().expect("not poisoned, not running");
    assert!(verification.is_sound(), "{}", verification.describe());
}

/// Bytes that are committed for objects and for new space once all that nothing refers to is gone: what a leak raises.
pub(crate) fn settled_bytes(heap: &Heap) -> usize {
    heap.collect(CollectionKind::MemoryReducing).expect("not poisoned, not running");
    let statistics = heap.statistics().expect("not poisoned, not running");
    statistics.committed_bytes - statistics.pooled_bytes
}

/// Fills a heap with live arrays until it is full. Returns how many fit, and the error that the next one met.
pub(crate) fn fill(scope: &mut Scope<'_, '_>, ty: AllocationType) -> (usize, AllocError) {
    scope.nested(|scope| {
        let mut count = 0;
        loop {
            match scope.new_array_in(4, ty) {
                Ok(_) => count += 1,
                Err(error) => return (count, error),
            }
        }
    })
}

/// An array whose first element is a number.
pub(crate) fn numbered<'s>(
    scope: &mut Scope<'s, '_>,
    len: usize,
    ty: AllocationType,
    number: i32,
) -> Result<Handle<'s, Array>, AllocError> {
    let array = scope.new_array_in(len, ty)?;
    scope.store(scope.get(array), 0, Ref::small(number).expect("31 bits"));
    Ok(array)
}

pub(crate) fn number(scope: &Scope<'_, '_>, array: Ref<'_, Array>) -> i32 {
    scope.load(array, 0).as_small().expect("a number")
}
