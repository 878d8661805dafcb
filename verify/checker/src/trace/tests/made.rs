//! Journals made by hand.

use crate::trace::{Counterexample, Sources};
use heaplab::sync::Ordering;
use heaplab::sync::model_control::{Action, Change, JournalEntry, Operand, Pass, Site};
use std::cell::{Cell, OnceCell};

const FILE: &str = "src/memory/made_up.rs";
/// Bytes between two heap words of the model's memory.
const SLOT: usize = size_of::<(Cell<bool>, OnceCell<heaplab::sync::HeapWord>)>();

fn entry(thread: usize, line: u32, action: Action, object: usize) -> JournalEntry {
    let site = Site { file: FILE, line, column: 1 };
    JournalEntry { thread, site, action, object, read: None, written: None, change: None, access: None }
}

fn spawn(child: u64) -> JournalEntry {
    JournalEntry { written: Some(child), ..entry(0, 1, Action::Spawn, 0) }
}

fn counterexample(journal: Vec<JournalEntry>) -> Counterexample {
    Counterexample {
        model: "made & <up>".to_owned(),
        pass: Pass::Normal,
        bound: "at most 2 preemptions".to_owned(),
        execution: 3,
        message: "left < right & so on".to_owned(),
        failed_thread: None,
        token: String::new(),
        mutant: None,
        journal,
        whereabouts: Vec::new(),
    }
}

/// Both renderings, the picture as the text in it.
fn render(counterexample: &Counterexample) -> (String, String) {
    let sources = Sources::at("nowhere");
    let svg = counterexample.svg(&sources);
    let document = roxmltree::Document::parse(&svg).expect("well-formed, whatever the texts contain");
    let shown = document.descendants().filter_map(|node| node.text()).collect::<Vec<_>>().join("\n");
    (counterexample.columns(&sources), shown)
}

fn zeroes(thread: usize, line: u32, words: std::ops::Range<usize>) -> impl Iterator<Item = JournalEntry> {
    words.map(move |word| JournalEntry {
        written: Some(0),
        ..entry(thread, line, Action::PlainWrite, 0x1000 + word * SLOT)
    })
}

#[test]
fn zeroing_is_one_row_and_heap_words_have_offsets() {
    let mut journal = vec![spawn(1)];
    journal.extend(zeroes(1, 5, 0..12));
    journal.extend(zeroes(1, 6, 20..22));
    journal.push(JournalEntry {
        read: Some(0),
        ..entry(0, 7, Action::Ordered(Operand::Load, Ordering::Acquire), 0x1000 + 4 * SLOT)
    });
    let (text, shown) = render(&counterexample(journal));
    // Heap words are walked at several sites, so both runs are one.
    assert!(text.contains("14 plain writes, heap+0x0..0x54 = 0"), "{text}");
    assert!(text.contains("heap+0x10.load 0 Acq <-#2"), "{text}");
    assert!(shown.contains("14 plain writes"));
    assert!(text.contains("made_up.rs:5"), "without the source there is still the place:\n{text}");
}

/// A run is folded only as far as nobody else acts in between, and pairs are not worth it.
#[test]
fn runs_end_where_another_thread_acts() {
    let mut journal = vec![spawn(1)];
    journal.extend(zeroes(1, 5, 0..3));
    journal.extend(zeroes(0, 5, 8..9));
    journal.extend(zeroes(1, 5, 3..5));
    let (text, _) = render(&counterexample(journal));
    assert!(text.contains("3 plain writes, heap+0x0..0x8 = 0"), "{text}");
    assert!(text.contains("write heap+0x20 = 0"), "{text}");
    assert!(text.contains("write heap+0xc = 0") && text.contains("write heap+0x10 = 0"), "{text}");
}

/// What a name is when sources say nothing, and that the assertion comes out whole in XML.
#[test]
fn without_sources_places_are_names_and_texts_are_escaped() {
    let store = |thread, value| JournalEntry {
        site: Site { file: "src/gone.rs", line: 9, column: 4 },
        written: Some(value),
        ..entry(thread, 9, Action::Ordered(Operand::Store, Ordering::Release), 0x2000)
    };
    let (text, shown) = render(&counterexample(vec![spawn(1), store(1, 4), store(0, 5)]));
    assert!(text.contains("gone.rs:9.store = 4 Rel"), "{text}");
    assert!(text.contains("✗ FAILED: left < right & so on"), "the thread that acted last:\n{text}");
    assert!(shown.contains("left < right & so on") && shown.contains("made & <up> fails"));
}

#[test]
fn a_known_thread_fails_also_if_another_acted_last() {
    let mut counterexample = counterexample(vec![spawn(1), entry(0, 3, Action::Yield, 0)]);
    counterexample.failed_thread = Some(1);
    let (text, _) = render(&counterexample);
    let failed = text.lines().find(|line| line.contains("FAILED")).unwrap();
    assert!(failed.contains("│ FAILED"), "{text}");
}

