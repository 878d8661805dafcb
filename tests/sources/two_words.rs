//! Goal: every place where an order between two words is relied on stands in the table of `src/docs/ordering.md`, and
//! what changes two words says whether anybody relies on the order of the two.
//!
//! Method: the sources are read as text. The table's rows are numbered `X-n` and name the functions of both words; a
//! comment in each of these functions has the tag, and no other function has. A *word function* changes an atomic
//! word itself, or does no more than to call one that does. In the files that share words between threads, whatever
//! changes one word after another in one function - by an operation or by a call of a word function - has a tag or
//! the remark "relied on by nobody" in the lines above. An operation stronger than Relaxed has an argument of its own
//! (`tests/sources/orderings.rs`).

use crate::text::{read, root, rust_files};
use std::collections::BTreeSet;

/// How far above a change of a second word its remark may stand.
const LINES_ABOVE: usize = 8;

/// Where words are shared, and a method's name tells which word it changes.
const SHARING: [&str; 3] = ["page/", "space/", "thread/"];

/// Names that the standard library or other types have too, or that are called where nobody else runs or on the
/// caller's own local heap: outside of [`SHARING`] they say nothing.
const COMMON: [&str; 16] = [
    "add", "claim", "clear", "exhaust", "find", "mark", "park", "put", "release", "set", "stop", "store", "swap",
    "take", "unpark", "visit",
];

/// Names that pointers and vectors have too, each with how a receiver ends that is a word of the heap.
const ONLY_ON: [(&str, &str); 2] = [("add", "persistent"), ("try_reserve", "budget")];

/// Word functions by what they mean: two steps on one set.
const STEPS: [&str; 1] = ["take"];

const OPERATIONS: [&str; 9] = [
    "fetch_or",
    "fetch_and",
    "fetch_add",
    "fetch_sub",
    "fetch_update",
    "swap",
    "compare_exchange",
    "compare_exchange_weak",
    "store",
];

const REMARK: &str = "relied on by nobody";

/// A function of a source, without its comments, line by line, and the comments beside them.
struct Function {
    file: String,
    name: String,
    first_line: usize,
    code: Vec<String>,
    comments: Vec<String>,
}

/// A change of a word: the line within the function, what it is called on, and whether an argument of its own is due.
#[derive(Debug, PartialEq)]
struct Change {
    line: usize,
    word: String,
    is_strong: bool,
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where `name` is called as a method or by a path in `code`: the place after the opening parenthesis, and what
/// precedes the dot or the colons.
fn calls<'a>(code: &'a str, name: &str) -> Vec<(usize, &'a str)> {
    let pattern = format!("{name}(");
    let found = code.match_indices(&pattern).filter_map(|(at, _)| {
        let before = code[..at].strip_suffix('.').or_else(|| code[..at].strip_suffix("::"))?.trim_end();
        let mut depth = 0;
        let start = before.rfind(|c: char| {
            depth += i32::from(matches!(c, ')' | ']')) - i32::from(matches!(c, '(' | '['));
            depth < 0 || depth == 0 && !is_name(c) && !matches!(c, '.' | ':' | '(' | '[')
        });
        Some((at + pattern.len(), before[start.map_or(0, |start| start + 1)..].trim()))
    });
    found.collect()
}

/// The functions of a source; unit tests stand at its end.
fn functions(file: &str, source: &str) -> Vec<Function> {
    let text = source.split("#[cfg(test)]").next().unwrap_or("");
    let split = |line: &str| match line.split_once("//") {
        Some((code, comment)) => (code.to_owned(), comment.to_owned()),
        None => (line.to_owned(), String::new()),
    };
    let (code, comments): (Vec<String>, Vec<String>) = text.lines().map(split).unzip();
    let mut found = Vec::new();
    for first in 0..code.len() {
        let Some(name) = code[first].split_once("fn ").filter(|(before, _)| !before.ends_with(is_name)) else {
            continue;
        };
        let name: String = name.1.chars().take_while(|&c| is_name(c)).collect();
        let (mut depth, mut opened) = (0, false);
        let end = (first..code.len()).find(|&line| {
            for c in code[line].chars() {
                depth += i32::from(c == '{') - i32::from(c == '}');
                opened |= c == '{';
            }
            (opened && depth <= 0) || (!opened && code[line].trim_end().ends_with(';'))
        });
        let Some(end) = end.filter(|_| opened && !name.is_empty()) else { continue };
        found.push(Function {
            file: file.to_owned(),
            name,
            first_line: first + 1,
            code: code[first..=end].to_vec(),
            comments: comments[first..=end].to_vec(),
        });
    }
    found
}

