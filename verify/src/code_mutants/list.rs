//! Which mutants there are: what cargo-mutants lists, by the committed `.cargo/mutants.toml`.

use crate::detect::process::cargo;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;

/// A place in a file, as cargo-mutants counts: lines and characters from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character of the line.
    pub column: usize,
}

/// From one place to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Span {
    /// Where it begins.
    pub start: Position,
    /// What it ends before.
    pub end: Position,
}

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Genre {
    /// A function returns a value at once.
    FnValue,
    /// Another operator of two operands.
    BinaryOperator,
    /// An operator of one operand is taken away.
    UnaryOperator,
    /// An arm of a match is taken away.
    MatchArm,
    /// A guard of an arm always or never holds.
    MatchArmGuard,
    /// A field of a structure has its base's value.
    StructField,
}

/// A mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeMutant {
    /// The file, from the root of the sources.
    pub file: String,
    /// The function; empty outside of one.
    pub function: String,
    /// What is changed.
    pub genre: Genre,
    /// Where.
    pub span: Span,
    /// What replaces that.
    pub replacement: String,
    /// What is done, without the place: `replace < with <= in PageSet::take`.
    pub what: String,
    /// The line of the source that it is in, without the space around it.
    pub line: String,
}

impl CodeMutant {
    /// Whether its file, or what is done, contains `part`.
    pub(super) fn has(&self, part: &str) -> bool {
        self.file.contains(part) || self.what.contains(part)
    }

    /// File and line.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.span.start.line)
    }
}

#[derive(Deserialize)]
struct Listed {
    file: String,
    function: Option<ListedFunction>,
    genre: Genre,
    span: Span,
    replacement: String,
    name: String,
}

#[derive(Deserialize)]
struct ListedFunction {
    function_name: String,
}

/// Asks cargo-mutants for the mutants of the heap at `root`.
///
/// # Errors
/// cargo-mutants is not installed, or lists them in another form than this reads.
pub(super) fn list(root: &Path) -> Result<Vec<CodeMutant>, String> {
    let output = cargo()
        .args(["mutants", "--list", "--json", "--package", "heaplab"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "cargo mutants fails; is it installed (cargo install --locked cargo-mutants)?\n{}",
            why.trim()
        ));
    }
    let source = |file: &str| {
        std::fs::read_to_string(root.join(file)).map_err(|error| format!("{file} cannot be read: {error}"))
    };
    parse(&String::from_utf8_lossy(&output.stdout), source)
}

fn parse(text: &str, source: impl Fn(&str) -> Result<String, String>) -> Result<Vec<CodeMutant>, String> {
    let listed: Vec<Listed> = serde_json::from_str(text)
        .map_err(|error| format!("this version of cargo-mutants lists mutants in an unknown form: {error}"))?;
    let (mut mutants, mut seen) = (Vec::new(), BTreeSet::new());
    for one in listed {
        // What is in a module that `lib.rs` declares twice, public and not, is listed twice.
        if !seen.insert(one.name.clone()) {
            continue;
        }
        let place = format!("{}:{}:{}: ", one.file, one.span.start.line, one.span.start.column);
        let source = source(&one.file)?;
        let line = source.lines().nth(one.span.start.line - 1).unwrap_or_default().trim().to_owned();
        mutants.push(CodeMutant {
            what: one.name.strip_prefix(&place).unwrap_or(&one.name).to_owned(),
            function: one.function.map(|function| function.function_name).unwrap_or_default(),
            file: one.file,
            genre: one.genre,
            span: one.span,
            replacement: one.replacement,
            line,
        });
    }
    Ok(mutants)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = r#"{
        "file": "src/a.rs", "function": { "function_name": "A::f" }, "genre": "BinaryOperator",
        "span": { "start": { "line": 2, "column": 7 }, "end": { "line": 2, "column": 8 } },
        "replacement": "-", "name": "src/a.rs:2:7: replace + with - in A::f"
    }"#;

    /// Each mutant would have two trials, and its line two edits.
    #[test]
    fn a_mutant_that_is_listed_twice_is_one() {
        let source = |_: &str| Ok("fn f() {\n    a + b\n}\n".to_owned());
        let mutants = parse(&format!("[{LISTED}, {LISTED}]"), source).unwrap();
        let said: Vec<(&str, &str, &str)> =
            mutants.iter().map(|one| (&*one.function, &*one.what, &*one.line)).collect();
        assert_eq!(said, [("A::f", "replace + with - in A::f", "a + b")]);
        assert!(parse("[{}]", source).unwrap_err().contains("an unknown form"));
    }
}
