//! The judge judged: litmus programs whose executions the literature counts, and mutants of the axioms.
//!
//! Each entry has the number of consistent graphs and the number of outcomes. The shapes and their names are those of
//! the litmus literature (Maranget, Sarkar, Sewell, "A Tutorial Introduction to the ARM and POWER Relaxed Memory
//! Models"; the RC11 paper for those with fences and SC accesses); the counts are products and differences that each
//! entry states. A mutant of the axioms lacks one of them, or half of one, and must be wrong on the entry it names.

use super::axioms::{Axioms, ReleaseSequences};
use super::enumerate::{Judgement, Search, enumerate};
use super::program::{Change, Op, Program, Test, Thread, Value};
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

/// More candidates than any entry has.
pub(crate) const WORK_MAX: u64 = 50_000_000;

fn load(word: usize, order: Ordering) -> Op {
    Op::Load { word, order }
}

fn store(word: usize, value: u64, order: Ordering) -> Op {
    Op::Store { word, value: Value::Number(value), order }
}

fn add(word: usize, order: Ordering) -> Op {
    Op::Modify { word, change: Change::Add, value: Value::Number(1), order }
}

fn exchange(word: usize, expected: u64, new: u64, weak: bool) -> Op {
    let (expected, new) = (Value::Number(expected), Value::Number(new));
    Op::Exchange { word, expected, new, success: AcqRel, failure: Relaxed, weak }
}

/// `load; compare_exchange(loaded, loaded + 1)`.
fn load_and_exchange(word: usize) -> Vec<Op> {
    let (expected, new) = (Value::LastPlus(0), Value::LastPlus(1));
    vec![load(word, Acquire), Op::Exchange { word, expected, new, success: AcqRel, failure: Acquire, weak: false }]
}

fn section(mutex: usize, body: Vec<Op>) -> Op {
    Op::Section { mutex, body }
}

fn if_last(value: u64, body: Vec<Op>) -> Op {
    Op::If { test: Test { equal: true, value }, body }
}

/// A message, and behind it what is SC.
fn message_first() -> Program {
    mp(vec![store(1, 1, Release), store(0, 1, SeqCst)], vec![load(1, Acquire), load(0, SeqCst)])
}

fn with_locks(program: Program, mutexes: usize) -> Program {
    Program { mutexes, ..program }
}

/// A program, how many graphs and outcomes it has, and in how many graphs it is deadlocked, given up, and racy.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) program: Program,
    pub(crate) graphs: u64,
    pub(crate) outcomes: u64,
    pub(crate) deadlocked: u64,
    pub(crate) given_up: u64,
    pub(crate) racy: bool,
}

/// What is counted of a judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    graphs: u64,
    outcomes: u64,
    deadlocked: u64,
    given_up: u64,
    racy: bool,
}

impl Counts {
    fn of(judgement: &Judgement) -> Self {
        Counts {
            graphs: judgement.graphs.len() as u64,
            outcomes: judgement.outcomes.len() as u64,
            deadlocked: judgement.deadlocked,
            given_up: judgement.given_up,
            racy: judgement.racy > 0,
        }
    }
}

impl Entry {
    fn counts(&self) -> Counts {
        let Entry { graphs, outcomes, deadlocked, given_up, racy, .. } = *self;
        Counts { graphs, outcomes, deadlocked, given_up, racy }
    }
}

fn entry(name: &'static str, program: Program, graphs: u64, outcomes: u64) -> Entry {
    Entry { name, program, graphs, outcomes, deadlocked: 0, given_up: 0, racy: false }
}

/// Store buffering.
fn sb(order: Ordering, load_order: Ordering, fence: Option<Ordering>) -> Program {
    let thread = |mine, other| {
        std::iter::once(store(mine, 1, order)).chain(fence.map(Op::Fence)).chain([load(other, load_order)]).collect()
    };
    Program::parallel(2, vec![thread(0, 1), thread(1, 0)])
}

