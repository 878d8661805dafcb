//! Writing the built-in objects, and what roots of a poisoned heap refer to.

use super::roots::BUILT_IN_KINDS;
use super::{MAP_RECORD_BYTES_WORD, MAP_SLOTS_WORD, Root, View};
use crate::words::{GRANULE_BYTES, MAP_BYTES, Offset, ROOT_BYTES};

const ODDBALLS: [Root; 4] = [Root::Undefined, Root::Null, Root::True, Root::False];

/// What every root of a poisoned heap refers to: an immortal object that is empty whatever it is taken for. It lies
/// over the slots of the last built-in map, which nobody reads, and what follows.
///
/// ```text
/// word    as array, bytes, code    as record             as map
/// 0       the map of fixed arrays: what `map_of` finds
/// 1, 2    length 0                 field 0, no other     kind and geometry 0: of no record
/// 3       -                        -                     record bytes 0: refused
/// 4..=7   -                        -                     slots: headers and numbers of undefined and null
/// ```
///
/// The object is not walked: no stop begins on a poisoned heap.
pub(crate) const POISON: Offset = Root::FreeBlockMap.offset().word(MAP_SLOTS_WORD);

impl Root {
    /// Writes all built-in objects. Called once, when the heap is built.
    pub(crate) fn write_all(view: View<'_>) {
        for (root, shape) in BUILT_IN_KINDS {
            view.write_map(root.offset(), Root::MetaMap.offset(), shape);
        }
        for (index, oddball) in ODDBALLS.into_iter().enumerate() {
            view.write(oddball.offset(), Root::OddballMap.tagged().bits());
            view.write(oddball.offset().word(1), (index as u32) << 1);
        }
        const { assert!(Root::False.offset().bytes() + GRANULE_BYTES == ROOT_BYTES) };
    }

    /// Writes all built-in objects anew, since a broken invariant may have reached them, and [`POISON`].
    pub(crate) fn write_poison(view: View<'_>) {
        const { assert!(POISON.bytes() + MAP_BYTES <= ROOT_BYTES) };
        Root::write_all(view);
        view.write(POISON, Root::FixedArrayMap.tagged().bits());
        (1..=MAP_RECORD_BYTES_WORD).for_each(|index| view.write(POISON.word(index), 0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{Memory, PageSource};
    use crate::object::{MAP_WORDS, Tagged};

    /// Whatever the object is taken for, it is empty, and each word that is read as a tagged word is one.
    #[test]
    fn poison_is_empty() {
        crate::sync::check(|| {
            let memory = Memory::reserve(PageSource::for_page_bytes(ROOT_BYTES), ROOT_BYTES, ROOT_BYTES).unwrap();
            memory.commit(0, ROOT_BYTES).unwrap();
            // SAFETY: all of the memory is committed, and no other thread exists.
            let view = unsafe { View::new(&memory) };
            Root::write_poison(view);
            assert_eq!(view.map_of(POISON), Root::FixedArrayMap.offset());
            assert_eq!(view.size_bytes(POISON), GRANULE_BYTES);
            let words: [Tagged; MAP_WORDS] = core::array::from_fn(|index| view.tagged(POISON.word(index)));
            assert_eq!([1, 2, 3].map(|index| words[index].as_small()), [Some(0); 3]);
            for word in &words[4..] {
                assert!(word.as_reference().is_none_or(|map| map == Root::OddballMap.offset()), "{word:?}");
            }
        });
    }

    /// Undefined, null, true and false are told apart by a small integer each, which no collection takes for a
    /// reference.
    #[test]
    fn oddballs_are_numbered() {
        crate::sync::check(|| {
            let memory = Memory::reserve(PageSource::for_page_bytes(ROOT_BYTES), ROOT_BYTES, ROOT_BYTES).unwrap();
            memory.commit(0, ROOT_BYTES).unwrap();
            // SAFETY: all of the memory is committed, and no other thread exists.
            let view = unsafe { View::new(&memory) };
            Root::write_all(view);
            let numbers = ODDBALLS.map(|oddball| view.tagged(oddball.offset().word(1)).as_small());
            assert_eq!(numbers, [Some(0), Some(1), Some(2), Some(3)]);
        });
    }
}
