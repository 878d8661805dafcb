//! What a facade over the explorer asks while an execution runs. The answers are no operations of the model.

use std::panic::Location;

use crate::event::{Id, Kind};
use crate::runtime::coroutine::try_state;
use crate::runtime::state::{Phase, State};

/// Whether an exploration runs on this thread of the host.
#[must_use]
#[inline]
pub fn is_exploring() -> bool {
    crate::runtime::coroutine::is_running()
}

/// Whether the present execution was given up: it failed, or it waits for what another execution does.
///
/// What its threads do from then on, while they unwind, is no part of it, and is not to be counted or noted.
#[must_use]
#[inline]
pub fn is_given_up() -> bool {
    try_state(|state| state.phase == Phase::Abandoned).unwrap_or(false)
}

/// The number of the thread of the model that runs, as [`ThreadId::index`](crate::thread::ThreadId::index) has it; 0
/// outside of an exploration.
#[must_use]
#[inline]
pub fn thread_index() -> usize {
    try_state(|state| state.current).unwrap_or(0)
}

/// The number of the thread of the model that runs, if what it does is part of the execution: which is not
/// [given up](is_given_up), and the thread does not panic.
#[must_use]
#[inline]
pub fn acting_thread() -> Option<usize> {
    let acts = |state: &mut State| state.phase != Phase::Abandoned && !state.is_panicking();
    try_state(|state| acts(state).then_some(state.current)).unwrap_or_else(|| (!std::thread::panicking()).then_some(0))
}

/// An event of the present execution.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mark {
    thread: u32,
    index: u32,
}

/// Where a read's value comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadFrom {
    /// The value that the word was made with, or that was stored plainly.
    Initial,
    /// The write.
    Write(Mark),
}

/// What the explorer knows of an operation on a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// The operation, as what reads from it names it.
    pub mark: Mark,
    /// Where the value comes from that it read, if it read one.
    pub read_from: Option<ReadFrom>,
    /// Of a read that wrote nothing: the newest write that it passed over, and how many it passed over, of those that
    /// have come so far.
    pub newer: Option<(Mark, usize)>,
}

/// The last operation of the thread of the model that runs, if it was one on a word, and is part of the execution.
#[must_use]
pub fn last_access() -> Option<Access> {
    let mark = |id: Id| Mark { thread: id.thread, index: id.index };
    let access = |state: &mut State| {
        if state.phase == Phase::Abandoned {
            return None;
        }
        let last = state.performed[state.current].checked_sub(1)?;
        let id = Id::new(state.current, last as usize);
        let event = state.graph.event(id);
        if !event.is_access() {
            return None;
        }
        let source = (event.is_read() || event.kind == Kind::RmwWrite).then_some(event.source);
        let read_from = source.map(|id| if id.is_initial() { ReadFrom::Initial } else { ReadFrom::Write(mark(id)) });
        let newer = event.is_read().then(|| {
            let position = state.graph.position(event.location, event.source);
            let later = state.graph.order_of(event.location).writes[position..].iter();
            let mut come = later.copied().filter(|&write| state.was_performed(write));
            let count = come.clone().count();
            come.next_back().map(|newest| (mark(newest), count))
        });
        Some(Access { mark: mark(id), read_from, newer: newer.flatten() })
    };
    try_state(access).flatten()
}

/// Lets the next operation count as called from `place`: where the facade's own caller is.
#[inline]
pub fn at(place: &'static Location<'static>) {
    crate::place::set_next(place);
}
