//! The verifier: walks a stopped heap and returns what is wrong with it.
//!
//! It trusts the page table's kinds and nothing else: object starts, holes, the remembered set and the committed count
//! are recomputed from the heap itself and compared. It runs in stops only, when every page is walkable (G-2).

use super::object_set::{NoMemory, ObjectSet, Refused};
use crate::collection::Roots;
use crate::collection::policy::Charge;
use crate::object::{Header, Root, Tagged, View, kind};
use crate::page::{NO_ORDINAL, PageKind};
use crate::space::{PagedSpace, Spaces, Stopped};
use crate::words::{CACHE_LINE_BYTES, GRANULE_BYTES, MAP_BYTES, Offset, PageIndex, ROOT_BYTES, SpaceKind};
use core::fmt;

/// Something that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Violation {
    /// The object's header names no map.
    BadMap {
        /// The object.
        object: Offset,
        /// Its header word.
        header: u32,
    },
    /// The object reaches over the end of its page or run.
    OverEnd {
        /// The object.
        object: Offset,
        /// Its bytes.
        bytes: usize,
    },
    /// The object lies where objects of its space may not start, or is of a kind that its space does not hold.
    Misplaced {
        /// The object.
        object: Offset,
        /// The space of its page.
        space: SpaceKind,
    },
    /// A slot holds a reference to something that is no object.
    BadReference {
        /// The slot; `None` for a root.
        slot: Option<Offset>,
        /// What it refers to.
        target: Offset,
    },
    /// A slot of an old object refers to a young object and is not in the remembered set.
    NotRemembered {
        /// The slot.
        slot: Offset,
    },
    /// A persistent handle or root set refers to a young object, and the next minor collection would not look at that
    /// root.
    RootNotListed {
        /// What it refers to.
        target: Offset,
    },
    /// The remembered set holds something that is no slot of an old object.
    StaleRemembered {
        /// What it holds.
        slot: Offset,
    },
    /// A mark bit is set outside of a collection.
    StrayMark {
        /// Where.
        object: Offset,
    },
    /// Hole bits and free blocks of a page disagree.
    HolesDisagree {
        /// The page.
        page: PageIndex,
    },
    /// A page is offered to allocation without having the room it is offered for, or by the wrong space.
    BadOffer {
        /// The page.
        page: PageIndex,
    },
    /// Pages that are in use and pages that are counted as committed disagree.
    CommittedDrift {
        /// Pages counted.
        counted: usize,
        /// Pages found.
        found: usize,
    },
    /// The page is committed although it is free, or in use although it is not committed.
    BadCommit {
        /// The page.
        page: PageIndex,
    },
    /// More is committed than the hard limit allows.
    OverHardLimit {
        /// Pages committed.
        committed: usize,
        /// Pages allowed.
        limit: usize,
    },
    /// A page has no owner (S-3): it is free and its address is nobody's to take, or it has room and is on no offer.
    LostPage {
        /// The page.
        page: PageIndex,
    },
    /// A flag of a collection is set outside of one, or a run's length is wrong.
    BadPageInfo {
        /// The page.
        page: PageIndex,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// What a verification looked at and found.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Verification {
    /// Objects, fillers and free blocks excluded.
    pub objects: u64,
    /// What is wrong; empty for a sound heap.
    pub violations: Vec<Violation>,
}

impl Verification {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.violations.is_empty()
    }

    /// The number of violations and the first eight of them, as text.
    #[must_use]
    pub fn describe(&self) -> String {
        let shown: Vec<String> = self.violations.iter().take(8).map(ToString::to_string).collect();
        format!("{} violations: {}", self.violations.len(), shown.join("; "))
    }
}

struct Verifier<'a> {
    spaces: Stopped<'a>,
    view: View<'a>,
    /// Whether any page of the large-object area is kept: only then each is asked about.
    any_kept: bool,
    /// Every object that was walked.
    starts: ObjectSet,
    objects: Vec<Offset>,
    found: Verification,
    refused: Refused,
}

/// Verifies a stopped, walkable heap.
///
/// # Errors
/// The Rust allocator has no memory for the objects that are walked.
///
/// # Panics
/// If the roots are another heap's.
pub(super) fn verify(spaces: &Spaces, roots: Roots<'_, '_>) -> Result<Verification, NoMemory> {
    let spaces = roots.stopped(spaces);
    let mut verifier = Verifier {
        spaces,
        // SAFETY: SW-1; by G-2 it is used on committed pages only, and nothing is written.
        view: unsafe { spaces.spaces().view() },
        any_kept: spaces.kept_pages() != 0,
        starts: ObjectSet::default(),
        objects: Vec::new(),
        found: Verification::default(),
        refused: Refused::default(),
    };
    verifier.run(roots);
    verifier.refused.unless(verifier.found)
}

