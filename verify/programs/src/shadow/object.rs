//! Shadow objects: what the heap's objects are supposed to be.

use heaplab::object::{MAP_SLOTS, Root, Tail, kind};
use heaplab::words::{WORD_BYTES, align_up};
use heaplab::{AllocationType, Offset, Shape, Tagged};
use std::collections::BTreeMap;

/// The number of a shadow object: its identity, whatever the collector does to the object.
pub type Id = usize;

/// What a tagged word is supposed to hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    /// A small integer.
    Small(i32),
    /// A built-in object.
    Immortal(Root),
    /// An object.
    Object(Id),
}

impl Value {
    /// What zeroed memory holds.
    pub const ZERO: Value = Value::Small(0);
}

/// A slot, as the safe API names it and as the raw API does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    /// The part of the object that the slot is in.
    pub part: Part,
    /// Its index there.
    pub index: usize,
    /// Its word, counted from the header, which is word 0.
    pub word: usize,
}

/// The parts of objects that have slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Elements of an array.
    Elements,
    /// The embedder's slots of a map.
    MapSlots,
    /// Fields of a record.
    Fields,
    /// The tail of a record.
    Tail,
}

/// A place that holds no references.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Payload {
    /// A raw word of a record: its index among the raw words, and its word, counted from the header.
    Raw(usize, usize),
    /// A byte of the tail.
    Byte(usize),
}

/// What one object is supposed to be. Contents that were never written are zero, and are not kept.
#[derive(Clone, Debug)]
pub struct ShadowObject {
    /// Its shape.
    pub shape: Shape,
    /// Its map.
    pub map: Value,
    /// Elements of its tail.
    pub length: usize,
    /// Where it was allocated.
    pub ty: AllocationType,
    /// Whether it has a run of its own.
    pub large: bool,
    /// Of a map: what it describes.
    pub describes: Option<Shape>,
    /// Where it was seen last.
    pub at: Offset,
    /// Minor collections, known as such, that began when the object was in new space.
    pub minors_survived: u32,
    /// Whether it was in new space when it was seen last.
    pub young: bool,
    slots: BTreeMap<usize, Value>,
    raw: BTreeMap<usize, u32>,
    bytes: BTreeMap<usize, u8>,
}

impl ShadowObject {
    /// An object whose contents are zero.
    pub fn new(shape: Shape, map: Value, length: usize, ty: AllocationType) -> ShadowObject {
        ShadowObject {
            shape,
            map,
            length,
            ty,
            large: false,
            describes: None,
            at: Offset::new(0),
            minors_survived: 0,
            young: false,
            slots: BTreeMap::new(),
            raw: BTreeMap::new(),
            bytes: BTreeMap::new(),
        }
    }

    fn is_map(&self) -> bool {
        self.shape.kind() == kind::MAP
    }

    fn is_record(&self) -> bool {
        self.shape.kind() >= kind::FIRST_EMBEDDER
    }

    /// Bytes of an object with this shape and length: computed here on purpose, not asked of the heap.
    pub fn size_bytes(&self) -> usize {
        let tail = match self.shape.tail() {
            Tail::None => 0,
            Tail::Tagged => self.length * WORD_BYTES,
            Tail::Bytes => self.length,
        };
        align_up(self.shape.fixed_words() * WORD_BYTES + tail, 8)
    }

    fn fields_start(&self) -> usize {
        usize::from(self.is_record() && self.shape.tail() != Tail::None)
    }

    fn fields_count(&self) -> usize {
        if self.is_record() { self.shape.tagged_words() - self.fields_start() } else { 0 }
    }

    /// Slots that an embedder may store to.
    pub fn slots_count(&self) -> usize {
        let tail = if self.shape.tail() == Tail::Tagged { self.length } else { 0 };
        if self.is_map() { MAP_SLOTS } else { self.fields_count() + tail }
    }

    /// The slot with a number below [`slots_count`](Self::slots_count).
    pub fn slot(&self, number: usize) -> Slot {
        let fields = self.fields_count();
        if self.is_map() {
            Slot { part: Part::MapSlots, index: number, word: 4 + number }
        } else if number < fields {
            let index = number + self.fields_start();
            Slot { part: Part::Fields, index, word: 1 + index }
        } else {
            let index = number - fields;
            let part = if self.is_record() { Part::Tail } else { Part::Elements };
            Slot { part, index, word: self.shape.fixed_words() + index }
        }
    }

    fn raw_count(&self) -> usize {
        if self.is_record() { self.shape.fixed_words() - 1 - self.shape.tagged_words() } else { 0 }
    }

    /// Bytes of the tail.
    pub fn bytes_count(&self) -> usize {
        if self.shape.tail() == Tail::Bytes { self.length } else { 0 }
    }

