//! The handle stack, against a vector.

use heaplab::Tagged;
use heaplab::thread::HandleSlots;
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Act {
    Push(i32),
    Open,
    Close,
    Trim,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => (0i32..1000).prop_map(Act::Push),
        2 => Just(Act::Open),
        2 => Just(Act::Close),
        1 => Just(Act::Trim),
    ]
}

proptest! {
    /// Scopes nest like vectors that are truncated; a slot keeps its address and its value while its scope is open.
    #[test]
    fn a_handle_stack_is_a_vector(block_slots in 1usize..5, acts in vec(act(), 0..120)) {
        let mut slots = HandleSlots::new(block_slots);
        let mut model = Vec::new();
        let mut scopes = Vec::new();
        let block_bytes = slots.bytes();
        for act in acts {
            match act {
                Act::Push(value) => {
                    let slot = slots.push(Tagged::small(value).unwrap());
                    model.push((slot, value));
                }
                Act::Open => scopes.push((slots.mark(), model.len())),
                Act::Close => {
                    if let Some((mark, len)) = scopes.pop() {
                        // SAFETY: the mark is this stack's, and the innermost.
                        unsafe { slots.reset(mark) };
                        model.truncate(len);
                    }
                }
                Act::Trim => {
                    slots.trim();
                    let in_use = model.len().div_ceil(block_slots).max(1);
                    prop_assert!(slots.bytes() <= (in_use + 1) * block_bytes);
                }
            }
            let mut seen = Vec::new();
            // SAFETY: this thread alone has the stack.
            slots.for_each(|slot| seen.push(Tagged::from_bits(unsafe { slot.with(|bits| *bits) }).as_small().unwrap()));
            let expected: Vec<i32> = model.iter().map(|&(_, value)| value).collect();
            prop_assert_eq!(&seen, &expected);
            prop_assert_eq!(slots.len(), expected.len());
            prop_assert!(slots.bytes() >= expected.len().div_ceil(block_slots) * block_bytes);
            for &(slot, value) in &model {
                // SAFETY: as above, and the slot's scope is open.
                let word = Tagged::from_bits(unsafe { slot.as_ref().with(|bits| *bits) });
                prop_assert_eq!(word.as_small(), Some(value));
            }
        }
    }
}
