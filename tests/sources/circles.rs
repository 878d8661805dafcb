//! Goal: no two files of the heap, or of a crate of the suite, need each other by the names that they take: what one
//! file takes from others leads back to it by no way. (A method that another file adds to a type is not followed.)
//!
//! Method: the sources are read as text. A name that a file takes from a module - in a `use`, or by a path in its
//! code - is followed through the modules that hand it on to the file that defines it: that file is used. A `mod.rs`
//! uses what its own code names; what it only hands on, it does not use. Tests at the end of a file are not read. The
//! reader is tested on small trees with a circle in them.

use crate::packages::packages;
use crate::text::{Token, paths, read, root, rust_files, strip, tokens};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A module's path, from the crate on.
type Module = Vec<String>;

/// What a `use` brings: the path as it is written, and the name that it gets.
struct Import {
    path: Vec<String>,
    name: String,
}

/// A file, and the names that it imports, uses and defines.
struct Source {
    file: String,
    imports: Vec<Import>,
    /// Paths in the code, `use` declarations excluded.
    paths: Vec<Vec<String>>,
    defines: BTreeSet<String>,
    /// Each name in the code, `use` declarations excluded.
    names: BTreeSet<String>,
}

/// The files of a tree, by their modules.
type Tree = BTreeMap<Module, Source>;

/// The module of a file: `space/mod.rs` is `space`, `space/budget.rs` is `space::budget`, and `lib.rs` the crate.
fn module_of(file: &str) -> Module {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').filter(|name| *name != "lib").map(str::to_owned).collect()
}

/// Adds the imports of the use tree at `at`, under `prefix`, to `found`. Returns where the tree ends.
fn use_tree(tokens: &[Token], mut at: usize, prefix: &[String], found: &mut Vec<Import>) -> usize {
    let mut path = prefix.to_vec();
    while let Some(Token::Name(name)) = tokens.get(at) {
        path.push(name.clone());
        at += 1;
        if tokens.get(at) != Some(&Token::Colons) {
            break;
        }
        at += 1;
    }
    if tokens.get(at) == Some(&Token::Open) {
        at += 1;
        while !matches!(tokens.get(at), None | Some(Token::Close)) {
            let is_comma = tokens[at] == Token::Comma;
            at = if is_comma { at + 1 } else { use_tree(tokens, at, &path, found).max(at + 1) };
        }
        return at + 1;
    }
    if path.last().is_some_and(|name| name == "self") {
        path.pop();
    }
    let mut name = path.last().cloned().unwrap_or_default();
    if let (Some(Token::Name(word)), Some(Token::Name(alias))) = (tokens.get(at), tokens.get(at + 1))
        && word == "as"
    {
        name.clone_from(alias);
        at += 2;
    }
    found.push(Import { path, name });
    at
}

fn is_name(token: Option<&Token>, word: &str) -> bool {
    matches!(token, Some(Token::Name(name)) if name == word)
}

impl Source {
    fn parse(file: &str, text: &str) -> Source {
        const KEYWORDS: [&str; 9] =
            ["struct", "enum", "trait", "type", "fn", "const", "static", "union", "macro_rules"];
        let text = text.split("\nmod tests {").next().unwrap_or_default();
        let all = tokens(&strip(text, false));
        let (mut imports, mut code, mut defines, mut at) = (Vec::new(), Vec::new(), BTreeSet::new(), 0);
        while at < all.len() {
            if is_name(all.get(at), "use") {
                at = use_tree(&all, at + 1, &[], &mut imports);
                continue;
            }
            if let (Some(Token::Name(keyword)), Some(next)) = (all.get(at), all.get(at + 1))
                && KEYWORDS.contains(&keyword.as_str())
            {
                let name = if keyword == "macro_rules" { all.get(at + 2) } else { Some(next) };
                if let Some(Token::Name(name)) = name {
                    defines.insert(name.clone());
                }
            }
            if is_name(all.get(at), "mod") {
                if let (Some(Token::Name(name)), Some(Token::Open)) = (all.get(at + 1), all.get(at + 2)) {
                    defines.insert(name.clone());
                }
                // What a module declares, its code does not use.
                at += 2;
                continue;
            }
            code.push(all[at].clone());
            at += 1;
        }
        let names =
            code.iter().filter_map(|token| if let Token::Name(name) = token { Some(name.clone()) } else { None });
        let names = names.collect();
        Source { file: file.to_owned(), imports, paths: paths(&code), defines, names }
    }

