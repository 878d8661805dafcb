//! Collections are linear: over drawn graphs and work lists of any size, each object that is to be looked into is
//! looked into once, and what is live stays as it was.

use heaplab::memory::PageSource;
use heaplab::{AllocationType, Array, CollectionKind, Handle, Heap, HeapConfig, Scope};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::BTreeSet;

/// An array: whether it is young, and which arrays its edges lead to.
type Node = (bool, Vec<Index>);

fn nodes() -> impl Strategy<Value = Vec<Node>> {
    vec((prop::bool::weighted(0.6), vec(any::<Index>(), 0..6)), 1..80)
}

fn heap(worklist_entries: usize) -> Heap {
    let mut config = HeapConfig::sized(256 << 10, 1);
    config.page_bytes = Some(512);
    config.new_space_bytes = 64 << 10;
    config.soft_limit_bytes = 256 << 10;
    config.worklist_entries = worklist_entries;
    config.page_source = PageSource::for_page_bytes(512);
    config.verify_heap = true;
    Heap::new(config).expect("a good configuration")
}

/// The nodes that are reached from `roots` by way of nodes that `follows` admits.
fn reached(
    edges: &[Vec<usize>],
    roots: impl IntoIterator<Item = usize>,
    follows: impl Fn(usize) -> bool,
) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut left: Vec<usize> = roots.into_iter().filter(|&node| follows(node)).collect();
    while let Some(node) = left.pop() {
        if found.insert(node) {
            left.extend(edges[node].iter().copied().filter(|&node| follows(node)));
        }
    }
    found
}

fn work(heap: &Heap) -> heaplab::WorkDone {
    heap.take_collection_trace().unwrap().last().expect("one collection").summary.work
}

/// Makes an array of each node: the first slot has the node's number, the others are its edges.
fn build<'s>(scope: &mut Scope<'s, '_>, young: &[bool], edges: &[Vec<usize>]) -> Vec<Handle<'s, Array>> {
    let handles: Vec<_> = young
        .iter()
        .zip(edges)
        .map(|(&young, edges)| {
            let ty = if young { AllocationType::Young } else { AllocationType::Old };
            scope.new_array_in(edges.len() + 1, ty).unwrap()
        })
        .collect();
    for (node, edges) in edges.iter().enumerate() {
        let number = scope.small(i32::try_from(node).unwrap()).unwrap();
        scope.store(scope.get(handles[node]), 0, scope.get(number));
        for (index, &other) in edges.iter().enumerate() {
            scope.store(scope.get(handles[node]), index + 1, scope.get(handles[other]).into());
        }
    }
    handles
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn each_object_is_looked_into_once(
        nodes in nodes(),
        roots in vec(any::<Index>(), 0..4),
        entries in prop_oneof![3 => Just(1usize), 2 => 2usize..5, 1 => Just(64usize)],
    ) {
        let young: Vec<bool> = nodes.iter().map(|node| node.0).collect();
        let edges: Vec<Vec<usize>> =
            nodes.iter().map(|node| node.1.iter().map(|edge| edge.index(nodes.len())).collect()).collect();
        let roots: Vec<usize> = roots.iter().map(|root| root.index(nodes.len())).collect();
        let heap = heap(entries);
        heap.set_trace_collections(true).unwrap();
        let mut thread = heap.attach().unwrap();
        let kept = thread.run(|scope| scope.nested(|scope| {
            let handles = build(scope, &young, &edges);
            roots.iter().map(|&root| scope.persist(handles[root])).collect::<Vec<_>>()
        })).unwrap();
        // A minor collection starts from young roots and from every old object that was made, dead or alive.
        let old_edges = (0..nodes.len()).filter(|&node| !young[node]).flat_map(|node| edges[node].iter().copied());
        let copied = reached(&edges, roots.iter().copied().chain(old_edges), |node| young[node]).len();
        let live = reached(&edges, roots.iter().copied(), |_| true);
        heap.collect(CollectionKind::Minor).unwrap();
        let done = work(&heap);
        prop_assert_eq!(done.visited, copied, "{:?}", done);
        prop_assert!(done.pages_searched <= done.set_aside && done.set_aside <= done.visited, "{:?}", done);
        for kind in [CollectionKind::Major, CollectionKind::MemoryReducing] {
            heap.collect(kind).unwrap();
            let done = work(&heap);
            prop_assert_eq!(done.visited, live.len(), "{:?}", done);
            prop_assert_eq!(done.roots, roots.len());
            prop_assert!(done.pages_searched <= done.set_aside && done.set_aside <= done.visited, "{:?}", done);
        }
        heap.collect(CollectionKind::Minor).unwrap();
        prop_assert_eq!(work(&heap).visited, 0);
        // What is live is what it was.
        let found = thread.run(|scope| {
            let mut found = BTreeSet::new();
            let mut left: Vec<_> = kept.iter().map(|root| scope.open(root).unwrap()).collect();
            while let Some(array) = left.pop() {
                let node = scope.load(scope.get(array), 0).as_small().expect("the number") as usize;
                if found.insert(node) {
                    for (index, &other) in edges[node].iter().enumerate() {
                        let edge = scope.load(scope.get(array), index + 1);
                        let edge = scope.downcast::<Array>(edge).expect("an array");
                        assert_eq!(scope.load(edge, 0).as_small(), Some(other as i32));
                        left.push(scope.handle(edge));
                    }
                }
            }
            found
        }).unwrap();
        prop_assert_eq!(found, live);
    }
}
