//! Names from the source text: what an operation is performed on, by which method, in which function.
//!
//! The journal knows an object by its address and a site by file, line and column; the column is that of the method's
//! name. So the object's name is the receiver, the expression before the dot:
//!
//! | receiver | name | how specific |
//! |---|---|---|
//! | `self.committed.load(` | `committed` | field |
//! | `self.words[i].fetch_or(` | `words[..]` | field |
//! | `self.0.load(` in `impl ThreadState` | `ThreadState` | type |
//! | `local.data().with(` | `data` | accessor |
//! | `locks.1.lock(` | `locks.1` | variable |
//! | `word.load(` in `for word in &self.words {` | `words[..]` | field |
//! | `word.load(` | `word` | variable |
//!
//! The sources are read, not parsed: the reader walks backwards over one postfix expression, and upwards by
//! indentation, which is right for formatted source. Where it finds nothing, or the file is missing, the answer is
//! `None` and the caller falls back to `file:line`.

use heaplab::sync::model_control::Site;
use heaplab_common::workspace;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

/// The source text that sites point into. Files are read when they are first asked for, and a missing one is no error.
#[derive(Debug)]
pub struct Sources {
    root: PathBuf,
    files: RefCell<BTreeMap<String, Option<Rc<File>>>>,
}

#[derive(Debug)]
struct File {
    text: Vec<char>,
    /// Where each line begins.
    lines: Vec<usize>,
}

/// How much a receiver says, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Specific {
    Variable,
    Accessor,
    Type,
    Field,
}

/// The expression that a method is called on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Receiver {
    pub(super) name: String,
    pub(super) specific: Specific,
}

/// Methods that are skipped: the name is that of what they are called on.
const TRANSPARENT: &[&str] =
    &["as_ref", "as_mut", "borrow", "clone", "expect", "first", "last", "get", "iter", "unwrap"];

impl Default for Sources {
    fn default() -> Self {
        Self::new()
    }
}

impl Sources {
    /// The sources of the workspace that this crate was built in.
    #[must_use]
    pub fn new() -> Self {
        Self::at(workspace().to_owned())
    }

    /// The sources below a workspace root.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), files: RefCell::default() }
    }

    /// Gives a file's text instead of reading it.
    pub fn insert(&mut self, file: &str, text: &str) {
        self.files.get_mut().insert(file.to_owned(), Some(Rc::new(File::new(text))));
    }

    /// The file of this name, read at its first use, if there is one. Cargo names files from the workspace root or
    /// from the package's directory, depending on the package.
    fn file(&self, name: &str) -> Option<Rc<File>> {
        if let Some(known) = self.files.borrow().get(name) {
            return known.clone();
        }
        let relative = name.replace('\\', "/");
        let relative = relative.trim_start_matches("./");
        let read = |path: PathBuf| std::fs::read_to_string(path).ok();
        let mut places = [".", "verify", "verify/checker", "verify/models", "verify/programs", "verify/objects"].iter();
        let text = places.find_map(|place| read(self.root.join(place).join(relative)));
        let file = text.map(|text| Rc::new(File::new(&text)));
        self.files.borrow_mut().insert(name.to_owned(), file.clone());
        file
    }

    /// The text of a site's line, without its indentation.
    #[must_use]
    pub fn line(&self, site: Site) -> Option<String> {
        self.line_of(site.file, site.line)
    }

    pub(super) fn line_of(&self, file: &str, line: u32) -> Option<String> {
        Some(self.file(file)?.line(line as usize)?.trim().to_owned())
    }

    /// The method that a site calls.
    pub(super) fn method(&self, site: Site) -> Option<String> {
        let file = self.file(site.file)?;
        let start = file.offset(site)?;
        let name: String = file.text[start..].iter().take_while(|c| is_word(**c)).collect();
        (!name.is_empty()).then_some(name)
    }

    /// The receiver of the method that a site calls.
    pub(super) fn receiver(&self, site: Site) -> Option<Receiver> {
        let file = self.file(site.file)?;
        let start = file.offset(site)?;
        let end = file.before_dot(start)?;
        let receiver = file.expression(end, site.line as usize)?;
        match receiver.specific {
            Specific::Variable => Some(file.element(&receiver.name, site.line as usize).unwrap_or(receiver)),
            _ => Some(receiver),
        }
    }

    /// The name of the function that a site lies in.
    pub(super) fn function(&self, site: Site) -> Option<String> {
        self.file(site.file)?.function(site.line as usize)
    }
}

/// `file:line`, with the directory where the file's name alone says little.
pub(super) fn place(site: Site) -> String {
    place_of(site.file, site.line)
}

