//! A name for each object of a journal.
//!
//! Every site that touches an object proposes the name of its receiver; the most specific proposal wins, a field before
//! a variable, then one from the heap's own source before one from a model, then the earliest. Objects that end up with
//! the same name are numbered: elements of an array in the order of their addresses, others in the order of their first
//! use. The numbers are ordinals among the objects that were used, not indices.
//!
//! Heap words are recognised by their sites, which lie in the memory modules or call a method of `memory`. A word's
//! offset counts from the lowest word that the journal has, in bytes of the heap: the model keeps each word in a slot
//! of `SLOT_BYTES` bytes (`heaplab::memory`, the simulated source), and a word has 4 bytes.
//!
//! An object that was used before the first thread started, and never again, while one of the same name was, is most
//! likely the same object before it was moved to its place. It is called `name (before)`.

use super::sources::{Receiver, Sources, Specific, place};
use heaplab::sync::HeapWord;
use heaplab::sync::model_control::{Action, JournalEntry};
use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;

/// Bytes of a slot for one heap word, in the model's memory. A mirror of the slot's fields.
const SLOT_BYTES: usize = size_of::<(Cell<bool>, OnceCell<HeapWord>)>();

/// The names of a journal's objects.
pub(super) struct Names {
    names: BTreeMap<usize, String>,
    heap: BTreeMap<usize, String>,
}

struct Object {
    first_use: usize,
    last_use: usize,
    /// How specific, whether in the heap's own source, and the name.
    best: Option<(Specific, bool, String)>,
}

impl Names {
    /// Names every object of `journal`, whose first `setup` entries come before the first thread was started.
    pub(super) fn new(journal: &[JournalEntry], setup: usize, sources: &Sources) -> Self {
        let mut objects: BTreeMap<usize, Object> = BTreeMap::new();
        let mut heap = BTreeMap::new();
        for (at, entry) in journal.iter().enumerate().filter(|(_, entry)| entry.object != 0) {
            let receiver = sources.receiver(entry.site);
            if is_heap_word(entry, receiver.as_ref()) {
                heap.insert(entry.object, String::new());
                continue;
            }
            let object = objects.entry(entry.object).or_insert(Object { first_use: at, last_use: at, best: None });
            object.last_use = at;
            let Some(Receiver { name, specific }) = receiver else { continue };
            let is_ours = !is_of_a_model(entry.site.file);
            if object.best.as_ref().is_none_or(|best| (best.0, best.1) < (specific, is_ours)) {
                object.best = Some((specific, is_ours, name));
            }
        }
        objects.retain(|address, _| !heap.contains_key(address));
        name_heap(&mut heap);

        let mut groups: BTreeMap<String, Vec<(usize, Object)>> = BTreeMap::new();
        for (address, object) in objects {
            let name = match &object.best {
                Some((_, _, name)) => name.clone(),
                None => place(journal[object.first_use].site),
            };
            groups.entry(name).or_default().push((address, object));
        }
        let mut names = BTreeMap::new();
        for (name, objects) in groups {
            let is_used = objects.iter().any(|(_, object)| object.last_use >= setup);
            let (mut placed, before): (Vec<_>, Vec<_>) =
                objects.into_iter().partition(|(_, object)| !is_used || object.last_use >= setup);
            names.extend(before.into_iter().map(|(address, _)| (address, format!("{name} (before)"))));
            if !name.ends_with("[..]") {
                placed.sort_by_key(|(_, object)| object.first_use);
            }
            let count = placed.len();
            for (ordinal, (address, _)) in placed.into_iter().enumerate() {
                let numbered = format!("{}#{ordinal}", name.trim_end_matches("[..]"));
                names.insert(address, if count == 1 { name.clone() } else { numbered });
            }
        }
        Self { names, heap }
    }

    /// An object's name.
    pub(super) fn of(&self, object: usize) -> &str {
        self.names.get(&object).or_else(|| self.heap.get(&object)).map_or("?", String::as_str)
    }

    /// Whether an object is a word of the heap.
    pub(super) fn is_heap_word(&self, object: usize) -> bool {
        self.heap.contains_key(&object)
    }
}

fn is_of_a_model(file: &str) -> bool {
    let file = file.replace('\\', "/");
    file.starts_with("verify/") || file.starts_with("loom/") || file.contains("/verify/")
}

fn is_heap_word(entry: &JournalEntry, receiver: Option<&Receiver>) -> bool {
    if !matches!(entry.action, Action::Ordered(..) | Action::PlainRead | Action::PlainWrite) {
        return false;
    }
    let file = entry.site.file.replace('\\', "/");
    file.starts_with("src/memory/")
        || file == "src/object/view.rs"
        || receiver.is_some_and(|receiver| receiver.name == "memory")
}

fn name_heap(heap: &mut BTreeMap<usize, String>) {
    let Some(lowest) = heap.keys().next().copied() else { return };
    // Another layout than the mirrored one would show as a remainder; then the greatest common divisor is the best
    // guess.
    let divisor = heap.keys().fold(0, |divisor, address| gcd(address - lowest, divisor));
    let slot = if divisor.is_multiple_of(SLOT_BYTES) { SLOT_BYTES } else { divisor };
    for (address, name) in heap.iter_mut() {
        *name = format!("heap+{:#x}", (address - lowest) / slot * 4);
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heap_words_count_from_the_lowest_in_bytes_of_the_heap() {
        let name = |slots: &[usize]| {
            let mut heap: BTreeMap<_, _> = slots.iter().map(|slot| (4096 + slot, String::new())).collect();
            name_heap(&mut heap);
            heap.into_values().collect::<Vec<_>>()
        };
        assert_eq!(name(&[0, SLOT_BYTES, 16 * SLOT_BYTES]), ["heap+0x0", "heap+0x4", "heap+0x40"]);
        assert_eq!(name(&[0, 10 * SLOT_BYTES]), ["heap+0x0", "heap+0x28"]);
        assert_eq!(name(&[8]), ["heap+0x0"]);
    }
}
