//! The LAB: a linear allocation buffer.

use crate::words::{GRANULE_BYTES, Offset};

/// A range of memory that one local heap allocates from by bumping `top` (L-1, L-2).
#[derive(Clone, Copy, Debug)]
pub struct Lab {
    top: usize,
    /// Where the bump path stops: `end`, or `top` while the window is closed.
    limit: usize,
    end: usize,
}

impl Lab {
    /// A LAB without memory.
    pub const EMPTY: Lab = Lab { top: 0, limit: 0, end: 0 };

    /// The LAB over `bytes` bytes from `start`. A closed window sends every allocation to the slow path.
    #[must_use]
    pub fn new(start: Offset, bytes: usize, window_open: bool) -> Lab {
        let lab = Lab { top: start.bytes(), limit: start.bytes() + bytes, end: start.bytes() + bytes };
        let lab = if window_open { lab } else { Lab { limit: lab.top, ..lab } };
        lab.verify();
        lab
    }

    #[inline(always)]
    fn verify(&self) {
        debug_assert!(self.top <= self.limit, "L-1");
        debug_assert!(self.limit <= self.end, "L-1");
        debug_assert!((self.top | self.limit | self.end).is_multiple_of(GRANULE_BYTES), "L-1");
    }

    /// Takes `bytes` bytes, a multiple of a granule, if the window has them. No arithmetic here can overflow.
    #[inline(always)]
    #[must_use]
    pub fn bump(&mut self, bytes: usize) -> Option<Offset> {
        if bytes <= self.limit - self.top {
            let at = self.top;
            self.top = at + bytes;
            self.verify();
            Some(Offset::new(at))
        } else {
            None
        }
    }

    /// Takes `bytes` bytes even if the window is closed; the window stays as it is.
    #[must_use]
    pub fn bump_behind_window(&mut self, bytes: usize) -> Option<Offset> {
        if bytes > self.end - self.top {
            return None;
        }
        let (at, closed) = (self.top, self.limit < self.end);
        self.top += bytes;
        self.limit = if closed { self.top } else { self.limit };
        self.verify();
        Some(Offset::new(at))
    }

    /// Opens or closes the window.
    pub fn set_window(&mut self, open: bool) {
        self.limit = if open { self.end } else { self.top };
        self.verify();
    }

    /// What is left: start and bytes.
    #[must_use]
    pub fn rest(&self) -> (Offset, usize) {
        (Offset::new(self.top), self.end - self.top)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serves_exactly_what_it_has() {
        let mut lab = Lab::new(Offset::new(64), 24, true);
        assert_eq!(lab.bump(16), Some(Offset::new(64)));
        assert_eq!(lab.bump(16), None, "too little is left");
        assert_eq!(lab.bump(8), Some(Offset::new(80)), "to the last byte");
        assert_eq!(lab.bump(8), None);
        assert_eq!(lab.rest(), (Offset::new(88), 0));
    }

    #[test]
    fn hostile_sizes_do_not_wrap() {
        let mut lab = Lab::new(Offset::new(64), 24, true);
        for bytes in [32, usize::MAX & !7, usize::MAX - 63] {
            assert_eq!(lab.bump(bytes), None);
            assert_eq!(lab.bump_behind_window(bytes), None);
        }
    }

    #[test]
    fn a_closed_window_serves_the_slow_path_only() {
        let mut lab = Lab::new(Offset::new(0), 16, false);
        assert_eq!(lab.bump(8), None);
        assert_eq!(lab.bump_behind_window(8), Some(Offset::new(0)));
        assert_eq!(lab.bump(8), None, "still closed");
        lab.set_window(true);
        assert_eq!(lab.bump(8), Some(Offset::new(8)));
    }
}
