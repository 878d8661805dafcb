//! P14, the write barrier and the remembered set: no edge from an old to a young object is missed by the next minor
//! collection.
//!
//! Goal: a young object that only an old one holds survives every minor collection, whatever kind of slot leads to
//! it, and whenever the collection comes; a slot that leads to a young object no more is forgotten. Method: the
//! shipping heap. A store races with a collection; the young object is held by nothing else, its contents are
//! compared, and the verifier recomputes the remembered set from scratch.

use super::publication::heap_with_host;
use super::worlds::{self, assert_sound, is_seven, new_seven, race, run};
use core::ptr::NonNull;
use heaplab::object::Root;
use heaplab::sync::{Arc, thread};
use heaplab::thread::Slot;
use heaplab::{
    AllocationOrigin, AllocationType, Array, CollectionKind, Heap, LocalHeap, Map, Persistent, Record, Scope, Shape,
    Tagged, Tail,
};
use heaplab_checker::model::Spec;
use heaplab_checker::models;
use heaplab_common::claim_eq;

models! {
    "barrier":
    store_vs_minor_collection: Spec::bounded(2, 3),
    store_field_vs_minor_collection: Spec::bounded(2, 3),
    store_map_slot_vs_minor_collection: Spec::bounded(2, 3),
    store_into_large_vs_minor_collection: Spec::bounded(2, 3),
    store_and_clear_vs_minor_collection: Spec::bounded(2, 3),
    store_vs_major_collection: Spec::bounded(2, 3),
    store_vs_store: Spec::bounded(2, 3),
    store_vs_store_vs_minor_collection: Spec::bounded(3, 3),
}

/// One thread stores a young array into a slot of the host while another collects; the array is whole afterwards, and
/// after one minor collection more. Nobody else collects.
fn store_vs_collection<T: 'static>(
    kind: CollectionKind,
    heap: &Heap,
    host: &Arc<Persistent<T>>,
    store: fn(&mut Scope<'_, '_>, &Persistent<T>),
    is_stored: fn(&mut Scope<'_, '_>, &Persistent<T>) -> bool,
) {
    let (there, its_host) = (heap.clone(), host.clone());
    race(
        || heap.collect(kind).unwrap(),
        move || {
            run(&there, |scope| {
                scope.nested(|scope| store(scope, &its_host));
                scope.poll();
                assert!(is_stored(scope, &its_host), "what was stored is there after a poll");
            });
        },
    );
    assert_sound(heap);
    heap.collect(CollectionKind::Minor).unwrap();
    assert!(run(heap, |scope| is_stored(scope, host)), "held by the old object alone");
    assert_sound(heap);
    let mut collections = [1, 0, 0];
    collections[kind as usize] += 1;
    let statistics = heap.statistics().unwrap();
    claim_eq!((statistics.requests, statistics.collections), (0, collections), "the count of requests and collections");
}

fn store_element(scope: &mut Scope<'_, '_>, host: &Persistent<Array>) {
    let host = scope.open(host).unwrap();
    let array = new_seven(scope);
    scope.store(scope.get(host), 0, scope.get(array).into());
}

fn is_element_stored(scope: &mut Scope<'_, '_>, host: &Persistent<Array>) -> bool {
    let host = scope.open(host).unwrap();
    is_seven(scope, scope.load(scope.get(host), 0))
}

/// An element of an old array: the young array that was stored is found after the collection, and after the next one.
fn store_vs_minor_collection() {
    let (heap, host) = heap_with_host();
    store_vs_collection(CollectionKind::Minor, &heap, &host, store_element, is_element_stored);
}

/// A major collection forgets the whole remembered set, since it promotes every young object. What was stored before it
/// is old then, and what was stored after it is remembered.
fn store_vs_major_collection() {
    let (heap, host) = heap_with_host();
    store_vs_collection(CollectionKind::Major, &heap, &host, store_element, is_element_stored);
}

/// A field of an old record: what was stored in it is found.
fn store_field_vs_minor_collection() {
    let heap = Heap::new(worlds::config(1, 2)).expect("a small world");
    let host: Arc<Persistent<Record>> = Arc::new(run(&heap, |scope| {
        let map = scope.new_map(Shape::new(16, 2, 1, Tail::None).expect("a shape")).expect("an empty heap has room");
        let host = scope.new_record_in(map, 0, AllocationType::Old).expect("an empty heap has room");
        scope.persist(host)
    }));
    store_vs_collection(
        CollectionKind::Minor,
        &heap,
        &host,
        |scope, host| {
            let host = scope.open(host).unwrap();
            let array = new_seven(scope);
            scope.store_field(scope.get(host), 0, scope.get(array).into());
        },
        |scope, host| {
            let host = scope.open(host).unwrap();
            is_seven(scope, scope.load_field(scope.get(host), 0))
        },
    );
}

/// A slot of a map, which is old from birth and never moves: what was stored in it is found.
fn store_map_slot_vs_minor_collection() {
    let heap = Heap::new(worlds::config(1, 2)).expect("a small world");
    let host: Arc<Persistent<Map>> = Arc::new(run(&heap, |scope| {
        let map = scope.new_map(Shape::new(16, 2, 1, Tail::None).expect("a shape")).expect("an empty heap has room");
        scope.persist(map)
    }));
    store_vs_collection(
        CollectionKind::Minor,
        &heap,
        &host,
        |scope, host| {
            let host = scope.open(host).unwrap();
            let array = new_seven(scope);
            scope.store_map_slot(scope.get(host), 0, scope.get(array).into());
        },
        |scope, host| {
            let host = scope.open(host).unwrap();
            is_seven(scope, scope.load_map_slot(scope.get(host), 0))
        },
    );
}

