//! The units that the heap counts in, in bytes, and the sizes that follow from how a word is written.

/// Bytes of a heap word: a tagged word or four raw bytes.
pub const WORD_BYTES: usize = 4;
/// Object sizes and addresses are multiples of this many bytes.
pub const GRANULE_BYTES: usize = 8;
/// Bytes of a map, and the granule of map space, so that the two low bits above the tag of every reference to a map
/// are zero.
pub const MAP_BYTES: usize = 32;
/// Bytes of a cache line, which are the granule of code space.
pub const CACHE_LINE_BYTES: usize = 64;
/// The greatest alignment that an allocation may ask for. The least is a granule; each is a power of two.
pub const ALIGNMENT_BYTES_MAX: usize = CACHE_LINE_BYTES;
/// The greatest reservation, in bytes: what a tagged word can address, 31 bits of granules; where an address has 32
/// bits, an eighth of the address space, so that sums of three sizes do not overflow.
pub const RESERVATION_BYTES_MAX: usize =
    if usize::BITS > 32 { ((GRANULE_BYTES as u64) << 31) as usize } else { 1 << 29 };
/// Bytes of the built-in objects at the start of the reservation.
pub const ROOT_BYTES: usize = 256;
/// Bits of a word of the tables beside the heap: bitmaps, page sets, lists of what may be young.
pub const TABLE_WORD_BITS: usize = u64::BITS as usize;
