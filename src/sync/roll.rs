//! The roll: who is attached to the heaps of this process, for a watchdog that has to say why nobody moves.
//!
//! The state that explains a deadlock lies behind locks that deadlocked threads hold, so the roll notes it beside
//! them: each thread that comes by a [yield point](super::yield_point) leaves its number in a word of its own, and
//! each local heap is entered when it is attached, under no lock of the heap. The report takes no lock of a heap, and
//! reads words, Relaxed, as they happen to be.
//!
//! The roll exists natively, in builds with debug assertions and the feature `internals`, which are those that run
//! tests. Elsewhere nobody is entered, and the report is empty.

use super::scene::is_known_modelled;
use super::{Arc, YieldPoint};
use core::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError, Weak};

/// Something that can tell its state without a lock: a local heap.
pub trait Standing: Send + Sync {
    /// The state, in a few words.
    fn standing(&self) -> &'static str;
}

/// Whether anybody is entered in this build.
pub const ENABLED: bool = super::ROLLS;

/// A thread, and the number of the yield point that it came by last.
struct Walker {
    name: String,
    last: AtomicU8,
}

/// A local heap, and whose it is.
struct Seat {
    heap: usize,
    owner: String,
    local: Weak<dyn Standing>,
}

struct Roll {
    walkers: Vec<Weak<Walker>>,
    seats: Vec<Seat>,
    /// With more entries than these, those of ended threads and dropped local heaps are removed.
    sweep_at: usize,
}

static ROLL: Mutex<Roll> = Mutex::new(Roll { walkers: Vec::new(), seats: Vec::new(), sweep_at: 64 });

std::thread_local! {
    static HERE: Arc<Walker> = enter_thread();
}

fn change(enter: impl FnOnce(&mut Roll)) {
    let mut roll = ROLL.lock().unwrap_or_else(PoisonError::into_inner);
    enter(&mut roll);
    if roll.walkers.len() + roll.seats.len() > roll.sweep_at {
        roll.walkers.retain(|walker| walker.strong_count() != 0);
        roll.seats.retain(|seat| seat.local.strong_count() != 0);
        roll.sweep_at = 64 + 2 * (roll.walkers.len() + roll.seats.len());
    }
}

fn this_thread() -> String {
    let thread = std::thread::current();
    thread.name().map_or_else(|| format!("{:?}", thread.id()), str::to_owned)
}

fn enter_thread() -> Arc<Walker> {
    let walker = Arc::new(Walker { name: this_thread(), last: AtomicU8::new(0) });
    change(|roll| roll.walkers.push(Arc::downgrade(&walker)));
    walker
}

/// Notes the yield point that this thread comes by.
#[allow(dead_code, reason = "the native face of a build that is to be watched calls it")]
#[inline]
pub(super) fn pass(point: YieldPoint) {
    // A thread that ends may come by after its thread-locals have gone. Relaxed: a number to be shown, which orders
    // nothing.
    let _ = HERE.try_with(|here| here.last.store(point as u8, Ordering::Relaxed));
}

/// Enters a local heap of the heap at this address, attached by this thread.
pub(crate) fn enter<T: Standing + 'static>(heap: usize, local: &Arc<T>) {
    if ENABLED && !is_known_modelled() {
        let local: Arc<dyn Standing> = local.clone();
        let seat = Seat { heap, owner: this_thread(), local: Arc::downgrade(&local) };
        change(|roll| roll.seats.push(seat));
    }
}

/// The attached local heaps of this process, each with its state, and its threads, each with the yield point that it
/// came by last and what it may wait for there. One line each; empty in a build without the [roll](self).
#[must_use]
pub fn report() -> String {
    let roll = ROLL.lock().unwrap_or_else(PoisonError::into_inner);
    let mut lines = Vec::new();
    let seats: Vec<_> = roll.seats.iter().filter_map(|seat| Some((seat, seat.local.upgrade()?))).collect();
    for (seat, local) in &seats {
        lines.push(format!("heap {:#x}: local heap attached by {}: {}\n", seat.heap, seat.owner, local.standing()));
    }
    for walker in roll.walkers.iter().filter_map(Weak::upgrade) {
        let last = YieldPoint::ALL[usize::from(walker.last.load(Ordering::Relaxed))];
        lines.push(format!("thread {}: {last} was its last yield point{}\n", walker.name, waits_for(last)));
    }
    // An upgraded reference may be the last to its local heap, so it is dropped after the roll is unlocked.
    drop(roll);
    lines.concat()
}

/// What a thread may wait for behind a yield point.
fn waits_for(last: YieldPoint) -> &'static str {
    match last {
        YieldPoint::UnparkRefused | YieldPoint::PollParked => {
            "; it waits for the collector lock, which whoever stops the world has"
        }
        YieldPoint::ParkUncounted => "; it counts itself as parked, or has",
        YieldPoint::StopArmed => {
            "; it has the collector lock, and waits until each local heap that is `running, asked to stop` has parked"
        }
        YieldPoint::StopLocked | YieldPoint::StopReached | YieldPoint::StopLeft => "; it has the collector lock",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stuck;

    impl Standing for Stuck {
        fn standing(&self) -> &'static str {
            "stuck"
        }
    }

    #[test]
    fn who_is_attached_and_where_threads_are_is_reported() {
        let body = || {
            let stuck = Arc::new(Stuck);
            enter(0x1ab, &stuck);
            let last = YieldPoint::StopArmed;
            crate::sync::yield_point(last);
            let name = this_thread();
            let lines = [
                format!("heap 0x1ab: local heap attached by {name}: stuck\n"),
                format!(
                    "thread {name}: stop.armed was its last yield point; it has the collector lock, and waits until"
                ),
            ];
            let text = report();
            if is_known_modelled() {
                assert!(!text.contains(&lines[0]), "{text}");
            } else {
                assert!(lines.iter().all(|line| text.contains(line) == ENABLED), "{text}");
            }
            drop(stuck);
            assert!(!report().contains("heap 0x1ab"), "it has gone");
        };
        if !is_known_modelled() {
            body();
        }
        crate::sync::check(body);
    }
}
