//! Goal: whole heaps of three to eight threads keep their promises in interleavings that no machine would show and that
//! no exhaustive model has room for.
//!
//! Method: the same programs run under two of shuttle's schedulers. *Random* picks any runnable thread at each point.
//! *PCT* gives threads priorities and changes them at `DEPTH - 1` random points, so that it meets each bug that takes
//! `DEPTH` ordered steps with a known probability. Every execution checks contents, closes its heap and has it
//! verified. Canaries that must fail turn this file red when the harness has gone blind. This file certifies nothing:
//! `heaplab::sync` says what this face sees and what it does not.
//!
//! # Running, and replaying a failure
//!
//! ```text
//! cargo test -p heaplab-verify --features shuttle --test shuttle
//! ```
//!
//! The schedules are the same ones every time. `HEAPLAB_SHUTTLE_SCALE=100` runs a hundred times as many executions, and
//! `SHUTTLE_RANDOM_SEED` draws others. A failure prints its schedule, between two quotation marks, below "failing
//! schedule". Put it in a file, without the quotation marks, and name the test that failed:
//!
//! ```text
//! HEAPLAB_SHUTTLE_REPLAY=/tmp/schedule cargo test -p heaplab-verify --features shuttle --test shuttle -- \
//!     --exact programs::random_3_threads
//! ```
//!
//! That runs this one execution, step by step the same. A schedule fits the sources and the profile it was made with.

#![cfg(feature = "shuttle")]

use heaplab::sync::shuttle_config;
use heaplab_common::panics::panic_text;
use shuttle::Runner;
use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Schedule, Scheduler, Task, TaskId};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc as StdArc, Mutex as StdMutex};
use std::time::Instant;

/// Ordered steps that PCT searches for.
const DEPTH: usize = 3;
/// The seed of the schedules.
const SEED: u64 = 0x1ab;

/// A scheduler of this file.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Random,
    Pct,
}

impl Kind {
    fn scheduler(self, executions: usize) -> Box<dyn Scheduler + Send> {
        match self {
            Kind::Random => Box::new(RandomScheduler::new_from_seed(SEED, executions)),
            Kind::Pct => Box::new(PctScheduler::new_from_seed(SEED, DEPTH, executions)),
        }
    }
}

/// Runs `f` in `executions` executions, or replays the one that the environment names. Returns how many ran.
fn run(name: &str, kind: Kind, executions: usize, f: impl Fn() + Send + Sync + 'static) -> usize {
    if let Ok(file) = std::env::var("HEAPLAB_SHUTTLE_REPLAY") {
        let scheduler = ReplayScheduler::new_from_file(&file).expect("HEAPLAB_SHUTTLE_REPLAY names a readable file");
        return Runner::new(scheduler, shuttle_config()).run(f);
    }
    let scale = std::env::var("HEAPLAB_SHUTTLE_SCALE").map_or(1, |scale| scale.parse().expect("a number of times"));
    let start = Instant::now();
    let ran = Runner::new(kind.scheduler(executions * scale), shuttle_config()).run(f);
    let seconds = start.elapsed().as_secs_f64();
    println!("shuttle {name}, {kind:?}: {ran} executions, {seconds:.2} s, {:.0}/s", ran as f64 / seconds);
    ran
}

/// Records the threads that another scheduler picks, execution by execution.
struct Recorder {
    inner: Box<dyn Scheduler + Send>,
    last: StdArc<StdMutex<Schedule>>,
}

impl Scheduler for Recorder {
    fn new_execution(&mut self) -> Option<Schedule> {
        let schedule = self.inner.new_execution()?;
        *self.last.lock().unwrap() = schedule.clone();
        Some(schedule)
    }

    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, is_yielding: bool) -> Option<TaskId> {
        let next = self.inner.next_task(runnable, current, is_yielding)?;
        self.last.lock().unwrap().push_task(next);
        Some(next)
    }

    fn next_u64(&mut self) -> u64 {
        self.last.lock().unwrap().push_random();
        self.inner.next_u64()
    }
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    panic_text(payload).unwrap_or_default().to_owned()
}

