//! The handle stack of a local heap: slots that never move, in blocks.
//!
//! ```text
//! blocks   [0 s s s s s s] [1 s s . . . .]        `next` is the first free slot; a block's end is aligned
//!                               ^next             0, 1: the block's number, at the start of its memory
//! ```
//!
//! A handle is a pointer to a slot. Opening a handle scope remembers `next`; closing the scope goes back there.
//! Blocks are kept for reuse; of those that are not in use, a collection gives back all but one. The owner pushes and
//! reads while it runs; the collector reads and rewrites in a stop. Slots beyond `next` are not roots.
//!
//! * **HS-1** A block's slots lie at the end of a piece of memory that is aligned to its size, a power of two, and
//!   they do not fill it. So an aligned `next` is the end of a block, and no aligned address is a slot: pushing and
//!   going back need no second word.
//! * **HS-2** All blocks before the one that `next` is in are full.
//! * **HS-3** A block's memory starts with the block's number. So `next` alone tells its block (HS-1), and going on
//!   to the next block takes the same time whatever lies outside.

use crate::object::Tagged;
use crate::sync::UnsafeCell;
use core::ptr::NonNull;
use std::alloc::{self, Layout};

/// A slot of the handle stack: the bits of a tagged word.
pub type Slot = UnsafeCell<u32>;

/// The number of a block (HS-3).
type BlockNumber = u32;

/// A handle stack.
#[derive(Debug)]
pub struct HandleSlots {
    next: *const Slot,
    /// The size of a block's memory, less one (HS-1).
    mask: usize,
    /// The first slot of each block. Raw, because slots are read through copies of these pointers.
    blocks: Vec<NonNull<Slot>>,
    block_slots: usize,
    /// If the blocks take more bytes than these, a collection is asked for.
    bytes_allowed: usize,
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
    /// If `block_slots` is 0, or memory cannot hold a block of so many.
    #[must_use]
    pub fn new(block_slots: usize) -> HandleSlots {
        assert!(block_slots != 0, "a block has handles");
        let Some(mask) = block_mask(block_slots) else {
            panic!("no memory holds a block of {block_slots} handles: make blocks of fewer");
        };
        let mut slots =
            HandleSlots { next: core::ptr::null(), mask, blocks: Vec::new(), block_slots, bytes_allowed: usize::MAX };
        slots.next = slots.add_block();
        slots
    }

    /// Pushes a root and returns its slot, which stays where it is until the scope is closed.
    ///
    /// # Panics
    /// If the Rust allocator refuses another block.
    #[inline(always)]
    pub fn push(&mut self, value: Tagged) -> NonNull<Slot> {
        if self.next.addr() & self.mask == 0 {
            self.grow();
        }
        let slot = self.next;
        // SAFETY: HS-1: `next` is a slot of a block and not its end.
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
        let layout = block_layout(self.mask);
        let has_room = self.blocks.try_reserve(1).is_ok();
        // SAFETY: the layout's size is not zero.
        let memory = if has_room { unsafe { alloc::alloc(layout) } } else { core::ptr::null_mut() };
        // A panic and not an abort: the stack is as it was, so the run that wanted a handle may unwind.
        let Some(memory) = NonNull::new(memory) else {
            panic!("the Rust allocator has no {} bytes for more handles: end scopes sooner", layout.size())
        };
        let number = BlockNumber::try_from(self.blocks.len()).expect("fewer blocks than 2^32");
        // SAFETY: the slots lie in the memory, from the padding to its end, and are aligned, since its end is; the
        // number lies before them (HS-3), at the memory's start, which is aligned to more than four bytes.
        unsafe {
            memory.cast::<BlockNumber>().write(number);
            let block = memory.add(pad_bytes(self.mask, self.block_slots)).cast::<Slot>();
            for index in 0..self.block_slots {
                block.add(index).write(Slot::new(0));
            }
            self.blocks.push(block);
            block.as_ptr().cast_const()
        }
    }

