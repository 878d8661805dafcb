//! The raw API as a door.

use super::{Door, Payload, Request, Requests, Slot, Source, What};
use heaplab::heap::Internals as _;
use heaplab::heap::RawLocalHeap;
use heaplab::object::{Root, Tail};
use heaplab::sync::Ordering;
use heaplab::{
    AllocError, AllocationOrigin, AllocationType, CollectionKind, Heap, Offset, Persistent, RootSet, Shape, SpaceKind,
    Statistics, Survey, Tagged, Value, Verification,
};
use heaplab_common::claim_eq;
use std::ptr::NonNull;

/// A root of the raw API.
pub type RawRoot = NonNull<heaplab::thread::Slot>;

/// A running local heap, and the roots that were pushed on it.
pub struct RawDoor<'a> {
    local: RawLocalHeap,
    roots: &'a mut Vec<RawRoot>,
    heap: &'a Heap,
}

/// What a root holds.
///
/// # Safety
/// The root's handle scope is open, and no other thread touches the local heap.
pub unsafe fn word_of(root: RawRoot) -> Tagged {
    // SAFETY: slots of open scopes are alive and unshared, by the contract.
    Tagged::from_bits(unsafe { root.as_ref().with(|bits| *bits) })
}

impl<'a> RawDoor<'a> {
    /// The door of `local`.
    ///
    /// # Safety
    /// * `local` is of `heap`, is running on this thread as the only one, and stays so while the door is used.
    /// * `roots` were pushed on it, and their scopes are open.
    /// * No other thread uses the heap.
    pub unsafe fn new(local: RawLocalHeap, roots: &'a mut Vec<RawRoot>, heap: &'a Heap) -> RawDoor<'a> {
        RawDoor { local, roots, heap }
    }

    fn push_word(&mut self, word: Tagged) {
        // SAFETY: R-1, by the contract of `new`; the word was just read from a root or a live object.
        let root = unsafe { self.local.push_handle(word) };
        self.roots.push(root);
    }

    fn object(&mut self, root: usize) -> Offset {
        self.word(root).target()
    }

    fn source(&mut self, source: Source) -> Tagged {
        match source {
            Source::Root(root) => self.word(root),
            Source::Small(value) => Tagged::small(value).expect("shadow integers are small"),
            Source::Immortal(root) => root.tagged(),
        }
    }

    /// The shape of what is requested, and its map.
    fn shape(&mut self, what: What) -> (Shape, Offset) {
        let map = match what {
            What::Array => Root::FixedArrayMap.offset(),
            What::Bytes => Root::ByteArrayMap.offset(),
            What::Code => Root::CodeMap.offset(),
            What::Map(_) => Root::MetaMap.offset(),
            What::Record(map) => self.object(map),
        };
        // SAFETY: R-1; a built-in map or a rooted one.
        (unsafe { self.local.shape_of(map) }, map)
    }

    fn byte_at(&mut self, host: usize, start: usize) -> usize {
        let object = self.object(host);
        // SAFETY: R-1; the host is live.
        let shape = unsafe { self.local.shape_of(self.local.map_of(object)) };
        object.word(shape.fixed_words()).bytes() + start
    }
}

