//! The oracle's part in contents: slots, raw words and bytes of objects, loaded and stored on both heaps.
//!
//! An operation names an object by a handle: from that handle on, the first whose object has slots, or raw words and
//! bytes, is meant. It names a slot or a word by a number, taken modulo what the object has. So an operation has
//! something to do as soon as there is such an object.

use super::shared_roots::spread;
use super::{Door, Id, Oracle, Payload, Slot, Value};
use crate::ops::ValueChoice;
use heaplab::Tagged;
use heaplab_common::claim_eq;

impl Oracle {
    pub(super) fn load<D: Door>(&mut self, actor: usize, door: &mut D, host: u8, slot: u8) {
        if let Some((root, id)) = self.host(actor, host, |object| object.slots_count() != 0) {
            let object = self.graph.object(id);
            let slot = object.slot(spread(slot, object.slots_count()));
            let value = object.load(slot);
            let word = door.load(root, slot);
            self.expect_word(value, word);
            self.stacks[actor].push(value);
        }
        if let Some((root, id)) = self.host(actor, host, |object| object.payload_count() != 0) {
            let place = self.place(id, slot);
            let count = self.bytes_from(id, place);
            claim_eq!(door.read(root, place, count), self.payload(id, place, count), "what #{id} holds, {place:?},");
        }
    }

    fn expect_word(&self, value: Value, word: Tagged) {
        let expected = match value {
            Value::Small(value) => Tagged::small(value).expect("shadow integers are small"),
            Value::Immortal(root) => root.tagged(),
            // Where the object is may not be known yet; what it is will be compared.
            Value::Object(_) => return assert!(word.is_reference(), "{word:?} where {value:?} belongs"),
        };
        claim_eq!(word, expected, "the word for {value:?}");
    }

    pub(super) fn store<D: Door>(&mut self, actor: usize, door: &mut D, host: u8, slot: u8, value: ValueChoice) {
        if let Some((root, id)) = self.host(actor, host, |object| object.slots_count() != 0) {
            let object = self.graph.object(id);
            let slot: Slot = object.slot(spread(slot, object.slots_count()));
            let (source, value) = self.source(actor, value);
            door.store(root, slot, source);
            self.graph.object_mut(id).store(slot, value);
        }
    }

    pub(super) fn write<D: Door>(&mut self, actor: usize, door: &mut D, host: u8, index: u8, value: u8) {
        if let Some((root, id)) = self.host(actor, host, |object| object.payload_count() != 0) {
            let place = self.place(id, index);
            let count = self.bytes_from(id, place).min(1 + usize::from(value % 4));
            let data = [value, value.wrapping_add(1), !value, value | 1];
            door.write(root, place, &data, count);
            let object = self.graph.object_mut(id);
            match place {
                Payload::Raw(_, word) => object.store_raw(word, u32::from_le_bytes(data)),
                Payload::Byte(start) => {
                    for (offset, byte) in data[..count].iter().enumerate() {
                        object.store_byte(start + offset, *byte);
                    }
                }
            }
            let read = if matches!(place, Payload::Raw(..)) { 4 } else { count };
            claim_eq!(door.read(root, place, read), self.payload(id, place, read), "what #{id} holds, {place:?},");
        }
    }

    fn place(&self, id: Id, index: u8) -> Payload {
        let object = self.graph.object(id);
        object.payload(spread(index, object.payload_count()))
    }

    /// Bytes that one operation may write or read at a place, at most four.
    fn bytes_from(&self, id: Id, place: Payload) -> usize {
        match place {
            Payload::Raw(..) => 4,
            Payload::Byte(start) => (self.graph.object(id).bytes_count() - start).min(4),
        }
    }

    fn payload(&self, id: Id, place: Payload, count: usize) -> [u8; 4] {
        let object = self.graph.object(id);
        let mut data = [0; 4];
        match place {
            Payload::Raw(_, word) => data = object.load_raw(word).to_le_bytes(),
            Payload::Byte(start) => {
                for (index, byte) in data[..count].iter_mut().enumerate() {
                    *byte = object.load_byte(start + index);
                }
            }
        }
        data
    }
}
