//! Which mutants compile: each error of the compiler is a fault of the mutant that it is in.

use super::edit::{Edit, Region, Rendered};
use super::list::{CodeMutant, Genre};
use super::record::CodeMutantFate;
use super::schema::{SWITCHES, SWITCHES_SOURCE, Schema, schema};
use crate::detect::Tree;
use crate::detect::process::cargo;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The most rounds of the compiler; each finds the errors of one of its phases.
const ROUNDS_MAX: usize = 60;

/// Puts all mutants that compile into the tree, each behind its switch. Returns why the others are not there.
///
/// # Errors
/// The sources cannot be read or written, or the compiler says something that is no mutant's fault.
pub(super) fn plant(
    tree: &Tree,
    mutants: &[CodeMutant],
    mut say: impl FnMut(&str),
) -> Result<BTreeMap<usize, CodeMutantFate>, String> {
    let mut planting = Planting::new(tree, mutants)?;
    for round in 1..=ROUNDS_MAX {
        planting.write()?;
        let errors = check(tree)?;
        if errors.is_empty() {
            return Ok(planting.gone);
        }
        let before = (planting.gone.len(), planting.const_again.len());
        let mut strange = Vec::new();
        for error in &errors {
            if !planting.blame(error) {
                strange.push(error.rendered.as_str());
            }
        }
        let after = (planting.gone.len(), planting.const_again.len());
        if before == after {
            return Err(format!("no mutant is to blame for this:\n{}", strange.join("\n")));
        }
        say(&format!("compiling: round {round}, {} errors, {} mutants left out", errors.len(), planting.gone.len()));
    }
    Err(format!("after {ROUNDS_MAX} rounds there are errors still"))
}

/// A file that has mutants.
struct Planted {
    source: String,
    /// The mutants, by number.
    mutants: Vec<usize>,
    /// Its functions that are const: the word, and the name.
    const_words: Vec<(Range<usize>, String)>,
    rendered: Rendered,
}

struct Planting<'a> {
    tree: &'a Tree,
    mutants: &'a [CodeMutant],
    files: BTreeMap<String, Planted>,
    /// Functions that have to be const; all others are not, as a const function cannot ask a switch.
    const_again: BTreeSet<String>,
    gone: BTreeMap<usize, CodeMutantFate>,
}

impl<'a> Planting<'a> {
    fn new(tree: &'a Tree, mutants: &'a [CodeMutant]) -> Result<Planting<'a>, String> {
        let mut by_file: BTreeMap<&str, Vec<(usize, &CodeMutant)>> = BTreeMap::new();
        for (number, mutant) in mutants.iter().enumerate() {
            by_file.entry(&mutant.file).or_default().push((number, mutant));
        }
        let mut planting =
            Planting { tree, mutants, files: BTreeMap::new(), const_again: BTreeSet::new(), gone: BTreeMap::new() };
        for (file, of_file) in by_file {
            let source = std::fs::read_to_string(tree.root.join(file))
                .map_err(|error| format!("{file} cannot be read: {error}"))?;
            let Schema { not_expressible, never_compile, const_words, .. } =
                schema(&source, &of_file).map_err(|error| format!("{file}: {error}"))?;
            planting.gone.extend(not_expressible.into_iter().map(|number| (number, CodeMutantFate::NotExpressible)));
            planting.gone.extend(never_compile.into_iter().map(|number| (number, CodeMutantFate::DoesNotCompile)));
            let numbers = of_file.iter().map(|(number, _)| *number).collect();
            let rendered = Rendered::default();
            planting.files.insert(file.to_owned(), Planted { source, mutants: numbers, const_words, rendered });
        }
        Ok(planting)
    }

    fn write(&mut self) -> Result<(), String> {
        let put = |name: &str, text: &str| {
            let path = self.tree.root.join(name);
            let is_there = std::fs::read_to_string(&path).is_ok_and(|there| there == text);
            let written = if is_there { Ok(()) } else { std::fs::write(&path, text) };
            written.map_err(|error| format!("{} cannot be written: {error}", path.display()))
        };
        for (name, file) in &mut self.files {
            file.rendered = file.render(self.mutants, &self.gone, &self.const_again)?;
            put(name, &file.rendered.text)?;
        }
        put(&format!("src/{SWITCHES}.rs"), SWITCHES_SOURCE)?;
        let root = std::fs::read_to_string(self.tree.root.join("src/lib.rs"))
            .map_err(|error| format!("src/lib.rs cannot be read: {error}"))?;
        let declared = format!("mod {SWITCHES};\n");
        if root.contains(&declared) { Ok(()) } else { put("src/lib.rs", &format!("{root}\n{declared}")) }
    }

    /// Leaves out the mutants to blame for an error, or gives functions their `const` back. Returns whether there
    /// were any.
    fn blame(&mut self, error: &Diagnostic) -> bool {
        let code = error.code.as_ref().map_or(ErrorCode::Other, |code| code.code);
        if code == ErrorCode::NotConst && self.make_const_again(error) {
            return true;
        }
        let Blame { mut does_not_compile, mut not_expressible } = Blame::default();
        for span in error.spans.iter().filter(|span| span.is_primary) {
            let blame = self.blame_at(code, span);
            does_not_compile.extend(blame.does_not_compile);
            not_expressible.extend(blame.not_expressible);
        }
        if code == ErrorCode::NotConst {
            not_expressible.append(&mut does_not_compile);
        }
        let is_somebodys = !does_not_compile.is_empty() || !not_expressible.is_empty();
        for number in not_expressible {
            self.gone.entry(number).or_insert(CodeMutantFate::NotExpressible);
        }
        for number in does_not_compile {
            self.gone.entry(number).or_insert(CodeMutantFate::DoesNotCompile);
        }
        is_somebodys
    }

    /// Gives the functions that the error names, because constants are made with them, their `const` back. Returns
    /// whether there are any.
    fn make_const_again(&mut self, error: &Diagnostic) -> bool {
        let words = self.files.values().flat_map(|file| &file.const_words);
        let named = words.filter(|(_, name)| error.names(name) && !self.const_again.contains(name));
        let named: Vec<String> = named.map(|(_, name)| name.clone()).collect();
        let is_any = !named.is_empty();
        self.const_again.extend(named);
        is_any
    }

    /// The mutants to blame for an error at one place.
    fn blame_at(&self, code: ErrorCode, span: &DiagnosticSpan) -> Blame {
        let mut blame = Blame::default();
        let Some(file) = self.files.get(&span.file_name) else { return blame };
        let range = span.byte_start..span.byte_end;
        let are =
            |region: &Region, genre: Genre| region.mutants.iter().all(|&number| self.mutants[number].genre == genre);
        if code == ErrorCode::NotExhaustive {
            let wide = file.block_after(range.start);
            let regions = file.rendered.inside(wide).filter(|region| are(region, Genre::MatchArm));
            blame.does_not_compile.extend(regions.flat_map(|region| region.mutants.iter().copied()));
        } else if let Some(region) = file.rendered.around(&range) {
            // What is wrong with the choice itself is no fault of what is to be chosen from.
            let to = if region.is_alternative { &mut blame.does_not_compile } else { &mut blame.not_expressible };
            to.extend(region.mutants.iter().copied());
        } else if code == ErrorCode::Mismatch {
            // A value of another type than what `impl` stands for in the function that it is returned from.
            let before = file.rendered.inside(0..range.start).filter(|region| are(region, Genre::FnValue));
            let nearest = before.max_by_key(|region| (region.range.start, region.range.end));
            blame.not_expressible.extend(nearest.iter().flat_map(|region| region.mutants.iter().copied()));
        }
        blame
    }
}

