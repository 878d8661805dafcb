//! What a caller may ask for: types of allocation, their origin, kinds of collection.

use super::{CACHE_LINE_BYTES, GRANULE_BYTES, MAP_BYTES};
use core::fmt;

/// Where an object is to live. An object larger than half a page goes to the large-object space, whatever its type;
/// with type `Map` it is refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AllocationType {
    /// New space; copied while it survives, then promoted to old space by age. Large young objects start as old.
    Young = 0,
    /// Old space: for what is expected to stay.
    Old = 1,
    /// Map space: objects that describe the shape of others. They never move.
    Map = 2,
    /// Code space: 64-byte aligned, never moves.
    Code = 3,
}

impl AllocationType {
    /// All of them, in the order of their numbers.
    pub const ALL: [AllocationType; 4] =
        [AllocationType::Young, AllocationType::Old, AllocationType::Map, AllocationType::Code];

    /// The alignment and size multiple, in bytes, of every object of this type.
    ///
    /// Map space hands out multiples of a map, so that the two low bits above the tag of every map reference are zero
    /// (a stop uses one of them); code space hands out cache lines.
    #[inline(always)]
    #[must_use]
    pub const fn granule_bytes(self) -> usize {
        match self {
            AllocationType::Young | AllocationType::Old => GRANULE_BYTES,
            AllocationType::Map => MAP_BYTES,
            AllocationType::Code => CACHE_LINE_BYTES,
        }
    }

    /// The space that serves this type's regular (not large) objects.
    #[must_use]
    pub const fn space(self) -> SpaceKind {
        match self {
            AllocationType::Young => SpaceKind::New,
            AllocationType::Old => SpaceKind::Old,
            AllocationType::Map => SpaceKind::Map,
            AllocationType::Code => SpaceKind::Code,
        }
    }
}

/// On whose behalf memory is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AllocationOrigin {
    /// An attached thread. The only origin that a running local heap may name.
    Runtime,
    /// The collector. A request of a local heap that names it is refused: the collector takes its memory in stops, by
    /// other ways.
    Collector,
}

/// A space of the heap.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SpaceKind {
    /// Young objects, served by the frontier.
    New,
    /// Old objects, in pages with holes.
    Old,
    /// Maps, in pages with holes; never moved.
    Map,
    /// Code objects, in pages with holes; never moved.
    Code,
    /// One object per run of pages.
    Large,
}

impl SpaceKind {
    /// All of them.
    pub const ALL: [SpaceKind; 5] = [SpaceKind::New, SpaceKind::Old, SpaceKind::Map, SpaceKind::Code, SpaceKind::Large];
}

impl fmt::Display for SpaceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SpaceKind::New => "new",
            SpaceKind::Old => "old",
            SpaceKind::Map => "map",
            SpaceKind::Code => "code",
            SpaceKind::Large => "large",
        })
    }
}

/// A kind of collection; a greater one does all that a smaller one does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CollectionKind {
    /// Copies the live objects of new space within it, or to old space by age.
    Minor = 0,
    /// Marks from the roots, sweeps every space and promotes every surviving young object.
    Major = 1,
    /// A major collection that also evacuates sparse old pages and gives every free page back to the system.
    MemoryReducing = 2,
}

impl CollectionKind {
    /// All of them, weakest first.
    pub const ALL: [CollectionKind; 3] = [CollectionKind::Minor, CollectionKind::Major, CollectionKind::MemoryReducing];
}

impl fmt::Display for CollectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CollectionKind::Minor => "minor",
            CollectionKind::Major => "major",
            CollectionKind::MemoryReducing => "memory-reducing",
        })
    }
}

/// Up to which limit a request may grow the committed memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Limit {
    /// The soft limit: reaching it asks for a collection.
    Soft,
    /// The hard limit: never exceeded, by any number of threads.
    Hard,
}
