//! The census: every call in the heap's sources, by function, so that sites have names that outlive edits.
//!
//! A site is a line and a column; both change with every edit above them. Files that speak of sites
//! (`verify/weaken.toml`, `verify/mutants.toml`) name a call by its file, the function that it is in, the method,
//! and, where a function calls the method several times, a number: `src/space/page_set.rs PageSet::take fetch_and`.
//! The sources are parsed to know which is which.
//!
//! The same walk finds the calls that are given an ordering, hence the sites that no model runs.

use heaplab::sync::model_control::Site;
use heaplab_common::workspace;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// Sources of real memory: in a model `src/memory/simulated.rs` stands in for them.
const NOT_MODELLED: [&str; 3] = ["src/memory/mapped.rs", "src/memory/native.rs", "src/memory/owned.rs"];

/// A call's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallName {
    /// Path of the file from the workspace's root.
    pub file: String,
    /// The function, with its type if it is a method.
    pub function: String,
    /// The method or function that is called.
    pub method: String,
    /// Which one, from 1, among the calls of this method in the function.
    pub number: usize,
}

impl fmt::Display for CallName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.file, self.function, self.method)?;
        if self.number == 1 { Ok(()) } else { write!(f, "#{}", self.number) }
    }
}

/// The calls of the heap's sources.
#[derive(Clone, Debug, Default)]
pub struct Census {
    names: BTreeMap<(String, u32, u32), CallName>,
    ordered: Vec<(String, u32, u32)>,
}

impl Census {
    /// Reads `src/` of the workspace, but for tests, the facade and the sources of real memory.
    ///
    /// # Errors
    /// The sources are not where they were when this was built, or cannot be parsed.
    pub fn of_the_workspace() -> io::Result<Census> {
        let root = workspace();
        let mut files = Vec::new();
        rust_files(&root.join("src"), &mut files)?;
        let mut census = Census::default();
        for path in files {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            if name.starts_with("src/sync/") || name.ends_with("/tests.rs") || NOT_MODELLED.contains(&&*name) {
                continue;
            }
            census.add(&name, &std::fs::read_to_string(&path)?)?;
        }
        Ok(census)
    }

    fn add(&mut self, file: &str, text: &str) -> io::Result<()> {
        let parsed = syn::parse_file(text).map_err(|error| io::Error::other(format!("{file}: {error}")))?;
        let mut walk = Walk { file, census: self, functions: Vec::new(), types: Vec::new(), counts: BTreeMap::new() };
        walk.visit_file(&parsed);
        Ok(())
    }

    /// The name of the call at a site, if the census has a call there.
    #[must_use]
    pub fn name(&self, site: &Site) -> Option<&CallName> {
        self.names.get(&(workspace_path(site.file), site.line, site.column))
    }

    /// Whether a call is in the file or at the `file:line` that `place` is, or has `place` in its name.
    #[must_use]
    pub fn has(&self, place: &str) -> bool {
        self.names.iter().any(|((file, line, column), name)| {
            format!("{file}:{line}:{column}").starts_with(place) || name.to_string().contains(place)
        })
    }

    /// Sites of the calls that are given an ordering: file, line, column.
    #[must_use]
    pub fn ordered(&self) -> &[(String, u32, u32)] {
        &self.ordered
    }

    /// The name of one of [`ordered`](Self::ordered).
    ///
    /// # Panics
    /// If `place` is none of those sites.
    #[must_use]
    pub fn name_of(&self, place: &(String, u32, u32)) -> &CallName {
        &self.names[place]
    }
}

/// A site's file as the census has it.
fn workspace_path(file: &str) -> String {
    let file = file.replace('\\', "/");
    match file.find("src/") {
        Some(start) => file[start..].to_owned(),
        None => file,
    }
}

fn rust_files(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)?.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

struct Walk<'a> {
    file: &'a str,
    census: &'a mut Census,
    functions: Vec<String>,
    types: Vec<String>,
    counts: BTreeMap<(String, String), usize>,
}

