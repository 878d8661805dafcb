//! The handle stack of a local heap: slots that never move, in blocks.
//!
//! ```text
//! blocks   [s s s s s s] [s s . . . .]        `next` is the first free slot; a block's end is aligned
//!                             ^next
//! ```
//!
//! A handle is a pointer to a slot. Opening a handle scope remembers `next`; closing it goes back there. Blocks are kept
//! for reuse until the local heap is detached. The owner pushes and reads while it runs; the collector reads and
//! rewrites in a stop. Slots beyond `next` are not roots.
//!
//! * **I-1** A block's slots lie at the end of a piece of memory that is aligned to its size, a power of two, and they do
//!   not fill it. So an aligned `next` is the end of a block, and no aligned address is a slot: to push and to go back
//!   takes no second word.
//! * **I-2** All blocks before the one that `next` is in are full.

use crate::object::Tagged;
use crate::sync::UnsafeCell;
use core::ptr::NonNull;
use std::alloc::{self, Layout};

/// A slot of the handle stack: the bits of a tagged word.
pub type Slot = UnsafeCell<u32>;

/// A handle stack.
#[derive(Debug)]
pub struct HandleSlots {
    next: *const Slot,
    /// The size of a block's memory, less one (I-1).
    mask: usize,
    /// The first slot of each block. Raw, because slots are read through copies of these pointers.
    blocks: Vec<NonNull<Slot>>,
    block_slots: usize,
}

/// Where a handle scope began.
#[derive(Clone, Copy, Debug)]
pub struct HandleMark {
    next: *const Slot,
}

impl HandleSlots {
    /// An empty stack with one block.
    ///
    /// # Panics
    /// If a block is to have no slots, or more than memory has.
    #[must_use]
    pub fn new(block_slots: usize) -> HandleSlots {
        assert!(block_slots != 0);
        let mask = (block_slots * size_of::<Slot>()).next_power_of_two();
        // I-1: slots that would fill the memory get twice as much.
        let mask = if mask == block_slots * size_of::<Slot>() { 2 * mask - 1 } else { mask - 1 };
        let mut slots = HandleSlots { next: core::ptr::null(), mask, blocks: Vec::new(), block_slots };
        slots.next = slots.add_block();
        slots
    }

    /// The memory of a block.
    fn block_layout(&self) -> Layout {
        Layout::from_size_align(self.mask + 1, self.mask + 1).expect("a block is smaller than the address space")
    }

    /// How far into its memory a block's first slot lies.
    fn pad_bytes(&self) -> usize {
        self.mask + 1 - self.block_slots * size_of::<Slot>()
    }

    /// Pushes a root and returns its slot, which stays where it is until the scope is closed.
    #[inline(always)]
    pub fn push(&mut self, value: Tagged) -> NonNull<Slot> {
        if self.next.addr() & self.mask == 0 {
            self.grow();
        }
        let slot = self.next;
        // SAFETY: I-1: `next` is a slot of a block and not its end.
        unsafe {
            self.next = slot.add(1);
            (*slot).with_mut(|bits| *bits = value.bits());
            NonNull::new_unchecked(slot.cast_mut())
        }
    }

