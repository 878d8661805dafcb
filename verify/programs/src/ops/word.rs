//! Values of few cases: the word of each in the text form, and the number of each in the byte form.

use super::operand::Operand;
use super::words::Words;
use super::{NearLimitChoice, ObjectShape, RecordShape, SizeBase, WorldSize};
use core::fmt;
use heaplab::{AllocationType, CollectionKind, SpaceKind};

/// A value that is one word of text, and in the byte form a number modulo what there is.
pub(super) trait Word: Copy + PartialEq + 'static {
    /// What such a value is.
    const WHAT: &'static str;
    /// The word of each.
    const WORDS: &'static [(&'static str, Self)];
    /// The values that the numbers of the byte form stand for. A value that is to be frequent has several numbers.
    const NUMBERED: &'static [Self];

    /// The word of this value.
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).expect("the table is complete").0
    }

    /// The value of this word; the error lists the words that there are.
    fn from_word(word: &str) -> Result<Self, String> {
        let known = || Self::WORDS.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        let found = Self::WORDS.iter().find(|(known, _)| *known == word);
        found.map(|(_, value)| *value).ok_or_else(|| format!("`{word}` is no {}: one of {}", Self::WHAT, known()))
    }
}

impl<T: Word> Operand for T {
    fn from_bits(bits: u32) -> T {
        T::NUMBERED[bits as usize % T::NUMBERED.len()]
    }

    fn bits(self) -> u32 {
        T::NUMBERED.iter().position(|&other| other == self).expect("each value has a number") as u32
    }

    fn write(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }

    fn read(words: &mut Words<'_>, _what: &'static str) -> Result<T, String> {
        T::from_word(words.next(T::WHAT)?)
    }
}

macro_rules! words {
    ($type:ty, $what:literal, numbered $numbered:expr, $($word:literal => $value:expr),+ $(,)?) => {
        impl Word for $type {
            const WHAT: &'static str = $what;
            const WORDS: &'static [(&'static str, $type)] = &[$(($word, $value)),+];
            const NUMBERED: &'static [$type] = &$numbered;
        }
    };
}

words!(
    WorldSize, "world", numbered WorldSize::ALL,
    "tiny" => WorldSize::Tiny, "snug" => WorldSize::Snug, "small" => WorldSize::Small, "mite" => WorldSize::Mite,
);
words!(
    AllocationType, "allocation type",
    // Young objects are the most frequent where three bits say it.
    numbered {
        use AllocationType::{Code, Map, Old, Young};
        [Young, Old, Map, Code, Young, Young, Young, Old]
    },
    "young" => AllocationType::Young, "old" => AllocationType::Old,
    "map" => AllocationType::Map, "code" => AllocationType::Code,
);
words!(
    SpaceKind, "space", numbered SpaceKind::ALL,
    "new" => SpaceKind::New, "old" => SpaceKind::Old, "map" => SpaceKind::Map,
    "code" => SpaceKind::Code, "large" => SpaceKind::Large,
);
words!(
    CollectionKind, "kind of collection",
    // Minor collections are the most frequent: after any other one, nothing is young.
    numbered {
        use CollectionKind::{Major, MemoryReducing, Minor};
        [Minor, Major, MemoryReducing, Minor, Minor, Minor, Major, Minor]
    },
    "minor" => CollectionKind::Minor, "major" => CollectionKind::Major,
    "memory-reducing" => CollectionKind::MemoryReducing,
);
words!(
    SizeBase, "size",
    // Small objects are the most frequent: large ones use the heap up at once.
    numbered {
        let mut bases = [SizeBase::Empty; 32];
        let (mut index, some) = (0, SizeBase::ALL.len());
        while index < some {
            bases[index] = SizeBase::ALL[index];
            index += 1;
        }
        (bases[30], bases[31]) = (SizeBase::Lab, SizeBase::Half);
        bases
    },
    "empty" => SizeBase::Empty, "lab" => SizeBase::Lab, "half" => SizeBase::Half, "page" => SizeBase::Page,
    "two-pages" => SizeBase::TwoPages, "five-pages" => SizeBase::FivePages,
    "greatest" => SizeBase::Greatest, "absurd" => SizeBase::Absurd, "whole" => SizeBase::Whole,
    "small-hole" => SizeBase::SmallHole,
);
words!(
    NearLimitChoice, "answer of the callback", numbered NearLimitChoice::ALL,
    "none" => NearLimitChoice::None, "raise" => NearLimitChoice::Raise, "raise-max" => NearLimitChoice::RaiseMax,
    "refuse" => NearLimitChoice::Refuse, "lower" => NearLimitChoice::Lower, "unwind" => NearLimitChoice::Unwind,
);
words!(
    ObjectShape, "shape", numbered ObjectShape::ALL,
    "array" => ObjectShape::Array, "bytes" => ObjectShape::Bytes, "code" => ObjectShape::Code,
    "record-fields" => ObjectShape::Record(RecordShape::Fields),
    "record-mixed" => ObjectShape::Record(RecordShape::Mixed),
    "record-raw" => ObjectShape::Record(RecordShape::Raw),
    "record-slots" => ObjectShape::Record(RecordShape::Slots),
    "record-bytes" => ObjectShape::Record(RecordShape::Bytes),
    "record-wide" => ObjectShape::Record(RecordShape::Wide),
    "map-fields" => ObjectShape::Map(RecordShape::Fields),
    "map-mixed" => ObjectShape::Map(RecordShape::Mixed),
    "map-raw" => ObjectShape::Map(RecordShape::Raw),
    "map-slots" => ObjectShape::Map(RecordShape::Slots),
    "map-bytes" => ObjectShape::Map(RecordShape::Bytes),
    "map-wide" => ObjectShape::Map(RecordShape::Wide),
);
words!(bool, "switch", numbered [false, true], "on" => true, "off" => false);
