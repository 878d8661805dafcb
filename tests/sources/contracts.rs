//! Goal: no safe function of the layers has a precondition that memory safety rests on. One that is only right in a
//! stop, or for the owner of a page or a local heap, takes a proof as a value, or is `unsafe` and says so under
//! `# Safety`.
//!
//! Method: the sources are read as text. Of each function that is visible outside of its module, the document and the
//! signature are looked at: a document that speaks of a stop or of ownership as something that the caller has to see
//! to needs a proof in the signature, or `unsafe`. What a document says of accuracy or of cost is said in other words
//! ("exact while nobody allocates", "a stop"). The reader itself is tested on bad samples, so that it cannot pass by
//! seeing nothing.

use crate::text::{self, root, rust_files};

/// The modules whose functions are read: all layers but the heap, whose own state is private and whose public functions
/// the compile-fail tests attack.
const LAYERS: [&str; 8] = ["words", "sync", "memory", "object", "page", "space", "allocation", "thread"];
/// The collector's module, which is a layer, too.
const COLLECTION: &str = "collection";

/// What a document says, in lower case, that lays an obligation on the caller.
const OBLIGATIONS: [&str; 22] = [
    "in a stop:",
    "in a stop,",
    "in the stop",
    "in stops only",
    "meaningful in a stop",
    "exact in a stop",
    "not in a stop",
    "world is stopped",
    "heap is stopped",
    "the caller owns",
    "the caller's",
    "belongs to the caller",
    "which the caller",
    "the caller is running",
    "the caller is parked",
    "the caller runs",
    "the caller holds",
    "caller's thread",
    "by the owner",
    "by the collector",
    "by the holder",
    "under the collector lock",
];

/// Types that are the proof, by value or as the receiver, and why.
const PROOFS: [(&str, &str); 7] = [
    ("Stop", "made by `Safepoint::stop` alone, which waits until no local heap of its heap runs; it knows its heap"),
    ("Stopped", "made by a stop of the heap whose spaces they are, for as long as that lasts"),
    ("RegistryGuard", "the collector lock, held"),
    ("Roots", "its unsafe constructor takes a stop, and that the tables of roots are of the heap that is stopped"),
    ("Collector", "made of `Roots`, whose heap it has checked"),
    ("View", "its unsafe constructor takes that every word it is used on is the caller's"),
    ("Holes", "its unsafe constructor takes that the page is the caller's"),
];

/// A function, as it is read.
#[derive(Debug, Default, PartialEq)]
struct Function {
    line: usize,
    /// The type whose `impl` it is in, if any.
    owner: String,
    document: String,
    signature: String,
}

/// The functions that are visible outside of their module. A module of tests, which ends a file, is not read.
fn functions(source: &str) -> Vec<Function> {
    let (mut found, mut document, mut owner) = (Vec::new(), String::new(), String::new());
    let mut lines = source.lines().enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        if line == "#[cfg(test)]" && lines.peek().is_some_and(|(_, next)| next.ends_with('{')) {
            break;
        }
        let text = line.trim_start();
        if let Some(said) = text.strip_prefix("///") {
            document.push_str(said);
        } else if text.starts_with("#[") || text.starts_with("//") {
            // Attributes and comments stand between a document and what it is about.
        } else if line.starts_with("impl") {
            owner = implemented(line);
            document.clear();
        } else if line == "}" {
            owner.clear();
            document.clear();
        } else if is_function(text) {
            let mut signature = text.to_owned();
            while !signature.ends_with('{') && !signature.ends_with(';') && !signature.contains("{ ") {
                let Some((_, more)) = lines.next() else { break };
                signature.push(' ');
                signature.push_str(more.trim());
            }
            let document = core::mem::take(&mut document);
            found.push(Function { line: index + 1, owner: owner.clone(), document, signature });
        } else {
            document.clear();
        }
    }
    found
}

/// Whether this begins a function that is visible outside of its module, whatever its visibility is.
fn is_function(declaration: &str) -> bool {
    let after = match declaration.strip_prefix("pub(") {
        Some(rest) => rest.split_once(") ").map_or("", |(_, after)| after),
        None => declaration.strip_prefix("pub ").unwrap_or_default(),
    };
    after.split(' ').take_while(|word| ["const", "unsafe", "fn"].contains(word)).any(|word| word == "fn")
}

/// The type of an `impl` block.
fn implemented(line: &str) -> String {
    let line = line.rsplit_once(" for ").map_or(line, |(_, of)| of);
    let line = line.strip_prefix("impl").unwrap_or(line);
    // The parameters of the block itself.
    let line = if line.starts_with('<') { line.split_once("> ").map_or(line, |(_, rest)| rest) } else { line };
    line.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// What obliges the caller of a safe function that takes no proof.
fn violation(function: &Function) -> Option<&'static str> {
    let is_unsafe = function.signature.split("fn ").next().is_some_and(|before| before.contains("unsafe"));
    let names = |name: &str| {
        let words = function.signature.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.into_iter().any(|word| word == name)
    };
    let takes_self = names("self");
    let proved = PROOFS.iter().any(|(proof, _)| names(proof) || takes_self && function.owner == *proof);
    if is_unsafe || proved {
        return None;
    }
    let document = function.document.to_lowercase();
    OBLIGATIONS.into_iter().find(|words| document.contains(words))
}

