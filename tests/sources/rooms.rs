//! Goal: the crates and rooms of the suite use what the tables say. Crates import what their rows in
//! `verify/README.md` name, and nothing else; within a crate with a table of rooms, each room uses rooms above it
//! alone.
//!
//! Method: manifests and sources are read as text and compared with the tables, in both directions: a use that a
//! table does not have is refused, and so is a row that names what is not used. The checks are tested on breaches.

use crate::packages::packages;
use crate::text::{paths, read, root, rust_files, strip, tokens};
use std::path::Path;

/// A row of a table: a crate or a room, and what it may use.
type Row = (String, Vec<String>);

/// The rows of a table whose lines begin with `prefix`: name, what for, uses.
fn rows(text: &str, prefix: &str) -> Vec<Row> {
    let name = |cell: &str| Some(cell.trim().strip_prefix('`')?.strip_suffix('`')?.to_owned());
    let row = |line: &str| {
        let mut cells = line.strip_prefix(prefix)?.strip_prefix('|')?.trim_end().trim_end_matches('|').split('|');
        let (row, _, uses) = (name(cells.next()?)?, cells.next()?, cells.next()?);
        cells.next().is_none().then(|| (row, uses.split(',').filter_map(name).collect()))
    };
    text.lines().filter_map(row).collect()
}

/// What is wrong with a table and what there is: `real` has each name with what it uses.
fn broken_walls(table: &str, rows: &[Row], real: &[Row]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (at, (row, uses)) in rows.iter().enumerate() {
        let above = &rows[..at];
        for used in uses.iter().filter(|used| !above.iter().any(|(other, _)| other == *used)) {
            wrong.push(format!("{row} may not use {used}, which is not above it in the table of {table}"));
        }
        let Some((_, used)) = real.iter().find(|(name, _)| name == row) else {
            wrong.push(format!("{row} is in the table of {table}, and does not exist"));
            continue;
        };
        for other in used.iter().filter(|other| !uses.contains(other)) {
            wrong.push(format!("{row} uses {other}, which its row in {table} does not name"));
        }
        for other in uses.iter().filter(|other| !used.contains(other)) {
            wrong.push(format!("{row} does not use {other}, which its row in {table} names"));
        }
    }
    for (name, _) in real.iter().filter(|(name, _)| !rows.iter().any(|(row, _)| row == name)) {
        wrong.push(format!("{name} has no row in the table of {table}: give it one, below what it uses"));
    }
    wrong.sort();
    wrong.dedup();
    wrong
}

/// The names that sources reach by a path that begins with `crate`, of those in `rooms`; `own` is left out.
fn used_rooms(rooms: &[Row], own: &str, source: &str) -> Vec<String> {
    let mut used: Vec<String> = Vec::new();
    for path in paths(&tokens(&strip(source, false))) {
        let [first, name, ..] = &path[..] else { continue };
        if first == "crate" && name != own && rooms.iter().any(|(room, _)| room == name) && !used.contains(name) {
            used.push(name.clone());
        }
    }
    used
}

/// The rooms of a crate as its sources have them: each with what it uses.
fn real_rooms(rooms: &[Row], sources: &[(String, String)]) -> Vec<Row> {
    let mut real: Vec<Row> = Vec::new();
    for (room, source) in sources {
        let used = used_rooms(rooms, room, source);
        match real.iter_mut().find(|(name, _)| name == room) {
            Some((_, uses)) => uses.extend(used),
            None => real.push((room.clone(), used)),
        }
    }
    real
}

/// The project's packages that a manifest depends on, for its sources or its tests, without the prefix `heaplab-`.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut in_dependencies = false;
    let mut found: Vec<String> = Vec::new();
    for line in manifest.lines() {
        if let Some(section) = line.strip_prefix('[') {
            in_dependencies = section.trim_end_matches(']').ends_with("dependencies");
        } else if let Some((name, _)) = line.split_once('=').filter(|_| in_dependencies) {
            let name = name.trim();
            let name = if name == "heaplab" { name } else { name.strip_prefix("heaplab-").unwrap_or_default() };
            if !name.is_empty() && !found.iter().any(|other| other == name) {
                found.push(name.to_owned());
            }
        }
    }
    found
}

/// Files that a source includes, or takes as a module, from outside of its directory: of the crate itself, such as its
/// README, or of another.
fn back_doors(source: &str) -> Vec<String> {
    let code = strip(source, true).replace(char::is_whitespace, "");
    let opens = ["include!(\"", "include_str!(\"", "include_bytes!(\"", "#[path=\"", "path=\""];
    let found = opens.iter().flat_map(|open| code.split(open).skip(1).filter_map(|rest| rest.split('"').next()));
    found.filter(|path| path.starts_with("..")).map(str::to_owned).collect()
}

/// The name of a package in the table: that in its manifest, without the prefix.
fn package_name(manifest: &str) -> String {
    let name = manifest.lines().find_map(|line| line.strip_prefix("name = \"")).expect("a package has a name");
    name.trim_end_matches('"').trim_start_matches("heaplab-").to_owned()
}

