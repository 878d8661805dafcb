//! The oracle's part in always-allocate scopes: what their reserves guarantee, and when a reserve may be refused.
//!
//! The scope itself is a closure of the engine, which calls [`Oracle::before_scope`] first, puts the guard among those
//! of the open scopes while the closure runs, and hands an error to [`Oracle::scope_refused`].

use super::oracle::Aftermath;
use super::request::Armed;
use super::{Happened, Need, Oracle, ReserveGuard, reserve};
use crate::ops::ReserveChoice;
use heaplab::{AllocError, Reserve};

/// An always-allocate scope that is about to be entered.
pub(super) struct Entry {
    pub(super) reserve: Reserve,
    /// What the scope guarantees once it is entered.
    pub(super) guard: ReserveGuard,
    armed: Armed,
}

impl Oracle {
    /// An actor is about to enter a scope, which may collect. `attempts` is what is left of its local heap's countdown.
    pub(super) fn before_scope(&mut self, actor: usize, choice: ReserveChoice, attempts: Option<u64>) -> Entry {
        let reserve = reserve(choice, &self.state.layout);
        let guard = ReserveGuard::new(actor, &reserve, &self.state.layout);
        self.stopped(true);
        // More is held than what is alive.
        self.population.raise_reserved(self.reserved_pages() + guard.pages);
        Entry { reserve, guard, armed: self.armed(attempts) }
    }

    /// Judges the refusal of a scope.
    pub(super) fn scope_refused(&mut self, entry: &Entry, error: AllocError, attempts: Option<u64>) -> Aftermath {
        let (reserve, layout) = (&entry.reserve, &self.state.layout);
        match error {
            AllocError::TooLarge { .. } => {
                let pages = [reserve.young_pages, reserve.old_pages, reserve.map_pages, reserve.code_pages];
                let too_many = pages.iter().any(|&pages| pages > layout.hard_limit_pages_max());
                assert!(too_many || reserve.large_bytes > layout.object_bytes_max(), "{reserve:?} is not too large");
                self.quiet(Happened::Nothing)
            }
            AllocError::OutOfMemory { .. } => {
                let run = if reserve.large_bytes == 0 { 0 } else { layout.pages_for(reserve.large_bytes) };
                let struck = self.struck(entry.armed, attempts);
                let refused = (!struck).then_some(Need::Reserve(entry.guard.pages - run, run));
                Aftermath { refused, ..self.quiet(Happened::Anything) }
            }
            error => panic!("entering an always-allocate scope: {error}"),
        }
    }

    /// Pages that the open scopes were given.
    pub(super) fn reserved_pages(&self) -> usize {
        self.guards.iter().map(|guard| guard.pages).sum()
    }
}
