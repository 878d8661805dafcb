//! The shadow: what a worker's object graph must look like.
//!
//! This shadow is not that of programs (`verify/programs`), which is exact: that one knows where each object was, who
//! may have moved it, and when a request may be refused. A worker goes on for hours beside others, with thousands of
//! objects. So this shadow knows no addresses, keeps a few edges of a node and a seed for all the rest of the node's
//! contents, and is compared from time to time.

use super::contents::small_of;
use heaplab::object::{MAP_SLOTS, kind};
use heaplab::{Shape, Tail};
use heaplab_common::Dice;

/// The number of a node of the graph.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct NodeId(pub(super) u32);

/// What a slot must hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Word {
    Small(i32),
    True,
    Undefined,
    Node(NodeId),
}

/// What a node is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NodeKind {
    Array {
        len: usize,
    },
    Bytes {
        len: usize,
    },
    Code {
        len: usize,
    },
    /// A map of the shape with this index.
    Map {
        shape: usize,
    },
    /// An object of the map `map`, whose shape has this index, with a tail of `len` elements.
    Record {
        map: NodeId,
        shape: usize,
        len: usize,
    },
}

/// Shapes of records: words, tagged words, tail.
const SHAPES: [(usize, usize, Tail); 6] = [
    (2, 1, Tail::None),
    (8, 0, Tail::None),
    (6, 3, Tail::None),
    (3, 2, Tail::Tagged),
    (5, 2, Tail::Bytes),
    (2, 1, Tail::Tagged),
];
pub(super) const SHAPES_COUNT: usize = SHAPES.len();

/// The shape with this index.
pub(super) fn shape(index: usize) -> Shape {
    let (words, tagged, tail) = SHAPES[index];
    Shape::new(kind::FIRST_EMBEDDER + index as u16, words, tagged, tail).expect("the table holds valid shapes")
}

/// So many slots of a node may be edges; the other slots hold small integers that follow from the seed.
pub(super) const EDGES_MAX: usize = 8;

/// A node: what it is, and what its first slots hold.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) seed: u32,
    edges: [Word; EDGES_MAX],
    edges_count: u8,
    reached: bool,
}

impl Node {
    pub(super) fn new(kind: NodeKind, seed: u32) -> Node {
        let mut node = Node { kind, seed, edges: [Word::Undefined; EDGES_MAX], edges_count: 0, reached: false };
        let count = node.slots_count().min(EDGES_MAX);
        node.edges_count = count as u8;
        (0..count).for_each(|index| node.edges[index] = Word::Small(small_of(seed, index)));
        node
    }

    /// How many slots may hold anything: elements, map slots, and fields except a length.
    pub(super) fn slots_count(&self) -> usize {
        match self.kind {
            NodeKind::Array { len } => len,
            NodeKind::Bytes { .. } | NodeKind::Code { .. } => 0,
            NodeKind::Map { .. } => MAP_SLOTS,
            NodeKind::Record { shape: index, len, .. } => match shape(index).tail() {
                Tail::None => shape(index).tagged_words(),
                Tail::Bytes => shape(index).tagged_words() - 1,
                Tail::Tagged => shape(index).tagged_words() - 1 + len,
            },
        }
    }

    pub(super) fn edges(&self) -> &[Word] {
        &self.edges[..usize::from(self.edges_count)]
    }

    pub(super) fn set_edge(&mut self, index: usize, word: Word) {
        self.edges[..usize::from(self.edges_count)][index] = word;
    }

    /// Bytes of the object, roughly.
    pub(super) fn bytes(&self) -> usize {
        8 + match self.kind {
            NodeKind::Array { len } => 4 * len,
            NodeKind::Bytes { len } => len,
            NodeKind::Code { len } => len + 56,
            NodeKind::Map { .. } => 24,
            NodeKind::Record { shape: index, len, .. } => 4 * shape(index).fixed_words() + 4 * len,
        }
    }
}

/// The graph of one worker.
#[derive(Debug)]
pub(super) struct Shadow {
    nodes: Vec<Option<Node>>,
    free: Vec<u32>,
    pub(super) roots: Vec<Word>,
    /// Bytes of all nodes, dead ones that were not swept yet included.
    bytes: usize,
    stack: Vec<NodeId>,
}

