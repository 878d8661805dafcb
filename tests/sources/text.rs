//! Sources, read as text: files, tokens and the paths in them. For the tests that hold the tree in order.

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the tree.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The source without comments; with `strings`, string literals are kept.
pub(crate) fn strip(source: &str, strings: bool) -> String {
    let (mut out, mut rest) = (String::new(), source);
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("/*") {
            rest = rest.find("*/").map_or("", |end| &rest[end + 2..]);
        } else if first == '"' {
            let mut escaped = false;
            let is_end = |c: char| {
                let end = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                end
            };
            let end = rest[1..].find(is_end).map_or(rest.len(), |end| end + 2);
            out.push_str(if strings { &rest[..end] } else { "\"\"" });
            rest = &rest[end..];
        } else if rest.starts_with("'\"'") || rest.starts_with("'/'") {
            rest = &rest[3..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Token {
    Name(String),
    Colons,
    Open,
    Close,
    Comma,
    Other,
}

pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let (mut tokens, mut rest) = (Vec::new(), source.trim_start());
    while let Some(first) = rest.chars().next() {
        let name = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (token, bytes) = match first {
            _ if name != 0 => (Token::Name(rest[..name].to_owned()), name),
            ':' if rest.starts_with("::") => (Token::Colons, 2),
            '{' => (Token::Open, 1),
            '}' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            _ => (Token::Other, first.len_utf8()),
        };
        tokens.push(token);
        rest = rest[bytes..].trim_start();
    }
    tokens
}

/// Every path in the tokens, use trees expanded: `a::{b, c::d}` is `a::b` and `a::c::d`.
pub(crate) fn paths(tokens: &[Token]) -> Vec<Vec<String>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        at = path(tokens, at, &[], &mut found).max(at + 1);
    }
    found
}

/// Reads one path or use tree at `at`, under `prefix`, and returns where it ends.
fn path(tokens: &[Token], mut at: usize, prefix: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = prefix.to_vec();
    loop {
        match tokens.get(at) {
            Some(Token::Name(name)) => path.push(name.clone()),
            Some(Token::Open) if path.len() > prefix.len() || !prefix.is_empty() => {
                at += 1;
                while !matches!(tokens.get(at), None | Some(Token::Close)) {
                    at = self::path(tokens, at, &path, found).max(at + 1);
                }
                return at + 1;
            }
            _ => break,
        }
        at += 1;
        if tokens.get(at) != Some(&Token::Colons) {
            break;
        }
        at += 1;
    }
    if path.len() > 1 {
        found.push(path);
    }
    at
}

/// The Rust files under `dir`, build output excluded.
pub(crate) fn rust_files(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("the sources are readable") {
        let path = entry.expect("the sources are readable").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                rust_files(&path, files);
            }
        } else if name.ends_with(".rs") {
            files.push(path);
        }
    }
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("the sources are readable")
}
