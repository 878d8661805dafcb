//! Root sets: arrays of roots that an embedder registers. They are data, so that no embedder code runs in a stop.
//!
//! A set belongs to whoever has a reference to it; the register of a heap's sets does not keep it alive. So dropping
//! the last reference frees the set's memory, on whatever thread, without a lock. The register forgets what it has of
//! dropped sets when it would grow, and at each visit of all sets.
//!
//! A minor collection visits the blocks of slots that a reference was stored into since the last collection, or that
//! still hold a young object: a bit for each block says so, and the register has a list of the sets with such a
//! block. A store looks at the bit first; only the first store into a block after a collection sets it, and takes the
//! register's mutex to enter the set.
//!
//! * **RS-1** Between collections, a block that holds a young object has its bit set, and its set is on the list.
//!   Bits are cleared in stops only.
//! * **RS-2** A set is on the list at most once, and the list has room for every set: entering one takes no memory.

use super::persistent::RefusedMemory;
use crate::object::Tagged;
use crate::page::Bitmap;
use crate::sync::{Arc, AtomicU32, AtomicUsize, Mutex, Ordering, UnsafeCell, Weak, YieldPoint, yield_point};

/// Slots of a block.
const BLOCK_SLOTS: usize = 64;
/// The greatest number of slots of a set.
pub const ROOT_SET_SLOTS_MAX: usize = 1 << 28;

/// The slots of a root set. Running threads load and store them; a stop rewrites them.
#[derive(Debug)]
pub struct RootSetSlots {
    slots: Box<[AtomicU32]>,
    /// A bit for each block that may hold a young object (RS-1).
    young: Bitmap,
    /// Whether the set is on the register's list; under the register's mutex.
    is_listed: UnsafeCell<bool>,
    register: Arc<RootSets>,
}

impl RootSetSlots {
    /// The number of slots.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are no slots.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Whether this is a set of `register`.
    #[must_use]
    pub fn belongs_to(&self, register: &Arc<RootSets>) -> bool {
        Arc::ptr_eq(&self.register, register)
    }

    /// The word in slot `index`: an object's address to a thread that runs a local heap, and a mere number to any other
    /// thread.
    ///
    /// # Panics
    /// If there is no such slot.
    #[must_use]
    pub fn load(&self, index: usize) -> Tagged {
        // O-5: Acquire pairs with `store`, so the object is seen as it was when it was published.
        Tagged::from_bits(self.slots[index].load(Ordering::Acquire))
    }

    /// Sets slot `index`, and returns whether the sets take more memory than was [allowed](RootSets::allow). That is
    /// reported once: a collection is due then. The first reference to be stored into a block after a collection
    /// takes a leaf mutex.
    ///
    /// # Panics
    /// If there is no such slot.
    ///
    /// # Safety
    /// `value` is a small integer or a live object of the heap whose set this is, and the caller is running.
    pub unsafe fn store(self: &Arc<Self>, index: usize, value: Tagged) -> bool {
        yield_point(YieldPoint::RootPublished);
        // O-5: Release publishes the object to whoever loads it from here.
        self.slots[index].store(value.bits(), Ordering::Release);
        // O-9, X-9: the second word, then the list; the thread does not stop between the store and this.
        if !value.is_reference() || !self.young.set(index / BLOCK_SLOTS) {
            return false;
        }
        let list = &mut *self.register.list.lock();
        list.enter(self);
        list.bytes > list.bytes_allowed && self.register.take_over(list)
    }

    fn block(&self, block: usize) -> &[AtomicU32] {
        let start = block * BLOCK_SLOTS;
        &self.slots[start..self.slots.len().min(start + BLOCK_SLOTS)]
    }

    fn blocks_count(&self) -> usize {
        self.slots.len().div_ceil(BLOCK_SLOTS)
    }

    /// Bytes that the set takes from the Rust allocator.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.slots) + self.blocks_count().div_ceil(8) + size_of::<RootSetSlots>()
    }

    /// Visits the blocks whose bits are set; returns whether any bit is left.
    ///
    /// # Safety
    /// The world is stopped.
    unsafe fn retain_young(&self, mut f: impl FnMut(Tagged) -> (Tagged, bool)) -> bool {
        let (mut next, mut any) = (0, false);
        // SAFETY: RS-1: no running thread is there to set a bit, by the contract.
        while let Some(block) = unsafe { self.young.next(next, self.blocks_count()) } {
            next = block + 1;
            let mut young = false;
            for slot in self.block(block) {
                visit_slot(slot, |word| {
                    let (word, is_young) = f(word);
                    young |= is_young;
                    word
                });
            }
            any |= young;
            // SAFETY: RS-1: no running thread is there to set a bit, by the contract.
            unsafe { self.young.put(block, young) };
        }
        any
    }
}

