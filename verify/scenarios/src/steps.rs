//! The steps of `alloc_after_failures`, and the scenarios that take them.

use super::doors::{HEADER_BYTES, HandleScenarioDoor, RawScenarioDoor, ScenarioDoor, StepObject, array_bytes};
use super::{Moment, Tally};
use heaplab::{
    AllocError, AllocationType, Attachment, CollectionKind, Handle, Heap, LocalHeap, Reserve, Scope, SpaceKind, Value,
};

/// Bytes of the code object, header included; half a page if that is less.
pub const CODE_BYTES: usize = 1024;
/// Elements of the small arrays; what fits into half a page if that is less.
const SMALL_ELEMENTS: usize = 100;
/// Memory-reducing collections at the start. The second one frees what the first one's evacuation left.
const COLLECTIONS: usize = 2;
/// How often entering the scope is tried, at most. Rivals may take what a collection freed before the reserve is
/// filled.
const ENTRIES_MAX: u64 = 200;

/// Sizes derived from the geometry of a heap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sizes {
    /// Elements of the young and of the old array.
    pub small_elements: usize,
    /// Elements of the large arrays: about 1.2 pages of them.
    pub large_elements: usize,
    /// Bytes of a large array.
    pub large_bytes: usize,
    /// Bytes of the pages that a large array takes.
    pub run_bytes: usize,
    /// Bytes of the code object.
    pub code_bytes: usize,
    /// Twice the large arrays that fit into the greatest heap: more are not allocated.
    pub large_max: usize,
}

impl Sizes {
    /// The sizes for a heap of this geometry.
    #[must_use]
    pub fn of(layout: &heaplab::words::Layout) -> Sizes {
        let large_elements = 3 * (layout.page_bytes() / 10);
        let run_pages = layout.pages_for(array_bytes(large_elements));
        Sizes {
            small_elements: SMALL_ELEMENTS.min((layout.regular_bytes_max() - HEADER_BYTES) / 4),
            large_elements,
            large_bytes: array_bytes(large_elements),
            run_bytes: run_pages * layout.page_bytes(),
            code_bytes: CODE_BYTES.min(layout.regular_bytes_max()),
            large_max: 2 * layout.hard_limit_pages_max() / run_pages,
        }
    }

    /// What the always-allocate scope sets aside.
    #[must_use]
    pub fn reserve(&self) -> Reserve {
        Reserve::one_of_each(self.large_bytes)
    }
}

/// Makes one allocation, and checks SN-1 and SN-2.
fn allocate(door: &mut impl ScenarioDoor, object: StepObject, tally: &mut Tally) {
    let before = door.own();
    tally.allocations += 1;
    if let Err(text) = door.allocate(object) {
        tally.violation(text);
    }
    if let (Some(before), Some(after)) = (before, door.own()) {
        let collections = after.collections_in_scope - before.collections_in_scope;
        let retries = after.retries - before.retries;
        tally.collections_in_scope += collections;
        tally.retries += retries;
        if collections != 0 || retries != 0 {
            tally.violation(format!(
                "{object:?}: {collections} collections requested and {retries} retries, inside the scope"
            ));
        }
    }
}

fn fill(door: &mut impl ScenarioDoor, space: SpaceKind, tally: &mut Tally) {
    if let Err(text) = door.simulate_full_space(space) {
        tally.violation(text);
    }
}

/// What happens inside the always-allocate scope.
fn steps(door: &mut impl ScenarioDoor, sizes: &Sizes, regular_bytes_max: usize, page_bytes: usize, tally: &mut Tally) {
    let small = |ty| StepObject::Array { elements: sizes.small_elements, ty };
    fill(door, SpaceKind::New, tally);
    allocate(door, small(AllocationType::Young), tally);

    fill(door, SpaceKind::Old, tally);
    allocate(door, small(AllocationType::Old), tally);

    if sizes.large_bytes <= regular_bytes_max || sizes.large_bytes <= page_bytes {
        tally.violation(format!("{} bytes are no large object on pages of {page_bytes}", sizes.large_bytes));
    }
    let large = StepObject::Array { elements: sizes.large_elements, ty: AllocationType::Old };
    // A rival may take the memory between the look and the request, up to the hard limit. Then this request found the
    // space full, and the reserve has served it.
    let mut count = 0;
    while door.reserved_runs() != 0 && door.soft_bytes_available() >= sizes.run_bytes && count < sizes.large_max {
        allocate(door, large, tally);
        count += 1;
    }
    tally.large_allocations += count as u64;
    tally.soft_limit_reached = door.soft_bytes_available() < sizes.run_bytes;
    if door.reserved_runs() != 0 {
        allocate(door, large, tally);
    }

    fill(door, SpaceKind::Old, tally);
    fill(door, SpaceKind::Map, tally);
    allocate(door, StepObject::Map, tally);

    fill(door, SpaceKind::Code, tally);
    allocate(door, StepObject::Code { bytes: sizes.code_bytes }, tally);
    tally.picture(Moment::Full, || door.survey());
}

