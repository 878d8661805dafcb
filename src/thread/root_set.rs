//! Root sets: arrays of roots that an embedder registers. Data, so that no embedder code runs in a stop.

use crate::object::Tagged;
use crate::sync::{Arc, AtomicU32, Mutex, Ordering, YieldPoint, yield_point};

/// The slots of a root set. Running threads load and store them; a stop rewrites them.
#[derive(Debug)]
pub struct RootSetSlots {
    slots: Box<[AtomicU32]>,
}

impl RootSetSlots {
    /// How many slots.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The word in slot `index`; the caller is running.
    ///
    /// # Panics
    /// If there is no such slot.
    #[must_use]
    pub fn load(&self, index: usize) -> Tagged {
        // O-5: Acquire pairs with `store`, so the object is seen as it was when it was published.
        Tagged::from_bits(self.slots[index].load(Ordering::Acquire))
    }

    /// Sets slot `index`; the caller is running.
    ///
    /// # Panics
    /// If there is no such slot.
    pub fn store(&self, index: usize, value: Tagged) {
        yield_point(YieldPoint::RootPublished);
        // O-5: Release publishes the object to whoever loads it from here.
        self.slots[index].store(value.bits(), Ordering::Release);
    }
}

/// All root sets of a heap.
#[derive(Debug)]
pub struct RootSets {
    sets: Mutex<Vec<Arc<RootSetSlots>>>,
}

impl RootSets {
    /// None.
    #[must_use]
    pub fn new() -> RootSets {
        RootSets { sets: Mutex::new(Vec::new()) }
    }

    /// Adds a set of `len` slots that hold the small integer 0. It is a root until the last reference to it but ours
    /// is dropped. Takes a leaf mutex.
    #[must_use]
    pub fn add(&self, len: usize) -> Arc<RootSetSlots> {
        let set = Arc::new(RootSetSlots { slots: (0..len).map(|_| AtomicU32::new(0)).collect() });
        self.sets.lock().push(Arc::clone(&set));
        set
    }

    /// In a stop: forgets dropped sets and calls `f` with each word, which it may replace.
    pub fn visit(&self, mut f: impl FnMut(Tagged) -> Tagged) {
        self.sets.lock().retain(|set| {
            if Arc::strong_count(set) == 1 {
                return false;
            }
            for slot in &set.slots {
                // Relaxed: in a stop.
                let old = slot.load(Ordering::Relaxed);
                let new = f(Tagged::from_bits(old)).bits();
                if new != old {
                    // Relaxed: in a stop.
                    slot.store(new, Ordering::Relaxed);
                }
            }
            true
        });
    }
}

impl Default for RootSets {
    fn default() -> Self {
        RootSets::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_the_slots_that_were_asked_for() {
        crate::sync::check(|| {
            let sets = RootSets::new();
            for len in [0, 1, 3] {
                let set = sets.add(len);
                assert_eq!((set.len(), set.is_empty()), (len, len == 0));
            }
        });
    }
}
