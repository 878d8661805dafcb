//! Goal: a replayed failure says the step, the reason, and what the heap looked like before it. Method: somebody else
//! is attached to the heap that a program runs on, so the program's statistics are not what its shadow says.
//!
//! The binary of a checker's build replays what the checker found, and has no such replay.
#![cfg(not(any(feature = "loom", feature = "shuttle")))]

use heaplab::Heap;
use heaplab::memory::PageSource;
use heaplab_programs::ops::{Faulty, Program};
use heaplab_programs::shadow::Driver;
use heaplab_scenarios::{Group, Moment};
use heaplab_verify::replay::{Input, Target, observe};
use std::path::Path;

const TEXT: &str = "heaplab-ops 2\nworld tiny\n0 poll\n0 allocate old array half\n0 collect major\n0 verify\n";

#[test]
fn a_target_is_known_by_its_directory() {
    let of = |path: &str| Target::of_path(Path::new(path));
    assert_eq!(of("fuzz/artifacts/fault_ops/crash-0"), Some(Target::FaultOps));
    assert_eq!(of("interleaved_ops/seeds/x"), Some(Target::InterleavedOps));
    assert_eq!(of("fuzz/artifacts/other/heap_ops"), None, "the file's own name says nothing");
    assert_eq!(of("x"), None);
}

#[test]
fn each_target_reads_its_own_form() {
    let program = Program::parse(TEXT).unwrap();
    for target in [Target::HeapOps, Target::InterleavedOps] {
        let Ok(Input::Program(read, _)) = Input::decode(target, &program.encode()) else { panic!("{target:?}") };
        assert_eq!(read, program, "{target:?} reads another program than was written");
    }
    let bytes = Faulty::encode(true, &[], &program);
    assert!(matches!(Input::decode(Target::FaultOps, &bytes), Ok(Input::Program(read, _)) if read == program));
    for &target in Target::ALL {
        for bytes in [&bytes[..], b""] {
            match Input::decode(target, bytes) {
                Ok(input) => input.run().unwrap(),
                Err(reason) => {
                    assert!(target == Target::ScriptOps && !cfg!(heaplab_scripts), "{target:?}: {reason}");
                    assert!(reason.contains("feature `script`"), "{reason}");
                }
            }
        }
    }
}

#[test]
fn a_failure_has_a_step_a_reason_and_a_picture() {
    let text = "heaplab-ops 2\nworld tiny\n0 allocate old array half\n0 statistics\n0 collect major\n";
    let program = Program::parse(text).unwrap();
    for driver in Driver::ALL {
        let failure = observe("by hand", || {
            let heap = Heap::new(program.world.config(1, PageSource::Owned)).unwrap();
            let _guest = heap.attach().unwrap();
            let _ = driver.rounds_on(heap.clone(), &program, &[None]);
        });
        let failure = failure.unwrap_err();
        assert_eq!(failure.step, Some((1, "0 statistics    # here".to_owned())), "{driver:?}");
        assert_eq!(failure.reason, "the statistics' number of local heaps is 2, and should be 1");
        let picture = failure.picture.expect("the heap is sound");
        assert_eq!((picture.moment, picture.objects_live), (Moment::Step, 1));
        assert!(picture.rows.iter().any(|row| row.group == Group::Old), "{picture:?}");
    }
}
