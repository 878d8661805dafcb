//! [`claim_eq!`](crate::claim_eq): an assertion whose message says what was found and what it should be.

/// Panics unless the first value, which was found, equals the second, which was expected. The message is
/// `WHAT is FOUND, and should be EXPECTED`; the arguments after the values are the format of `WHAT`, a noun phrase.
///
/// # Examples
///
/// ```should_panic
/// heaplab_common::claim_eq!(2 + 2, 5, "the sum of {} and two", 2);
/// ```
#[macro_export]
macro_rules! claim_eq {
    ($found:expr, $expected:expr, $($what:tt)+) => {
        match (&$found, &$expected) {
            (found, expected) => {
                if *found != *expected {
                    panic!("{} is {found:?}, and should be {expected:?}", format_args!($($what)+));
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_claim_says_what_was_found_of_what() {
        let claim = |found: u32| std::panic::catch_unwind(|| claim_eq!(found, 7, "the number of {}", "local heaps"));
        assert!(claim(7).is_ok());
        let payload = claim(8).unwrap_err();
        assert_eq!(
            payload.downcast_ref::<String>().map(String::as_str),
            Some("the number of local heaps is 8, and should be 7")
        );
    }
}
