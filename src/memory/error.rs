//! Why memory could not be had.

use core::error::Error;
use core::fmt;

use super::PageSource;

/// Why a reservation, a commit or a release failed. Each message says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MemoryError {
    /// The system (or the Rust allocator for owned pages, or an injected fault) refused `bytes` bytes, or refused to
    /// take them back. The heap may collect, shrink, or report out of memory.
    Refused {
        /// How many bytes were asked for.
        bytes: usize,
        /// The system's error code, if it gave one.
        os_code: Option<i32>,
    },
    /// The Rust allocator refused `bytes` bytes of a table beside the heap. The configuration must ask for a smaller
    /// heap or larger pages.
    Tables {
        /// How many bytes were asked for.
        bytes: usize,
    },
    /// Pages smaller than what the system gives back. The configuration must name larger ones, or
    /// [`PageSource::Owned`].
    SmallPage {
        /// The page size that was asked for.
        page_bytes: usize,
        /// The least that the source gives back.
        page_bytes_min: usize,
    },
    /// There is no such page source: in this build, or in a model. The configuration must name another.
    Unsupported {
        /// The source that was asked for.
        source: PageSource,
        /// Why there is none.
        reason: &'static str,
    },
    /// More bytes than the source could ever reserve. The configuration must ask for less. In a model of the feature
    /// `loom` the limit is low.
    TooLarge {
        /// How many bytes were asked for.
        bytes: usize,
        /// The most that can be asked for.
        bytes_max: usize,
    },
    /// Sizes that break the rules of [`Memory::reserve`](super::Memory::reserve). The configuration must change.
    BadSize {
        /// The size of the reservation that was asked for.
        bytes: usize,
        /// The page size that was asked for.
        page_bytes: usize,
    },
}

impl fmt::Display for MemoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MemoryError::Refused { bytes, os_code } => {
                write!(f, "the system refused {bytes} bytes of memory")?;
                if let Some(code) = os_code {
                    write!(f, " (error {code})")?;
                }
                f.write_str("; configure a smaller heap or raise the limits of the process")
            }
            MemoryError::Tables { bytes } => {
                write!(
                    f,
                    "the Rust allocator refused {bytes} bytes for a table of the heap; configure a smaller heap or \
                     larger pages, or raise the limits of the process"
                )
            }
            MemoryError::SmallPage { page_bytes, page_bytes_min } => {
                write!(
                    f,
                    "the system gives back no less than {page_bytes_min} bytes, which pages of {page_bytes} are \
                     smaller than; configure larger pages or page source `{}`",
                    PageSource::Owned
                )
            }
            MemoryError::Unsupported { source, reason } => {
                write!(
                    f,
                    "page source `{source}` is not available: {reason}; use `{}`, the default here",
                    PageSource::default()
                )
            }
            MemoryError::TooLarge { bytes, bytes_max } => {
                write!(f, "{bytes} bytes are more than can be reserved; configure at most {bytes_max}")
            }
            MemoryError::BadSize { bytes, page_bytes } => {
                write!(
                    f,
                    "cannot reserve {bytes} bytes in pages of {page_bytes}: \
                     the size must be a positive multiple of 8, the page size a power of two of at least 8"
                )
            }
        }
    }
}

impl Error for MemoryError {}
