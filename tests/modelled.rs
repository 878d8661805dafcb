//! Tests of builds to which another crate gave the feature `loom`.
//!
//! Cargo gives a package every feature that any crate of a build wants. So where one crate of a workspace has models
//! over the heap, the heaps of all others are built with the feature. Outside of models they must be what they are
//! without it, and in a model what a model can watch.

#![cfg(feature = "loom")]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests are no part of the heap")]

use heaplab::{BuildError, CollectionKind, Heap, HeapConfig, MemoryError, PageSource};
use std::sync::{Arc, Mutex};

/// The refusal of a heap's memory.
fn refusal(config: HeapConfig) -> MemoryError {
    match Heap::new(config).expect_err("the heap is refused") {
        BuildError::Memory(error) => error,
        other => panic!("{other:?}"),
    }
}

fn with_source(page_source: PageSource) -> HeapConfig {
    let mut config = HeapConfig::tiny();
    config.page_source = page_source;
    config
}

/// Whatever features it has, a build's heap is mapped where the system can, as large as it is asked to be, and shared
/// by threads of the system.
#[test]
fn outside_of_a_model_a_heap_is_the_systems() {
    let config = HeapConfig::sized(64 << 20, 4);
    assert_ne!(config.page_source, PageSource::Simulated);
    let heap = Heap::new(config).unwrap();
    std::thread::scope(|threads| {
        for _ in 0..3 {
            threads.spawn(|| {
                let mut thread = heap.attach().unwrap();
                for _ in 0..100 {
                    thread.run(|scope| scope.new_array(1 << 10).map(drop)).unwrap().unwrap();
                }
                heap.collect(CollectionKind::Major).unwrap();
            });
        }
    });
    assert!(heap.statistics().unwrap().collections.iter().sum::<u64>() >= 3);
}

#[test]
fn a_source_is_refused_where_it_is_not() {
    let error = refusal(with_source(PageSource::Simulated));
    assert!(error.to_string().contains("it exists in a model only"), "{error}");
    loom::model(|| {
        let error = refusal(with_source(PageSource::Owned));
        assert!(matches!(error, MemoryError::Unsupported { source: PageSource::Owned, .. }), "{error:?}");
        assert!(error.to_string().contains("in a model all memory is simulated; use `simulated`"), "{error}");
        let error = refusal(HeapConfig::sized(6 << 20, 2));
        assert!(matches!(error, MemoryError::TooLarge { bytes_max: 0x10_0000, .. }), "{error:?}");
    });
}

/// In a model a heap is a model's, also where loom itself began the model.
#[test]
fn inside_of_a_model_a_heap_is_modelled() {
    loom::model(|| {
        assert!(heaplab::is_modelled());
        let config = HeapConfig::tiny();
        assert_eq!(config.page_source, PageSource::Simulated);
        let heap = Heap::new(config).unwrap();
        heap.collect(CollectionKind::Major).unwrap();
    });
    assert!(!heaplab::is_modelled(), "the model has ended");
    Heap::new(HeapConfig::tiny()).unwrap().collect(CollectionKind::Major).unwrap();
}

/// A heap is used where it was made: a model would miss what a native heap does, and a heap of a model has no threads
/// outside.
#[test]
fn a_heap_is_refused_where_it_was_not_made() {
    let native = Heap::new(HeapConfig::tiny()).unwrap();
    let message = std::panic::catch_unwind(|| {
        let native = native.clone();
        loom::model(move || native.collect(CollectionKind::Major).unwrap());
    });
    let message = *message.expect_err("it is refused").downcast::<String>().expect("a text");
    assert!(message.contains("that was made outside of any exploration is used in an exploration"), "{message}");

    let kept = Arc::new(Mutex::new(None));
    let sink = Arc::clone(&kept);
    loom::model(move || *sink.lock().unwrap() = Some(Heap::new(HeapConfig::tiny()).unwrap()));
    let modelled = kept.lock().unwrap().take().unwrap();
    let message = std::panic::catch_unwind(|| modelled.collect(CollectionKind::Major));
    let message = *message.expect_err("it is refused").downcast::<String>().expect("a text");
    assert!(message.contains("that was made in an exploration is used outside of any exploration"), "{message}");
    // A model's heap has no destructor that could run outside of it.
    std::mem::forget(modelled);
}
