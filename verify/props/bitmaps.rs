//! Mark bits, hole bits, and page sets, against sets of numbers.

use heaplab::page::{Bitmap, PageBits};
use heaplab::space::PageSet;
use heaplab::words::PageIndex;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;

proptest! {
    /// Rows of bits behave as one set for each page: a neighbour's bit is never touched.
    #[test]
    fn page_bits_are_sets(
        columns in 1usize..150,
        acts in vec((0u8..5, 0usize..3, any::<usize>(), any::<usize>()), 0..60),
    ) {
        let bits = PageBits::new(3, columns);
        let mut model = [const { BTreeSet::new() }; 3];
        for (act, row, a, b) in acts {
            let page = PageIndex::new(row);
            let set: &mut BTreeSet<usize> = &mut model[row];
            let (column, end) = (a % columns, b % (columns + 1));
            // SAFETY: this thread alone has the bits.
            unsafe {
                match act {
                    0 => prop_assert_eq!(bits.set(page, column), set.insert(column)),
                    1 => {
                        bits.put(page, column, b % 2 == 0);
                        if b % 2 == 0 { set.insert(column); } else { set.remove(&column); }
                    }
                    2 => {
                        bits.clear(page, column, end);
                        set.retain(|bit| !(column..end).contains(bit));
                    }
                    3 => {
                        bits.clear_page(page);
                        set.clear();
                    }
                    _ => prop_assert_eq!(bits.next(page, column), set.range(column..).next().copied()),
                }
                for (row, set) in model.iter().enumerate() {
                    let page = PageIndex::new(row);
                    prop_assert_eq!(bits.count(page), set.len());
                    prop_assert!(set.iter().all(|&column| bits.test(page, column)));
                }
            }
        }
    }

    /// A bitmap without rows behaves as a set, where ranges begin and end inside words.
    #[test]
    fn a_bitmap_is_a_set(
        set in prop::collection::btree_set(0usize..260, 0..80),
        from in 0usize..260,
        end in 0usize..=260,
    ) {
        let bits = Bitmap::new(260);
        for &bit in &set {
            prop_assert!(bits.set(bit));
        }
        // SAFETY: this thread alone has the bits.
        unsafe {
            prop_assert_eq!(bits.next(from, end), set.iter().copied().find(|bit| (from..end).contains(bit)));
            prop_assert_eq!(
                bits.count(from, end.max(from)),
                set.iter().filter(|bit| (from..end).contains(*bit)).count()
            );
            bits.clear(from, end);
        }
        for bit in 0..260 {
            prop_assert_eq!(bits.test(bit), set.contains(&bit) && !(from..end).contains(&bit));
        }
    }

    /// A page set gives out once what was put in; the set says that it is empty when it is.
    #[test]
    fn a_page_set_is_a_set(width in 1usize..=64, acts in vec((any::<bool>(), 0usize..100), 0..120)) {
        let pages = PageSet::new(100, width);
        let mut model = BTreeSet::new();
        for (put, index) in acts {
            if put && model.insert(index) {
                pages.put(PageIndex::new(index));
            } else if !put {
                match pages.take() {
                    Some(page) => prop_assert!(model.remove(&page.index())),
                    None => prop_assert!(model.is_empty()),
                }
            }
            prop_assert_eq!(pages.len(), model.len());
            prop_assert_eq!(pages.is_empty(), model.is_empty());
            // SAFETY: nobody else has the set.
            let is_inside = unsafe { pages.contains(PageIndex::new(index)) };
            prop_assert_eq!(is_inside, model.contains(&index));
        }
        // SAFETY: this thread alone has the set.
        unsafe { pages.clear() };
        prop_assert!(pages.take().is_none());
    }
}
