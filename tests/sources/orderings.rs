//! Goal: every ordering in the sources that is stronger than Relaxed cites its argument, and every citation names an
//! argument that exists.
//!
//! Method: the sources are read as text. A line with such an ordering has `O-n` on it or in the few lines above it;
//! each `O-n` that a source mentions is a section of `src/docs/ordering.md`; and each section is cited.

use crate::text::{read, root, rust_files};
use std::collections::BTreeSet;

/// How far above an ordering its citation may stand: a comment and the beginning of the call.
const LINES_ABOVE: usize = 9;

/// The directories that perform operations with orderings that their callers choose.
const DOORS: [&str; 2] = ["src/sync/", "src/memory/"];

/// The numbers of the arguments that a text cites.
fn citations(text: &str) -> BTreeSet<u32> {
    text.match_indices("O-")
        .filter(|(at, _)| !text[..*at].ends_with(|before: char| before.is_alphanumeric()))
        .filter_map(|(at, _)| {
            let digits: String = text[at + 2..].chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        })
        .collect()
}

fn is_strong(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or("");
    ["Acquire", "Release", "AcqRel", "SeqCst"].iter().any(|name| code.contains(&format!("Ordering::{name}")))
}

/// Lines whose ordering cites nothing, as `line: text`.
fn without_citation(text: &str) -> Vec<String> {
    // Unit tests stand at the end of a file.
    let code = text.split("#[cfg(test)]").next().unwrap_or("");
    let lines: Vec<&str> = code.lines().collect();
    let cites = |index: usize| !citations(&lines[index.saturating_sub(LINES_ABOVE)..=index].join("\n")).is_empty();
    let numbered = lines.iter().enumerate().filter(|(index, line)| is_strong(line) && !cites(*index));
    numbered.map(|(index, line)| format!("{}: {}", index + 1, line.trim())).collect()
}

#[test]
fn every_ordering_cites_its_argument() {
    let mut paths = Vec::new();
    rust_files(&root().join("src"), &mut paths);
    let (mut wrong, mut cited, mut count) = (Vec::new(), BTreeSet::new(), 0);
    for path in paths {
        let name = path.strip_prefix(root()).expect("below the root").to_string_lossy().replace('\\', "/");
        let text = read(&path);
        cited.extend(citations(&text));
        if !DOORS.iter().any(|door| name.starts_with(door)) {
            count += text.lines().filter(|line| is_strong(line)).count();
            wrong.extend(without_citation(&text).into_iter().map(|line| format!("{name}:{line}")));
        }
    }
    assert!(count > 10, "only {count} orderings found: does this test still see them?");
    assert!(wrong.is_empty(), "these orderings cite no argument of src/docs/ordering.md:\n{}", wrong.join("\n"));

    let arguments = read(&root().join("src/docs/ordering.md"));
    let sections: BTreeSet<u32> =
        arguments.lines().filter(|line| line.starts_with("## O-")).flat_map(citations).collect();
    assert_eq!(cited.difference(&sections).collect::<Vec<_>>(), Vec::<&u32>::new(), "cited, but no section");
    assert_eq!(sections.difference(&cited).collect::<Vec<_>>(), Vec::<&u32>::new(), "a section that nobody cites");
}

/// An ordering without a citation is found, and one with a citation is not.
#[test]
fn a_missing_citation_is_found() {
    assert_eq!(without_citation("// O-1: why\nx.load(Ordering::Acquire)").len(), 0);
    assert_eq!(without_citation("x.load(Ordering::Acquire)").len(), 1);
    assert_eq!(without_citation("x.load(Ordering::Relaxed) // not Ordering::Acquire").len(), 0);
    assert_eq!(without_citation(&format!("// O-1: too far\n{}x.swap(1, Ordering::AcqRel)", "\n".repeat(20))).len(), 1);
    assert_eq!(citations("as FOO-7, O-1 to O-12, O-x"), BTreeSet::from([1, 12]));
}
