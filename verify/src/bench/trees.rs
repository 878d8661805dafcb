//! The workload `binary_trees`: one long-lived tree among very many short-lived ones of all sizes.

/// How a contestant of `binary_trees` makes and walks trees.
///
/// A tree of depth 0 is one node without children; of depth d + 1, a node with two trees of depth d.
pub trait Trees {
    /// Builds a tree, walks it to count its nodes, and forgets it. Returns the count.
    fn build_and_count(&mut self, depth: u32) -> u64;

    /// Builds a tree and keeps it in place of the one kept before.
    fn keep(&mut self, depth: u32);

    /// Walks the tree that is kept and counts its nodes.
    fn count_kept(&mut self) -> u64;

    /// Forgets the tree that is kept.
    fn forget_kept(&mut self);
}

/// The depth of the smallest trees.
const DEPTH_MIN: u32 = 4;

/// Nodes of one tree.
#[must_use]
pub fn nodes_of_tree(depth: u32) -> u64 {
    (2 << depth) - 1
}

/// Nodes that [`binary_trees`] allocates in all.
#[must_use]
pub fn nodes_of_trees(depth: u32) -> u64 {
    let short_lived = depths(depth).map(|(each, count)| count * nodes_of_tree(each)).sum::<u64>();
    nodes_of_tree(depth + 1) + nodes_of_tree(depth) + short_lived
}

/// The usual program: a tree one deeper than `depth` to stretch the heap, a tree of `depth` that is kept to the end,
/// and meanwhile about as many nodes again for each depth from 4 to `depth` in steps of 2, in trees that are forgotten
/// at once.
///
/// Every contestant runs this function, on a heap that stays warm between rounds.
///
/// # Panics
///
/// If a tree does not have the nodes that it should have.
pub fn binary_trees(trees: &mut impl Trees, depth: u32) {
    assert_eq!(trees.build_and_count(depth + 1), nodes_of_tree(depth + 1));
    trees.keep(depth);
    for (each, count) in depths(depth) {
        for _ in 0..count {
            assert_eq!(trees.build_and_count(each), nodes_of_tree(each));
        }
    }
    assert_eq!(trees.count_kept(), nodes_of_tree(depth));
    trees.forget_kept();
}

/// The depths of the short-lived trees, each with the number of them.
fn depths(depth: u32) -> impl Iterator<Item = (u32, u64)> {
    (DEPTH_MIN..=depth).step_by(2).map(move |each| (each, 1 << (depth - each + DEPTH_MIN)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts what it is asked to build.
    #[derive(Default)]
    struct Counting {
        built: u64,
        kept: Option<u32>,
    }

    impl Trees for Counting {
        fn build_and_count(&mut self, depth: u32) -> u64 {
            self.built += nodes_of_tree(depth);
            nodes_of_tree(depth)
        }

        fn keep(&mut self, depth: u32) {
            self.built += nodes_of_tree(depth);
            self.kept = Some(depth);
        }

        fn count_kept(&mut self) -> u64 {
            nodes_of_tree(self.kept.unwrap())
        }

        fn forget_kept(&mut self) {
            self.kept = None;
        }
    }

    #[test]
    fn all_nodes_are_counted() {
        let mut trees = Counting::default();
        binary_trees(&mut trees, 10);
        assert_eq!(trees.built, nodes_of_trees(10));
        assert_eq!(trees.kept, None);
    }
}