    /// The block that `next` is in, or at the end of.
    fn block_of_next(&self) -> usize {
        // How far `next` is from the start of the memory: more than the number's size, at most the memory's size
        // (HS-1).
        let distance = (self.next.addr().wrapping_sub(1) & self.mask) + 1;
        // SAFETY: HS-1: `next` was made from the pointer to this block's memory, whose start is that far back; HS-3:
        // there is the number.
        unsafe { self.next.byte_sub(distance).cast::<BlockNumber>().read() as usize }
    }

    /// Gives blocks back to the Rust allocator, but for those in use and one more.
    pub fn trim(&mut self) {
        let keep = self.block_of_next() + 2;
        for block in self.blocks.drain(keep.min(self.blocks.len())..) {
            // SAFETY: a block of the stack, beyond `next`: no slot of it is live.
            unsafe { free_block(block, self.mask, self.block_slots) };
        }
        if self.blocks.capacity() / 4 > self.blocks.len() {
            self.blocks.shrink_to(2 * self.blocks.len());
        }
    }

    /// Bytes that the blocks take from the Rust allocator.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.blocks.len() * (self.mask + 1)
    }

    /// Sets how many bytes more may be taken from the Rust allocator before a collection is asked for.
    pub fn allow(&mut self, bytes: usize) {
        self.bytes_allowed = self.bytes().saturating_add(bytes);
    }

    /// Whether more bytes are taken than were allowed.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.bytes() > self.bytes_allowed
    }

    /// The position of the stack, to [go back](Self::reset) to.
    #[inline(always)]
    #[must_use]
    pub fn mark(&self) -> HandleMark {
        HandleMark { next: self.next }
    }

    /// Goes back to `mark`. Handles pushed since are dead.
    ///
    /// # Safety
    /// The mark was taken on this stack, which has not gone back behind it since. No slot beyond it is used any more.
    #[inline(always)]
    pub unsafe fn reset(&mut self, mark: HandleMark) {
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
                // HS-2.
                self.block_slots
            };
            for slot in 0..count {
                // SAFETY: within the block.
                f(unsafe { &*start.add(slot) });
            }
        }
    }

    /// Live slots, which are counted one by one.
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

/// The size of the memory of a block of so many slots, less one; `None` if no memory is so large.
fn block_mask(block_slots: usize) -> Option<usize> {
    // HS-1, HS-3: the slots and the block's number.
    let bytes = block_slots.checked_mul(size_of::<Slot>())?.checked_add(size_of::<BlockNumber>())?;
    let bytes = bytes.checked_next_power_of_two()?;
    Layout::from_size_align(bytes, bytes).ok().map(|_| bytes - 1)
}

/// The memory of a block.
fn block_layout(mask: usize) -> Layout {
    Layout::from_size_align(mask + 1, mask + 1).expect("a block is smaller than the address space")
}

/// How far into its memory a block's first slot lies.
fn pad_bytes(mask: usize, block_slots: usize) -> usize {
    mask + 1 - block_slots * size_of::<Slot>()
}

/// # Safety
/// `block` was made by `add_block` of a stack with this mask and as many slots in a block, is freed once, and none of
/// its slots is used again.
unsafe fn free_block(block: NonNull<Slot>, mask: usize, block_slots: usize) {
    // SAFETY: by the contract the padding is before the slots, and each slot was written.
    unsafe {
        for index in 0..block_slots {
            block.add(index).drop_in_place();
        }
        alloc::dealloc(block.cast::<u8>().sub(pad_bytes(mask, block_slots)).as_ptr(), block_layout(mask));
    }
}

