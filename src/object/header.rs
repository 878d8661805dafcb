//! The header word: a map reference, and in a stop a claim by the collector.

use super::Tagged;
use crate::words::Offset;

/// What a header word says. The collector claims an object in a stop (J-2), by a compare-exchange on its header, so
/// that of several collector threads exactly one decides what becomes of the object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Header {
    /// The object's map.
    Map(Offset),
    /// The object stays where it is although its page is being evacuated; the map.
    Kept(Offset),
    /// The object moved to this address.
    Forwarded(Offset),
}

const KEPT: u32 = 0b10;

impl Header {
    /// Decodes a header word.
    #[inline(always)]
    #[must_use]
    pub const fn decode(word: u32) -> Header {
        if word & 1 == 0 {
            Header::Forwarded(Tagged::from_bits(word | 1).target())
        } else if word & KEPT != 0 {
            Header::Kept(Tagged::from_bits(word & !KEPT).target())
        } else {
            Header::Map(Tagged::from_bits(word).target())
        }
    }

    /// Encodes a header word. By J-3 the bit for "kept" is free in a map reference.
    #[inline(always)]
    #[must_use]
    pub const fn encode(self) -> u32 {
        match self {
            Header::Map(map) => Tagged::reference(map).bits(),
            Header::Kept(map) => Tagged::reference(map).bits() | KEPT,
            Header::Forwarded(to) => Tagged::reference(to).bits() & !1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_survives_the_round_trip() {
        let map = Offset::new(96);
        for header in [Header::Map(map), Header::Kept(map), Header::Forwarded(Offset::new(1 << 20))] {
            assert_eq!(Header::decode(header.encode()), header);
        }
    }
}