impl Drop for RootSetSlots {
    fn drop(&mut self) {
        // Relaxed: the count is a hint of how much there is to forget.
        self.register.gone.fetch_add(1, Ordering::Relaxed);
    }
}

/// Replaces the word of a slot, in a stop.
fn visit_slot(slot: &AtomicU32, f: impl FnOnce(Tagged) -> Tagged) {
    // Relaxed: in a stop.
    let old = slot.load(Ordering::Relaxed);
    let new = f(Tagged::from_bits(old)).bits();
    if new != old {
        // Relaxed: in a stop.
        slot.store(new, Ordering::Relaxed);
    }
}

// The slots are words that change one at a time; the rest changes in stops and under the register's mutex.
impl core::panic::UnwindSafe for RootSetSlots {}
impl core::panic::RefUnwindSafe for RootSetSlots {}

/// All root sets of a heap.
#[derive(Debug)]
pub struct RootSets {
    list: Mutex<Lists>,
    /// Sets that have gone and are not forgotten. The count wraps below 0 while a set is forgotten before its drop has
    /// counted it.
    gone: AtomicUsize,
}

#[derive(Debug)]
struct Lists {
    sets: Vec<Weak<RootSetSlots>>,
    /// Bytes of the sets that were there when the list was last looked through, and of those added since.
    bytes: usize,
    /// The sets with a block that may hold a young object, and some that have gone.
    young: Vec<Weak<RootSetSlots>>,
    /// If the sets take more bytes than these, a collection is asked for, once.
    bytes_allowed: usize,
}

impl Lists {
    /// Forgets sets that have gone; returns how many.
    fn forget_gone(&mut self) -> usize {
        let before = self.sets.len();
        self.bytes = 0;
        self.sets.retain(|set| {
            let set = set.upgrade();
            self.bytes += set.as_ref().map_or(0, |set| set.bytes());
            set.is_some()
        });
        self.young.retain(|set| set.strong_count() != 0);
        if self.sets.capacity() / 4 > self.sets.len() {
            self.sets.shrink_to(2 * self.sets.len());
            self.young.shrink_to(self.sets.capacity());
        }
        before - self.sets.len()
    }

    /// Makes room for one more set in both lists; returns how many sets were forgotten for it. A list doubles, and
    /// only after the sets that have gone were forgotten. So it has never more than twice the entries that the
    /// greatest number of sets needed, and on average each addition costs the same.
    fn make_room(&mut self) -> Result<usize, RefusedMemory> {
        if self.sets.len() < self.sets.capacity() {
            return Ok(0);
        }
        let forgotten = self.forget_gone();
        let refused = |_| RefusedMemory::Allocator { bytes: size_of::<Weak<RootSetSlots>>() };
        if self.sets.len() >= self.sets.capacity() / 2 {
            self.sets.try_reserve(self.sets.len().max(8)).map_err(refused)?;
        }
        // RS-2.
        self.young.try_reserve_exact(self.sets.capacity().saturating_sub(self.young.len())).map_err(refused)?;
        Ok(forgotten)
    }

    /// Enters a set into the list of those with a young block, unless it is there.
    fn enter(&mut self, set: &Arc<RootSetSlots>) {
        // SAFETY: the mutex of the register is held.
        let was_listed = unsafe { set.is_listed.with_mut(|listed| core::mem::replace(&mut *listed, true)) };
        if was_listed {
            return;
        }
        if self.young.len() == self.young.capacity() {
            // RS-2: the entries that are left are fewer than the sets, so there is room.
            self.young.retain(|set| set.strong_count() != 0);
        }
        self.young.push(Arc::downgrade(set));
    }
}

impl RootSets {
    /// A register without sets.
    #[must_use]
    pub fn new() -> Arc<RootSets> {
        let list = Lists { sets: Vec::new(), bytes: 0, young: Vec::new(), bytes_allowed: usize::MAX };
        Arc::new(RootSets { list: Mutex::new(list), gone: AtomicUsize::new(0) })
    }