/// The mutants to blame for an error.
#[derive(Default)]
struct Blame {
    /// What these put into the source is wrong.
    does_not_compile: Vec<usize>,
    /// No switch can be put where these are.
    not_expressible: Vec<usize>,
}

impl Planted {
    fn render(
        &self,
        mutants: &[CodeMutant],
        gone: &BTreeMap<usize, CodeMutantFate>,
        const_again: &BTreeSet<String>,
    ) -> Result<Rendered, String> {
        let left = self.mutants.iter().filter(|number| !gone.contains_key(number));
        let left: Vec<(usize, &CodeMutant)> = left.map(|&number| (number, &mutants[number])).collect();
        let mut edits = schema(&self.source, &left)?.edits;
        let not_const = self.const_words.iter().filter(|(_, name)| !const_again.contains(name));
        edits.extend(not_const.map(|(word, _)| Edit::removal(word.clone())));
        Ok(Rendered::new(&self.source, &edits))
    }

    /// From a place to the end of what is opened there: the match that the compiler points to with its first word.
    fn block_after(&self, start: usize) -> Range<usize> {
        let mut depth = 0_usize;
        for (at, byte) in self.rendered.text.bytes().enumerate().skip(start) {
            match byte {
                b'{' => depth += 1,
                b'}' if depth == 1 => return start..at + 1,
                b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        start..self.rendered.text.len()
    }
}

/// What cargo speaks of.
#[derive(PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum MessageReason {
    /// What the compiler says.
    CompilerMessage,
    /// Something else: what was built, how a build ended.
    #[serde(other)]
    Other,
}

/// How grave a message of the compiler is.
#[derive(PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Level {
    /// The source does not compile.
    Error,
    /// The source compiles all the same.
    #[serde(other)]
    Other,
}

/// The codes of the compiler's errors that say more than where they are.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
enum ErrorCode {
    /// A function that is not const is called where only a const one may be.
    #[serde(rename = "E0015")]
    NotConst,
    /// A value of another type than is expected.
    #[serde(rename = "E0308")]
    Mismatch,
    /// A match that has no arm for a value.
    #[serde(rename = "E0004")]
    NotExhaustive,
    /// Any other.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Message {
    reason: MessageReason,
    message: Option<Diagnostic>,
}

#[derive(Deserialize)]
struct Diagnostic {
    message: String,
    level: Level,
    code: Option<Code>,
    spans: Vec<DiagnosticSpan>,
    rendered: String,
}

#[derive(Deserialize)]
struct Code {
    code: ErrorCode,
}

#[derive(Deserialize)]
struct DiagnosticSpan {
    file_name: String,
    byte_start: usize,
    byte_end: usize,
    is_primary: bool,
}

impl Diagnostic {
    /// Whether it speaks of a function of this name.
    fn names(&self, function: &str) -> bool {
        let quoted = self.message.split('`').skip(1).step_by(2);
        quoted.filter_map(|path| path.rsplit("::").next()).any(|last| last == function)
    }
}

/// The compiler's errors on the heap.
fn check(tree: &Tree) -> Result<Vec<Diagnostic>, String> {
    let output = cargo()
        .args(["check", "--locked", "--package", "heaplab", "--lib", "--message-format=json"])
        .current_dir(&tree.root)
        .env("CARGO_TARGET_DIR", &tree.target)
        .output()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let of_compiler = messages.filter(|message| message.reason == MessageReason::CompilerMessage);
    // The compiler's last message only counts the errors, and has no span.
    let is_error = |one: &Diagnostic| one.level == Level::Error && !one.spans.is_empty();
    let errors: Vec<Diagnostic> = of_compiler.filter_map(|message| message.message).filter(is_error).collect();
    if errors.is_empty() && !output.status.success() {
        return Err(format!("the heap does not compile:\n{}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(errors)
}
