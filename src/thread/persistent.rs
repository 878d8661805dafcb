//! Persistent handles: roots that belong to no thread.
//!
//! A handle is a cell. Cells lie in slabs, which never move, and are used again as soon as their handles are dropped:
//!
//! ```text
//! slabs      [cell cell cell ..] [cell ..] ..      under a leaf mutex, each slab with a list of its free cells
//! released   cell -> cell -> cell                  one word; a dropped handle pushes its cell, whoever holds the mutex
//!                                                  takes the whole list
//! ```
//!
//! Dropping a handle takes no lock and never waits, so it may happen anywhere: in a stop, on a parked thread, in a
//! callback, after the heap is gone. A new handle takes a free cell; if no cell is free, the released cells are made
//! free; if none was released, a slab is added. A collection gives slabs without handles back.
//!
//! A minor collection visits the cells that may hold a young object: those that were filled since the last
//! collection, or whose object stayed young in it. A bit for each cell says so, and a bit for each slab with such a
//! cell.
//!
//! * **PH-1** The word of a cell is written under the mutex only: when the cell is filled, visited, or found
//!   released. Its handle reads it.
//! * **PH-2** The link of a cell belongs to the cell's handle, until that pushes the cell on the released list; then
//!   to the holder of the mutex.
//! * **PH-3** A slab is freed only when all its cells are free. So the cell of a handle exists as long as the handle
//!   does.
//! * **PH-4** Between collections, a cell that holds a young object has its bit set.

use super::slabs::{Cell, NO_CELL, Slabs};
use crate::object::Tagged;
use crate::sync::{Arc, AtomicU32, Mutex, Ordering, YieldPoint, yield_point};
use core::ptr::NonNull;

pub use super::slabs::RefusedMemory;

/// A persistent handle: a cell of its register. Dropping it releases the cell, by a loop of compare-exchanges that
/// only other drops, and whoever takes the released list, can make longer; the module says how.
#[derive(Debug)]
pub struct PersistentCell {
    register: Arc<PersistentHandles>,
    cell: NonNull<Cell>,
    index: u32,
}

impl PersistentCell {
    /// The word that the handle holds: an object's address to a thread that runs a local heap, and a mere number to any
    /// other thread.
    #[must_use]
    pub fn tagged(&self) -> Tagged {
        // SAFETY: PH-3.
        let cell = unsafe { self.cell.as_ref() };
        // Relaxed: the handle, an ordinary `Send` value, reached the caller by a transfer that orders, and moves of the
        // object happened in stops (O-8).
        Tagged::from_bits(cell.word.load(Ordering::Relaxed))
    }

    /// Whether this is a handle of `register`.
    #[must_use]
    pub fn belongs_to(&self, register: &Arc<PersistentHandles>) -> bool {
        Arc::ptr_eq(&self.register, register)
    }
}

impl Drop for PersistentCell {
    fn drop(&mut self) {
        // SAFETY: PH-3.
        let cell = unsafe { self.cell.as_ref() };
        let released = &self.register.released;
        // Relaxed: a guess, which the exchange checks.
        let mut seen = released.load(Ordering::Relaxed);
        loop {
            // SAFETY: PH-2: the cell is still this handle's.
            unsafe { cell.link.with_mut(|link| *link = seen) };
            // O-8: Release hands the link, and the cell, to whoever takes the list. Relaxed on failure: another
            // guess. The loop ends: a failure means that another handle was released, or that the list was taken.
            match released.compare_exchange_weak(seen, self.index, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(newer) => seen = newer,
            }
        }
    }
}

// SAFETY: a shared handle's word is read atomically; the link is touched by the handle's one owner, in `drop`.
unsafe impl Send for PersistentCell {}
// SAFETY: a shared handle's word is read atomically; the link is touched by the handle's one owner, in `drop`.
unsafe impl Sync for PersistentCell {}

// A handle has no state that a panic could leave half changed: its word changes under the register's mutex, at once.
impl core::panic::UnwindSafe for PersistentCell {}
impl core::panic::RefUnwindSafe for PersistentCell {}

/// All persistent handles of a heap.
#[derive(Debug)]
pub struct PersistentHandles {
    slabs: Mutex<Slabs>,
    /// The first cell of the released list.
    released: AtomicU32,
}

impl PersistentHandles {
    /// A register without handles. Each slab will have `slab_cells` cells, or as many as a slab can hold if that is
    /// fewer.
    ///
    /// # Panics
    /// If `slab_cells` is 0.
    #[must_use]
    pub fn new(slab_cells: usize) -> Arc<PersistentHandles> {
        Arc::new(PersistentHandles { slabs: Mutex::new(Slabs::new(slab_cells)), released: AtomicU32::new(NO_CELL) })
    }