impl Verifier<'_> {
    fn report(&mut self, violation: Violation) {
        self.refused.push(&mut self.found.violations, violation);
    }

    fn kind(&self, page: PageIndex) -> PageKind {
        self.spaces.kind(page)
    }

    fn run(&mut self, mut roots: Roots<'_, '_>) {
        let layout = self.spaces.layout();
        let mut found = 0;
        let mut index = 0;
        while index < layout.pages() {
            let page = PageIndex::new(index);
            let kind = self.kind(page);
            found += usize::from(kind != PageKind::Free);
            index += 1;
            match kind {
                PageKind::New if !self.is_reached(page) => {}
                PageKind::Root | PageKind::New | PageKind::Old | PageKind::Map | PageKind::Code => {
                    self.walk(page, kind);
                }
                PageKind::LargeHead => {
                    let run_pages = self.check_run(page);
                    found += run_pages - 1;
                    for _ in 1..run_pages {
                        let tail = PageIndex::new(index);
                        self.check_info(tail, self.kind(tail));
                        index += 1;
                    }
                }
                PageKind::Free if index > layout.paged_pages() && self.spaces.large.is_used(page) => {
                    self.report(Violation::LostPage { page });
                }
                PageKind::Free | PageKind::Pooled | PageKind::Reserved | PageKind::LargeTail => {}
            }
            self.check_info(page, kind);
        }
        let Charge { committed: counted, hard: limit, .. } = Charge::of(self.spaces);
        if counted != found {
            self.report(Violation::CommittedDrift { counted, found });
        }
        if counted > limit {
            self.report(Violation::OverHardLimit { committed: counted, limit });
        }
        for object in core::mem::take(&mut self.objects) {
            self.check_slots(object);
        }
        self.check_remembered();
        // SAFETY: roots stay what they are.
        unsafe {
            roots.visit(|word| {
                if word.is_reference() && !self.starts.contains(&self.spaces, word.target()) {
                    self.report(Violation::BadReference { slot: None, target: word.target() });
                }
                word
            });
        }
        roots.inspect(|word, listed| {
            let young = |target| self.kind(self.spaces.layout().page_of(target)) == PageKind::New;
            if let Some(target) = word.as_reference().filter(|&target| !listed && young(target)) {
                self.report(Violation::RootNotListed { target });
            }
        });
    }

    fn is_reached(&self, page: PageIndex) -> bool {
        let ordinal = self.spaces.info(page).ordinal;
        ordinal == NO_ORDINAL || self.spaces.new.is_reached(ordinal as usize)
    }

    /// Whether `map` is the address of a map: an object whose own map is the meta map.
    fn is_map(&self, map: Offset) -> bool {
        if map.bytes() >= self.spaces.layout().paged_pages() << self.spaces.layout().page_shift()
            || !map.bytes().is_multiple_of(MAP_BYTES)
        {
            return false;
        }
        let kind = self.kind(self.spaces.layout().page_of(map));
        (kind == PageKind::Map || (kind == PageKind::Root && map.bytes() < ROOT_BYTES))
            && self.view.read(map) == Root::MetaMap.tagged().bits()
    }

    /// Enters the object at `at`, and returns its bytes and its kind; `None` if its page cannot be walked further.
    fn enter(&mut self, at: Offset, end: Offset, space: Option<SpaceKind>) -> Option<(usize, u16)> {
        let word = self.view.read(at);
        let map = match Header::decode(word) {
            Header::Map(map) if self.is_map(map) => map,
            _ => {
                self.report(Violation::BadMap { object: at, header: word });
                return None;
            }
        };
        let shape = self.view.shape(map);
        let bytes = self.view.size_bytes(at);
        if bytes > end.bytes() - at.bytes() {
            self.report(Violation::OverEnd { object: at, bytes });
            return None;
        }
        let kind = shape.kind();
        if kind != kind::FILLER && kind != kind::FREE_BLOCK {
            let granule = match space {
                Some(SpaceKind::Map) => MAP_BYTES,
                Some(SpaceKind::Code) => CACHE_LINE_BYTES,
                _ => GRANULE_BYTES,
            };
            let belongs = match space {
                Some(SpaceKind::Map) => kind == kind::MAP,
                Some(_) => kind != kind::MAP && kind != kind::ODDBALL,
                None => true,
            };
            if let Some(space) = space
                && (!belongs || !at.bytes().is_multiple_of(granule))
            {
                self.report(Violation::Misplaced { object: at, space });
            }
            self.starts.insert(&self.spaces, at, &mut self.refused);
            self.refused.push(&mut self.objects, at);
            self.found.objects += 1;
        }
        Some((bytes, kind))
    }

    fn walk(&mut self, page: PageIndex, page_kind: PageKind) {
        let layout = self.spaces.layout();
        let (mut at, end) = (layout.page_start(page), layout.page_end(page));
        let mut free_blocks = Vec::new();
        while at < end {
            let Some((bytes, kind)) = self.enter(at, end, page_kind.space()) else { return };
            if kind == kind::FREE_BLOCK {
                self.refused.push(&mut free_blocks, (at, bytes));
            }
            at = at.plus(bytes);
        }
        if page_kind == PageKind::Root {
            return;
        }
        if !self.spaces.holes_of(page).eq(free_blocks) {
            self.report(Violation::HolesDisagree { page });
        }
    }

    fn check_run(&mut self, head: PageIndex) -> usize {
        let layout = self.spaces.layout();
        let run_pages = self.spaces.info(head).run_pages as usize;
        let start = layout.page_start(head);
        if run_pages == 0 || head.index() + run_pages > layout.pages() {
            self.report(Violation::BadPageInfo { page: head });
            return 1;
        }
        let end = start.plus(run_pages << layout.page_shift());
        if let Some((bytes, _)) = self.enter(start, end, Some(SpaceKind::Large))
            && layout.pages_for(bytes) != run_pages
        {
            self.report(Violation::BadPageInfo { page: head });
        }
        let tails_labelled = (1..run_pages).all(|i| self.kind(PageIndex::new(head.index() + i)) == PageKind::LargeTail);
        let used = (0..run_pages).all(|i| self.spaces.large.is_used(PageIndex::new(head.index() + i)));
        if !tails_labelled || !used {
            self.report(Violation::BadPageInfo { page: head });
        }
        run_pages
    }

    fn check_info(&mut self, page: PageIndex, kind: PageKind) {
        let (info, mark) = (self.spaces.info(page), self.spaces.next_marked(page, 0));
        if info.evacuated || info.kept {
            self.report(Violation::BadPageInfo { page });
        }
        if let Some(granule) = mark {
            self.report(Violation::StrayMark { object: self.spaces.pages.granule_offset(page, granule) });
        }
        // A page that the frontier has not reached may be committed or not: the ledger knows, and is compared with
        // the budget in other stops.
        let committed = self.spaces.memory.is_committed(self.spaces.layout().page_start(page).bytes());
        if committed != (kind != PageKind::Free) && (kind != PageKind::New || self.is_reached(page)) {
            self.report(Violation::BadCommit { page });
        }
        if page.index() >= self.spaces.layout().paged_pages() {
            let large = &self.spaces.large;
            if (kind == PageKind::Pooled || self.any_kept) && (kind == PageKind::Pooled) != large.is_kept(page) {
                self.report(Violation::BadOffer { page });
            }
            return;
        }
        let is_lost = kind == PageKind::Free && !self.spaces.has_address(page);
        if is_lost || self.hides_room(page, kind) {
            self.report(Violation::LostPage { page });
        }
        let greatest = || self.spaces.greatest_hole_of(page);
        let breaks_its_promise = |(space, bytes): (&PagedSpace, usize)| space.kind() != kind || greatest() < bytes;
        let is_pooled = self.spaces.is_pooled(page);
        if (kind == PageKind::Pooled) != is_pooled || self.spaces.offers_of(page).any(breaks_its_promise) {
            self.report(Violation::BadOffer { page });
        }
    }

    /// Whether a page has a hole that its space would offer, and is on no offer. No local heap owns a page in a stop.
    fn hides_room(&self, page: PageIndex, kind: PageKind) -> bool {
        let Some(space) = self.spaces.paged_spaces().into_iter().find(|space| space.kind() == kind) else {
            return false;
        };
        let is_offered = self.spaces.offers_of(page).any(|(offering, _)| offering.kind() == kind);
        !is_offered && space.offer_of(self.spaces.greatest_hole_of(page)).is_some()
    }

    fn check_slots(&mut self, object: Offset) {
        let (pages, view) = (&self.spaces.spaces().pages, self.view);
        let shape = view.shape(view.map_of(object));
        let young = self.kind(pages.layout().page_of(object)) == PageKind::New;
        view.for_each_slot(object, shape, |slot| {
            let word: Tagged = view.tagged(slot);
            let Some(target) = word.as_reference() else { return };
            if !self.starts.contains(&self.spaces, target) {
                self.report(Violation::BadReference { slot: Some(slot), target });
            } else if !young && self.kind(pages.layout().page_of(target)) == PageKind::New && !pages.is_remembered(slot)
            {
                self.report(Violation::NotRemembered { slot });
            }
        });
    }

    /// Every remembered slot lies in a page of old objects. (That such a slot is a tagged word follows: slots are
    /// remembered by the write barrier and the collector only, and freed ranges are forgotten.)
    fn check_remembered(&mut self) {
        let pages = &self.spaces.spaces().pages;
        // SAFETY: SW-1; every slot is put back.
        unsafe {
            pages.retain_remembered(|slot| {
                let kind = self.spaces.kind(pages.layout().page_of(slot));
                if !matches!(
                    kind,
                    PageKind::Old | PageKind::Map | PageKind::Code | PageKind::LargeHead | PageKind::LargeTail
                ) {
                    self.report(Violation::StaleRemembered { slot });
                }
                true
            });
        }
    }
}
