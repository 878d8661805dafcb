//! The shadow's object graph, and its comparison with the heap's.

use super::{Id, ShadowObject, Value};
use heaplab::page::PageKind;
use heaplab::space::Spaces;
use heaplab::words::{Layout, PageIndex};
use heaplab::{AllocationType, Offset, Tagged};
use heaplab_common::claim_eq;
use std::collections::BTreeSet;

/// What may have happened since objects were seen last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Happened {
    /// No collection: nothing moves.
    Nothing,
    /// Perhaps a collection, of whatever kind.
    Anything,
    /// A minor collection, asked for as such, and perhaps more.
    Minor,
    /// A major collection, and perhaps more: new space is empty, and no page without live objects is left.
    Major,
}

/// What is alive, and where.
#[derive(Clone, Debug, Default)]
pub struct GraphCensus {
    /// Live objects.
    pub objects: u64,
    /// Bytes of them.
    pub bytes: usize,
    /// Pages with live objects, those of large objects excluded.
    pub pages: BTreeSet<PageIndex>,
    /// First pages and lengths of the runs of live large objects.
    pub runs: Vec<(PageIndex, usize)>,
}

impl GraphCensus {
    /// Pages of large objects.
    pub fn run_pages(&self) -> usize {
        self.runs.iter().map(|(_, pages)| pages).sum()
    }

    /// The longest run of pages of the large area in which no live object lies, nor any of the runs of `others`.
    pub fn longest_free_run(&self, others: &[(PageIndex, usize)], layout: &Layout) -> usize {
        let mut runs = [&self.runs, others].concat();
        runs.sort_unstable();
        let (mut longest, mut end) = (0, layout.paged_pages());
        for (head, pages) in runs {
            longest = longest.max(head.index() - end);
            end = head.index() + pages;
        }
        longest.max(layout.pages() - end)
    }
}

/// All objects that the shadow ever had; those that were found dead are empty entries.
#[derive(Debug, Default)]
pub struct Graph {
    objects: Vec<Option<ShadowObject>>,
}

impl Graph {
    /// Adds an object.
    pub fn add(&mut self, object: ShadowObject) -> Id {
        self.objects.push(Some(object));
        self.objects.len() - 1
    }

    /// An object that is reachable.
    ///
    /// # Panics
    /// If it was found unreachable before.
    pub fn object(&self, id: Id) -> &ShadowObject {
        self.objects[id].as_ref().expect("a reachable object")
    }

    /// An object that is reachable, to be changed.
    ///
    /// # Panics
    /// If it was found unreachable before.
    pub fn object_mut(&mut self, id: Id) -> &mut ShadowObject {
        self.objects[id].as_mut().expect("a reachable object")
    }

    /// Walks the heap and the shadow together from `roots`, compares each word, identity, space and overlap, and
    /// forgets what is not reachable. Returns what is alive.
    ///
    /// # Panics
    /// If the heap is not what it is supposed to be.
    pub fn compare(&mut self, spaces: &Spaces, roots: &[(Value, Tagged)], happened: Happened) -> GraphCensus {
        let mut walk = Walk { spaces, graph: self, seen: Vec::new(), live: Vec::new(), edges: Vec::new() };
        walk.seen.resize(walk.graph.objects.len(), None);
        for &(value, word) in roots {
            walk.edge(value, word, || "a root".to_owned());
        }
        let mut next = 0;
        while let Some(&(_, id)) = walk.live.get(next) {
            next += 1;
            walk.visit(id, happened);
        }
        let Walk { seen, mut live, .. } = walk;
        let census = self.take_census(spaces, &mut live);
        for (object, seen) in self.objects.iter_mut().zip(seen) {
            if seen.is_none() {
                *object = None;
            }
        }
        census
    }

    fn take_census(&self, spaces: &Spaces, live: &mut [(Offset, Id)]) -> GraphCensus {
        let layout = spaces.layout();
        live.sort_unstable();
        for pair in live.windows(2) {
            let ((at, id), (next, next_id)) = (pair[0], pair[1]);
            let end = at.plus(self.object(id).size_bytes());
            assert!(end <= next, "live objects overlap: #{id} at {at:?}..{end:?} and #{next_id} at {next:?}");
        }
        let mut census = GraphCensus { objects: live.len() as u64, ..GraphCensus::default() };
        for &(at, id) in &*live {
            let object = self.object(id);
            census.bytes += object.size_bytes();
            let page = layout.page_of(at);
            if object.large {
                census.runs.push((page, layout.pages_for(object.size_bytes())));
            } else {
                census.pages.insert(page);
                let end = Offset::new(at.bytes() + object.size_bytes() - 1);
                claim_eq!(layout.page_of(end), page, "the page of the last byte of #{id} at {at:?}");
            }
        }
        census
    }
}

