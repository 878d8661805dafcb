//! The form of the table of operations, and what is checked of the table while it is compiled.
//!
//! A row of [`operations!`] is all that the language knows of an operation:
//!
//! ```text
//! /// What the operation does.
//! Name {
//!     /// What the operand is.
//!     operand[first bit..end]: Type,
//! }: first code..end, "word", since version;
//! ```
//!
//! From the rows come the type, both directions of both [forms](super), and the version from which a word exists. An
//! operand's type is an [`Operand`](super::operand::Operand), which knows its bits and its words. An operation with one
//! operand may have it without a name, `Name(operand[..]: Type)`: the label stands in messages only. A switch that the
//! text form says by another word is `Name switch { operand[..] => "other-word" }`.
//!
//! An operation is a code and [`BITS`] bits of operands, which are the three bytes behind the code, the lowest first.
//! The encoder writes the first code of a row, and the decoder reads each of them, so the number of codes is the
//! weight of the operation among random bytes.
//!
//! * **OT-1** The codes of a row begin where those of the row above end, and the last row ends at [`CODES`]. So each
//!   code is one operation's.
//! * **OT-2** No two operands of a row share a bit.
//! * **OT-3** No two operations share a word.
//! * **OT-4** A word exists since a version that there is.
//!
//! A table that breaks one of these does not compile: [`flaw`] is called for a constant.

use super::VERSION;
use core::ops::Range;

/// Codes of the byte form.
pub(super) const CODES: u8 = 64;

/// Bits of operands that a step of the byte form has.
pub(super) const BITS: u32 = 24;

/// What the table says of one operation, for those who check it.
pub(super) struct Row {
    /// The name of the variant.
    #[cfg(test)]
    pub(super) name: &'static str,
    /// Its codes.
    pub(super) codes: Range<u8>,
    /// Its words: one, or two if it has a switch.
    pub(super) words: &'static [&'static str],
    /// The version of the text form from which the words exist.
    pub(super) since: u32,
    /// The bits of its operands.
    pub(super) operands: &'static [Range<u32>],
    /// What is said of a row that is wrong.
    pub(super) refusals: Refusals,
}

/// What is said of a row that is wrong. A message cannot be composed by code that runs while a program is compiled.
pub(super) struct Refusals {
    pub(super) codes: &'static str,
    pub(super) bits: &'static str,
    pub(super) word: &'static str,
    pub(super) since: &'static str,
}

/// A [`Row`].
macro_rules! row {
    ($name:ident, $codes:expr, [$($word:literal),+], $since:expr, [$($operand:expr),* $(,)?]) => {
        $crate::ops::table::Row {
            #[cfg(test)]
            name: stringify!($name),
            codes: $codes,
            words: &[$($word),+],
            since: $since,
            operands: &[$($operand),*],
            refusals: $crate::ops::table::Refusals {
                codes: concat!(
                    "the row of `", stringify!($name), "` in ", file!(),
                    " has other codes than those from the end of the row above on: it takes codes of another \
                     operation, whose weight shrinks, and the codes of the rows behind it move"
                ),
                bits: concat!(
                    "the row of `", stringify!($name), "` in ", file!(),
                    " has two operands that share a bit, or an operand without bits of the 24 that there are"
                ),
                word: concat!(
                    "the row of `", stringify!($name), "` in ", file!(),
                    " has a word that is another operation's, or no word: letters, and hyphens between them"
                ),
                since: concat!(
                    "the row of `", stringify!($name), "` in ", file!(),
                    " has a word since a version that there is not: raise VERSION, in version.rs, for a new word"
                ),
            },
        }
    };
}

/// What is wrong with a table, of the first row that has something wrong with it.
pub(super) const fn flaw(rows: &[Row]) -> Option<&'static str> {
    let (mut index, mut next) = (0, 0);
    while index < rows.len() {
        let row = &rows[index];
        if row.codes.start != next || row.codes.end <= next || row.codes.end > CODES {
            return Some(row.refusals.codes);
        }
        if !are_apart(row.operands) {
            return Some(row.refusals.bits);
        }
        let mut word = 0;
        while word < row.words.len() {
            if !is_word(row.words[word]) || occurrences(rows, index, row.words[word]) != 1 {
                return Some(row.refusals.word);
            }
            word += 1;
        }
        if row.since == 0 || row.since > VERSION {
            return Some(row.refusals.since);
        }
        next = row.codes.end;
        index += 1;
    }
    if next != CODES { Some("the last row of the table of operations does not end at code 64") } else { None }
}

