//! This heap's contestants.

use super::{Contestant, OBJECT_BYTES, Trees, binary_trees as run_trees, together};
use heaplab::{
    AllocError, AllocationOrigin, AllocationType, Array, Attachment, Handle, Heap, HeapConfig, LocalHeap, Record,
    RecordType, Ref, Scope, Shape, Tagged, Tail,
};
use std::hint::black_box;

/// Young objects through the raw API.
pub const ALLOC32_RAW: &str = "heaplab, raw";

/// Young objects through the safe API.
pub const ALLOC32_SAFE: &str = "heaplab, safe";

/// Trees through the safe API.
pub const BINARY_TREES: &str = "heaplab";

/// One thread allocates.
pub const ALLOC_THREADS_1: &str = "heaplab, 1 thread";

/// Two threads allocate from one heap.
pub const ALLOC_THREADS_2: &str = "heaplab, 2 threads";

/// The first kind that an embedder may use.
const KIND: u16 = heaplab::object::kind::FIRST_EMBEDDER;

fn heap(new_space_bytes: usize) -> Heap {
    let mut config = HeapConfig::sized(256 << 20, 4);
    config.new_space_bytes = new_space_bytes;
    Heap::new(config).expect("the configuration is valid and 256 MiB of address space are to be had")
}

/// A shape of exactly [`OBJECT_BYTES`], all but its header tagged.
fn shape32() -> Shape {
    let words = OBJECT_BYTES / heaplab::words::WORD_BYTES;
    Shape::new(KIND, words, words - 1, Tail::None).expect("a valid shape")
}

/// A local heap for the raw API, running while it exists.
struct Running {
    local: LocalHeap,
    map: Tagged,
}

impl Running {
    fn new(heap: &Heap) -> Running {
        let local = heap.attach_raw().expect("a place for a thread");
        // SAFETY: R-1: this thread runs no other local heap; the map is rooted for as long as it is used.
        unsafe {
            local.unpark();
            let map = Tagged::reference(local.allocate_map(shape32()).expect("an empty heap"));
            local.push_handle(map);
            Running { local, map }
        }
    }

    /// Allocates `count` objects, writes their headers and forgets them.
    #[inline(never)]
    fn allocate(&mut self, count: u64) {
        let (local, map) = (self.local.raw(), self.map.bits());
        for _ in 0..count {
            // SAFETY: running; each object is formatted at once and not referred to afterwards.
            unsafe {
                let at = local
                    .allocate_raw(OBJECT_BYTES, AllocationType::Young, AllocationOrigin::Runtime, 8)
                    .expect("garbage is collected");
                local.view().write(at, map);
                black_box(at);
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // SAFETY: R-1: `new` made the local heap run.
        unsafe { self.local.park() };
    }
}

/// Contestants of `alloc32`. New space has 2 MiB, as much as the peers use before they start over.
#[must_use]
pub fn alloc32() -> Vec<Contestant> {
    let mut raw = Running::new(&heap(2 << 20));
    let mut safe = heap(2 << 20).attach().expect("a place for a thread");
    vec![
        Contestant::timed(ALLOC32_RAW, move |count| raw.allocate(count)),
        Contestant::timed(ALLOC32_SAFE, move |count| {
            safe.run(|scope| {
                let map = scope.new_map(shape32()).expect("an empty heap");
                let ty = scope.record_type(map).expect("no tail");
                allocate_safe(scope, ty, count);
            })
            .expect("no other local heap runs");
        }),
    ]
}

#[inline(never)]
fn allocate_safe<'s>(scope: &mut Scope<'s, '_>, ty: RecordType<'s>, count: u64) {
    for _ in 0..count {
        scope.nested(|scope| {
            black_box(scope.new_record_of(ty).expect("garbage is collected"));
        });
    }
}

/// Trees of records with two fields, through handles.
struct HeapTrees<'a, 's, 'o> {
    scope: &'a mut Scope<'s, 'o>,
    ty: RecordType<'s>,
    kept: Handle<'s, Array>,
}

fn build<'s>(scope: &mut Scope<'s, '_>, ty: RecordType<'s>, depth: u32) -> Result<Handle<'s, Record>, AllocError> {
    scope.escape(|scope| {
        if depth == 0 {
            return scope.new_record_of(ty);
        }
        let left = build(scope, ty, depth - 1)?;
        let right = build(scope, ty, depth - 1)?;
        let node = scope.new_record_of(ty)?;
        scope.store_field(scope.get(node), 0, scope.get(left).into());
        scope.store_field(scope.get(node), 1, scope.get(right).into());
        Ok(node)
    })
}

fn count(scope: &Scope<'_, '_>, node: Ref<'_, Record>) -> u64 {
    let field = |index| scope.downcast::<Record>(scope.load_field(node, index));
    1 + field(0).map_or(0, |left| count(scope, left)) + field(1).map_or(0, |right| count(scope, right))
}

impl Trees for HeapTrees<'_, '_, '_> {
    fn build_and_count(&mut self, depth: u32) -> u64 {
        let ty = self.ty;
        self.scope.nested(|scope| {
            let tree = build(scope, ty, depth).expect("the heap is large enough");
            count(scope, scope.get(tree))
        })
    }

    fn keep(&mut self, depth: u32) {
        let (ty, kept) = (self.ty, self.kept);
        self.scope.nested(|scope| {
            let tree = build(scope, ty, depth).expect("the heap is large enough");
            scope.store(scope.get(kept), 0, scope.get(tree).into());
        });
    }

    fn count_kept(&mut self) -> u64 {
        let kept = self.scope.load(self.scope.get(self.kept), 0);
        self.scope.downcast::<Record>(kept).map_or(0, |tree| count(self.scope, tree))
    }

    fn forget_kept(&mut self) {
        let nothing = Ref::small(0).expect("0 is small");
        self.scope.store(self.scope.get(self.kept), 0, nothing);
    }
}

/// Contestants of `binary_trees`.
#[must_use]
pub fn binary_trees() -> Vec<Contestant> {
    let mut attachment: Attachment = heap(8 << 20).attach().expect("a place for a thread");
    vec![Contestant::timed(BINARY_TREES, move |depth| {
        let depth = u32::try_from(depth).expect("a depth is small");
        attachment
            .run(|scope| {
                let shape = Shape::new(KIND, 3, 2, Tail::None).expect("a valid shape");
                let map = scope.new_map(shape).expect("an empty heap");
                let kept = scope.new_array(1).expect("an empty heap");
                let ty = scope.record_type(map).expect("no tail");
                run_trees(&mut HeapTrees { scope, ty, kept }, depth);
            })
            .expect("no other local heap runs");
    })]
}

/// Contestants of `alloc_threads`.
#[must_use]
pub fn alloc_threads() -> Vec<Contestant> {
    let contestant = |name, threads: usize| {
        let heap = heap(8 << 20);
        Contestant::new(name, move |count| {
            together(threads, || Running::new(&heap), |running| running.allocate(count / threads as u64))
        })
    };
    vec![contestant(ALLOC_THREADS_1, 1), contestant(ALLOC_THREADS_2, 2)]
}