pub(super) fn place_of(file: &str, line: u32) -> String {
    let file = file.replace('\\', "/");
    let mut parts = file.rsplit('/');
    let name = parts.next().unwrap_or_default();
    match parts.next() {
        Some(directory) if matches!(name, "mod.rs" | "lib.rs" | "main.rs") => {
            format!("{directory}/{name}:{line}")
        }
        _ => format!("{name}:{line}"),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl File {
    fn new(text: &str) -> Self {
        let text: Vec<char> = text.chars().collect();
        let ends = text.iter().enumerate().filter(|(_, c)| **c == '\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(ends).collect();
        Self { text, lines }
    }

    /// A line, from 1, without its end.
    fn line(&self, number: usize) -> Option<String> {
        let start = *self.lines.get(number.checked_sub(1)?)?;
        Some(self.text[start..].iter().take_while(|c| **c != '\n').collect())
    }

    fn offset(&self, site: Site) -> Option<usize> {
        let line = *self.lines.get((site.line as usize).checked_sub(1)?)?;
        let offset = line + (site.column as usize).checked_sub(1)?;
        (offset < self.text.len()).then_some(offset)
    }

    /// Steps back over blanks, line ends, and lines that are comments.
    fn skip_blanks(&self, mut end: usize) -> usize {
        loop {
            while end > 0 && self.text[end - 1].is_whitespace() {
                end -= 1;
            }
            let line = self.text[..end].iter().rposition(|c| *c == '\n').map_or(0, |at| at + 1);
            let text: String = self.text[line..end].iter().collect();
            if !text.trim_start().starts_with("//") {
                return end;
            }
            end = line;
        }
    }

    /// Where the expression before a dot ends, if there is a dot before `start`.
    fn before_dot(&self, start: usize) -> Option<usize> {
        let end = self.skip_blanks(start);
        (end > 0 && self.text[end - 1] == '.').then(|| self.skip_blanks(end - 1))
    }

    /// Where the bracket that closes just before `end` opens.
    fn opening(&self, end: usize, open: char, close: char) -> Option<usize> {
        let mut depth = 0_usize;
        for at in (0..end).rev() {
            if self.text[at] == close {
                depth += 1;
            } else if self.text[at] == open {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
        }
        None
    }

    /// The last identifier or number before `end`, and where it begins.
    fn word(&self, end: usize) -> Option<(String, usize)> {
        let start = self.text[..end].iter().rposition(|c| !is_word(*c)).map_or(0, |at| at + 1);
        (start < end).then(|| (self.text[start..end].iter().collect(), start))
    }

    /// The postfix expression that ends at `end`.
    fn expression(&self, end: usize, line: usize) -> Option<Receiver> {
        match self.text.get(end.checked_sub(1)?)? {
            '?' => self.expression(self.skip_blanks(end - 1), line),
            ']' => {
                let open = self.opening(end, '[', ']')?;
                let mut indexed = self.expression(open, line)?;
                indexed.name.push_str("[..]");
                Some(indexed)
            }
            ')' => {
                let open = self.opening(end, '(', ')')?;
                match self.word(open) {
                    Some((name, start)) if TRANSPARENT.contains(&name.as_str()) => {
                        self.expression(self.before_dot(start)?, line)
                    }
                    Some((name, _)) => Some(Receiver { name, specific: Specific::Accessor }),
                    // A parenthesis around an expression, such as `(*local).word`.
                    None => self.expression(self.skip_blanks(end - 1), line),
                }
            }
            _ => {
                let (name, start) = self.word(end)?;
                let base = self.before_dot(start);
                if name == "self" {
                    return Some(Receiver { name: self.implementor(line)?, specific: Specific::Type });
                }
                if !name.starts_with(|c: char| c.is_ascii_digit()) {
                    let specific = if base.is_some() { Specific::Field } else { Specific::Variable };
                    return Some(Receiver { name, specific });
                }
                let base = self.expression(base?, line)?;
                if base.specific == Specific::Type {
                    return Some(base);
                }
                Some(Receiver { name: format!("{}.{name}", base.name), specific: Specific::Variable })
            }
        }
    }

    /// What the variable `name` is an element of: by a loop over a field around the line, or an indexed field that it
    /// was bound to in the lines before.
    fn element(&self, name: &str, line: usize) -> Option<Receiver> {
        let has_name = |pattern: &str| pattern.split(|c| !is_word(c)).any(|word| word == name);
        let of_loop = self.enclosing(line, |text| {
            let (pattern, iterated) = text.trim_start().strip_prefix("for ")?.split_once(" in ")?;
            has_name(pattern).then(|| iterated.to_owned())
        });
        let of_binding = || {
            let texts = (1..line).rev().filter_map(|number| self.line(number));
            let mut texts = texts.take_while(|text| !text.contains("fn "));
            texts.find_map(|text| {
                let (pattern, bound) = text.trim_start().strip_prefix("let ")?.split_once(" = ")?;
                (pattern == name && bound.trim_end().ends_with("];")).then(|| bound.to_owned())
            })
        };
        let iterated = of_loop.or_else(of_binding)?;
        let path: String = iterated.trim_start_matches('&').chars().take_while(|c| is_word(*c) || *c == '.').collect();
        let is_call = iterated.trim_start_matches('&')[path.len()..].starts_with('(');
        let mut fields: Vec<&str> = path.split('.').collect();
        if is_call {
            fields.pop();
        }
        let field = fields.last().filter(|field| fields.len() > 1 && !field.is_empty())?;
        Some(Receiver { name: format!("{field}[..]"), specific: Specific::Field })
    }

    /// Calls `f` with the line and then with each line that encloses it, innermost first, until it has an answer.
    fn enclosing<R>(&self, number: usize, f: impl Fn(&str) -> Option<R>) -> Option<R> {
        let line = self.line(number)?;
        let found = f(&line);
        if found.is_some() {
            return found;
        }
        let mut below = line.len() - line.trim_start().len();
        for number in (1..number).rev() {
            let line = self.line(number)?;
            let text = line.trim_start();
            let indent = line.len() - text.len();
            if text.is_empty() || indent >= below {
                continue;
            }
            let found = f(text);
            if found.is_some() {
                return found;
            }
            // The end of a heading that takes several lines: its first line is not further in.
            let ends_heading = text.starts_with([')', '{']) || text.starts_with("where");
            below = indent + usize::from(ends_heading);
        }
        None
    }

    fn function(&self, line: usize) -> Option<String> {
        self.enclosing(line, |text| {
            let at = if text.starts_with("fn ") { 3 } else { text.find(" fn ")? + 4 };
            let before = &text[..at];
            let name: String = text[at..].chars().take_while(|c| is_word(*c)).collect();
            (!name.is_empty() && !before.contains("//") && !before.contains('"')).then_some(name)
        })
    }

    /// The type whose `impl` a line lies in.
    fn implementor(&self, line: usize) -> Option<String> {
        self.enclosing(line, |text| {
            let text = text.strip_prefix("unsafe ").unwrap_or(text).strip_prefix("impl")?;
            if !text.starts_with(['<', ' ']) {
                return None;
            }
            let text = if text.starts_with('<') { &text[closing_angle(text)?..] } else { text };
            let text = text.rsplit_once(" for ").map_or(text, |(_, implementor)| implementor);
            let path: String = text.trim_start().chars().take_while(|c| is_word(*c) || *c == ':').collect();
            let name = path.rsplit(':').next()?.to_owned();
            (!name.is_empty()).then_some(name)
        })
    }
}

/// Just behind the angle bracket that closes the first one.
fn closing_angle(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    //! Goal: receivers as they stand in our sources have the names a reader would give them. Method: a made-up file in
    //! which every site is the method `hit`.

    use super::*;

    const TEXT: &str = "
impl<T: Send> Trait<T> for Holder<T> {
    fn fields(&self) {
        self.committed.hit(1);
        self.words[self.map[2]].hit(1);
        self.0.hit(1);
        self
            .chained
            // Why it is so.
            .hit(1);
    }

    pub fn others(
        &self,
    ) -> u32 {
        if true {
            local.data().hit(1);
            self.optional.as_ref().unwrap().hit(1);
        }
        locks.1.hit(1);
        for (index, word) in self.words.iter().enumerate() {
            word.hit(1);
        }
        let local = &self.locals[2];
        local.hit(1);
        other.hit(1);
        (*this).hit(1);
        Plain::hit(1);
    }
}
";

    fn sites() -> Vec<Site> {
        let mut sites = Vec::new();
        for (line, text) in TEXT.lines().enumerate() {
            if let Some(column) = text.find("hit(") {
                sites.push(Site { file: "made/up.rs", line: line as u32 + 1, column: column as u32 + 1 });
            }
        }
        sites
    }

    #[test]
    fn receivers_have_the_names_a_reader_would_give_them() {
        let mut sources = Sources::at("nowhere");
        sources.insert("made/up.rs", TEXT);
        let names: Vec<_> = sites().into_iter().map(|site| sources.receiver(site).map(|found| found.name)).collect();
        let expected = [
            "committed",
            "words[..]",
            "Holder",
            "chained",
            "data",
            "optional",
            "locks.1",
            "words[..]",
            "locals[..]",
            "other",
            "this",
        ]
        .map(Some)
        .into_iter();
        assert_eq!(names, expected.chain([None]).map(|name| name.map(str::to_owned)).collect::<Vec<_>>());
        assert!(sites().into_iter().all(|site| sources.method(site).as_deref() == Some("hit")));
    }

    #[test]
    fn functions_are_found_also_behind_a_heading_of_several_lines() {
        let mut sources = Sources::at("nowhere");
        sources.insert("made/up.rs", TEXT);
        let functions: Vec<_> = sites().into_iter().map(|site| sources.function(site).unwrap()).collect();
        assert_eq!(functions[..4], ["fields"; 4]);
        assert_eq!(functions[4..], ["others"; 8]);
    }

    #[test]
    fn a_missing_file_has_no_names_and_no_panic() {
        let sources = Sources::at("nowhere");
        for site in sites() {
            assert_eq!((sources.receiver(site), sources.function(site), sources.line(site)), (None, None, None));
            assert!(place(site).starts_with("up.rs:"));
        }
    }

    /// Both ways in which cargo names files.
    #[test]
    fn paths_from_the_root_and_from_the_package_are_found() {
        let sources = Sources::new();
        for file in ["src/thread/safepoint.rs", "verify/checker/src/trace/sources.rs", "src/trace/sources.rs"] {
            assert!(
                sources.line(Site { file, line: 1, column: 1 }).is_some_and(|line| line.starts_with("//!")),
                "{file}"
            );
        }
    }
}