/// Runs a program that must fail for `reason`; returns the schedule of the failing execution.
#[track_caller]
fn must_fail(kind: Kind, executions: usize, reason: &str, f: impl Fn() + Send + Sync + 'static) -> Schedule {
    let last = StdArc::new(StdMutex::new(Schedule::default()));
    let scheduler = Recorder { inner: kind.scheduler(executions), last: last.clone() };
    let result = catch_unwind(AssertUnwindSafe(|| Runner::new(scheduler, shuttle_config()).run(f)));
    let message = message_of(result.expect_err("the canary must fail").as_ref());
    assert!(message.contains(reason), "{kind:?}: it fails for another reason: {message}");
    last.lock().unwrap().clone()
}

mod canary {
    //! Programs with one known fault. If one of them passes, no green run of this file means anything.

    use super::{Kind, must_fail};
    use heaplab::sync::{Arc, AtomicU32, Condvar, Mutex, Ordering, thread};
    use heaplab::{CollectionKind, Heap, HeapConfig};
    use shuttle::Runner;
    use shuttle::scheduler::ReplayScheduler;
    use std::panic::catch_unwind;

    const KINDS: [Kind; 2] = [Kind::Random, Kind::Pct];

    /// Two threads add one by a load and a store: an update can be lost between the two.
    fn lost_update() {
        let count = Arc::new(AtomicU32::new(0));
        let other = thread::spawn({
            let count = count.clone();
            move || count.store(count.load(Ordering::SeqCst) + 1, Ordering::SeqCst)
        });
        count.store(count.load(Ordering::SeqCst) + 1, Ordering::SeqCst);
        other.join().unwrap();
        assert_eq!(count.load(Ordering::SeqCst), 2, "an update was lost");
    }

    #[test]
    fn a_lost_update_is_found() {
        for kind in KINDS {
            must_fail(kind, 100, "an update was lost", lost_update);
        }
    }

    /// The control: the same with one read-modify-write is green.
    #[test]
    fn an_atomic_update_is_not_lost() {
        for kind in KINDS {
            super::run("control", kind, 100, || {
                let count = Arc::new(AtomicU32::new(0));
                let other = thread::spawn({
                    let count = count.clone();
                    move || count.fetch_add(1, Ordering::SeqCst)
                });
                count.fetch_add(1, Ordering::SeqCst);
                other.join().unwrap();
                assert_eq!(count.load(Ordering::SeqCst), 2);
            });
        }
    }

    /// A waiter that looks at its condition without holding the lock sleeps for ever when the notification comes
    /// between.
    #[test]
    fn a_lost_wake_up_is_found() {
        for kind in KINDS {
            must_fail(kind, 100, "deadlock", || {
                let shared = Arc::new((Mutex::new(()), Condvar::new(), AtomicU32::new(0)));
                let other = thread::spawn({
                    let shared = shared.clone();
                    move || {
                        shared.2.store(1, Ordering::SeqCst);
                        shared.1.notify_one();
                    }
                });
                if shared.2.load(Ordering::SeqCst) == 0 {
                    drop(shared.1.wait(shared.0.lock()));
                }
                other.join().unwrap();
            });
        }
    }

    /// The embedder's classic mistake: one running thread waits for a lock, unparked, while its holder collects. The
    /// real heap is under the scheduler, or this would not be found.
    #[test]
    fn a_lock_held_over_a_collection_is_found() {
        for kind in KINDS {
            must_fail(kind, 200, "deadlock", || {
                let heap = Heap::new(HeapConfig::tiny()).unwrap();
                let lock = Arc::new(Mutex::new(()));
                let other = thread::spawn({
                    let (heap, lock) = (heap.clone(), lock.clone());
                    move || {
                        let mut attachment = heap.attach().unwrap();
                        attachment.run(|_| drop(lock.lock())).unwrap();
                    }
                });
                let mut attachment = heap.attach().unwrap();
                attachment
                    .run(|scope| {
                        let _held = lock.lock();
                        scope.collect(CollectionKind::Minor).unwrap();
                    })
                    .unwrap();
                other.join().unwrap();
            });
        }
    }

