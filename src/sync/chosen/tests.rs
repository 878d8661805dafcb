//! Goal: a value of each kind behaves natively outside of explorations, and is refused by its name wherever it was not
//! made.
//!
//! Method: each kind is a row of a table that makes a value and gives back the use of it. The use is called in another
//! scene than the one it was made in: by a thread that does not explore, in each engine's exploration, in the next one,
//! and by another thread of the host.

use crate::sync::model_control::Pass;
use crate::sync::{
    Arc, AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Backoff, Condvar, ExploreOptions, HeapWord, Mutex,
    Ordering::Relaxed, UnsafeCell, caught, explore, is_modelled, thread,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex as HostMutex;
use std::time::{Duration, Instant};

type Use = Box<dyn FnOnce() + Send>;

/// What a kind is called, and how one is made.
type Row = (&'static str, fn() -> Use);

/// A use of a value, which some scene refuses.
const KINDS: [Row; 15] = [
    ("an atomic", || {
        let word = AtomicU32::new(1);
        Box::new(move || assert_eq!(word.fetch_add(1, Relaxed), 1))
    }),
    ("an atomic", || {
        let word = AtomicU64::new(1);
        Box::new(move || assert_eq!(word.load(Relaxed), 1))
    }),
    ("an atomic", || {
        let word = AtomicUsize::new(1);
        Box::new(move || word.store(2, Relaxed))
    }),
    ("an atomic", || {
        let flag = AtomicBool::new(true);
        Box::new(move || assert!(flag.swap(false, Relaxed)))
    }),
    ("an atomic", || {
        let word = AtomicU32::new(1);
        // SAFETY: the word is this closure's alone.
        Box::new(move || assert_eq!(unsafe { word.unsync_load() }, 1))
    }),
    ("a heap word", || {
        let word = HeapWord::new(1);
        // SAFETY: the word is this closure's alone.
        Box::new(move || unsafe { word.unsync_store(2) })
    }),
    ("a cell", || {
        let cell = UnsafeCell::new(1);
        // SAFETY: the cell is this closure's alone.
        Box::new(move || assert_eq!(unsafe { *cell.access() }, 1))
    }),
    ("a cell", || {
        let mut cell = UnsafeCell::new(1);
        Box::new(move || *cell.get_mut() = 2)
    }),
    ("a cell", || {
        let cell = UnsafeCell::new(1);
        Box::new(move || assert_eq!(cell.into_inner(), 1))
    }),
    ("a lock", || {
        let mutex = Mutex::new(1);
        Box::new(move || assert_eq!(*mutex.lock(), 1))
    }),
    ("a lock", || {
        let mutex = Mutex::new(1);
        Box::new(move || assert!(mutex.try_lock().is_some()))
    }),
    ("a lock", || {
        let mutex = Mutex::new(1);
        Box::new(move || assert_eq!(mutex.into_inner(), 1))
    }),
    ("a condition variable", || {
        let condvar = Condvar::new();
        Box::new(move || condvar.notify_all())
    }),
    ("a thread", || {
        let other = thread::spawn(|| {});
        Box::new(move || other.join().unwrap())
    }),
    ("a back-off", || {
        let backoff = Backoff::new();
        Box::new(move || backoff.snooze())
    }),
];

/// Explores `f` in one pass; what the exploration says.
fn explored(pass: Pass, f: impl Fn() + Send + Sync + 'static) -> Result<(), String> {
    explore(&ExploreOptions { pass, ..ExploreOptions::default() }, f).outcome
}

/// What the use is refused with, if it is.
fn refusal(used: Use) -> Result<(), String> {
    let text = |payload: Box<dyn std::any::Any + Send>| match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast_ref::<&str>().map_or(String::new(), |text| (*text).to_owned()),
    };
    catch_unwind(AssertUnwindSafe(used)).map_err(text)
}

#[track_caller]
fn assert_refused(refusal: Result<(), String>, kind: &str, made: &str, used: &str) {
    let expected = format!("{kind} that was made {made} is used {used}");
    let message = refusal.expect_err(kind);
    assert!(message.contains(&expected), "`{expected}` is not in: {message}");
}

const OUTSIDE: &str = "outside of any exploration";
const INSIDE: &str = "in an exploration";

/// A value that an exploration made, brought out of its first execution.
fn made_inside(pass: Pass, make: fn() -> Use) -> Use {
    let kept: Arc<HostMutex<Option<Use>>> = Arc::default();
    let sink = Arc::clone(&kept);
    explored(pass, move || {
        let made = make();
        let mut kept = sink.lock().unwrap();
        if kept.is_none() {
            *kept = Some(made);
        } else {
            made();
        }
    })
    .unwrap();
    let made = kept.lock().unwrap().take();
    made.expect("an execution has run")
}

#[test]
fn a_native_value_of_each_kind_is_used() {
    for (_, make) in KINDS {
        make()();
        std::thread::spawn(make()).join().unwrap();
    }
    assert!(!is_modelled());
}

#[test]
fn a_value_of_each_kind_is_used_where_it_was_made() {
    for (kind, make) in KINDS {
        for pass in Pass::ALL {
            assert_eq!(explored(pass, move || make()()), Ok(()), "{kind}, {pass}");
        }
    }
}

#[test]
fn a_native_value_is_refused_in_an_exploration() {
    for (kind, make) in KINDS {
        for pass in Pass::ALL {
            let native = HostMutex::new(Some(make()));
            let refused = explored(pass, move || {
                let native = native.lock().unwrap().take();
                if let Some(native) = native {
                    native();
                }
            });
            assert_refused(refused, kind, OUTSIDE, INSIDE);
        }
    }
}

#[test]
fn a_modelled_value_is_refused_outside() {
    for (kind, make) in KINDS {
        for pass in Pass::ALL {
            assert_refused(refusal(made_inside(pass, make)), kind, INSIDE, OUTSIDE);
        }
    }
}

#[test]
fn a_modelled_value_is_refused_in_another_exploration() {
    for (kind, make) in KINDS {
        for pass in Pass::ALL {
            let foreign = HostMutex::new(Some(made_inside(pass, make)));
            let refused = explored(pass, move || {
                let foreign = foreign.lock().unwrap().take();
                if let Some(foreign) = foreign {
                    foreign();
                }
            });
            assert_refused(refused, kind, INSIDE, "in another one");
        }
    }
}

/// A thread of the host that a body starts does not explore, whoever started it.
#[test]
fn a_modelled_value_is_refused_on_another_thread_of_the_host() {
    for (kind, make) in KINDS {
        for pass in Pass::ALL {
            let outcome = explored(pass, move || {
                let made = make();
                let refused = std::thread::spawn(move || refusal(made)).join().unwrap();
                assert_refused(refused, kind, INSIDE, OUTSIDE);
            });
            assert_eq!(outcome, Ok(()), "{kind}, {pass}");
        }
    }
}

/// Models that an engine's own `model` begins are models.
#[test]
fn models_that_engines_begin_are_scenes() {
    let body = || {
        assert!(is_modelled());
        for (_, make) in KINDS {
            make()();
        }
    };
    loom::model(body);
    heaplab_explorer::model(body);
    assert!(!is_modelled());
}

#[test]
fn a_value_of_a_model_that_an_engine_began_is_refused_outside() {
    for model in [loom::model as fn(_), heaplab_explorer::model as fn(_)] {
        for (kind, make) in KINDS {
            let kept: Arc<HostMutex<Option<Use>>> = Arc::default();
            let sink = Arc::clone(&kept);
            let body: Box<dyn Fn() + Send + Sync> = Box::new(move || {
                assert!(is_modelled());
                let made = make();
                *sink.lock().unwrap() = Some(made);
            });
            model(body);
            let made = kept.lock().unwrap().take().unwrap();
            assert_refused(refusal(made), kind, INSIDE, OUTSIDE);
        }
    }
}

#[test]
fn the_condition_variable_and_its_lock_are_of_one_scene() {
    let refused = explored(Pass::Graphs, || {
        let (mutex, condvar) = (Mutex::new(()), Condvar::new());
        let other = std::thread::spawn(|| Mutex::new(())).join().unwrap();
        drop(mutex.lock());
        drop(condvar.wait(other.lock()));
    });
    assert_refused(refused, "a lock", OUTSIDE, INSIDE);
}

#[test]
fn a_panic_is_caught_outside_of_explorations() {
    assert!(caught(|| std::panic::resume_unwind(Box::new(7))).is_err());
}

#[test]
fn a_thread_sleeps_and_backs_off_outside_of_explorations() {
    let begin = Instant::now();
    thread::sleep(Duration::from_millis(1));
    assert!(begin.elapsed() >= Duration::from_millis(1));
    let backoff = Backoff::new();
    backoff.snooze();
    assert!(!backoff.is_completed(), "a native back-off has several steps");
}
