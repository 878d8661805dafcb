//! How many forks this process came from.
//!
//! After `fork` the child has one thread, and copies of locks that other threads may have held: who waits for one waits for
//! ever. So a heap remembers the generation of the process that built it, and compares before anything that could block.
//! A child learns that it is one by a handler that the system calls in it (`pthread_atfork`): no system call, no process id.
//!
//! The same constant where there is no `fork` to see: under a checker, under Miri, on other systems.

#[cfg(all(unix, not(miri), not(any(feature = "loom", feature = "shuttle"))))]
mod counted {
    use core::sync::atomic::{AtomicU32, Ordering};
    use std::sync::Once;

    static GENERATION: AtomicU32 = AtomicU32::new(0);
    static WATCHED: Once = Once::new();

    extern "C" fn in_child() {
        // Relaxed: the child has one thread, and starts its others later.
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }

    #[inline(always)]
    pub(in crate::sync) fn generation() -> u32 {
        // Relaxed: it changes before a second thread of the process exists.
        GENERATION.load(Ordering::Relaxed)
    }

    pub(in crate::sync) fn generation_watched() -> u32 {
        // Where the handler is refused, for lack of memory, forks are not noticed.
        WATCHED.call_once(|| {
            // SAFETY: the handler touches one atomic of its own.
            let _ = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        });
        generation()
    }
}

#[cfg(not(all(unix, not(miri), not(any(feature = "loom", feature = "shuttle")))))]
mod counted {
    #[inline(always)]
    pub(in crate::sync) fn generation() -> u32 {
        0
    }

    pub(in crate::sync) fn generation_watched() -> u32 {
        0
    }
}

/// How many forks this process came from since the first heap was built. One load.
#[inline(always)]
#[must_use]
pub fn generation() -> u32 {
    counted::generation()
}

/// The same; from the first call on, forks are counted.
#[must_use]
pub fn generation_watched() -> u32 {
    counted::generation_watched()
}
