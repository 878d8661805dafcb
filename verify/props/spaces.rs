//! Frontier, budget, and allocators over the spaces, without collections: memory is given out once.

use heaplab::allocation::Allocator;
use heaplab::memory::PageSource;
use heaplab::object::Root;
use heaplab::page::PageKind;
use heaplab::space::{Budget, Spaces};
use heaplab::words::{Limit, Offset, align_up};
use heaplab::{AllocationType, HeapConfig, Tagged};
use proptest::collection::vec;
use proptest::prelude::*;

fn tiny() -> Spaces {
    let config = HeapConfig::tiny();
    Spaces::new(&config.layout().unwrap(), PageSource::Owned, config.page_set_bits).unwrap()
}

/// Ranges that were given out, none of which overlap.
#[derive(Default)]
struct Ranges(Vec<(Offset, usize)>);

impl Ranges {
    fn add(&mut self, start: Offset, bytes: usize) -> Result<(), TestCaseError> {
        let end = start.plus(bytes);
        let overlaps = self.0.iter().find(|&&(other, bytes)| start < other.plus(bytes) && other < end);
        prop_assert!(overlaps.is_none(), "{:?}..{:?} overlaps {:?}", start, end, overlaps);
        self.0.push((start, bytes));
        Ok(())
    }
}

