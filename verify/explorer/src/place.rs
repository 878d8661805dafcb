//! Places in the source of a model.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::panic::Location;

std::thread_local! {
    /// Where the next operation counts as called, if a facade says so.
    static NEXT: Cell<Option<&'static Location<'static>>> = const { Cell::new(None) };
}

/// Lets the next operation of this thread of the host count as called from `place`.
#[inline]
pub(crate) fn set_next(place: &'static Location<'static>) {
    NEXT.set(Some(place));
}

/// Where the operation that asks was called.
#[inline]
#[track_caller]
pub(crate) fn here() -> &'static Location<'static> {
    NEXT.take().unwrap_or(Location::caller())
}

/// A place in the source of the model.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    file: Cow<'static, str>,
    line: u32,
    column: u32,
}

impl Place {
    pub(crate) fn new(location: &'static Location<'static>) -> Place {
        Place { file: Cow::Borrowed(location.file()), line: location.line(), column: location.column() }
    }

    /// As [`Place::new`], where nobody says how long the location lives.
    pub(crate) fn of(location: &Location<'_>) -> Place {
        Place { file: Cow::Owned(location.file().to_owned()), line: location.line(), column: location.column() }
    }

    /// The path of the source file, as the compiler was given it.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line, counted from 1.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line
    }

    /// The column, counted from 1.
    #[must_use]
    pub fn column(&self) -> u32 {
        self.column
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
