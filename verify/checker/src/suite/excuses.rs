//! Excuses of mutants that no model can or need kill: committed, each with its reason.
//!
//! `verify/weaken.toml` has the orderings that survive because of a published blind spot of the checker, at most
//! [`ORDERINGS_MAX`]; `verify/mutants.toml` has the changed protocols that are no different programs, and known bugs
//! of other collectors, which a model has to kill. Both name a mutant by its call (see
//! [`census`](crate::model::census)), operand and change, so that edits elsewhere do not matter. An entry that
//! matches no mutant is an error, since the code that it speaks of has gone. An entry in the wrong file, a repeated
//! entry and an entry without a reason are errors too.

use crate::as_text;
use crate::model::mutation::MutantKind;
use heaplab::sync::terms::{Change, Operand};
use heaplab_common::workspace;
use serde::Deserialize;
use std::collections::BTreeSet;

/// The most orderings that may survive.
pub const ORDERINGS_MAX: usize = 5;
/// Bytes of the shortest text that counts as a sentence.
const REASON_MIN: usize = 20;

/// Mutants of one operand of one call that may survive.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excuse {
    /// The call: file, function, method, and its number if it is not the first.
    pub call: String,
    /// The operand.
    #[serde(with = "as_text")]
    pub operand: Operand,
    /// The changes.
    #[serde(deserialize_with = "as_text::list::deserialize")]
    pub changes: Vec<Change>,
    /// Why nothing kills them.
    pub reason: String,
}

/// A known bug of another collector, as a mutant of this heap.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedFault {
    /// The trap, or the row of the table of races.
    pub fault: String,
    /// The call.
    pub call: String,
    /// The operand.
    #[serde(with = "as_text")]
    pub operand: Operand,
    /// The change.
    #[serde(with = "as_text")]
    pub change: Change,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    survivor: Vec<Excuse>,
    #[serde(default)]
    equivalent: Vec<Excuse>,
    #[serde(default)]
    named: Vec<NamedFault>,
}

/// A file of excuses.
#[derive(Clone, Debug, Default)]
pub struct Excuses {
    /// Mutants that may survive.
    pub excused: Vec<Excuse>,
    /// Mutants that stand for a known bug.
    pub named: Vec<NamedFault>,
}

impl MutantKind {
    /// The committed file of the mutants of this kind that may survive, in `verify/`.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            MutantKind::Ordering => "weaken.toml",
            MutantKind::Protocol => "mutants.toml",
        }
    }
}

impl Excuses {
    /// Reads the file of one kind of mutants.
    ///
    /// # Errors
    /// The file cannot be read, or an entry is not of its form; the error says where the entry belongs.
    pub fn load(kind: MutantKind) -> Result<Excuses, String> {
        let name = kind.file();
        let path = workspace().join("verify").join(name);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("verify/{name}: {error}"))?;
        Excuses::parse(kind, &text).map_err(|error| format!("verify/{name}: {error}"))
    }

    fn parse(kind: MutantKind, text: &str) -> Result<Excuses, String> {
        let File { survivor, equivalent, named } = toml::from_str(text).map_err(|error| {
            format!(
                "{error}an excuse has `call`, `operand`, `changes` and `reason`, a [[named]] bug has `fault`, `call`, \
                     `operand` and `change`"
            )
        })?;
        let (excused, strangers) = match kind {
            MutantKind::Ordering => (survivor, equivalent),
            MutantKind::Protocol => (equivalent, survivor),
        };
        if let Some(stranger) = strangers.first() {
            return Err(format!(
                "{}: an ordering that survives is a [[survivor]] in verify/weaken.toml, a protocol that is no \
                 different program an [[equivalent]] in verify/mutants.toml",
                stranger.call
            ));
        }
        let mut seen = BTreeSet::new();
        for excuse in &excused {
            if excuse.reason.trim().len() < REASON_MIN {
                return Err(format!("{}: its `reason` is no sentence, and an excuse is one", excuse.call));
            }
            if excuse.changes.is_empty() {
                return Err(format!("{}: it excuses nothing, as its `changes` are empty", excuse.call));
            }
            for &change in &excuse.changes {
                check_change(kind, &excuse.call, excuse.operand, change)?;
                if !seen.insert((&excuse.call, excuse.operand, change.name())) {
                    return Err(format!(
                        "{} {} {change} is excused twice: one of the entries goes",
                        excuse.call, excuse.operand
                    ));
                }
            }
        }
        let mut seen = BTreeSet::new();
        for one in &named {
            check_change(kind, &one.call, one.operand, one.change)?;
            if !seen.insert(&one.fault) {
                return Err(format!("two known bugs are called `{}`: a name is one bug's", one.fault));
            }
        }
        Ok(Excuses { excused, named })
    }

    /// Why the mutant of this call may survive, if an entry excuses the mutant.
    #[must_use]
    pub fn reason(&self, call: &str, operand: Operand, change: Change) -> Option<&str> {
        let is_it =
            |excuse: &&Excuse| excuse.call == call && excuse.operand == operand && excuse.changes.contains(&change);
        self.excused.iter().find(is_it).map(|excuse| excuse.reason.as_str())
    }
}

