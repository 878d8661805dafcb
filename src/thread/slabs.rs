//! The slabs of persistent handles: cells, free ones and those that may hold a young object. All of this is under the
//! leaf mutex of [`PersistentHandles`](super::PersistentHandles).
//!
//! A cell has an index: its slab's number times the cells of a slab, and its place in the slab. Free cells of a slab
//! are linked, and so are slabs with a free cell; nothing here takes memory but [`Slabs::grow`].

use crate::object::Tagged;
use crate::sync::{AtomicU32, Ordering, UnsafeCell};
use crate::words::TABLE_WORD_BITS as BITS;
use core::ptr::NonNull;

/// The word of a free cell. No object starts at this address: the reservation's last granule belongs to a page's end.
const FREE: u32 = u32::MAX;
/// The greatest number of cells of a slab: 4 KiB of them.
const SLAB_CELLS_MAX: usize = 512;
const NO_SLAB: u32 = u32::MAX;
/// The end of a list of cells.
pub(super) const NO_CELL: u32 = u32::MAX;

/// The cell of a persistent handle.
#[derive(Debug)]
pub(super) struct Cell {
    /// What the handle holds; `FREE` if there is none.
    pub(super) word: AtomicU32,
    /// The next cell of the list that this one is on: the released list, or its slab's free cells.
    pub(super) link: UnsafeCell<u32>,
}

/// Why there is no memory for more roots.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefusedMemory {
    /// The Rust allocator refused it.
    #[error("the Rust allocator has no {bytes} bytes for more roots: drop some, or give the process more memory")]
    Allocator {
        /// Bytes that were asked for.
        bytes: usize,
    },
    /// No root set has so many slots.
    #[error("{slots} slots are too many for a root set: make several sets, of at most {slots_max} slots")]
    TooManySlots {
        /// Slots that were asked for.
        slots: usize,
        /// The greatest number of slots of a set.
        slots_max: usize,
    },
    /// Every number that a persistent handle may have is in use.
    #[error("a heap has at most {handles_max} persistent handles at once: drop some")]
    TooManyHandles {
        /// The greatest number of persistent handles.
        handles_max: usize,
    },
}

#[derive(Debug)]
struct Slab {
    /// `None` for a number whose slab was given back.
    cells: Option<NonNull<[Cell]>>,
    used: usize,
    first_free: u32,
    /// The next slab with a free cell, if this one has one.
    next_with_room: u32,
    /// Cells that may hold a young object.
    young: [u64; SLAB_CELLS_MAX / BITS],
}

/// All slabs of a register.
#[derive(Debug)]
pub(super) struct Slabs {
    slabs: Vec<Slab>,
    slab_cells: usize,
    first_with_room: u32,
    /// Cells in use.
    used: usize,
    /// Slabs that exist.
    present: usize,
    /// Slabs that exist without a cell in use.
    empty: usize,
    /// Slabs with a cell that may hold a young object.
    young: Vec<u64>,
    /// If the slabs take more bytes than these, a collection is asked for, once.
    bytes_allowed: usize,
}

// SAFETY: the pointers own their slabs, whose cells are `Send`.
unsafe impl Send for Slabs {}

impl Slabs {
    pub(super) fn new(slab_cells: usize) -> Slabs {
        assert!(slab_cells != 0, "a slab has cells");
        Slabs {
            slabs: Vec::new(),
            slab_cells: slab_cells.min(SLAB_CELLS_MAX),
            first_with_room: NO_SLAB,
            used: 0,
            present: 0,
            empty: 0,
            young: Vec::new(),
            bytes_allowed: usize::MAX,
        }
    }

    /// The number of a cell's slab, and its place in it.
    fn place(&self, index: u32) -> (usize, usize) {
        (index as usize / self.slab_cells, index as usize % self.slab_cells)
    }

    fn cells(&self, number: usize) -> &[Cell] {
        // SAFETY: the slab is owned, and its cells are shared with their handles only.
        self.slabs[number].cells.map_or(&[], |cells| unsafe { cells.as_ref() })
    }

    /// Takes a free cell, if there is one.
    pub(super) fn take_cell(&mut self) -> Option<(u32, NonNull<Cell>)> {
        if self.first_with_room == NO_SLAB {
            return None;
        }
        let number = self.first_with_room as usize;
        let index = self.slabs[number].first_free;
        let cell = &self.cells(number)[self.place(index).1];
        // SAFETY: the cell is free, so its link is the mutex holder's.
        let next = unsafe { cell.link.with(|link| *link) };
        let cell = NonNull::from(cell);
        let slab = &mut self.slabs[number];
        slab.first_free = next;
        if next == NO_CELL {
            self.first_with_room = core::mem::replace(&mut slab.next_with_room, NO_SLAB);
        }
        self.empty -= usize::from(slab.used == 0);
        slab.used += 1;
        self.used += 1;
        Some((index, cell))
    }