    /// A failing schedule that is replayed, as the only execution, fails again and for the same reason.
    #[test]
    fn a_failure_can_be_replayed() {
        for kind in KINDS {
            let schedule = must_fail(kind, 100, "an update was lost", lost_update);
            let replay = ReplayScheduler::new_from_schedule(schedule);
            let payload = catch_unwind(move || {
                Runner::new(replay, heaplab::sync::shuttle_config()).run(lost_update);
            })
            .expect_err("the replay must fail");
            assert!(super::message_of(payload.as_ref()).contains("an update was lost"));
        }
    }
}

mod programs {
    //! Programs over the public API, with everything that threads can do to a heap at once.

    use super::{Kind, run};
    use heaplab::sync::{Arc, Mutex, thread};
    use heaplab::{
        AllocError, AllocationType, Array, AttachError, Attachment, CollectionKind, Handle, Heap, HeapConfig,
        Persistent, Ref, Reserve, Scope, Shape, SpaceKind, Tail,
    };
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A small linear congruential generator: the same program in every execution, whatever the schedule.
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % bound
        }
    }

    /// Counts of the events that the programs are for, over all executions. The scheduler does not see these
    /// counters, so they add no interleavings.
    #[derive(Debug, Default)]
    struct Marks {
        exhausted: AtomicU64,
        collected: AtomicU64,
        moved: AtomicU64,
        handed_over: AtomicU64,
        refused_to_attach: AtomicU64,
    }

    impl Marks {
        fn hit(mark: &AtomicU64) {
            mark.fetch_add(1, Ordering::Relaxed);
        }

        #[track_caller]
        fn require(&self, marks: &[(&str, &AtomicU64)]) {
            if std::env::var("HEAPLAB_SHUTTLE_REPLAY").is_ok() {
                return;
            }
            for (name, mark) in marks {
                assert_ne!(mark.load(Ordering::Relaxed), 0, "the program never met: {name}");
            }
        }
    }

    /// A heap of `pages` tiny pages beside those of the roots and of new space, for `threads` threads, verified around
    /// each collection.
    fn tiny(pages: usize, threads: usize) -> HeapConfig {
        let mut config = HeapConfig::tiny();
        let page_bytes = config.page_bytes.expect("tiny pages have a fixed size");
        let bytes = (2 + 2 + pages) * page_bytes;
        config.hard_limit_bytes = bytes;
        config.soft_limit_bytes = bytes - 2 * page_bytes;
        config.hard_limit_bytes_max = bytes;
        config.threads_max = threads;
        config.pages_per_thread_min = 1;
        config.verify_heap = true;
        config
    }

    fn numbered<'s>(
        scope: &mut Scope<'s, '_>,
        len: usize,
        ty: AllocationType,
        number: usize,
    ) -> Result<Handle<'s, Array>, AllocError> {
        let array = scope.new_array_in(1 + len, ty)?;
        scope.store(scope.get(array), 0, Ref::small(number as i32).expect("31 bits"));
        Ok(array)
    }

    fn number(scope: &Scope<'_, '_>, array: Ref<'_, Array>) -> usize {
        scope.load(array, 0).as_small().expect("a number") as usize
    }

    /// Objects on their way from one thread to another, with the numbers they hold.
    type Mailbox = Arc<Mutex<Vec<(Persistent<Array>, usize)>>>;

    /// Slots of the table that a thread keeps its objects in.
    const TABLE: usize = 3;

    /// One thread's program: `steps` random steps over every type of object, every kind of collection and every way to
    /// stop or to let others stop. Its table must hold what it put there.
    fn steps(
        scope: &mut Scope<'_, '_>,
        random: &mut Random,
        steps: usize,
        mailbox: &Mailbox,
        marks: &Marks,
    ) -> Result<(), AllocError> {
        let table = scope.new_array_in(TABLE, AllocationType::Old)?;
        let mut held = [None; TABLE];
        for _ in 0..steps {
            let (slot, id) = (random.below(TABLE), random.below(1 << 20));
            match random.below(14) {
                0..=3 => {
                    let ty = if random.below(2) == 0 { AllocationType::Young } else { AllocationType::Old };
                    // Now and then more than half a page, which is a large object.
                    let len = if random.below(4) == 0 { 20 } else { random.below(8) };
                    scope.nested(|scope| {
                        let object = numbered(scope, len, ty, id)?;
                        scope.store(scope.get(table), slot, scope.get(object).into());
                        Ok(())
                    })?;
                    held[slot] = Some(id);
                }
                4 => scope.nested(|scope| {
                    let map = scope.new_map(Shape::new(16, 4, 2, Tail::None)?)?;
                    let record = scope.new_record(map)?;
                    scope.store_raw(scope.get(record), 0, id as u32);
                    scope.collect(CollectionKind::Minor).unwrap();
                    assert_eq!(scope.load_raw(scope.get(record), 0), id as u32);
                    Ok(())
                })?,
                5 => scope.nested(|scope| {
                    let (code, bytes) = (scope.new_code(9)?, scope.new_bytes(5)?);
                    scope.write_code(scope.get(code), 0, b"ret");
                    scope.write_bytes(scope.get(bytes), 1, b"xyz");
                    scope.poll();
                    let mut read = [0; 3];
                    scope.read_code(scope.get(code), 0, &mut read);
                    assert_eq!(&read, b"ret");
                    scope.read_bytes(scope.get(bytes), 1, &mut read);
                    assert_eq!(&read, b"xyz");
                    Ok(())
                })?,
                6 => {
                    scope.store(scope.get(table), slot, scope.undefined());
                    held[slot] = None;
                }
                7 => scope.collect(CollectionKind::ALL[random.below(3)]).unwrap(),
                8 => {
                    let _wasted = scope.simulate_full_space(SpaceKind::ALL[random.below(5)]);
                }
                9 => scope.poll(),
                10 => scope.park(thread::yield_now),
                11 => scope.nested(|scope| {
                    let object = numbered(scope, 1, AllocationType::Young, id)?;
                    let persistent = scope.persist(object);
                    scope.park(|| mailbox.lock().push((persistent, id)));
                    Ok(())
                })?,
                12 => {
                    let letter = scope.park(|| mailbox.lock().pop());
                    if let Some((persistent, id)) = letter {
                        scope.nested(|scope| {
                            let object = scope.open(&persistent).expect("of this heap");
                            drop(persistent);
                            scope.poll();
                            assert_eq!(number(scope, scope.get(object)), id, "a letter was changed on its way");
                        });
                        Marks::hit(&marks.handed_over);
                    }
                }
                _ => {
                    let reserve = Reserve { old_pages: 1, ..Reserve::default() };
                    let granted = scope.always_allocate(reserve, |scope| {
                        let before = scope.own_requests();
                        let object = scope.new_array_in(4, AllocationType::Old);
                        assert!(object.is_ok(), "the reserve holds it");
                        assert_eq!(
                            scope.own_requests().collections,
                            before.collections,
                            "inside, nothing is asked for"
                        );
                    });
                    if granted.is_err() {
                        Marks::hit(&marks.exhausted);
                    }
                }
            }
            for (slot, &id) in held.iter().enumerate() {
                let array = scope.downcast::<Array>(scope.load(scope.get(table), slot));
                assert_eq!(array.map(|array| number(scope, array)), id, "slot {slot} of a thread's own table");
            }
        }
        Ok(())
    }

    /// Lets the result of one thread's program pass if it is success or exhausted memory, and panics for any other
    /// error.
    fn tolerate(result: Result<(), AllocError>, marks: &Marks) {
        match result {
            Ok(()) => {}
            Err(AllocError::OutOfMemory { .. }) => Marks::hit(&marks.exhausted),
            Err(error) => panic!("{error}"),
        }
    }

    /// Attaches, waiting for a place.
    fn attach(heap: &Heap, marks: &Marks) -> Attachment {
        loop {
            match heap.attach() {
                Ok(attachment) => return attachment,
                Err(AttachError::TooManyThreads { .. }) => Marks::hit(&marks.refused_to_attach),
                Err(error) => panic!("{error}"),
            }
            thread::yield_now();
        }
    }

    /// Verifies the heap a last time, after all threads have gone, and checks that it can still be used.
    fn close(heap: Heap, marks: &Marks) {
        let mut attachment = heap.attach().expect("every other thread has gone");
        attachment
            .run(|scope| {
                scope.collect(CollectionKind::MemoryReducing).unwrap();
                scope.nested(|scope| numbered(scope, 4, AllocationType::Young, 1).map(drop))
            })
            .expect("the heap is not poisoned")
            .expect("a heap with nothing alive has room");
        drop(attachment);
        let statistics = heap.statistics().expect("nothing runs");
        assert_eq!(statistics.attached, 0);
        marks.collected.fetch_add(statistics.collections.iter().sum(), Ordering::Relaxed);
        let moved = statistics.moved;
        let moved_bytes = moved.survived_bytes + moved.promoted_bytes + moved.evacuated_bytes;
        marks.moved.fetch_add(moved_bytes as u64, Ordering::Relaxed);
        let verification = heap.close().map_err(|(_, error)| error).expect("nobody is attached");
        assert!(verification.is_sound(), "{}", verification.describe());
    }

    /// `threads` threads, each attaching twice, to a heap with `places` for them and `pages` pages.
    fn everything_at_once(kind: Kind, [threads, places, pages]: [usize; 3], executions: usize) {
        let marks = Arc::new(Marks::default());
        run(&format!("everything, {threads} threads"), kind, executions, {
            let marks = marks.clone();
            move || {
                let heap = Heap::new(tiny(pages, places)).expect("the world is well-formed");
                let mailbox: Mailbox = Arc::new(Mutex::new(Vec::new()));
                let workers: Vec<_> = (0..threads)
                    .map(|index| {
                        let (heap, mailbox, marks) = (heap.clone(), mailbox.clone(), marks.clone());
                        thread::spawn(move || {
                            let mut random = Random(index as u64 + 1);
                            for _ in 0..2 {
                                let mut attachment = attach(&heap, &marks);
                                let result = attachment.run(|scope| steps(scope, &mut random, 6, &mailbox, &marks));
                                tolerate(result.expect("not poisoned, not running"), &marks);
                            }
                        })
                    })
                    .collect();
                for worker in workers {
                    worker.join().unwrap();
                }
                mailbox.lock().clear();
                close(heap, &marks);
            }
        });
        println!("{marks:?}");
        marks.require(&[
            ("a collection", &marks.collected),
            ("a moved object", &marks.moved),
            ("exhausted memory", &marks.exhausted),
            ("an object handed from thread to thread", &marks.handed_over),
            ("a refusal to attach", &marks.refused_to_attach),
        ]);
    }

    const FEW: [usize; 3] = [3, 2, 3];
    const MANY: [usize; 3] = [8, 4, 6];

    #[test]
    fn random_3_threads() {
        everything_at_once(Kind::Random, FEW, 1500);
    }

    #[test]
    fn pct_3_threads() {
        everything_at_once(Kind::Pct, FEW, 1500);
    }

    #[test]
    fn random_8_threads() {
        everything_at_once(Kind::Random, MANY, 400);
    }

    #[test]
    fn pct_8_threads() {
        everything_at_once(Kind::Pct, MANY, 400);
    }

    /// Every thread allocates until nothing fits, and keeps all of it: each gets an error, no thread hangs, and
    /// afterwards the heap is as good as new.
    fn all_run_out(kind: Kind) {
        let marks = Arc::new(Marks::default());
        run("all run out", kind, 500, {
            let marks = marks.clone();
            move || {
                let heap = Heap::new(tiny(6, 3)).expect("the world is well-formed");
                let types = [AllocationType::Old, AllocationType::Young, AllocationType::Code];
                let workers: Vec<_> = types
                    .into_iter()
                    .map(|ty| {
                        let (heap, marks) = (heap.clone(), marks.clone());
                        thread::spawn(move || {
                            let mut attachment = heap.attach().expect("there are three places");
                            let result = attachment.run(|scope| {
                                loop {
                                    let result = match ty {
                                        AllocationType::Code => scope.new_code(50).map(drop),
                                        ty => scope.new_array_in(12, ty).map(drop),
                                    };
                                    if let Err(error) = result {
                                        return error;
                                    }
                                }
                            });
                            tolerate(Err(result.expect("not poisoned, not running")), &marks);
                        })
                    })
                    .collect();
                for worker in workers {
                    worker.join().unwrap();
                }
                close(heap, &marks);
            }
        });
        marks.require(&[("exhausted memory", &marks.exhausted), ("a collection", &marks.collected)]);
    }

    #[test]
    fn all_run_out_random() {
        all_run_out(Kind::Random);
    }

    #[test]
    fn all_run_out_pct() {
        all_run_out(Kind::Pct);
    }

    /// Flags are switched, spaces filled and the heap is verified from a thread that is not attached, while others run.
    fn control_from_outside(kind: Kind) {
        let marks = Arc::new(Marks::default());
        run("control from outside", kind, 500, {
            let marks = marks.clone();
            move || {
                let heap = Heap::new(tiny(10, 3)).expect("the world is well-formed");
                let mailbox: Mailbox = Arc::new(Mutex::new(Vec::new()));
                let workers: Vec<_> = (0..2)
                    .map(|index| {
                        let (heap, mailbox, marks) = (heap.clone(), mailbox.clone(), marks.clone());
                        thread::spawn(move || {
                            let mut random = Random(index + 11);
                            // Refused while concurrent allocation is off and the other thread is attached; then this
                            // one does nothing.
                            if let Ok(mut attachment) = heap.attach() {
                                let result = attachment.run(|scope| steps(scope, &mut random, 5, &mailbox, &marks));
                                tolerate(result.expect("not poisoned, not running"), &marks);
                            }
                        })
                    })
                    .collect();
                let _ = heap.set_concurrent_allocation(false);
                heap.set_gc_interval(3).expect("nothing is poisoned");
                heap.simulate_full_space(SpaceKind::New).expect("nothing is poisoned");
                heap.set_concurrent_allocation(true).expect("that is always possible");
                heap.collect(CollectionKind::Minor).expect("nothing is poisoned");
                let verification = heap.verify().expect("nothing is poisoned");
                assert!(verification.is_sound(), "{}", verification.describe());
                heap.simulate_full_space(SpaceKind::Old).expect("nothing is poisoned");
                // The stress thread starts if there is a place for it; switching the flag off joins the thread.
                let _ = heap.set_stress_concurrent_allocation(true);
                heap.collect(CollectionKind::MemoryReducing).expect("nothing is poisoned");
                heap.set_stress_concurrent_allocation(false).expect("nothing is poisoned");
                for worker in workers {
                    worker.join().unwrap();
                }
                mailbox.lock().clear();
                close(heap, &marks);
            }
        });
        marks.require(&[("a collection", &marks.collected), ("a moved object", &marks.moved)]);
    }

    #[test]
    fn control_from_outside_random() {
        control_from_outside(Kind::Random);
    }

    #[test]
    fn control_from_outside_pct() {
        control_from_outside(Kind::Pct);
    }
}
