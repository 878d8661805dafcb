//! What scripts of heaplab's suite are parsed with: `boa_parser`, behind one function that is not generic.
//!
//! The parser is generic over where its characters come from, so it is compiled in the crate that calls it, and its
//! tree's drop glue in the crate that drops the tree. This crate does both. Cargo compiles it once per profile,
//! whatever the features of the suite, and without optimisation, which the parsing of a few pages does not repay.
//! That saves about a quarter of the time in which the suite is compiled.

use boa_ast::{Position, Script};
use boa_interner::Interner;
use boa_parser::{Error, Parser, Source};

/// Why a source is no script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    /// What the parser says.
    pub message: String,
    /// Where the error is. `None` stands for the end of the source.
    pub at: Option<Position>,
}

/// Parses a source and shows the tree to `look`. Recurses with the source's nesting.
///
/// # Errors
/// A syntax error; then `look` is not called.
pub fn parse(source: &str, look: &mut dyn FnMut(&Script, &Interner)) -> Result<(), SyntaxError> {
    let mut interner = Interner::default();
    match Parser::new(Source::from_bytes(source)).parse_eval(false, &mut interner) {
        Ok((script, _)) => {
            look(&script, &interner);
            Ok(())
        }
        Err(error) => Err(SyntaxError { message: without_position(&error), at: place(&error) }),
    }
}

fn place(error: &Error) -> Option<Position> {
    match error {
        Error::Expected { span, .. } | Error::Unexpected { span, .. } => Some(span.start()),
        Error::General { position, .. } => Some(*position),
        Error::Lex { err: boa_parser::lexer::Error::Syntax(_, position) } => Some(*position),
        Error::AbruptEnd | Error::Lex { .. } => None,
    }
}

/// The parser's message, without the position that it ends with.
fn without_position(error: &Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].trim_end_matches(',').to_owned(),
        None => text,
    }
}