proptest! {
    /// The frontier gives out each byte of its pages once, as a LAB or as a tail, within one page. It says that it is
    /// exhausted only if the page it is at has too little left and there is no further page.
    #[test]
    fn the_frontier_gives_out_each_byte_once(carves in vec((1usize..=16, 0usize..16), 0..60)) {
        let spaces = tiny();
        let layout = spaces.layout();
        let mut ranges = Ranges::default();
        let mut used = 0;
        for (min, more) in carves {
            let (min, max) = (8 * min, 8 * (min + more));
            let rest = (layout.page_bytes() - used % layout.page_bytes()) % layout.page_bytes();
            // SAFETY: S-4: this thread alone has the heap, and nobody walks it.
            match unsafe { spaces.new.carve(&spaces.memory, layout, min, max) } {
                Ok(carved) => {
                    prop_assert!((min..=max).contains(&carved.bytes));
                    prop_assert_eq!(layout.page_of(carved.start), layout.page_of(carved.start.plus(carved.bytes - 1)));
                    ranges.add(carved.start, carved.bytes)?;
                    if let Some((start, bytes)) = carved.tail {
                        prop_assert!(bytes == rest && bytes < min, "a page with {} bytes was sealed for {}", rest, min);
                        ranges.add(start, bytes)?;
                    }
                    used += carved.bytes + carved.tail.map_or(0, |(_, bytes)| bytes);
                }
                Err(_) => prop_assert!(rest < min && used + rest == layout.new_pages() * layout.page_bytes()),
            }
            prop_assert_eq!(spaces.new.used_bytes(layout), used);
        }
    }

    /// The budget is a number between zero and a limit.
    #[test]
    fn the_budget_is_a_bounded_number(acts in vec((0u8..4, 0usize..9), 0..80)) {
        let budget = Budget::new(7, 12);
        // SAFETY: S-4: this thread alone has the budget.
        let try_reserve = |pages, limit| unsafe { budget.try_reserve(pages, limit) };
        let (mut committed, mut soft, mut hard) = (0usize, 7, 12);
        for (act, pages) in acts {
            match act {
                0 => {
                    let fits = committed + pages <= soft;
                    prop_assert_eq!(try_reserve(pages, Limit::Soft), fits);
                    committed += if fits { pages } else { 0 };
                }
                1 => {
                    let fits = committed + pages <= hard;
                    prop_assert_eq!(try_reserve(pages, Limit::Hard), fits);
                    committed += if fits { pages } else { 0 };
                }
                2 => {
                    budget.give_back(pages.min(committed));
                    committed -= pages.min(committed);
                }
                _ => {
                    (soft, hard) = (pages.min(12 + pages / 2), 12 + pages / 2);
                    // SAFETY: this thread alone has the budget.
                    unsafe { budget.set_limits(soft, hard) };
                }
            }
            prop_assert_eq!(budget.committed(), committed);
            prop_assert!(!try_reserve(usize::MAX, Limit::Hard), "no wrap");
        }
    }

    /// Two allocators on one heap, until the heap is full: no two live objects overlap; each object is aligned and
    /// lies within one page (or run) of its own space; and when both allocators give up what they have, every page is
    /// a gapless sequence of objects, fillers and free blocks.
    #[test]
    fn live_objects_never_overlap(requests in vec((0usize..2, 0usize..4, 1usize..24), 0..100)) {
        let spaces = tiny();
        let layout = spaces.layout();
        let mut allocators = [Allocator::new(), Allocator::new()];
        let mut ranges = Ranges::default();
        // SAFETY: this thread alone has the heap, and writes to what it was given only.
        let view = unsafe { spaces.view() };
        for (who, ty, granules) in requests {
            let ty = AllocationType::ALL[ty];
            let bytes = align_up(8 * granules, ty.granule_bytes());
            if ty == AllocationType::Map && bytes > layout.regular_bytes_max() {
                continue;
            }
            // SAFETY: L-5: both allocators get these spaces only, and this thread alone has them.
            let attempt = unsafe { allocators[who].attempt(&spaces, ty, bytes, Limit::Hard) };
            let Ok(at) = attempt else { continue };
            ranges.add(at, bytes)?;
            prop_assert!(at.bytes().is_multiple_of(ty.granule_bytes()));
            // SAFETY: as above.
            let kind = unsafe { spaces.pages.kind(layout.page_of(at)) };
            if bytes > layout.regular_bytes_max() {
                prop_assert_eq!(kind, PageKind::LargeHead);
            } else {
                prop_assert_eq!(kind.space(), Some(ty.space()));
                prop_assert_eq!(layout.page_of(at), layout.page_of(at.plus(bytes - 1)));
            }
            view.format(at, bytes, Root::ByteArrayMap.tagged().bits());
            view.write(at.word(1), Tagged::small((bytes - 8) as i32).unwrap().bits());
            prop_assert!(spaces.budget.committed() <= layout.hard_limit_pages());
        }
        for allocator in &mut allocators {
            // SAFETY: L-5, as above.
            unsafe { allocator.give_up(&spaces) };
        }
        // SAFETY: as above.
        unsafe { spaces.new.make_walkable(view, layout) };
        for index in layout.root_pages()..layout.paged_pages() {
            let page = heaplab::words::PageIndex::new(index);
            // SAFETY: as above.
            let (kind, ordinal) = unsafe { (spaces.pages.kind(page), spaces.pages.info(page).ordinal) };
            let walkable = match kind {
                PageKind::New => spaces.new.is_reached(ordinal as usize),
                PageKind::Old | PageKind::Map | PageKind::Code => true,
                _ => false,
            };
            if !walkable {
                continue;
            }
            let (mut at, end) = (layout.page_start(page), layout.page_end(page));
            let mut objects = Vec::new();
            while at < end {
                if view.map_of(at) == Root::ByteArrayMap.offset() {
                    objects.push((at, view.size_bytes(at)));
                } else {
                    let gap = [Root::FillerMap.offset(), Root::FreeBlockMap.offset()];
                    prop_assert!(gap.contains(&view.map_of(at)), "{:?}", at);
                }
                at = at.plus(view.size_bytes(at));
            }
            prop_assert_eq!(at, end);
            let mut expected: Vec<_> =
                ranges.0.iter().copied().filter(|&(at, _)| layout.page_of(at) == page).collect();
            expected.sort_unstable();
            prop_assert_eq!(objects, expected);
        }
    }
}