/// The last element of a large array: what was stored in it is found.
fn store_into_large_vs_minor_collection() {
    let heap = Heap::new(worlds::config(1, 2)).expect("a small world");
    let host: Arc<Persistent<Array>> = Arc::new(run(&heap, |scope| {
        let host = scope.new_array_in(20, AllocationType::Old).expect("an empty heap has room");
        scope.persist(host)
    }));
    store_vs_collection(
        CollectionKind::Minor,
        &heap,
        &host,
        |scope, host| {
            let host = scope.open(host).unwrap();
            let array = new_seven(scope);
            scope.store(scope.get(host), 19, scope.get(array).into());
        },
        |scope, host| {
            let host = scope.open(host).unwrap();
            is_seven(scope, scope.load(scope.get(host), 19))
        },
    );
}

/// The edge is gone again before, during or after the collection: the slot may be remembered still, and must do no
/// harm.
fn store_and_clear_vs_minor_collection() {
    let (heap, host) = heap_with_host();
    store_vs_collection(
        CollectionKind::Minor,
        &heap,
        &host,
        |scope, host| {
            store_element(scope, host);
            scope.poll();
            let (host, zero) = (scope.open(host).unwrap(), scope.small(0).unwrap());
            scope.store(scope.get(host), 0, scope.get(zero));
        },
        |scope, host| !is_element_stored(scope, host),
    );
}

/// Elements of the young arrays: an even number, since the raw API takes whole granules.
const YOUNG_LEN: usize = 2;

/// Allocates, formats and roots an array of `len` elements, each the small integer 0.
fn new_raw_array(local: &LocalHeap, ty: AllocationType, len: usize) -> NonNull<Slot> {
    // SAFETY: running, and no reference is held. R-3: the array is written and rooted at once.
    unsafe {
        let at = local.allocate_raw(8 + 4 * len, ty, AllocationOrigin::Runtime, 8).expect("an empty heap has room");
        local.view().write(at, Root::FixedArrayMap.tagged().bits());
        local.view().write(at.word(1), (len as u32) << 1);
        local.push_handle(Tagged::reference(at))
    }
}

/// What a handle holds.
///
/// # Safety
/// Its local heap runs on this thread, or nobody else has the heap.
unsafe fn held(slot: NonNull<Slot>) -> Tagged {
    // SAFETY: the caller's contract; slots live as long as their local heap.
    Tagged::from_bits(unsafe { slot.as_ref().with(|bits| *bits) })
}

/// A running thread with handles to the host and to a young array of its own.
struct Writer {
    local: LocalHeap,
    host: NonNull<Slot>,
    young: NonNull<Slot>,
}

// SAFETY: the slots are the local heap's, which may be moved while nobody uses it.
unsafe impl Send for Writer {}

impl Writer {
    /// Stores its young array into element `index` of the host and lets its own handles go; then it is parked.
    fn store(self, index: usize) -> LocalHeap {
        // SAFETY: running until parked; what is read from the handles is not held over the poll.
        unsafe {
            self.local.poll();
            let (host, young) = (held(self.host).target(), held(self.young));
            self.local.store_slot(host, host.word(2 + index), young);
            self.young.as_ref().with_mut(|bits| *bits = 0);
            self.local.park();
        }
        self.local
    }
}

/// Two threads store a young array each into an old array of two elements, whose slots lie under one word of remembered
/// bits. The first one begins with `before`, when both are running.
fn store_vs_store_with<R>(before: impl FnOnce(&Heap) -> R) -> R {
    let heap = Heap::new(worlds::config(1, 2)).expect("a small world");
    let locals = [(); 2].map(|()| {
        let local = heap.attach_raw().expect("a place for both");
        // SAFETY: R-1: one thread at a time has it.
        unsafe { local.unpark() };
        local
    });
    let host = new_raw_array(&locals[0], AllocationType::Old, 2);
    let [first, second] = locals.map(|local| {
        // SAFETY: nobody collects yet.
        let word = unsafe { held(host) };
        // SAFETY: R-1: running.
        let host = unsafe { local.push_handle(word) };
        Writer { young: new_raw_array(&local, AllocationType::Young, YOUNG_LEN), host, local }
    });
    let kept = first.host;
    let ((here, begun), there) = race(
        || {
            let begun = before(&heap);
            (first.store(0), begun)
        },
        move || second.store(1),
    );
    assert_sound(&heap);
    heap.collect(CollectionKind::Minor).unwrap();
    // SAFETY: R-1: this thread has the local heap, and nobody else runs.
    unsafe {
        here.unpark();
        let host = held(kept).target();
        for index in 0..2 {
            let young = here.load_slot(host.word(2 + index));
            claim_eq!(here.map_of(young.target()), Root::FixedArrayMap.offset(), "the map of element {index}");
            let length = here.view().read(young.target().word(1)) >> 1;
            claim_eq!(length as usize, YOUNG_LEN, "the length of element {index}");
        }
        here.park();
    }
    assert_sound(&heap);
    drop((here, there));
    begun
}

/// Of two stores under one word of remembered bits neither bit is lost: the minor collection after both finds both
/// arrays.
fn store_vs_store() {
    store_vs_store_with(|_| ());
}

/// Two stores under one word of remembered bits against a collection, which forgets and remembers slots of that word
/// as well: both arrays are found by the next collection.
fn store_vs_store_vs_minor_collection() {
    store_vs_store_with(|heap| {
        let heap = heap.clone();
        thread::spawn(move || heap.collect(CollectionKind::Minor).unwrap())
    })
    .join()
    .unwrap();
}