    /// Adds a set of `len` slots that hold the small integer 0. The slots are roots until the last reference to the
    /// set is dropped. Takes a leaf mutex.
    ///
    /// # Errors
    /// More than [`ROOT_SET_SLOTS_MAX`] slots, or the Rust allocator refuses them.
    pub fn add(self: &Arc<Self>, len: usize) -> Result<Arc<RootSetSlots>, RefusedMemory> {
        if len > ROOT_SET_SLOTS_MAX {
            return Err(RefusedMemory::TooManySlots { slots: len, slots_max: ROOT_SET_SLOTS_MAX });
        }
        let mut slots = Vec::new();
        let refused = |_| RefusedMemory::Allocator { bytes: len * size_of::<AtomicU32>() };
        slots.try_reserve_exact(len).map_err(refused)?;
        slots.extend((0..len).map(|_| AtomicU32::new(0)));
        let set = Arc::new(RootSetSlots {
            slots: slots.into_boxed_slice(),
            young: Bitmap::new(len.div_ceil(BLOCK_SLOTS)),
            is_listed: UnsafeCell::new(false),
            register: Arc::clone(self),
        });
        let list = &mut *self.list.lock();
        // Relaxed: as in `drop`.
        self.gone.fetch_sub(list.make_room()?, Ordering::Relaxed);
        list.sets.push(Arc::downgrade(&set));
        list.bytes += set.bytes();
        Ok(set)
    }

    /// Forgets dropped sets and calls `f` with each word, which it may replace.
    ///
    /// # Safety
    /// The world is stopped, and `f` returns what its argument has become.
    pub unsafe fn visit(&self, mut f: impl FnMut(Tagged) -> Tagged) {
        let list = &mut *self.list.lock();
        self.forget_gone(list);
        // A set that is dropped from here on is visited once more, and our reference may be its last.
        for set in list.sets.iter().filter_map(Weak::upgrade) {
            set.slots.iter().for_each(|slot| visit_slot(slot, &mut f));
        }
    }

    /// As [`visit`](Self::visit), for the blocks that may hold a young object. `f` also returns whether the object is
    /// still young.
    ///
    /// # Safety
    /// As [`visit`](Self::visit).
    pub unsafe fn visit_young(&self, mut f: impl FnMut(Tagged) -> (Tagged, bool)) {
        // the list first, then each set's bits and slots.
        self.list.lock().young.retain(|set| {
            let Some(set) = set.upgrade() else { return false };
            // SAFETY: the mutex of the register is held; what `retain_young` and `f` owe, by the contract.
            unsafe {
                let young = set.retain_young(&mut f);
                set.is_listed.with_mut(|listed| *listed = young);
                young
            }
        });
    }

    /// Notes that no set holds a young object.
    ///
    /// # Safety
    /// The world is stopped, and new space is empty.
    pub unsafe fn forget_young(&self) {
        // SAFETY: by the contract; a root stays what it is, and new space is empty.
        unsafe { self.visit_young(|word| (word, false)) };
    }

    /// Sets how many bytes more may be taken from the Rust allocator before a collection is asked for.
    pub fn allow(&self, bytes: usize) {
        let list = &mut *self.list.lock();
        list.bytes_allowed = list.bytes.saturating_add(bytes);
    }

    /// Whether sets that have not gone take more bytes than were allowed; says so once.
    fn take_over(&self, list: &mut Lists) -> bool {
        self.forget_gone(list);
        let is_over = list.bytes > list.bytes_allowed;
        if is_over {
            list.bytes_allowed = usize::MAX;
        }
        is_over
    }

    fn forget_gone(&self, list: &mut Lists) {
        let forgotten = list.forget_gone();
        if forgotten != 0 {
            // Relaxed: as in `drop`: a hint, whose order with the sets is relied on by nobody.
            self.gone.fetch_sub(forgotten, Ordering::Relaxed);
        }
    }

    /// Forgets what is left of dropped sets, and gives its memory back to the Rust allocator, if they are more than
    /// an eighth of all entries: so trimming costs a collection no more than the drops did.
    pub fn trim(&self) {
        let list = &mut *self.list.lock();
        // Relaxed: as in `drop`.
        if self.gone.load(Ordering::Relaxed).cast_signed() > (list.sets.len() / 8).cast_signed() {
            self.forget_gone(list);
        }
    }

