//! Bugs that were found, one test each, named by the behaviour that was wrong.

use heaplab::{AllocationType, Heap, HeapConfig};

/// Goal: `set_fail_allocation` fails one attempt, once. Method: let it fail, change another flag, and count the
/// failures of first attempts. The bug: setting any flag gave every local heap all flags anew, and so armed the
/// failure again.
#[test]
fn changing_gc_interval_does_not_arm_a_failure_again() {
    if heaplab::sync::is_modelled() {
        return;
    }
    let heap = Heap::new(HeapConfig::default()).unwrap();
    let mut thread = heap.attach().unwrap();
    heap.set_fail_allocation(Some(0)).unwrap();
    let mut retries = || {
        let run = thread.run(|scope| {
            let answer = scope.new_array_in(1, AllocationType::Old);
            answer.expect("there is memory");
            scope.own_requests().retries
        });
        run.expect("nothing else runs")
    };
    assert_eq!(retries(), 1, "the attempt that was to fail");
    heap.set_gc_interval(7).unwrap();
    heap.set_gc_interval(0).unwrap();
    assert_eq!(retries(), 1, "no further one");
}
