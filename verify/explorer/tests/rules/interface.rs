//! Goal: the interface does what the types of the standard library and of loom do whose names it has.
//!
//! Method: small models with assertions; those of more than one thread also state their outcomes.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc as HostArc;
use std::sync::Mutex as HostMutex;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::task::Poll;

use crate::common::{outcomes, outcomes_with, two};
use heaplab_explorer::alloc::Track;
use heaplab_explorer::cell::{Cell, MutPtr, UnsafeCell};
use heaplab_explorer::future::{AtomicWaker, block_on};
use heaplab_explorer::journal::{Action, Source};
use heaplab_explorer::model::Builder;
use heaplab_explorer::sync::atomic::*;
use heaplab_explorer::sync::mpsc::{self, TryRecvError};
use heaplab_explorer::sync::{Arc, Mutex, RwLock};
use heaplab_explorer::{Bound, Failure, FailureKind, Stats, lazy_static, model, thread, thread_local};

#[test]
fn integers_wrap_and_compare_by_their_sign() {
    model(|| {
        let x = AtomicU8::new(250);
        assert_eq!(x.fetch_add(10, Relaxed), 250);
        assert_eq!(x.fetch_sub(5, Relaxed), 4);
        assert_eq!(x.fetch_nand(0x0f, Relaxed), 255);
        assert_eq!(x.fetch_xor(0xff, Relaxed), 0xf0);
        assert_eq!(x.fetch_max(0x10, Relaxed), 0x0f);
        assert_eq!(x.fetch_min(0x08, Relaxed), 0x10);
        assert_eq!(x.swap(1, AcqRel), 8);
        assert_eq!(x.into_inner(), 1);
        let y = AtomicI16::new(-3);
        assert_eq!(y.fetch_max(-5, Relaxed), -3);
        assert_eq!(y.fetch_min(-5, Relaxed), -3);
        assert_eq!(y.fetch_add(-1, Relaxed), -5);
        assert_eq!(y.load(SeqCst), -6);
        let z = AtomicI64::new(i64::MIN);
        assert_eq!(z.fetch_sub(1, Relaxed), i64::MIN);
        assert_eq!(z.fetch_max(0, Relaxed), i64::MAX);
        let b = AtomicBool::new(true);
        assert!(b.fetch_nand(true, Relaxed));
        assert!(!b.fetch_or(true, Relaxed));
        assert!(b.fetch_and(true, Relaxed));
        assert!(b.fetch_xor(true, Relaxed));
        assert!(!b.load(Relaxed));
    });
}

#[test]
fn an_update_succeeds_or_tells_the_value() {
    model(|| {
        let mut x = AtomicUsize::new(1);
        assert_eq!(x.fetch_update(AcqRel, Acquire, |value| Some(value + 1)), Ok(1));
        assert_eq!(x.fetch_update(AcqRel, Acquire, |_| None), Err(2));
        assert_eq!(x.compare_and_swap(2, 3, SeqCst), 2);
        x.with_mut(|value| *value += 1);
        assert_eq!(x.compare_exchange(0, 1, AcqRel, Relaxed), Err(4));
    });
}

#[test]
fn pointers_are_exchanged() {
    model(|| {
        let (mut a, mut b) = (1, 2);
        let (a, b) = (&raw mut a, &raw mut b);
        let x = AtomicPtr::new(a);
        assert_eq!(x.compare_exchange(a, b, AcqRel, Acquire), Ok(a));
        assert_eq!(x.load(Acquire), b);
        assert!(AtomicPtr::<u8>::default().load(Relaxed).is_null());
    });
}

#[test]
fn cells_move_values() {
    model(|| {
        let (x, y) = (Cell::new(1), Cell::new(2));
        x.swap(&y);
        assert_eq!((x.get(), y.replace(5), y.take()), (2, 1, 5));
        x.set(7);
        x.swap(&x);
        assert_eq!(x.into_inner(), 7);
        let z = UnsafeCell::new(vec![1]);
        // SAFETY: one thread, and each access ends before the next begins.
        unsafe {
            z.get_mut().deref().push(2);
            assert_eq!(z.get().deref().len(), 2);
            z.with_mut(|list| (*list).push(3));
        }
        assert_eq!(z.into_inner(), [1, 2, 3]);
    });
}

