//! Operands: what operations carry. Each type has few values, all of which mean something in every state, and knows its
//! bits in the byte form and its words in the text form.

use super::words::Words;
use core::fmt;
use core::ops::Range;

/// A value that an operation carries.
pub(super) trait Operand: Copy {
    /// What these bits are. Any bits are a value.
    fn from_bits(bits: u32) -> Self;

    /// The bits of this value; `from_bits` gives the value back.
    fn bits(self) -> u32;

    /// Writes the value as words.
    fn write(self, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// Reads what `write` writes. `what` is the operand's name in the table of operations.
    ///
    /// # Errors
    /// What is missing, or no such value.
    fn read(words: &mut Words<'_>, what: &'static str) -> Result<Self, String>;

    /// The version of the text form from which this value can be written.
    fn since(self) -> u32 {
        1
    }
}

/// The operand in these bits of a step.
pub(super) fn operand_of<T: Operand>(step: u32, at: Range<u32>) -> T {
    T::from_bits((step & ((1 << at.end) - 1)) >> at.start)
}

/// The bits of a step that an operand takes.
pub(super) fn bits_of<T: Operand>(operand: T, at: Range<u32>) -> u32 {
    let bits = operand.bits() << at.start;
    debug_assert_eq!(bits >> at.end, 0, "an operand has more bits than {at:?}");
    bits
}

/// Writes an operand behind the words before it.
pub(super) fn write_operand<T: Operand>(f: &mut fmt::Formatter<'_>, operand: T) -> fmt::Result {
    f.write_str(" ")?;
    operand.write(f)
}
