//! Injected refusals: of a release, of a thread's start.

use crate::sync::Gauge;
use core::num::NonZeroUsize;

/// How many requests from now one is refused, once. Threads that ask at the same time are counted one by one, and one
/// of them is struck.
#[derive(Debug)]
pub struct Fault(Gauge);

impl Fault {
    /// No request is refused.
    #[must_use]
    pub const fn new() -> Fault {
        Fault(Gauge::new(0))
    }

    /// Lets the `nth` request from now on be refused; `None` takes an earlier call back.
    pub fn set(&self, nth: Option<NonZeroUsize>) {
        self.0.set(nth.map_or(0, |nth| isize::try_from(nth.get()).unwrap_or(isize::MAX)));
    }

    /// How many requests from now the refusal happens: 1 is the next. `None` if it has happened.
    #[must_use]
    pub fn left(&self) -> Option<NonZeroUsize> {
        usize::try_from(self.0.get()).ok().and_then(NonZeroUsize::new)
    }

    /// Counts one request; whether it is the one to refuse.
    pub fn strikes(&self) -> bool {
        // Rivals may count below 0 together, which is as good as 0.
        self.0.get() > 0 && self.0.add(-1) == 0
    }
}

impl Default for Fault {
    fn default() -> Self {
        Fault::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_is_struck() {
        let fault = Fault::new();
        assert!(!fault.strikes());
        fault.set(NonZeroUsize::new(2));
        assert_eq!((fault.strikes(), fault.left()), (false, NonZeroUsize::new(1)));
        assert_eq!((fault.strikes(), fault.left()), (true, None));
        assert!(!fault.strikes());
        fault.set(NonZeroUsize::new(1));
        fault.set(None);
        assert!(!fault.strikes());
    }
}
