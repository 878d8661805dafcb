//! Bytes in and out of words that other threads use at the same time.
//!
//! Byte k of a word is its bits 8k..8k+8, on every machine: bytes are placed by arithmetic, never by reinterpreting
//! memory. On a big-endian machine the bytes lie in another order in memory, and nobody can tell, since all access is
//! by word.
//!
//! ```text
//!   offset 2, 9 bytes:   |. . a b|c d e f|g h i .|
//!                          merge   store   merge
//! ```

use super::Region;
use crate::sync::Ordering::Relaxed;
use crate::words::WORD_BYTES;

/// # Safety
///
/// As for [`Memory::copy_in`](super::Memory::copy_in).
#[track_caller]
pub(super) unsafe fn copy_in(region: &Region, offset: usize, bytes: &[u8]) {
    let (head, rest) = bytes.split_at(head_bytes(offset, bytes.len()));
    if !head.is_empty() {
        let skip = offset % WORD_BYTES;
        // SAFETY: the word contains a byte of the range.
        unsafe { merge(region, offset - skip, skip, head) }
    }
    let mut at = offset + head.len();
    let mut words = rest.chunks_exact(WORD_BYTES);
    for word in words.by_ref() {
        let value = u32::from_le_bytes(word.try_into().expect("a chunk is a word"));
        // Relaxed: payload bytes order nothing; who must see them learns of the object through an edge of its own.
        // SAFETY: the word lies in the range.
        unsafe { region.word(at) }.store(value, Relaxed);
        at += WORD_BYTES;
    }
    let tail = words.remainder();
    if !tail.is_empty() {
        // SAFETY: the word contains a byte of the range.
        unsafe { merge(region, at, 0, tail) }
    }
}

/// # Safety
///
/// As for [`Memory::copy_out`](super::Memory::copy_out).
#[track_caller]
pub(super) unsafe fn copy_out(region: &Region, offset: usize, bytes: &mut [u8]) {
    let (head, rest) = bytes.split_at_mut(head_bytes(offset, bytes.len()));
    let mut at = offset + head.len();
    if !head.is_empty() {
        let skip = offset % WORD_BYTES;
        // Relaxed, here and below: as in `copy_in`.
        // SAFETY: the word contains a byte of the range.
        let value = unsafe { region.word(offset - skip) }.load(Relaxed);
        head.copy_from_slice(&value.to_le_bytes()[skip..skip + head.len()]);
    }
    let mut words = rest.chunks_exact_mut(WORD_BYTES);
    for word in words.by_ref() {
        // SAFETY: the word lies in the range.
        let value = unsafe { region.word(at) }.load(Relaxed);
        word.copy_from_slice(&value.to_le_bytes());
        at += WORD_BYTES;
    }
    let tail = words.into_remainder();
    if !tail.is_empty() {
        // SAFETY: the word contains a byte of the range.
        let value = unsafe { region.word(at) }.load(Relaxed);
        tail.copy_from_slice(&value.to_le_bytes()[..tail.len()]);
    }
}

/// How many of `bytes` bytes from `offset` on come before the first word boundary.
fn head_bytes(offset: usize, bytes: usize) -> usize {
    bytes.min(offset.wrapping_neg() % WORD_BYTES)
}

/// Replaces the bytes from `skip` on of the word at `at`, keeping the others whatever they are.
///
/// # Safety
///
/// `at` is 4-aligned, its word is committed, and nobody accesses it plainly at the same time.
#[track_caller]
unsafe fn merge(region: &Region, at: usize, skip: usize, bytes: &[u8]) {
    debug_assert!(skip + bytes.len() < WORD_BYTES || skip == 0 || skip + bytes.len() == WORD_BYTES);
    let mut mask = [0; WORD_BYTES];
    let mut value = [0; WORD_BYTES];
    mask[skip..skip + bytes.len()].fill(0xff);
    value[skip..skip + bytes.len()].copy_from_slice(bytes);
    let (mask, value) = (u32::from_le_bytes(mask), u32::from_le_bytes(value));
    // SAFETY: the caller's promise.
    let word = unsafe { region.word(at) };
    // Relaxed: as in `copy_in`. The swap is atomic for the neighbours' sake, not for an edge.
    let mut old = word.load(Relaxed);
    // Lock-free: a failed swap means that another thread changed the word.
    while let Err(now) = word.compare_exchange(old, old & !mask | value, Relaxed, Relaxed) {
        old = now;
    }
}
