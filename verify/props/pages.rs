//! One page's holes, and the remembered set, against ranges and sets.

use heaplab::HeapConfig;
use heaplab::Offset;
use heaplab::memory::PageSource;
use heaplab::page::PageKind;
use heaplab::space::Spaces;
use heaplab::words::{Limit, PageIndex};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn spaces() -> Spaces {
    let config = HeapConfig::tiny();
    Spaces::new(&config.layout().unwrap(), PageSource::Owned, config.page_set_bits).unwrap()
}

const GRANULES: usize = 128 / 8;

proptest! {
    /// What is taken was free and is not free then; the first hole that fits is taken; the rest of the hole stays a
    /// hole; a page without room says so.
    #[test]
    fn holes_are_what_is_free(acts in vec((0u8..4, 1usize..=GRANULES, 0usize..=GRANULES), 0..40)) {
        let spaces = spaces();
        // SAFETY: S-4: this thread alone has the heap.
        let page = unsafe { spaces.take_page(PageKind::Old, Limit::Hard) }.unwrap();
        let start = spaces.layout().page_start(page);
        // SAFETY: this thread alone has the heap, and took the page.
        let holes = unsafe { spaces.holes(page) };
        holes.give(start, 128);
        // The model: free holes as (first granule, granules), taken ranges likewise.
        let mut free = vec![(0, GRANULES)];
        let mut taken: Vec<(usize, usize)> = Vec::new();
        for (act, min, more) in acts {
            match act {
                0 | 1 => {
                    let max = (min + more).min(GRANULES);
                    let expected = free.iter().position(|&(_, granules)| granules >= min.min(GRANULES));
                    let got = holes.take(8 * min, 8 * max.max(min));
                    match (expected, got) {
                        (None, None) => {}
                        (Some(index), Some((at, bytes))) => {
                            let (first, granules) = free.remove(index);
                            let cut = granules.min(max.max(min));
                            prop_assert_eq!((at, bytes), (start.plus(8 * first), 8 * cut));
                            if cut < granules {
                                free.insert(index, (first + cut, granules - cut));
                            }
                            taken.push((first, cut));
                        }
                        (expected, got) => prop_assert!(false, "{:?} where {:?} was expected", got, expected),
                    }
                }
                2 if !taken.is_empty() => {
                    let (first, granules) = taken.swap_remove(more % taken.len());
                    holes.give(start.plus(8 * first), 8 * granules);
                    let index = free.partition_point(|&(other, _)| other < first);
                    free.insert(index, (first, granules));
                }
                3 if more == 0 => {
                    let wasted: usize = free.drain(..).map(|(_, granules)| 8 * granules).sum();
                    prop_assert_eq!(holes.drop_all(), wasted);
                }
                _ => {}
            }
            let seen: Vec<_> = holes.iter().collect();
            let expected: Vec<_> =
                free.iter().map(|&(first, granules)| (start.plus(8 * first), 8 * granules)).collect();
            prop_assert_eq!(seen, expected);
            prop_assert_eq!(holes.greatest(), free.iter().map(|&(_, granules)| 8 * granules).max().unwrap_or(0));
        }
    }

    /// The remembered set is a set of words: each word is handed out once, is put back if the visitor asks for that,
    /// and is forgotten by ranges.
    #[test]
    fn the_remembered_set_is_a_set(acts in vec((0u8..4, 0usize..512, 0usize..300), 0..60)) {
        let spaces = spaces();
        let mut model = BTreeSet::new();
        for (act, word, bytes) in acts {
            let slot = Offset::new(4 * word);
            // SAFETY: this thread alone has the heap.
            unsafe {
                match act {
                    0 | 1 => {
                        spaces.pages.remember(slot);
                        model.insert(slot);
                    }
                    2 => {
                        let (from, bytes) = (Offset::new(word * 8 % 2048), bytes & !7);
                        spaces.pages.forget_range(from, bytes.min(2048 - from.bytes()));
                        model.retain(|slot| !(from..from.plus(bytes)).contains(slot));
                    }
                    _ => {
                        let mut seen = Vec::new();
                        let keep = |slot: Offset| slot.bytes() / 4 % 3 != word % 3;
                        spaces.pages.retain_remembered(|slot| {
                            seen.push(slot);
                            keep(slot)
                        });
                        prop_assert_eq!(seen, model.iter().copied().collect::<Vec<_>>());
                        model.retain(|&slot| keep(slot));
                    }
                }
            }
            prop_assert!(model.iter().all(|&slot| spaces.pages.is_remembered(slot)));
            prop_assert_eq!(spaces.pages.is_remembered(slot), model.contains(&slot));
        }
    }
}

/// A label on one page says nothing about another page.
#[test]
fn labels_are_each_pages_own() {
    let spaces = spaces();
    // SAFETY: S-4: this thread alone has the heap.
    let taken = unsafe { spaces.take_page(PageKind::Code, Limit::Hard) }.unwrap();
    for index in spaces.layout().root_pages()..spaces.layout().pages() {
        let page = PageIndex::new(index);
        // SAFETY: this thread alone has the heap.
        let kind = unsafe { spaces.pages.kind(page) };
        assert_eq!(kind == PageKind::Code, page == taken);
    }
}
