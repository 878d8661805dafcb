//! Other allocators that hand out and write 32 bytes.

use std::alloc::{GlobalAlloc, Layout};
use std::hint::black_box;
use std::ptr::NonNull;

use bumpalo::Bump as Bumpalo;
use heaplab_verify::bench::{Bump, Contestant, OBJECT_BYTES};
use mimalloc::MiMalloc;

/// Bytes after which a bump arena starts again.
const ARENA_BYTES: usize = 2 << 20;

/// Objects that live at once in an allocator that frees each.
const BATCH: usize = 1024;

/// A map word, and a body of zeros.
const OBJECT: [u64; 4] = [1, 0, 0, 0];

pub(crate) const BUMPALO: &str = "bumpalo";
pub(crate) const MIMALLOC: &str = "mimalloc, allocate + free";

pub(crate) fn contestants() -> Vec<Contestant> {
    let mut bump = Bump::new();
    let mut arena = Bumpalo::with_capacity(ARENA_BYTES);
    vec![
        Contestant::timed("bump loop by hand", move |objects| bump.allocate(objects)),
        Contestant::timed(BUMPALO, move |objects| bumpalo(&mut arena, objects)),
        Contestant::timed(MIMALLOC, mimalloc),
    ]
}

fn bumpalo(arena: &mut Bumpalo, objects: u64) {
    let mut left = objects;
    while left > 0 {
        let now = left.min((ARENA_BYTES / OBJECT_BYTES) as u64);
        for _ in 0..now {
            black_box(NonNull::from(arena.alloc(OBJECT)));
        }
        arena.reset();
        left -= now;
    }
}

fn mimalloc(objects: u64) {
    let layout = Layout::new::<[u64; 4]>();
    let mut batch = [NonNull::dangling(); BATCH];
    let mut left = objects;
    while left > 0 {
        let now = left.min(BATCH as u64) as usize;
        for slot in &mut batch[..now] {
            // SAFETY: the layout's size is not zero.
            let object = unsafe { MiMalloc.alloc(layout) };
            let object = NonNull::new(object.cast::<[u64; 4]>()).expect("a kilobyte or so is to be had");
            // SAFETY: fresh memory of this layout.
            unsafe { object.write(OBJECT) }
            *slot = black_box(object);
        }
        for object in &batch[..now] {
            // SAFETY: allocated above with this layout, and freed once.
            unsafe { MiMalloc.dealloc(object.as_ptr().cast::<u8>(), layout) }
        }
        left -= now as u64;
    }
}
