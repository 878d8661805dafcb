//! The words of a line of text, and how they are read.

use core::fmt;
use core::str::{FromStr, SplitWhitespace};

/// The words of a line that are still to be read.
pub(super) struct Words<'a>(SplitWhitespace<'a>);

impl<'a> Words<'a> {
    pub(super) fn of(line: &'a str) -> Words<'a> {
        Words(line.split_whitespace())
    }

    /// The next word, which says `what`.
    pub(super) fn next(&mut self, what: &str) -> Result<&'a str, String> {
        self.0.next().ok_or_else(|| format!("{} is missing", spaced(what)))
    }

    /// The next word, if there is one.
    pub(super) fn next_if_any(&mut self) -> Option<&'a str> {
        self.0.next()
    }

    /// Takes the next word if it is this one.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let is_next = self.0.clone().next() == Some(word);
        if is_next {
            self.0.next();
        }
        is_next
    }

    /// The next word, which is a number within bounds.
    pub(super) fn number<T>(&mut self, what: &str, min: T, max: T) -> Result<T, String>
    where
        T: FromStr + PartialOrd + fmt::Display,
    {
        let word = self.next(what)?;
        let in_range = word.parse().ok().filter(|number| (&min..=&max).contains(&number));
        in_range.ok_or_else(|| format!("{}: `{word}` is no number within {min}..={max}", spaced(what)))
    }

    /// Checks that nothing is left to read.
    pub(super) fn end(&mut self) -> Result<(), String> {
        self.0.next().map_or(Ok(()), |word| Err(format!("`{word}` is one word too many")))
    }
}

/// A label of the table of operations, which is an identifier, with spaces between its words.
fn spaced(what: &str) -> String {
    what.replace('_', " ")
}
