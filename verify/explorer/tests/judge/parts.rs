//! Parts of an exploration: what is within a bound of preemptions, shards, and the estimate of the whole.
//!
//! How many preemptions an execution needs is found here from its journal, by trying each event of each thread in
//! turn: nothing of the engine's reasoning is in it.

use super::generator::Class;
use super::program::Program;
use super::runner::body_of;
use crate::for_programs;
use heaplab_explorer::journal::{Action, EventId, Journal, JournalEvent, Source};
use heaplab_explorer::model::Builder;
use heaplab_explorer::sync::Mutex;
use heaplab_explorer::sync::atomic::{AtomicUsize, Ordering};
use heaplab_explorer::{Bound, Mutant, Shard, Stats, thread};
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// The rules that the bound consists of, which tests of this module do without.
pub(super) const MUTANTS: [Mutant; 5] = [
    Mutant::WaitsAreFree,
    Mutant::YieldsAreFree,
    Mutant::StopsBeforeHelp,
    Mutant::LastingAlone,
    Mutant::BeyondTheBound,
];

/// The event that must have run before an event of another thread than its own.
fn need_of(journal: &Journal, action: &Action, spawned_by: Option<EventId>) -> Option<EventId> {
    let of = |source: &Source| match source {
        Source::Initial => None,
        Source::Write(write) => Some(*write),
    };
    match action {
        Action::Begin => spawned_by,
        Action::Load { source, .. } | Action::Rmw { source, .. } | Action::Wake { source } => of(source),
        Action::Join { thread } => Some(EventId { thread: *thread, index: journal.threads[*thread].len() - 1 }),
        _ => None,
    }
}

/// Whether a thread that has not what it needs for an event waits for it. If it does not, it could go on otherwise.
fn waits(journal: &Journal, event: &JournalEvent, progress: &[usize]) -> bool {
    match event.action {
        Action::Load { .. } => false,
        Action::Rmw { name: "lock", .. } => {
            let order = journal.modification_orders.iter().find(|order| Some(order.location) == event.location);
            let newest = order.and_then(|order| order.writes.iter().rfind(|id| id.index < progress[id.thread]));
            newest.is_some_and(|id| match journal.threads[id.thread][id.index].action {
                Action::Rmw { written, .. } => written == Some(1),
                Action::Store { value } => value == 1,
                _ => unreachable!("it writes"),
            })
        }
        Action::Rmw { .. } => false,
        _ => true,
    }
}

/// The fewest preemptions with which the execution can be run.
pub(super) fn fewest_preemptions(journal: &Journal) -> usize {
    let ends: Vec<usize> = journal.threads.iter().map(Vec::len).collect();
    let mut spawned_by = HashMap::new();
    for event in journal.threads.iter().flatten() {
        if let Action::Spawn { thread } = event.action {
            spawned_by.insert(thread, event.id);
        }
    }
    // Whether the next event of a thread needs what has not run; if so, whether the thread waits for that.
    let lacks = |progress: &[usize], thread: usize| {
        let event = &journal.threads[thread][progress[thread]];
        let need = need_of(journal, &event.action, spawned_by.get(&thread).copied());
        need.filter(|id| progress[id.thread] <= id.index).map(|_| waits(journal, event, progress))
    };
    // By cost, the cheapest first: what has run, and who ran last.
    let mut open: VecDeque<(usize, Vec<usize>, usize)> = VecDeque::from([(0, vec![0; ends.len()], 0)]);
    let mut done: HashMap<(Vec<usize>, usize), usize> = HashMap::new();
    while let Some((cost, progress, last)) = open.pop_front() {
        if progress == ends {
            return cost;
        }
        if done.get(&(progress.clone(), last)).is_some_and(|&least| least <= cost) {
            continue;
        }
        done.insert((progress.clone(), last), cost);
        for next in 0..ends.len() {
            if progress[next] == ends[next] || lacks(&progress, next).is_some() {
                continue;
            }
            let yielded =
                progress[last] > 0 && matches!(journal.threads[last][progress[last] - 1].action, Action::Yield);
            let is_preempted =
                next != last && progress[last] < ends[last] && !yielded && lacks(&progress, last) != Some(true);
            let mut after = progress.clone();
            after[next] += 1;
            if is_preempted {
                open.push_back((cost + 1, after, next));
            } else {
                open.push_front((cost, after, next));
            }
        }
    }
    unreachable!("an execution can be run")
}

