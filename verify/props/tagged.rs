//! Tagged words, headers, and shapes: what goes in comes out.

use heaplab::object::{FIXED_WORDS_MAX, Header};
use heaplab::words::RESERVATION_BYTES_MAX;
use heaplab::{Offset, Shape, Tagged, Tail};
use proptest::prelude::*;

fn offset(alignment: usize) -> impl Strategy<Value = Offset> {
    (0..RESERVATION_BYTES_MAX / alignment).prop_map(move |index| Offset::new(index * alignment))
}

proptest! {
    /// An integer is small if 31 bits hold it; a small integer is no reference.
    #[test]
    fn integers_are_small_within_31_bits(
        value in prop_oneof![any::<i32>(), -70i32..70, Just(Tagged::SMALL_MAX), Just(Tagged::SMALL_MIN)],
    ) {
        let in_range = (-(1i64 << 30)..1 << 30).contains(&i64::from(value));
        match Tagged::small(value) {
            Some(word) => {
                prop_assert!(in_range);
                prop_assert_eq!(word.as_small(), Some(value));
                prop_assert_eq!(word.as_reference(), None);
                prop_assert_eq!(Tagged::from_bits(word.bits()), word);
            }
            None => prop_assert!(!in_range),
        }
    }

    /// A reference addresses each granule of the greatest reservation, and is no small integer.
    #[test]
    fn references_reach_each_granule(at in offset(8)) {
        let word = Tagged::reference(at);
        prop_assert_eq!((word.as_reference(), word.as_small()), (Some(at), None));
    }

    /// The three states of a header are told apart at every address.
    #[test]
    fn headers_tell_their_states_apart(map in offset(32), to in offset(8)) {
        let headers = [Header::Map(map), Header::Kept(map), Header::Forwarded(to)];
        for header in headers {
            prop_assert_eq!(Header::decode(header.encode()), header);
        }
    }

    /// A shape survives the two words that encode it; a contradictory shape is refused.
    #[test]
    fn shapes_survive_their_words(
        kind in any::<u16>(),
        fixed in 0usize..=FIXED_WORDS_MAX + 1,
        tagged in 0usize..=FIXED_WORDS_MAX + 1,
        tail in 0usize..3,
    ) {
        let tail = [Tail::None, Tail::Tagged, Tail::Bytes][tail];
        let valid = (1..=FIXED_WORDS_MAX).contains(&fixed) && tagged < fixed && (tail == Tail::None || tagged != 0);
        match Shape::new(kind, fixed, tagged, tail) {
            Ok(shape) => {
                prop_assert!(valid);
                prop_assert_eq!(Shape::decode(shape.encode()), shape);
                prop_assert_eq!(
                    (shape.kind(), shape.fixed_words(), shape.tagged_words(), shape.tail()),
                    (kind, fixed, tagged, tail)
                );
            }
            Err(_) => prop_assert!(!valid),
        }
    }
}
