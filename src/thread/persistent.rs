//! Persistent handles: roots that belong to no thread.

use crate::object::Tagged;
use crate::sync::{Arc, AtomicU32, Mutex, Ordering, YieldPoint, yield_point};

/// No object starts here: the last granule of the reservation belongs to a page's end.
const RELEASED: u32 = u32::MAX;

/// The cell of a persistent handle. Its owner releases it with one atomic operation, at any time, stops included.
#[derive(Debug)]
pub struct PersistentCell {
    word: AtomicU32,
}

impl PersistentCell {
    /// The word that the handle holds; the caller is running.
    #[must_use]
    pub fn tagged(&self) -> Tagged {
        // Relaxed: the handle reached the caller by a transfer that orders (it is `Send`, not magic), and moves of the
        // object happened in stops.
        Tagged::from_bits(self.word.load(Ordering::Relaxed))
    }

    /// Releases the handle: the collector forgets it in the next stop.
    pub fn release(&self) {
        // Relaxed: nothing but the word itself is handed over. An RMW, because the collector RMWs the word.
        self.word.swap(RELEASED, Ordering::Relaxed);
    }
}

/// All persistent handles of a heap.
#[derive(Debug)]
pub struct PersistentHandles {
    cells: Mutex<Vec<Arc<PersistentCell>>>,
}

impl PersistentHandles {
    /// None.
    #[must_use]
    pub fn new() -> PersistentHandles {
        PersistentHandles { cells: Mutex::new(Vec::new()) }
    }

    /// Adds a handle that holds `value`. Takes a leaf mutex; the caller is running.
    #[must_use]
    pub fn add(&self, value: Tagged) -> Arc<PersistentCell> {
        let cell = Arc::new(PersistentCell { word: AtomicU32::new(value.bits()) });
        self.cells.lock().push(Arc::clone(&cell));
        cell
    }

    /// In a stop: forgets released handles and calls `f` with the word of each other one, which it may replace.
    pub fn visit(&self, mut f: impl FnMut(Tagged) -> Tagged) {
        self.cells.lock().retain(|cell| {
            // Relaxed: in a stop; only a release can come between, and the exchange below finds it.
            let old = cell.word.load(Ordering::Relaxed);
            if old == RELEASED {
                return false;
            }
            let new = f(Tagged::from_bits(old)).bits();
            yield_point(YieldPoint::RootRead);
            // Relaxed: one location (O-8). Fails only if the handle was released meanwhile, and then it stays released.
            new == old || cell.word.compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        });
    }

    /// Handles that are not yet forgotten.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.lock().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for PersistentHandles {
    fn default() -> Self {
        PersistentHandles::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A released handle counts until the next stop.
    #[test]
    fn a_stop_forgets_released_handles() {
        crate::sync::check(|| {
            let handles = PersistentHandles::new();
            assert!(handles.is_empty());
            let cells = [1, 2, 3].map(|value| handles.add(Tagged::small(value).unwrap()));
            cells[1].release();
            assert_eq!(handles.len(), 3);
            let mut seen = Vec::new();
            handles.visit(|value| {
                seen.push(value.as_small());
                value
            });
            assert_eq!(seen, [Some(1), Some(3)]);
            assert_eq!(handles.len(), 2);
            assert!(!handles.is_empty());
        });
    }
}
