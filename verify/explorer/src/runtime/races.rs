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
        self.made.push(Made { thread: 0, index: 0, run: 0, reads: Clock::EMPTY, place });
        self.made.len() as u32 - 1
    }

    /// Says who made a location in this run.
    pub(crate) fn remake_location(&mut self, location: u32, thread: usize, index: u32, initial: u64, place: Place) {
        self.made[location as usize] = Made { thread: thread as u32, index, run: self.run, reads: Clock::EMPTY, place };
        self.graph.order_of_mut(location).initial = initial;
    }

    /// Whether the location was made in this run.
    pub(crate) fn is_location(&self, location: u32) -> bool {
        self.made.get(location as usize).is_some_and(|made| made.run == self.run)
    }

    fn is_made_before(&self, made: &Made, before: &Clock) -> bool {
        made.thread as usize == self.current || before.count(made.thread as usize) > made.index
    }

    fn race<T>(&mut self, what: &str, location: u32, places: &[Place]) -> Step<T> {
        let message = format!("T{} {what} of x{location}, without an order between them", self.current);
        self.fail(FailureKind::Race, message, places)
    }

    /// Looks for plain writes that an atomic access does not know of.
    #[inline]
    pub(crate) fn check_atomic(&mut self, location: u32, place: Place) -> Result<(), Step<()>> {
        let before = self.before_now();
        let made = self.made[location as usize];
        if !self.is_made_before(&made, &before) && !self.lacks(Mutant::AtomicAfterPlainWrite) {
            let what = format!("accesses atomically what T{} wrote plainly or made:", made.thread);
            return Err(self.race(&what, location, &[made.place, place]));
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
        let before = self.before_now();
        self.check_readers(location, &before, place)
    }

    /// Looks for plain reads that the write of an RMW does not know of, whose read is this event. One that fails writes
    /// nothing, and what an RMW acquires happens before its write.
    #[inline]
    pub(crate) fn check_rmw_write(&mut self, read: Id) -> Result<(), Step<()>> {
        if self.lacks(Mutant::RmwAfterPlainRead) {
            return Ok(());
        }
        let event = self.graph.event(read);
        let (location, before, place) = (event.location, event.before, event.place);
        self.check_readers(location, &before, place)
    }

    fn check_readers(&mut self, location: u32, before: &Clock, place: Place) -> Result<(), Step<()>> {
        let made = self.made[location as usize];
        match self.unknown_reader(&made.reads, before) {
            Some(thread) => {
                let what = format!("writes what T{thread} read plainly:");
                Err(self.race(&what, location, &[made.place, place]))
            }
            None => Ok(()),
        }
    }

    /// A thread with a plain read that `before` does not know of.
    pub(crate) fn unknown_reader(&self, reads: &Clock, before: &Clock) -> Option<usize> {
        (0..crate::views::THREADS_MAX).find(|&thread| {
            thread != self.current && reads.count(thread) != 0 && before.count(thread) < reads.count(thread)
        })
    }

    /// Looks for accesses that a plain access does not know of.
    pub(crate) fn check_plain(&mut self, location: u32, writes: bool, place: Place) -> Result<(), Step<()>> {
        let before = self.before_now();
        let made = self.made[location as usize];
        let verb = if writes { "writes" } else { "reads" };
        let has = |rule: Mutant| !self.lacks(rule);
        if has(Mutant::PlainAfterPlainWrite) && !self.is_made_before(&made, &before) {
            let what = format!("{verb} plainly what T{} wrote plainly or made:", made.thread);
            return Err(self.race(&what, location, &[made.place, place]));
        }
        let order = self.graph.order_of(location);
        let was_performed = |id: Id| self.was_performed(id) || !has(Mutant::PlainBeforeLater);
        let is_unknown = |id: &&Id| was_performed(**id) && !before.has(**id);
        let other = order.writes.iter().find(is_unknown).filter(|_| has(Mutant::PlainAfterWrite)).or_else(|| {
            if writes && has(Mutant::PlainWriteAfterRead) { order.reads.iter().find(is_unknown) } else { None }
        });
        if let Some(&other) = other {
            let other_place = self.graph.event(other).place;
            let what = format!("{verb} plainly what T{} accessed atomically:", other.thread);
            return Err(self.race(&what, location, &[other_place, place]));
        }
        if writes
            && has(Mutant::PlainWriteAfterPlainRead)
            && let Some(thread) = self.unknown_reader(&made.reads, &before)
        {
            let what = format!("writes plainly what T{thread} read plainly:");
            return Err(self.race(&what, location, &[made.place, place]));
        }
        Ok(())
    }

    /// A plain read of a location.
    pub(crate) fn plain_read(&mut self, location: u32, place: Place) -> Step<u64> {
        if self.check_plain(location, false, place).is_err() {
            return Step::Unwind;
        }
        let thread = self.current;
        self.made[location as usize].reads.set(thread, self.performed[thread] + 1);
        // All writes that were performed happen before, so the newest of them is the one that is read.
        let order = self.graph.order_of(location);
        let newest = order.writes.iter().rev().find(|&&write| self.was_performed(write));
        Step::Done(newest.map_or(order.initial, |&write| self.graph.event(write).written))
    }

    /// A plain write of a location: begins a fresh one, as all that came before is ordered before it.
    pub(crate) fn plain_write(&mut self, location: u32, value: u64, place: Place) -> Step<u32> {
        if self.check_plain(location, true, place).is_err() {
            return Step::Unwind;
        }
        Step::Done(self.make_location(value, place))
    }
}
