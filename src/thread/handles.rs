//! The handle stack of a local heap: slots that never move, in blocks.
//!
//! ```text
//! blocks   [s s s s s s] [s s . . . .]        `current` is the block in use, `next` its first free slot
//!                             ^next
//! ```
//!
//! A handle is a pointer to a slot. Opening a handle scope remembers `next`; closing it goes back there. Blocks are kept
//! for reuse until the local heap is detached. The owner pushes and reads while it runs; the collector reads and
//! rewrites in a stop. Slots beyond `next` are not roots.
//!
//! * **I-1** `next` alone tells the block: a block ends with a slot that is never used, so that the end of one is not
//!   the start of another; and `next` is a block's start only in the first block, since a block is entered to push.

use crate::object::Tagged;
use crate::sync::UnsafeCell;
use core::ptr::NonNull;

/// A slot of the handle stack: the bits of a tagged word.
pub type Slot = UnsafeCell<u32>;

/// A handle stack.
#[derive(Debug)]
pub struct HandleSlots {
    /// Each block has `block_slots` slots. Raw, because slots are read through copies of these pointers.
    blocks: Vec<NonNull<Slot>>,
    block_slots: usize,
    current: usize,
    next: *const Slot,
    end: *const Slot,
}

/// Where a handle scope began.
#[derive(Clone, Copy, Debug)]
pub struct HandleMark {
    next: *const Slot,
}

impl HandleSlots {
    /// An empty stack with one block.
    #[must_use]
    pub fn new(block_slots: usize) -> HandleSlots {
        assert!(block_slots != 0);
        let mut slots = HandleSlots {
            blocks: Vec::new(),
            block_slots,
            current: 0,
            next: core::ptr::null(),
            end: core::ptr::null(),
        };
        slots.add_block();
        slots.enter(0);
        slots
    }

    /// Pushes a root and returns its slot, which stays where it is until the scope is closed.
    #[inline(always)]
    pub fn push(&mut self, value: Tagged) -> NonNull<Slot> {
        if self.next == self.end {
            self.grow();
        }
        let slot = self.next;
        // SAFETY: `next..end` are slots of the current block, and `next < end`.
        unsafe {
            self.next = slot.add(1);
            (*slot).with_mut(|bits| *bits = value.bits());
            NonNull::new_unchecked(slot.cast_mut())
        }
    }

    #[cold]
    fn grow(&mut self) {
        let index = self.current + 1;
        if index == self.blocks.len() {
            self.add_block();
        }
        self.enter(index);
    }

    fn add_block(&mut self) {
        // I-1: one slot more than is used.
        let block: Box<[Slot]> = (0..=self.block_slots).map(|_| Slot::new(0)).collect();
        let block: *mut [Slot] = Box::into_raw(block);
        self.blocks.push(NonNull::new(block.cast::<Slot>()).expect("a box is not null"));
    }

    #[cold]
    fn enter(&mut self, index: usize) {
        let start = self.blocks[index].as_ptr().cast_const();
        self.current = index;
        self.next = start;
        // SAFETY: one past the end of the block.
        self.end = unsafe { start.add(self.block_slots) };
    }

    /// Where the stack stands.
    #[inline(always)]
    #[must_use]
    pub fn mark(&self) -> HandleMark {
        HandleMark { next: self.next }
    }

    /// Goes back to `mark`. Handles pushed since are dead.
    #[inline(always)]
    pub fn reset(&mut self, mark: HandleMark) {
        // Addresses are compared, nothing is read: within the current block, but not at its start (I-1).
        let to_end = self.end.addr().wrapping_sub(mark.next.addr());
        if to_end >= self.block_slots * size_of::<Slot>() {
            self.enter_block_of(mark);
        }
        self.next = mark.next;
    }

    #[cold]
    fn enter_block_of(&mut self, mark: HandleMark) {
        let block_bytes = self.block_slots * size_of::<Slot>();
        let holds = |block: &NonNull<Slot>| mark.next.addr().wrapping_sub(block.as_ptr().addr()) <= block_bytes;
        let index = self.blocks.iter().position(holds);
        self.enter(index.expect("a mark lies in a block of the stack that it was taken on"));
    }

    /// Calls `f` with every live slot.
    pub fn for_each(&self, mut f: impl FnMut(&Slot)) {
        for (index, block) in self.blocks.iter().enumerate().take(self.current + 1) {
            let start = block.as_ptr().cast_const();
            let count = if index == self.current {
                // SAFETY: both point into the current block.
                usize::try_from(unsafe { self.next.offset_from(start) }).expect("next is in the block")
            } else {
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
        for block in &self.blocks {
            let block = core::ptr::slice_from_raw_parts_mut(block.as_ptr(), self.block_slots + 1);
            // SAFETY: made by `Box::into_raw` in `grow`; no handle outlives its local heap.
            drop(unsafe { Box::from_raw(block) });
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
            assert_eq!(values(&slots), [9]);
        });
    }
}
