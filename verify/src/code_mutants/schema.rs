//! The schema: all mutants of a file in one text, each behind a switch that the environment turns.
//!
//! | mutant | what stands there |
//! |---|---|
//! | a body that returns a value at once | `if on(N) { return VALUE; }` before the body |
//! | another operator | `if on(N) { A - B } else { A + B }` |
//! | another connective | `{ let left = A; if left != on(N) { B } else { left } }` for a conjunction |
//! | an operator taken away | `if on(N) { A } else { !A }` |
//! | an arm taken away | a guard: `!on(N)` |
//! | a field left to its base | `field: if on(N) { (BASE).field } else { A }` |
//! | a guard that always or never holds | `on(N) \|\| (GUARD)`, `!on(N) && (GUARD)` |
//!
//! An operand is rendered once for each operator that it may have, with the mutants inside of it; a chain of
//! connectives, which may be long, has each operand once.

use super::edit::{Edit, Part};
use super::list::{CodeMutant, Genre, Position};
use proc_macro2::LineColumn;
use std::collections::BTreeMap;
use std::ops::Range;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// The module of the heap that has the switches; put into the copy.
pub(super) const SWITCHES: &str = "code_mutant_switches";

/// The edits of a file.
#[derive(Debug, Default)]
pub(super) struct Schema {
    /// One for each place that has mutants.
    pub(super) edits: Vec<Edit>,
    /// Mutants whose place was not found, or has no form above.
    pub(super) not_expressible: Vec<usize>,
    /// Mutants that are no Rust: `&&` is the only connective that `let` may be an operand of.
    pub(super) never_compile: Vec<usize>,
    /// The word `const` of each const function of the file: its range, and the function's name.
    pub(super) const_words: Vec<(Range<usize>, String)>,
}

/// The edits of a file for `mutants`, which are of this file, each with its number.
///
/// # Errors
/// The source is no Rust.
pub(super) fn schema(source: &str, mutants: &[(usize, &CodeMutant)]) -> Result<Schema, String> {
    let file = syn::parse_file(source).map_err(|error| error.to_string())?;
    let mut places = Places { lines: Lines::of(source), by_start: BTreeMap::new(), schema: Schema::default() };
    for &(number, mutant) in mutants {
        places
            .by_start
            .entry((mutant.genre, mutant.span.start))
            .or_default()
            .push((number, mutant.replacement.clone()));
    }
    places.visit_file(&file);
    places.schema.not_expressible.extend(places.by_start.into_values().flatten().map(|(number, _)| number));
    Ok(places.schema)
}

/// Where each line begins.
struct Lines<'a> {
    source: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(source: &'a str) -> Lines<'a> {
        let ends = source.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Lines { source, starts: std::iter::once(0).chain(ends).collect() }
    }

    fn byte(&self, at: LineColumn) -> usize {
        let start = self.starts[at.line - 1];
        let line = &self.source[start..];
        start + line.char_indices().nth(at.column).map_or(line.len(), |(byte, _)| byte)
    }

    fn range(&self, span: proc_macro2::Span) -> Range<usize> {
        self.byte(span.start())..self.byte(span.end())
    }
}

/// Looks for the place of each mutant.
struct Places<'a> {
    lines: Lines<'a>,
    /// Mutants whose place was not found yet: number and replacement.
    by_start: BTreeMap<(Genre, Position), Vec<(usize, String)>>,
    schema: Schema,
}

