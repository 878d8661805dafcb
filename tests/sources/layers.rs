//! Goal: the layers in the table of `src/lib.rs` are real: a module uses its own layer and lower ones, threads and
//! cells come through `sync` alone, only `sync` and `memory` know of loom and shuttle, and no file is too long to be
//! read at once.
//!
//! Method: the sources are read as text. Comments and strings are dropped, use trees are expanded, and every path is
//! looked at. The checker itself is tested on bad samples, so that it cannot pass by seeing nothing.

use crate::text::{paths, read, root, rust_files, strip, tokens};
use std::collections::BTreeMap;

const LINES_MAX: usize = 700;

/// Modules that may name threads, cells and checkers.
const DOORS: [&str; 2] = ["sync", "memory"];

/// The checkers that replace what is behind these modules: crates, and features of the same names.
const CHECKERS: [&str; 2] = ["loom", "shuttle"];

/// The layer of each module, as the table in `src/lib.rs` says.
fn layers(lib: &str) -> BTreeMap<String, u32> {
    let mut layers = BTreeMap::new();
    for line in lib.lines() {
        let mut cells = line.trim_start_matches("//!").split('|').map(str::trim).skip(1);
        let (Some(Ok(layer)), Some(modules)) = (cells.next().map(str::parse), cells.next()) else { continue };
        for module in modules.split(',') {
            layers.insert(module.trim().trim_matches(['[', '`', ']']).to_owned(), layer);
        }
    }
    layers
}

/// What is wrong with one file of module `module`.
fn violations(layers: &BTreeMap<String, u32>, module: &str, root_of_module: bool, source: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let own = layers.get(module);
    let door = DOORS.contains(&module);
    for path in paths(&tokens(&strip(source, false))) {
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        let text = names.join("::");
        let leaves = names.starts_with(&["super", "super"]) || root_of_module && names[0] == "super";
        match names[..] {
            ["crate", used, ..] => match (layers.get(used), own) {
                (Some(layer), Some(own)) if layer <= own => {}
                (Some(layer), Some(_)) => wrong.push(format!("{text}: layer {layer} is above {module}")),
                (Some(_), None) => wrong.push(format!("{text}: {module} is not in the table of src/lib.rs")),
                (None, _) => wrong.push(format!("{text}: name the module, not the root's export")),
            },
            ["std" | "core", "sync" | "thread", ..] if !door => wrong.push(format!("{text}: through crate::sync")),
            ["std" | "core", "cell", "UnsafeCell", ..] if !door => wrong.push(format!("{text}: through crate::sync")),
            [name, ..] if CHECKERS.contains(&name) && !door => wrong.push(format!("{text}: only behind crate::sync")),
            _ if leaves => wrong.push(format!("{text}: leaves the module by a back door")),
            _ => {}
        }
    }
    let code = strip(source, true).replace(char::is_whitespace, "");
    for checker in CHECKERS {
        let (feature, flag) = (format!("feature=\"{checker}\""), format!("cfg({checker}"));
        if !door && (code.contains(&feature) || code.contains(&flag)) {
            wrong.push(format!("cfg of {checker}: no algorithm differs under a checker"));
        }
    }
    wrong
}

/// Where a build is told from another: the crate, `sync` and `memory`, what systems do differently, and the suite's
/// way in.
const FACES: [&str; 5] = ["lib.rs", "sync/mod.rs", "memory/mod.rs", "memory/system.rs", "heap/mod.rs"];

/// What a condition may not name elsewhere: features, systems, and Miri.
const BUILDS: [&str; 6] = ["feature", "unix", "windows", "target_os", "target_vendor", "miri"];

/// The conditions in a source, but for its tests, that tell a build from another.
fn told_builds(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code = strip(code, true);
    let conditions = ["cfg(", "cfg_attr(", "cfg!("].into_iter().flat_map(|start| code.split(start).skip(1));
    let mut depth = 1;
    let closed = |text: &str| {
        depth = 1;
        let end = text.find(|c: char| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        });
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let names_a_build = |condition: &String| {
        let mut words = condition.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.any(|word| BUILDS.contains(&word))
    };
    conditions.map(closed).filter(names_a_build).collect()
}

fn too_long(source: &str) -> bool {
    source.lines().count() > LINES_MAX
}