/// Message passing.
fn mp(writer: Vec<Op>, reader: Vec<Op>) -> Program {
    Program::parallel(2, vec![writer, reader])
}

/// Independent reads of independent writes.
fn iriw(store_order: Ordering, load_order: Ordering, fence: Option<Ordering>) -> Program {
    let reader = |first, second| {
        std::iter::once(load(first, load_order))
            .chain(fence.map(Op::Fence))
            .chain([load(second, load_order)])
            .collect::<Vec<_>>()
    };
    let writers = [vec![store(0, 1, store_order)], vec![store(1, 1, store_order)]];
    Program::parallel(2, writers.into_iter().chain([reader(0, 1), reader(1, 0)]).collect())
}

fn z6u() -> Program {
    let first = vec![store(0, 1, SeqCst), store(1, 1, Release)];
    Program::parallel(
        2,
        vec![first, vec![add(1, SeqCst), load(1, Relaxed)], vec![store(1, 3, SeqCst), load(0, SeqCst)]],
    )
}

/// Write-to-read causality.
fn wrc(store_order: Ordering, load_order: Ordering) -> Program {
    let between = vec![load(0, Relaxed), store(1, 1, store_order)];
    Program::parallel(2, vec![vec![store(0, 1, Relaxed)], between, vec![load(1, load_order), load(0, Relaxed)]])
}

fn two_plus_two_w(order: Ordering) -> Program {
    let thread = |first, second| vec![store(first, 1, order), store(second, 2, order)];
    Program::parallel(2, vec![thread(0, 1), thread(1, 0)])
}

/// The second one with a reader between the threads.
fn two_plus_two_w_and_reader() -> Program {
    let thread = |first, second| vec![store(first, 1, SeqCst), store(second, 2, SeqCst)];
    Program::parallel(2, vec![thread(0, 1), vec![load(0, Relaxed)], thread(1, 0)])
}

fn sb_fence_beside_accesses() -> Program {
    let first = vec![store(0, 1, Relaxed), Op::Fence(SeqCst), load(1, Relaxed)];
    Program::parallel(2, vec![first, vec![store(1, 1, SeqCst), load(0, SeqCst)]])
}

/// Store buffering whose first thread is two, one of which tells the other.
fn sb_with_message() -> Program {
    let first = vec![store(0, 1, SeqCst), store(1, 1, Release)];
    let second = vec![load(1, Acquire), load(2, SeqCst)];
    Program::parallel(3, vec![first, second, vec![store(2, 1, SeqCst), load(0, SeqCst)]])
}

/// As before, where the message is another store of the word that the first thread stores.
fn sb_with_message_of_the_word() -> Program {
    let first = vec![store(0, 1, SeqCst), store(0, 2, Release)];
    let second = vec![load(0, Acquire), load(1, SeqCst)];
    Program::parallel(2, vec![first, second, vec![store(1, 1, SeqCst), load(0, SeqCst)]])
}

/// `threads` threads, each of which adds to one word `times` times.
fn adders(threads: usize, times: usize) -> Program {
    Program::parallel(1, vec![vec![add(0, Relaxed); times]; threads])
}

fn writers_and_reader(writers: u64) -> Program {
    let writers = (1..=writers).map(|value| vec![store(0, value, Relaxed)]);
    Program::parallel(1, writers.chain([vec![load(0, Relaxed)]]).collect())
}

/// A store that a thread releases, a plain one behind it, and a reader of that: a release sequence in C++11 only.
fn release_then_store() -> Program {
    let writer = vec![store(0, 1, Relaxed), store(1, 1, Release), store(1, 2, Relaxed)];
    mp(writer, vec![load(1, Acquire), load(0, Relaxed)])
}

/// A message whose flag another thread modifies on the way.
fn release_sequence() -> Program {
    let writer = vec![store(0, 1, Relaxed), store(1, 1, Release)];
    let reader = vec![load(1, Acquire), if_last(2, vec![load(0, Relaxed)])];
    Program::parallel(2, vec![writer, vec![add(1, Relaxed)], reader])
}

