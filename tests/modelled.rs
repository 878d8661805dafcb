//! Tests of builds to which another crate gave the feature `loom`.
//!
//! Cargo gives a package every feature that any crate of a build wants. So where one crate of a workspace has models
//! over the heap, the tests of all others may find memory modelled. The refusal of a heap then names the feature, and
//! the ways out.

#![cfg(feature = "loom")]

use heaplab::{BuildError, CollectionKind, Heap, HeapConfig, MemoryError, PageSource};

/// The refusal of a heap, which must say whose doing it is and what to do.
fn refusal(config: HeapConfig) -> MemoryError {
    let error = Heap::new(config).expect_err("the heap is refused");
    let message = error.to_string();
    for part in ["heaplab's feature `loom`", "memory is modelled", "-p CRATE --features loom", "a workspace of its own"]
    {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
    match error {
        BuildError::Memory(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_heap_of_an_ordinary_size_is_refused_by_the_feature() {
    let error = refusal(HeapConfig::sized(6 << 20, 2));
    assert!(matches!(error, MemoryError::TooLarge { bytes_max: 0x10_0000, .. }), "{error:?}");
    assert!(error.to_string().contains("configure at most 1048576"), "{error}");
}

#[test]
fn a_page_source_of_ordinary_builds_is_refused_by_the_feature() {
    for source in [PageSource::Mapped, PageSource::Owned] {
        let mut config = HeapConfig::tiny();
        config.page_source = source;
        let error = refusal(config);
        assert!(matches!(error, MemoryError::Unsupported { source: asked, .. } if asked == source), "{error:?}");
        assert!(error.to_string().contains("use `simulated`"), "{error}");
    }
}

#[test]
fn outside_of_a_model_a_heap_is_refused() {
    let error = refusal(HeapConfig::tiny());
    assert_eq!(error, MemoryError::OutsideModel);
    assert!(error.to_string().contains("inside a model"), "{error}");
}

/// Inside of a model a heap is built, also where loom itself began the model.
#[test]
fn inside_of_a_model_of_looms_own_a_heap_is_built() {
    loom::model(|| {
        let heap = Heap::new(HeapConfig::tiny()).unwrap();
        heap.collect(CollectionKind::Major).unwrap();
    });
    // The model has ended.
    assert_eq!(refusal(HeapConfig::tiny()), MemoryError::OutsideModel);
}
