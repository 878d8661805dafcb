//! P13, marking: two markers meet one object.
//!
//! Goal: one of them marks it, both find it marked afterwards, and marks of neighbours in the same word are not lost (O-9).
//! Method: the shipping mark bits. There is one marker today; termination of several has no model, since they do not exist.

use super::forwarding::world;
use super::worlds::race;
use heaplab_verify::model::Spec;
use heaplab_verify::models;

models! {
    "marking":
    mark_vs_mark: Spec::two_threads(),
}

/// Two objects, in opposite order.
fn mark_vs_mark() {
    let (spaces, object) = world();
    let there = spaces.clone();
    let (a, b) = race(
        || [spaces.pages.mark(object), spaces.pages.mark(object.plus(8))],
        move || [there.pages.mark(object.plus(8)), there.pages.mark(object)],
    );
    assert!(a[0] != b[1], "one marks the first object");
    assert!(a[1] != b[0], "one marks the second object");
    assert!(spaces.pages.is_marked(object));
    assert!(spaces.pages.is_marked(object.plus(8)));
}
