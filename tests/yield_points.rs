//! Goal: Y-2: each yield point has a name of its own and stands at one place of the heap.
//!
//! Method: the sources are read as text, as in `tests/sources/layers.rs`.

#![cfg(not(miri))]

use heaplab::sync::YieldPoint;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The calls in the sources below `directory`, by variant, with the files that they stand in.
fn calls(directory: &Path, found: &mut BTreeMap<String, Vec<String>>) {
    for entry in std::fs::read_dir(directory).expect("the sources are there") {
        let path = entry.expect("the directory can be read").path();
        if path.is_dir() {
            calls(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source is text");
            for rest in text.split("yield_point(YieldPoint::").skip(1) {
                let variant = rest.split(|c: char| !c.is_alphanumeric()).next().expect("a name follows");
                found.entry(variant.to_owned()).or_default().push(path.display().to_string());
            }
        }
    }
}

#[test]
fn each_yield_point_stands_at_one_place() {
    let mut found = BTreeMap::new();
    calls(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let listed: BTreeSet<String> = YieldPoint::ALL.iter().map(|point| format!("{point:?}")).collect();
    let used: BTreeSet<String> = found.keys().cloned().collect();
    assert_eq!(used, listed, "yield points that the heap visits, and those that are listed");
    for (variant, places) in &found {
        assert_eq!(places.len(), 1, "{variant} stands at several places: {places:?}");
    }
}

#[test]
fn each_yield_point_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = YieldPoint::ALL.iter().map(|point| point.name()).collect();
    assert_eq!(names.len(), YieldPoint::ALL.len());
    for name in names {
        let is_name = |c: char| c.is_ascii_lowercase() || c == '-';
        assert!(
            name.split_once('.').is_some_and(|(protocol, done)| protocol.chars().chain(done.chars()).all(is_name)),
            "`{name}` is not `protocol.what-was-done`"
        );
    }
}
