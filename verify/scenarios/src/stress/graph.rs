//! A worker's graph in the heap: making its objects, walking them, comparing them with the shadow.

use super::contents::{PIECE_BYTES, pieces, small_of};
use super::parcel::{bytes_hold, code_holds, new_bytes_of, new_code_of};
use super::shadow::{Node, NodeId, NodeKind, Shadow, Word, shape};
use heaplab::{AllocError, AllocationType, Array, Bytes, Code, Handle, Map, Record, Ref, Scope, Tail, Value};
use heaplab_common::Dice;

fn small<'a>(value: i32) -> Ref<'a, Value> {
    Ref::small(value).expect("30 bits are a small integer")
}

/// Allocates the object of `node`, with everything in it but edges to other nodes. `map` is the map of a record.
pub(super) fn create<'s, 'o: 's>(
    scope: &mut Scope<'s, 'o>,
    node: &Node,
    map: Option<Handle<'s, Map>>,
    ty: AllocationType,
) -> Result<Handle<'s, Value>, AllocError> {
    let seed = node.seed;
    let object: Handle<'s, Value> = match node.kind {
        NodeKind::Array { len } => scope.new_array_in(len, ty)?.any(),
        NodeKind::Bytes { len } => new_bytes_of(scope, seed, len, ty)?.any(),
        NodeKind::Code { len } => new_code_of(scope, seed, len)?.any(),
        NodeKind::Map { shape: index } => scope.new_map(shape(index))?.any(),
        NodeKind::Record { shape: index, len, .. } => {
            let record = scope.new_record_in(map.expect("a record has a map"), len, ty)?;
            let (at, shape) = (scope.get(record), shape(index));
            (0..raw_words(index)).for_each(|i| scope.store_raw(at, i, small_of(!seed, i) as u32));
            if shape.tail() == Tail::Bytes {
                pieces(seed, len, |start, piece| {
                    scope.write_tail(at, start, piece);
                    true
                });
            }
            record.any()
        }
    };
    let at = scope.get(object);
    if let (NodeKind::Array { len }, Some(array)) = (node.kind, scope.downcast::<Array>(at)) {
        (0..len).for_each(|index| scope.store(array, index, small(small_of(seed, index))));
    } else {
        (0..node.slots_count()).for_each(|index| store(scope, node, at, index, small(small_of(seed, index))));
    }
    Ok(object)
}

fn raw_words(index: usize) -> usize {
    shape(index).fixed_words() - 1 - shape(index).tagged_words()
}

fn typed<'a, T: heaplab::heap::HeapType>(scope: &'a Scope<'_, '_>, object: Ref<'a, Value>) -> Ref<'a, T> {
    scope.downcast(object).expect("the object was checked to be of the node's kind")
}

/// Stores slot `index` of a node's object.
pub(super) fn store(scope: &Scope<'_, '_>, node: &Node, object: Ref<'_, Value>, index: usize, value: Ref<'_, Value>) {
    match node.kind {
        NodeKind::Array { .. } => scope.store(typed::<Array>(scope, object), index, value),
        NodeKind::Map { .. } => scope.store_map_slot(typed::<Map>(scope, object), index, value),
        NodeKind::Record { shape: of, .. } => {
            let record = typed::<Record>(scope, object);
            let shape = shape(of);
            match shape.tail() {
                Tail::None => scope.store_field(record, index, value),
                Tail::Bytes | Tail::Tagged if index + 1 < shape.tagged_words() => {
                    scope.store_field(record, index + 1, value);
                }
                Tail::Bytes | Tail::Tagged => scope.store_element(record, index + 1 - shape.tagged_words(), value),
            }
        }
        NodeKind::Bytes { .. } | NodeKind::Code { .. } => unreachable!("bytes have no slots"),
    }
}

