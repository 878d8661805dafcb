//! The internals, as documents.

#[doc = include_str!("architecture.md")]
pub mod architecture {}

#[doc = include_str!("ordering.md")]
pub mod ordering {}

#[doc = include_str!("glossary.md")]
pub mod glossary {}
