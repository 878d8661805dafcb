//! How a value of the model knows its location: by a number that only the run that made it accepts.

use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::failure::FailureKind;
use crate::runtime::coroutine::with_state;
use crate::runtime::state::{State, Step};

/// A location of a run.
///
/// Relaxed is enough for its own word: a location is used on the thread of the host that explores, and on another one
/// it is refused.
pub(crate) struct Handle(AtomicU64);

impl Handle {
    /// A location with an initial value, made by the current thread.
    #[track_caller]
    pub(crate) fn new(initial: u64) -> Handle {
        let place = Location::caller();
        Handle(AtomicU64::new(with_state(|state| pack(state.make_location(initial, place), state.run))))
    }

    /// A location that is the same for all threads, by a key: made before all threads.
    pub(crate) fn of_key(key: usize, initial: u64, place: &'static Location<'static>) -> Handle {
        Handle(AtomicU64::new(with_state(|state| {
            let location = match state.keyed.get(&key) {
                Some(&location) => location,
                None => {
                    let location = state.add_location(place);
                    state.keyed.insert(key, location);
                    location
                }
            };
            if !state.is_location(location) {
                state.remake_location(location, 0, 0, initial, place);
            }
            pack(location, state.run)
        })))
    }

    /// The location, of whichever run.
    pub(crate) fn location(&self) -> u32 {
        (self.0.load(Ordering::Relaxed) >> 32) as u32
    }

    /// Whether this run made it.
    pub(crate) fn is_of(&self, state: &State) -> bool {
        self.0.load(Ordering::Relaxed) as u32 == state.run
    }

    /// The location, if this run made it.
    #[inline]
    pub(crate) fn resolve(&self, state: &mut State, place: &'static Location<'static>) -> Result<u32, Step<()>> {
        let word = self.0.load(Ordering::Relaxed);
        let (location, run) = ((word >> 32) as u32, word as u32);
        if run == state.run && state.is_location(location) {
            return Ok(location);
        }
        let message =
            format!("T{} uses a value that this execution did not make, or whose memory was freed", state.current);
        Err(state.fail(FailureKind::Foreign, message, &[place]))
    }

    /// Stands for another location from now on.
    pub(crate) fn replace(&self, location: u32, state: &State) {
        self.0.store(pack(location, state.run), Ordering::Relaxed);
    }
}

fn pack(location: u32, run: u32) -> u64 {
    u64::from(location) << 32 | u64::from(run)
}