/// Loads slot `index` of a node's object.
pub(super) fn load<'a>(scope: &'a Scope<'_, '_>, node: &Node, object: Ref<'a, Value>, index: usize) -> Ref<'a, Value> {
    match node.kind {
        NodeKind::Array { .. } => scope.load(typed::<Array>(scope, object), index),
        NodeKind::Map { .. } => scope.load_map_slot(typed::<Map>(scope, object), index),
        NodeKind::Record { shape: of, .. } => {
            let record = typed::<Record>(scope, object);
            let shape = shape(of);
            match shape.tail() {
                Tail::None => scope.load_field(record, index),
                Tail::Bytes | Tail::Tagged if index + 1 < shape.tagged_words() => scope.load_field(record, index + 1),
                Tail::Bytes | Tail::Tagged => scope.load_element(record, index + 1 - shape.tagged_words()),
            }
        }
        NodeKind::Bytes { .. } | NodeKind::Code { .. } => unreachable!("bytes have no slots"),
    }
}

/// The heap's value for a word that is no node.
pub(super) fn plain<'a>(scope: &'a Scope<'_, '_>, word: Word) -> Option<Ref<'a, Value>> {
    match word {
        Word::Small(value) => Some(small(value)),
        Word::True => Some(scope.boolean(true)),
        Word::Undefined => Some(scope.undefined()),
        Word::Node(_) => None,
    }
}

/// How much of an object to compare.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Extent {
    /// Of arrays and byte arrays the first slots or bytes, and every edge: enough to tell whether it is the right
    /// object. Of other objects everything.
    Start,
    /// Everything.
    All,
}

impl Extent {
    fn of(self, count: usize) -> usize {
        match self {
            Extent::Start => count.min(PIECE_BYTES),
            Extent::All => count,
        }
    }
}

/// Compares one object with its node: type, shape, length, contents, and every slot that is no edge to a node.
pub(super) fn check(scope: &Scope<'_, '_>, node: &Node, object: Ref<'_, Value>, extent: Extent) -> Result<(), String> {
    let seed = node.seed;
    let holds = match node.kind {
        NodeKind::Array { len } => scope.downcast::<Array>(object).is_some_and(|array| {
            // Slots that may be edges are compared below.
            let mut rest = node.edges().len()..extent.of(len);
            scope.len(array) == len && rest.all(|index| scope.load(array, index) == small(small_of(seed, index)))
        }),
        NodeKind::Bytes { len } => scope
            .downcast::<Bytes>(object)
            .is_some_and(|bytes| scope.bytes_len(bytes) == len && bytes_hold(scope, bytes, seed, extent.of(len))),
        NodeKind::Code { len } => scope
            .downcast::<Code>(object)
            .is_some_and(|code| scope.code_len(code) == len && code_holds(scope, code, seed, len)),
        NodeKind::Map { shape: index } => {
            scope.downcast::<Map>(object).is_some_and(|map| scope.shape_of(map) == shape(index))
        }
        NodeKind::Record { shape: index, len, .. } => {
            scope.downcast::<Record>(object).is_some_and(|record| record_holds(scope, record, seed, index, len))
        }
    };
    if !holds {
        return Err(format!("{:?} at {object:?} is not what was written: {node:?}", scope.map(object)));
    }
    let edges = node.edges();
    let count = if matches!(node.kind, NodeKind::Array { .. }) { edges.len() } else { node.slots_count() };
    for index in 0..count {
        let expected = edges.get(index).copied().unwrap_or_else(|| Word::Small(small_of(seed, index)));
        let found = load(scope, node, object, index);
        let holds = match plain(scope, expected) {
            Some(expected) => found == expected,
            None => found.as_small().is_none(),
        };
        if !holds {
            return Err(format!("slot {index} of {object:?} holds {found:?}, not {expected:?}: {node:?}"));
        }
    }
    Ok(())
}

fn record_holds(scope: &Scope<'_, '_>, record: Ref<'_, Record>, seed: u32, index: usize, len: usize) -> bool {
    let shape = shape(index);
    scope.map(record.into()).is_some_and(|map| scope.shape_of(map) == shape)
        && scope.tail_len(record) == len
        && (0..raw_words(index)).all(|i| scope.load_raw(record, i) == small_of(!seed, i) as u32)
        && (shape.tail() != Tail::Bytes
            || pieces(seed, len, |start, piece| {
                let mut read = [0; PIECE_BYTES];
                scope.read_tail(record, start, &mut read[..piece.len()]);
                read[..piece.len()] == *piece
            }))
}

