//! The last panic of a model, which is recorded instead of printed.

use std::cell::RefCell;

use crate::failure::Place;

std::thread_local! {
    pub(super) static LAST_PANIC: RefCell<Option<(String, Option<Place>)>> = const { RefCell::new(None) };
}

/// The message and the place of the last panic of the model.
pub(crate) fn last_panic() -> String {
    LAST_PANIC.with(|last| match &*last.borrow() {
        Some((message, Some(place))) => format!("{message} (at {place})"),
        Some((message, None)) => message.clone(),
        None => "a panic".to_owned(),
    })
}