    /// Adds a handle that holds `value`. Takes a leaf mutex, and a slab from the Rust allocator if no cell is free or
    /// released.
    ///
    /// # Errors
    /// The Rust allocator refuses the slab, or there are some 2^32 handles.
    ///
    /// # Safety
    /// `value` is a small integer or a live object of the heap whose handles these are, and the caller is running.
    pub unsafe fn add(self: &Arc<Self>, value: Tagged) -> Result<PersistentCell, RefusedMemory> {
        // SAFETY: the caller's contract.
        unsafe { self.add_watched(value) }.map(|(cell, _)| cell)
    }

    /// As [`add`](Self::add); also returns whether the handles now take more memory than was [allowed](Self::allow).
    /// That is reported once: a collection is due then.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    ///
    /// # Safety
    /// As [`add`](Self::add).
    pub unsafe fn add_watched(self: &Arc<Self>, value: Tagged) -> Result<(PersistentCell, bool), RefusedMemory> {
        let mut slabs = self.slabs.lock();
        let mut is_over = false;
        let (index, cell) = loop {
            if let Some(found) = slabs.take_cell() {
                break found;
            }
            if !self.take_released(&mut slabs) {
                slabs.grow()?;
                is_over = slabs.take_over();
            }
        };
        // SAFETY: PH-3: the cell is in use.
        // Relaxed: PH-1; visitors take the mutex. That released cells were taken before is relied on by nobody.
        unsafe { cell.as_ref() }.word.store(value.bits(), Ordering::Relaxed);
        if value.is_reference() {
            slabs.set_young(index);
        }
        drop(slabs);
        Ok((PersistentCell { register: Arc::clone(self), cell, index }, is_over))
    }

    /// Makes the released cells free; returns whether there were any.
    fn take_released(&self, slabs: &mut Slabs) -> bool {
        // O-8: Acquire pairs with each release on the list: their links are seen. An RMW, so that no release that is
        // over is missed.
        let mut next = self.released.swap(NO_CELL, Ordering::Acquire);
        let any = next != NO_CELL;
        while next != NO_CELL {
            // PH-2: the cells of the list are ours. Their words change under the mutex; the order is relied on by
            // nobody.
            next = slabs.free_cell(next);
        }
        any
    }

    /// Calls `f` with the word of each handle, which it may replace. Handles that were dropped before are not visited.
    ///
    /// # Safety
    /// The world is stopped, and `f` returns what its argument has become.
    pub unsafe fn visit(&self, mut f: impl FnMut(Tagged) -> Tagged) {
        let slabs = &mut *self.slabs.lock();
        self.take_released(slabs);
        slabs.for_each(|cell| visit_cell(cell, &mut f));
    }

    /// As [`visit`](Self::visit), for the handles that may hold a young object. `f` also returns whether the object is
    /// still young.
    ///
    /// # Safety
    /// As [`visit`](Self::visit).
    pub unsafe fn visit_young(&self, mut f: impl FnMut(Tagged) -> (Tagged, bool)) {
        let slabs = &mut *self.slabs.lock();
        self.take_released(slabs);
        slabs.retain_young(|cell| {
            let mut young = false;
            visit_cell(cell, |word| {
                let (word, is_young) = f(word);
                young = is_young;
                word
            });
            young
        });
    }

    /// Notes that no handle holds a young object.
    ///
    /// # Safety
    /// The world is stopped, and new space is empty.
    pub unsafe fn forget_young(&self) {
        self.slabs.lock().retain_young(|_| false);
    }

    /// Sets how many bytes more may be taken from the Rust allocator before a collection is asked for.
    pub fn allow(&self, bytes: usize) {
        self.slabs.lock().allow(bytes);
    }

    /// Gives slabs without handles back to the Rust allocator.
    pub fn trim(&self) {
        let slabs = &mut *self.slabs.lock();
        self.take_released(slabs);
        slabs.trim();
    }

    /// Calls `f` with the word of each handle, and whether a minor collection would visit it. For the verifier.
    pub fn inspect(&self, f: impl FnMut(Tagged, bool)) {
        let slabs = &mut *self.slabs.lock();
        self.take_released(slabs);
        slabs.inspect(f);
    }

    /// Bytes that the cells and their slabs take from the Rust allocator.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.slabs.lock().bytes()
    }

    /// Handles that are not dropped.
    #[must_use]
    pub fn len(&self) -> usize {
        let slabs = &mut *self.slabs.lock();
        self.take_released(slabs);
        slabs.len()
    }

    /// Whether there are no handles that are not dropped.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Replaces the word of a cell in use; the caller holds the mutex.
