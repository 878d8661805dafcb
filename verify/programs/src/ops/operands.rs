//! The operands that are more than one word: how each is read and written.

use super::operand::Operand;
use super::word::Word;
use super::words::Words;
use super::{ReserveChoice, Size, SizeBase, ValueChoice};
use core::fmt;
use heaplab::AllocationType;

impl Operand for u8 {
    fn from_bits(bits: u32) -> u8 {
        bits as u8
    }

    fn bits(self) -> u32 {
        self.into()
    }

    fn write(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }

    fn read(words: &mut Words<'_>, what: &'static str) -> Result<u8, String> {
        words.number(what, 0, u8::MAX)
    }
}

/// The operand of a fault: how many requests succeed before one fails, 0..=254. With `None` no request fails.
impl Operand for Option<u8> {
    fn from_bits(bits: u32) -> Option<u8> {
        (bits as u8).checked_sub(1)
    }

    fn bits(self) -> u32 {
        self.map_or(0, |k| k.saturating_add(1)).into()
    }

    fn write(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Some(k) => write!(f, "{k}"),
            None => f.write_str("off"),
        }
    }

    fn read(words: &mut Words<'_>, what: &'static str) -> Result<Option<u8>, String> {
        if words.take("off") { Ok(None) } else { words.number(what, 0, 254).map(Some) }
    }
}

impl Operand for Size {
    fn from_bits(bits: u32) -> Size {
        Size { base: SizeBase::from_bits(bits & 31), delta: i8::from_ne_bytes([(bits >> 5) as u8]) }
    }

    fn bits(self) -> u32 {
        self.base.bits() | u32::from(self.delta.to_ne_bytes()[0]) << 5
    }

    fn write(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }

    fn read(words: &mut Words<'_>, what: &'static str) -> Result<Size, String> {
        let word = words.next(what)?;
        // The names of boundaries have hyphens too: the last sign before a digit is the distance's.
        let sign = word.rfind(['+', '-']).filter(|&at| word[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
        let (base, delta) = match sign {
            Some(at) => {
                let digits = word[at..].strip_prefix('+').unwrap_or(&word[at..]);
                let reason = || format!("size: `{}` is no distance within -128..=127", &word[at..]);
                (&word[..at], digits.parse().map_err(|_| reason())?)
            }
            None => (word, 0),
        };
        Ok(Size { base: SizeBase::from_word(base)?, delta })
    }

    fn since(self) -> u32 {
        if self.base == SizeBase::SmallHole { 3 } else { 1 }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.delta {
            0 => f.write_str(self.base.word()),
            delta => write!(f, "{}{delta:+}", self.base.word()),
        }
    }
}

impl Operand for ValueChoice {
    fn from_bits(bits: u32) -> ValueChoice {
        match bits as u8 {
            handle @ 0..=ValueChoice::HANDLE_MAX => ValueChoice::Handle(handle),
            byte @ 200..=251 => ValueChoice::Small(i8::from_ne_bytes([byte.wrapping_sub(226)])),
            byte @ 252..=255 => ValueChoice::Immortal(byte - 252),
        }
    }

    fn bits(self) -> u32 {
        let byte = match self {
            ValueChoice::Handle(handle) => handle.min(ValueChoice::HANDLE_MAX),
            ValueChoice::Small(n) => u8::try_from(226 + i16::from(n)).expect("within the range of small integers"),
            ValueChoice::Immortal(n) => 252 + n % 4,
        };
        byte.into()
    }

    fn write(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValueChoice::Handle(n) => write!(f, "handle {n}"),
            ValueChoice::Small(n) => write!(f, "small {n}"),
            ValueChoice::Immortal(n) => write!(f, "immortal {n}"),
        }
    }

    fn read(words: &mut Words<'_>, _what: &'static str) -> Result<ValueChoice, String> {
        Ok(match words.next("operand")? {
            "handle" => ValueChoice::Handle(words.number("handle", 0, ValueChoice::HANDLE_MAX)?),
            "small" => {
                ValueChoice::Small(words.number("small", *ValueChoice::SMALL.start(), *ValueChoice::SMALL.end())?)
            }
            "immortal" => ValueChoice::Immortal(words.number("immortal", 0, 3)?),
            word => return Err(format!("`{word}` is no operand: one of handle, small, immortal")),
        })
    }
}

impl Operand for ReserveChoice {
    fn from_bits(bits: u32) -> ReserveChoice {
        let pages = [0, 2, 4, 6].map(|at| (bits >> at & 3) as u8);
        ReserveChoice { pages, large_half_pages: (bits >> 8) as u8 }
    }

    fn bits(self) -> u32 {
        let [young, old, map, code] = self.pages.map(|pages| u32::from(pages & 3));
        young | old << 2 | map << 4 | code << 6 | u32::from(self.large_half_pages) << 8
    }

    fn write(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [young, old, map, code] = self.pages;
        write!(f, "{young} {old} {map} {code} {}", self.large_half_pages)
    }

    fn read(words: &mut Words<'_>, _what: &'static str) -> Result<ReserveChoice, String> {
        let mut pages = [0; 4];
        for (count, ty) in pages.iter_mut().zip(AllocationType::ALL) {
            *count = words.number(ty.word(), 0, 3)?;
        }
        Ok(ReserveChoice { pages, large_half_pages: words.number("half pages", 0, u8::MAX)? })
    }
}