#[test]
fn safe_functions_have_no_contract_in_prose() {
    let src = root().join("src");
    let (mut read, mut wrong) = (0, String::new());
    for layer in LAYERS.into_iter().chain([COLLECTION]) {
        let mut files = Vec::new();
        rust_files(&src.join(layer), &mut files);
        for file in files {
            let functions = functions(&text::read(&file));
            read += functions.len();
            for function in &functions {
                if let Some(words) = violation(function) {
                    let (file, line) = (file.display(), function.line);
                    wrong.push_str(&format!("{file}:{line}: says {words:?}: {}\n", function.signature));
                }
            }
        }
    }
    assert!(read > 250, "only {read} functions were read");
    assert!(wrong.is_empty(), "take a proof, be `unsafe`, or say it is about accuracy:\n{wrong}");
}

/// Each kind of contract in prose is seen, wherever the function stands.
#[test]
fn each_contract_in_prose_is_seen() {
    for (document, signature) in [
        ("/// In a stop: takes every page.", "pub fn exhaust(&self) -> usize {"),
        ("/// Puts a page, which the caller owns and gives up.\n    #[inline]", "pub fn put(&self, page: PageIndex) {"),
        ("/// The word of a handle; the caller is running.\n    // A comment.", "pub fn tagged(&self) -> Tagged {"),
        ("/// Visits. The world is stopped.", "pub const fn visit(&self) {}"),
        ("/// By the owner: whether it runs.", "pub(crate) fn is_running(&self) -> bool {"),
        (
            "/// Ranges of\n    /// the caller's.",
            "pub fn take<'a>(\n        &self,\n        f: impl Fn(&'a str),\n    ) {",
        ),
        ("/// # Safety\n    /// The caller owns it.", "pub fn run(f: unsafe fn()) {"),
    ] {
        let source = format!("impl<'a> PageSet<'a> {{\n    {document}\n    {signature}\n    }}\n}}\n");
        let functions = functions(&source);
        assert_eq!(functions.len(), 1, "{source}");
        assert!(violation(&functions[0]).is_some(), "{functions:?}");
    }
}

/// Proofs are taken, `unsafe` is, and what is no obligation.
#[test]
fn what_is_proved_or_unsafe_is_no_violation() {
    for (owner, document, signature) in [
        ("PageSet", "/// Pages. Exact while nobody allocates.", "pub fn len(&self) -> usize {"),
        ("PageSet", "/// # Safety\n    /// The world is stopped.", "pub unsafe fn clear(&self) {"),
        ("PageSet", "/// # Safety\n    /// The world is stopped.", "pub(super) unsafe fn clear(&self) {"),
        ("PageSet", "/// In a stop: all.", "pub fn clear(&self, _stop: &mut Stop<'_>) {"),
        ("View<'_>", "/// In a stop: claims an object.", "pub fn claim(self) {"),
        ("Stop<'_>", "/// In the stop.", "pub fn counts(&self) {"),
    ] {
        let source = format!("impl {owner} {{\n    {document}\n    {signature}\n    }}\n}}\n");
        let functions = functions(&source);
        assert_eq!(functions.len(), 1, "{source}");
        assert_eq!(violation(&functions[0]), None, "{functions:?}");
    }
    // A proof's own type is none where it is made.
    let source = "impl Stop<'_> {\n    /// In a stop: makes one.\n    pub fn new() -> u8 {\n    }\n}\n";
    assert!(violation(&functions(source)[0]).is_some());
    // Private functions, fields and tests are not read.
    let source = "    /// In a stop.\n    fn f() {}\n    /// In a stop.\n    pub field: u8,\n\
                  #[cfg(test)]\nmod tests {\npub fn g() {}\n";
    assert_eq!(functions(source), []);
    // A module of tests that stands elsewhere ends nothing.
    assert_eq!(functions("#[cfg(test)]\nmod tests;\n/// In a stop.\npub fn g() {}\n").len(), 1);
}

/// Documents belong to the function that they stand before, and owners to their block.
#[test]
fn functions_are_read_with_what_belongs_to_them() {
    let source = "impl<'a, T: Copy> Holes<'a> {\n    /// One.\n    /// Two.\n    #[must_use]\n    pub fn a(\n        \
                  self,\n    ) -> u8 {\n        0\n    }\n}\n\n\
                  impl fmt::Debug for Lab {\n}\n\n/// Three.\npub fn b();\n";
    let read = functions(source);
    let expected = [("Holes", " One. Two.", "pub fn a( self, ) -> u8 {"), ("", " Three.", "pub fn b();")];
    assert_eq!(read.len(), expected.len());
    for (function, (owner, document, signature)) in read.iter().zip(expected) {
        assert_eq!((&*function.owner, &*function.document, &*function.signature), (owner, document, signature));
    }
    assert_eq!(implemented("impl fmt::Debug for Lab {"), "Lab");
    assert_eq!(implemented("impl<'a, 's> Collector<'a, 's> {"), "Collector");
}
