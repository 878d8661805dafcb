//! Named yield points: the windows between the steps of a publication, and what makes them longer.
//!
//! Most races of the heap have a window of one or two instructions: a page is committed and not yet carved, a bit is
//! set and not yet counted. On a machine such a window is hardly ever met. So the heap names them, by a call between
//! the two steps, and what that call does is the face's business:
//!
//! | face | at a yield point |
//! |---|---|
//! | native, release build | nothing: no instruction is left of it |
//! | native, debug build | a look at a thread-local; in a [stretch](stretch) sometimes a yield or a short sleep |
//! | likewise, with `internals` | besides, a note in the [roll](super::roll) |
//! | model | nothing, so a model has no execution more: between two operations loom switches threads anyway |
//! | scheduled | a scheduling point of its own, at which a scheduler may ask for the name |
//!
//! Invariants:
//!
//! - **Y-1** A yield point does not order, publish or decide anything: a program is right with and without it.
//! - **Y-2** Each name stands at one place of the heap (`tests/yield_points.rs`), so that a scheduler that waits for it
//!   knows where the thread is.

use core::fmt;

/// Makes the enumeration, its list and its names from one table.
macro_rules! yield_points {
    ($($(#[$doc:meta])* $point:ident = $name:literal,)*) => {
        /// A window between two steps of a protocol.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum YieldPoint {
            $($(#[$doc])* $point,)*
        }

        impl YieldPoint {
            /// All of them.
            pub const ALL: &[YieldPoint] = &[$(YieldPoint::$point),*];

            /// The index of the yield point in [`ALL`](Self::ALL).
            const fn number(self) -> usize {
                self as usize
            }

            /// Its name: the protocol, and what has just been done.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(YieldPoint::$point => $name,)*
                }
            }
        }
    };
}

yield_points! {
    /// A carver has read the frontier, and has not yet tried to move it.
    FrontierSeen = "frontier.seen",
    /// The next page is committed, and nobody has sealed the one before it.
    FrontierCommitted = "frontier.committed",
    /// A LAB is carved off, and its owner has not looked at it.
    FrontierCarved = "frontier.carved",
    /// A page is sealed, and its tail is not yet a filler.
    FrontierSealed = "frontier.sealed",
    /// A page's bit is set, and not yet counted.
    PageSetSet = "page-set.set",
    /// A page is claimed from the counter, and no bit is cleared for it.
    PageSetClaimed = "page-set.claimed",
    /// A set bit has been seen, and is not yet cleared.
    PageSetSeen = "page-set.seen",
    /// The count of committed pages has been read, and not yet raised.
    BudgetSeen = "budget.seen",
    /// Budget for a fresh page is reserved, and no address taken.
    FreshReserved = "fresh.reserved",
    /// A fresh page has an address, and is not yet committed.
    FreshAddressed = "fresh.addressed",
    /// A fresh page is committed, and not yet labelled.
    FreshCommitted = "fresh.committed",
    /// The address of a page given back is free, and its budget is not.
    FreshReturned = "fresh.returned",
    /// Budget for a run is reserved, and no run found.
    RunReserved = "run.reserved",
    /// A run is found, and not yet committed.
    RunFound = "run.found",
    /// A run is committed, and not yet labelled.
    RunCommitted = "run.committed",
    /// A run is free, and its budget is not yet given back.
    RunFreed = "run.freed",
    /// A LAB is empty, and its rest is neither filler nor hole.
    LabEmptied = "lab.emptied",
    /// A page with room is taken, and nobody is written down as its owner.
    PageTaken = "page.taken",
    /// A page has lost its owner, and is in no set.
    PageGivenUp = "page.given-up",
    /// One page of a reserve is taken, and others may be missing.
    ReserveTaken = "reserve.taken",
    /// What is left of a reserve is about to be given back.
    ReserveLeft = "reserve.left",
    /// An object is complete, and not yet stored into the slot of a root set.
    RootPublished = "root.published",
    /// A stop has read a persistent handle, and not yet written where its object went.
    RootRead = "root.read",
    /// A reference is stored, and its slot not yet remembered.
    BarrierStored = "barrier.stored",
    /// A local heap has the counts of its failed attempt, and has not yet asked for a collection.
    RequestFailed = "request.failed",
    /// A last resort is decided on, and the world runs.
    LastResortBegun = "last-resort.begun",
    /// A last resort has collected, and not yet attempted.
    LastResortCollected = "last-resort.collected",
    /// Parking was refused because of a stop, and the thread is not yet parked.
    ParkRefused = "park.refused",
    /// A thread is parked, and has not yet counted itself.
    ParkUncounted = "park.uncounted",
    /// Unparking was refused because of a stop, and the thread does not yet wait for its end.
    UnparkRefused = "unpark.refused",
    /// A thread has polled, is parked, and is about to run again.
    PollParked = "poll.parked",
    /// The collector lock is held, and nobody is asked to stop.
    StopLocked = "stop.locked",
    /// Every local heap is asked to stop, and those that ran are not yet counted.
    StopArmed = "stop.armed",
    /// The world is stopped, and the work has not begun.
    StopReached = "stop.reached",
    /// The initiator runs again, and nobody else does.
    StopLeft = "stop.left",
    /// A local heap is released, and others are not.
    StopReleased = "stop.released",
    /// A local heap is attached, and its register still locked.
    LocalAttached = "local.attached",
    /// A local heap has given its memory up, and is still in the register.
    LocalRetired = "local.retired",
}

impl fmt::Display for YieldPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Stretching: threads of the native face linger at yield points, at random.
///
/// A thread lingers while it has the guard that [`begin`](stretch::begin) returned to it. Without debug assertions, and
/// in the other faces, this module has the same items, and no thread lingers: see [`ENABLED`](stretch::ENABLED).
pub mod stretch {
    use super::YieldPoint;
    use core::cell::Cell;
    use core::marker::PhantomData;
    use core::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    /// Whether a stretch does anything in this build.
    pub const ENABLED: bool = crate::sync::STRETCHES;

    /// One in so many visits sleeps, and four times as many yield.
    const SLEEP_ONE_IN: u64 = 128;
    /// The longest sleep.
    const SLEEP_MAX: Duration = Duration::from_micros(50);

    // Relaxed: counts, which order nothing (Y-1).
    static VISITS: [AtomicU64; YieldPoint::ALL.len()] = [const { AtomicU64::new(0) }; YieldPoint::ALL.len()];

    std::thread_local! {
        /// This thread's source of decisions, while it lingers.
        static DICE: Cell<Option<u64>> = const { Cell::new(None) };
    }

    /// While this guard lives, the thread that made it lingers at yield points.
    #[derive(Debug)]
    #[must_use = "dropping it ends the stretch"]
    pub struct StretchGuard(PhantomData<*mut ()>);

    /// Lets this thread linger. Where, and how long, follows from the seed.
    pub fn begin(seed: u64) -> StretchGuard {
        DICE.set(Some(seed));
        StretchGuard(PhantomData)
    }

    impl Drop for StretchGuard {
        fn drop(&mut self) {
            DICE.set(None);
        }
    }

    fn visits_of(point: YieldPoint) -> &'static AtomicU64 {
        &VISITS[point.number()]
    }

    /// How often lingering threads of this process have come by a yield point.
    #[must_use]
    pub fn visits(point: YieldPoint) -> u64 {
        visits_of(point).load(Ordering::Relaxed)
    }

    /// Lingers, or not.
    #[allow(dead_code, reason = "the native face alone calls it")]
    #[inline]
    pub(in crate::sync) fn visit(point: YieldPoint) {
        // A thread that ends may come by after its thread-locals have gone.
        if let Ok(Some(state)) = DICE.try_with(Cell::get) {
            linger(point, state);
        }
    }

    #[cold]
    fn linger(point: YieldPoint, state: u64) {
        visits_of(point).fetch_add(1, Ordering::Relaxed);
        // A step of splitmix64.
        let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        DICE.set(Some(state));
        let mut drawn = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        drawn ^= drawn >> 31;
        match drawn % SLEEP_ONE_IN {
            0 => std::thread::sleep(SLEEP_MAX.mul_f64((drawn >> 40) as f64 / (1u64 << 24) as f64)),
            1..5 => std::thread::yield_now(),
            _ => {}
        }
    }
}