/// A cell behind a flag.
fn cell_behind_flag(order: Ordering) -> Program {
    let writer = vec![Op::CellWrite { cell: 0 }, store(0, 1, order)];
    let reader = vec![load(0, Acquire), if_last(1, vec![Op::CellRead { cell: 0 }])];
    Program { cells: 1, ..Program::parallel(1, vec![writer, reader]) }
}

fn cells() -> Program {
    Program { cells: 1, ..Program::parallel(0, vec![vec![Op::CellRead { cell: 0 }], vec![Op::CellWrite { cell: 0 }]]) }
}

fn weak_exchanges(weak_failures: usize) -> Program {
    Program { weak_failures, ..Program::parallel(1, vec![vec![exchange(0, 0, 1, true); 2]]) }
}

fn ab_ba() -> Program {
    let nested = |outer, inner| vec![section(outer, vec![section(inner, vec![])])];
    with_locks(Program::parallel(0, vec![nested(0, 1), nested(1, 0)]), 2)
}

/// One thread sets a word and notifies, the other waits unless the word is set.
fn hand_over(notifies: bool, spurious_wakeups: usize) -> Program {
    let mut setter = vec![section(0, vec![store(0, 1, Relaxed)])];
    setter.extend(notifies.then_some(Op::NotifyAll { mutex: 0 }));
    let waiter = vec![section(0, vec![load(0, Relaxed), if_last(0, vec![Op::Wait, load(0, Relaxed)])])];
    Program { spurious_wakeups, ..with_locks(Program::parallel(1, vec![setter, waiter]), 1) }
}

/// Two threads wait unless a word is set; another one sets it and notifies one of them and then the other.
fn two_waiters() -> Program {
    let waiter = vec![section(0, vec![load(0, Relaxed), if_last(0, vec![Op::Wait])])];
    let notify = Op::NotifyOne { mutex: 0 };
    let setter = vec![section(0, vec![store(0, 1, Relaxed), notify.clone(), notify])];
    with_locks(Program::parallel(1, vec![waiter.clone(), waiter, setter]), 1)
}

fn spinlock() -> Program {
    let thread = || {
        let release = store(0, 0, Release);
        vec![exchange(0, 0, 1, false), Op::Assume(Test { equal: true, value: 0 }), Op::CellWrite { cell: 0 }, release]
    };
    Program { cells: 1, ..Program::parallel(1, vec![thread(), thread()]) }
}

