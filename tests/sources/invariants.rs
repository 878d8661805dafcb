//! Goal: an invariant is defined once, its letters belong to one place, and every citation is of one that exists.
//!
//! Method: sources, documents and tables of excuses are read as text. An invariant is defined where a line of a
//! module's text, or of a document, begins with it: `* **PS-1**`, `- T-1:`, `## O-1.`, or as the first cell of a row,
//! `| X-1 |`; in the text of an item it is printed bold, since a list of what a caller owes cites. Everything else
//! that looks like one is a citation. The checks are tested on small texts that break them.

use crate::text::{self, root};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// What looks like an invariant and is none, with the reason.
const OTHERS: [(&str, &str); 3] = [
    ("UTF-8", "an encoding"),
    ("O-12", "a sample in the test of what reads the orders' names"),
    ("X-23", "likewise, of the orders between two words"),
];

/// A name and where it stands: the file and the line.
type Place = (String, String, usize);

/// The names in a line: one or two capital letters, a hyphen and a number, with nothing before and after that belongs
/// to a longer word.
fn names(line: &str) -> Vec<&str> {
    let belongs = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-');
    let mut found = Vec::new();
    for (at, _) in line.match_indices('-') {
        let letters = line[..at].chars().rev().take_while(char::is_ascii_uppercase).count();
        let digits = line[at + 1..].chars().take_while(char::is_ascii_digit).count();
        let (start, end) = (at - letters, at + 1 + digits);
        if (1..=2).contains(&letters)
            && digits != 0
            && !belongs(line[..start].chars().next_back())
            && !belongs(line[end..].chars().next())
        {
            found.push(&line[start..end]);
        }
    }
    found
}

/// The invariant that a line defines.
fn definition(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let of_item = line.strip_prefix("///");
    let text = line.strip_prefix("//!").or(of_item).unwrap_or(line).trim_start();
    let name = *names(text).first()?;
    let marks: &[&str] = if of_item.is_some() { &["* **", "- **"] } else { &["* **", "- **", "- ", "* ", "## ", "| "] };
    let rest = marks.iter().find_map(|mark| text.strip_prefix(mark))?;
    let after = rest.strip_prefix(name)?;
    after.starts_with(['*', ':', '.', ',', ' ']).then_some(name)
}

/// The definitions and the citations of a file. A file that is a source has citations in comments and in texts of
/// assertions; code that subtracts has spaces around its sign.
fn read(file: &str, text: &str) -> (Vec<Place>, Vec<Place>) {
    let (mut defined, mut cited) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        let own = definition(line);
        let place = |name: &str| (name.to_owned(), file.to_owned(), number + 1);
        defined.extend(own.map(place));
        let others = names(line).into_iter().filter(|name| Some(*name) != own);
        cited.extend(others.filter(|name| OTHERS.iter().all(|(other, _)| other != name)).map(place));
    }
    (defined, cited)
}

/// What is wrong with files, given as name and text.
fn violations(files: &[(String, String)]) -> Vec<String> {
    let mut wrong = Vec::new();
    let (mut defined, mut cited): (Vec<Place>, Vec<Place>) = (Vec::new(), Vec::new());
    for (file, text) in files {
        let (of_file, from_file) = read(file, text);
        defined.extend(of_file);
        cited.extend(from_file);
    }
    let mut places: BTreeMap<&str, &Place> = BTreeMap::new();
    let mut owners: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for place in &defined {
        let (name, file, line) = place;
        if let Some((_, other, first)) = places.insert(name, place) {
            wrong.push(format!("{file}:{line}: {name} is defined at {other}:{first} already"));
        }
        let letters = name.split('-').next().expect("a split has a first part");
        owners.entry(letters).or_default().insert(file);
    }
    for (letters, files) in owners.iter().filter(|(_, files)| files.len() > 1) {
        let files: Vec<&str> = files.iter().copied().collect();
        wrong.push(format!("{letters}- is the prefix of several files, take other letters: {}", files.join(", ")));
    }
    for (name, file, line) in cited.iter().filter(|(name, ..)| !places.contains_key(name.as_str())) {
        wrong.push(format!("{file}:{line}: {name} is defined nowhere"));
    }
    wrong
}

fn collect(root: &Path, directory: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).expect("the tree is readable") {
        let path = entry.expect("the tree is readable").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_text = [".rs", ".md", ".toml", ".patch", ".sh"].iter().any(|ending| name.ends_with(ending));
        if path.is_dir() {
            if !["target", "node_modules"].contains(&name) && !name.starts_with('.') {
                collect(root, &path, files);
            }
        } else if is_text && name != "invariants.rs" {
            let file = path.strip_prefix(root).expect("found there").display().to_string();
            files.push((file, text::read(&path)));
        }
    }
}

#[test]
fn each_invariant_is_defined_once_and_each_citation_resolves() {
    let root = root();
    let mut files = Vec::new();
    for directory in ["src", "verify", "tests", "fuzz"] {
        collect(root, &root.join(directory), &mut files);
    }
    let defined: usize = files.iter().map(|(file, text)| read(file, text).0.len()).sum();
    assert!(defined > 120, "only {defined} definitions were found");
    let wrong = violations(&files);
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

// ---- the checks are checked -----------------------------------------------------------------------------------------

#[test]
fn names_are_told_from_words() {
    assert_eq!(names("S-1, (PS-2); not UTF-8, x-1, R2-3, T-1a, ABC-1, -1 or a-B-1; K-10."), ["S-1", "PS-2", "K-10"]);
    let defining = ["//! * **PS-1** what", "//! - T-1: what", "## O-7. What", "| X-10 | what", "//! - S-2, what"];
    let names: Vec<_> = defining.iter().map(|line| definition(line).expect("a definition")).collect();
    assert_eq!(names, ["PS-1", "T-1", "O-7", "X-10", "S-2"]);
    for line in ["// PS-1: as above", "//! By PS-1 it is so.", "/// * S-3: the caller owns it", "fn f() {} // O-1"] {
        assert_eq!(definition(line), None, "{line}");
    }
}

#[test]
fn each_violation_is_seen() {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let good =
        [file("a.rs", "//! * **A-1** one\n//! * **A-2** two\n"), file("b.rs", "// A-1, A-2\n//! - B-1: three\n")];
    assert_eq!(violations(&good), [""; 0]);
    let bad = [
        (file("c.rs", "//! * **C-1** one\n//! * **C-1** again\n"), "c.rs:2: C-1 is defined at c.rs:1 already"),
        (file("c.rs", "//! * **A-3** one\n"), "A- is the prefix of several files, take other letters: a.rs, c.rs"),
        (file("c.rs", "fn f() {} // by A-7\n"), "c.rs:1: A-7 is defined nowhere"),
        (file("c.rs", "assert!(x, \"Z-1: never\");\n"), "c.rs:1: Z-1 is defined nowhere"),
    ];
    for (bad, expected) in bad {
        let files: Vec<_> = good.iter().cloned().chain([bad]).collect();
        assert_eq!(violations(&files), [expected]);
    }
}
