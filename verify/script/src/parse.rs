//! From text to the parser's tree, and errors with their positions.
//!
//! The parser and the lowering recurse with the source's nesting, so both run where the stack is large (see
//! [`STACK_BYTES`](super::STACK_BYTES)), and sources that are nested deeper than anybody writes are refused.

use super::code::Position;
use boa_ast::{Script, Spanned};
use boa_interner::Interner;
use heaplab_parser::SyntaxError;
use std::fmt;

/// The longest source, in bytes.
pub const SOURCE_BYTES_MAX: usize = 1 << 20;
/// The deepest nesting of brackets.
const BRACKETS_MAX: usize = 512;
/// The most operators and other signs without a comma, semicolon or closing brace between them, which bounds how
/// deeply they nest.
const SIGNS_MAX: usize = 20_000;

/// What is wrong with a source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SourceError {
    /// The source is no script of the language.
    Syntax {
        /// What the parser says.
        message: String,
        /// Where.
        at: Position,
    },
    /// The source uses a construct that this interpreter has not got.
    Unsupported {
        /// The construct's name.
        construct: String,
        /// Where.
        at: Position,
    },
}

impl SourceError {
    /// Where the error is.
    #[must_use]
    pub fn at(&self) -> Position {
        match self {
            SourceError::Syntax { at, .. } | SourceError::Unsupported { at, .. } => *at,
        }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SourceError::Syntax { message, .. } => write!(f, "syntax error: {message}"),
            SourceError::Unsupported { construct, .. } => write!(f, "not supported: {construct}"),
        }
    }
}

fn position(position: boa_ast::Position) -> Position {
    Position { line: position.line_number(), column: position.column_number() }
}

/// Where a node begins.
pub(super) fn start_of(node: &impl Spanned) -> Position {
    position(node.span().start())
}

/// Parses a source and shows the tree to `look`.
///
/// # Errors
/// A syntax error, or a source that is too long or nested too deeply; the error of `look`.
pub(super) fn parse(
    source: &str,
    look: &mut dyn FnMut(&Script, &Interner) -> Result<(), SourceError>,
) -> Result<(), SourceError> {
    check_size(source)?;
    let mut looked = Ok(());
    let parsed = heaplab_parser::parse(source, &mut |script, interner| looked = look(script, interner));
    parsed.map_err(|SyntaxError { message, at }| {
        let at = at.map_or_else(|| end_of(source), position);
        SourceError::Syntax { message, at }
    })?;
    looked
}

fn end_of(source: &str) -> Position {
    let line = source.lines().count().max(1);
    let column = source.lines().last().map_or(0, |line| line.chars().count()) + 1;
    Position { line: line as u32, column: column as u32 }
}

/// Refuses a source that is too long, or has more of what makes the parser recurse than it can take. Brackets and
/// signs in strings and comments count as well, so a source with many of them there is refused too.
fn check_size(source: &str) -> Result<(), SourceError> {
    if source.len() > SOURCE_BYTES_MAX {
        let construct = format!("a source of more than {SOURCE_BYTES_MAX} bytes");
        return Err(SourceError::Unsupported { construct, at: Position::START });
    }
    let (mut line, mut column) = (1, 1);
    let (mut brackets, mut signs) = (0_usize, 0_usize);
    for c in source.chars() {
        match c {
            '(' | '[' | '{' => (brackets, signs) = (brackets + 1, signs + 1),
            ')' | ']' => brackets = brackets.saturating_sub(1),
            '}' => (brackets, signs) = (brackets.saturating_sub(1), 0),
            ',' | ';' => signs = 0,
            // Words nest only with white space between them, as in `new new x`.
            _ if c.is_alphanumeric() || c == '_' || c == '$' => {}
            _ => signs += 1,
        }
        if brackets > BRACKETS_MAX || signs > SIGNS_MAX {
            let at = Position { line, column };
            return Err(SourceError::Unsupported { construct: "nesting as deep as this".to_owned(), at });
        }
        if c == '\n' {
            (line, column) = (line + 1, 1);
        } else {
            column += 1;
        }
    }
    Ok(())
}
