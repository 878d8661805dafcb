//! The table of a protocol: from its rows come the tests and the registry that the binary works on.

/// The table of a protocol's models: the protocol's name, then the functions that are their bodies, each with its
/// [`Spec`](crate::model::Spec). Becomes a constant `MODELS` and, in a test build, a test for each.
#[macro_export]
macro_rules! models {
    ($protocol:literal: $($race:ident: $spec:expr),* $(,)?) => {
        /// The models of this protocol.
        #[allow(dead_code, reason = "the tests use the table's rows, the binary the table")]
        pub(crate) const MODELS: &[$crate::model::Model] = &[$($crate::model::Model {
            name: concat!($protocol, "::", stringify!($race)),
            spec: $spec,
            body: $race,
        }),*];

        #[cfg(test)]
        mod explored {
            use super::*;

            $(#[test]
            fn $race() {
                let model = $crate::model::Model {
                    name: concat!($protocol, "::", stringify!($race)),
                    spec: $spec,
                    body: super::$race,
                };
                $crate::suite::run(&model, $crate::model::test_path(concat!(module_path!(), "::", stringify!($race))));
            })*
        }
    };
}
