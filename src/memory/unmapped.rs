//! The mapping of a build that maps no memory: a type without values, whose constructor refuses and says why.

use core::ptr::NonNull;

use super::{MemoryError, PageSource, UNMAPPED};

/// A mapping, of which there is none.
pub(super) enum Mapped {}

impl Mapped {
    /// Refuses.
    pub(super) fn reserve(_bytes: usize, _page_bytes: usize, _split: usize) -> Result<Mapped, MemoryError> {
        Err(MemoryError::Unsupported { source: PageSource::Mapped, reason: UNMAPPED })
    }

    pub(super) fn base(&self) -> NonNull<u8> {
        match *self {}
    }

    pub(super) fn commit(&self, _offset: usize, _bytes: usize) -> Result<(), MemoryError> {
        match *self {}
    }

    /// # Safety
    ///
    /// None: there is no mapping.
    pub(super) unsafe fn release(&self, _offset: usize, _bytes: usize) -> Result<(), MemoryError> {
        match *self {}
    }
}