/// The table.
pub(crate) fn table() -> Vec<Entry> {
    let flag = |order| vec![store(0, 1, Relaxed), store(1, 1, order)];
    let looks = |order| vec![load(1, order), load(0, Relaxed)];
    vec![
        // Each load sees one of two values; SC forbids that both are old.
        entry("SB, relaxed", sb(Relaxed, Relaxed, None), 4, 4),
        entry("SB, release and acquire", sb(Release, Acquire, None), 4, 4),
        entry("SB, SC accesses", sb(SeqCst, SeqCst, None), 3, 3),
        entry("SB, SC fences", sb(Relaxed, Relaxed, Some(SeqCst)), 3, 3),
        entry("SB, acquire-release fences", sb(Relaxed, Relaxed, Some(AcqRel)), 4, 4),
        // New flag and old data is forbidden where they synchronise.
        entry("MP, relaxed", mp(flag(Relaxed), looks(Relaxed)), 4, 4),
        entry("MP, release and acquire", mp(flag(Release), looks(Acquire)), 3, 3),
        entry("MP, release and relaxed", mp(flag(Release), looks(Relaxed)), 4, 4),
        entry(
            "MP, fences",
            mp(
                vec![store(0, 1, Relaxed), Op::Fence(Release), store(1, 1, Relaxed)],
                vec![load(1, Relaxed), Op::Fence(Acquire), load(0, Relaxed)],
            ),
            3,
            3,
        ),
        // What comes after the flag may be old whether the flag is or not, though SC orders each with its load.
        entry("MP, the flag before the data", message_first(), 4, 4),
        // RC11 forbids the cycle of causes that hardware may show.
        entry(
            "LB, relaxed",
            Program::parallel(
                2,
                vec![vec![load(0, Relaxed), store(1, 1, Relaxed)], vec![load(1, Relaxed), store(0, 1, Relaxed)]],
            ),
            3,
            3,
        ),
        // 2^4 combinations; SC forbids that the readers disagree.
        entry("IRIW, relaxed", iriw(Relaxed, Relaxed, None), 16, 16),
        entry("IRIW, release and acquire", iriw(Release, Acquire, None), 16, 16),
        entry("IRIW, SC accesses", iriw(SeqCst, SeqCst, None), 15, 15),
        entry("IRIW, SC fences", iriw(Relaxed, Relaxed, Some(SeqCst)), 15, 15),
        // The RC11 paper's example of what C11 forbade although hardware shows it: everything is allowed. The addition
        // is last, in the middle or first of 2 orders each, and the load behind it sees one, two or three writes.
        entry("Z6.U", z6u(), (2 + 2 * 2 + 2 * 3) * 2, 20),
        // Two orders of each of two words; SC forbids that both first stores come last.
        entry("2+2W, relaxed", two_plus_two_w(Relaxed), 4, 4),
        entry("2+2W, SC accesses", two_plus_two_w(SeqCst), 3, 3),
        // 3 pairs of orders, as above; the reader sees one of three writes.
        entry("2+2W, SC accesses, and a reader", two_plus_two_w_and_reader(), 3 * 3, 9),
        // SB, where the first thread has a fence and the second one SC accesses.
        entry("SB, an SC fence beside SC accesses", sb_fence_beside_accesses(), 3, 3),
        // 2^3 combinations; SC forbids the one in which the message is got and both other loads are old.
        entry("SB, with a message in between", sb_with_message(), 7, 7),
        // 3 x 2 x 3 combinations, all allowed: no neighbour of another word passes the message on.
        entry("SB, with a message of the same word", sb_with_message_of_the_word(), 18, 18),
        // 2^3 combinations; synchronisation of the second and the third thread forbids the one that breaks the chain.
        entry("WRC, relaxed", wrc(Relaxed, Relaxed), 8, 8),
        entry("WRC, release and acquire", wrc(Release, Acquire), 7, 7),
        // Coherence: of the pairs of reads all but new before old; own writes are seen; writes keep their order.
        entry("CoRR", Program::parallel(1, vec![vec![store(0, 1, Relaxed)], vec![load(0, Relaxed); 2]]), 3, 3),
        entry("CoWW", Program::parallel(1, vec![vec![store(0, 1, Relaxed), store(0, 2, Relaxed)]]), 1, 1),
        entry("CoWR", Program::parallel(1, vec![vec![store(0, 1, Relaxed), load(0, Relaxed)]]), 1, 1),
        entry("CoRW", Program::parallel(1, vec![vec![load(0, Relaxed), store(0, 1, Relaxed)]]), 1, 1),
        // Read the other's store or the own one with it before, or the own one with it behind.
        entry(
            "CoWR, two writers",
            Program::parallel(1, vec![vec![store(0, 1, Relaxed), load(0, Relaxed)], vec![store(0, 2, Relaxed)]]),
            3,
            3,
        ),
        // Interleavings of the additions: 3!, 4! / (2! 2!), 6! / (2! 2! 2!).
        entry("3 x 1 fetch_add", adders(3, 1), 6, 6),
        entry("2 x 2 fetch_add", adders(2, 2), 6, 6),
        entry("3 x 2 fetch_add", adders(3, 2), 90, 90),
        // n! orders, n + 1 sources; the last value and the read one are what is observed.
        entry("2 writers, 1 reader", writers_and_reader(2), 2 * 3, 6),
        entry("3 writers, 1 reader", writers_and_reader(3), 6 * 4, 12),
        // The load sees either value.
        entry(
            "load; compare_exchange beside load",
            Program::parallel(1, vec![load_and_exchange(0), vec![load(0, Acquire)]]),
            2,
            2,
        ),
        // Either thread is first, and the other one loads 0 and fails, or loads 1 and succeeds.
        entry(
            "load; compare_exchange, twice",
            Program::parallel(1, vec![load_and_exchange(0), load_and_exchange(0)]),
            4,
            4,
        ),
        // The exchange reads the old value or the new one, of which neither is expected, whatever the flag said.
        entry(
            "a failing exchange is stale",
            mp(vec![store(0, 5, Relaxed), store(1, 1, Relaxed)], vec![load(1, Relaxed), exchange(0, 7, 8, false)]),
            4,
            4,
        ),
        // The first exchange succeeds, or it fails and the second one does or does not.
        // The failing exchange sees the flag or not, and acquires nothing: so the load is of either value.
        entry("MP, an exchange that fails", mp(flag(Release), vec![exchange(1, 7, 8, false), load(0, Relaxed)]), 4, 4),
        entry("weak exchanges, one failure", weak_exchanges(1), 2, 2),
        entry("weak exchanges, two failures", weak_exchanges(2), 3, 3),
        entry(
            "store beside fetch_or",
            {
                let or = Op::Modify { word: 0, change: Change::Or, value: Value::Number(2), order: Relaxed };
                Program::parallel(1, vec![vec![store(0, 1, Relaxed)], vec![or]])
            },
            2,
            2,
        ),
        // A release sequence goes on through modifications of others, and in C++20 not through later stores.
        entry("a release sequence through fetch_add", release_sequence(), 6, 5),
        entry("a later store is in no release sequence", release_then_store(), 5, 5),
        // Critical sections: 4! / (2! 2!), 3!.
        entry("2 x 2 sections", with_locks(Program::parallel(0, vec![vec![section(0, vec![]); 2]; 2]), 1), 6, 1),
        entry("3 x 1 sections", with_locks(Program::parallel(0, vec![vec![section(0, vec![])]; 3]), 1), 6, 1),
        entry(
            "2 sections of different mutexes",
            with_locks(Program::parallel(0, vec![vec![section(0, vec![])], vec![section(1, vec![])]]), 2),
            1,
            1,
        ),
        // Of the 2 x 2 orders two are cycles of causes.
        Entry { deadlocked: 1, ..entry("AB-BA", ab_ba(), 2, 1) },
        // The attempt succeeds before or after the section, or reads that it is held.
        entry(
            "try_lock beside a section",
            with_locks(
                Program::parallel(0, vec![vec![section(0, vec![])], vec![Op::TrySection { mutex: 0, body: vec![] }]]),
                1,
            ),
            3,
            2,
        ),
        // Set first: no wait. Waiting first: a wait that is notified.
        entry("hand-over", hand_over(true, 0), 2, 2),
        // The set word comes before or after the lock that the woken waiter takes. Both wait, in either order, are
        // notified in either order and lock again in either order; or one of the two waits, and the other one comes
        // before or after the end of that wait; or both come when the word is set.
        entry("two waiters, notified one by one", two_waiters(), 2 * 2 * 2 + 2 * 2 + 2, 4),
        entry("hand-over, one spurious wake-up", hand_over(true, 1), 4, 3),
        Entry { deadlocked: 1, ..entry("hand-over, nobody notifies", hand_over(false, 0), 1, 1) },
        // Either is first, and the other one fails or comes behind.
        Entry { given_up: 2, ..entry("a spinlock", spinlock(), 2, 1) },
        entry("choices", Program::parallel(0, vec![vec![Op::Choose(3)], vec![Op::Choose(2)]]), 6, 6),
        Entry { racy: true, ..entry("a cell is read and written", cells(), 1, 1) },
        entry("a cell behind a flag, release", cell_behind_flag(Release), 2, 2),
        Entry { racy: true, ..entry("a cell behind a flag, relaxed", cell_behind_flag(Relaxed), 2, 2) },
        Entry {
            racy: true,
            ..entry(
                "a plain load beside a store",
                Program::parallel(1, vec![vec![store(0, 1, Relaxed)], vec![Op::PlainLoad { word: 0 }]]),
                2,
                2,
            )
        },
        entry(
            "a plain load beside a load",
            Program::parallel(1, vec![vec![load(0, Relaxed)], vec![Op::PlainLoad { word: 0 }]]),
            1,
            1,
        ),
        entry(
            "a plain store before threads, a plain load behind them",
            {
                let spawned = Thread { spawned: 1, joined: 1, body: vec![add(0, Relaxed)], ..Thread::default() };
                let plain_store = Op::PlainStore { word: 0, value: Value::Number(3) };
                let main = Thread { body: vec![plain_store, Op::PlainLoad { word: 0 }], ..Thread::default() };
                Program { words: 1, threads: vec![main, spawned.clone(), spawned], ..Program::default() }
            },
            2,
            2,
        ),
    ]
}