/// The executions of a model by their journals, with the places left out, and the result.
fn executions_of(builder: &Builder, model: impl Fn() + 'static) -> Option<(BTreeMap<String, usize>, Stats)> {
    let mut executions = BTreeMap::new();
    let result = builder.explore_each(model, |execution| {
        let journal = execution.journal();
        let before = executions.insert(super::runner::without_places(&journal), fewest_preemptions(&journal));
        assert_eq!(before, None, "an execution was shown twice");
    });
    result.ok().map(|stats| (executions, stats))
}

/// A builder with the budgets of a program.
fn builder_of(program: &Program) -> Builder {
    let mut builder = Builder::new();
    builder.spurious_wakeups = program.spurious_wakeups;
    builder.weak_failures = program.weak_failures;
    builder
}

/// Whether the executions of a program within each bound are those that need no more preemptions.
fn compare_bounds(program: &Program, mutant: Option<Mutant>) -> Result<[u64; 4], String> {
    compare_bounds_of(&builder_of(program), &body_of(program), mutant)
}

/// As [`compare_bounds`], for a model.
fn compare_bounds_of(
    unbounded: &Builder,
    model: &(impl Fn() + Clone + 'static),
    mutant: Option<Mutant>,
) -> Result<[u64; 4], String> {
    let Some((all, stats)) = executions_of(unbounded, model.clone()) else { return Ok([0; 4]) };
    let mut counts = [0; 4];
    for (bound, count) in counts.iter_mut().enumerate() {
        let mut builder = unbounded.clone();
        builder.preemption_bound = Some(bound);
        builder.mutant = mutant;
        let Some((within, bounded)) = executions_of(&builder, model.clone()) else {
            return Err(format!("a bound of {bound} makes it fail"));
        };
        let expected: BTreeMap<_, _> = all.iter().filter(|(_, needed)| **needed <= bound).collect();
        if let Some((lost, needed)) = expected.iter().find(|(text, _)| !within.contains_key(**text)) {
            return Err(format!("with a bound of {bound}, an execution is lost that needs {needed}:\n{lost}"));
        }
        if let Some((text, needed)) = within.iter().find(|(text, _)| !expected.contains_key(text)) {
            return Err(format!("with a bound of {bound}, an execution is counted that needs {needed}:\n{text}"));
        }
        *count = within.len() as u64;
        let is_met = bounded.bounds_met.contains(&Bound::Preemptions(bound));
        if bounded.executions != *count || is_met != (within.len() < all.len()) && !(is_met && stats.blocked > 0) {
            return Err(format!("with a bound of {bound}, {count} of {} executions: {bounded}", all.len()));
        }
    }
    Ok(counts)
}

#[test]
fn a_bound_of_preemptions_is_complete_up_to_itself() {
    for class in Class::ALL {
        let (counts, larger) = (Cell::new([0; 4]), Cell::new(0));
        for_programs(class, 300, |program| {
            let found = compare_bounds(program, None)?;
            let mut sums = counts.get();
            sums.iter_mut().zip(found).for_each(|(sum, count)| *sum += count);
            counts.set(sums);
            larger.set(larger.get() + u32::from(found[0] < found[1]));
            Ok(())
        });
        println!("{class:?}: executions within 0, 1, 2 and 3 preemptions: {:?}", counts.get());
        assert!(larger.get() > 5, "{class:?}: only {} programs need a preemption", larger.get());
    }
}

/// Each rule of the bound is needed.
#[test]
fn without_a_rule_of_the_bound_it_is_wrong() {
    for (mutant, class) in [
        (Mutant::WaitsAreFree, Class::Locks),
        (Mutant::StopsBeforeHelp, Class::Locks),
        (Mutant::LastingAlone, Class::Words),
        (Mutant::BeyondTheBound, Class::Words),
    ] {
        let killed = Cell::new(false);
        for_programs(class, 4_000, |program| {
            killed.set(killed.get() || compare_bounds(program, Some(mutant)).is_err());
            Ok(())
        });
        assert!(killed.get(), "{mutant:?} is killed by no program of {class:?}");
    }
}

/// A thread that adds, yields, and looks at whether another one added after that: which costs nothing.
#[test]
fn a_turn_that_ends_with_a_yield_is_free() {
    let explore = |mutant| {
        let mut builder = Builder::new();
        builder.preemption_bound = Some(0);
        builder.mutant = mutant;
        let stats = builder.explore(|| {
            let x = Arc::new(AtomicUsize::new(0));
            let other = x.clone();
            let adder = thread::spawn(move || other.fetch_add(1, Ordering::Relaxed));
            x.fetch_add(2, Ordering::Relaxed);
            thread::yield_now();
            x.fetch_add(2, Ordering::Relaxed);
            adder.join().unwrap();
        });
        stats.unwrap().executions
    };
    // The other one adds last, at the join; or first, which costs a preemption after the spawn; or between.
    assert_eq!(explore(None), 2);
    assert_eq!(explore(Some(Mutant::YieldsAreFree)), 1);
}

/// A model of three threads that add, yield, and add within a section: three steps each, by the digits of a number.
fn yielding_model(number: usize) -> impl Fn() + Clone + 'static {
    move || {
        let shared = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(())));
        let threads = (0..3).map(|index| {
            let shared = shared.clone();
            thread::spawn(move || {
                for step in 0..3 {
                    match number >> (2 * (3 * index + step)) & 3 {
                        0 => _ = shared.0.fetch_add(1, Ordering::Relaxed),
                        1 => _ = shared.1.fetch_add(1, Ordering::Relaxed),
                        2 => thread::yield_now(),
                        _ => {
                            let _guard = shared.2.lock();
                            shared.0.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            })
        });
        for thread in threads.collect::<Vec<_>>() {
            thread.join().unwrap();
        }
    }
}

/// Turns that end with yields, beside sections. Method: each 509th of the models that there are.
#[test]
fn a_bound_is_complete_where_threads_yield() {
    let mut sums = [0; 4];
    for number in (0..1 << 18).step_by(509) {
        let counts = compare_bounds_of(&Builder::new(), &yielding_model(number), None);
        let counts = counts.unwrap_or_else(|reason| panic!("model {number}: {reason}"));
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    println!("executions within 0, 1, 2 and 3 preemptions: {sums:?}");
    assert!(sums.is_sorted_by(|a, b| a < b), "{sums:?}");
}

#[test]
fn shards_are_the_whole() {
    for class in Class::ALL {
        let split = Cell::new(0);
        for_programs(class, 60, |program| {
            let Some((all, stats)) = executions_of(&builder_of(program), body_of(program)) else { return Ok(()) };
            for count in 1..=3 {
                let (mut seen, mut blocked, mut used) = (BTreeMap::new(), 0, 0);
                for index in 0..count {
                    let mut builder = builder_of(program);
                    builder.shard = Shard::new(index, count);
                    let (part, found) = executions_of(&builder, body_of(program)).ok_or("a shard fails")?;
                    blocked += found.blocked;
                    used += u32::from(!part.is_empty());
                    if part.len() as u64 != found.executions {
                        return Err(format!("shard {index} of {count} counts {} of {}", found.executions, part.len()));
                    }
                    for (text, needed) in part {
                        if seen.insert(text.clone(), needed).is_some() {
                            return Err(format!("two of {count} shards have\n{text}"));
                        }
                    }
                }
                if seen != all || blocked != stats.blocked {
                    return Err(format!("{count} shards have {} and {blocked} of {stats}", seen.len()));
                }
                split.set(split.get() + u32::from(count == 3 && used == 3));
            }
            Ok(())
        });
        println!("{class:?}: {} programs have something for each of three shards", split.get());
        assert!(split.get() > 0, "{class:?}: no program has something for each of three shards");
    }
}

/// A guess that looks at everything is exact, and guesses that look at little are right on average.
#[test]
fn estimates_are_exact_or_right_on_average() {
    for class in Class::ALL {
        for_programs(class, 60, |program| {
            let builder = builder_of(program);
            let Ok(stats) = builder.explore(body_of(program)) else { return Ok(()) };
            let guess = builder.estimate(100_000, 1, body_of(program)).map_err(|failure| failure.to_string())?;
            let is_right = guess.is_exact
                && guess.executions == stats.executions as f64
                && guess.others == stats.blocked as f64
                && guess.runs == stats.runs;
            if is_right { Ok(()) } else { Err(format!("{guess:?} of {stats}")) }
        });
    }
    let adds = || {
        let x = Arc::new(AtomicUsize::new(0));
        for _ in 0..3 {
            let x = x.clone();
            thread::spawn(move || (0..3).for_each(|_| _ = x.fetch_add(1, Ordering::Relaxed)));
        }
    };
    let seeds = 400;
    let guesses = (0..seeds).map(|seed| Builder::new().estimate(5, seed, adds).unwrap());
    let sum: f64 = guesses.inspect(|guess| assert!(!guess.is_exact)).map(|guess| guess.executions).sum();
    let mean = sum / f64::from(u32::try_from(seeds).unwrap());
    assert!((1680.0 * 0.85..1680.0 * 1.15).contains(&mean), "{mean} instead of 9! / (3! 3! 3!) = 1680");
}