#[test]
fn the_owner_of_a_cell_takes_the_value_beside_its_own_pointer() {
    model(|| {
        let cell = UnsafeCell::new(1);
        let pointer = cell.get();
        // SAFETY: one thread.
        assert_eq!(unsafe { *pointer.deref() }, 1);
        assert_eq!(cell.into_inner(), 1);
    });
}

/// A writer gives a cell away while its pointer lives, and then uses it or does not.
fn given_away(uses: fn(&MutPtr<u8>)) -> Result<Stats, Failure> {
    Builder::new().explore(move || {
        let shared = Rc::new((UnsafeCell::new(0), AtomicBool::new(false)));
        let other = Rc::clone(&shared);
        two(
            move || {
                let pointer = other.0.get_mut();
                pointer.with(|_| ());
                other.1.store(true, Release);
                uses(&pointer);
            },
            move || {
                if shared.1.load(Acquire) {
                    shared.0.with(|_| ());
                }
            },
        );
    })
}

#[test]
fn a_pointer_is_used_where_it_is_asked_for_the_value() {
    // Guards that give a cell away as they are dropped have the pointer as a field, which is dropped after that.
    assert_eq!(given_away(|_| ()).unwrap().executions, 2);
    let failure = given_away(|pointer| pointer.with(|_| ())).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Race);
    // SAFETY: the threads are one thread of the host, and the reference is used at once.
    let failure = given_away(|pointer| unsafe { *pointer.deref() = 1 }).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Race);
}

#[test]
fn owners_are_counted() {
    model(|| {
        let mut a = Arc::new(1);
        assert_eq!(Arc::get_mut(&mut a), Some(&mut 1));
        let b = a.clone();
        assert_eq!(Arc::strong_count(&a), 2);
        assert!(Arc::ptr_eq(&a, &b) && Arc::get_mut(&mut a).is_none());
        let a = Arc::try_unwrap(a).unwrap_err();
        drop(b);
        assert_eq!(Arc::try_unwrap(a), Ok(1));
        let raw = Arc::into_raw(Arc::new(5));
        // SAFETY: the address is of `into_raw`, and both ownerships are taken back.
        unsafe {
            Arc::increment_strong_count(raw);
            let a = Arc::from_raw(raw);
            assert_eq!((*a, Arc::strong_count(&a)), (5, 2));
            Arc::decrement_strong_count(raw);
            assert_eq!(Arc::strong_count(&a), 1);
        }
        let unsized_value: Arc<dyn Fn() -> u8> = Arc::from_std(HostArc::new(|| 3));
        assert_eq!(unsized_value(), 3);
        assert_eq!(*Arc::pin(4), 4);
    });
}

#[test]
fn what_owners_did_is_ordered_before_the_drop() {
    struct Shared(UnsafeCell<u8>);
    // SAFETY: a model's threads are one thread of the host.
    unsafe impl Sync for Shared {}
    impl Drop for Shared {
        fn drop(&mut self) {
            self.0.with_mut(|_| {});
        }
    }
    let run = || {
        let a = Arc::new(Shared(UnsafeCell::new(0)));
        let b = a.clone();
        two(move || a.0.with(|_| {}), move || b.0.with(|_| {}));
        String::new()
    };
    let (stats, _) = outcomes(run);
    assert!(stats.executions >= 2);
    let mut builder = Builder::new();
    builder.counted_arcs = false;
    let failure = crate::common::try_outcomes_with(&builder, run).0.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Race, "an owner that is not counted orders nothing");
}

struct Records(&'static str);

std::thread_local! { static DROPS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) }; }

impl Drop for Records {
    fn drop(&mut self) {
        let by = thread::current().id();
        let again = FIRST.try_with(|_| ()).is_ok();
        DROPS.with(|drops| drops.borrow_mut().push(format!("{} {by:?} {again}", self.0)));
    }
}

thread_local! {
    static FIRST: Records = Records("first");
    static SECOND: Records = Records("second");
}

