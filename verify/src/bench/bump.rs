//! The least that a linear allocation can cost: a pointer, a limit, and 32 bytes written.

use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use super::OBJECT_BYTES;

/// Eight bytes that need not be initialised.
type Granule = MaybeUninit<u64>;

/// Bytes of the buffer; full, it is used again from its start, as a new space would be after a collection without
/// survivors.
const BUFFER_BYTES: usize = 2 << 20;

/// A bump allocator written by hand, the floor under every other contestant.
pub struct Bump {
    top: NonNull<[u64; 4]>,
    limit: NonNull<[u64; 4]>,
    buffer: Box<[Granule]>,
}

impl Bump {
    /// An allocator with a buffer of 2 MiB.
    #[must_use]
    pub fn new() -> Bump {
        let mut bump = Bump {
            top: NonNull::dangling(),
            limit: NonNull::dangling(),
            buffer: Box::new_uninit_slice(BUFFER_BYTES / 8),
        };
        bump.reset();
        bump
    }

    /// Allocates `objects` objects one by one and writes each: a map word, and a body of zeros.
    pub fn allocate(&mut self, objects: u64) {
        for _ in 0..objects {
            if self.top == self.limit {
                self.reset();
            }
            let object = self.top;
            // SAFETY: `top` is below `limit` by a multiple of an object's size, so a whole object lies inside the
            // buffer.
            unsafe {
                self.top = object.add(1);
                object.write([1, 0, 0, 0]);
            }
            black_box(object);
        }
    }

    #[cold]
    fn reset(&mut self) {
        let start = NonNull::from(&mut *self.buffer).cast::<[u64; 4]>();
        self.top = start;
        // SAFETY: one past the buffer's last object.
        self.limit = unsafe { start.add(BUFFER_BYTES / OBJECT_BYTES) };
    }
}

impl Default for Bump {
    fn default() -> Bump {
        Bump::new()
    }
}
