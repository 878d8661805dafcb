//! Other collectors that build trees, and one heap that needs none.

use heaplab_verify::bench::{Contestant, Trees, binary_trees};

pub(crate) const GC_ARENA: &str = "gc-arena";

pub(crate) fn contestants() -> Vec<Contestant> {
    vec![
        contestant("Box, system allocator", boxed::Boxed::default()),
        contestant(GC_ARENA, arena::Arena::new()),
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

/// Trees of gc-arena: one arena for all, each tree built in one mutation, and between mutations as much collection as
/// the arena's own pacing asks for.
mod arena {
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

    pub(super) struct Arena {
        arena: gc_arena::Arena<Rootable![Root<'_>]>,
    }

    impl Arena {
        pub(super) fn new() -> Arena {
            Arena { arena: gc_arena::Arena::new(|_| Root { kept: None }) }
        }
    }

    impl Trees for Arena {
        fn build_and_count(&mut self, depth: u32) -> u64 {
            let nodes = self.arena.mutate(|mutation, _| count(build(mutation, depth)));
            self.arena.collect_debt();
            nodes
        }

        fn keep(&mut self, depth: u32) {
            self.arena.mutate_root(|mutation, root| root.kept = Some(build(mutation, depth)));
            self.arena.collect_debt();
        }

        fn count_kept(&mut self) -> u64 {
            self.arena.mutate(|_, root| root.kept.map_or(0, count))
        }

        fn forget_kept(&mut self) {
            self.arena.mutate_root(|_, root| root.kept = None);
            self.arena.collect_debt();
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