fn judge(program: &Program, axioms: &Axioms, search: Search) -> Judgement {
    enumerate(program, axioms, search, WORK_MAX).expect("a litmus program is small")
}

#[test]
fn the_judge_counts_what_the_literature_counts() {
    let mut wrong = vec![];
    for entry in table() {
        let found = Counts::of(&judge(&entry.program, &Axioms::RC11, Search::Pruned));
        println!("{}: {found:?}", entry.name);
        if found != entry.counts() {
            wrong.push(format!("{}: {:?} expected, {found:?} found\n{}", entry.name, entry.counts(), entry.program));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pruning_loses_no_execution_of_the_table() {
    let mut compared = 0;
    for Entry { name, program, .. } in table() {
        let Some(plain) = enumerate(&program, &Axioms::RC11, Search::Plain, 200_000) else { continue };
        assert_eq!(plain, judge(&program, &Axioms::RC11, Search::Pruned), "{name}");
        compared += 1;
    }
    assert!(compared >= table().len() - 5, "only {compared} entries are small enough to be enumerated plainly");
}

/// Each axiom is needed: without it the judge is wrong on the entry that is named beside it.
#[test]
fn without_an_axiom_the_judge_is_wrong() {
    let rc11 = Axioms::RC11;
    let mutants = [
        (Axioms { coherence: false, ..rc11 }, "CoRR"),
        (Axioms { atomicity: false, ..rc11 }, "3 x 1 fetch_add"),
        (Axioms { psc_base: false, ..rc11 }, "SB, SC accesses"),
        (Axioms { psc_fences: false, ..rc11 }, "IRIW, SC fences"),
        (Axioms { no_thin_air: false, ..rc11 }, "LB, relaxed"),
        (Axioms { synchronisation: false, ..rc11 }, "MP, release and acquire"),
        (Axioms { fence_synchronisation: false, ..rc11 }, "MP, fences"),
        (Axioms { thread_synchronisation: false, ..rc11 }, "a plain store before threads, a plain load behind them"),
        (Axioms { release_sequences: ReleaseSequences::HeadOnly, ..rc11 }, "a release sequence through fetch_add"),
        (Axioms { release_sequences: ReleaseSequences::Cxx11, ..rc11 }, "a later store is in no release sequence"),
        (Axioms { sc_by_happens_before: true, ..rc11 }, "Z6.U"),
    ];
    for (axioms, name) in mutants {
        let entry = table().into_iter().find(|entry| entry.name == name).expect(name);
        let right = Counts::of(&judge(&entry.program, &rc11, Search::Plain));
        let wrong = Counts::of(&judge(&entry.program, &axioms, Search::Plain));
        assert_eq!(right, entry.counts(), "{name}");
        assert_ne!(wrong, entry.counts(), "{name} does not need what this lacks: {axioms:?}");
    }
}