#[test]
fn modules_use_lower_layers_only() {
    let src = root().join("src");
    let layers = layers(&read(&src.join("lib.rs")));
    assert_eq!(layers.len(), 10, "the table of src/lib.rs: {layers:?}");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    assert!(files.len() > 40, "files are missing");
    let mut wrong = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&src).expect("found there");
        let mut parts = inside.components().map(|part| part.as_os_str().to_str().expect("plain names"));
        let (Some(module), Some(name)) = (parts.next(), parts.next()) else { continue };
        let source = read(&file);
        let found = violations(&layers, module, name == "mod.rs", &source);
        wrong.extend(found.into_iter().map(|violation| format!("{}: {violation}", inside.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A feature or a system is named at a face; what lies behind it is one text in every build.
#[test]
fn builds_are_told_apart_at_faces_only() {
    let src = root().join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let mut wrong = Vec::new();
    for file in files.iter().filter(|file| file.file_name().is_none_or(|name| name != "tests.rs")) {
        let inside = file.strip_prefix(&src).expect("found there").to_str().expect("plain names").replace('\\', "/");
        let told = told_builds(&read(file));
        if !FACES.contains(&&*inside) {
            wrong.extend(told.into_iter().map(|condition| format!("{inside}: {condition}: move it to a face")));
        } else if told.is_empty() {
            wrong.push(format!("{inside} is a face, and tells no builds apart"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_is_too_long() {
    let mut files = Vec::new();
    rust_files(root(), &mut files);
    let long: Vec<_> = files.into_iter().filter(|file| too_long(&read(file))).collect();
    assert!(long.is_empty(), "more than {LINES_MAX} lines: {long:?}");
}

// ---- the checker is checked -----------------------------------------------------------------------------------------

const TABLE: &str = "//! | layer | module | what |\n//! |---|---|---|\n//! | 7 | [`heap`] | API |\n\
                     //! | 3 | [`space`] | spaces |\n//! | 1 | [`memory`] | words |\n\
                     //! | 0 | [`words`], [`sync`] | base |\n";

#[test]
fn the_table_is_read() {
    let read = layers(TABLE);
    let expected = [("heap", 7), ("memory", 1), ("space", 3), ("sync", 0), ("words", 0)];
    assert_eq!(read, expected.map(|(module, layer)| (module.to_owned(), layer)).into());
}

#[test]
fn each_violation_is_seen() {
    let bad = [
        "use crate::heap::Heap;",
        "use crate::{words::Offset, heap::Heap};",
        "use crate::{\n    words::Offset,\n    sync::{Arc, Mutex},\n    heap,\n};",
        "fn f() -> crate::heap::Heap { todo!() }",
        "use crate::Heap;",
        "use crate::{Offset};",
        "use std::sync::Arc;",
        "use std::{fmt, sync::atomic::AtomicU32};",
        "fn f() { std::thread::yield_now() }",
        "use core::sync::atomic::Ordering;",
        "use core::cell::UnsafeCell;",
        "use std::cell::{Cell, UnsafeCell};",
        "use loom::cell::Cell;",
        "#[cfg(feature = \"loom\")]\nmod model;",
        "#[cfg(not(feature=\"loom\"))]\nmod native;",
        "const X: bool = cfg!(\n    feature = \"loom\"\n);",
        "#[cfg(loom)]\nmod model;",
        "use shuttle::sync::Mutex;",
        "fn f() { shuttle::thread::yield_now() }",
        "#[cfg(not(any(feature = \"loom\", feature = \"shuttle\")))]\nmod native;",
        "const X: bool = cfg!(feature = \"shuttle\");",
        "const QUOTE: char = '\"'; use std::sync::Arc; const OTHER: char = '\"';",
        "const ESCAPED: &str = \"\\\"\"; use std::sync::Arc; // \"",
        "use super::super::heap::Heap;",
    ];
    for source in bad {
        assert!(!violations(&layers(TABLE), "space", false, source).is_empty(), "not seen: {source}");
    }
    assert!(!violations(&layers(TABLE), "space", true, "use super::heap::Heap;").is_empty());
    assert!(!violations(&layers(TABLE), "memory", false, "use crate::space::Budget;").is_empty());
    assert!(!violations(&layers(TABLE), "unheard_of", false, "use crate::words::Offset;").is_empty());
}

#[test]
fn what_is_allowed_is_not_a_violation() {
    let good = [
        "use crate::words::{Offset, PageIndex};\nuse crate::sync::{Arc, UnsafeCell};\nuse crate::memory::Memory;",
        "use crate::space::Budget;",
        "//! Not [`crate::heap::Heap`], nor `std::sync`.\n// crate::heap\n/* use std::thread; */",
        "const TEXT: &str = \"use std::sync::Arc; // crate::heap\";",
        "use super::{Budget, PageSet};\nfn f(x: &[u8]) { for _ in 0..1 { x.len(); } }",
        "use core::fmt;\nuse std::collections::HashMap;",
    ];
    for source in good {
        let found = violations(&layers(TABLE), "space", false, source);
        assert!(found.is_empty(), "{source}: {found:?}");
    }
    let door = "use std::sync::Mutex;\nuse core::cell::UnsafeCell;\n#[cfg(feature = \"loom\")]\nuse loom::cell::Cell;";
    assert!(violations(&layers(TABLE), "sync", false, door).is_empty());
}

#[test]
fn each_told_build_is_seen() {
    let told = [
        ("#[cfg(feature = \"loom\")]\nmod model;", "feature = \"loom\""),
        ("#[cfg_attr(miri, ignore)]\nfn f() {}", "miri, ignore"),
        ("const X: bool = cfg!(all(unix, not(miri)));", "all(unix, not(miri))"),
        ("#[cfg(any(target_os = \"linux\", test))]\nfn f() {}", "any(target_os = \"linux\", test)"),
    ];
    for (source, condition) in told {
        assert_eq!(told_builds(source), [condition]);
    }
    let untold = [
        "// #[cfg(unix)]",
        "#[cfg(test)]\nmod tests {\n#[cfg(unix)]\nfn f() {}\n}",
        "#[cfg(debug_assertions)]\nfn f() {}",
    ];
    for source in untold {
        assert_eq!(told_builds(source), [""; 0], "{source}");
    }
}

#[test]
fn length_is_measured() {
    assert!(!too_long(&"\n".repeat(LINES_MAX)));
    assert!(too_long(&"\n".repeat(LINES_MAX + 1)));
}