struct Walk<'a> {
    spaces: &'a Spaces,
    graph: &'a mut Graph,
    seen: Vec<Option<Offset>>,
    live: Vec<(Offset, Id)>,
    /// References of the object that is visited; kept to use the vector's memory again.
    edges: Vec<(Value, Tagged)>,
}

impl Walk<'_> {
    fn edge(&mut self, value: Value, word: Tagged, whose: impl Fn() -> String) {
        let id = match value {
            Value::Small(number) => {
                claim_eq!(word.as_small(), Some(number), "the number in {}, which holds {word:?},", whose());
                return;
            }
            Value::Immortal(root) => {
                claim_eq!(word, root.tagged(), "the reference to {root:?} in {}", whose());
                return;
            }
            Value::Object(id) => id,
        };
        let Some(at) = word.as_reference() else {
            panic!("{} should refer to #{id} and holds {word:?}", whose());
        };
        match self.seen[id] {
            Some(seen) => claim_eq!(at, seen, "the place of #{id}, to which {} refers,", whose()),
            None => {
                self.seen[id] = Some(at);
                self.live.push((at, id));
            }
        }
    }

    fn visit(&mut self, id: Id, happened: Happened) {
        let at = self.seen[id].expect("only seen objects are visited");
        let kind = self.check_place(id, at, happened);
        // SAFETY: the object's page is in use, as was just checked, so its words are committed. No stop is going on,
        // and no rival refers to an object of this shadow, so nobody else accesses them.
        let view = unsafe { self.spaces.view() };
        let mut edges = core::mem::take(&mut self.edges);
        let object = self.graph.object(id);
        let result = object.compare(|word| view.read(at.word(word)), |value, word| edges.push((value, word)));
        if let Err(difference) = result {
            panic!("#{id}, {:?} at {at:?} in {kind:?}: {difference}", object.shape);
        }
        for (value, word) in edges.drain(..) {
            self.edge(value, word, || format!("#{id} at {at:?}"));
        }
        self.edges = edges;
        let object = self.graph.object_mut(id);
        object.at = at;
        object.young = kind == PageKind::New;
    }

    fn check_place(&mut self, id: Id, at: Offset, happened: Happened) -> PageKind {
        let layout = self.spaces.layout();
        assert!(at.bytes() < layout.pages() << layout.page_shift(), "#{id} at {at:?} is beyond the reservation");
        let page = layout.page_of(at);
        // SAFETY: G-1: a root or a live object of this thread refers to an object of the page, and no stop is going
        // on.
        let kind = unsafe { self.spaces.pages.kind(page) };
        let object = self.graph.object_mut(id);
        let allowed = match (object.large, object.ty) {
            (true, _) => kind == PageKind::LargeHead && layout.page_start(page) == at,
            (false, AllocationType::Young) => matches!(kind, PageKind::New | PageKind::Old),
            (false, AllocationType::Old) => kind == PageKind::Old,
            (false, AllocationType::Map) => kind == PageKind::Map && at.bytes().is_multiple_of(32),
            (false, AllocationType::Code) => kind == PageKind::Code && at.bytes().is_multiple_of(64),
        };
        assert!(allowed, "#{id}, allocated {:?}, large: {}, is at {at:?} in {kind:?}", object.ty, object.large);
        let fixed = object.large || matches!(object.ty, AllocationType::Map | AllocationType::Code);
        let stays = fixed || happened == Happened::Nothing;
        assert!(!stays || at == object.at, "#{id}, {:?}, moved from {:?} to {at:?}", object.ty, object.at);
        if object.young && happened == Happened::Minor {
            object.minors_survived += 1;
        }
        if kind == PageKind::New {
            assert!(object.minors_survived < 2, "#{id} at {at:?} survived two minor collections and is still young");
            assert!(happened != Happened::Major, "#{id} at {at:?} is still young after a major collection");
        }
        kind
    }
}
