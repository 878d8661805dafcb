//! The descriptions that cargo-mutants may give to mutants of a source, without asking it. They are more than it makes,
//! since each function is listed with every value below, whatever its type.
//!
//! The test of the committed excuses reads these, for an excuse that matches no description speaks of code that has
//! gone. cargo-mutants itself need not be installed for that.

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// What may stand in an operator's place.
const OPERATORS: [(&str, &[&str]); 21] = [
    ("+", &["-", "*"]),
    ("-", &["+", "/"]),
    ("*", &["+", "/"]),
    ("/", &["%", "*"]),
    ("%", &["/", "+"]),
    ("&", &["|", "^"]),
    ("|", &["&", "^"]),
    ("<<", &[">>"]),
    (">>", &["<<"]),
    ("&&", &["||"]),
    ("||", &["&&"]),
    ("==", &["!="]),
    ("!=", &["=="]),
    ("<", &["==", ">", "<="]),
    ("<=", &[">"]),
    (">", &["==", "<", ">="]),
    (">=", &["<"]),
    ("+=", &["-=", "*="]),
    ("-=", &["+=", "/="]),
    ("&=", &["|="]),
    ("|=", &["&="]),
];
/// What a function may return at once.
const VALUES: [&str; 7] = ["()", "true", "false", "0", "1", "Default::default()", "None"];

/// A mutant that there may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// What is done, as cargo-mutants says it.
    pub(super) what: String,
    /// The line of the source, without the space around it.
    pub(super) line: String,
}

/// All mutants that there may be in a source.
///
/// # Errors
/// The source is no Rust.
pub(super) fn places(source: &str) -> Result<Vec<Place>, String> {
    let file = syn::parse_file(source).map_err(|error| error.to_string())?;
    let mut walk = Walk { lines: source.lines().collect(), names: Vec::new(), functions: 0, found: Vec::new() };
    walk.visit_file(&file);
    Ok(walk.found)
}

struct Walk<'a> {
    lines: Vec<&'a str>,
    /// The modules, blocks and functions that the walk is in.
    names: Vec<String>,
    /// How many functions these are.
    functions: usize,
    found: Vec<Place>,
}

