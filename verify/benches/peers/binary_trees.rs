//! Other collectors that build trees, and `Box`, which needs no collector.

use heaplab_verify::bench::{Contestant, Trees, binary_trees};

pub(crate) const GC_ARENA: &str = "gc-arena";
pub(crate) const GC_ARENA_PER_TREE: &str = "gc-arena, an arena per tree";

pub(crate) fn contestants() -> Vec<Contestant> {
    vec![
        contestant("Box, system allocator", boxed::Boxed::default()),
        contestant(GC_ARENA, arena::Arena::new()),
        contestant(GC_ARENA_PER_TREE, arena::ArenaPerTree::default()),
        contestant("boa_gc", boa::Boa::default()),
    ]
}

fn contestant(name: &'static str, mut trees: impl Trees + 'static) -> Contestant {
    Contestant::timed(name, move |depth| binary_trees(&mut trees, u32::try_from(depth).expect("a depth is small")))
}

/// Trees that are freed node by node when they are forgotten.
mod boxed {
    use super::Trees;

    struct Node {
        left: Option<Box<Node>>,
        right: Option<Box<Node>>,
    }

    fn build(depth: u32) -> Box<Node> {
        let child = || (depth > 0).then(|| build(depth - 1));
        Box::new(Node { left: child(), right: child() })
    }

    fn count(node: &Node) -> u64 {
        1 + node.left.as_deref().map_or(0, count) + node.right.as_deref().map_or(0, count)
    }

    #[derive(Default)]
    pub(super) struct Boxed {
        kept: Option<Box<Node>>,
    }

    impl Trees for Boxed {
        fn build_and_count(&mut self, depth: u32) -> u64 {
            count(&build(depth))
        }

        fn keep(&mut self, depth: u32) {
            self.kept = Some(build(depth));
        }

        fn count_kept(&mut self) -> u64 {
            self.kept.as_deref().map_or(0, count)
        }

        fn forget_kept(&mut self) {
            self.kept = None;
        }
    }
}

/// Trees of gc-arena, in two ways. In one arena for all, each tree is built in one mutation, and between mutations
/// comes a whole collection whenever the pacing says that one is due. The pacing is set for throughput: the default
/// one, made for short pauses, takes several times as long here. With an arena per tree nothing is ever traced: the
/// program knows when a tree dies, as a user of `Box` does.
mod arena {
    use gc_arena::metrics::Pacing;
    use gc_arena::{Collect, Gc, Mutation, Rootable};

    use super::Trees;

    #[derive(Collect)]
    #[collect(no_drop)]
    struct Node<'gc> {
        left: Option<Gc<'gc, Node<'gc>>>,
        right: Option<Gc<'gc, Node<'gc>>>,
    }

    #[derive(Collect)]
    #[collect(no_drop)]
    struct Root<'gc> {
        kept: Option<Gc<'gc, Node<'gc>>>,
    }

    fn build<'gc>(mutation: &Mutation<'gc>, depth: u32) -> Gc<'gc, Node<'gc>> {
        let child = || (depth > 0).then(|| build(mutation, depth - 1));
        Gc::new(mutation, Node { left: child(), right: child() })
    }

    fn count<'gc>(node: Gc<'gc, Node<'gc>>) -> u64 {
        1 + node.left.map_or(0, count) + node.right.map_or(0, count)
    }

    /// Nodes allocated between two collections at least: with malloc's overhead about 12 MiB of them.
    const SLEEP_NODES: usize = 256 << 10;

    type TreeArena = gc_arena::Arena<Rootable![Root<'_>]>;

    fn count_root(arena: &TreeArena) -> u64 {
        arena.mutate(|_, root| root.kept.map_or(0, count))
    }

    pub(super) struct Arena {
        arena: TreeArena,
    }

    impl Arena {
        pub(super) fn new() -> Arena {
            let mut arena = TreeArena::new(|_| Root { kept: None });
            arena.metrics().set_pacing(Pacing { min_sleep: SLEEP_NODES, ..Pacing::STOP_THE_WORLD });
            // A pacing applies from the next cycle on.
            arena.finish_cycle();
            Arena { arena }
        }

        fn collect_if_due(&mut self) {
            if self.arena.metrics().allocation_debt() > 0.0 {
                self.arena.finish_cycle();
            }
        }
    }

    impl Trees for Arena {
        fn build_and_count(&mut self, depth: u32) -> u64 {
            let nodes = self.arena.mutate(|mutation, _| count(build(mutation, depth)));
            self.collect_if_due();
            nodes
        }

        fn keep(&mut self, depth: u32) {
            self.arena.mutate_root(|mutation, root| root.kept = Some(build(mutation, depth)));
            self.collect_if_due();
        }

        fn count_kept(&mut self) -> u64 {
            count_root(&self.arena)
        }

        fn forget_kept(&mut self) {
            self.arena.mutate_root(|_, root| root.kept = None);
            self.collect_if_due();
        }
    }

    #[derive(Default)]
    pub(super) struct ArenaPerTree {
        kept: Option<TreeArena>,
    }

    fn arena_of_tree(depth: u32) -> TreeArena {
        TreeArena::new(|mutation| Root { kept: Some(build(mutation, depth)) })
    }

    impl Trees for ArenaPerTree {
        fn build_and_count(&mut self, depth: u32) -> u64 {
            count_root(&arena_of_tree(depth))
        }

        fn keep(&mut self, depth: u32) {
            self.kept = Some(arena_of_tree(depth));
        }

        fn count_kept(&mut self) -> u64 {
            self.kept.as_ref().map_or(0, count_root)
        }

        fn forget_kept(&mut self) {
            self.kept = None;
        }
    }
}

/// Trees of boa_gc, which collects by itself when its threshold is reached.
mod boa {
    use boa_gc::{Finalize, Gc, Trace};

    use super::Trees;

    #[derive(Finalize, Trace)]
    struct Node {
        left: Option<Gc<Node>>,
        right: Option<Gc<Node>>,
    }

    fn build(depth: u32) -> Gc<Node> {
        let child = || (depth > 0).then(|| build(depth - 1));
        Gc::new(Node { left: child(), right: child() })
    }

    fn count(node: &Gc<Node>) -> u64 {
        1 + node.left.as_ref().map_or(0, count) + node.right.as_ref().map_or(0, count)
    }

    #[derive(Default)]
    pub(super) struct Boa {
        kept: Option<Gc<Node>>,
    }

    impl Trees for Boa {
        fn build_and_count(&mut self, depth: u32) -> u64 {
            count(&build(depth))
        }

        fn keep(&mut self, depth: u32) {
            self.kept = Some(build(depth));
        }

        fn count_kept(&mut self) -> u64 {
            self.kept.as_ref().map_or(0, count)
        }

        fn forget_kept(&mut self) {
            self.kept = None;
        }
    }
}