    /// Goes from the end of a block to the start of the next one.
    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        let index = self.block_of_next() + 1;
        self.next = match self.blocks.get(index) {
            Some(block) => block.as_ptr().cast_const(),
            None => self.add_block(),
        };
    }

    fn add_block(&mut self) -> *const Slot {
        let layout = self.block_layout();
        // SAFETY: the layout's size is not zero.
        let memory = unsafe { alloc::alloc(layout) };
        let Some(memory) = NonNull::new(memory) else { alloc::handle_alloc_error(layout) };
        // SAFETY: the slots lie in the memory, from the padding to its end, and are aligned, since its end is.
        unsafe {
            let block = memory.add(self.pad_bytes()).cast::<Slot>();
            for index in 0..self.block_slots {
                block.add(index).write(Slot::new(0));
            }
            self.blocks.push(block);
            block.as_ptr().cast_const()
        }
    }

    /// The block that `next` is in, or at the end of.
    fn block_of_next(&self) -> usize {
        let bytes = self.block_slots * size_of::<Slot>();
        let holds = |block: &NonNull<Slot>| self.next.addr().wrapping_sub(block.as_ptr().addr()) <= bytes;
        self.blocks.iter().position(holds).expect("the next slot is in a block of the stack")
    }

    /// Where the stack stands.
    #[inline(always)]
    #[must_use]
    pub fn mark(&self) -> HandleMark {
        HandleMark { next: self.next }
    }

    /// Goes back to `mark`, which was taken on this stack. Handles pushed since are dead.
    #[inline(always)]
    pub fn reset(&mut self, mark: HandleMark) {
        self.next = mark.next;
    }

    /// Calls `f` with every live slot.
    pub fn for_each(&self, mut f: impl FnMut(&Slot)) {
        let current = self.block_of_next();
        for (index, block) in self.blocks.iter().enumerate().take(current + 1) {
            let start = block.as_ptr().cast_const();
            let count = if index == current {
                // SAFETY: both point into the current block, or to its end.
                usize::try_from(unsafe { self.next.offset_from(start) }).expect("next is in the block")
            } else {
                // I-2.
                self.block_slots
            };
            for slot in 0..count {
                // SAFETY: within the block.
                f(unsafe { &*start.add(slot) });
            }
        }
    }

    /// Live slots.
    #[must_use]
    pub fn len(&self) -> usize {
        let mut count = 0;
        self.for_each(|_| count += 1);
        count
    }

    /// Whether no slot is live.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Drop for HandleSlots {
    fn drop(&mut self) {
        let layout = self.block_layout();
        for block in &self.blocks {
            // SAFETY: made by `add_block` with this layout, the padding before the slots; no handle outlives its local
            // heap. Each slot was written.
            unsafe {
                for index in 0..self.block_slots {
                    block.add(index).drop_in_place();
                }
                alloc::dealloc(block.cast::<u8>().sub(self.pad_bytes()).as_ptr(), layout);
            }
        }
    }
}

// SAFETY: the pointers own their blocks; access follows the local heap's protocol.
unsafe impl Send for HandleSlots {}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(slots: &HandleSlots) -> Vec<i32> {
        let mut seen = Vec::new();
        // SAFETY: this thread owns the stack.
        slots.for_each(|slot| seen.push(Tagged::from_bits(unsafe { slot.with(|bits| *bits) }).as_small().unwrap()));
        seen
    }

    /// Scopes nest across block boundaries, and a slot keeps its address and value while later ones come and go.
    #[test]
    fn scopes_nest_across_blocks() {
        crate::sync::check(|| {
            let small = |value| Tagged::small(value).unwrap();
            let mut slots = HandleSlots::new(2);
            let empty = slots.mark();
            let first = slots.push(small(1));
            let outer = slots.mark();
            for value in 2..6 {
                slots.push(small(value));
            }
            assert_eq!(values(&slots), [1, 2, 3, 4, 5]);
            slots.reset(outer);
            assert_eq!(values(&slots), [1]);
            slots.push(small(7));
            slots.push(small(8));
            assert_eq!(values(&slots), [1, 7, 8]);
            // SAFETY: this thread owns the stack, and the scope of `first` is open.
            assert_eq!(unsafe { first.as_ref().with(|bits| *bits) }, small(1).bits());
            slots.reset(empty);
            assert!(slots.is_empty());
            slots.push(small(9));
            assert!(!slots.is_empty());
            assert_eq!(values(&slots), [9]);
        });
    }

    /// I-1, for blocks of any number of slots.
    #[test]
    fn slots_end_where_their_memory_does() {
        crate::sync::check(|| {
            for block_slots in 1..20 {
                let slots = HandleSlots::new(block_slots);
                let (layout, bytes) = (slots.block_layout(), block_slots * size_of::<Slot>());
                assert_eq!(slots.pad_bytes() + bytes, layout.size());
                assert_eq!(layout.align(), layout.size());
                assert!(bytes < layout.size());
            }
        });
    }
}