/// Enters the scope by `enter`, again and again until its reserve can be had. Returns whether it could.
fn enter(tally: &mut Tally, mut enter: impl FnMut(&mut Tally) -> Result<(), AllocError>) -> bool {
    loop {
        tally.entries += 1;
        match enter(tally) {
            Ok(()) => return true,
            Err(AllocError::OutOfMemory { .. }) if tally.entries < ENTRIES_MAX => {}
            Err(error) => {
                tally.violation(format!("the scope was refused {} times: {error}", tally.entries));
                return false;
            }
        }
    }
}

/// `alloc_after_failures` through handles, in the scope of the caller. Returns the heap's `true` if everything held,
/// else its `false`. Collects.
///
/// # Panics
/// If the heap is poisoned.
pub fn alloc_after_failures<'s, 'o: 's>(scope: &mut Scope<'s, 'o>, tally: &mut Tally) -> Handle<'s, Value> {
    for _ in 0..COLLECTIONS {
        scope.collect(CollectionKind::MemoryReducing).unwrap();
    }
    let (sizes, layout) = (Sizes::of(scope.layout()), scope.layout().clone());
    enter(tally, |tally| {
        scope.always_allocate(sizes.reserve(), |scope| {
            steps(&mut HandleScenarioDoor { scope }, &sizes, layout.regular_bytes_max(), layout.page_bytes(), tally);
        })
    });
    tally.verified("after the scope", &scope.verify().expect("a sound heap"));
    let result = scope.boolean(tally.violations.is_empty());
    scope.handle(result)
}

/// `alloc_after_failures` through the raw API, on a parked local heap: each object becomes a filler of its own size.
/// Returns whether everything held. Collects.
///
/// The owner's requests are told from others' by the heap's count of requests inside always-allocate scopes: they are
/// the owner's alone as long as nobody else enters such a scope. A first attempt that fails asks for a collection next
/// (the retry ladders say so), so SN-2 implies SN-1 here.
pub fn alloc_after_failures_raw(heap: &Heap, local: &mut LocalHeap, tally: &mut Tally) -> bool {
    let requests = |tally: &mut Tally| match heap.statistics() {
        Ok(statistics) => statistics.requests_in_scope,
        Err(error) => {
            tally.violation(error.to_string());
            0
        }
    };
    let before = requests(tally);
    for _ in 0..COLLECTIONS {
        if let Err(error) = heap.collect(CollectionKind::MemoryReducing) {
            tally.violation(error.to_string());
        }
    }
    let (sizes, layout) = (Sizes::of(heap.layout()), heap.layout());
    enter(tally, |tally| {
        // SAFETY: R-1: this thread has the parked local heap, and runs no other meanwhile. R-2: the steps hold no raw
        // reference over anything that may collect.
        unsafe {
            local.unpark();
            let entered = local.always_allocate(sizes.reserve(), |local| {
                steps(
                    &mut RawScenarioDoor { heap, local },
                    &sizes,
                    layout.regular_bytes_max(),
                    layout.page_bytes(),
                    tally,
                );
            });
            local.park();
            entered
        }
    });
    let asked = requests(tally) - before;
    tally.collections_in_scope += asked;
    if asked != 0 {
        tally.violation(format!("{asked} collections requested inside the scope"));
    }
    match heap.verify() {
        Ok(verification) => tally.verified("after the scope", &verification),
        Err(error) => tally.violation(error.to_string()),
    }
    tally.violations.is_empty()
}

/// `stress_handles`: `alloc_after_failures` under a handle scope, which must return `true`. Returns whether it did.
/// Collects.
///
/// # Panics
/// If the heap is poisoned meanwhile.
pub fn stress_handles(attachment: &mut Attachment, tally: &mut Tally) -> bool {
    let ran = attachment.run(|scope| {
        scope.nested(|scope| {
            let result = alloc_after_failures(scope, tally);
            scope.get(result) == scope.boolean(true)
        })
    });
    match ran {
        Ok(is_true) => {
            if !is_true && tally.violations.is_empty() {
                tally.violation("the scenario did not return true");
            }
            is_true
        }
        Err(error) => {
            tally.violation(error.to_string());
            false
        }
    }
}
