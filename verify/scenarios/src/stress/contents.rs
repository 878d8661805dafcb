//! The contents of an object, which follow from its seed.

use heaplab_common::mix;

/// The small integer at `index` of an object with this seed.
#[inline]
pub(super) fn small_of(seed: u32, index: usize) -> i32 {
    (mix(u64::from(seed), index as u64) & 0x3fff_ffff) as i32
}

/// Bytes that a piece of contents has at most.
pub(super) const PIECE_BYTES: usize = 256;

/// Calls `f` with the bytes of an object with this seed, in pieces, until `f` says that a piece is wrong. Returns
/// whether none was.
pub(super) fn pieces(seed: u32, len: usize, mut f: impl FnMut(usize, &[u8]) -> bool) -> bool {
    let mut piece = [0; PIECE_BYTES];
    let mut start = 0;
    while start < len {
        let count = PIECE_BYTES.min(len - start);
        for (index, bytes) in piece[..count.next_multiple_of(8)].chunks_exact_mut(8).enumerate() {
            bytes.copy_from_slice(&mix(u64::from(seed), (start / 8 + index) as u64).to_le_bytes());
        }
        if !f(start, &piece[..count]) {
            return false;
        }
        start += count;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_the_bytes_once() {
        for len in [0, 1, 255, 256, 257, 1000] {
            let mut seen = 0;
            assert!(pieces(3, len, |start, piece| {
                assert_eq!(start, seen);
                seen += piece.len();
                true
            }));
            assert_eq!(seen, len);
        }
    }
}
