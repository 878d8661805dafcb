//! The memory of a build that explores: simulated in a model, real everywhere else.
//!
//! A reservation belongs to the [`Scene`] that it was made in, as every value of [`sync`](crate::sync) does. Real words
//! are words in place in this build too, so a heap outside of a model is laid out as it is without the feature.

use super::native::CommitFault as RealFault;
use super::simulated::CommitFault as SimulatedFault;
use super::{MemoryError, PageSource, native, simulated};
use crate::sync::{HeapWord, Ordering, RealWord, Scene};

const KIND: &str = "heap memory";

/// The most bytes of a reservation from this source.
pub(super) fn bytes_max(source: PageSource) -> usize {
    if source == PageSource::Simulated { simulated::BYTES_MAX } else { native::bytes_max(source) }
}

/// A reservation of real or of modelled words.
pub(super) enum Region {
    Real(native::Region),
    Simulated(Scene, simulated::Region),
}

/// A word of either.
#[derive(Clone, Copy)]
pub(super) enum Word<'a> {
    Real(&'a RealWord),
    Simulated(&'a HeapWord),
}

/// The injected refusal of either.
pub(super) enum CommitFault<'a> {
    Real(&'a RealFault),
    Simulated(&'a SimulatedFault),
}

/// Calls a method of whichever region it is, in its scene.
macro_rules! of_region {
    ($self:ident, $region:ident => $call:expr) => {
        match $self {
            Region::Real($region) => {
                Scene::NATIVE.assert_here(KIND);
                $call
            }
            Region::Simulated(scene, $region) => {
                scene.assert_here(KIND);
                $call
            }
        }
    };
}

impl Region {
    pub(super) fn reserve(
        source: PageSource,
        bytes: usize,
        page_bytes: usize,
        split: usize,
    ) -> Result<Region, MemoryError> {
        let here = Scene::looked_for();
        match (source == PageSource::Simulated, here.is_native()) {
            (false, true) => native::Region::reserve(source, bytes, page_bytes, split).map(Region::Real),
            (true, false) => Ok(Region::Simulated(here, simulated::Region::reserve(bytes, page_bytes))),
            (true, true) => {
                let reason = "it exists in a model only, and this is outside of any";
                Err(MemoryError::Unsupported { source, reason })
            }
            (false, false) => {
                let reason = "in a model all memory is simulated";
                Err(MemoryError::Unsupported { source, reason })
            }
        }
    }

    /// The address of offset 0, in real memory.
    #[cfg(test)]
    pub(super) fn base_address(&self) -> usize {
        match self {
            Region::Real(region) => region.base_address(),
            Region::Simulated(..) => panic!("simulated words lie anywhere"),
        }
    }

    #[track_caller]
    pub(super) fn commit(&self, offset: usize, bytes: usize) -> Result<(), MemoryError> {
        of_region!(self, region => region.commit(offset, bytes))
    }

    /// # Safety
    ///
    /// As for [`Memory::release`](super::Memory::release), and the range lies inside and consists of whole heap pages.
    #[track_caller]
    pub(super) unsafe fn release(&self, offset: usize, bytes: usize) -> Result<(), MemoryError> {
        // SAFETY: forwarded.
        of_region!(self, region => unsafe { region.release(offset, bytes) })
    }

    #[inline]
    #[track_caller]
    pub(super) fn withhold(&self, offset: usize, bytes: usize) {
        of_region!(self, region => region.withhold(offset, bytes));
    }

    #[inline]
    #[track_caller]
    pub(super) fn expose(&self, offset: usize, bytes: usize) {
        of_region!(self, region => region.expose(offset, bytes));
    }

    #[track_caller]
    pub(super) fn fault(&self) -> CommitFault<'_> {
        match self {
            Region::Real(region) => {
                Scene::NATIVE.assert_here(KIND);
                CommitFault::Real(region.fault())
            }
            Region::Simulated(scene, region) => {
                scene.assert_here(KIND);
                CommitFault::Simulated(region.fault())
            }
        }
    }

    /// # Safety
    ///
    /// `offset` is 4-aligned and its word committed.
    #[inline]
    #[track_caller]
    pub(super) unsafe fn word(&self, offset: usize) -> Word<'_> {
        match self {
            Region::Real(region) => {
                Scene::NATIVE.assert_here(KIND);
                // SAFETY: forwarded.
                Word::Real(unsafe { region.word(offset) })
            }
            Region::Simulated(scene, region) => {
                scene.assert_here(KIND);
                // SAFETY: forwarded.
                Word::Simulated(unsafe { region.word(offset) })
            }
        }
    }

    /// # Safety
    ///
    /// As for [`Memory::zero`](super::Memory::zero).
    #[inline]
    #[track_caller]
    pub(super) unsafe fn zero(&self, offset: usize, bytes: usize) {
        // SAFETY: forwarded.
        of_region!(self, region => unsafe { region.zero(offset, bytes) });
    }

    /// # Safety
    ///
    /// As for [`Memory::format`](super::Memory::format).
    #[inline]
    #[track_caller]
    pub(super) unsafe fn format(&self, offset: usize, bytes: usize, header: u32) {
        // SAFETY: forwarded.
        of_region!(self, region => unsafe { region.format(offset, bytes, header) });
    }

    /// # Safety
    ///
    /// As for [`Memory::copy`](super::Memory::copy).
    #[inline]
    #[track_caller]
    pub(super) unsafe fn copy(&self, from: usize, to: usize, bytes: usize) {
        // SAFETY: forwarded.
        of_region!(self, region => unsafe { region.copy(from, to, bytes) });
    }
}

