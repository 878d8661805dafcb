//! Configuration of a heap. Sizes are in bytes.

use crate::memory::PageSource;
use crate::words::{ConfigError, Layout, LayoutRequest};

/// How a heap is built. Validated by [`Heap::new`](super::Heap::new), which names the field that is wrong.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HeapConfig {
    /// Where the memory comes from.
    pub page_source: PageSource,
    /// Bytes of a page, a power of two within 128 bytes ..= 1 MiB; `None` derives 16..256 KiB from the hard limit. At
    /// least a page of the system's, unless `page_source` is [`PageSource::Owned`].
    pub page_bytes: Option<usize>,
    /// Committing more bytes than this asks for a collection. Major collections adjust the limit, to less than this
    /// only by what roots take ([`Statistics::roots_bytes`](super::Statistics::roots_bytes)) and by a lowered hard
    /// limit.
    pub soft_limit_bytes: usize,
    /// The initial hard limit: committed bytes never exceed the hard limit.
    pub hard_limit_bytes: usize,
    /// The near-limit callback and [`Heap::set_hard_limit`](super::Heap::set_hard_limit) may raise the hard limit up
    /// to this many bytes, for which address space is reserved.
    pub hard_limit_bytes_max: usize,
    /// Bytes of new space; always counted as committed.
    pub new_space_bytes: usize,
    /// Bytes of a young LAB, at most half a page.
    pub young_lab_bytes: usize,
    /// Pages whose greatest hole has fewer bytes than this wait for the next sweep; `None` for 1/32 of a page.
    pub small_hole_bytes: Option<usize>,
    /// At most this many free bytes stay committed after a major collection.
    pub pool_bytes_max: usize,
    /// Local heaps that may be attached at once.
    pub threads_max: usize,
    /// The hard limit must have at least this many pages for each of `threads_max` threads, and as many again for one
    /// more.
    pub pages_per_thread_min: usize,
    /// Entries of the collector's work list, 1..=2^28.
    pub worklist_entries: usize,
    /// Slots in a block of handles, 1..=2^20; also cells in a slab of persistent handles, of which 512 at most count.
    pub handle_block_slots: usize,
    /// Width of the words of a page set, 1..=64; less than 64 only in small worlds.
    pub page_set_bits: usize,
    /// Whether several local heaps may be attached at once.
    pub concurrent_allocation: bool,
    /// Whether a raise by the near-limit callback is taken back: after the first major collection that leaves no more
    /// committed than the limit that was configured, or last set by
    /// [`Heap::set_hard_limit`](super::Heap::set_hard_limit). If not, a raise stays.
    pub restore_hard_limit: bool,
    /// Whether to verify before and after each collection, and when the heap is dropped. Slow; a violation panics.
    pub verify_heap: bool,
}

impl HeapConfig {
    /// A heap of at most `hard_limit_bytes` bytes for up to `threads_max` threads, other fields in proportion.
    #[must_use]
    pub fn sized(hard_limit_bytes: usize, threads_max: usize) -> HeapConfig {
        HeapConfig {
            page_source: PageSource::default(),
            page_bytes: None,
            soft_limit_bytes: hard_limit_bytes / 2,
            hard_limit_bytes,
            hard_limit_bytes_max: hard_limit_bytes.saturating_mul(2).min(crate::words::RESERVATION_BYTES_MAX),
            new_space_bytes: (hard_limit_bytes / 8).min(4 << 20),
            young_lab_bytes: 32 << 10,
            small_hole_bytes: None,
            pool_bytes_max: hard_limit_bytes / 16,
            threads_max,
            pages_per_thread_min: 16,
            worklist_entries: 64 << 10,
            handle_block_slots: 255,
            page_set_bits: crate::words::TABLE_WORD_BITS,
            concurrent_allocation: true,
            restore_hard_limit: false,
            verify_heap: false,
        }
    }

    /// A world of a few pages of a few words, for models, properties and Miri: 128-byte pages, 16 of them at most,
    /// three threads. LABs do not divide a page, so that tails occur. The memory is [`PageSource::for_page_bytes`]:
    /// natively the Rust allocator's, since no system gives back pages as small as these.
    #[must_use]
    pub fn tiny() -> HeapConfig {
        HeapConfig {
            page_source: PageSource::for_page_bytes(128),
            page_bytes: Some(128),
            soft_limit_bytes: 12 * 128,
            hard_limit_bytes: 16 * 128,
            hard_limit_bytes_max: 16 * 128,
            new_space_bytes: 2 * 128,
            young_lab_bytes: 48,
            small_hole_bytes: Some(64),
            pool_bytes_max: 128,
            pages_per_thread_min: 2,
            worklist_entries: 4,
            handle_block_slots: 8,
            page_set_bits: 8,
            ..HeapConfig::sized(16 * 128, 3)
        }
    }

    /// The geometry of this configuration.
    ///
    /// # Errors
    /// Names the field that is out of its range, and the range.
    pub fn layout(&self) -> Result<Layout, ConfigError> {
        Layout::derive(&self.layout_request()?)
    }

    /// The part of this configuration that decides the geometry.
    pub(crate) fn layout_request(&self) -> Result<LayoutRequest, ConfigError> {
        if self.handle_block_slots == 0 || self.handle_block_slots > 1 << 20 {
            return Err(ConfigError::new(
                "handle_block_slots",
                format!("{} is not within 1..=1048576", self.handle_block_slots),
            ));
        }
        if !(1..=64).contains(&self.page_set_bits) {
            return Err(ConfigError::new("page_set_bits", format!("{} is not within 1..=64", self.page_set_bits)));
        }
        if self.worklist_entries == 0 || self.worklist_entries > 1 << 28 {
            return Err(ConfigError::new(
                "worklist_entries",
                format!("{} is not within 1..=268435456", self.worklist_entries),
            ));
        }
        Ok(LayoutRequest {
            page_bytes: self.page_bytes,
            page_bytes_min: self.page_source.page_bytes_min(),
            soft_limit_bytes: self.soft_limit_bytes,
            hard_limit_bytes: self.hard_limit_bytes,
            hard_limit_bytes_max: self.hard_limit_bytes_max,
            new_space_bytes: self.new_space_bytes,
            young_lab_bytes: self.young_lab_bytes,
            small_hole_bytes: self.small_hole_bytes,
            pool_bytes_max: self.pool_bytes_max,
            threads_max: self.threads_max,
            pages_per_thread_min: self.pages_per_thread_min,
            worklist_entries: self.worklist_entries,
            large_pages: None,
        })
    }
}

impl Default for HeapConfig {
    /// 64 MiB, half of it before a collection is asked for, up to 31 threads.
    fn default() -> Self {
        HeapConfig::sized(64 << 20, 31)
    }
}