#[test]
fn thread_locals_are_dropped_at_the_end_of_their_thread() {
    Builder::new()
        .explore(|| {
            DROPS.with(|drops| drops.borrow_mut().clear());
            thread::spawn(|| {
                FIRST.with(|_| ());
                SECOND.with(|_| ());
            })
            .join()
            .unwrap();
            let drops = DROPS.with(|drops| drops.borrow().clone());
            assert_eq!(drops, ["second ThreadId(1) true", "first ThreadId(1) false"]);
        })
        .unwrap();
}

lazy_static! {
    /// A static of the model.
    static ref LIST: Mutex<Vec<usize>> = Mutex::new(vec![0]);
}

#[test]
fn lazy_statics_are_made_once_an_execution() {
    let (stats, seen) = outcomes(|| {
        two(|| LIST.lock().unwrap().push(1), || LIST.lock().unwrap().push(2));
        format!("{:?}", LIST.lock().unwrap())
    });
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["[0, 1, 2]", "[0, 2, 1]"]);
    // Who makes it, and who has the mutex first.
    assert_eq!(stats.executions, 4);
}

lazy_static! {
    /// Another one, which nobody changes.
    static ref NUMBER: usize = 7;
}

#[test]
fn lazy_statics_cost_the_executions_of_who_is_first() {
    // Not those of what a thread reads on the way, nor the orders of those that come later.
    let (stats, _) = outcomes(|| {
        let threads = [(); 3].map(|()| thread::spawn(|| *NUMBER + *NUMBER));
        let sums = threads.map(|thread| thread.join().unwrap());
        format!("{sums:?}")
    });
    assert_eq!(stats.executions, 3);
}

#[test]
fn a_loop_that_waits_ends_by_its_turns_whatever_they_do() {
    // A turn takes a lock and gives it back; or it writes what was there before.
    type Turn = fn(&(AtomicUsize, AtomicBool)) -> bool;
    let turns: [(&str, Turn); 2] = [
        ("lock", |shared| {
            assert!(!shared.1.swap(true, Acquire));
            let value = shared.0.load(Acquire);
            shared.1.store(false, Release);
            value == 1
        }),
        ("swap", |shared| shared.0.swap(0, AcqRel) == 1),
    ];
    for (name, turn) in turns {
        let stats = Builder::new().explore(move || {
            let shared = HostArc::new((AtomicUsize::new(0), AtomicBool::new(false)));
            let other = HostArc::clone(&shared);
            let setter = thread::spawn(move || other.0.fetch_add(1, AcqRel));
            while !turn(&shared) {
                thread::yield_now();
            }
            setter.join().unwrap();
        });
        let stats = stats.unwrap();
        // The wait is over at once, or after one, two or three turns.
        assert_eq!((stats.executions, stats.blocked), (4, 1), "{name}: {stats}");
        assert!(matches!(stats.bounds_met[..], [Bound::Turns { turns: 4, .. }]), "{name}: {stats}");
    }
}

#[test]
fn a_future_is_woken() {
    let (_, seen) = outcomes(|| {
        let shared = HostArc::new((AtomicWaker::new(), AtomicUsize::new(0)));
        let other = HostArc::clone(&shared);
        let setter = thread::spawn(move || {
            other.1.store(7, Release);
            other.0.wake();
        });
        let value = block_on(poll_fn(|context| {
            shared.0.register_by_ref(context.waker());
            match shared.1.load(Acquire) {
                0 => Poll::Pending,
                value => Poll::Ready(value),
            }
        }));
        setter.join().unwrap();
        value.to_string()
    });
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["7"]);
}

#[test]
fn channels_say_who_is_gone() {
    model(|| {
        let (sender, receiver) = mpsc::channel();
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        sender.send(1).unwrap();
        assert_eq!(receiver.try_recv(), Ok(1));
        drop(sender);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
        assert!(receiver.recv().is_err());
        let (sender, receiver) = mpsc::channel();
        drop(receiver);
        assert_eq!(sender.send(2).unwrap_err().0, 2);
    });
}

