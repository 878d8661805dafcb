//! Forks, counted by a handler that the system calls in the child: see [`fork`](super::fork).

use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::Once;

static GENERATION: AtomicU32 = AtomicU32::new(0);
static WATCHED: Once = Once::new();

extern "C" fn in_child() {
    // Relaxed: the child has one thread, and starts its others later.
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

#[inline(always)]
pub(super) fn generation() -> u32 {
    // Relaxed: the number changes before a second thread of the process exists.
    GENERATION.load(Ordering::Relaxed)
}

pub(super) fn generation_watched() -> u32 {
    // Where the handler is refused, for lack of memory, forks are not noticed.
    WATCHED.call_once(|| {
        // SAFETY: the handler touches one atomic of its own.
        let _ = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
    generation()
}
