//! Attaching a thread to a heap.

use super::inner::HeapInner;
use super::{AttachError, LocalHeap};
use crate::sync::{Arc, roll, run_marker};
use crate::thread::Local;

/// Whose thread a local heap is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The embedder's.
    Embedder,
    /// One of the heap's own: it never calls the embedder.
    Heap,
}

/// Attaches a local heap, which is parked. Waits for a stop to end.
///
/// # Errors
/// The thread runs a local heap, the heap is poisoned or another process's, or no more local heaps may be attached.
///
/// # Panics
/// If the Rust allocator refuses the first block of handles.
pub(super) fn attach(inner: &Arc<HeapInner>, owner: Owner) -> Result<LocalHeap, AttachError> {
    if run_marker::is_inside() {
        return Err(AttachError::InsideRun);
    }
    if inner.safepoint.is_forked() {
        return Err(AttachError::Forked);
    }
    let mut local = Local::new(inner.config.handle_block_slots);
    let mut registry = inner.lock_registry();
    let (attached, threads_max) = (registry.locals().len(), inner.spaces.layout().threads_max());
    if registry.is_poisoned() {
        return Err(AttachError::Poisoned);
    }
    if attached != 0 && !registry.concurrent_allocation() {
        return Err(AttachError::ConcurrentAllocationOff);
    }
    if attached >= threads_max {
        return Err(AttachError::TooManyThreads { threads_max });
    }
    let data = local.data_mut();
    data.internal = owner == Owner::Heap;
    inner.prepare_local(data);
    let local = registry.attach(local);
    drop(registry);
    roll::enter(core::ptr::from_ref(&**inner).addr(), &local);
    Ok(LocalHeap::new(Arc::clone(inner), local))
}
