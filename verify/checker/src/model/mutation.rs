//! Mutants by name, and which of them are worth trying at a site.
//!
//! Two campaigns judge the suite (`heaplab weaken`, `heaplab mutants`): every ordering one step weaker, and every
//! operation of a protocol dropped, doubled, split or postponed. The mutants of both are derived from the sites that
//! the models run; nobody chooses them. `heaplab::sync::model_control` says what each change is.

use heaplab::sync::model_control::{Mutant, Site, SiteUse};
use heaplab::sync::terms::{Change, Operand, UnknownTerm};

/// A mutant's name: `file:line:column,operand,change`.
pub type MutantName = String;

/// Which mutants a campaign tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MutantKind {
    /// Orderings, one step weaker.
    Ordering,
    /// Steps of protocols: dropped, doubled, split or postponed.
    Protocol,
}

impl MutantKind {
    /// The mutants of this kind at a site.
    pub fn mutants(self, site_use: &SiteUse) -> impl Iterator<Item = Mutant> + use<> {
        site_use.mutants().filter(move |mutant| MutantKind::of(mutant.change) == self)
    }

    /// The kind of the mutants with this change.
    #[must_use]
    pub fn of(change: Change) -> MutantKind {
        if change.is_of_ordering() { MutantKind::Ordering } else { MutantKind::Protocol }
    }
}

/// Whether a path is one of the heap's sources; cargo names the files of a workspace's root package from its root.
#[must_use]
pub fn is_under_test(file: &str) -> bool {
    let file = file.replace('\\', "/");
    // A page source is not the heap, so its operations have no mutants.
    let is_heap = file.starts_with("src/") || (file.contains("/src/") && !file.contains("verify/"));
    is_heap && !file.contains("src/memory/")
}

/// The mutant of that name. The mutant need not exist: perhaps no model runs its site.
///
/// # Errors
/// What the name lacks.
pub fn parse(name: &str) -> Result<Mutant, String> {
    let bad = |what: &str| format!("`{name}` is no mutant: {what}; one is FILE:LINE:COLUMN,OPERAND,CHANGE");
    let mut parts = name.split(',');
    let (Some(site), Some(operand), Some(change), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(bad("it has not three parts"));
    };
    let site = parse_site(site).ok_or_else(|| bad("its site is not FILE:LINE:COLUMN"))?;
    let operand: Operand = operand.parse().map_err(|error: UnknownTerm| bad(&error.to_string()))?;
    let change: Change = change.parse().map_err(|error: UnknownTerm| bad(&error.to_string()))?;
    if !change.applies_to(operand) {
        return Err(bad("that operand cannot be changed so"));
    }
    Ok(Mutant { site, operand, change })
}

/// Reads `file:line:column` as a site.
fn parse_site(text: &str) -> Option<Site> {
    let mut parts = text.rsplitn(3, ':');
    let column = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    // The name is leaked, since a site holds a `&'static str`, as the compiler makes it.
    let file = Box::leak(parts.next()?.to_owned().into_boxed_str());
    Some(Site { file, line, column })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_survives_its_name() {
        for name in ["src/a.rs:12:3,rmw,relaxed", "src/space/b.rs:1:2,notify,drop", "src/a.rs:1:1,cas-success,split"] {
            assert_eq!(parse(name).unwrap().to_string(), name);
        }
    }

    #[test]
    fn what_is_no_mutant_is_refused_by_name() {
        for (name, why) in [
            ("", "three parts"),
            ("src/a.rs:1,rmw,drop", "its site"),
            ("src/a.rs:1:2,rmx,drop", "`rmx` is no operand"),
            ("src/a.rs:1:2,rmw,dropp", "`dropp` is no change"),
            ("src/a.rs:1:2,load,drop", "cannot be changed so"),
        ] {
            assert!(parse(name).unwrap_err().contains(why), "{name}");
        }
    }
}