impl Walk<'_> {
    fn put(&mut self, at: proc_macro2::Span, what: String) {
        let line = self.lines[at.start().line - 1].trim().to_owned();
        self.found.push(Place { what, line });
    }

    /// The end of a description: the function that the walk is in. Empty outside of functions.
    fn in_function(&self) -> String {
        if self.functions == 0 { String::new() } else { format!(" in {}", self.names.join("::")) }
    }

    /// The text of a type, in one line.
    fn text(&self, of: proc_macro2::Span) -> String {
        of.source_text().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn within(&mut self, name: String, go: impl FnOnce(&mut Self)) {
        self.names.push(name);
        go(self);
        self.names.pop();
    }

    fn function(&mut self, attributes: &[syn::Attribute], signature: &syn::Signature, block: &syn::Block) {
        // cargo-mutants leaves these alone.
        if signature.unsafety.is_some() || signature.ident == "new" || is_test(attributes) {
            return;
        }
        self.within(signature.ident.to_string(), |walk| {
            walk.functions += 1;
            if let Some(first) = block.stmts.first() {
                let returned = match &signature.output {
                    syn::ReturnType::Default => String::new(),
                    syn::ReturnType::Type(_, of) => format!(" -> {}", walk.text(of.span())),
                };
                for value in VALUES {
                    walk.put(first.span(), format!("replace {}{returned} with {value}", walk.names.join("::")));
                }
            }
            walk.visit_block(block);
            walk.functions -= 1;
        });
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_cfg = attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"));
        is_cfg || attribute.path().is_ident("test")
    })
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !is_test(&module.attrs) {
            self.within(module.ident.to_string(), |walk| visit::visit_item_mod(walk, module));
        }
    }

    fn visit_item_impl(&mut self, block: &'ast syn::ItemImpl) {
        let of = self.text(block.self_ty.span());
        let name = match &block.trait_ {
            Some((_, implemented, _)) => format!("<impl {} for {of}>", self.text(implemented.span())),
            None => of,
        };
        self.within(name, |walk| visit::visit_item_impl(walk, block));
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.within(item.ident.to_string(), |walk| visit::visit_item_trait(walk, item));
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.attrs, &item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.attrs, &item.sig, &item.block);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.attrs, &item.sig, block);
        }
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        let (operator, end) = (self.text(binary.op.span()), self.in_function());
        let others = OPERATORS.into_iter().filter(|(one, _)| *one == operator).flat_map(|(_, others)| others);
        for other in others {
            self.put(binary.op.span(), format!("replace {operator} with {other}{end}"));
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        let (operator, end) = (self.text(unary.op.span()), self.in_function());
        self.put(unary.op.span(), format!("delete {operator}{end}"));
        visit::visit_expr_unary(self, unary);
    }

    fn visit_expr_struct(&mut self, structure: &'ast syn::ExprStruct) {
        if structure.rest.is_some() {
            let (of, end) = (self.text(structure.path.span()), self.in_function());
            for field in &structure.fields {
                let name = self.text(field.member.span());
                self.put(field.span(), format!("delete field {name} from struct {of} expression{end}"));
            }
        }
        visit::visit_expr_struct(self, structure);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        let end = self.in_function();
        self.put(arm.span(), format!("delete match arm {}{end}", self.text(arm.pat.span())));
        if let Some((_, guard)) = &arm.guard {
            for value in ["true", "false"] {
                let guard_text = self.text(guard.span());
                self.put(guard.span(), format!("replace match guard {guard_text} with {value}{end}"));
            }
        }
        visit::visit_arm(self, arm);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code_mutants::record::committed_excuses;
    use heaplab_common::workspace;

    const SOURCE: &str = "
const A: u32 = 1 + 2;
mod m {
    fn f() { if !x() { g() } }
}
impl<'a> View<'a> {
    const B: u32 = 1 << 2;
    fn pick(self, n: usize) -> bool {
        match n {
            0 if n > 1 => true,
            _ => self.all(View { n: 1, ..self }),
        }
    }
    fn new() -> usize { 1 / 1 }
    unsafe fn raw(&self) { 1 / 1 }
}
impl Drop for View<'_> {
    fn drop(&mut self) {
        (
            1 - 2
        );
    }
}
#[cfg(test)]
mod tests {
    fn h() -> usize { 1 / 2 }
}
";

    #[test]
    fn each_kind_of_mutant_is_listed() {
        let places = places(SOURCE).unwrap();
        for (what, line) in [
            ("replace + with -", "const A: u32 = 1 + 2;"),
            ("replace << with >>", "const B: u32 = 1 << 2;"),
            ("replace m::f with ()", "fn f() { if !x() { g() } }"),
            ("delete ! in m::f", "fn f() { if !x() { g() } }"),
            ("replace View<'a>::pick -> bool with true", "match n {"),
            ("delete match arm 0 in View<'a>::pick", "0 if n > 1 => true,"),
            ("replace match guard n > 1 with false in View<'a>::pick", "0 if n > 1 => true,"),
            ("replace > with >= in View<'a>::pick", "0 if n > 1 => true,"),
            ("delete field n from struct View expression in View<'a>::pick", "_ => self.all(View { n: 1, ..self }),"),
            ("replace <impl Drop for View<'_>>::drop with ()", "("),
            ("replace - with + in <impl Drop for View<'_>>::drop", "1 - 2"),
        ] {
            let place = Place { what: what.to_owned(), line: line.to_owned() };
            assert!(places.contains(&place), "no {what} in {line}: {places:#?}");
        }
        assert!(places.iter().all(|place| !place.line.contains('/')), "{places:#?}");
    }

    /// An excuse whose code has gone would say something else of whatever comes there next.
    #[test]
    fn each_committed_excuse_speaks_of_code_that_is_there() {
        let mut gone = Vec::new();
        for excuse in committed_excuses().unwrap() {
            let source = std::fs::read_to_string(workspace().join(&excuse.file)).unwrap_or_default();
            let places = places(&source).unwrap_or_default();
            if !places.iter().any(|place| excuse.speaks_of(&excuse.file, &place.what, &place.line)) {
                gone.push(format!("{}: {} ({})", excuse.file, excuse.what, excuse.line));
            }
        }
        assert!(gone.is_empty(), "remove these entries, or say where the code is now:\n{}", gone.join("\n"));
    }
}