    /// Makes a cell of the released list free, and returns the next one of that list.
    pub(super) fn free_cell(&mut self, index: u32) -> u32 {
        let (number, place) = self.place(index);
        let free = self.slabs[number].first_free;
        let cell = &self.cells(number)[place];
        // Relaxed: PH-1.
        let held = cell.word.load(Ordering::Relaxed);
        debug_assert_ne!(held, FREE, "a cell is released once");
        cell.word.store(FREE, Ordering::Relaxed);
        // SAFETY: the cell was released, so its link is the mutex holder's.
        let next = unsafe { cell.link.with_mut(|link| core::mem::replace(&mut *link, free)) };
        let slab = &mut self.slabs[number];
        slab.first_free = index;
        if free == NO_CELL {
            slab.next_with_room = self.first_with_room;
            self.first_with_room = number as u32;
        }
        slab.used -= 1;
        self.used -= 1;
        self.empty += usize::from(slab.used == 0);
        next
    }

    /// The index of the first cell of a slab, if there are indices below [`NO_CELL`] for all its cells.
    fn first_index(&self, number: usize) -> Result<u32, RefusedMemory> {
        let slabs_max = (NO_CELL as usize - 1) / self.slab_cells;
        if number >= slabs_max {
            return Err(RefusedMemory::TooManyHandles { handles_max: slabs_max * self.slab_cells });
        }
        Ok((number * self.slab_cells) as u32)
    }

    /// Adds a slab of free cells.
    pub(super) fn grow(&mut self) -> Result<(), RefusedMemory> {
        let cell_bytes = self.slab_cells * size_of::<Cell>();
        let refused = |_| RefusedMemory::Allocator { bytes: cell_bytes };
        let number = match self.present == self.slabs.len() {
            true => self.slabs.len(),
            false => self.slabs.iter().position(|slab| slab.cells.is_none()).expect("a slab was given back"),
        };
        let first = self.first_index(number)?;
        let mut cells = Vec::new();
        cells.try_reserve_exact(self.slab_cells).map_err(refused)?;
        if number == self.slabs.len() {
            self.slabs.try_reserve(1).map_err(refused)?;
            let words = (number / BITS + 1).saturating_sub(self.young.len());
            self.young.try_reserve(words).map_err(refused)?;
            self.young.resize(self.young.len() + words, 0);
        }
        for place in 1..=self.slab_cells {
            let next = if place == self.slab_cells { NO_CELL } else { first + place as u32 };
            cells.push(Cell { word: AtomicU32::new(FREE), link: UnsafeCell::new(next) });
        }
        let slab = Slab {
            cells: NonNull::new(Box::into_raw(cells.into_boxed_slice())),
            used: 0,
            first_free: first,
            next_with_room: self.first_with_room,
            young: [0; SLAB_CELLS_MAX / BITS],
        };
        if number == self.slabs.len() {
            self.slabs.push(slab);
        } else {
            self.slabs[number] = slab;
        }
        self.first_with_room = number as u32;
        self.present += 1;
        self.empty += 1;
        Ok(())
    }

    /// Gives slabs without a cell in use back to the Rust allocator.
    pub(super) fn trim(&mut self) {
        if self.empty == 0 {
            return;
        }
        self.first_with_room = NO_SLAB;
        for number in (0..self.slabs.len()).rev() {
            let slab = &mut self.slabs[number];
            if slab.used == 0
                && let Some(cells) = slab.cells.take()
            {
                // SAFETY: PH-3 of the register: no handle has a cell of it.
                drop(unsafe { Box::from_raw(cells.as_ptr()) });
                slab.first_free = NO_CELL;
                self.present -= 1;
                self.young[number / BITS] &= !(1 << (number % BITS));
            } else if slab.first_free != NO_CELL {
                slab.next_with_room = self.first_with_room;
                self.first_with_room = number as u32;
            }
        }
        self.empty = 0;
        while self.slabs.last().is_some_and(|slab| slab.cells.is_none()) {
            self.slabs.pop();
        }
        self.young.truncate(self.slabs.len().div_ceil(BITS));
        if self.slabs.capacity() / 4 >= self.slabs.len() {
            self.slabs.shrink_to_fit();
            self.young.shrink_to_fit();
        }
    }