/// OT-2.
const fn are_apart(operands: &[Range<u32>]) -> bool {
    let (mut index, mut taken) = (0, 0_u32);
    while index < operands.len() {
        let Range { start, end } = operands[index];
        if start >= end || end > BITS {
            return false;
        }
        let bits = (1 << end) - (1 << start);
        if taken & bits != 0 {
            return false;
        }
        taken |= bits;
        index += 1;
    }
    true
}

const fn is_word(word: &str) -> bool {
    let word = word.as_bytes();
    let mut index = 0;
    while index < word.len() {
        if !word[index].is_ascii_lowercase() && (word[index] != b'-' || index == 0) {
            return false;
        }
        index += 1;
    }
    !word.is_empty()
}

/// How often a word stands in the rows up to this one.
const fn occurrences(rows: &[Row], last: usize, wanted: &str) -> usize {
    let (mut index, mut count) = (0, 0);
    while index <= last {
        let mut word = 0;
        while word < rows[index].words.len() {
            count += are_equal(rows[index].words[word], wanted) as usize;
            word += 1;
        }
        index += 1;
    }
    count
}

const fn are_equal(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut index = 0;
    while index < left.len() && index < right.len() && left[index] == right[index] {
        index += 1;
    }
    index == left.len() && index == right.len()
}

