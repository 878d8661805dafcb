//! Layer 5: threads. Local heaps, their state, the safepoint, the request for a collection, and the roots they hold.
//!
//! A local heap is *running* (its thread may touch the heap) or *parked* (it may not, and need not be waited for). A
//! *stop* is a time in which no local heap runs. Any thread may begin one, and holds the collector lock for the whole
//! stop, so another thread that wants a stop waits for the lock, parked, and then looks whether its request is
//! already met.
//!
//! ```text
//! state word of a local heap            collector
//!   RUNNING --park--> PARKED              lock collector
//!   RUNNING|STOP --poll/park-->           for each local heap: set STOP; count those that were running
//!       PARKED|STOP, outstanding -= 1     outstanding += count; wait until it is 0
//!   PARKED --unpark--> RUNNING            ... the stop ...
//!   PARKED|STOP --unpark--> wait for      for each local heap: clear STOP; the initiator's: running again
//!       the collector lock, then RUNNING  unlock
//! ```
//!
//! Invariants:
//! * **T-1** PARKED is set and cleared by the owning thread only (for the initiator of a stop, that is the
//!   collector). The owner is the one thread that uses the local heap at a time. That the caller is the owner is a
//!   contract of the safepoint's functions.
//! * **T-2** STOP is set and cleared by the holder of the collector lock only, and clear whenever the lock is free.
//! * **T-3** A thread counts in a stop exactly once: when STOP was set on it while it ran, it sets PARKED once, and
//!   that is when it counts.
//! * **T-4** The list of local heaps changes under the collector lock only, so not in a stop.
//! * **T-5** Collection counts change in a stop only, and every local heap gets a copy before the stop ends. So two
//!   equal copies mean that no collection lies between.
//! * **T-6** The initiator is running again before STOP is cleared anywhere: what it allocated inside the stop cannot
//!   be met unformatted by the next stop, since that stop has to wait for the initiator.

mod counts;
mod handles;
mod local;
mod persistent;
mod root_set;
mod safepoint;
mod slabs;
mod state;

pub use counts::CollectionCounts;
pub use handles::{HandleMark, HandleSlots, Slot};
pub use local::{Local, LocalData, LocalFlags};
pub use persistent::{PersistentCell, PersistentHandles, RefusedMemory};
pub use root_set::{ROOT_SET_SLOTS_MAX, RootSetSlots, RootSets};
pub use safepoint::{Registry, RegistryGuard, Safepoint, Stop};
