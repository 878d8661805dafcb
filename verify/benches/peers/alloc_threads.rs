//! Bump loops that share nothing: the most that a second thread can speed up on this machine.

use heaplab_verify::bench::{Bump, Contestant, together};

pub(crate) const LOOP_1: &str = "bump loop by hand, 1 thread";
pub(crate) const LOOP_2: &str = "bump loop by hand, 2 threads";

pub(crate) fn contestants() -> Vec<Contestant> {
    [(LOOP_1, 1), (LOOP_2, 2)].map(|(name, threads)| Contestant::new(name, move |objects| run(threads, objects))).into()
}

/// Allocates `objects` objects in all, spread over the threads.
fn run(threads: usize, objects: u64) -> std::time::Duration {
    let set_up = || {
        let mut bump = Bump::new();
        // The buffer's pages are touched before the time begins.
        bump.allocate(1 << 17);
        bump
    };
    together(threads, set_up, |bump| bump.allocate(objects / threads as u64))
}
