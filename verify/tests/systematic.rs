//! Goal: whatever memory is refused, and when, a program gets an error value at most, and the heap is as good as new.
//! Method: each fallible point of each program fails in turn ([`systematic`](heaplab_programs::systematic)); the
//! programs are the recorded ones, in every world, and some that are drawn.
//! With the feature `loom` the heap is native here, too, and the same minutes would say nothing new.
#![cfg(not(feature = "loom"))]

use heaplab::memory::PageSource;
use heaplab_programs::ops::{Limits, Program, World, WorldSize, recorded};
use heaplab_programs::shadow::Driver;
use heaplab_programs::systematic::{Failures, fail_each_point};
use rand_core::{Rng as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

const SOURCE: PageSource = PageSource::Owned;

fn add(sum: &mut Failures, one: Failures) {
    sum.commits += one.commits;
    sum.releases += one.releases;
    sum.spawns += one.spawns;
    sum.attempts += one.attempts;
    sum.struck += one.struck;
    sum.errors += one.errors;
}

/// Fails each point of a program in turn, under each driver.
fn fail_everything(name: &str, program: &Program) -> Failures {
    let mut sum = Failures::default();
    for driver in Driver::ALL {
        match fail_each_point(program, driver, SOURCE) {
            Ok(failures) => add(&mut sum, failures),
            Err(finding) => panic!("{name}, {finding}\n{program}"),
        }
    }
    sum
}

#[test]
fn each_point_of_the_recorded_programs_fails_well() {
    let mut sum = Failures::default();
    for (name, recorded) in recorded() {
        for size in WorldSize::ALL {
            let program = Program { world: World { size, ..recorded.world }, steps: recorded.steps.clone() };
            let failures = fail_everything(&name, &program);
            println!("{name}, {size:?}: {failures:?}");
            add(&mut sum, failures);
        }
    }
    println!("in all: {sum:?}");
    assert!(sum.commits > 300, "page requests: {sum:?}");
    assert!(sum.releases > 150, "releases: {sum:?}");
    assert!(sum.spawns >= 48, "threads of the heap's own, of two programs in each world: {sum:?}");
    assert!(sum.attempts > 300, "attempts: {sum:?}");
    assert!(sum.struck > 300, "requests that a failure struck: {sum:?}");
}

#[test]
fn each_point_of_drawn_programs_fails_well() {
    let mut dice = Pcg64Mcg::seed_from_u64(4);
    let mut sum = Failures::default();
    for number in 0..60 {
        let mut bytes = [0; 2 + 4 * 60];
        dice.fill_bytes(&mut bytes);
        // Five sixths of the programs run in the worlds of a few pages.
        bytes[0] = [0, 1, 0, 1, 2, 1][number % 6];
        let program = Program::decode(&bytes, &Limits::FUZZ);
        add(&mut sum, fail_everything(&format!("program {number}"), &program));
    }
    println!("in all: {sum:?}");
    assert!(sum.commits > 300 && sum.attempts > 300 && sum.struck > 300, "{sum:?}");
    assert!(sum.errors > 0, "an error value came of some failure: {sum:?}");
}

/// Goal: `fail-release` strikes, once, and nothing differs but that: the collection asks again before it ends.
/// Method: a large object dies, the release of its pages is refused or not, and another one of its size is made.
#[test]
fn a_release_that_a_program_refuses_is_asked_for_again() {
    let text = |refusal: &str| {
        format!(
            "heaplab-ops 4\nworld tiny\n0 open-scope\n0 allocate old bytes two-pages\n0 close-scope\n{refusal}\
             0 collect major\n0 allocate old bytes two-pages\n0 verify\n"
        )
    };
    for driver in Driver::ALL {
        let [plain, refused] = ["", "0 fail-release 0\n"].map(|refusal| {
            let tally = driver.run(&Program::parse(&text(refusal)).unwrap(), SOURCE);
            assert_eq!((tally.allocated_large, tally.refused), (2, 0), "{driver:?}: {tally:?}");
            tally
        });
        assert!(!plain.release_refused && refused.release_refused, "{driver:?}: {plain:?}, {refused:?}");
        assert_eq!(plain.commits, refused.commits, "{driver:?}: the memory was given back, and is asked for again");
    }
}

/// Goal: a refusal that nothing makes good is an error value, and the next request is served.
/// Method: filling a page asks for one page once, and does not climb; that page request is refused, and no other.
#[test]
fn an_error_value_comes_of_a_failure_that_nothing_makes_good() {
    let text = "heaplab-ops 2\nworld tiny\n0 fail-commit 0\n0 fill old 2\n0 fill old 2\n0 allocate old array empty\n";
    let program = Program::parse(text).unwrap();
    for driver in Driver::ALL {
        let tally = driver.run(&program, SOURCE);
        assert_eq!((tally.fills_refused, tally.struck), (1, 1), "{driver:?}: {tally:?}");
        assert_eq!((tally.filled, tally.allocated, tally.refused), (1, 1, 0), "{driver:?}: {tally:?}");
    }
}
