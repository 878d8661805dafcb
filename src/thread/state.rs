//! The state word of a local heap (T-1, T-2), which is changed by read-modify-writes only.

use crate::sync::{AtomicU32, Ordering};

const PARKED: u32 = 1;
const STOP: u32 = 2;
const ABANDONED: u32 = 4;
/// A stop of the heap has unwound. Never cleared. The bit makes every fast path of parking and polling fail, at no
/// cost of its own.
const POISONED: u32 = 8;

/// Running or parked, and whether a stop has been asked for.
#[derive(Debug)]
pub(crate) struct ThreadState(AtomicU32);

/// The error of a fast path: a stop is asked for, or the heap is poisoned, so the slow path is to be taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub(crate) struct StopRequested;

impl ThreadState {
    /// Parked, not asked to stop.
    #[must_use]
    pub(crate) fn new() -> ThreadState {
        ThreadState(AtomicU32::new(PARKED))
    }

    /// Whether a stop has been asked for, or the heap is poisoned: the poll's fast path, one Relaxed load.
    #[inline(always)]
    #[must_use]
    pub(crate) fn stop_requested(&self) -> bool {
        // Relaxed: a hint; the slow path synchronises through `outstanding` and the collector lock.
        self.0.load(Ordering::Relaxed) != 0
    }

    /// RUNNING to PARKED.
    ///
    /// # Errors
    /// A stop was asked for, or the heap is poisoned: the caller has to [`set_parked`](Self::set_parked), which says
    /// whether it has to count itself.
    ///
    /// # Safety
    /// T-1: by the owner, running, which touches the heap no more.
    #[inline]
    pub(crate) unsafe fn try_park(&self) -> Result<(), StopRequested> {
        // O-3: Release hands what this thread did to the heap to the collector that finds it parked (`request_stop`).
        // Relaxed on failure: the slow path synchronises through `outstanding`.
        match self.0.compare_exchange(0, PARKED, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => Ok(()),
            Err(seen) => {
                assert!(
                    seen & (PARKED | ABANDONED) == 0,
                    "T-1: only its own thread parks a local heap, once: {seen:#b}"
                );
                Err(StopRequested)
            }
        }
    }

    /// PARKED to RUNNING.
    ///
    /// # Errors
    /// A stop was asked for, or the heap is poisoned: the caller has to wait for the collector lock.
    ///
    /// # Safety
    /// T-1: by the owner, parked.
    #[inline]
    pub(crate) unsafe fn try_unpark(&self) -> Result<(), StopRequested> {
        // O-4: Acquire pairs with `clear_stop` of the last stop, whose changes to the heap this thread then sees.
        // Relaxed on failure: the slow path synchronises through the collector lock.
        match self.0.compare_exchange(PARKED, 0, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => Ok(()),
            Err(seen) => {
                let parked = seen & (PARKED | ABANDONED) == PARKED;
                assert!(parked, "T-1: only its own thread unparks a local heap, once: {seen:#b}");
                Err(StopRequested)
            }
        }
    }

    /// Sets PARKED after the fast path failed; returns whether a stop is asked for. If no stop is, the heap is
    /// poisoned: then nothing has to be published, since nobody looks at a poisoned heap.
    ///
    /// # Safety
    /// T-1: as [`try_park`](Self::try_park). T-3: the caller counts itself next, if a stop is asked for.
    #[must_use]
    pub(crate) unsafe fn set_parked(&self) -> bool {
        // Relaxed: the caller then takes the `outstanding` mutex, which the collector of this stop takes after it; the
        // collectors of later stops come after this one through the collector lock.
        let before = self.0.fetch_or(PARKED, Ordering::Relaxed);
        let known = before & (STOP | POISONED) != 0 && before & (PARKED | ABANDONED) == 0;
        assert!(known, "T-3: counts once: {before:#b}");
        before & STOP != 0
    }

    /// PARKED to RUNNING; returns whether the heap is poisoned.
    ///
    /// # Safety
    /// T-1, T-2: by the owner, which holds the collector lock.
    pub(crate) unsafe fn set_running(&self) -> bool {
        // Relaxed: whoever relies on it holds the collector lock, now or later.
        let before = self.0.fetch_and(!PARKED, Ordering::Relaxed);
        assert!(before & PARKED != 0, "T-1: runs already: {before:#b}");
        before & POISONED != 0
    }

    /// Whether the local heap runs. Exact for its owner, else a snapshot.
    #[must_use]
    pub(crate) fn is_running(&self) -> bool {
        // Relaxed: nobody else changes PARKED (T-1).
        self.0.load(Ordering::Relaxed) & PARKED == 0
    }