/// Walks at random from a random root, checking each object on the way. `None` if the root leads to no node.
pub(super) fn wander<'a>(
    scope: &'a Scope<'_, '_>,
    shadow: &Shadow,
    roots: Ref<'a, Array>,
    dice: &mut Dice,
) -> Result<Option<(NodeId, Ref<'a, Value>)>, String> {
    let start = dice.below(shadow.roots.len());
    let Word::Node(mut id) = shadow.roots[start] else { return Ok(None) };
    let mut object = scope.load(roots, start);
    let steps = if dice.one_in(16) { 100 } else { 6 };
    for _ in 0..dice.below(steps) {
        let node = shadow.node(id);
        check(scope, node, object, Extent::Start)?;
        if node.edges().is_empty() {
            break;
        }
        let index = dice.below(node.edges().len());
        let Word::Node(next) = node.edges()[index] else { break };
        object = load(scope, node, object, index);
        id = next;
    }
    check(scope, shadow.node(id), object, Extent::Start)?;
    Ok(Some((id, object)))
}

/// Compares the whole graph with the shadow: each object, each edge, and that each node is one object and each object
/// one node. Returns how many objects there are.
pub(super) fn check_all(scope: &Scope<'_, '_>, shadow: &Shadow, roots: Ref<'_, Array>) -> Result<u64, String> {
    let mut tour = Tour { scope, seen: vec![None; shadow.ids_end()], met: Vec::new() };
    for (index, &word) in shadow.roots.iter().enumerate() {
        tour.meet(word, scope.load(roots, index)).map_err(|text| format!("root {index} {text}"))?;
    }
    let mut next = 0;
    while next < tour.met.len() {
        let (id, object) = tour.met[next];
        next += 1;
        let node = shadow.node(id);
        check(scope, node, object, Extent::All)?;
        for (index, &word) in node.edges().iter().enumerate() {
            tour.meet(word, load(scope, node, object, index))
                .map_err(|text| format!("edge {index} of {id:?} {text}: {node:?}"))?;
        }
        if let NodeKind::Record { map, .. } = node.kind {
            let found = scope.map(object).expect("a record has a map");
            tour.meet(Word::Node(map), found.into()).map_err(|text| format!("the map of {id:?} {text}: {node:?}"))?;
        }
    }
    let mut addresses: Vec<u32> = tour.met.iter().map(|(_, object)| object.tagged().bits()).collect();
    addresses.sort_unstable();
    match addresses.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("two nodes are one object, {:#x}", pair[0])),
        None => Ok(addresses.len() as u64),
    }
}

/// A walk over the whole graph.
struct Tour<'a, 's, 'o: 's> {
    scope: &'a Scope<'s, 'o>,
    /// Where each node was met.
    seen: Vec<Option<Ref<'a, Value>>>,
    met: Vec<(NodeId, Ref<'a, Value>)>,
}

impl<'a> Tour<'a, '_, '_> {
    /// Compares `found`, which a slot holds, with the `word` that it must hold, and adds a node that is met for the
    /// first time.
    fn meet(&mut self, word: Word, found: Ref<'a, Value>) -> Result<(), String> {
        let Word::Node(id) = word else {
            let holds = plain(self.scope, word).is_some_and(|expected| expected == found);
            return if holds { Ok(()) } else { Err(format!("holds {found:?}, not {word:?}")) };
        };
        match self.seen[id.0 as usize] {
            None => {
                self.seen[id.0 as usize] = Some(found);
                self.met.push((id, found));
                Ok(())
            }
            Some(known) if known == found => Ok(()),
            Some(known) => Err(format!("leads to {found:?}, but {id:?} is at {known:?}")),
        }
    }
}
