//! Small worlds: configurations and helpers that the models share.
//!
//! A model pays for each modelled word, cell and atomic in every execution, so its world has the pages that its race
//! needs and no more. Pages have 128 bytes, LABs 48: a page is no multiple of a LAB, so that tails occur.

use core::fmt::Debug;
use core::ptr::NonNull;
use heaplab::heap::RawLocalHeap;
use heaplab::memory::PageSource;
use heaplab::object::{Root, Tagged, View};
use heaplab::page::PageKind;
use heaplab::space::{Budget, LargeSpace, Spaces};
use heaplab::sync::{Arc, AtomicU32, Ordering, thread};
use heaplab::thread::Slot;
use heaplab::words::{AttemptError, Layout, Limit, Offset, PageIndex};
use heaplab::{
    AllocError, AllocationOrigin, AllocationType, Array, BuildError, Handle, Heap, HeapConfig, LocalHeap, Ref, Scope,
    Value,
};
use heaplab_common::claim_eq;

/// Why the explorer bounds a model in which two threads may each run the whole retry ladder.
pub(crate) const TWO_LADDERS: &str =
    "two threads run the whole ladder: millions of execution graphs, by the estimate, and hours";

/// Bytes of a page in every world.
pub(crate) const PAGE: usize = 128;
/// Pages of the built-in objects.
pub(crate) const ROOTS: usize = 2;

/// The configuration of a heap of `new` pages of new space and `others` pages for everything else, for two threads.
/// Soft and hard limit are the same, and nothing stays pooled.
#[must_use]
pub fn config(new: usize, others: usize) -> HeapConfig {
    let bytes = (ROOTS + new + others) * PAGE;
    let mut config = HeapConfig::tiny();
    config.soft_limit_bytes = bytes;
    config.hard_limit_bytes = bytes;
    config.hard_limit_bytes_max = bytes;
    config.new_space_bytes = new * PAGE;
    config.pool_bytes_max = 0;
    config.threads_max = 2;
    config.pages_per_thread_min = 1;
    config.handle_block_slots = 2;
    config.page_set_bits = 64;
    config
}

/// The layout of [`config`], with a large-object area of `large` pages.
pub(crate) fn layout(new: usize, others: usize, large: usize) -> Layout {
    heaplab::heap::layout_with_large_pages(&config(new, others), large).expect("the world is well-formed")
}

/// The spaces of a layout, over memory of the build's own kind.
pub(crate) fn spaces(layout: &Layout) -> Arc<Spaces> {
    Arc::new(Spaces::new(layout, PageSource::for_page_bytes(PAGE), 64).expect("a small world has memory"))
}

/// The spaces of a layout where the memory source may refuse: `None` if it refuses their first pages.
pub(crate) fn spaces_unless_refused(layout: &Layout) -> Option<Arc<Spaces>> {
    Spaces::new(layout, PageSource::for_page_bytes(PAGE), 64).ok().map(Arc::new)
}

/// A heap where the memory source may refuse: `None` if it refuses the first pages, which is an error value.
pub(crate) fn heap_unless_refused(config: HeapConfig) -> Option<Heap> {
    match Heap::new(config) {
        Ok(heap) => Some(heap),
        Err(BuildError::Memory(_)) => None,
        Err(error) => panic!("the world is well-formed: {error}"),
    }
}

/// Runs `f` on a local heap of this thread.
///
/// # Panics
/// If there is no place for the thread, or the heap is poisoned.
pub fn run<R>(heap: &Heap, f: impl for<'s> FnOnce(&mut Scope<'s, 'static>) -> R) -> R {
    heap.attach().expect("a place for every thread").run(f).expect("a sound heap")
}

/// Asserts that the verifier finds nothing.
pub(crate) fn assert_sound(heap: &Heap) {
    let verification = heap.verify().expect("a sound heap");
    assert!(verification.is_sound(), "{}", verification.describe());
}

/// A thread that asks for one stop, at any point of the others, and does nothing in it that a model could notice.
pub(crate) fn extra_stop(heap: &Heap) -> thread::JoinHandle<()> {
    let heap = heap.clone();
    thread::spawn(move || {
        heap.statistics().expect("a sound heap");
    })
}

/// A young array whose element is 7, written after the array was made.
pub(crate) fn new_seven<'s>(scope: &mut Scope<'s, '_>) -> Handle<'s, Array> {
    let array = scope.new_array(1).expect("an empty heap has room");
    let seven = scope.small(7).expect("a small integer");
    scope.store(scope.get(array), 0, scope.get(seven));
    array
}

/// Whether the value is the array of [`new_seven`]. Asserts that the array is whole, and that any other value is the
/// small integer 0, which a slot holds before.
pub(crate) fn is_seven(scope: &Scope<'_, '_>, value: Ref<'_, Value>) -> bool {
    let Some(array) = scope.downcast::<Array>(value) else {
        claim_eq!(value.as_small(), Some(0), "what is no array");
        return false;
    };
    claim_eq!(scope.len(array), 1, "the length of the array");
    claim_eq!(scope.load(array, 0).as_small(), Some(7), "the element of the array");
    true
}

