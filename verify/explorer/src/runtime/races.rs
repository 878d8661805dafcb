//! Races of plain accesses: to locations, which are plain words too, and to cells.
//!
//! A plain access is no event. It is ordered by clocks: each looks whether the others that were performed, and that it
//! conflicts with, happen before it. Threads are performed in an order that agrees with happens-before, so of two
//! accesses without an order the later one sees it, whichever that is.

use std::panic::Location;

use super::state::{Made, State, Step};
use crate::event::Id;
use crate::failure::FailureKind;
use crate::mutant::Mutant;
use crate::views::Clock;

type Place = &'static Location<'static>;

impl State {
    /// Makes a location. In each run the locations of a thread are made in the same order, and are the same.
    pub(crate) fn make_location(&mut self, initial: u64, place: Place) -> u32 {
        let thread = self.current;
        let k = self.locations_made[thread] as usize;
        self.locations_made[thread] += 1;
        let location = match self.interned[thread].get(k) {
            Some(&location) => location,
            None => {
                let location = self.add_location(place);
                self.interned[thread].push(location);
                location
            }
        };
        self.remake_location(location, thread, self.performed[thread], initial, place);
        location
    }

    /// A location that no run has had yet.
    pub(crate) fn add_location(&mut self, place: Place) -> u32 {
        self.made.push(Made { thread: 0, index: 0, initial: 0, run: 0, reads: Clock::EMPTY, place });
        self.made.len() as u32 - 1
    }

    /// Says who made a location in this run.
    pub(crate) fn remake_location(&mut self, location: u32, thread: usize, index: u32, initial: u64, place: Place) {
        let (thread, run) = (thread as u32, self.run);
        self.made[location as usize] = Made { thread, index, initial, run, reads: Clock::EMPTY, place };
        if let Some(entry) = self.graph.entry_of(location) {
            self.graph.locations[entry].initial = initial;
        }
    }

    /// Whether the location was made in this run.
    pub(crate) fn is_location(&self, location: u32) -> bool {
        self.made.get(location as usize).is_some_and(|made| made.run == self.run)
    }

    /// Whether the current thread knows who made a location.
    #[inline]
    fn is_made_before(&self, made: &Made) -> bool {
        made.thread as usize == self.current || self.before_now().count(made.thread as usize) > made.index
    }

    #[cold]
    fn race<T>(&mut self, what: &str, location: u32, places: &[Place]) -> Step<T> {
        let message = format!("T{} {what} of x{location}, without an order between them", self.current);
        self.fail(FailureKind::Race, message, places)
    }

    /// Looks for plain writes that an atomic access does not know of.
    #[inline]
    pub(crate) fn check_atomic(&mut self, location: u32, place: Place) -> Result<(), Step<()>> {
        let made = &self.made[location as usize];
        if !self.is_made_before(made) && !self.lacks(Mutant::AtomicAfterPlainWrite) {
            let what = format!("accesses atomically what T{} wrote plainly or made:", made.thread);
            let places = [made.place, place];
            return Err(self.race(&what, location, &places));
        }
        Ok(())
    }

    /// Looks for plain accesses that a store does not know of.
    #[inline]
    pub(crate) fn check_store(&mut self, location: u32, place: Place) -> Result<(), Step<()>> {
        self.check_atomic(location, place)?;
        if self.lacks(Mutant::StoreAfterPlainRead) {
            return Ok(());
        }
        let reader = self.unknown_reader(&self.made[location as usize].reads, self.before_now());
        self.check_reader(reader, location, place)
    }

    /// Looks for plain reads that the write of an RMW does not know of, whose read is this event. One that fails writes
    /// nothing, and what an RMW acquires happens before its write.
    #[inline]
    pub(crate) fn check_rmw_write(&mut self, read: Id) -> Result<(), Step<()>> {
        if self.lacks(Mutant::RmwAfterPlainRead) {
            return Ok(());
        }
        let event = self.graph.event(read);
        let (location, place) = (event.location, event.place);
        let reader = self.unknown_reader(&self.made[location as usize].reads, &self.graph.clocks(read).before);
        self.check_reader(reader, location, place)
    }

    #[inline]
    fn check_reader(&mut self, reader: Option<usize>, location: u32, place: Place) -> Result<(), Step<()>> {
        match reader {
            Some(thread) => {
                let what = format!("writes what T{thread} read plainly:");
                let places = [self.made[location as usize].place, place];
                Err(self.race(&what, location, &places))
            }
            None => Ok(()),
        }
    }

    /// A thread with a plain read that `before` does not know of.
    #[inline]
    pub(crate) fn unknown_reader(&self, reads: &Clock, before: &Clock) -> Option<usize> {
        before.lacks_of(reads, self.current)
    }

    /// Looks for accesses that a plain access does not know of.
    #[inline]
    pub(crate) fn check_plain(&mut self, location: u32, writes: bool, place: Place) -> Result<(), Step<()>> {
        let made = &self.made[location as usize];
        let verb = if writes { "writes" } else { "reads" };
        let has = |rule: Mutant| !self.lacks(rule);
        if !self.is_made_before(made) && has(Mutant::PlainAfterPlainWrite) {
            let what = format!("{verb} plainly what T{} wrote plainly or made:", made.thread);
            let places = [made.place, place];
            return Err(self.race(&what, location, &places));
        }
        if let Some(entry) = self.graph.entry_of(location)
            && let Some(other) = self.unknown_access(entry, writes)
        {
            let what = format!("{verb} plainly what T{} accessed atomically:", other.thread);
            let places = [self.graph.event(other).place, place];
            return Err(self.race(&what, location, &places));
        }
        if writes
            && has(Mutant::PlainWriteAfterPlainRead)
            && let Some(thread) = self.unknown_reader(&made.reads, self.before_now())
        {
            let what = format!("writes plainly what T{thread} read plainly:");
            let places = [made.place, place];
            return Err(self.race(&what, location, &places));
        }
        Ok(())
    }

    /// An access of the location with this entry that was performed, and that a plain access conflicts with and does
    /// not know of.
    fn unknown_access(&self, entry: usize, writes: bool) -> Option<Id> {
        let order = &self.graph.locations[entry];
        let before = self.before_now();
        let has = |rule: Mutant| !self.lacks(rule);
        let was_performed = |id: Id| self.was_performed(id) || !has(Mutant::PlainBeforeLater);
        let is_unknown = |id: &&Id| !before.has(**id) && was_performed(**id);
        let write = order.writes.iter().find(is_unknown).filter(|_| has(Mutant::PlainAfterWrite));
        let read = || {
            if writes && has(Mutant::PlainWriteAfterRead) { order.reads.iter().find(is_unknown) } else { None }
        };
        write.or_else(read).copied()
    }

    /// A plain read of a location.
    pub(crate) fn plain_read(&mut self, location: u32, place: Place) -> Step<u64> {
        if self.check_plain(location, false, place).is_err() {
            return Step::Unwind;
        }
        let thread = self.current;
        self.made[location as usize].reads.set(thread, self.performed[thread] + 1);
        // All writes that were performed happen before, so the newest of them is the one that is read.
        let newest = self.graph.order_of(location).writes.iter().rev().find(|&&write| self.was_performed(write));
        Step::Done(newest.map_or_else(|| self.initial(location), |&write| self.graph.event(write).written))
    }

    /// A plain write of a location: begins a fresh one, as all that came before is ordered before it.
    pub(crate) fn plain_write(&mut self, location: u32, value: u64, place: Place) -> Step<u32> {
        if self.check_plain(location, true, place).is_err() {
            return Step::Unwind;
        }
        Step::Done(self.make_location(value, place))
    }
}