impl Walk<'_> {
    fn call(&mut self, method: String, place: proc_macro2::LineColumn, has_ordering: bool) {
        let function =
            self.types.last().into_iter().chain(self.functions.last()).cloned().collect::<Vec<_>>().join("::");
        let number = self.counts.entry((function.clone(), method.clone())).or_insert(0);
        *number += 1;
        let name = CallName { file: self.file.to_owned(), function, method, number: *number };
        let place = (self.file.to_owned(), place.line as u32, place.column as u32 + 1);
        if has_ordering {
            self.census.ordered.push(place.clone());
        }
        self.census.names.insert(place, name);
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string().contains("test"))
    })
}

fn is_ordering(expression: &syn::Expr) -> bool {
    let syn::Expr::Path(path) = expression else { return false };
    let mut segments = path.path.segments.iter().rev();
    segments.next().is_some() && segments.next().is_some_and(|segment| segment.ident == "Ordering")
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let name = match &*item.self_ty {
            syn::Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
            _ => None,
        };
        self.types.push(name.unwrap_or_default());
        visit::visit_item_impl(self, item);
        self.types.pop();
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test(&item.attrs) {
            self.functions.push(item.sig.ident.to_string());
            visit::visit_item_fn(self, item);
            self.functions.pop();
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.functions.push(item.sig.ident.to_string());
        visit::visit_impl_item_fn(self, item);
        self.functions.pop();
    }

    /// An assertion's arguments are expressions; other macros are left alone.
    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let arguments = item.parse_body_with(Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated);
        // The argument is parsed here and lives no longer than this call, so a walk of its own visits it.
        for argument in arguments.iter().flatten() {
            let mut walk = Walk {
                file: self.file,
                census: &mut *self.census,
                functions: self.functions.clone(),
                types: self.types.clone(),
                counts: std::mem::take(&mut self.counts),
            };
            walk.visit_expr(argument);
            self.counts = walk.counts;
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let has_ordering = call.args.iter().any(is_ordering);
        visit::visit_expr_method_call(self, call);
        self.call(call.method.to_string(), call.method.span().start(), has_ordering);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        let has_ordering = call.args.iter().any(is_ordering);
        visit::visit_expr_call(self, call);
        let method = match &*call.func {
            syn::Expr::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
            _ => None,
        };
        self.call(method.unwrap_or_default(), call.span().start(), has_ordering);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_named_by_function_and_number() {
        let mut census = Census::default();
        let text = "impl A<u8> {\n    fn f(&self) {\n        self.x.load(Ordering::Relaxed);\n        \
                    self.x\n            .load(Ordering::Acquire);\n        \
                    assert!(g(self.x.swap(1, Ordering::AcqRel)));\n        g(1);\n    }\n}\n\
                    #[cfg(test)]\nmod tests { fn h() { x.load(Ordering::Relaxed); } }\n";
        census.add("src/a.rs", text).unwrap();
        let name = |line, column| {
            census.name(&Site { file: "src/a.rs", line, column }).map(ToString::to_string).unwrap_or_default()
        };
        assert_eq!(name(3, 16), "src/a.rs A::f load");
        assert_eq!(name(5, 14), "src/a.rs A::f load#2");
        assert_eq!(name(6, 26), "src/a.rs A::f swap");
        assert_eq!(census.ordered().len(), 3, "not g, not the test: {:?}", census.ordered());
    }

    /// Goal: the census and the compiler agree on where a call is, or no site would have a name.
    #[test]
    fn the_compiler_names_the_same_place() {
        struct A;
        impl A {
            #[track_caller]
            fn here(&self) -> Site {
                let location = std::panic::Location::caller();
                Site { file: "src/model/census.rs", line: location.line(), column: location.column() }
            }
        }
        let site = A.here();
        let mut census = Census::default();
        let text = include_str!("census.rs").replace("#[cfg(test)]", "").replace("#[test]", "");
        census.add("src/model/census.rs", &text).unwrap();
        assert_eq!(census.name(&site).map(|name| name.method.as_str()), Some("here"));
    }
}
