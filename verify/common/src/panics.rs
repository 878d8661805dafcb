//! The text of a panic: its payload may be any value, and is nearly always text.

use std::any::Any;

/// What is said of a panic whose payload is no text.
pub const WITHOUT_TEXT: &str = "a panic without text";

/// The text of a panic. `None` if its payload is no text; [`WITHOUT_TEXT`] is what to say then.
///
/// # Examples
///
/// ```
/// use heaplab_common::panics::panic_text;
///
/// let payload = std::panic::catch_unwind(|| panic!("{} is odd", 7)).unwrap_err();
/// assert_eq!(panic_text(&*payload), Some("7 is odd"));
/// ```
#[must_use]
pub fn panic_text(payload: &(dyn Any + Send)) -> Option<&str> {
    payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref::<&str>().copied())
}

#[cfg(test)]
mod tests {
    use super::panic_text;
    use std::panic::{catch_unwind, resume_unwind};

    #[test]
    fn a_panic_is_its_text() {
        let said = |body: fn()| panic_text(&*catch_unwind(body).unwrap_err()).map(str::to_owned);
        assert_eq!(said(|| panic!("plain")).as_deref(), Some("plain"));
        assert_eq!(said(|| panic!("{}", "made")).as_deref(), Some("made"));
        assert_eq!(said(|| resume_unwind(Box::new(7))), None);
    }
}
