//! The table of a protocol: from its rows come the tests and the registry that the binary works on.

/// The table of a protocol's models: the protocol's name, then the functions that are their bodies, each with its
/// [`Spec`](crate::model::Spec). Becomes a constant `MODELS`.
#[macro_export]
macro_rules! models {
    ($protocol:literal: $($race:ident: $spec:expr),* $(,)?) => {
        /// The models of this protocol.
        pub(crate) const MODELS: &[$crate::model::Model] = &[$($crate::model::Model {
            name: concat!($protocol, "::", stringify!($race)),
            spec: $spec,
            body: $race,
        }),*];
    };
}
