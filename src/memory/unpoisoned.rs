//! The counterpart of `poison.rs` in a build without AddressSanitizer: it does nothing.

use core::ptr::NonNull;

/// A stand-in without content.
pub(super) struct Poison;

impl Poison {
    pub(super) fn new(_base: NonNull<u8>, _bytes: usize) -> Poison {
        Poison
    }

    #[inline(always)]
    pub(super) fn withhold(&self, _offset: usize, _bytes: usize) {}

    #[inline(always)]
    pub(super) fn expose(&self, _offset: usize, _bytes: usize) {}
}
