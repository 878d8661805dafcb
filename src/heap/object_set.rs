//! A set of objects: what a walk of the stopped heap remembers. One bit per granule, for the pages that hold objects
//! of the set.
//!
//! The Rust allocator may refuse what a walk asks of it. That ends no process: the walk notes the refusal, and what
//! it found counts for nothing.

use crate::space::Spaces;
use crate::words::{GRANULE_BYTES, Offset, PageIndex, TABLE_WORD_BITS as BITS};
use std::collections::HashMap;

/// The Rust allocator had no memory for a walk of the heap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NoMemory;

/// Whether the Rust allocator refused anything so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Refused(bool);

impl Refused {
    /// Appends `item`, or notes that there is no room for it. Once refused, nothing is asked for again.
    pub(super) fn push<T>(&mut self, vec: &mut Vec<T>, item: T) {
        if !self.0 && vec.try_reserve(1).is_ok() {
            vec.push(item);
        } else {
            self.0 = true;
        }
    }

    /// What was found, unless the Rust allocator refused something.
    pub(super) fn unless<T>(self, found: T) -> Result<T, NoMemory> {
        if self.0 { Err(NoMemory) } else { Ok(found) }
    }
}

/// Bits of the granules where objects of the set start, by page.
#[derive(Default)]
pub(super) struct ObjectSet(HashMap<PageIndex, Vec<u64>>);

impl ObjectSet {
    /// Adds an object, and says whether it is new to the set. Without memory it is not added, which `refused` notes.
    pub(super) fn insert(&mut self, spaces: &Spaces, object: Offset, refused: &mut Refused) -> bool {
        let (page, granule) = spaces.pages.granule_of(object);
        if !self.0.contains_key(&page) {
            let len = spaces.layout().page_bytes().div_ceil(GRANULE_BYTES * BITS);
            let mut words = Vec::new();
            if refused.0 || self.0.try_reserve(1).is_err() || words.try_reserve_exact(len).is_err() {
                *refused = Refused(true);
                return false;
            }
            words.resize(len, 0);
            self.0.insert(page, words);
        }
        let words = self.0.get_mut(&page).expect("just entered, if it was not there");
        let word = &mut words[granule / BITS];
        let before = *word;
        *word |= 1 << (granule % BITS);
        *word != before
    }

    /// Whether an object starts here and is in the set. Any offset may be asked for.
    pub(super) fn contains(&self, spaces: &Spaces, object: Offset) -> bool {
        if object.bytes() >= spaces.layout().pages() << spaces.layout().page_shift() {
            return false;
        }
        let (page, granule) = spaces.pages.granule_of(object);
        self.0.get(&page).is_some_and(|words| words[granule / BITS] >> (granule % BITS) & 1 != 0)
    }
}