#[test]
fn crates_of_the_suite_import_what_their_rows_name() {
    let text = read(&root().join("verify/README.md"));
    let table = text.split("\n\n").find(|part| part.starts_with("| crate |")).expect("a table of crates");
    let mut rows = rows(table, "");
    assert!(rows.len() >= 8, "the table of verify/README.md: {rows:?}");
    let mut real: Vec<Row> = Vec::new();
    for package in packages() {
        let manifest = read(&package.join("Cargo.toml"));
        real.push((package_name(&manifest), dependencies(&manifest)));
    }
    // The heap is below all of them.
    rows.insert(0, ("heaplab".to_owned(), Vec::new()));
    real.push(("heaplab".to_owned(), Vec::new()));
    let wrong = broken_walls("verify/README.md", &rows, &real);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_source_of_the_suite_reaches_out_of_its_crate() {
    let mut wrong = Vec::new();
    for package in packages() {
        let mut files = Vec::new();
        rust_files(&package.join("src"), &mut files);
        for file in files {
            let inside = file.strip_prefix(&package).expect("found there").components().count() - 1;
            let leaves = |path: &String| path.split('/').take_while(|part| *part == "..").count() > inside;
            let doors = back_doors(&read(&file)).into_iter().filter(leaves);
            wrong.extend(doors.map(|path| format!("{}: {path}", file.display())));
        }
    }
    assert!(wrong.is_empty(), "read the file when the program runs, below workspace():\n{}", wrong.join("\n"));
}

#[test]
fn rooms_have_walls() {
    let mut with_tables = Vec::new();
    for package in packages() {
        let src = package.join("src");
        let lib = read(&src.join("lib.rs"));
        let rows = rows(&lib, "//! ");
        if rows.is_empty() {
            continue;
        }
        let mut files = Vec::new();
        rust_files(&src, &mut files);
        let room = |file: &Path| {
            let first = file.strip_prefix(&src).expect("found there").components().next().expect("a name");
            first.as_os_str().to_str().expect("plain names").trim_end_matches(".rs").to_owned()
        };
        let sources: Vec<(String, String)> = files.iter().map(|file| (room(file), read(file))).collect();
        let sources: Vec<_> = sources.into_iter().filter(|(room, _)| room != "lib" && room != "main").collect();
        let table = src.strip_prefix(root()).expect("below the root").join("lib.rs").display().to_string();
        let wrong = broken_walls(&table, &rows, &real_rooms(&rows, &sources));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        with_tables.push(package_name(&read(&package.join("Cargo.toml"))));
    }
    with_tables.sort();
    assert_eq!(with_tables, ["checker", "programs", "verify"], "the crates of several rooms have a table each");
}

// ---- the checks are checked -----------------------------------------------------------------------------------------

/// Each breach of a wall is seen, and says where the room belongs.
#[test]
fn each_broken_wall_is_seen() {
    let table = "//! | room | what for | uses |\n//! |---|---|---|\n//! | `claim` | says | |\n\
                 //! | `ops` | programs | |\n//! | `shadow` | oracle | `claim`, `ops` |\n";
    let rooms = rows(table, "//! ");
    assert_eq!(rooms.len(), 3, "{rooms:?}");
    assert_eq!(rooms[2].1, ["claim", "ops"]);
    let sources = |ops: &str, shadow: &str, more: &[&str]| {
        let all = [("claim", "fn f() {}"), ("ops", ops), ("shadow", shadow)];
        let more = more.iter().map(|&room| (room, "fn f() {}"));
        all.into_iter().chain(more).map(|(room, source)| (room.to_owned(), source.to_owned())).collect::<Vec<_>>()
    };
    let walls = |rows: &[Row], sources: &[(String, String)]| broken_walls("lib.rs", rows, &real_rooms(rows, sources));
    let good = "use crate::{claim::Claim, ops::{Op, Program}};\n// crate::ops and crate::report\n";
    assert_eq!(walls(&rooms, &sources("use std::fmt;", good, &[])), [""; 0]);
    let breaches = [
        (sources("use crate::shadow::Oracle;", good, &[]), "ops uses shadow"),
        (sources("fn f() { $crate::claim::eq(1, 1) }", good, &[]), "ops uses claim"),
        (sources("", "use crate::ops::Op;", &[]), "shadow does not use claim"),
        (sources("", good, &["explorer"]), "explorer has no row in the table of lib.rs: give it one"),
    ];
    for (sources, expected) in breaches {
        let wrong = walls(&rooms, &sources);
        assert!(wrong.len() == 1 && wrong[0].starts_with(expected), "{expected}: {wrong:?}");
    }
    let upside_down = rows("| `ops` | programs | `shadow` |\n| `shadow` | oracle | |\n", "");
    let sources =
        [("ops", "use crate::shadow::Oracle;"), ("shadow", "")].map(|(room, text)| (room.into(), text.into()));
    assert_eq!(walls(&upside_down, &sources), ["ops may not use shadow, which is not above it in the table of lib.rs"]);
    assert_eq!(walls(&rooms[..1], &[]), ["claim is in the table of lib.rs, and does not exist"]);
}

#[test]
fn a_manifest_is_read() {
    let manifest = "[package]\nname = \"heaplab-programs\"\n[features]\nloom = [\"heaplab/loom\"]\n[dependencies]\n\
                    serde = \"1\"\nheaplab = { path = \"..\" }\nheaplab-common = { path = \"c\" }\n\
                    [dev-dependencies]\nheaplab-models = { path = \"m\" }\n[lints]\nheaplab-none = 1\n";
    assert_eq!(package_name(manifest), "programs");
    assert_eq!(dependencies(manifest), ["heaplab", "common", "models"]);
}

#[test]
fn each_back_door_is_seen() {
    for source in
        ["include_str!(\"../x.txt\")", "#[path = \"../loom/main.rs\"]\nmod models;", "include!( \"../../a.rs\")"]
    {
        assert!(!back_doors(source).is_empty(), "{source}");
    }
    assert_eq!(back_doors("// include_str!(\"../x\")\nconst A: &str = include_str!(\"style.css\");"), [""; 0]);
}