    /// Raw words and bytes that an embedder may write.
    pub fn payload_count(&self) -> usize {
        self.raw_count() + self.bytes_count()
    }

    /// The place with a number below [`payload_count`](Self::payload_count).
    pub fn payload(&self, number: usize) -> Payload {
        match number.checked_sub(self.raw_count()) {
            None => Payload::Raw(number, 1 + self.shape.tagged_words() + number),
            Some(byte) => Payload::Byte(byte),
        }
    }

    /// Sets a slot.
    pub fn store(&mut self, slot: Slot, value: Value) {
        self.slots.insert(slot.word, value);
    }

    /// What a slot is supposed to hold.
    pub fn load(&self, slot: Slot) -> Value {
        self.slots.get(&slot.word).copied().unwrap_or(Value::ZERO)
    }

    /// Sets a raw word.
    pub fn store_raw(&mut self, word: usize, value: u32) {
        self.raw.insert(word, value);
    }

    /// What a raw word is supposed to hold.
    pub fn load_raw(&self, word: usize) -> u32 {
        self.raw.get(&word).copied().unwrap_or(0)
    }

    /// Sets a byte of the tail.
    pub fn store_byte(&mut self, index: usize, value: u8) {
        self.bytes.insert(index, value);
    }

    /// What a byte of the tail is supposed to hold.
    pub fn load_byte(&self, index: usize) -> u8 {
        self.bytes.get(&index).copied().unwrap_or(0)
    }

    /// The objects that this one refers to, its map included.
    pub fn references(&self) -> impl Iterator<Item = Id> + '_ {
        [self.map].into_iter().chain(self.slots.values().copied()).filter_map(|value| match value {
            Value::Object(id) => Some(id),
            Value::Small(_) | Value::Immortal(_) => None,
        })
    }

    /// Compares all words of the object, as `word` reads them, with what they are supposed to be; hands each tagged
    /// word that should refer to an object, header included, to `edge`.
    ///
    /// # Errors
    /// The word that differs, what it holds, and what it should.
    pub fn compare(&self, word: impl Fn(usize) -> u32, mut edge: impl FnMut(Value, Tagged)) -> Result<(), String> {
        edge(self.map, Tagged::from_bits(word(0)));
        let words = self.size_bytes() / WORD_BYTES;
        let (fixed, tagged) = (self.shape.fixed_words(), self.shape.tagged_words());
        let mut slots = self.slots.iter().peekable();
        let mut bytes = self.bytes.iter().peekable();
        let differs = |index, found: u32, expected: u32| {
            Err(format!("word {index} of {words} holds {found:#x} instead of {expected:#x}"))
        };
        // The same bits are four bytes of zero.
        let untouched = Tagged::ZERO.bits();
        let mut next = 1;
        while next < words {
            if next >= fixed.max(2) {
                // Most words of a long tail were never written, and a heap may consist of them.
                let slot = slots.peek().map_or(words, |(at, _)| **at);
                let byte = bytes.peek().map_or(words, |(at, _)| fixed + **at / WORD_BYTES);
                let touched = slot.min(byte).min(words);
                if let Some(index) = (next..touched).find(|&index| word(index) != untouched) {
                    return differs(index, word(index), untouched);
                }
                if touched > next {
                    next = touched;
                    continue;
                }
            }
            let index = next;
            next += 1;
            let found = word(index);
            let expected = if index == 1 && self.shape.tail() != Tail::None {
                (self.length as u32) << 1
            } else if let (Some(shape), 1..=3) = (self.describes, index) {
                map_word(shape, index)
            } else if index <= tagged || (index >= fixed && self.shape.tail() == Tail::Tagged) {
                match slots.next_if(|(at, _)| **at == index).map_or(Value::ZERO, |(_, value)| *value) {
                    Value::Small(value) => Tagged::small(value).expect("shadow integers are small").bits(),
                    value => {
                        edge(value, Tagged::from_bits(found));
                        continue;
                    }
                }
            } else if index < fixed {
                self.load_raw(index)
            } else {
                let start = (index - fixed) * WORD_BYTES;
                let mut expected = 0;
                while let Some((at, value)) = bytes.next_if(|(at, _)| **at < start + WORD_BYTES) {
                    expected |= u32::from(*value) << (8 * (at - start));
                }
                expected
            };
            if found != expected {
                return differs(index, found, expected);
            }
        }
        Ok(())
    }
}

/// What word 1, 2 or 3 of the map of `shape` holds: the shape, and the size of its objects if they all have the same.
fn map_word(shape: Shape, index: usize) -> u32 {
    match (index, shape.tail()) {
        (3, Tail::None) => (align_up(shape.fixed_words() * WORD_BYTES, 8) as u32) << 1,
        (3, _) => 0,
        _ => shape.encode()[index - 1],
    }
}
