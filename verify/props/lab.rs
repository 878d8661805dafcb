//! The LAB, against two numbers and a flag.

use heaplab::Offset;
use heaplab::allocation::Lab;
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Act {
    Bump(usize),
    BumpBehindWindow(usize),
    Window(bool),
}

fn act() -> impl Strategy<Value = Act> {
    let bytes = || prop_oneof![8 => (1usize..8).prop_map(|granules| 8 * granules), 1 => Just(usize::MAX & !7)];
    prop_oneof![
        4 => bytes().prop_map(Act::Bump),
        2 => bytes().prop_map(Act::BumpBehindWindow),
        1 => any::<bool>().prop_map(Act::Window),
    ]
}

proptest! {
    /// A LAB serves its range in order and to the last byte: whatever was served and what is left add up, the window
    /// decides only which path serves a request, and no size wraps.
    #[test]
    fn a_lab_serves_its_range_in_order(
        start in 0usize..64,
        granules in 0usize..24,
        open in any::<bool>(),
        acts in vec(act(), 0..40),
    ) {
        let (mut top, end, mut open) = (8 * start, 8 * (start + granules), open);
        let mut lab = Lab::new(Offset::new(top), end - top, open);
        for act in acts {
            let (got, bytes, allowed) = match act {
                Act::Bump(bytes) => (lab.bump(bytes), bytes, open),
                Act::BumpBehindWindow(bytes) => (lab.bump_behind_window(bytes), bytes, true),
                Act::Window(now) => {
                    lab.set_window(now);
                    open = now;
                    continue;
                }
            };
            let expected = (allowed && bytes <= end - top).then_some(Offset::new(top));
            prop_assert_eq!(got, expected);
            if got.is_some() {
                top += bytes;
            }
            prop_assert_eq!(lab.rest(), (Offset::new(top), end - top));
        }
    }
}