/// The type of operations, out of their table: see the [module](self).
macro_rules! operations {
    (
        $(#[$attribute:meta])*
        pub enum Op {$(
            $(#[$doc:meta])*
            $name:ident
            $(($only:ident[$only_bit:literal..$only_end:literal]: $only_type:ty))?
            $({$(
                $(#[$operand_doc:meta])*
                $operand:ident[$bit:literal..$end:literal]: $type:ty
            ),+ $(,)?})?
            $(switch {
                $(#[$switch_doc:meta])*
                $switch:ident[$switch_bit:literal..$switch_end:literal] => $other_word:literal $(,)?
            })?
            : $code:literal..$code_end:literal, $word:literal, since $since:literal;
        )+}
    ) => {
        $(#[$attribute])*
        pub enum Op {$(
            $(#[$doc])*
            $name $(($only_type))? $({ $($(#[$operand_doc])* $operand: $type),+ })? $({
                $(#[$switch_doc])*
                $switch: bool
            })?,
        )+}

        impl Op {
            /// The table.
            pub(super) const ROWS: &[Row] = &[$(row!(
                $name,
                $code..$code_end,
                [$word $(, $other_word)?],
                $since,
                [$($only_bit..$only_end)? $($($bit..$end),+)? $($switch_bit..$switch_end)?]
            )),+];

            /// The operation of a code with these bits of operands.
            pub(super) fn from_code(code: u8, bits: u32) -> Op {
                match code {
                    $($code..$code_end => Op::$name {
                        $(0: operand_of(bits, $only_bit..$only_end),)?
                        $($($operand: operand_of(bits, $bit..$end),)+)?
                        $($switch: operand_of(bits, $switch_bit..$switch_end),)?
                    },)+
                    CODES.. => unreachable!("{code} is no code"),
                }
            }

            /// The first code of the operation, and its bits of operands.
            pub(super) fn code(self) -> (u8, u32) {
                match self {$(
                    Op::$name { $(0: $only,)? $($($operand,)+)? $($switch,)? } => (
                        $code,
                        0 $(| bits_of($only, $only_bit..$only_end))?
                        $($(| bits_of($operand, $bit..$end))+)?
                        $(| bits_of($switch, $switch_bit..$switch_end))?,
                    ),
                )+}
            }

            /// The rest of a line that begins with this word.
            pub(super) fn read(word: &str, words: &mut Words<'_>) -> Result<Op, String> {
                Ok(match word {
                    $($word => Op::$name {
                        $(0: Operand::read(words, stringify!($only))?,)?
                        $($($operand: Operand::read(words, stringify!($operand))?,)+)?
                        $($switch: false,)?
                    },
                    $($other_word => Op::$name { $switch: true },)?)+
                    word => return Err(format!("`{word}` is no operation")),
                })
            }

            /// The version of the text form from which this operation can be written, with these operands.
            pub(super) fn since(self) -> u32 {
                match self {$(
                    Op::$name { $(0: $only,)? $($($operand,)+)? $($switch: _,)? } => {
                        let since: u32 = $since;
                        $(let since = since.max(Operand::since($only));)?
                        $($(let since = since.max(Operand::since($operand));)+)?
                        since
                    }
                )+}
            }
        }

        impl fmt::Display for Op {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match *self {$(
                    $(Op::$name { $switch: true } => f.write_str($other_word),)?
                    Op::$name { $(0: $only,)? $($($operand,)+)? $($switch: false,)? } => {
                        f.write_str($word)?;
                        $(write_operand(f, $only)?;)?
                        $($(write_operand(f, $operand)?;)+)?
                        Ok(())
                    }
                )+}
            }
        }
    };
}

pub(super) use {operations, row};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{Op, recorded};
    use std::collections::BTreeSet;

    /// Goal: an operation that is added wrongly is refused, and the message says where it belongs.
    /// Method: tables with one thing wrong with them, as the compiler is given the true one.
    #[test]
    fn a_wrong_row_is_refused_by_name_and_file() {
        let poll = || row!(Poll, 0..32, ["poll"], 1, []);
        let good = || row!(Juggle, 32..64, ["juggle", "juggle-high"], VERSION, [0..8, 8..9, 11..24]);
        assert_eq!(flaw(&[poll(), good()]), None);
        let cases = [
            (row!(Juggle, 31..64, ["juggle"], 1, []), "other codes than those from the end of the row above on"),
            (row!(Juggle, 33..64, ["juggle"], 1, []), "whose weight shrinks"),
            (row!(Juggle, 32..32, ["juggle"], 1, []), "other codes"),
            (row!(Juggle, 32..65, ["juggle"], 1, []), "other codes"),
            (row!(Juggle, 32..64, ["poll"], 1, []), "a word that is another operation's"),
            (row!(Juggle, 32..64, ["juggle", "poll"], 1, []), "a word that is another operation's"),
            (row!(Juggle, 32..64, ["juggle", "juggle"], 1, []), "a word that is another operation's"),
            (row!(Juggle, 32..64, [""], 1, []), "or no word"),
            (row!(Juggle, 32..64, ["juggle on"], 1, []), "or no word"),
            (row!(Juggle, 32..64, ["juggle"], 0, []), "since a version that there is not"),
            (row!(Juggle, 32..64, ["juggle"], 99, []), "raise VERSION, in version.rs"),
            (row!(Juggle, 32..64, ["juggle"], 1, [0..8, 7..9]), "two operands that share a bit"),
            (row!(Juggle, 32..64, ["juggle"], 1, [20..25]), "of the 24 that there are"),
            (row!(Juggle, 32..64, ["juggle"], 1, [3..3]), "an operand without bits"),
        ];
        for (wrong, reason) in cases {
            let (words, codes) = (wrong.words, wrong.codes.clone());
            let found = flaw(&[poll(), wrong]).unwrap_or_else(|| panic!("{words:?} {codes:?} is not refused"));
            assert!(found.contains(reason), "{words:?} {codes:?}: {found}");
            assert!(found.starts_with(concat!("the row of `Juggle` in ", file!())), "{found}");
        }
        assert_eq!(flaw(&[poll()]), Some("the last row of the table of operations does not end at code 64"));
    }

    /// No version gets another word: older builds read files of that version, and would call a new word damage.
    #[test]
    fn a_new_word_is_of_a_new_version() {
        let words = |version| Op::ROWS.iter().filter(|row| row.since == version).map(|row| row.words.len()).sum();
        let counts: Vec<usize> = (1..=VERSION).map(words).collect();
        let frozen = [31, 1, 1, 2];
        assert!(
            counts.starts_with(&frozen),
            "the versions have {counts:?} words, and builds that are out have {frozen:?}: a new word is of a new \
             version, so raise VERSION, in version.rs"
        );
        assert_eq!(counts.len(), frozen.len(), "say here how many words version {VERSION} has, for the next one");
    }

    /// Goal: who reads a program finds its operations in the code. Method: the name of each variant begins with its
    /// word, as `FullSpace` with `full`.
    #[test]
    fn names_begin_with_their_words() {
        for Row { name, words, .. } in Op::ROWS {
            let mut kebab = String::new();
            for letter in name.chars() {
                if letter.is_ascii_uppercase() && !kebab.is_empty() {
                    kebab.push('-');
                }
                kebab.push(letter.to_ascii_lowercase());
            }
            assert!(kebab.starts_with(words[0]), "`{}` is written as `{name}`, which does not begin so", words[0]);
        }
    }

    /// Goal: fuzzers know each operation: they begin with the recorded programs, and their dictionary is made of those
    /// programs. Method: the words of the table among the words of the programs.
    #[test]
    fn each_operation_is_in_a_recorded_program() {
        let used: BTreeSet<String> = recorded()
            .values()
            .flat_map(|program| &program.steps)
            .map(|step| step.op.to_string().split(' ').next().expect("a word").to_owned())
            .collect();
        for word in Op::ROWS.iter().flat_map(|row| row.words) {
            // In the recorded programs the line of the world switches what `verify-heap` does.
            assert!(
                used.contains(*word) || *word == "verify-heap",
                "no recorded program has `{word}`: add one to verify/regressions, which makes it a seed of the fuzzers"
            );
        }
    }
}
