//! The oracle's part in always-allocate scopes: what their reserves guarantee, and when a reserve may be refused.
//!
//! The scope itself is a closure of the engine. The engine calls [`Oracle::before_scope`] first, then
//! [`Oracle::scope_entered`] in the closure, or hands an error to [`Oracle::scope_refused`].

use super::oracle::Aftermath;
use super::request::Armed;
use super::{Happened, Need, Oracle, ReserveGuard, reserve};
use crate::ops::ReserveChoice;
use heaplab::{AllocError, Reserve};
use heaplab_common::claim_eq;

/// An always-allocate scope that is about to be entered.
pub(super) struct Entry {
    pub(super) reserve: Reserve,
    /// What the scope guarantees once it is entered.
    pub(super) guard: ReserveGuard,
    armed: Armed,
    /// The reserve's bytes, if no heap of this configuration can have it.
    too_large: Option<usize>,
}

impl Oracle {
    /// Notes that an actor is about to enter a scope, which may collect. `attempts` is what is left of the countdown
    /// of its local heap.
    pub(super) fn before_scope(&mut self, actor: usize, choice: ReserveChoice, attempts: Option<u64>) -> Entry {
        let reserve = reserve(choice, &self.state.layout);
        let guard = ReserveGuard::new(actor, &reserve, &self.state.layout);
        self.stopped(true);
        // Reserves hold pages beside those of live objects.
        self.population.raise_reserved(self.reserved_pages() + guard.pages);
        let layout = &self.state.layout;
        let pages = [reserve.young_pages, reserve.old_pages, reserve.map_pages, reserve.code_pages];
        let is_too_large = reserve.large_bytes > layout.object_bytes_max()
            || pages.iter().any(|&pages| pages > layout.hard_limit_pages_max());
        let bytes = pages
            .iter()
            .fold(reserve.large_bytes, |sum, &pages| sum.saturating_add(pages.saturating_mul(layout.page_bytes())));
        let too_large = is_too_large.then_some(bytes);
        Entry { reserve, guard, armed: self.armed(attempts), too_large }
    }

    /// Puts the guard of a scope that was entered among those of the open scopes.
    pub(super) fn scope_entered(&mut self, entry: &Entry) {
        claim_eq!(entry.too_large, None, "what is too large of {:?}, which was had", entry.reserve);
        self.guards.push(entry.guard.clone());
    }

    /// Judges the refusal of a scope.
    pub(super) fn scope_refused(&mut self, entry: &Entry, error: AllocError, attempts: Option<u64>) -> Aftermath {
        let (reserve, layout) = (&entry.reserve, &self.state.layout);
        match error {
            AllocError::TooLarge { size_bytes, size_bytes_max } => {
                claim_eq!(Some(size_bytes), entry.too_large, "the size of {reserve:?}, which is called too large");
                claim_eq!(
                    size_bytes_max,
                    layout.object_bytes_max(),
                    "the greatest size, of a reserve that is too large"
                );
                self.quiet(Happened::Nothing)
            }
            AllocError::OutOfMemory { .. } => {
                claim_eq!(entry.too_large, None, "what is too large of {reserve:?}, which found no memory");
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