    /// Calls `f` with each word, and whether a minor collection would visit it. For the verifier.
    pub fn inspect(&self, mut f: impl FnMut(Tagged, bool)) {
        for set in self.list.lock().sets.iter().filter_map(Weak::upgrade) {
            // SAFETY: the mutex is held.
            let is_listed = unsafe { set.is_listed.with(|listed| *listed) };
            for (index, slot) in set.slots.iter().enumerate() {
                // Relaxed: a snapshot; exact in a stop.
                let word = Tagged::from_bits(slot.load(Ordering::Relaxed));
                f(word, is_listed && set.young.test(index / BLOCK_SLOTS));
            }
        }
    }

    /// Bytes that the sets take from the Rust allocator.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let list = &mut *self.list.lock();
        self.forget_gone(list);
        list.bytes
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
                let set = sets.add(len).unwrap();
                assert_eq!((set.len(), set.is_empty()), (len, len == 0));
            }
        });
    }

    /// A hostile size is an error value.
    #[test]
    fn a_set_of_too_many_slots_is_refused() {
        crate::sync::check(|| {
            let sets = RootSets::new();
            for len in [ROOT_SET_SLOTS_MAX + 1, usize::MAX / 8, usize::MAX] {
                let refused = RefusedMemory::TooManySlots { slots: len, slots_max: ROOT_SET_SLOTS_MAX };
                assert_eq!(sets.add(len).unwrap_err(), refused);
            }
            assert_eq!(sets.bytes(), 0);
        });
    }

    /// Dropped sets are forgotten without a visit: the register does not grow, and counts the sets that exist.
    #[test]
    fn dropped_sets_leave_nothing() {
        crate::sync::check(|| {
            let sets = RootSets::new();
            let kept = [3, 5].map(|len| sets.add(len).unwrap());
            let bytes = sets.bytes();
            for _ in 0..50 {
                let set = sets.add(1).unwrap();
                // SAFETY: there is no heap.
                unsafe { set.store(0, Tagged::reference(crate::words::Offset::new(256))) };
            }
            assert_eq!(sets.bytes(), bytes);
            let list = sets.list.lock();
            assert_eq!(list.sets.len(), 2);
            assert!(list.sets.capacity() <= 16 && list.young.capacity() <= 16);
            drop(list);
            assert_eq!(kept[0].bytes() + kept[1].bytes(), bytes);
        });
    }

    /// Of a set, only the blocks that a reference was stored into since the last visit, or that still hold a young
    /// object, are visited.
    #[test]
    fn only_blocks_that_may_be_young_are_visited() {
        crate::sync::check(|| {
            let sets = RootSets::new();
            let at = |offset: usize| Tagged::reference(crate::words::Offset::new(offset));
            let set = sets.add(3 * BLOCK_SLOTS - 1).unwrap();
            let idle = sets.add(1).unwrap();
            // SAFETY: there is no heap.
            let store = |index, value| unsafe { set.store(index, value) };
            let visit = |young: &dyn Fn(usize) -> bool| {
                let mut seen = Vec::new();
                // SAFETY: there is no heap.
                unsafe {
                    sets.visit_young(|word| {
                        let Some(object) = word.as_reference() else { return (word, false) };
                        seen.push(object.bytes() / 256);
                        (word, young(object.bytes() / 256))
                    });
                }
                seen
            };
            store(0, at(256));
            store(BLOCK_SLOTS - 1, at(2 * 256));
            store(3 * BLOCK_SLOTS - 2, at(3 * 256));
            assert_eq!(visit(&|i| i == 2), [1, 2, 3]);
            assert_eq!(visit(&|_| false), [1, 2], "the block of the young one");
            assert_eq!(visit(&|_| true), []);
            store(BLOCK_SLOTS, at(4 * 256));
            store(BLOCK_SLOTS + 1, Tagged::small(7).unwrap());
            assert_eq!(visit(&|_| true), [4]);
            // SAFETY: there is no heap.
            unsafe { sets.forget_young() };
            assert_eq!(visit(&|_| true), []);
            let mut all = 0;
            // SAFETY: there is no heap.
            unsafe {
                sets.visit(|word| {
                    all += usize::from(word.is_reference());
                    word
                });
            }
            assert_eq!(all, 4);
            drop(idle);
        });
    }
}