/// Refuses a change that makes no mutant of this kind.
fn check_change(kind: MutantKind, call: &str, operand: Operand, change: Change) -> Result<(), String> {
    let of_change = MutantKind::of(change);
    if of_change != kind {
        return Err(format!("{call}: the change `{change}` belongs into verify/{}", of_change.file()));
    }
    if change.applies_to(operand) {
        Ok(())
    } else {
        Err(format!("{call}: there is no change `{change}` of the operand `{operand}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heaplab::sync::Ordering;

    const PROTOCOL: &str = "[[equivalent]]\ncall = \"src/a.rs A::f swap\"\noperand = \"rmw\"\nchanges = [\"double\", \
                            \"split\"]\nreason = \"the second write finds what the first one wrote\"\n";
    const ORDERING: &str = "[[survivor]]\ncall = \"src/a.rs A::f load\"\noperand = \"load\"\nchanges = [\"relaxed\"]\n\
                            reason = \"a published blind spot of the checker\"\n";
    const NAMED: &str = "[[named]]\nfault = \"a lost wake-up\"\ncall = \"src/a.rs A::f notify_all\"\n\
                         operand = \"notify\"\nchange = \"drop\"\n";

    #[test]
    fn an_excuse_is_found_by_call_operand_and_change() {
        let excuses = Excuses::parse(MutantKind::Protocol, PROTOCOL).unwrap();
        assert!(excuses.reason("src/a.rs A::f swap", Operand::Rmw, Change::Split).is_some());
        assert!(excuses.reason("src/a.rs A::f swap", Operand::Rmw, Change::Drop).is_none());
        assert!(excuses.reason("src/a.rs A::f swap", Operand::Store, Change::Split).is_none());
        assert!(excuses.reason("src/a.rs A::f swap#2", Operand::Rmw, Change::Split).is_none());
        let excuses = Excuses::parse(MutantKind::Ordering, ORDERING).unwrap();
        assert_eq!(
            excuses.reason("src/a.rs A::f load", Operand::Load, Change::Weaken(Ordering::Relaxed)),
            Some("a published blind spot of the checker")
        );
        assert_eq!(Excuses::parse(MutantKind::Protocol, NAMED).unwrap().named[0].change, Change::Drop);
    }

    /// Each bad entry is refused, and the message says what is wrong or where the entry belongs.
    #[test]
    fn what_is_no_excuse_is_refused() {
        let refused = |kind: MutantKind, text: &str, words: &[&str]| {
            let error = Excuses::parse(kind, text).expect_err(text);
            for word in words {
                assert!(error.contains(word), "no {word:?} in {error}");
            }
        };
        let protocol = |from: &str, to: &str, words: &[&str]| {
            assert!(PROTOCOL.contains(from), "{from}");
            refused(MutantKind::Protocol, &PROTOCOL.replace(from, to), words);
        };
        protocol("the second write finds what the first one wrote", "", &["A::f swap", "`reason` is no sentence"]);
        protocol("the second write finds what the first one wrote", "no", &["A::f swap", "`reason` is no sentence"]);
        protocol("reason =", "because =", &["unknown field", "because", "`reason`"]);
        protocol("reason = \"the second write finds what the first one wrote\"\n", "", &["missing field `reason`"]);
        protocol("\"split\"", "\"splitt\"", &["`splitt` is no change", "split, postpone"]);
        protocol("\"rmw\"", "\"rmx\"", &["`rmx` is no operand", "rmw"]);
        protocol("\"rmw\"", "\"load\"", &["A::f swap", "no change `double` of the operand `load`"]);
        protocol("\"split\"", "\"relaxed\"", &["A::f swap", "`relaxed` belongs into verify/weaken.toml"]);
        protocol("\"split\"", "\"double\"", &["A::f swap rmw double is excused twice"]);
        protocol("[\"double\", \"split\"]", "[]", &["A::f swap", "excuses nothing"]);
        protocol("[[equivalent]]", "[[excuse]]", &["unknown field `excuse`"]);
        protocol("[[equivalent]]", "[[survivor]]", &["A::f swap", "[[survivor]] in verify/weaken.toml"]);
        refused(MutantKind::Ordering, PROTOCOL, &["A::f swap", "[[equivalent]] in verify/mutants.toml"]);
        refused(
            MutantKind::Ordering,
            &ORDERING.replace("relaxed", "drop"),
            &["A::f load", "`drop` belongs into verify/mutants.toml"],
        );
        refused(MutantKind::Ordering, &ORDERING.repeat(2), &["A::f load load relaxed is excused twice"]);
        refused(MutantKind::Ordering, NAMED, &["`drop` belongs into verify/mutants.toml"]);
        refused(MutantKind::Protocol, &NAMED.repeat(2), &["two known bugs are called `a lost wake-up`"]);
        refused(MutantKind::Protocol, &NAMED.replace("fault", "bug"), &["unknown field `bug`"]);
    }

    #[test]
    fn the_committed_excuses_are_well_formed() {
        assert!(Excuses::load(MutantKind::Ordering).unwrap().excused.len() <= ORDERINGS_MAX);
        assert!(!Excuses::load(MutantKind::Protocol).unwrap().named.is_empty());
    }
}
