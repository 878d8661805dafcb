//! The heap that a program runs on.

use heaplab::HeapConfig;
use heaplab::memory::PageSource;

/// The heap of a program, and its flags at the start.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct World {
    /// How large.
    pub size: WorldSize,
    /// Whether several local heaps may be attached at the start.
    pub concurrent: bool,
    /// Whether collections verify at the start.
    pub verify: bool,
}

/// How large a heap is. From the smallest on: mite, tiny, snug, small. The names stand in recorded programs, and their
/// order here is that of their numbers in the byte form.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum WorldSize {
    /// 16 pages of 128 bytes.
    Tiny,
    /// 24 pages of 256 bytes, a limit that may be raised, and a work list of one entry.
    Snug,
    /// 4 MiB in pages of 16 KiB. Under Miri, which interprets each access to them, 32 KiB in pages of 512 bytes.
    Small,
    /// 7 pages of 128 bytes, one of them new space's: what a model checker has room for. One more for each thread
    /// beyond three.
    Mite,
}

impl WorldSize {
    /// All of them.
    pub const ALL: [WorldSize; 4] = [WorldSize::Tiny, WorldSize::Snug, WorldSize::Small, WorldSize::Mite];
}

impl World {
    /// The simplest world.
    pub const TINY: World = World { size: WorldSize::Tiny, concurrent: true, verify: false };

    /// The configuration. It has room for as many local heaps as the program has threads, for four at least, and for
    /// one more; the mite world has room for as many as there are threads, and for three at least. Where the source has
    /// no pages as small as the world's, the memory is owned.
    #[must_use]
    pub fn config(self, threads: usize, page_source: PageSource) -> HeapConfig {
        let mut config = match self.size {
            WorldSize::Tiny => HeapConfig::tiny(),
            WorldSize::Snug => {
                let mut config = HeapConfig::tiny();
                config.page_bytes = Some(256);
                config.soft_limit_bytes = 12 * 256;
                config.hard_limit_bytes = 24 * 256;
                config.hard_limit_bytes_max = 32 * 256;
                config.new_space_bytes = 4 * 256;
                config.young_lab_bytes = 80;
                config.small_hole_bytes = Some(32);
                config.pool_bytes_max = 2 * 256;
                // The least that there is, so that objects are set aside whenever another one waits.
                config.worklist_entries = 1;
                config
            }
            WorldSize::Small => {
                let (bytes, page_bytes) = if cfg!(miri) { (32 << 10, 512) } else { (4 << 20, 16 << 10) };
                let mut config = HeapConfig::sized(bytes, 5);
                config.page_bytes = Some(page_bytes);
                // Building a heap costs time in proportion to its greatest limit.
                config.hard_limit_bytes_max = config.hard_limit_bytes + 16 * page_bytes;
                config.young_lab_bytes = page_bytes / 4;
                config.pages_per_thread_min = 4;
                config.handle_block_slots = 16;
                config
            }
            WorldSize::Mite => {
                let mut config = HeapConfig::tiny();
                let bytes = (threads + 4).max(7) * 128;
                config.soft_limit_bytes = bytes;
                config.hard_limit_bytes = bytes;
                config.hard_limit_bytes_max = bytes;
                config.new_space_bytes = 128;
                config.pool_bytes_max = 0;
                config.page_set_bits = 64;
                config
            }
        };
        (config.threads_max, config.pages_per_thread_min) = match self.size {
            WorldSize::Mite => (threads.max(3), 1),
            WorldSize::Small => (threads.max(4) + 1, config.pages_per_thread_min),
            // So that programs of many threads run in these worlds, each thread has fewer pages.
            WorldSize::Tiny | WorldSize::Snug => {
                (threads.max(4) + 1, if threads > 4 { 1 } else { config.pages_per_thread_min })
            }
        };
        config.page_source = page_source.or_owned(config.page_bytes.expect("each world says"));
        config.concurrent_allocation = self.concurrent;
        config.verify_heap = self.verify;
        config
    }
}