impl Places<'_> {
    /// The mutants of this kind at this place.
    fn take(&mut self, genre: Genre, at: LineColumn) -> Option<Vec<(usize, String)>> {
        self.by_start.remove(&(genre, Position { line: at.line, column: at.column + 1 }))
    }

    fn put(&mut self, range: Range<usize>, mutants: &[(usize, String)], parts: Vec<Part>) {
        let mutants = mutants.iter().map(|(number, _)| *number).collect();
        self.schema.edits.push(Edit { range, parts, mutants });
    }

    fn body(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let Some(first) = block.stmts.first() else { return };
        let at = first.span().start();
        if let Some(mutants) = self.take(Genre::FnValue, at) {
            let start = self.lines.byte(block.brace_token.span.open().end());
            let mut parts = Vec::new();
            for (number, value) in &mutants {
                parts.push(text(&format!(" if {} {{ return ", on(*number))));
                parts.push(Part::Mutant(*number, vec![text(value)]));
                parts.push(text("; }"));
            }
            self.put(start..start, &mutants, parts);
        }
        if let Some(word) = signature.constness {
            self.schema.const_words.push((self.lines.range(word.span()), signature.ident.to_string()));
        }
    }

    fn binary(&mut self, binary: &syn::ExprBinary) {
        let Some(mutants) = self.take(Genre::BinaryOperator, binary.op.span().start()) else { return };
        let range = self.lines.range(binary.span());
        let (left, right) = (self.lines.range(binary.left.span()), self.lines.range(binary.right.span()));
        let is_connective = matches!(binary.op, syn::BinOp::And(_) | syn::BinOp::Or(_));
        if is_connective && (has_let(&binary.left) || has_let(&binary.right)) {
            self.schema.never_compile.extend(mutants.iter().map(|(number, _)| *number));
            return;
        }
        let parts = if is_connective {
            let goes_on = if matches!(binary.op, syn::BinOp::And(_)) { "!=" } else { "==" };
            let switches: Vec<String> = mutants.iter().map(|(number, _)| on(*number)).collect();
            vec![
                text("({ let left: bool = "),
                Part::Source(left),
                text(&format!("; if left {goes_on} ({}) {{ ", switches.join(" || "))),
                Part::Source(right),
                text(" } else { left } })"),
            ]
        } else {
            let mut parts = vec![text("(")];
            for (number, operator) in &mutants {
                let operands =
                    vec![Part::Source(left.clone()), text(&format!(" {operator} ")), Part::Source(right.clone())];
                parts.push(text(&format!("if {} {{ ", on(*number))));
                parts.push(Part::Mutant(*number, operands));
                parts.push(text(" } else "));
            }
            parts.extend([text("{ "), Part::Source(range.clone()), text(" })")]);
            parts
        };
        self.put(range, &mutants, parts);
    }

    fn unary(&mut self, unary: &syn::ExprUnary) {
        let Some(mutants) = self.take(Genre::UnaryOperator, unary.op.span().start()) else { return };
        let range = self.lines.range(unary.span());
        let operand = self.lines.range(unary.expr.span());
        let mut parts = vec![text("(")];
        for (number, replacement) in &mutants {
            parts.push(text(&format!("if {} {{ {replacement}", on(*number))));
            parts.push(Part::Mutant(*number, vec![Part::Source(operand.clone())]));
            parts.push(text(" } else "));
        }
        parts.extend([text("{ "), Part::Source(range.clone()), text(" })")]);
        self.put(range, &mutants, parts);
    }

    fn field(&mut self, field: &syn::FieldValue, base: &syn::Expr) {
        let Some(mutants) = self.take(Genre::StructField, field.span().start()) else { return };
        let range = self.lines.range(field.span());
        let (value, base) = (self.lines.range(field.expr.span()), self.lines.range(base.span()));
        let syn::Member::Named(name) = &field.member else { return };
        let mut parts = vec![text(&format!("{name}: "))];
        for (number, _) in &mutants {
            parts.push(text(&format!("if {} {{ ", on(*number))));
            parts.push(Part::Mutant(*number, vec![text("("), Part::Source(base.clone()), text(&format!(").{name}"))]));
            parts.push(text(" } else "));
        }
        parts.extend([text("{ "), Part::Source(value), text(" }")]);
        self.put(range, &mutants, parts);
    }

    fn arm(&mut self, arm: &syn::Arm) {
        let gone = self.take(Genre::MatchArm, arm.span().start()).unwrap_or_default();
        let guard = arm.guard.as_ref().map(|(_, guard)| &**guard);
        let guarded = guard.and_then(|guard| self.take(Genre::MatchArmGuard, guard.span().start())).unwrap_or_default();
        let mutants: Vec<(usize, String)> = gone.iter().chain(&guarded).cloned().collect();
        if mutants.is_empty() {
            return;
        }
        if guard.is_some_and(has_let) {
            self.schema.not_expressible.extend(mutants.iter().map(|(number, _)| *number));
            return;
        }
        let is_gone: Vec<String> = gone.iter().map(|(number, _)| format!("!{}", on(*number))).collect();
        let Some(guard) = guard else {
            let end = self.lines.byte(arm.pat.span().end());
            self.put(end..end, &mutants, vec![text(&format!(" if {}", is_gone.join(" && ")))]);
            return;
        };
        let range = self.lines.range(guard.span());
        let mut before: Vec<String> = is_gone;
        let mut holds = String::new();
        for (number, replacement) in &guarded {
            match replacement.as_str() {
                "true" => holds.push_str(&format!("{} || ", on(*number))),
                _ => before.push(format!("!{}", on(*number))),
            }
        }
        before.push(format!("({holds}("));
        self.put(range.clone(), &mutants, vec![text(&before.join(" && ")), Part::Source(range), text("))")]);
    }
}