#[test]
fn locks_of_one_thread() {
    model(|| {
        let mut mutex = Mutex::new(1);
        assert!(mutex.try_lock().is_ok());
        {
            let _held = mutex.lock().unwrap();
            assert!(mutex.try_lock().is_err());
        }
        *mutex.get_mut().unwrap() += 1;
        assert_eq!(mutex.into_inner().unwrap(), 2);
        let lock = RwLock::new(1);
        {
            let (_a, _b) = (lock.read().unwrap(), lock.try_read().unwrap());
            assert!(lock.try_write().is_err());
        }
        *lock.write().unwrap() += 1;
        assert_eq!(lock.into_inner().unwrap(), 2);
    });
}

#[test]
fn tracked_values_may_be_taken_out() {
    model(|| {
        let mut value = Track::new(1);
        *value.get_mut() += 1;
        assert_eq!(*value.get_ref(), 2);
        assert_eq!(value.into_inner(), 2);
    });
}

#[test]
fn threads_have_names_and_results() {
    model(|| {
        let worker = thread::Builder::new().name("worker".to_owned()).spawn(|| {
            let this = thread::current();
            (this.name().map(str::to_owned), this.id())
        });
        let worker = worker.unwrap();
        assert_eq!(worker.thread().name(), Some("worker"));
        let id = worker.thread().id();
        assert_eq!(worker.join().unwrap(), (Some("worker".to_owned()), id));
        assert_eq!(thread::current().name(), None);
    });
}

#[test]
#[should_panic(expected = "left is not right")]
fn a_failing_model_panics_with_its_message() {
    model(|| {
        let x = HostArc::new(AtomicUsize::new(0));
        let other = HostArc::clone(&x);
        thread::spawn(move || other.store(1, Relaxed));
        assert_eq!(x.load(Relaxed), 0, "left is not right");
    });
}

#[test]
fn a_journal_has_sources_and_orders() {
    let seen = HostArc::new(HostMutex::new(Vec::new()));
    let sink = HostArc::clone(&seen);
    let stats = Builder::new()
        .explore_each(
            || {
                let x = HostArc::new(AtomicUsize::new(5));
                let other = HostArc::clone(&x);
                let writer = thread::spawn(move || other.fetch_add(1, Relaxed));
                x.load(Relaxed);
                writer.join().unwrap();
            },
            move |execution| sink.lock().unwrap().push(execution.journal()),
        )
        .unwrap();
    let journals = seen.lock().unwrap();
    assert_eq!((stats.executions, journals.len()), (2, 2));
    let loads: Vec<_> =
        journals.iter().flat_map(|journal| journal.events().map(|event| event.action.clone())).collect();
    assert!(loads.contains(&Action::Load { value: 5, source: Source::Initial }));
    let write = journals[0].modification_orders[0].writes[0];
    assert_eq!((write.thread, journals[0].modification_orders[0].initial), (1, 5));
    assert!(loads.contains(&Action::Load { value: 6, source: Source::Write(write) }));
    let text = journals[0].to_string();
    assert!(text.contains("fetch_add x0 Relaxed -> 0x5 of the initial value, writes 0x6"), "{text}");
    assert!(text.contains("x0: 0x5 < T1.1  ["), "{text}");
    assert!(journals[0].modification_orders[0].place.file().ends_with("interface.rs"));
    assert_eq!(journals[0].names, [None, None]);
}

#[test]
fn faults_are_injected_by_choices() {
    let (stats, seen) = outcomes_with(&Builder::new(), || {
        let fails = |at: usize| heaplab_explorer::choose(2) == 1 && at != 0;
        format!("{} {}", fails(0), fails(1))
    });
    assert_eq!((stats.executions, seen.len()), (4, 2));
}

#[test]
fn assumptions_leave_executions_out() {
    let (stats, seen) = outcomes(|| {
        let chosen = heaplab_explorer::choose(5);
        heaplab_explorer::assume(chosen != 1 && chosen != 3);
        chosen.to_string()
    });
    assert_eq!((stats.executions, stats.blocked), (3, 2));
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["0", "2", "4"]);
}