impl Drop for HandleSlots {
    fn drop(&mut self) {
        for &block in &self.blocks {
            // SAFETY: a block of the stack; no handle outlives its local heap.
            unsafe { free_block(block, self.mask, self.block_slots) };
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
            // SAFETY: the marks are this stack's, innermost first.
            unsafe { slots.reset(outer) };
            assert_eq!(values(&slots), [1]);
            slots.push(small(7));
            slots.push(small(8));
            assert_eq!(values(&slots), [1, 7, 8]);
            // SAFETY: this thread owns the stack, and the scope of `first` is open.
            assert_eq!(unsafe { first.as_ref().with(|bits| *bits) }, small(1).bits());
            // SAFETY: this thread owns the stack, and no slot beyond the mark is used again.
            unsafe { slots.reset(empty) };
            assert!(slots.is_empty());
            slots.push(small(9));
            assert!(!slots.is_empty());
            assert_eq!(values(&slots), [9]);
        });
    }

    /// HS-1, for blocks of any number of slots.
    #[test]
    fn slots_end_where_their_memory_does() {
        crate::sync::check(|| {
            for block_slots in 1..20 {
                let slots = HandleSlots::new(block_slots);
                let (layout, bytes) = (block_layout(slots.mask), block_slots * size_of::<Slot>());
                assert_eq!(pad_bytes(slots.mask, block_slots) + bytes, layout.size());
                assert_eq!(layout.align(), layout.size());
                assert!(pad_bytes(slots.mask, block_slots) >= size_of::<BlockNumber>());
            }
        });
    }

    /// Nothing wraps: a block that memory cannot hold is refused before any of it is taken.
    #[test]
    fn a_block_that_memory_cannot_hold_is_refused() {
        crate::sync::check(|| {
            // The greatest power of two that a layout may have.
            let most = 1 << (usize::BITS - 2);
            let fit = (most - size_of::<BlockNumber>()) / size_of::<Slot>();
            assert_eq!(block_mask(fit), Some(most - 1));
            for block_slots in [fit + 1, usize::MAX / size_of::<Slot>(), usize::MAX / size_of::<Slot>() + 1, usize::MAX]
            {
                assert_eq!(block_mask(block_slots), None, "{block_slots}");
            }
        });
    }

    #[test]
    #[should_panic(expected = "handles: make blocks of fewer")]
    fn a_stack_of_blocks_that_memory_cannot_hold_is_refused() {
        crate::sync::check(|| drop(HandleSlots::new(1 << (usize::BITS - 2))));
    }

    /// The blocks of a burst are given back, except one beyond those in use; live slots stay, and the stack grows
    /// again.
    #[test]
    fn a_burst_is_given_back() {
        crate::sync::check(|| {
            let small = |value| Tagged::small(value).unwrap();
            let mut slots = HandleSlots::new(2);
            let one = slots.bytes();
            (0..3).for_each(|value| _ = slots.push(small(value)));
            let mark = slots.mark();
            (3..20).for_each(|value| _ = slots.push(small(value)));
            assert_eq!(slots.bytes(), 10 * one);
            slots.trim();
            assert_eq!((slots.bytes(), slots.len()), (10 * one, 20), "all of it is in use");
            // SAFETY: the mark is this stack's, and no handle beyond it is used.
            unsafe { slots.reset(mark) };
            slots.trim();
            assert_eq!(slots.bytes(), 3 * one);
            assert_eq!(values(&slots), [0, 1, 2]);
            (3..20).for_each(|value| _ = slots.push(small(value)));
            assert_eq!(values(&slots), (0..20).collect::<Vec<_>>());
        });
    }

    /// HS-3: `next` tells its block, at either end of the block and within.
    #[test]
    fn next_tells_its_block() {
        crate::sync::check(|| {
            for block_slots in 1..6 {
                let mut slots = HandleSlots::new(block_slots);
                let mut marks = Vec::new();
                for pushed in 0..4 * block_slots {
                    assert_eq!(slots.block_of_next(), pushed.saturating_sub(1) / block_slots);
                    marks.push(slots.mark());
                    slots.push(Tagged::small(0).unwrap());
                    assert_eq!(slots.len(), pushed + 1);
                }
                for (pushed, mark) in marks.into_iter().enumerate().rev() {
                    // SAFETY: this thread owns the stack, and no slot beyond the mark is used again.
                    unsafe { slots.reset(mark) };
                    assert_eq!(slots.block_of_next(), pushed.saturating_sub(1) / block_slots);
                    assert_eq!(slots.len(), pushed);
                }
            }
        });
    }
}