impl<'ast> Visit<'ast> for Places<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.body(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.body(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.body(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        self.binary(binary);
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        self.unary(unary);
        visit::visit_expr_unary(self, unary);
    }

    fn visit_expr_struct(&mut self, expression: &'ast syn::ExprStruct) {
        if let Some(base) = &expression.rest {
            for field in &expression.fields {
                self.field(field, base);
            }
        }
        visit::visit_expr_struct(self, expression);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.arm(arm);
        visit::visit_arm(self, arm);
    }
}

fn has_let(expression: &syn::Expr) -> bool {
    match expression {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

fn text(words: &str) -> Part {
    Part::Text(words.to_owned())
}

/// The expression that asks whether a mutant is switched on.
fn on(mutant: usize) -> String {
    format!("crate::{SWITCHES}::on({mutant})")
}

/// What is put into the copy beside the heap's sources: reads from the environment which mutant is on, and tells which
/// were reached.
pub(super) const SWITCHES_SOURCE: &str = r#"//! Switches of code mutants.
#![allow(missing_docs, clippy::all)]
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

const UNREAD: u32 = u32::MAX;
const NONE: u32 = u32::MAX - 3;
const REACHED_ARE_ASKED_FOR: u32 = u32::MAX - 2;
static MUTANT: AtomicU32 = AtomicU32::new(UNREAD);
static REACHED: [AtomicBool; 16384] = [const { AtomicBool::new(false) }; 16384];

#[inline]
pub fn on(mutant: u32) -> bool {
    let switched_on = MUTANT.load(Relaxed);
    if switched_on < REACHED_ARE_ASKED_FOR { switched_on == mutant } else { on_slowly(mutant) }
}

#[cold]
fn on_slowly(mutant: u32) -> bool {
    if MUTANT.load(Relaxed) == UNREAD {
        let asked_for = std::env::var_os("HEAPLAB_CODE_MUTANTS_REACHED").map(|_| REACHED_ARE_ASKED_FOR);
        let given = std::env::var("HEAPLAB_CODE_MUTANT").ok().and_then(|text| text.parse().ok());
        MUTANT.store(given.or(asked_for).unwrap_or(NONE), Relaxed);
    }
    let is_new = || !REACHED[mutant as usize].load(Relaxed) && !REACHED[mutant as usize].swap(true, Relaxed);
    if MUTANT.load(Relaxed) == REACHED_ARE_ASKED_FOR && is_new() {
        if let Some(path) = std::env::var_os("HEAPLAB_CODE_MUTANTS_REACHED") {
            let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
            file.and_then(|mut file| file.write_all(format!("{mutant}\n").as_bytes()))
                .expect("the list of mutants reached");
        }
    }
    MUTANT.load(Relaxed) == mutant
}
"#;

#[cfg(test)]
mod tests {
    use super::super::edit::Rendered;
    use super::super::list::Span;
    use super::*;

    /// A mutant whose place is where `at` is first.
    fn mutant(source: &str, genre: Genre, at: &str, replacement: &str) -> CodeMutant {
        let byte = source.find(at).expect("it is there");
        let line = source[..byte].matches('\n').count() + 1;
        let column = byte - source[..byte].rfind('\n').map_or(0, |end| end + 1) + 1;
        let start = Position { line, column };
        CodeMutant {
            file: "src/a.rs".to_owned(),
            function: String::new(),
            genre,
            span: Span { start, end: start },
            replacement: replacement.to_owned(),
            what: String::new(),
            line: String::new(),
        }
    }

    /// The text of `source` with the mutants in it, with short names for the switches.
    fn rendered(source: &str, mutants: &[CodeMutant]) -> String {
        let numbered: Vec<(usize, &CodeMutant)> = mutants.iter().enumerate().collect();
        let schema = schema(source, &numbered).expect("it is Rust");
        assert!(schema.not_expressible.is_empty(), "{:?}", schema.not_expressible);
        let text = Rendered::new(source, &schema.edits).text;
        syn::parse_file(&text).expect("it is still Rust");
        text.replace(&format!("crate::{SWITCHES}::"), "")
    }

    #[test]
    fn each_genre_has_its_form() {
        let source = "fn f(a: u8) -> u8 {\n    a + 1\n}\n";
        let value = mutant(source, Genre::FnValue, "a + 1", "0");
        let operator = mutant(source, Genre::BinaryOperator, "+", "-");
        assert_eq!(
            rendered(source, &[value, operator]),
            "fn f(a: u8) -> u8 { if on(0) { return 0; }\n    (if on(1) { a - 1 } else { a + 1 })\n}\n"
        );
        let source = "fn f(a: bool, b: bool) -> bool { a && !b }";
        let both = mutant(source, Genre::BinaryOperator, "&&", "||");
        let not = mutant(source, Genre::UnaryOperator, "!", "");
        assert_eq!(
            rendered(source, &[both, not]),
            "fn f(a: bool, b: bool) -> bool { ({ let left: bool = a; if left != (on(0)) \
             { (if on(1) { b } else { !b }) } else { left } }) }"
        );
        let source = "fn f(a: u8) -> u8 { match a { 1 => 2, b if b > 7 => 3, _ => 4 } }";
        let gone = mutant(source, Genre::MatchArm, "1 =>", "");
        let always = mutant(source, Genre::MatchArmGuard, "b > 7", "true");
        let never = mutant(source, Genre::MatchArmGuard, "b > 7", "false");
        assert_eq!(
            rendered(source, &[gone, always, never]),
            "fn f(a: u8) -> u8 { match a { 1 if !on(0) => 2, b if !on(2) && (on(1) || (b > 7)) => 3, _ => 4 } }"
        );
    }

    #[test]
    fn a_field_is_left_to_its_base() {
        let source = "fn f(b: u8) -> S { S { a: 1, b, ..g() } }";
        let fields = [mutant(source, Genre::StructField, "a: 1", ""), mutant(source, Genre::StructField, "b, ", "")];
        assert_eq!(
            rendered(source, &fields),
            "fn f(b: u8) -> S { S { a: if on(0) { (g()).a } else { 1 }, b: if on(1) { (g()).b } else { b }, ..g() } }"
        );
    }

    #[test]
    fn a_chain_of_connectives_has_each_operand_once() {
        let source = "fn f(a: bool) -> bool { a && (1 < 2) && (3 < 4) }";
        let second = mutant(source, Genre::BinaryOperator, "&& (3", "||");
        let first = mutant(source, Genre::BinaryOperator, "&& (1", "||");
        let text = rendered(source, &[first, second]);
        assert_eq!(text.matches("1 < 2").count() + text.matches("3 < 4").count(), 2);
    }

    #[test]
    fn what_has_no_form_is_named() {
        let source = "fn h(x: Option<u8>) { if let Some(1) = x && true {} }";
        let chain = mutant(source, Genre::BinaryOperator, "&&", "||");
        let elsewhere = mutant(source, Genre::UnaryOperator, "true", "");
        let schema = schema(source, &[(3, &elsewhere), (5, &chain)]).expect("it is Rust");
        assert!(schema.edits.is_empty());
        assert_eq!((schema.not_expressible, schema.never_compile), (vec![3], vec![5]));
    }
}
