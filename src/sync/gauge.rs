//! Gauges and tags: numbers that check the heap, and that no checker sees. They are no operations of a model and no
//! scheduling points, so no protocol may rest on them. Code that decides by a gauge has an edge of its own from the
//! last change, as the owner of a page has; or it takes the number for a hint, and asks again by an operation that
//! models see before it refuses anything.
//!
//! Gauges and tags are the machine's own atomics in every face, Relaxed: each is a single location, of which the
//! modification order is all that is claimed. Modelled threads take turns on one thread of the system, so in a model
//! the numbers are exact at every moment.

use core::fmt;
use core::sync::atomic::{AtomicIsize, AtomicU8, Ordering};

/// A signed number that threads change by adding to it.
#[repr(transparent)]
pub struct Gauge(AtomicIsize);

impl Gauge {
    /// A gauge at `value`.
    #[must_use]
    pub const fn new(value: isize) -> Gauge {
        Gauge(AtomicIsize::new(value))
    }

    /// The value. Exact while nobody changes it, else a snapshot.
    #[must_use]
    pub fn get(&self) -> isize {
        // Relaxed, here and below: see the module.
        self.0.load(Ordering::Relaxed)
    }

    /// Replaces the value.
    pub fn set(&self, value: isize) {
        self.0.swap(value, Ordering::Relaxed);
    }

    /// Adds `change`, wrapping; returns the value right after.
    pub fn add(&self, change: isize) -> isize {
        self.0.fetch_add(change, Ordering::Relaxed).wrapping_add(change)
    }
}

/// A small number that threads replace.
#[repr(transparent)]
pub struct Tag(AtomicU8);

impl Tag {
    /// A tag of `value`.
    #[must_use]
    pub const fn new(value: u8) -> Tag {
        Tag(AtomicU8::new(value))
    }

    /// The value.
    #[must_use]
    pub fn get(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }

    /// Replaces the value; returns the one before.
    pub fn swap(&self, value: u8) -> u8 {
        self.0.swap(value, Ordering::Relaxed)
    }
}

// SAFETY: a byte of 0 is a tag of 0.
unsafe impl super::Zeroed for Tag {}

impl fmt::Debug for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gauge").field(&self.get()).finish()
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tag").field(&self.get()).finish()
    }
}