impl Word<'_> {
    #[inline]
    #[track_caller]
    pub(super) fn load(self, order: Ordering) -> u32 {
        match self {
            Word::Real(word) => word.load(order),
            Word::Simulated(word) => word.load(order),
        }
    }

    #[inline]
    #[track_caller]
    pub(super) fn store(self, value: u32, order: Ordering) {
        match self {
            Word::Real(word) => word.store(value, order),
            Word::Simulated(word) => word.store(value, order),
        }
    }

    #[inline]
    #[track_caller]
    pub(super) fn compare_exchange(self, old: u32, new: u32, ok: Ordering, fail: Ordering) -> Result<u32, u32> {
        match self {
            Word::Real(word) => word.compare_exchange(old, new, ok, fail),
            Word::Simulated(word) => word.compare_exchange(old, new, ok, fail),
        }
    }

    /// # Safety
    ///
    /// Every store to this word by another thread happens before the call, or after it.
    #[inline]
    #[track_caller]
    pub(super) unsafe fn unsync_load(self) -> u32 {
        match self {
            // SAFETY: forwarded.
            Word::Real(word) => unsafe { word.unsync_load() },
            // SAFETY: forwarded.
            Word::Simulated(word) => unsafe { word.unsync_load() },
        }
    }

    /// # Safety
    ///
    /// Every access to this word by another thread happens before the call, or after it.
    #[inline]
    #[track_caller]
    pub(super) unsafe fn unsync_store(self, value: u32) {
        match self {
            // SAFETY: forwarded.
            Word::Real(word) => unsafe { word.unsync_store(value) },
            // SAFETY: forwarded.
            Word::Simulated(word) => unsafe { word.unsync_store(value) },
        }
    }
}

impl CommitFault<'_> {
    #[track_caller]
    pub(super) fn set(&self, commits_left: usize) {
        match self {
            CommitFault::Real(fault) => fault.set(commits_left),
            CommitFault::Simulated(fault) => fault.set(commits_left),
        }
    }

    #[track_caller]
    pub(super) fn commits_left(&self) -> usize {
        match self {
            CommitFault::Real(fault) => fault.commits_left(),
            CommitFault::Simulated(fault) => fault.commits_left(),
        }
    }
}