impl Shadow {
    pub(super) fn new(roots: usize) -> Shadow {
        Shadow { nodes: Vec::new(), free: Vec::new(), roots: vec![Word::Small(0); roots], bytes: 0, stack: Vec::new() }
    }

    pub(super) fn node(&self, id: NodeId) -> &Node {
        self.nodes[id.0 as usize].as_ref().expect("an edge leads to a node")
    }

    pub(super) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        self.nodes[id.0 as usize].as_mut().expect("an edge leads to a node")
    }

    pub(super) fn add(&mut self, node: Node) -> NodeId {
        self.bytes += node.bytes();
        let id = self.free.pop().unwrap_or_else(|| {
            self.nodes.push(None);
            (self.nodes.len() - 1) as u32
        });
        self.nodes[id as usize] = Some(node);
        NodeId(id)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Nodes have ids below this.
    pub(super) fn ids_end(&self) -> usize {
        self.nodes.len()
    }

    /// Drops what no root reaches. Returns how many nodes are left.
    pub(super) fn sweep(&mut self) -> usize {
        let mut stack = std::mem::take(&mut self.stack);
        for index in 0..self.roots.len() {
            self.reach(self.roots[index], &mut stack);
        }
        while let Some(id) = stack.pop() {
            let (kind, edges, count) = {
                let node = self.node(id);
                (node.kind, node.edges, usize::from(node.edges_count))
            };
            edges[..count].iter().for_each(|&word| self.reach(word, &mut stack));
            if let NodeKind::Record { map, .. } = kind {
                self.reach(Word::Node(map), &mut stack);
            }
        }
        self.stack = stack;
        self.bytes = 0;
        let mut left = 0;
        for (index, entry) in self.nodes.iter_mut().enumerate() {
            match entry {
                Some(node) if node.reached => {
                    node.reached = false;
                    self.bytes += node.bytes();
                    left += 1;
                }
                Some(_) => {
                    *entry = None;
                    self.free.push(index as u32);
                }
                None => {}
            }
        }
        left
    }

    fn reach(&mut self, word: Word, stack: &mut Vec<NodeId>) {
        if let Word::Node(id) = word {
            let node = self.node_mut(id);
            if !std::mem::replace(&mut node.reached, true) {
                stack.push(id);
            }
        }
    }
}

/// A kind of node for this heap, maps and records excluded.
pub(super) fn random_plain(dice: &mut Dice, small_bytes: usize, large_bytes: Option<usize>) -> NodeKind {
    let small = dice.below(small_bytes + 1);
    match (dice.below(1000), large_bytes) {
        (0, Some(large)) => NodeKind::Array { len: (large + dice.below(2 * large)) / 4 },
        (1, Some(large)) => NodeKind::Bytes { len: large + dice.below(2 * large) },
        (2..=249, _) => NodeKind::Bytes { len: small },
        (250..=329, _) => NodeKind::Code { len: small },
        (330..=600, _) => NodeKind::Array { len: small / 4 },
        _ => NodeKind::Array { len: 1 + dice.below(4) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sweep keeps cycles that a root reaches, and the maps of records that are kept; it drops cycles that no root
    /// reaches.
    #[test]
    fn sweep_keeps_what_is_reached() {
        let mut shadow = Shadow::new(2);
        let array = |shadow: &mut Shadow| shadow.add(Node::new(NodeKind::Array { len: 2 }, 1));
        let (a, b, c, d) = (array(&mut shadow), array(&mut shadow), array(&mut shadow), array(&mut shadow));
        let map = shadow.add(Node::new(NodeKind::Map { shape: 1 }, 2));
        let record = shadow.add(Node::new(NodeKind::Record { map, shape: 1, len: 0 }, 3));
        for (from, to) in [(a, b), (b, a), (c, d), (d, c)] {
            shadow.node_mut(from).set_edge(0, Word::Node(to));
        }
        shadow.node_mut(b).set_edge(1, Word::Node(record));
        shadow.roots[1] = Word::Node(a);
        assert_eq!(shadow.sweep(), 4);
        assert_eq!(shadow.sweep(), 4);
        shadow.roots[1] = Word::Small(0);
        assert_eq!(shadow.sweep(), 0);
        assert_eq!(shadow.bytes(), 0);
    }
}