    /// Calls `f` with each cell in use.
    pub(super) fn for_each(&self, mut f: impl FnMut(&Cell)) {
        for (number, _) in self.slabs.iter().enumerate().filter(|(_, slab)| slab.used != 0) {
            self.cells(number).iter().filter(|cell| is_used(cell)).for_each(&mut f);
        }
    }

    /// Says that a cell in use may hold a young object.
    pub(super) fn set_young(&mut self, index: u32) {
        let (number, place) = self.place(index);
        self.slabs[number].young[place / BITS] |= 1 << (place % BITS);
        self.young[number / BITS] |= 1 << (number % BITS);
    }

    /// Calls `f` with each cell that may hold a young object; `f` says whether it still may.
    pub(super) fn retain_young(&mut self, mut f: impl FnMut(&Cell) -> bool) {
        for index in 0..self.young.len() {
            for number in ones(&[self.young[index]]).map(|bit| index * BITS + bit) {
                let mut young = self.slabs[number].young;
                let cells = self.cells(number);
                for place in ones(&self.slabs[number].young) {
                    let cell = &cells[place];
                    if !is_used(cell) || !f(cell) {
                        young[place / BITS] &= !(1 << (place % BITS));
                    }
                }
                self.slabs[number].young = young;
                if young.iter().all(|&word| word == 0) {
                    self.young[index] &= !(1 << (number % BITS));
                }
            }
        }
    }

    /// Calls `f` with the word of each cell in use, and whether it may hold a young object.
    pub(super) fn inspect(&self, mut f: impl FnMut(Tagged, bool)) {
        for (number, slab) in self.slabs.iter().enumerate() {
            let listed = self.young[number / BITS] >> (number % BITS) & 1 != 0;
            for (place, cell) in self.cells(number).iter().enumerate().filter(|(_, cell)| is_used(cell)) {
                let young = slab.young[place / BITS] >> (place % BITS) & 1 != 0;
                // Relaxed: PH-1.
                f(Tagged::from_bits(cell.word.load(Ordering::Relaxed)), listed && young);
            }
        }
    }

    /// Sets how many bytes more may be taken from the Rust allocator before a collection is asked for.
    pub(super) fn allow(&mut self, bytes: usize) {
        self.bytes_allowed = self.bytes().saturating_add(bytes);
    }

    /// Whether more bytes are taken than were [allowed](Self::allow); says so once.
    pub(super) fn take_over(&mut self) -> bool {
        let is_over = self.bytes() > self.bytes_allowed;
        if is_over {
            self.bytes_allowed = usize::MAX;
        }
        is_over
    }

    /// Cells in use.
    pub(super) fn len(&self) -> usize {
        self.used
    }

    /// Bytes of the slabs' cells and of the descriptions of the slabs.
    pub(super) fn bytes(&self) -> usize {
        self.present * (self.slab_cells * size_of::<Cell>() + size_of::<Slab>())
    }
}

fn is_used(cell: &Cell) -> bool {
    // Relaxed: PH-1.
    cell.word.load(Ordering::Relaxed) != FREE
}

/// The numbers of the set bits.
fn ones(words: &[u64]) -> impl Iterator<Item = usize> + '_ {
    words.iter().enumerate().flat_map(|(index, &word)| {
        let mut left = word;
        core::iter::from_fn(move || {
            let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(index * BITS + bit)
        })
    })
}

impl Drop for Slabs {
    fn drop(&mut self) {
        for slab in &self.slabs {
            if let Some(cells) = slab.cells {
                // SAFETY: the register goes with its last handle, so no handle is left.
                drop(unsafe { Box::from_raw(cells.as_ptr()) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cells of the last slab have indices, and no slab comes after it.
    #[test]
    fn indices_end_before_the_end_of_a_list() {
        crate::sync::check(|| {
            for slab_cells in [1, 3, 255, SLAB_CELLS_MAX] {
                let slabs = Slabs::new(slab_cells);
                let slabs_max = (NO_CELL as usize - 1) / slab_cells;
                let last = slabs.first_index(slabs_max - 1).unwrap() as usize;
                assert!(last + slab_cells <= NO_CELL as usize && last + 2 * slab_cells >= NO_CELL as usize);
                let refused = slabs.first_index(slabs_max).unwrap_err();
                assert_eq!(refused, RefusedMemory::TooManyHandles { handles_max: last + slab_cells });
                assert_eq!(slabs.first_index(usize::MAX), Err(refused));
            }
        });
    }
}
