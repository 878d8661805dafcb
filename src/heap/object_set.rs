//! A set of objects: what a walk of the stopped heap remembers. One bit per granule, for the pages that hold any.

use crate::space::Spaces;
use crate::words::{GRANULE_BYTES, Offset, PageIndex};
use std::collections::HashMap;

/// Bits of the granules where objects of the set start, by page.
#[derive(Default)]
pub(super) struct ObjectSet(HashMap<PageIndex, Vec<u64>>);

impl ObjectSet {
    /// Adds an object; whether it is new to the set.
    pub(super) fn insert(&mut self, spaces: &Spaces, object: Offset) -> bool {
        let (page, granule) = spaces.pages.granule_of(object);
        let words = spaces.layout().page_bytes().div_ceil(GRANULE_BYTES * 64);
        let word = &mut self.0.entry(page).or_insert_with(|| vec![0; words])[granule / 64];
        let before = *word;
        *word |= 1 << (granule % 64);
        *word != before
    }

    /// Whether an object starts here and is in the set. Any offset may be asked for.
    pub(super) fn contains(&self, spaces: &Spaces, object: Offset) -> bool {
        if object.bytes() >= spaces.layout().pages() << spaces.layout().page_shift() {
            return false;
        }
        let (page, granule) = spaces.pages.granule_of(object);
        self.0.get(&page).is_some_and(|words| words[granule / 64] >> (granule % 64) & 1 != 0)
    }
}