    /// The state in words, for a report of a deadlock.
    pub(super) fn standing(&self) -> &'static str {
        // Relaxed: a look that decides nothing.
        match self.0.load(Ordering::Relaxed) {
            0 => "running",
            STOP => "running, asked to stop",
            PARKED => "parked",
            state if state & ABANDONED != 0 => "abandoned",
            _ => "parked, a stop is asked for",
        }
    }

    /// Says that the owner is parked for good: whoever next looks for abandoned local heaps detaches this one.
    ///
    /// # Safety
    /// T-1: by the owner, which does not touch it again.
    pub(crate) unsafe fn abandon(&self) {
        // O-6: Relaxed: the owner has done nothing since it parked, and this RMW continues the release sequence of that
        // park (O-3), which is what whoever finds it abandoned synchronises with.
        let before = self.0.fetch_or(ABANDONED, Ordering::Relaxed);
        assert!(before & PARKED != 0, "a running local heap is not abandoned");
    }

    /// Whether the owner has gone for good. `false` is a snapshot.
    #[must_use]
    pub(crate) fn is_abandoned(&self) -> bool {
        // O-6: Acquire pairs with the park before `abandon`.
        self.0.load(Ordering::Acquire) & ABANDONED != 0
    }

    /// Asks for a stop; returns whether the thread was running, so that it will count.
    ///
    /// # Safety
    /// T-2: the caller holds the collector lock, and waits for the thread if it was running.
    pub(crate) unsafe fn request_stop(&self) -> bool {
        // O-3: Acquire pairs with the Release of a thread that parked before this.
        let before = self.0.fetch_or(STOP, Ordering::Acquire);
        assert!(before & STOP == 0, "T-2: one stop at a time");
        before & PARKED == 0
    }

    /// Says that the heap is poisoned, to whoever runs next.
    ///
    /// # Safety
    /// T-2: the caller holds the collector lock, and its work has unwound.
    pub(crate) unsafe fn poison(&self) {
        // Relaxed: whoever finds the bit takes the collector lock before it acts on it, or asks nothing of the heap.
        self.0.fetch_or(POISONED, Ordering::Relaxed);
    }

    /// Says that no stop is asked for any more.
    ///
    /// # Safety
    /// T-2: the caller holds the collector lock, and its work is done.
    pub(crate) unsafe fn clear_stop(&self) {
        // O-4: Release publishes the stop's changes to a thread that unparks by the fast path.
        let before = self.0.fetch_and(!STOP, Ordering::Release);
        assert!(before & STOP != 0, "T-2: cleared by who set it");
    }
}

impl Default for ThreadState {
    fn default() -> Self {
        ThreadState::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each fast path fails for good, and a thread that parks does not count itself.
    #[test]
    fn a_poisoned_heap_leaves_no_fast_path() {
        crate::sync::check(|| {
            let state = ThreadState::new();
            // SAFETY: T-1, T-2: this thread owns it, and nobody else knows it.
            unsafe {
                state.poison();
                assert_eq!(state.try_unpark(), Err(StopRequested));
                assert!(state.set_running());
                assert!(state.stop_requested());
                assert_eq!(state.try_park(), Err(StopRequested));
                assert!(!state.set_parked(), "nobody waits for it");
                assert!(!state.is_running());
                state.abandon();
            }
            assert!(state.is_abandoned());
        });
    }

    #[test]
    fn a_running_thread_learns_of_a_stop() {
        crate::sync::check(|| {
            let state = ThreadState::new();
            // SAFETY: the word of no local heap.
            unsafe {
                assert_eq!(state.try_unpark(), Ok(()));
                assert!(!state.stop_requested());
                assert!(state.request_stop(), "it ran");
                assert!(state.stop_requested());
                assert_eq!(state.try_park(), Err(StopRequested));
                state.clear_stop();
                assert!(!state.stop_requested());
                assert_eq!(state.try_park(), Ok(()));
            }
        });
    }

    /// Goal: a transition whose precondition does not hold ends by a panic that names the rule, in every build, and
    /// never by a word that says something else. Method: each transition from each state that it may not start from.
    #[test]
    fn each_transition_refuses_what_it_may_not_start_from() {
        // Under a checker a panic is a finding.
        if crate::sync::is_modelled() {
            return;
        }
        let take = |state: &ThreadState, transition: &str| {
            // SAFETY: the word of no local heap.
            unsafe {
                match transition {
                    "park" => _ = state.try_park(),
                    "unpark" => _ = state.try_unpark(),
                    "park and count" => _ = state.set_parked(),
                    "run" => _ = state.set_running(),
                    "abandon" => state.abandon(),
                    "stop" => _ = state.request_stop(),
                    _ => state.clear_stop(),
                }
            }
        };
        let transitions: [(&str, &[u32], &str); 7] = [
            (
                "park",
                &[PARKED, PARKED | STOP, PARKED | POISONED, PARKED | ABANDONED],
                "T-1: only its own thread parks a local heap, once",
            ),
            (
                "unpark",
                &[0, STOP, POISONED, PARKED | ABANDONED, PARKED | ABANDONED | STOP],
                "T-1: only its own thread unparks a local heap, once",
            ),
            (
                "park and count",
                &[0, PARKED, PARKED | STOP, PARKED | POISONED, PARKED | ABANDONED | STOP],
                "T-3: counts once",
            ),
            ("run", &[0, STOP, POISONED], "T-1: runs already"),
            ("abandon", &[0, STOP, POISONED], "a running local heap is not abandoned"),
            ("stop", &[STOP, PARKED | STOP, PARKED | ABANDONED | STOP], "T-2: one stop at a time"),
            ("end of a stop", &[0, PARKED, PARKED | ABANDONED, PARKED | POISONED], "T-2: cleared by who set it"),
        ];
        for (name, refused, rule) in transitions {
            for &from in refused {
                let state = ThreadState(AtomicU32::new(from));
                let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| take(&state, name)));
                let payload = unwound.expect_err(&format!("{name} from {from:#b} is taken"));
                let text = payload.downcast_ref::<String>().cloned();
                let text =
                    text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default();
                assert!(text.starts_with(rule), "{name} from {from:#b} says: {text}");
            }
        }
    }
}
