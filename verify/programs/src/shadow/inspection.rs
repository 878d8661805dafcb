//! The oracle's part in what is asked of the heap as a whole: collections by their kind, full spaces, and what the
//! verifier, a survey and the statistics answer.
//!
//! Each of these stops the world. A look that no operation asks for is left out under a checker, but for the
//! verifier's after a major collection: a look is one more stop among those that are explored.

use super::oracle::Aftermath;
use super::rivals::{Deed, MayHave as _};
use super::{Door, Happened, IMMORTAL_OBJECTS, Oracle};
use heaplab::{CollectionKind, SpaceKind};
use heaplab_common::claim_eq;

impl Oracle {
    /// Collects from outside of the local heap.
    pub(super) fn collect_parked<D: Door>(&mut self, door: &mut D, kind: CollectionKind) {
        let heap = self.heap().clone();
        if D::IS_SAFE {
            let refused = heap.collect(kind).is_err();
            assert!(refused, "a thread that runs a local heap stops the world from outside");
        }
        door.parked(|| heap.collect(kind)).expect("a parked thread may collect");
    }

    pub(super) fn verify<D: Door>(&mut self, door: &mut D) -> u64 {
        self.stopped(false);
        let heap = self.heap().clone();
        let verification = match door.verify() {
            Some(verification) => verification,
            None => door.parked(|| heap.verify()).expect("a parked thread may verify"),
        };
        assert!(verification.is_sound(), "{}", verification.describe());
        let found = verification.objects;
        assert!(found >= IMMORTAL_OBJECTS, "the verifier finds {found} objects, less than the built-in ones");
        found
    }

    /// Verifies after a stop that changed the heap; under a checker, does nothing.
    pub(super) fn verify_stop<D: Door>(&mut self, door: &mut D) {
        if !heaplab::sync::is_modelled() {
            self.verify(door);
        }
    }

    /// Surveys a heap in which the verifier has just found so many objects, and returns how many of them are live.
    /// Under a checker, and beside rivals, nobody knows: `None`.
    pub(super) fn survey<D: Door>(&mut self, door: &mut D, objects: u64) -> Option<u64> {
        if heaplab::sync::is_modelled() {
            return None;
        }
        self.stopped(false);
        let heap = self.heap().clone();
        let survey = match door.survey() {
            Some(survey) => survey,
            None => door.parked(|| heap.survey()).expect("a parked thread may survey"),
        };
        self.state.check_survey(&survey, objects).then_some(survey.objects_live)
    }

    pub(super) fn statistics<D: Door>(&mut self, door: &mut D) {
        self.stopped(false);
        let heap = self.heap().clone();
        let statistics = match door.statistics() {
            Some(statistics) => statistics,
            None => door.parked(|| heap.statistics()).expect("a parked thread may ask"),
        };
        self.state.check_statistics(&statistics);
        if !self.state.rivals.may_have(Deed::UsedTheHeap) {
            let large = statistics.allocation.large_objects - self.round.earlier.allocation.large_objects;
            claim_eq!(large, self.tally.allocated_large, "the heap's count of large objects that were allocated");
        }
        for (kind, counted) in self.tally.collections.iter_mut().enumerate() {
            let now = statistics.collections[kind] - self.round.earlier.collections[kind];
            assert!(now >= *counted, "collections are counted up");
            *counted = now;
        }
    }

    /// Judges what it can after a collection that was asked for by its kind, and returns what is left to judge.
    pub(super) fn collected<D: Door>(&mut self, door: &mut D, kind: CollectionKind) -> Aftermath {
        self.stopped(true);
        if kind == CollectionKind::Minor {
            self.verify_stop(door);
            return self.quiet(Happened::Minor);
        }
        let exactly = Some(self.verify(door));
        let reduced = kind == CollectionKind::MemoryReducing;
        // Beside rivals the bytes of roots are compared with nothing, and another stop would cost a checker
        // executions.
        let roots_bytes = if self.state.rivals.may_have(Deed::UsedTheHeap) { 0 } else { self.roots_bytes(door) };
        Aftermath { exactly, reduced, roots_bytes, ..self.quiet(Happened::Major) }
    }

    fn roots_bytes<D: Door>(&self, door: &mut D) -> usize {
        let heap = self.heap().clone();
        let statistics = door.statistics();
        statistics.unwrap_or_else(|| door.parked(|| heap.statistics()).expect("a parked thread may ask")).roots_bytes
    }

    pub(super) fn make_full<D: Door>(&mut self, door: &mut D, space: SpaceKind) {
        self.stopped(false);
        let heap = self.heap().clone();
        if door.simulate_full_space(space).is_none() {
            door.parked(|| heap.simulate_full_space(space)).expect("a parked thread may make a space full");
        }
        self.full[space as usize].extend(self.state.pages_out_of_reach(space));
    }
}
