//! The background thread of the flag `stress_concurrent_allocation`.

use super::attach::{Owner, attach};
use super::inner::HeapInner;
use super::running::RunGuard;
use super::{AttachError, LocalHeap, RawLocalHeap};
use crate::object::{ELEMENTS_WORD, LENGTH_WORD, Root};
use crate::sync::{Arc, AtomicBool, Ordering, SpawnRefused, Weak, thread};
use crate::words::{AllocationOrigin, AllocationType, CollectionKind, GRANULE_BYTES, WORD_BYTES};
use core::time::Duration;

/// Bytes of the small objects.
const SMALL_BYTES: usize = 5 * GRANULE_BYTES;
/// Bytes of the medium objects.
const MEDIUM_BYTES: usize = 8 << 10;
/// Rounds after which the thread detaches, and looks whether anybody else still has the heap. In a heap of fewer
/// pages there are as many rounds as pages, since a round takes more than a page.
const ROUNDS_MAX: usize = 64;

/// A thread that allocates small, medium and large old objects until it is stopped or the heap is dropped.
pub(super) struct StressThread {
    stop: Arc<AtomicBool>,
    handle: thread::JoinHandle<()>,
}

impl StressThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system refused it.
    pub(super) fn start(local: LocalHeap, heap: &Arc<HeapInner>) -> Result<StressThread, SpawnRefused> {
        if heap.spawn_fault.strikes() {
            return Err(SpawnRefused { os_code: None });
        }
        let heap = Arc::downgrade(heap);
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let handle = thread::try_spawn(move || {
            let mut next = Some(local);
            while let Some(mut local) = next.take() {
                // Relaxed: a request to end, which orders nothing; the join does.
                if seen.load(Ordering::Relaxed) {
                    return;
                }
                rounds(&mut local, &seen);
                drop(local);
                thread::yield_now();
                next = come_back(&heap, &seen);
            }
        })?;
        Ok(StressThread { stop, handle })
    }

    /// Whether the thread has ended by itself: the heap is poisoned, or gone.
    pub(super) fn has_ended(&self) -> bool {
        Arc::strong_count(&self.stop) == 1
    }

    /// Ends the thread and waits for it. The caller runs no local heap.
    pub(super) fn stop(self) {
        // Relaxed: see above.
        self.stop.swap(true, Ordering::Relaxed);
        // A panic of the thread has poisoned the heap already, which every later call reports.
        let _ = self.handle.join();
    }
}

/// Attaches again, as soon as there is a place. The thread must not keep the heap alive meanwhile. `None` if the
/// thread is to end, or the heap is poisoned or gone.
fn come_back(heap: &Weak<HeapInner>, stop: &AtomicBool) -> Option<LocalHeap> {
    loop {
        // Relaxed: see above.
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        match attach(&heap.upgrade()?, Owner::Heap) {
            Ok(local) => return Some(local),
            // All places are taken: wait until a local heap detaches, or this thread is told to end.
            Err(AttachError::TooManyThreads { .. } | AttachError::ConcurrentAllocationOff) => {
                thread::sleep(Duration::from_millis(1));
            }
            Err(AttachError::InsideRun | AttachError::Poisoned | AttachError::Forked) => return None,
        }
    }
}

fn rounds(local: &mut LocalHeap, stop: &AtomicBool) {
    let rounds = ROUNDS_MAX.min(local.inner().spaces.layout().hard_limit_pages());
    let Ok(running) = RunGuard::enter(local) else { return };
    for _ in 0..rounds {
        // Relaxed: see above.
        if stop.load(Ordering::Relaxed) {
            break;
        }
        // SAFETY: R-1: running, by the guard.
        unsafe { round(running.raw()) };
    }
}

/// # Safety
/// `local` is running on this thread.
unsafe fn round(local: RawLocalHeap) {
    let layout = local.inner().spaces.layout();
    let medium = MEDIUM_BYTES.min(layout.regular_bytes_max());
    for size in [SMALL_BYTES, medium, layout.page_bytes()] {
        // SAFETY: the object is formatted at once, and not referred to afterwards.
        unsafe {
            match local.allocate_raw(size, AllocationType::Old, AllocationOrigin::Runtime, GRANULE_BYTES) {
                Ok(at) => {
                    local.view().write(at, Root::ByteArrayMap.tagged().bits());
                    local.view().write(at.word(LENGTH_WORD), ((size - ELEMENTS_WORD * WORD_BYTES) as u32) << 1);
                }
                // An error says that the heap is poisoned: then the poll below unwinds, which ends the thread.
                Err(_) => drop(local.collect(CollectionKind::Major)),
            }
            local.poll();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::{Heap, HeapConfig};

    /// Natively: a thread that has detached waits until another detaches, until it is told to end, or until the heap
    /// goes.
    #[test]
    fn it_waits_for_a_place() {
        if crate::sync::is_modelled() {
            return;
        }
        let heap = Heap::new(HeapConfig::tiny()).unwrap();
        let weak = Arc::downgrade(&heap.inner);
        let come_back_there = |stop: &Arc<AtomicBool>| {
            let (weak, stop) = (weak.clone(), Arc::clone(stop));
            thread::try_spawn(move || come_back(&weak, &stop).is_some()).unwrap()
        };
        let stop = Arc::new(AtomicBool::new(false));
        let taken = [(); 3].map(|()| heap.attach().unwrap());
        let waiting = come_back_there(&stop);
        drop(taken);
        assert!(waiting.join().unwrap(), "there is a place");
        let taken = [(); 3].map(|()| heap.attach().unwrap());
        let waiting = come_back_there(&stop);
        stop.swap(true, Ordering::Relaxed);
        assert!(!waiting.join().unwrap(), "told to end, it does not wait");
        drop((taken, heap));
        stop.swap(false, Ordering::Relaxed);
        assert!(!come_back_there(&stop).join().unwrap(), "the heap is gone");
    }
}
