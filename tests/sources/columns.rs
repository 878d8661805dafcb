//! Goal: no line of a source is wider than the page it is read on.
//!
//! Method: the lines of all sources of the tree are counted in characters. rustfmt breaks code that is too wide, and
//! leaves comments, literals and what stands beside them.

use crate::text::{read, root, rust_files};

/// The columns of a line, as in `rustfmt.toml`.
const COLUMNS_MAX: usize = 120;

/// The lines that are too wide, as `line: columns`.
fn too_wide(source: &str) -> Vec<String> {
    let columns = source.lines().map(|line| line.chars().count()).enumerate();
    let wide = columns.filter(|&(_, columns)| columns > COLUMNS_MAX);
    wide.map(|(index, columns)| format!("{}: {columns} columns", index + 1)).collect()
}

#[test]
fn no_line_is_too_wide() {
    let mut files = Vec::new();
    for directory in ["src", "verify", "fuzz", "tests"] {
        rust_files(&root().join(directory), &mut files);
    }
    assert!(files.len() > 300, "only {} files were read", files.len());
    let wide = |file: &std::path::PathBuf| {
        let inside = file.strip_prefix(root()).expect("found there").display().to_string();
        too_wide(&read(file)).into_iter().map(move |line| format!("{inside}:{line}"))
    };
    let wrong: Vec<String> = files.iter().flat_map(wide).collect();
    assert!(wrong.is_empty(), "break these lines, the most is {COLUMNS_MAX}:\n{}", wrong.join("\n"));
}

#[test]
fn columns_are_those_of_rustfmt() {
    assert!(read(&root().join("rustfmt.toml")).lines().any(|line| line == format!("max_width = {COLUMNS_MAX}")));
}

#[test]
fn columns_are_characters() {
    assert_eq!(too_wide(&format!("{}\n{}", "é".repeat(COLUMNS_MAX), "x".repeat(COLUMNS_MAX))), [""; 0]);
    assert_eq!(too_wide(&format!("\n{}\r\n", "é".repeat(COLUMNS_MAX + 1))), ["2: 121 columns"]);
}