fn visit_cell(cell: &Cell, f: impl FnOnce(Tagged) -> Tagged) {
    // Relaxed: PH-1.
    let old = cell.word.load(Ordering::Relaxed);
    let new = f(Tagged::from_bits(old)).bits();
    yield_point(YieldPoint::RootRead);
    if new != old {
        // Relaxed: PH-1; a handle's owner reads it after the stop (O-4).
        cell.word.store(new, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(handles: &Arc<PersistentHandles>, value: i32) -> PersistentCell {
        // SAFETY: a small integer; there is no heap.
        unsafe { handles.add(Tagged::small(value).unwrap()) }.unwrap()
    }

    fn visited(handles: &PersistentHandles) -> Vec<i32> {
        let mut seen = Vec::new();
        // SAFETY: there is no heap; what is visited stays.
        unsafe {
            handles.visit(|value| {
                seen.push(value.as_small().unwrap());
                value
            });
        }
        seen.sort_unstable();
        seen
    }

    /// A dropped handle is neither counted nor visited, and the next one gets its cell.
    #[test]
    fn a_dropped_handle_is_forgotten_and_its_cell_used_again() {
        crate::sync::check(|| {
            let handles = PersistentHandles::new(2);
            assert!(handles.is_empty());
            assert_eq!(handles.bytes(), 0);
            let first = add(&handles, 1);
            let second = add(&handles, 2);
            let bytes = handles.bytes();
            let cell = first.cell;
            drop(first);
            assert_eq!(handles.len(), 1);
            assert_eq!(visited(&handles), [2]);
            let third = add(&handles, 3);
            assert_eq!(third.cell, cell);
            assert_eq!(visited(&handles), [2, 3]);
            assert_eq!(handles.bytes(), bytes);
            assert_eq!((second.tagged().as_small(), third.tagged().as_small()), (Some(2), Some(3)));
        });
    }

    /// A slab goes when its last handle has gone, whichever slab it is; the others' handles stay.
    #[test]
    fn a_slab_without_handles_is_given_back() {
        crate::sync::check(|| {
            for gone in 0..3 {
                let handles = PersistentHandles::new(2);
                let mut kept: Vec<_> = (0..6).map(|value| Some(add(&handles, value))).collect();
                let bytes = handles.bytes();
                kept[2 * gone] = None;
                handles.trim();
                assert_eq!(handles.bytes(), bytes, "a handle is left in it");
                kept[2 * gone + 1] = None;
                handles.trim();
                assert_eq!(handles.bytes(), bytes / 3 * 2);
                let expected: Vec<i32> = (0..6).filter(|&value| value as usize / 2 != gone).collect();
                assert_eq!(visited(&handles), expected);
                kept.push(Some(add(&handles, 9)));
                assert_eq!(handles.bytes(), bytes);
                drop(kept);
                handles.trim();
                assert_eq!((handles.len(), handles.bytes()), (0, 0));
            }
        });
    }

    /// A new handle is visited by the next minor collection, and by later ones while its object stays young. The cell
    /// of a handle whose object has grown old is visited again when a new handle fills it.
    #[test]
    fn only_what_may_be_young_is_visited() {
        crate::sync::check(|| {
            let handles = PersistentHandles::new(2);
            let at = |offset: usize| Tagged::reference(crate::words::Offset::new(offset));
            // SAFETY: there is no heap.
            let mut cells: Vec<_> = (1..=5).map(|i| Some(unsafe { handles.add(at(256 * i)) }.unwrap())).collect();
            let visit = |young: &dyn Fn(usize) -> bool| {
                let mut seen = Vec::new();
                // SAFETY: there is no heap.
                unsafe {
                    handles.visit_young(|word| {
                        let bytes = word.target().bytes();
                        seen.push(bytes / 256);
                        (at(bytes), young(bytes / 256))
                    });
                }
                seen.sort_unstable();
                seen
            };
            assert_eq!(visit(&|i| i % 2 == 1), [1, 2, 3, 4, 5]);
            assert_eq!(visit(&|i| i != 3), [1, 3, 5]);
            cells[0] = None;
            assert_eq!(visit(&|_| true), [5], "1 is dropped, 3 is old");
            // SAFETY: there is no heap.
            cells[0] = Some(unsafe { handles.add(at(256 * 7)) }.unwrap());
            assert_eq!(visit(&|_| true), [5, 7]);
            // SAFETY: there is no heap.
            unsafe { handles.forget_young() };
            assert_eq!(visit(&|_| true), []);
            assert_eq!(handles.len(), 5);
        });
    }
}
