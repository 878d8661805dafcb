//! The exclusive view: plain access to heap words that nobody else touches.
//!
//! Plain access is right in two situations only: the words are not yet published (a LAB, an object being written), or
//! the world is stopped. Creating a [`View`] asserts that one of them holds; its methods then need no further proof.

use super::{
    ELEMENTS_WORD, Header, LENGTH_WORD, MAP_RECORD_BYTES_WORD, MAP_SHAPE_WORD, MAP_SLOTS_WORD, MAP_WORDS, Root, Shape,
    Tagged, Tail,
};
use crate::memory::Memory;
use crate::sync::Ordering;
use crate::words::{GRANULE_BYTES, MAP_BYTES, Offset, WORD_BYTES};

/// Plain access to heap words, by their exclusive owner.
#[derive(Clone, Copy)]
pub struct View<'a> {
    memory: &'a Memory,
}

/// A range of tagged words of an object: those of its fixed part, or those of its tail.
#[derive(Clone, Copy, Debug)]
pub struct SlotRange {
    /// The first tagged word.
    pub start: Offset,
    /// How many words.
    pub count: usize,
}

impl<'a> View<'a> {
    /// A view of `memory`.
    ///
    /// # Safety
    /// For as long as the view is used, every word that is read or written through it
    /// * lies in committed memory, and
    /// * is not accessed by another thread: it is unpublished and owned by the caller, or the world is stopped and the
    ///   caller is the stop's collector.
    #[inline(always)]
    #[must_use]
    pub unsafe fn new(memory: &'a Memory) -> View<'a> {
        View { memory }
    }

    /// The word at `at`.
    #[inline(always)]
    #[must_use]
    pub fn read(self, at: Offset) -> u32 {
        // SAFETY: committed and exclusively owned, by the contract of `View::new`.
        unsafe { self.memory.read(at.bytes()) }
    }

    /// Sets the word at `at`.
    #[inline(always)]
    pub fn write(self, at: Offset, value: u32) {
        // SAFETY: committed and exclusively owned, by the contract of `View::new`.
        unsafe { self.memory.write(at.bytes(), value) }
    }

    /// The tagged word at `at`.
    #[inline(always)]
    #[must_use]
    pub fn tagged(self, at: Offset) -> Tagged {
        Tagged::from_bits(self.read(at))
    }

    /// Zeroes `bytes` bytes from `at`.
    #[inline(always)]
    pub fn zero(self, at: Offset, bytes: usize) {
        // SAFETY: committed and exclusively owned, by the contract of `View::new`.
        unsafe { self.memory.zero(at.bytes(), bytes) }
    }

    /// Zeroes `bytes` bytes from `at`, but for the first word, which becomes `header`.
    #[inline(always)]
    pub fn format(self, at: Offset, bytes: usize, header: u32) {
        // SAFETY: committed and exclusively owned, by the contract of `View::new`.
        unsafe { self.memory.format(at.bytes(), bytes, header) }
    }

    /// Copies `bytes` bytes; the ranges do not overlap.
    #[inline(always)]
    pub fn copy(self, from: Offset, to: Offset, bytes: usize) {
        // SAFETY: both ranges are committed and exclusively owned, by the contract of `View::new`.
        unsafe { self.memory.copy(from.bytes(), to.bytes(), bytes) }
    }

    /// The header of the object at `object`.
    #[inline(always)]
    #[must_use]
    pub fn header(self, object: Offset) -> Header {
        Header::decode(self.read(object))
    }

    /// Claims an object in a stop: exchanges its header, unless another collector thread was first.
    ///
    /// # Errors
    /// The header that is there instead of `old`.
    #[inline]
    pub fn claim(self, object: Offset, old: Header, new: Header) -> Result<(), Header> {
        // SAFETY: committed, and in a stop only the collector accesses headers, by the contract of `View::new`.
        // (Several collector threads would access them atomically.)
        // O-10: Release hands the copy's words to whoever finds the forwarding address; Acquire, because a loser is one
        // of those. A winner reads nothing that another collector thread wrote.
        unsafe {
            self.memory.compare_exchange(
                object.bytes(),
                old.encode(),
                new.encode(),
                Ordering::Release,
                Ordering::Acquire,
            )
        }
        .map(drop)
        .map_err(Header::decode)
    }

    /// The map of an object, whatever the collector did to its header. The map of a forwarded object is that of its
    /// copy.
    #[inline]
    #[must_use]
    pub fn map_of(self, object: Offset) -> Offset {
        match self.header(object) {
            Header::Map(map) | Header::Kept(map) => map,
            Header::Forwarded(to) => match self.header(to) {
                Header::Map(map) | Header::Kept(map) => map,
                Header::Forwarded(_) => unreachable!("an object moves once in a stop"),
            },
        }
    }

    /// The shape that the map at `map` describes.
    #[inline(always)]
    #[must_use]
    pub fn shape(self, map: Offset) -> Shape {
        Shape::decode([self.read(map.word(MAP_SHAPE_WORD)), self.read(map.word(MAP_SHAPE_WORD + 1))])
    }

    /// The tail length of an object of `shape`, 0 without a tail.
    #[inline(always)]
    #[must_use]
    pub fn length(self, object: Offset, shape: Shape) -> usize {
        match shape.tail() {
            Tail::None => 0,
            Tail::Tagged | Tail::Bytes => (self.read(object.word(LENGTH_WORD)) >> 1) as usize,
        }
    }

    /// Bytes of the object at `object`. The map of an object that moved is read from its copy.
    #[inline]
    #[must_use]
    pub fn size_bytes(self, object: Offset) -> usize {
        let shape = self.shape(self.map_of(object));
        shape.size_bytes_of(self.length(object, shape))
    }

    /// The tagged words of an object of `shape`, header excluded: fixed part and tail.
    #[inline(always)]
    #[must_use]
    pub fn slots(self, object: Offset, shape: Shape) -> [SlotRange; 2] {
        let tail = match shape.tail() {
            Tail::Tagged => self.length(object, shape),
            Tail::None | Tail::Bytes => 0,
        };
        [
            SlotRange { start: object.word(1), count: shape.tagged_words() },
            SlotRange { start: object.word(shape.fixed_words()), count: tail },
        ]
    }

    /// Calls `f` with the offset of each tagged word of the object, header excluded.
    #[inline(always)]
    pub fn for_each_slot(self, object: Offset, shape: Shape, mut f: impl FnMut(Offset)) {
        for range in self.slots(object, shape) {
            for index in 0..range.count {
                f(range.start.word(index));
            }
        }
    }

    /// Writes a map at `at`, a multiple of [`MAP_BYTES`]. Its embedder slots are zero. Word [`MAP_RECORD_BYTES_WORD`]
    /// is the size of its objects in bytes, a small integer, if the kind is an embedder's and the size is always the
    /// same; else 0.
    pub(crate) fn write_map(self, at: Offset, meta_map: Offset, shape: Shape) {
        debug_assert!(at.bytes().is_multiple_of(MAP_BYTES), "J-3");
        self.write(at, Tagged::reference(meta_map).bits());
        let [kind, geometry] = shape.encode();
        self.write(at.word(MAP_SHAPE_WORD), kind);
        self.write(at.word(MAP_SHAPE_WORD + 1), geometry);
        let fixed = shape.kind() >= super::kind::FIRST_EMBEDDER && shape.tail() == Tail::None;
        self.write(at.word(MAP_RECORD_BYTES_WORD), if fixed { (shape.size_bytes_of(0) as u32) << 1 } else { 0 });
        for index in MAP_SLOTS_WORD..MAP_WORDS {
            self.write(at.word(index), 0);
        }
    }

    /// Writes a gap object of `bytes` bytes: a filler or a free block. Writes nothing for 0 bytes.
    #[inline]
    pub fn write_gap(self, at: Offset, bytes: usize, map: Root) {
        debug_assert!(matches!(map, Root::FillerMap | Root::FreeBlockMap));
        debug_assert!(bytes.is_multiple_of(GRANULE_BYTES));
        if bytes != 0 {
            // Of a gap only the header and the length are read.
            self.memory.expose(at.bytes(), GRANULE_BYTES);
            self.memory.withhold(at.bytes() + GRANULE_BYTES, bytes - GRANULE_BYTES);
            self.write(at, map.tagged().bits());
            self.write(at.word(LENGTH_WORD), ((bytes - ELEMENTS_WORD * WORD_BYTES) as u32) << 1);
        }
    }

    /// Writes a filler of `bytes` bytes.
    #[inline]
    pub fn write_filler(self, at: Offset, bytes: usize) {
        self.write_gap(at, bytes, Root::FillerMap);
    }
}
