//! How an engine says that something is not what it should be: by what it is, and what was expected.

/// Panics unless the first value is the second one: `WHAT is FOUND, and should be EXPECTED`. What is found comes first, and
/// the text says of what, as a noun that goes before "is".
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