    /// Whether the code of the file itself uses an import. A trait that is imported without a name is used.
    fn needs(&self, import: &Import) -> bool {
        !self.file.ends_with("mod.rs") || import.name == "_" || self.names.contains(&import.name)
    }
}

/// The modules whose files define what `path`, written in `module`, names: followed through what hands it on.
fn defined_in(tree: &Tree, module: &Module, path: &[String], depth: usize) -> Vec<Module> {
    let (mut at, mut rest) = (module.clone(), path);
    match path.first().map(String::as_str) {
        Some("crate") => (at, rest) = (Vec::new(), &path[1..]),
        Some("self") => rest = &path[1..],
        Some("super") => {
            while let ["super", ..] = rest.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                at.pop();
                rest = &rest[1..];
            }
        }
        _ => {}
    }
    for (index, name) in rest.iter().enumerate() {
        let mut child = at.clone();
        child.push(name.clone());
        if tree.contains_key(&child) {
            at = child;
            continue;
        }
        let Some(source) = tree.get(&at) else { return Vec::new() };
        if source.defines.contains(name) {
            return vec![at];
        }
        // Bounded: names are handed on through a few modules.
        if depth == 0 {
            return Vec::new();
        }
        let handed_on = source.imports.iter().filter(|import| import.name == *name);
        return handed_on
            .flat_map(|import| {
                let mut path = import.path.clone();
                path.extend(rest[index + 1..].iter().cloned());
                defined_in(tree, &at, &path, depth - 1)
            })
            .collect();
    }
    // A module itself: whoever imports it uses what is in it, but for the one that it is a part of.
    if at == *module || at.split_last().is_some_and(|(_, parent)| parent == module) { Vec::new() } else { vec![at] }
}

/// The files that each file uses.
fn uses(tree: &Tree) -> BTreeMap<&Module, BTreeSet<Module>> {
    let of = |(module, source): (&Module, &Source)| {
        let imports = source.imports.iter().filter(|import| source.needs(import)).map(|import| &import.path);
        let used = imports.chain(&source.paths).flat_map(|path| defined_in(tree, module, path, 4));
        used.filter(|used| used != module).collect()
    };
    tree.iter().map(|entry| (entry.0, of(entry))).collect()
}

/// The files that need each other, each group once, with who uses whom in it.
fn circles(tree: &Tree) -> Vec<String> {
    let uses = uses(tree);
    let reached = |from: &Module| {
        let (mut seen, mut pending) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(module) = pending.pop() {
            for next in uses.get(&module).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    pending.push(next.clone());
                }
            }
        }
        seen
    };
    let reach: BTreeMap<&Module, BTreeSet<Module>> = uses.keys().map(|&module| (module, reached(module))).collect();
    let mut found = BTreeSet::new();
    for (&module, others) in &reach {
        let group: BTreeSet<&Module> =
            reach.keys().copied().filter(|other| others.contains(*other) && reach[other].contains(module)).collect();
        if others.contains(module) {
            let file = |module: &Module| tree[module].file.as_str();
            let inside = |module: &&Module| {
                uses[*module].iter().filter(|used| group.contains(used)).map(file).collect::<Vec<_>>().join(", ")
            };
            let lines: Vec<String> =
                group.iter().map(|module| format!("{} uses {}", file(module), inside(module))).collect();
            found.insert(lines.join("\n  "));
        }
    }
    found.into_iter().collect()
}

/// The files below a directory of sources.
fn tree_of(src: &Path) -> Tree {
    let mut files = Vec::new();
    rust_files(src, &mut files);
    files
        .iter()
        .filter(|file| file.file_name().is_none_or(|name| name != "tests.rs"))
        .map(|file| {
            let inside = file.strip_prefix(src).expect("found there").to_str().expect("plain names");
            let inside = inside.replace('\\', "/");
            (module_of(&inside), Source::parse(&inside, &read(file)))
        })
        .collect()
}

