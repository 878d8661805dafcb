//! Operations of a run that was given up, while its threads unwind: on flat memory, which holds the newest values.

use super::state::{State, Step};
use crate::event::Event;

impl State {
    pub(crate) fn flat_value(&self, location: u32) -> u64 {
        self.flat.get(&location).copied().unwrap_or_else(|| self.graph.newest(location))
    }

    pub(crate) fn flat_set(&mut self, location: u32, value: u64) {
        self.flat.insert(location, value);
    }

    /// An RMW or a load. What waits in the model does not wait here: who may have a lock is decided beside the model.
    pub(crate) fn flat_read(&mut self, event: &Event) -> Step<(u64, bool)> {
        let value = self.flat_value(event.location);
        let new = event.apply(value, 0);
        if let Some(new) = new {
            self.flat_set(event.location, new);
        }
        Step::Done((value, new.is_some()))
    }
}
