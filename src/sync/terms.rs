//! The terms in which an exploration is told: passes, faults, operands and changes.
//!
//! Only the model face explores, but builds without it also read what an exploration found: reports, and committed
//! excuses of mutants. So the terms are in every build, and each has one text, in which it is written
//! ([`Display`](fmt::Display)) and read ([`FromStr`]).

use core::fmt;
use core::str::FromStr;
use core::sync::atomic::Ordering;

/// A text that stands for none of the values of a term.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no {term}; there are {known}")]
pub struct UnknownTerm {
    /// The text.
    pub found: String,
    /// The term that the text should have been one of.
    pub term: &'static str,
    /// The texts that are known.
    pub known: String,
}

/// Gives a term its text, both ways: each value in `ALL` is written as `name` says, and read from the same.
macro_rules! text_of_term {
    ($($term:ty, $called:literal);* $(;)?) => {$(
        impl fmt::Display for $term {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        impl FromStr for $term {
            type Err = UnknownTerm;

            fn from_str(text: &str) -> Result<Self, UnknownTerm> {
                Self::ALL.into_iter().find(|known| known.name() == text).ok_or_else(|| UnknownTerm {
                    found: text.to_owned(),
                    term: $called,
                    known: Self::ALL.map(Self::name).join(", "),
                })
            }
        }
    )*};
}

text_of_term! {
    Pass, "pass";
    Fault, "fault";
    Operand, "operand";
    Change, "change";
}

/// The form in which loads and stores are performed; the module [`sync`](crate::sync) says why there are two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pass {
    /// As written.
    #[default]
    Normal,
    /// Loads as `fetch_or(0)`, stores as `swap`.
    ReadAsRmw,
    /// As written, with the explorer as the engine: each execution graph once, without a bound.
    Graphs,
}

impl Pass {
    /// All of them, in the order in which they run.
    pub const ALL: [Pass; 3] = [Pass::Graphs, Pass::Normal, Pass::ReadAsRmw];

    /// Its text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Pass::Normal => "normal",
            Pass::ReadAsRmw => "read-as-rmw",
            Pass::Graphs => "graphs",
        }
    }
}

/// What can fail once in an execution, at any one point or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A request for pages is refused by the memory source.
    PageRequest,
    /// A `compare_exchange_weak` fails although the value is the expected one.
    WeakExchange,
    /// A wait on a condition variable ends although nobody has notified.
    Wakeup,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 3] = [Fault::PageRequest, Fault::WeakExchange, Fault::Wakeup];

    /// Its text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Fault::PageRequest => "one refused page request",
            Fault::WeakExchange => "one spurious failure of a weak exchange",
            Fault::Wakeup => "one spurious wake-up",
        }
    }
}

/// Which of a site's operations, or orderings, is meant. A compare-exchange has two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operand {
    /// A load.
    Load,
    /// A store.
    Store,
    /// A read-modify-write that cannot fail.
    Rmw,
    /// A compare-exchange that stored.
    CasSuccess,
    /// A compare-exchange that did not store.
    CasFailure,
    /// A fence.
    Fence,
    /// A notification of a condition variable.
    Notify,
    /// A plain write to a heap word.
    PlainStore,
}

impl Operand {
    /// All of them.
    pub const ALL: [Operand; 8] = [
        Operand::Load,
        Operand::Store,
        Operand::Rmw,
        Operand::CasSuccess,
        Operand::CasFailure,
        Operand::Fence,
        Operand::Notify,
        Operand::PlainStore,
    ];

    /// Its text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Operand::Load => "load",
            Operand::Store => "store",
            Operand::Rmw => "rmw",
            Operand::CasSuccess => "cas-success",
            Operand::CasFailure => "cas-failure",
            Operand::Fence => "fence",
            Operand::Notify => "notify",
            Operand::PlainStore => "plain-store",
        }
    }
}

/// What is different at a mutant's site; `model_mutant` has a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// This ordering instead of a stronger one. A fence weakened to `Relaxed` is left out.
    Weaken(Ordering),
    /// The write does not happen.
    Drop,
    /// The write happens twice.
    Double,
    /// Reading and writing are two steps.
    Split,
    /// The write trades places with the thread's next publication.
    Postpone,
}

impl Change {
    /// All of them.
    pub const ALL: [Change; 8] = [
        Change::Weaken(Ordering::Relaxed),
        Change::Weaken(Ordering::Acquire),
        Change::Weaken(Ordering::Release),
        Change::Weaken(Ordering::AcqRel),
        Change::Drop,
        Change::Double,
        Change::Split,
        Change::Postpone,
    ];

    /// The changes of a protocol, apart from orderings.
    pub const OF_PROTOCOL: [Change; 4] = [Change::Drop, Change::Double, Change::Split, Change::Postpone];

    /// Whether this is a change of an ordering.
    #[must_use]
    pub fn is_of_ordering(self) -> bool {
        matches!(self, Change::Weaken(_))
    }

    /// Its text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Change::Weaken(Ordering::Relaxed) => "relaxed",
            Change::Weaken(Ordering::Acquire) => "acquire",
            Change::Weaken(Ordering::Release) => "release",
            Change::Weaken(_) => "acqrel",
            Change::Drop => "drop",
            Change::Double => "double",
            Change::Split => "split",
            Change::Postpone => "postpone",
        }
    }

    /// Whether `operand` can be changed so.
    #[must_use]
    pub fn applies_to(self, operand: Operand) -> bool {
        match self {
            Change::Weaken(_) => !matches!(operand, Operand::Notify | Operand::PlainStore),
            Change::Drop => !matches!(operand, Operand::Load | Operand::CasFailure | Operand::Fence),
            Change::Split => matches!(operand, Operand::Rmw | Operand::CasSuccess),
            Change::Double | Change::Postpone => {
                matches!(operand, Operand::Store | Operand::Rmw | Operand::CasSuccess | Operand::Notify)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each value has a text of its own, from which it is read again.
    fn are_told_apart<const N: usize, T: Copy + PartialEq + fmt::Debug + fmt::Display + FromStr<Err = UnknownTerm>>(
        all: [T; N],
    ) {
        for value in all {
            assert_eq!(value.to_string().parse(), Ok(value));
        }
        let error = "stronger".parse::<T>().unwrap_err();
        assert!(error.to_string().contains("`stronger` is no") && error.known.contains(&all[0].to_string()), "{error}");
    }

    #[test]
    fn each_value_is_read_from_its_text() {
        are_told_apart(Pass::ALL);
        are_told_apart(Fault::ALL);
        are_told_apart(Operand::ALL);
        are_told_apart(Change::ALL);
    }
}
