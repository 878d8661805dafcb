//! Exceptions: throwing them, and what becomes of a failed allocation.

use super::{Interpreter, Js, Root, Run, Unwind};
use heaplab::{AllocError, Scope};
use heaplab_objects::map::{self, Details};
use heaplab_objects::{Obj, string};

/// The kinds of errors that the language throws.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "each is named as in the language")]
pub enum ErrorKind {
    Error,
    Type,
    Range,
    Reference,
    Syntax,
}

impl ErrorKind {
    /// All of them.
    pub const ALL: [ErrorKind; 5] =
        [ErrorKind::Error, ErrorKind::Type, ErrorKind::Range, ErrorKind::Reference, ErrorKind::Syntax];

    /// The name of the kind's constructor.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::Error => "Error",
            ErrorKind::Type => "TypeError",
            ErrorKind::Range => "RangeError",
            ErrorKind::Reference => "ReferenceError",
            ErrorKind::Syntax => "SyntaxError",
        }
    }

    /// The root that holds the map of errors of this kind.
    #[must_use]
    pub fn map(self) -> Root {
        match self {
            ErrorKind::Error => Root::ErrorMap,
            ErrorKind::Type => Root::TypeErrorMap,
            ErrorKind::Range => Root::RangeErrorMap,
            ErrorKind::Reference => Root::ReferenceErrorMap,
            ErrorKind::Syntax => Root::SyntaxErrorMap,
        }
    }

    /// The root that holds their prototype.
    #[must_use]
    pub fn prototype(self) -> Root {
        match self {
            ErrorKind::Error => Root::ErrorPrototype,
            ErrorKind::Type => Root::TypeErrorPrototype,
            ErrorKind::Range => Root::RangeErrorPrototype,
            ErrorKind::Reference => Root::ReferenceErrorPrototype,
            ErrorKind::Syntax => Root::SyntaxErrorPrototype,
        }
    }
}

impl Interpreter {
    /// The TypeError that something is not what it has to be. The message shows the expression as text. Where that
    /// text is not known the script is stopped, so that no script sees a message that differs from the language's.
    pub(super) fn is_no(&mut self, scope: &mut Scope<'_, '_>, text: Option<String>, what: &str) -> super::Unwind {
        match text {
            Some(text) => self.type_error(scope, format!("{text} is not {what}")),
            None => self.unsupported(format!("what is not {what}: the text of its error")),
        }
    }

    /// Throws an error with this message, and returns what unwinds. May collect.
    pub fn throw(&mut self, scope: &mut Scope<'_, '_>, kind: ErrorKind, message: impl AsRef<str>) -> Unwind {
        let thrown = scope.nested(|scope| {
            let error = self.new_error(scope, kind, message.as_ref())?;
            Ok::<_, Unwind>(self.throw_value(scope, error.any()))
        });
        thrown.unwrap_or_else(|unwind| unwind)
    }

    /// Throws a TypeError.
    pub fn type_error(&mut self, scope: &mut Scope<'_, '_>, message: impl AsRef<str>) -> Unwind {
        self.throw(scope, ErrorKind::Type, message)
    }

    /// Throws a RangeError.
    pub fn range_error(&mut self, scope: &mut Scope<'_, '_>, message: impl AsRef<str>) -> Unwind {
        self.throw(scope, ErrorKind::Range, message)
    }

    /// Throws a value.
    pub fn throw_value<'s>(&mut self, scope: &Scope<'s, '_>, value: Js<'s>) -> Unwind {
        self.thrown_at = self.at;
        self.set_root(scope, Root::Exception, scope.get(value));
        Unwind::Thrown
    }

    /// An error object. May collect.
    ///
    /// # Errors
    /// No memory.
    pub fn new_error<'s>(&mut self, scope: &mut Scope<'s, '_>, kind: ErrorKind, message: &str) -> Run<Obj<'s>> {
        let map = self.map(scope, kind.map())?;
        let error = map::new_object(scope, map)?;
        let message = self.string(scope, message)?;
        let name = self.root_record(scope, Root::Message);
        self.add_property(scope, error, name, Details::METHOD, message.any())?;
        Ok(error)
    }

    /// What a `catch` gets: takes the exception out of its root, and makes one of a failed allocation.
    ///
    /// # Errors
    /// A stop, which is no exception of the language (IN-3).
    pub fn caught<'s>(&mut self, scope: &mut Scope<'s, '_>, unwind: Unwind) -> Run<Js<'s>> {
        match unwind {
            Unwind::Thrown => {}
            Unwind::Memory(error) => self.throw_out_of_memory(scope, error),
            Unwind::Stopped(why) => return Err(Unwind::Stopped(why)),
        }
        let exception = self.root_handle(scope, Root::Exception);
        self.set_root(scope, Root::Exception, scope.undefined());
        Ok(exception)
    }

    /// IN-2: a failed allocation becomes an exception.
    fn throw_out_of_memory(&mut self, scope: &mut Scope<'_, '_>, error: AllocError) {
        if let AllocError::TooLarge { size_bytes_max: string::LENGTH_MAX, .. } = error {
            // If there is no memory for this error either, the exception is the one for a full heap.
            if let Unwind::Thrown = self.range_error(scope, "Invalid string length") {
                return;
            }
        }
        self.out_of_memory += 1;
        self.thrown_at = self.at;
        let error = self.root_handle(scope, Root::OutOfMemory);
        self.set_root(scope, Root::Exception, scope.get(error));
    }
}
