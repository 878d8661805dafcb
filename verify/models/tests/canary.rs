//! Canaries: models that must fail, and the runner's own rules.
//!
//! Goal: a checker that has gone blind, or a runner that calls a broken run green, turns this file red. Method: each
//! test runs a tiny world with one known fault through the runner, and asserts that it is red for the stated reason.

#[cfg(not(feature = "loom"))]
mod native {
    use heaplab_checker::model::{Spec, model, try_model};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// The smoke run repeats the model as often as it is told, and certifies nothing.
    #[test]
    fn smoke_run_repeats_and_certifies_nothing() {
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = runs.clone();
        let certificates = model("smoke", Spec::two_threads().smoke_runs(17), move || {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(runs.load(Ordering::Relaxed), 17);
        assert!(certificates.is_empty());
    }

    /// A failing smoke run is red.
    #[test]
    #[should_panic(expected = "the sky falls")]
    fn smoke_run_lets_a_panic_through() {
        model("panics", Spec::two_threads(), || panic!("the sky falls"));
    }

    /// The limit on threads is the same with and without the checker.
    #[test]
    fn six_threads_are_refused() {
        let failure = try_model("six", Spec::bounded(6, 2), || {}).unwrap_err();
        assert!(failure.to_string().contains("it declares 6 threads"), "{failure}");
    }
}

#[cfg(feature = "loom")]
mod explored {
    use heaplab::sync::model_control::{
        self, Action, Change, Mutant, Operand, Pass, SiteUse, set_mutant, start_journal, start_sites, take_journal,
        take_sites,
    };
    use heaplab::sync::{
        Arc, AtomicBool, AtomicU32, Condvar, ExploreOptions, GraphName, HeapWord, Mutex, Ordering, UnsafeCell, explore,
        replay, thread,
    };
    use heaplab_checker::model::{Fault, ModelFailure, Spec, model, try_model};
    use std::collections::BTreeSet;
    use std::panic::catch_unwind;

    use Ordering::{Acquire, Relaxed, Release};

    /// Runs a model that must be red, and checks for what.
    #[track_caller]
    fn must_fail_in(spec: Spec, pass: Pass, reason: &str, f: impl Fn() + Send + Sync + 'static) -> ModelFailure {
        let failure = try_model("canary", spec, f).expect_err("the canary must fail");
        assert_eq!(failure.pass, Some(pass), "{failure}");
        assert!(failure.message.contains(reason), "{failure}");
        failure
    }

    /// The model, left to loom.
    fn to_loom(spec: Spec) -> Spec {
        spec.loom_only("its verdict is what is asked for")
    }

    /// Runs a model that each engine must find red: the explorer for the first reason, loom in a pass for the second.
    #[track_caller]
    fn must_fail(spec: Spec, pass: Pass, reasons: [&str; 2], f: impl Fn() + Send + Sync + Copy + 'static) {
        must_fail_in(spec, Pass::Graphs, reasons[0], f);
        must_fail_in(to_loom(spec), pass, reasons[1], f);
    }

    /// What the engines call a race.
    const RACE: [&str; 2] = ["data race", "Causality violation"];

    /// One thread fills a cell and raises a flag; the other reads the cell when it sees the flag.
    fn publish_through_a_cell(raise: Ordering, look: Ordering) {
        struct Shared {
            cell: UnsafeCell<u32>,
            flag: AtomicBool,
        }
        let shared = Arc::new(Shared { cell: UnsafeCell::new(0), flag: AtomicBool::new(false) });
        let writer = thread::spawn({
            let shared = shared.clone();
            move || {
                // SAFETY: deliberately not upheld by a relaxed flag; the model checks it.
                unsafe { shared.cell.with_mut(|value| *value = 1) };
                shared.flag.store(true, raise);
            }
        });
        if shared.flag.load(look) {
            // SAFETY: as above.
            assert_eq!(unsafe { shared.cell.with(|value| *value) }, 1);
        }
        writer.join().unwrap();
    }

    /// `load; CAS` against `load`. The assertion is false in one interleaving, which the normal pass never visits.
    fn load_cas_against_load() {
        let word = Arc::new(AtomicU32::new(0));
        let other = thread::spawn({
            let word = word.clone();
            move || {
                let seen = word.load(Relaxed);
                let _ = word.compare_exchange(seen, seen + 1, Relaxed, Relaxed);
            }
        });
        let seen = word.load(Relaxed);
        other.join().unwrap();
        assert_eq!(seen, 0, "the load came after the exchange");
    }

    #[test]
    fn relaxed_publication_is_a_race() {
        must_fail(Spec::two_threads(), Pass::Normal, RACE, || {
            publish_through_a_cell(Relaxed, Relaxed);
        });
    }

    #[test]
    fn release_alone_is_a_race() {
        must_fail(Spec::two_threads(), Pass::Normal, RACE, || {
            publish_through_a_cell(Release, Relaxed);
        });
    }

    #[test]
    fn acquire_alone_is_a_race() {
        must_fail(Spec::two_threads(), Pass::Normal, RACE, || {
            publish_through_a_cell(Relaxed, Acquire);
        });
    }

    /// The control: with both orderings the same world is green, in each pass.
    #[test]
    fn release_and_acquire_publish() {
        let certificates = model("publish", Spec::two_threads(), || {
            publish_through_a_cell(Release, Acquire);
        });
        assert_eq!(certificates.len(), 3);
    }

    /// loom's first pass is green although an assertion must fail, and the second one is red, as the explorer's is.
    #[test]
    fn of_loom_only_the_second_pass_sees_a_load_before_a_cas() {
        let reasons = ["the load came after the exchange"; 2];
        must_fail(Spec::two_threads(), Pass::ReadAsRmw, reasons, load_cas_against_load);
        let blind = to_loom(Spec::two_threads()).normal_only("shows that this pass alone is blind here");
        let certificates = model("blind", blind, load_cas_against_load);
        assert_eq!(certificates.len(), 1);
    }

    /// A plain write of a heap word that races with an atomic read of it.
    #[test]
    fn plain_access_to_a_shared_heap_word_is_a_race() {
        must_fail(Spec::two_threads(), Pass::Normal, RACE, || {
            let word = Arc::new(HeapWord::new(0));
            let other = thread::spawn({
                let word = word.clone();
                move || word.load(Acquire)
            });
            // SAFETY: deliberately not upheld; the model checks it.
            unsafe { word.unsync_store(1) };
            other.join().unwrap();
        });
    }

    /// A heap word that is read plainly by two threads is no race, in either pass: no read takes the form of a write.
    #[test]
    fn plain_reads_of_a_heap_word_are_no_race() {
        model("plain_reads", Spec::two_threads(), || {
            let word = Arc::new(HeapWord::new(7));
            let other = thread::spawn({
                let word = word.clone();
                move || word.load(Relaxed)
            });
            // SAFETY: nobody stores.
            assert_eq!(unsafe { word.unsync_load() }, 7);
            assert_eq!(other.join().unwrap(), 7);
        });
    }

    #[test]
    fn a_truncated_exploration_is_red() {
        let spec = Spec::two_threads().executions_max(3);
        for (spec, pass) in [(spec, Pass::Graphs), (to_loom(spec), Pass::Normal)] {
            let failure = must_fail_in(spec, pass, "truncated", three_stores_against_three_loads);
            assert_eq!(failure.executions, 3, "the limit is exact");
        }
    }

    /// A limit that is exactly as large as the exploration is no truncation.
    #[test]
    fn a_limit_that_is_not_met_is_no_truncation() {
        for pass in Pass::ALL {
            let options = ExploreOptions { pass, ..ExploreOptions::default() };
            let all = explore(&options, three_stores_against_three_loads);
            assert!(all.is_complete());
            let options = ExploreOptions { executions_max: Some(all.executions), ..options };
            let limited = explore(&options, three_stores_against_three_loads);
            assert!(limited.is_complete());
            assert_eq!(limited.executions, all.executions);
        }
    }

    fn three_stores_against_three_loads() {
        let word = Arc::new(AtomicU32::new(0));
        let other = thread::spawn({
            let word = word.clone();
            move || (1..=3).for_each(|value| word.store(value, Relaxed))
        });
        for _ in 0..3 {
            let _ = word.load(Relaxed);
        }
        other.join().unwrap();
    }

    #[test]
    fn a_panic_in_another_thread_is_red() {
        must_fail(Spec::two_threads(), Pass::Normal, ["T1 panicked: elsewhere", "elsewhere"], || {
            thread::spawn(|| panic!("elsewhere")).join().unwrap();
        });
    }

    #[test]
    fn a_deadlock_is_red() {
        must_fail(Spec::two_threads(), Pass::Normal, ["which T1 holds; T1 waits for", "deadlock"], || {
            let locks = Arc::new((Mutex::new(()), Mutex::new(())));
            let other = thread::spawn({
                let locks = locks.clone();
                move || {
                    let _first = locks.0.lock();
                    let _second = locks.1.lock();
                }
            });
            {
                let _first = locks.1.lock();
                let _second = locks.0.lock();
            }
            other.join().unwrap();
        });
    }

    #[test]
    fn a_spin_that_does_not_yield_is_red() {
        let spec = Spec::two_threads().branches_max(100);
        must_fail(spec, Pass::Normal, ["T0 has 100 events", "maximum number of branches"], || {
            let flag = Arc::new(AtomicBool::new(false));
            let other = thread::spawn({
                let flag = flag.clone();
                move || flag.store(true, Release)
            });
            while !flag.load(Acquire) {}
            other.join().unwrap();
        });
    }

    fn spawn_and_join(count: usize) {
        let handles: Vec<_> = (0..count).map(|_| thread::spawn(|| {})).collect();
        for handle in handles {
            handle.join().unwrap();
        }
    }

    #[test]
    fn six_threads_are_refused_by_name() {
        let failure = try_model("six", Spec::bounded(6, 2), || spawn_and_join(5)).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "model six cannot run: it declares 6 threads; a model has 1 to 5, its first included"
        );
    }

    #[test]
    fn more_threads_than_declared_are_red() {
        let reason = "starts thread number 6, but may have 5";
        must_fail(Spec::bounded(5, 2), Pass::Normal, [reason; 2], || spawn_and_join(5));
    }

    #[test]
    fn fewer_threads_than_declared_are_red() {
        let reason = "declares 3 threads and never ran more than 2";
        must_fail(Spec::bounded(3, 2), Pass::Normal, [reason; 2], || spawn_and_join(1));
    }

    #[test]
    fn the_message_names_model_pass_bound_and_executions() {
        let message = |spec: Spec| {
            let payload = catch_unwind(move || {
                model("named", spec, || {
                    spawn_and_join(1);
                    panic!("inner failure");
                });
            });
            payload.unwrap_err().downcast_ref::<String>().unwrap().clone()
        };
        let line = line!() - 5;
        assert_eq!(
            message(to_loom(Spec::bounded(2, 3))),
            "model named fails in the normal pass (at most 3 preemptions) after 1 executions: inner failure"
        );
        let place = format!("{}:{line}:21", file!());
        assert_eq!(
            message(Spec::bounded(2, 3)),
            format!(
                "model named fails in the graphs pass (unbounded) after 1 executions: assertion: T0 panicked: inner \
                 failure\n  at {place}"
            )
        );
    }

    /// A failed exploration leaves nothing behind that would change the next one on the same thread.
    #[test]
    fn a_failure_leaves_no_state_behind() {
        for _ in 0..2 {
            let reasons = ["the load came after the exchange"; 2];
            must_fail(Spec::two_threads(), Pass::ReadAsRmw, reasons, load_cas_against_load);
            assert_eq!(model_control::pass(), Pass::Normal);
            let again = explore(&ExploreOptions::default(), load_cas_against_load);
            assert!(again.is_complete(), "the normal pass is blind here: {again:?}");
            assert_eq!(again.executions, 1);
        }
    }

    /// Explores `f` under each mutant of its sites that `choose` wants. Returns how many there are, and those that
    /// survive.
    fn survivors(
        options: &ExploreOptions,
        choose: impl Fn(&Mutant) -> bool,
        f: impl Fn() + Send + Sync + Copy + 'static,
    ) -> (usize, Vec<Mutant>) {
        start_sites();
        assert!(explore(options, f).is_complete());
        let mutants: Vec<Mutant> = take_sites().iter().flat_map(SiteUse::mutants).filter(choose).collect();
        let mut survivors = Vec::new();
        for &mutant in &mutants {
            let guard = set_mutant(mutant);
            let exploration = explore(options, f);
            assert!(guard.hits() > 0, "{mutant} touched nothing");
            if exploration.outcome.is_ok() {
                survivors.push(mutant);
            }
        }
        assert!(explore(options, f).is_complete(), "a mutant ends with its guard");
        (mutants.len(), survivors)
    }

    /// Each ordering of a correct protocol is found by the register, and the protocol fails when it is weakened.
    #[test]
    fn every_weakened_ordering_of_a_publication_is_killed() {
        let is_ordering = |mutant: &Mutant| mutant.change.is_of_ordering();
        let program = || publish_through_a_cell(Release, Acquire);
        for pass in [Pass::Graphs, Pass::Normal] {
            let options = ExploreOptions { pass, ..ExploreOptions::default() };
            assert_eq!(survivors(&options, is_ordering, program), (2, vec![]), "{pass}");
        }
    }

    /// Two threads add twice under a lock taken by exchange; the last one out says so and is waited for.
    fn count_and_signal() {
        struct Shared {
            is_held: AtomicBool,
            count: UnsafeCell<u32>,
            done: AtomicU32,
            gate: (Mutex<bool>, Condvar),
        }
        let shared = Arc::new(Shared {
            is_held: AtomicBool::new(false),
            count: UnsafeCell::new(0),
            done: AtomicU32::new(0),
            gate: (Mutex::new(false), Condvar::new()),
        });
        let add = |shared: &Shared| {
            while shared.is_held.compare_exchange(false, true, Acquire, Relaxed).is_err() {
                thread::yield_now();
            }
            // SAFETY: the flag excludes; the model checks it.
            unsafe { shared.count.with_mut(|count| *count += 1) };
            shared.is_held.swap(false, Release);
            if shared.done.fetch_add(1, Relaxed) == 3 {
                *shared.gate.0.lock() = true;
                shared.gate.1.notify_one();
            }
        };
        let other = thread::spawn({
            let shared = shared.clone();
            move || {
                add(&shared);
                add(&shared);
            }
        });
        add(&shared);
        add(&shared);
        let mut is_open = shared.gate.0.lock();
        while !*is_open {
            is_open = shared.gate.1.wait(is_open);
        }
        drop(is_open);
        other.join().unwrap();
        // SAFETY: both have ended.
        assert_eq!(unsafe { shared.count.with(|count| *count) }, 4);
    }

    /// Each kind of change is a real one: the protocol notices it, but for the changes that make no other program.
    #[test]
    fn changed_steps_of_a_protocol_are_killed() {
        let is_protocol = |mutant: &Mutant| !mutant.change.is_of_ordering();
        let expected = [
            // The holder writes once more what it wrote.
            (Operand::CasSuccess, Change::Double),
            // A lock that is given back by exchange may as well be given back by a load and a store, since its holder
            // is alone in changing it; and the next publication comes before anything that depends on it.
            (Operand::Rmw, Change::Split),
            (Operand::Rmw, Change::Postpone),
            // Nobody waits who could be woken twice.
            (Operand::Notify, Change::Double),
            // The notification comes after the unlock instead of before it.
            (Operand::Notify, Change::Postpone),
        ];
        // Under loom: of a loop that yields, which may give up by itself, the explorer sees a bounded number of turns.
        let options = ExploreOptions { preemption_bound: Some(2), branches_max: 500, ..ExploreOptions::default() };
        let (tried, survivors) = survivors(&options, is_protocol, count_and_signal);
        assert_eq!(tried, 4 + 4 + 4 + 3, "an exchange, a swap, an addition and a notification");
        let changes: Vec<_> = survivors.iter().map(|mutant| (mutant.operand, mutant.change)).collect();
        assert_eq!(changes, expected);
    }

    /// A postponed exchange happens right after the next publication: not earlier, not later, and always.
    #[test]
    fn a_postponed_exchange_trades_places_with_the_next_one() {
        let outcomes = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
        let seen = outcomes.clone();
        let program = move || {
            let words = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
            let other = thread::spawn({
                let words = words.clone();
                move || {
                    let late = words.1.fetch_or(0, Acquire);
                    (late, words.0.fetch_or(0, Acquire))
                }
            });
            words.0.swap(1, Release);
            words.1.swap(1, Release);
            seen.lock().unwrap().insert(other.join().unwrap());
            assert_eq!((words.0.fetch_or(0, Relaxed), words.1.fetch_or(0, Relaxed)), (1, 1), "nothing is lost");
        };
        for pass in [Pass::Graphs, Pass::Normal] {
            let options = ExploreOptions { pass, ..ExploreOptions::default() };
            start_sites();
            assert!(explore(&options, program.clone()).is_complete());
            let swaps: Vec<_> = take_sites().into_iter().filter(|site| site.written == Release).collect();
            assert_eq!(swaps.len(), 2, "two exchanges: {swaps:?}");
            assert_eq!(std::mem::take(&mut *outcomes.lock().unwrap()), BTreeSet::from([(0, 0), (0, 1), (1, 1)]));

            let guard = set_mutant(Mutant { site: swaps[0].site, operand: Operand::Rmw, change: Change::Postpone });
            let exploration = explore(&options, program.clone());
            assert!(exploration.is_complete(), "{:?}", exploration.outcome);
            assert!(guard.hits() > 0);
            // The reader looks at the second word first, so (1, 0) is what only the other order allows.
            let changed = std::mem::take(&mut *outcomes.lock().unwrap());
            assert_eq!(changed, BTreeSet::from([(0, 0), (0, 1), (1, 0), (1, 1)]), "{pass}");
        }
    }

    /// A fault strikes each attempt in some execution, never two of one execution, and none in another.
    #[test]
    fn a_fault_strikes_once_at_any_point_or_never() {
        let outcomes = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
        let seen = outcomes.clone();
        let spec = Spec::bounded(1, 2).with_fault(Fault::WeakExchange);
        model("fault", spec, move || {
            let word = AtomicU32::new(0);
            let failed = [1, 2, 3].map(|next| word.compare_exchange_weak(next - 1, next, Relaxed, Relaxed).is_err());
            seen.lock().unwrap().insert(failed);
        });
        let outcomes = std::mem::take(&mut *outcomes.lock().unwrap());
        // After a failure the word is not what the later exchanges expect.
        let expected = [[false; 3], [true; 3], [false, true, true], [false, false, true]];
        assert_eq!(outcomes, BTreeSet::from(expected));
    }

    /// A fault strikes in every thread, and costs no thread: the model may have as many as any other.
    #[test]
    fn a_fault_strikes_in_each_thread() {
        let outcomes = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
        let seen = outcomes.clone();
        let spec = Spec::bounded(5, 2).with_fault(Fault::WeakExchange);
        model("fault", spec, move || {
            let fails = || AtomicU32::new(0).compare_exchange_weak(0, 1, Relaxed, Relaxed).is_err();
            let others: Vec<_> = (0..4).map(|_| thread::spawn(fails)).collect();
            let mine = fails();
            let failed: Vec<_> = others.into_iter().map(|other| other.join().unwrap()).collect();
            seen.lock().unwrap().insert((mine, failed));
        });
        let outcomes = std::mem::take(&mut *outcomes.lock().unwrap());
        assert_eq!(outcomes.len(), 6, "each alone, or none: {outcomes:?}");
        for (mine, failed) in outcomes {
            assert!(usize::from(mine) + failed.iter().filter(|&&failed| failed).count() <= 1);
        }
    }

    /// What a model catches is not its failure, whichever of the two panic hooks, the explorer's and the watch's, was
    /// set first: here, if this test runs alone, the explorer's.
    #[test]
    fn a_panic_that_is_caught_is_not_the_failure() {
        let options = ExploreOptions { pass: Pass::Graphs, ..ExploreOptions::default() };
        assert!(explore(&options, || {}).is_complete());
        let failure = must_fail_in(Spec::two_threads(), Pass::Graphs, RACE[0], || {
            assert!(catch_unwind(|| panic!("caught")).is_err());
            publish_through_a_cell(Relaxed, Relaxed);
        });
        assert!(!failure.message.contains("caught"), "{failure}");
    }

    /// The name of a failing execution leads to it, by its text too, in other options to a refusal.
    #[test]
    fn a_failing_graph_is_run_again_by_its_name() {
        let options = ExploreOptions { pass: Pass::Graphs, ..ExploreOptions::default() };
        let exploration = explore(&options, load_cas_against_load);
        let name = exploration.failed_graph.expect("the explorer names it");
        let name: GraphName = name.to_string().parse().unwrap();
        let again = replay(&options, &name, load_cas_against_load).unwrap();
        assert_eq!((again.outcome, again.failed_graph), (exploration.outcome, Some(name.clone())));
        let refused = replay(&options, &name, || spawn_and_join(1)).unwrap_err();
        assert!(refused.contains("the route does not fit the model"), "{refused}");

        // With a fault the name says where it strikes.
        let options = ExploreOptions { fault: Some(Fault::WeakExchange), ..options };
        let exchange = || {
            let word = AtomicU32::new(0);
            assert!(word.compare_exchange_weak(0, 1, Relaxed, Relaxed).is_ok(), "it struck");
        };
        let name = explore(&options, exchange).failed_graph.unwrap();
        assert_eq!(name.to_string(), "t0.1:first");
        let again = replay(&options, &name, exchange).unwrap();
        assert!(again.outcome.unwrap_err().contains("it struck"));
    }

    /// The journal of a failed exploration tells the failing execution, in order, with values.
    #[test]
    fn the_journal_tells_the_failing_execution() {
        for pass in [Pass::Graphs, Pass::ReadAsRmw] {
            start_journal();
            let options = ExploreOptions { pass, ..ExploreOptions::default() };
            let exploration = explore(&options, load_cas_against_load);
            let journal = take_journal();
            assert!(exploration.outcome.is_err());
            let ordered: Vec<_> = journal
                .iter()
                .filter_map(|entry| match entry.action {
                    Action::Ordered(operand, _) => Some((entry.thread, operand, entry.read, entry.written)),
                    _ => None,
                })
                .collect();
            assert_eq!(
                ordered,
                [
                    (1, Operand::Load, Some(0), None),
                    (1, Operand::CasSuccess, Some(0), Some(1)),
                    (0, Operand::Load, Some(1), None),
                ],
                "{pass}"
            );
        }
    }
}
