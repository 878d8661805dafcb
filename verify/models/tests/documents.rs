//! Goal: every model says what it holds, and has a name of its own that says where it is. The doc comment of its
//! function states what a refusal, a count and a bound must be, so that a reader can compare it with the assertions
//! and find one that accepts more.
//!
//! Method: the sources of `verify/models/src` are read as text. Each row of a table `models! { .. }` names a function
//! of the same file, and the lines above that function have a doc comment. Whether the comment is true is not a
//! matter for a test. A table begins with its protocol, which is the file's name, and `verify/models/src/lib.rs`
//! lists it.

#![cfg(not(any(miri, feature = "loom", feature = "shuttle")))]

use std::fs;
use std::path::Path;

/// The functions that the tables of a source name as models, in order.
fn models(source: &str) -> Vec<&str> {
    let tables = source.split("\nmodels! {").skip(1);
    let rows = tables.flat_map(|table| table.split("\n}").next().expect("a split has a first part").lines());
    rows.filter_map(|row| row.trim().split_once(": Spec::")).map(|(name, _)| name).collect()
}

/// Whether the function of this name has a doc comment.
///
/// # Panics
/// If the source has no such function.
fn is_documented(source: &str, name: &str) -> bool {
    let head = format!("fn {name}(");
    let lines: Vec<&str> = source.lines().collect();
    let at = lines.iter().position(|line| line.starts_with(&head));
    let at = at.unwrap_or_else(|| panic!("the table names `{name}`, and the file has no such function"));
    let above = lines[..at].iter().rev().take_while(|line| line.starts_with("///") || line.starts_with("#["));
    above.into_iter().any(|line| line.strip_prefix("///").is_some_and(|text| !text.trim().is_empty()))
}

/// The models of a source without a doc comment.
fn undocumented(source: &str) -> Vec<&str> {
    models(source).into_iter().filter(|name| !is_documented(source, name)).collect()
}

/// What is wrong with the names that the tables of `FILE.rs` give to models, where `protocols` are those that
/// `verify/models/src/lib.rs` lists.
fn misnamed(file: &str, source: &str, protocols: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    for table in source.split("\nmodels! {").skip(1) {
        let protocol = table.split('"').nth(1).unwrap_or_default();
        if protocol != file {
            wrong.push(format!(
                "a table in verify/models/src/{file}.rs is of the protocol `{protocol}`: it belongs into \
                 verify/models/src/{protocol}.rs, or its protocol is `{file}`"
            ));
        }
    }
    let names = models(source);
    if !names.is_empty() && !protocols.contains(&file) {
        wrong.push(format!(
            "verify/models/src/{file}.rs has models: `protocols!` in verify/models/src/lib.rs has to list it"
        ));
    }
    let taken = names.iter().enumerate().filter(|(at, name)| names[..*at].contains(name));
    wrong.extend(taken.map(|(_, name)| format!("two models are called {file}::{name}: a name is one model's")));
    wrong
}

/// The protocols that `verify/models/src/lib.rs` lists.
fn protocols(main: &str) -> Vec<&str> {
    let list = main.split("\nprotocols!(").nth(1).and_then(|list| list.split(");").next());
    list.expect("there is a list of protocols").split(',').map(str::trim).filter(|name| !name.is_empty()).collect()
}

#[test]
fn every_model_has_a_name_of_its_own() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let main = fs::read_to_string(directory.join("lib.rs")).expect("a source is text");
    let protocols = protocols(&main);
    assert!(protocols.len() > 15, "the list was read: {protocols:?}");
    let mut wrong = Vec::new();
    for entry in fs::read_dir(directory).expect("the models can be read") {
        let path = entry.expect("the models can be read").path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let file = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
            wrong.extend(misnamed(&file, &fs::read_to_string(&path).expect("a source is text"), &protocols));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_model_that_is_misnamed_is_noticed() {
    assert_eq!(misnamed("small", SMALL, &["small"]), [""; 0]);
    let other = misnamed("other", SMALL, &["small", "other"]);
    assert!(other.len() == 1 && other[0].contains("belongs into verify/models/src/small.rs"), "{other:?}");
    let unlisted = misnamed("small", SMALL, &["other"]);
    assert!(unlisted.len() == 1 && unlisted[0].contains("`protocols!` in verify/models/src/lib.rs"), "{unlisted:?}");
    let taken = misnamed("small", &SMALL.replace("    empty: ", "    said: "), &["small"]);
    assert!(taken.len() == 1 && taken[0].contains("two models are called small::said"), "{taken:?}");
}

#[test]
fn every_model_says_what_it_holds() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut count, mut found) = (0, Vec::new());
    for entry in fs::read_dir(directory).expect("the models can be read") {
        let path = entry.expect("the models can be read").path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let source = fs::read_to_string(&path).expect("a source is text");
        count += models(&source).len();
        found.extend(undocumented(&source).into_iter().map(|name| format!("{}: {name}", path.display())));
    }
    found.sort();
    assert!(count > 100, "the tables were read: {count} models");
    assert!(found.is_empty(), "models whose functions have no doc comment:\n{}", found.join("\n"));
}

/// A small file with a documented model, two that are not, and a function that is no model.
const SMALL: &str = "
models! {
    \"small\":
    said: Spec::two_threads(),
    unsaid: Spec::bounded(2, 3).with_fault(Fault::Wakeup),
    empty: Spec::alone(),
}

/// One is served.
#[rustfmt::skip]
fn said() {}

fn no_model() {}

// No doc comment.
fn unsaid() {}

///
fn empty() {}
";

#[test]
fn a_model_without_a_doc_comment_is_noticed() {
    assert_eq!(models(SMALL), ["said", "unsaid", "empty"]);
    assert_eq!(undocumented(SMALL), ["unsaid", "empty"]);
    assert_eq!(undocumented(&SMALL.replace("// No doc", "/// A doc").replace("///\n", "/// None.\n")), [""; 0]);
}

#[test]
#[should_panic(expected = "the file has no such function")]
fn a_row_without_a_function_is_noticed() {
    undocumented(&SMALL.replace("fn said", "fn other"));
}