/// Races two local heaps that are attached and running when the race begins, and parked, not detached, when it ends.
/// So attaching and detaching are no part of the race, and the objects that they hold by handles stay alive until the
/// result is dropped.
pub(crate) fn race_running<A, B: Send + 'static>(
    heap: &Heap,
    first: impl FnOnce(RawLocalHeap) -> A,
    second: impl FnOnce(RawLocalHeap) -> B + Send + 'static,
) -> (A, B, [LocalHeap; 2]) {
    let attach = || {
        let local = heap.attach_raw().expect("a place for both");
        // SAFETY: R-1: one thread at a time has it.
        unsafe { local.unpark() };
        local
    };
    let (here, there) = (attach(), attach());
    let ((a, here), (b, there)) = race(
        move || {
            let result = first(here.raw());
            // SAFETY: R-1: running until here.
            unsafe { here.park() };
            (result, here)
        },
        move || {
            let result = second(there.raw());
            // SAFETY: as above.
            unsafe { there.park() };
            (result, there)
        },
    );
    (a, b, [here, there])
}

/// Allocates, formats and roots an object of `bytes` bytes in the raw way. May collect.
pub(crate) fn allocate_rooted(
    local: RawLocalHeap,
    ty: AllocationType,
    bytes: usize,
) -> Result<NonNull<Slot>, AllocError> {
    // SAFETY: the model's thread has this local heap running, and holds no reference. R-3: the object is
    // written and rooted at once.
    unsafe {
        let at = local.allocate_raw(bytes, ty, AllocationOrigin::Runtime, 8)?;
        write_object(local.view(), at, bytes);
        Ok(local.push_handle(Tagged::reference(at)))
    }
}

/// Runs `second` on a thread of its own and `first` here, and returns both results.
pub(crate) fn race<A, B: Send + 'static>(
    first: impl FnOnce() -> A,
    second: impl FnOnce() -> B + Send + 'static,
) -> (A, B) {
    let other = thread::spawn(second);
    let here = first();
    (here, other.join().expect("a model's thread does not panic"))
}

/// Asserts that exactly one of the two was served, and returns its result and the other one's error.
pub(crate) fn one_of<T: Debug, E: Debug>(a: Result<T, E>, b: Result<T, E>) -> (T, E) {
    match (a, b) {
        (Ok(served), Err(refused)) | (Err(refused), Ok(served)) => (served, refused),
        both => panic!("one is served, the other refused: {both:?}"),
    }
}

/// A flag by which one thread says that something is over, and another asks. Saying and asking give no order, as time
/// gives none. But they are operations of the model, so the checker tries the question before and after the
/// statement; and they are RMWs, so no answer is stale.
pub(crate) struct Milestone(AtomicU32);

impl Milestone {
    pub(crate) fn new() -> Arc<Milestone> {
        Arc::new(Milestone(AtomicU32::new(0)))
    }

    pub(crate) fn reach(&self) {
        self.0.fetch_or(1, Ordering::Relaxed);
    }

    pub(crate) fn is_reached(&self) -> bool {
        self.0.fetch_or(0, Ordering::Relaxed) != 0
    }
}

/// Reserves pages in a model without stops.
pub(crate) fn try_reserve(budget: &Budget, pages: usize, limit: Limit) -> bool {
    // SAFETY: S-4: nobody changes the limits.
    unsafe { budget.try_reserve(pages, limit) }
}

/// Takes an empty page in a model without stops. The page is the caller's.
pub(crate) fn take_page(spaces: &Spaces, kind: PageKind, limit: Limit) -> Result<PageIndex, AttemptError> {
    // SAFETY: S-4: no thread of these models does what a stop does.
    unsafe { spaces.take_page(kind, limit) }
}

/// Takes a run in a model without stops. The run is the caller's.
pub(crate) fn take_run(spaces: &Spaces, bytes: usize, limit: Limit) -> Result<Offset, AttemptError> {
    // SAFETY: S-4, as for a page.
    unsafe { LargeSpace::take_run(spaces, bytes, limit) }
}

/// Writes a byte array of `bytes` bytes, header included, without its contents.
///
/// # Safety
/// The range is the caller's and not published.
pub(crate) unsafe fn write_object(view: View<'_>, at: Offset, bytes: usize) {
    view.write(at, Root::ByteArrayMap.tagged().bits());
    view.write(at.word(1), ((bytes - 8) as u32) << 1);
}

/// What a walk found in a page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Walked {
    /// Starts and bytes of byte arrays.
    pub(crate) objects: Vec<(usize, usize)>,
    /// Starts and bytes of free blocks.
    pub(crate) holes: Vec<(usize, usize)>,
    /// Bytes of fillers.
    pub(crate) filler_bytes: usize,
}

/// Walks `page` from its start to `end`, which it must hit exactly.
///
/// # Safety
/// Nobody else touches the page.
pub(crate) unsafe fn walk(spaces: &Spaces, page: PageIndex, end: Offset) -> Walked {
    // SAFETY: the caller's contract.
    let view = unsafe { spaces.view() };
    let mut walked = Walked::default();
    let mut at = spaces.layout().page_start(page);
    while at < end {
        let bytes = view.size_bytes(at);
        let header = view.read(at);
        if header == Root::ByteArrayMap.tagged().bits() {
            walked.objects.push((at.bytes(), bytes));
        } else if header == Root::FreeBlockMap.tagged().bits() {
            walked.holes.push((at.bytes(), bytes));
        } else {
            assert_eq!(header, Root::FillerMap.tagged().bits(), "{at:?} is neither object, hole nor filler");
            walked.filler_bytes += bytes;
        }
        at = at.plus(bytes);
    }
    assert_eq!(at, end, "the last object reaches over the end");
    walked
}

/// Pages of this kind.
///
/// # Safety
/// Nobody else labels pages.
pub(crate) unsafe fn pages_of(spaces: &Spaces, kind: PageKind) -> Vec<PageIndex> {
    // SAFETY: the caller's contract.
    let is = |page: &PageIndex| unsafe { spaces.pages.kind(*page) } == kind;
    (0..spaces.layout().pages()).map(PageIndex::new).filter(is).collect()
}