/// What `function` changes, in the order of the text. `words` are the word functions.
fn changes(function: &Function, words: &BTreeSet<String>) -> Vec<Change> {
    let code = function.code.join("\n");
    let body = code.find('{').expect("a function has a body");
    let mut found: Vec<(usize, Change)> = Vec::new();
    let mut names: BTreeSet<&str> = words.iter().map(String::as_str).collect();
    names.extend(OPERATIONS);
    let shares = SHARING.iter().any(|part| function.file.starts_with(part));
    for name in names.into_iter().filter(|name| shares || !COMMON.contains(name)) {
        for (at, receiver) in calls(&code, name).into_iter().filter(|(at, _)| *at > body) {
            // An operation on an atomic has an ordering among its operands; what else has its name is none.
            let operands = &code[at..code[at..].find(';').map_or(code.len(), |end| at + end)];
            let is_operation = OPERATIONS.contains(&name) && operands.contains("Ordering::");
            if ONLY_ON.iter().any(|&(only, word)| name == only && !receiver.ends_with(word)) {
                continue;
            }
            if is_operation || words.contains(name) && !receiver.is_empty() {
                let is_strong = is_operation && !operands.trim_start().is_empty() && {
                    let first = operands.find("Ordering::").map_or("", |at| &operands[at + "Ordering::".len()..]);
                    !first.starts_with("Relaxed")
                };
                let line = code[..at].matches('\n').count();
                let word = receiver.chars().filter(|c| !c.is_whitespace()).collect();
                found.push((at, Change { line, word, is_strong }));
            }
        }
    }
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, change)| change).collect()
}

/// Whether two receivers may be the same word: `self` and a field of it are not told apart.
fn is_same(a: &str, b: &str) -> bool {
    let is_part = |whole: &str, part: &str| part.strip_prefix(whole).is_some_and(|rest| rest.starts_with('.'));
    a == b || is_part(a, b) || is_part(b, a)
}

/// The functions that change a word, themselves or by doing no more than to call one that does.
fn word_functions(functions: &[Function]) -> BTreeSet<String> {
    let sharing = || functions.iter().filter(|f| SHARING.iter().any(|part| f.file.starts_with(part)));
    let none = BTreeSet::new();
    let mut words: BTreeSet<String> =
        sharing().filter(|f| !changes(f, &none).is_empty()).map(|f| f.name.clone()).collect();
    words.extend(STEPS.map(str::to_owned).into_iter().filter(|name| sharing().any(|f| f.name == *name)));
    loop {
        let is_short = |f: &&Function| f.code.join("\n").matches(';').count() <= 1;
        let passing_on = sharing().filter(is_short).filter(|f| changes(f, &words).len() == 1).map(|f| f.name.clone());
        let more: BTreeSet<String> = passing_on.filter(|name| !words.contains(name)).collect();
        if more.is_empty() {
            return words;
        }
        words.extend(more);
    }
}

/// Changes of a second word without a tag or a remark, as `file:line function: word`.
fn unexplained(functions: &[Function]) -> Vec<String> {
    let words = word_functions(functions);
    let mut found = Vec::new();
    for function in functions {
        let changes = changes(function, &words);
        for (index, change) in changes.iter().enumerate() {
            let is_second = changes[..index].iter().any(|earlier| !is_same(&earlier.word, &change.word));
            let above = function.comments[change.line.saturating_sub(LINES_ABOVE)..=change.line].join("\n");
            // The remark may stand in two lines.
            let words: Vec<&str> = above.split_whitespace().collect();
            let is_explained = words.join(" ").to_lowercase().contains(REMARK) || !tags(&above).is_empty();
            if is_second && !change.is_strong && !is_explained {
                let line = function.first_line + change.line;
                found.push(format!("src/{}:{line} {}: {}", function.file, function.name, change.word));
            }
        }
    }
    found
}

/// The numbers `X-n` of a text.
fn tags(text: &str) -> BTreeSet<u32> {
    let cited = text.match_indices("X-").filter(|(at, _)| !text[..*at].ends_with(is_name));
    let digits = |at: usize| text[at + 2..].chars().take_while(char::is_ascii_digit).collect::<String>();
    cited.filter_map(|(at, _)| digits(at).parse().ok()).collect()
}

/// A row's number and the place of one of its accesses.
type Place = (u32, String);

/// The tags in the bodies of functions, by `file function`.
fn tagged(functions: &[Function]) -> BTreeSet<Place> {
    let place = |f: &Function, tag: u32| (tag, format!("{} {}", f.file, f.name));
    functions.iter().flat_map(|f| tags(&f.comments.join("\n")).into_iter().map(move |tag| place(f, tag))).collect()
}

/// The places that the table names: in each row, what stands in backticks and is a file and a function.
fn listed(table: &str) -> BTreeSet<Place> {
    let mut found = BTreeSet::new();
    for row in table.lines().filter(|line| line.starts_with("| X-")) {
        let number = tags(row.split('|').nth(1).unwrap_or("")).first().copied().unwrap_or(0);
        let quoted = row.split('`').skip(1).step_by(2);
        found.extend(quoted.filter(|text| text.contains(".rs ")).map(|text| (number, text.to_owned())));
    }
    found
}