impl Door for RawDoor<'_> {
    const IS_SAFE: bool = false;

    /// One of the four alignments, chosen by the size: mostly 8, which the bump path serves.
    fn alignment(&self, bytes: usize) -> usize {
        8 << (bytes / 8 % 8).saturating_sub(4)
    }

    fn word(&mut self, root: usize) -> Tagged {
        // SAFETY: the roots' scopes are open and the heap is this thread's, by the contract of `new`.
        unsafe { word_of(self.roots[root]) }
    }

    fn push(&mut self, source: Source) {
        let word = self.source(source);
        self.push_word(word);
    }

    fn allocate(&mut self, request: &Request) -> Result<Tagged, AllocError> {
        let Request { ty, what, length } = *request;
        if let What::Map(shape) = what {
            // SAFETY.
            let at = unsafe { self.local.allocate_map(shape)? };
            self.push_word(Tagged::reference(at));
            return Ok(Tagged::reference(at));
        }
        let bytes = self.shape(what).0.size_bytes(length)?;
        let alignment = self.alignment(bytes);
        // SAFETY: the object is written before anything else happens; the map, which never moves, is read
        // again after the allocation.
        unsafe {
            let at = self.local.allocate_raw(bytes, ty, AllocationOrigin::Runtime, alignment)?;
            assert!(at.bytes().is_multiple_of(alignment), "{at:?} is not aligned to {alignment} bytes");
            let (shape, map) = self.shape(what);
            let view = self.local.view();
            view.write(at, Tagged::reference(map).bits());
            if shape.tail() != Tail::None {
                view.write(at.word(1), (length as u32) << 1);
            }
            self.push_word(Tagged::reference(at));
            Ok(Tagged::reference(at))
        }
    }

    fn load(&mut self, host: usize, slot: Slot) -> Tagged {
        let at = self.object(host).word(slot.word);
        // SAFETY: a slot of a live object.
        let word = unsafe { self.local.load_slot(at) };
        self.push_word(word);
        word
    }

    fn store(&mut self, host: usize, slot: Slot, source: Source) {
        let (host, value) = (self.object(host), self.source(source));
        // SAFETY: a slot of a live object, and a live value.
        unsafe { self.local.store_slot(host, host.word(slot.word), value) };
    }

    fn write(&mut self, host: usize, place: Payload, data: &[u8; 4], count: usize) {
        let memory = &self.heap.spaces().memory;
        match place {
            Payload::Raw(_, word) => {
                let at = self.object(host).word(word).bytes();
                // SAFETY: a raw word of a live object.
                unsafe { memory.store(at, u32::from_le_bytes(*data), Ordering::Relaxed) };
            }
            Payload::Byte(start) => {
                let at = self.byte_at(host, start);
                // SAFETY: bytes of a live object.
                unsafe { memory.copy_in(at, &data[..count]) };
            }
        }
    }

    fn read(&mut self, host: usize, place: Payload, count: usize) -> [u8; 4] {
        let memory = &self.heap.spaces().memory;
        let mut data = [0; 4];
        match place {
            Payload::Raw(_, word) => {
                let at = self.object(host).word(word).bytes();
                // SAFETY: a raw word of a live object.
                data = unsafe { memory.load(at, Ordering::Relaxed) }.to_le_bytes();
            }
            Payload::Byte(start) => {
                let at = self.byte_at(host, start);
                // SAFETY: bytes of a live object.
                unsafe { memory.copy_out(at, &mut data[..count]) };
            }
        }
        data
    }

    fn poll(&mut self) {
        // SAFETY.
        unsafe { self.local.poll() };
    }

    fn collect(&mut self, kind: CollectionKind) {
        // SAFETY.
        unsafe { self.local.collect(kind).unwrap() };
    }

    fn verify(&mut self) -> Option<Verification> {
        None
    }

    fn survey(&mut self) -> Option<Survey> {
        None
    }

    fn statistics(&mut self) -> Option<Statistics> {
        None
    }

    fn simulate_full_space(&mut self, _space: SpaceKind) -> Option<usize> {
        None
    }

    fn fill_page_but(&mut self, ty: AllocationType, bytes_left: usize) -> Result<(), AllocError> {
        // SAFETY.
        unsafe { self.local.fill_page_but(ty, bytes_left) }
    }

    fn parked<R>(&mut self, f: impl FnOnce() -> R) -> R {
        struct Unpark(RawLocalHeap);
        impl Drop for Unpark {
            fn drop(&mut self) {
                // SAFETY: R-1: parked below, on this thread.
                unsafe { self.0.unpark() };
            }
        }
        // SAFETY.
        unsafe { self.local.park() };
        let _unpark = Unpark(self.local);
        f()
    }

    fn attempts_before_failure(&self) -> Option<u64> {
        // SAFETY: R-1.
        unsafe { self.local.attempts_before_failure() }
    }

    fn requests(&self) -> Option<Requests> {
        None
    }

    fn persist(&mut self, _root: usize) -> Option<Persistent<Value>> {
        None
    }

    fn open(&mut self, _persistent: &Persistent<Value>) -> Option<Tagged> {
        None
    }

    fn load_root(&mut self, _set: &RootSet, _slot: usize) -> Option<Tagged> {
        None
    }

    fn store_root(&mut self, _set: &RootSet, _slot: usize, _source: Source) -> bool {
        false
    }
}

/// Makes requests with sizes, alignments and an origin that no request may have, and checks that each is refused by
/// the right error.
///
/// # Panics
/// If a request is served, or refused by another error.
///
/// # Safety
/// `local` is running on this thread, and whatever the thread refers to is held in roots.
pub unsafe fn assert_hostile_requests_fail(local: RawLocalHeap, object_bytes_max: usize) {
    use AllocError::{InvalidAlignment, InvalidOrigin, InvalidSize, TooLarge};
    let old = AllocationType::Old;
    let ask = |size, ty, origin, alignment| {
        // SAFETY, by the contract; R-3: the requests fail, so there is nothing to write.
        unsafe { local.allocate_raw(size, ty, origin, alignment) }
    };
    for size in [0, 4, 12, usize::MAX] {
        assert!(
            matches!(
                ask(size, old, AllocationOrigin::Runtime, 8),
                Err(InvalidSize { size_bytes }) if size_bytes == size
            ),
            "{size} bytes are no size, and are not refused as one"
        );
    }
    for size in [object_bytes_max + 8, 1 << 40, usize::MAX & !7] {
        for ty in AllocationType::ALL {
            assert!(
                matches!(
                    ask(size, ty, AllocationOrigin::Runtime, 64),
                    Err(TooLarge { size_bytes, .. }) if size_bytes == size
                ),
                "{size} bytes, {ty:?}, are more than an object may have, and are not refused as that"
            );
        }
    }
    for alignment in [0, 1, 4, 24, 128, usize::MAX] {
        let answer = ask(8, old, AllocationOrigin::Runtime, alignment);
        assert!(matches!(answer, Err(InvalidAlignment { .. })), "the alignment {alignment} is not refused: {answer:?}");
    }
    claim_eq!(ask(8, old, AllocationOrigin::Collector, 8), Err(InvalidOrigin), "a request by the collector");
}
