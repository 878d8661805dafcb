//! Who watches the operations of a model, and which of its threads runs: what control and mutants both have to know.
//!
//! Invariants:
//!
//! - WA-1: the watching flag is set exactly when a mutant, something put off, the site register or the journal is in
//!   use. While the flag is clear, an operation pays for two thread-local flags and a counter, no more.

use super::engine::{Engine, THREADS_MAX};
use core::cell::Cell;

struct Watch {
    watching: Cell<bool>,
    /// Whether the site register or the journal is in use.
    listening: Cell<bool>,
    has_mutant: Cell<bool>,
    has_postponed: Cell<bool>,
    /// Where the stack of each thread begins; 0 for those that have not started.
    stacks: [Cell<usize>; THREADS_MAX + 1],
}

thread_local! {
    static WATCH: Watch = const {
        Watch {
            watching: Cell::new(false),
            listening: Cell::new(false),
            has_mutant: Cell::new(false),
            has_postponed: Cell::new(false),
            stacks: [const { Cell::new(0) }; THREADS_MAX + 1],
        }
    };
}

impl Watch {
    /// Restores WA-1.
    fn update(&self) {
        self.watching.set(self.listening.get() || self.has_mutant.get() || self.has_postponed.get());
    }
}

/// Whether any operation is of interest to anybody.
#[inline]
pub(super) fn is_watching() -> bool {
    WATCH.with(|watch| watch.watching.get())
}

/// Whether a mutant is set.
#[inline]
pub(super) fn has_mutant() -> bool {
    WATCH.with(|watch| watch.has_mutant.get())
}

/// Whether something is put off. Nothing is put off any more once an exploration has ended.
#[inline]
pub(super) fn has_postponed() -> bool {
    WATCH.with(|watch| watch.has_postponed.get())
}

/// Says whether the site register or the journal is in use.
pub(super) fn listen(listens: bool) {
    WATCH.with(|watch| {
        watch.listening.set(listens);
        watch.update();
    });
}

/// Says whether a mutant is set.
pub(super) fn watch_mutant(is_set: bool) {
    WATCH.with(|watch| {
        watch.has_mutant.set(is_set);
        watch.update();
    });
}

/// Says whether something is put off.
pub(super) fn watch_postponed(is_any: bool) {
    WATCH.with(|watch| {
        watch.has_postponed.set(is_any);
        watch.update();
    });
}

/// Forgets the threads of the execution before.
pub(super) fn forget_threads() {
    WATCH.with(|watch| watch.stacks.iter().for_each(|stack| stack.set(0)));
}

/// Notes the index of a modelled thread, at its start. From then on its stack tells which thread it is.
#[inline(never)]
pub(super) fn enter_thread(index: usize) {
    let base = stack_address();
    WATCH.with(|watch| watch.stacks[index].set(base));
}

/// An address in the present frame, on the stack of the modelled thread that runs.
#[inline(never)]
fn stack_address() -> usize {
    let here = 0_u8;
    core::hint::black_box(&raw const here).addr()
}

/// The index of the modelled thread, if what it does is part of the execution: which was not given up, and the thread
/// does not panic.
#[inline]
pub(super) fn acting_thread() -> Option<usize> {
    match Engine::current() {
        Engine::Loom => (!std::thread::panicking()).then(thread_index),
        Engine::Graphs => heaplab_explorer::host::acting_thread(),
    }
}

/// The index of the modelled thread; the first one's is 0.
///
/// The explorer tells. loom would tell only through its own state, which is in use while it panics. So its threads
/// are told apart by their stacks: stacks do not overlap and grow downwards, and a thread's frames lie below the one
/// that it began with.
pub(super) fn thread_index() -> usize {
    if Engine::current() == Engine::Graphs {
        return heaplab_explorer::host::thread_index();
    }
    WATCH.with(|watch| {
        let here = stack_address();
        let above = watch.stacks.iter().map(Cell::get).enumerate().filter(|&(_, base)| base >= here);
        above.min_by_key(|&(_, base)| base).map_or(0, |(index, _)| index)
    })
}
