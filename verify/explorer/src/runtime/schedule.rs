//! Which thread goes next: a function of the graph and of what the threads want, never of how the graph came about.

use super::state::{Pending, State};
use crate::event::{Id, Kind, Op};
use crate::mutant::Mutant;
use crate::views::THREADS_MAX;

impl State {
    /// Whether what a thread wants is possible now.
    pub(crate) fn is_open(&self, thread: usize, pending: Pending) -> bool {
        match pending {
            Pending::Ready => true,
            Pending::Await(location, op) => {
                self.builder.plain_locks && op == Op::Lock || !op.waits_at(self.newest(location))
            }
            Pending::Join(child) => self.pending[child as usize] == Pending::Done,
            Pending::Wake(location, entry) => self.wake_source(location, thread, entry).is_some(),
            _ => false,
        }
    }

    /// What ended the wait of a thread on a condition variable: the first change after its entry that has its bit
    /// clear.
    pub(crate) fn wake_source(&self, location: u32, thread: usize, entry: u32) -> Option<Id> {
        let position = self.graph.position(location, Id { thread: thread as u32, index: entry });
        let later = &self.graph.order_of(location).writes[position..];
        let is_cleared =
            |&write: &Id| self.graph.event(write).written >> thread & 1 == 0 || self.lacks(Mutant::WakeByClearing);
        let mut wakes = later.iter().copied().filter(is_cleared);
        if self.lacks(Mutant::WakeByFirst) { wakes.next_back() } else { wakes.next() }
    }

    fn ends_with_yield(&self, thread: usize) -> bool {
        self.graph.threads[thread].last().is_some_and(|event| event.kind == Kind::Yield)
    }

    /// The thread that adds the next event: where mutexes are handed over, the holder of one that somebody waits for;
    /// then the leftmost thread, then the leftmost that has just yielded, by how often it did, then who waits for a
    /// lock that is held, then a loop that waits and may give up by itself.
    pub(crate) fn pick(&mut self) -> Option<usize> {
        if !self.builder.plain_locks {
            for thread in 0..THREADS_MAX {
                if self.pending[thread] != Pending::Blocked {
                    continue;
                }
                let Some(event) = self.graph.blocked_wait(thread).filter(|event| event.op == Op::Lock) else {
                    continue;
                };
                let holder = event.source.thread as usize;
                if !event.source.is_initial() && self.is_open(holder, self.pending[holder]) {
                    return Some(holder);
                }
            }
        }
        let (mut yielded, mut waiting) = (None, None);
        for thread in 0..THREADS_MAX {
            let pending = self.pending[thread];
            if self.is_open(thread, pending) {
                if !self.ends_with_yield(thread) {
                    return Some(thread);
                }
                let turns = self.turns_of(thread);
                if yielded.is_none_or(|(least, _)| turns < least) {
                    yielded = Some((turns, thread));
                }
            } else if matches!(pending, Pending::Await(..)) && waiting.is_none() {
                waiting = Some(thread);
            }
        }
        if let Some((_, thread)) = yielded {
            return Some(thread);
        }
        waiting.or_else(|| self.pick_spinner())
    }

    /// The next thread of a replay that has something to do.
    pub(crate) fn pick_replayed(&self) -> Option<usize> {
        (0..THREADS_MAX).find(|&thread| match self.pending[thread] {
            Pending::Ready => !self.was_started(thread) || self.has_replay(thread),
            Pending::Source(id) => self.was_performed(id),
            Pending::Await(..) | Pending::Join(_) | Pending::Wake(..) => self.has_replay(thread),
            _ => false,
        })
    }

    fn has_replay(&self, thread: usize) -> bool {
        (self.performed[thread] as usize) < self.graph.threads[thread].len()
    }

    fn was_started(&self, thread: usize) -> bool {
        self.started >> thread & 1 == 1
    }
}