/// Rows that do not name a place for each of the two words, or no edge.
fn incomplete(table: &str) -> Vec<String> {
    let rows = table.lines().filter(|line| line.starts_with("| X-"));
    let is_whole = |row: &&str| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        cells.len() == 5
            && cells.iter().all(|cell| !cell.is_empty())
            && [2, 3].iter().all(|&at| cells[at].contains(".rs "))
    };
    rows.filter(|row| !is_whole(row)).map(str::to_owned).collect()
}

/// Every function outside of `sync` and `memory`, which perform operations and decide nothing.
fn sources() -> Vec<Function> {
    let root = root().join("src");
    let mut paths = Vec::new();
    rust_files(&root, &mut paths);
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let name = path.strip_prefix(&root).expect("below the root").to_string_lossy().replace('\\', "/");
        if !name.starts_with("sync/") && !name.starts_with("memory/") {
            found.extend(functions(&name, &read(&path)));
        }
    }
    found
}

#[test]
fn every_second_word_is_explained() {
    let sources = sources();
    let words = word_functions(&sources);
    for name in ["give_back", "put_address", "take_pooled", "try_reserve", "set_parked", "carve"] {
        assert!(words.contains(name), "{name} changes a word: {words:?}");
    }
    let wrong = unexplained(&sources);
    assert!(
        wrong.is_empty(),
        "these change a word after another one. Say in a comment above who relies on the order of the two: `X-n` of \
         the table in src/docs/ordering.md, or \"{REMARK}\" and why:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_table_is_what_the_sources_say() {
    let arguments = include_str!("../../src/docs/ordering.md");
    let (listed, tagged) = (listed(arguments), tagged(&sources()));
    assert!(listed.len() > 10, "only {} places found: does this test still see the table?", listed.len());
    let only = |a: &BTreeSet<Place>, b: &BTreeSet<Place>| a.difference(b).cloned().collect::<Vec<_>>();
    assert_eq!(only(&tagged, &listed), [], "tagged in the sources, but not in the table");
    assert_eq!(only(&listed, &tagged), [], "in the table, but not tagged in the sources");
    assert_eq!(incomplete(arguments), Vec::<String>::new(), "rows: | X-n | claim | first word | second word | edge |");
}

const SAMPLE: &str = "
impl Pair {
    fn raise(&self) {
        self.word.fetch_add(1, Ordering::Relaxed);
    }
    fn both(&self) {
        // X-7: the first word.
        self.pair.raise();
        REMARK
        self.other.store(
            1,
            Ordering::ORDER,
        );
    }
}
#[cfg(test)]
mod tests { fn both() { a.raise(); b.raise(); } }
";

/// A change of a second word is reported, and one that is explained is not.
#[test]
fn a_second_word_is_seen() {
    let sample = |remark: &str, order: &str| {
        unexplained(&functions("space/pair.rs", &SAMPLE.replace("REMARK", remark).replace("ORDER", order)))
    };
    // The tag of the first word stands too far above to explain the second.
    let after_a_gap = |remark: &str| format!("{}{remark}", "\n".repeat(LINES_ABOVE + 1));
    let far = after_a_gap("// nothing");
    assert_eq!(sample(&far, "Relaxed"), [format!("src/space/pair.rs:{} both: self.other", 11 + LINES_ABOVE)]);
    assert!(sample(&far, "Release").is_empty(), "it cites an argument");
    for remark in
        ["// X-7: the second word.", "// Relied on by nobody: a count.", "// It is relied on by\n        // nobody."]
    {
        assert!(sample(&after_a_gap(remark), "Relaxed").is_empty(), "{remark}");
    }
    let twice = "fn twice(&self) {\n self.a.fetch_or(1, Ordering::Relaxed);\n self.a.swap(1, Ordering::Relaxed);\n}";
    assert!(unexplained(&functions("space/pair.rs", twice)).is_empty(), "one word");
    let calls = "fn low(&self) { self.a.swap(1, Ordering::Relaxed); }\nfn high(&self) { self.low() }\n\
                 fn two(&self) {\n self.x.high();\n self.y.high();\n}";
    assert_eq!(unexplained(&functions("thread/a.rs", calls)), ["src/thread/a.rs:5 two: self.y"]);
}

#[test]
fn the_table_and_the_tags_are_compared() {
    let sources = functions("space/pair.rs", &SAMPLE.replace("REMARK", "").replace("ORDER", "Relaxed"));
    assert_eq!(tagged(&sources), BTreeSet::from([(7, "space/pair.rs both".to_owned())]));
    let row = "| X-7 | a claim | `space/pair.rs both` | `space/pair.rs both`, by `raise` | `other` |";
    assert_eq!(listed(row), tagged(&sources));
    assert!(incomplete(row).is_empty());
    assert_eq!(incomplete(&row.replace(", by `raise` | `other`", "")).len(), 1, "no edge");
    assert_eq!(incomplete(&row.replace("`space/pair.rs both`, by ", "")).len(), 1, "one word");
    assert_eq!(tags("X-1, X-23, RAX-4, X-x"), BTreeSet::from([1, 23]));
}
