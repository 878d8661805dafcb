//! P13, marking: two markers meet one object.
//!
//! Goal: one marker marks the object, both find it marked afterwards, and marks of neighbours in the same word are
//! not lost (O-9). Method: the shipping mark bits. There is one marker today, so the termination of several has no
//! model.

use super::forwarding::world;
use super::worlds::race;
use heaplab::space::Spaces;
use heaplab_checker::model::Spec;
use heaplab_checker::models;

models! {
    "marking":
    mark_vs_mark: Spec::two_threads(),
}

/// Two markers mark two objects, in opposite order: each object is marked by exactly one, and both are marked in the
/// end.
fn mark_vs_mark() {
    let (spaces, object) = world();
    let there = spaces.clone();
    // SAFETY: the world has no local heap that could run; both threads are its collector's.
    let mark = |spaces: &Spaces, at| unsafe { spaces.pages.mark(at) };
    let (a, b) = race(
        || [mark(&spaces, object), mark(&spaces, object.plus(8))],
        move || [mark(&there, object.plus(8)), mark(&there, object)],
    );
    assert!(a[0] != b[1], "one marks the first object");
    assert!(a[1] != b[0], "one marks the second object");
    assert!(spaces.pages.is_marked(object), "the first object is marked");
    assert!(spaces.pages.is_marked(object.plus(8)), "the second object is marked");
}