#[test]
fn no_files_of_the_heap_need_each_other() {
    let tree = tree_of(&root().join("src"));
    let edges: usize = uses(&tree).values().map(BTreeSet::len).sum();
    assert!(tree.len() > 80 && edges > 300, "{} files and {edges} uses were read", tree.len());
    let found = circles(&tree);
    assert!(found.is_empty(), "move what both need into a file of its own, or pass it in:\n{}", found.join("\n"));
}

#[test]
fn no_files_of_the_suite_need_each_other() {
    let (mut count, mut found) = (0, Vec::new());
    for package in packages() {
        let tree = tree_of(&package.join("src"));
        count += tree.len();
        found.extend(circles(&tree).into_iter().map(|circle| format!("{}: {circle}", package.display())));
    }
    assert!(count > 200, "{count} files were read");
    assert!(found.is_empty(), "move what both need into a file of its own, or pass it in:\n{}", found.join("\n"));
}

// ---- the checker is checked -----------------------------------------------------------------------------------------

fn tree(files: &[(&str, &str)]) -> Tree {
    files.iter().map(|(file, text)| (module_of(file), Source::parse(file, text))).collect()
}

/// The parent of the samples: it declares the children, and hands their names on.
const PARENT: &str = "mod a;\nmod b;\npub use a::{A, new};\npub(crate) use b::B as Other;\n";

#[test]
fn each_circle_is_seen() {
    let (a, b) = ("pub struct A;\nfn new() {}\n", "pub struct B;\n");
    let circles_of = |more_a: &str, more_b: &str, more_parent: &str| {
        let [a, b, parent] = [a.to_owned() + more_a, b.to_owned() + more_b, PARENT.to_owned() + more_parent];
        circles(&tree(&[("lib.rs", "mod m;"), ("m/mod.rs", &parent), ("m/a.rs", &a), ("m/b.rs", &b)]))
    };
    let found = "m/a.rs uses m/b.rs\n  m/b.rs uses m/a.rs";
    let circles = [
        // By name, through the parent that hands names on, under another name, and by paths in the code.
        ("use super::b::B;", "use super::a::A;", ""),
        ("use super::Other;", "use super::A;", ""),
        ("use super::{Other as Mine};", "use super::{self, a::{new as make}};", ""),
        ("fn f() { super::Other::go() }", "fn f() -> crate::m::A { todo!() }", ""),
        ("use crate::m::b::{self as other};", "use super::a;", ""),
    ];
    for (more_a, more_b, more_parent) in circles {
        assert_eq!(circles_of(more_a, more_b, more_parent), [found], "{more_a} {more_b}");
    }
    // By the name of a module within a file.
    assert_eq!(circles_of("use super::b::kind;\npub mod kind {}", "use super::a::kind;\npub mod kind {}", ""), [found]);
    // A child that takes what its parent defines, and the parent takes what the child defines.
    let with_parent = circles_of("use super::Common;", "", "pub struct Common(A);");
    assert_eq!(with_parent, ["m/mod.rs uses m/a.rs\n  m/a.rs uses m/mod.rs"]);
    // Over a third file.
    let third = [
        ("lib.rs", ""),
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "struct B; use crate::c::C;"),
        ("c.rs", "struct C; use super::a;"),
    ];
    assert_eq!(self::circles(&tree(&third)).len(), 1);
}

#[test]
fn what_is_no_circle_is_none() {
    let samples = [
        // One way; the parent hands on; a word in a comment, a string, a test; what another crate calls so.
        ("use super::Other;", ""),
        ("// use super::b::B;\nconst X: &str = \"super::b::B\";", "use super::A;"),
        ("#[cfg(test)]\nmod tests {\nuse super::super::Other;\n}", "use super::A;"),
        ("#[cfg(all(test, not(feature = \"x\")))]\nmod tests {\nuse super::super::Other;\n}", "use super::A;"),
        ("use other::m::b::B;", "use super::A;"),
    ];
    for (more_a, more_b) in samples {
        let [a, b] = [format!("pub struct A;\n{more_a}"), format!("pub struct B;\n{more_b}")];
        let files = [("lib.rs", "mod m;"), ("m/mod.rs", PARENT), ("m/a.rs", &*a), ("m/b.rs", &*b)];
        assert_eq!(circles(&tree(&files)), [""; 0], "{more_a} {more_b}");
    }
}