/// What the first thread does alone is one row, and the reads that see it are not stale.
#[test]
fn setup_is_one_row() {
    let ordered = |thread, operand, read, written| JournalEntry {
        site: Site { file: "src/gone.rs", line: 9, column: 4 },
        read,
        written,
        ..entry(thread, 9, Action::Ordered(operand, Ordering::Relaxed), 0x2000)
    };
    let mut journal: Vec<_> = (1..=5).map(|value| ordered(0, Operand::Store, None, Some(value))).collect();
    journal.extend([spawn(1), ordered(1, Operand::Load, Some(5), None), ordered(1, Operand::Load, Some(2), None)]);
    let (text, shown) = render(&counterexample(journal));
    assert!(text.contains(" 1 setup: 5 operations"), "{text}");
    assert!(text.contains(".load 5 Rlx <-#1"), "{text}");
    assert!(text.contains(".load 2 Rlx <-#1 STALE: #1 wrote 5 (3 newer)"), "{text}");
    assert!(shown.contains("setup: 5 operations"));
}

/// Release and acquire make order, and a relaxed RMW in between carries it on.
#[test]
fn a_release_sequence_synchronises() {
    let ordered = |thread, operand, ordering, read, written| JournalEntry {
        site: Site { file: "src/gone.rs", line: 9, column: 4 },
        read,
        written,
        ..entry(thread, 9, Action::Ordered(operand, ordering), 0x2000)
    };
    let journal = vec![
        spawn(1),
        spawn(2),
        ordered(1, Operand::Store, Ordering::Release, None, Some(1)),
        ordered(2, Operand::Rmw, Ordering::Relaxed, Some(1), Some(3)),
        ordered(0, Operand::Load, Ordering::Acquire, Some(3), None),
    ];
    let (text, _) = render(&counterexample(journal));
    assert!(text.contains(".rmw 1->3 Rlx <-#3"), "{text}");
    assert!(text.contains(".load 3 Acq <=#4"), "{text}");
}

/// A journal too long for a picture keeps its end.
#[test]
fn the_earliest_steps_of_a_long_journal_are_left_out() {
    let mut journal = vec![spawn(1)];
    journal.extend((0..1000).map(|at| entry(at % 2, at as u32 + 1, Action::PlainWrite, 0x3000 + at)));
    let (text, _) = render(&counterexample(journal));
    assert!(text.lines().count() < 200, "{text}");
    assert!(text.contains("operations, not shown"), "{text}");
    assert!(text.contains(":1000"), "the end is there:\n{text}");
}

/// In a long journal what says nothing is told in a row, and what a mutant changed stays, with its object's later
/// story.
#[test]
fn asides_of_a_long_journal_are_folded_around_what_was_changed() {
    let ordered = |operand, line, read, written| JournalEntry {
        site: Site { file: "src/gone.rs", line, column: 4 },
        read,
        written,
        ..entry(1, line, Action::Ordered(operand, Ordering::Relaxed), 0x2000)
    };
    let mut journal = vec![spawn(1)];
    // Each on a word of its own, so that it is no run of plain accesses.
    let walk = |from: u32| {
        let read = Action::Ordered(Operand::Load, Ordering::Relaxed);
        (from..from + 100).map(move |line| entry(1, line, read, 0x3000 + 8 * line as usize))
    };
    journal.extend(walk(1000));
    journal.push(JournalEntry { change: Some(Change::Drop), ..ordered(Operand::Rmw, 7, Some(0), None) });
    journal.extend(walk(2000));
    journal.push(ordered(Operand::Load, 8, Some(0), None));
    journal.extend(walk(3000));
    let (text, _) = render(&counterexample(journal));
    assert!(text.lines().count() < 40, "{text}");
    assert!(text.contains("gone.rs:7") && text.contains("gone.rs:8"), "{text}");
    assert_eq!(text.matches("operations").count(), 3, "{text}");
    assert!(text.contains(":3099") && !text.contains(":3000"), "the last steps are there:\n{text}");
}

#[test]
fn an_empty_journal_has_a_picture() {
    let (text, shown) = render(&counterexample(Vec::new()));
    assert!(text.contains("FAILED: left < right"), "{text}");
    assert!(shown.contains("FAILED"));
}

/// What the checker's messages say when they have locations.
#[test]
fn sites_in_the_message_are_told_with_their_text() {
    let mut counterexample = counterexample(vec![spawn(1), entry(1, 3, Action::Yield, 0)]);
    let mut sources = Sources::at("nowhere");
    sources.insert("src/one.rs", "first\nsecond.lock()\nthird.load()\n");
    counterexample.message =
        "deadlock; threads = [(Id(0), Blocked(Location(Some(Location { file: \"src/one.rs\", line: 2, \
                              column: 7 })))), (Id(1), Terminated)]"
            .to_owned();
    let text = counterexample.columns(&sources);
    assert!(text.contains("BLOCKED FOR EVER: in one.rs:2: second.lock()"), "{text}");
    assert_eq!(text.matches("BLOCKED").count(), 1, "the other has ended:\n{text}");

    counterexample.message = "\nCausality violation: Concurrent load and mut accesses.\n    with_mut: thread #1 @ \
                              src/two.rs:7:1\n    load: thread #0 @ src/one.rs:3:7\n"
        .to_owned();
    let text = counterexample.columns(&sources);
    assert!(text.contains("DATA RACE: Causality violation: Concurrent load and mut accesses."), "{text}");
    assert!(text.contains("thread 1 at two.rs:7"), "{text}");
    assert!(text.contains("thread 0 at one.rs:3: third.load()"), "{text}");
}
