//! Running a script from its text.

use super::code::{Position, Unit};
use super::interpreter::{Interpreter, Run, Stopped, Unwind};
use super::lower::lower;
use super::parse::SourceError;
use heaplab::{Attachment, Scope};
use heaplab_objects::{kind, kind_of};
use std::cell::RefCell;
use std::fmt;
use std::io::Write;
use std::rc::Rc;

/// Bytes of stack that a script runs on. Only the pages that the script uses are touched.
pub const STACK_BYTES: usize = 512 << 20;

/// Why a script failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The source cannot be run.
    Source(SourceError),
    /// The script threw an exception that nobody caught.
    Uncaught {
        /// The value, as text.
        text: String,
        /// Where it was thrown.
        at: Position,
    },
    /// The script was stopped.
    Stopped(Stopped),
    /// The heap has no room for the library.
    NoRoom(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Source(error) => write!(f, "{}: {error}", error.at()),
            Failure::Uncaught { text, at } => write!(f, "{at}: uncaught {text}"),
            Failure::Stopped(Stopped::Unsupported { what, at }) => write!(f, "{at}: not supported: {what}"),
            Failure::Stopped(Stopped::Interrupted) => f.write_str("interrupted: its time is over"),
            Failure::Stopped(Stopped::Poisoned) => {
                f.write_str("the heap is poisoned: an invariant broke in an earlier stop; build a new heap")
            }
            Failure::Stopped(Stopped::Output) => f.write_str("its output cannot be written"),
            Failure::NoRoom(text) => write!(f, "the heap has no room for the library: {text}"),
        }
    }
}

/// An output that keeps what scripts print until [`take`](Printed::take) takes it out.
#[derive(Clone, Default, Debug)]
pub struct Printed(Rc<RefCell<Vec<u8>>>);

impl Printed {
    /// What has been printed since the last call.
    #[must_use]
    pub fn take(&self) -> String {
        String::from_utf8_lossy(&self.0.take()).into_owned()
    }
}

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// How a script ended well.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finished {
    /// The value of its last expression statement, as text.
    pub value: String,
}

/// Runs a source on a local heap: parses and lowers it, sets the library up, calls `prepare`, and evaluates. Blocks
/// until the script ends. May collect. Recurses with the script, so it needs a large stack ([`on_large_stack`]).
///
/// # Errors
/// See [`Failure`]. The heap is usable afterwards, unless it is poisoned.
pub fn run_source(
    attachment: &mut Attachment,
    interpreter: &mut Interpreter,
    source: &str,
    prepare: impl FnOnce(&mut Interpreter, &mut Scope<'_, '_>) -> Run<()>,
) -> Result<Finished, Failure> {
    let unit = lower(source, false).map_err(Failure::Source)?;
    let ready = attachment.run(|scope| match interpreter.set_up(scope).and_then(|()| prepare(interpreter, scope)) {
        Ok(()) => Ok(()),
        Err(Unwind::Memory(error)) => Err(Failure::NoRoom(error.to_string())),
        Err(unwind) => Err(interpreter.failure(scope, unwind)),
    });
    ready.unwrap_or(Err(Failure::Stopped(Stopped::Poisoned)))?;
    run_lowered(attachment, interpreter, unit)
}

/// Runs a unit on a local heap whose interpreter is set up. Blocks until the script ends. May collect.
///
/// # Errors
/// See [`Failure`]. The heap is usable afterwards, unless it is poisoned.
pub fn run_lowered(
    attachment: &mut Attachment,
    interpreter: &mut Interpreter,
    unit: Unit,
) -> Result<Finished, Failure> {
    let ran = attachment.run(|scope| match interpreter.run_unit(scope, unit) {
        Ok(value) => Ok(Finished { value: interpreter.describe(scope, value) }),
        Err(unwind) => Err(interpreter.failure(scope, unwind)),
    });
    ran.unwrap_or(Err(Failure::Stopped(Stopped::Poisoned)))
}

impl Interpreter {
    /// What to tell a person of an unwinding that nobody caught. May collect, and call the script as
    /// [`describe`](Self::describe) does.
    pub fn failure(&mut self, scope: &mut Scope<'_, '_>, unwind: Unwind) -> Failure {
        scope.nested(|scope| {
            let exception = match self.caught(scope, unwind) {
                Ok(exception) => exception,
                Err(Unwind::Stopped(why)) => return Failure::Stopped(*why),
                Err(_) => return Failure::NoRoom("no room for an exception".to_owned()),
            };
            let at = self.thrown_at;
            Failure::Uncaught { text: self.describe(scope, exception), at }
        })
    }

    /// A value as text for a person: an error by its name and message. May collect. Calls the script if the name or
    /// the message is an accessor.
    pub fn describe<'s>(&mut self, scope: &mut Scope<'s, '_>, value: heaplab_objects::Js<'s>) -> String {
        if kind_of(scope, scope.get(value)) != Some(kind::ERROR) {
            return self.display(scope, value);
        }
        let mut part = |name: &str| -> Option<String> {
            let value = scope.nested(|scope| {
                let value = self.get_named(scope, value, name)?;
                Ok::<_, Unwind>(self.display(scope, value))
            });
            value.ok().filter(|text| !text.is_empty())
        };
        match (part("name"), part("message")) {
            (Some(name), Some(message)) => format!("{name}: {message}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => "an error".to_owned(),
        }
    }
}

/// Runs `f` on a thread with [`STACK_BYTES`] of stack. Blocks until `f` returns.
///
/// # Errors
/// The system cannot start such a thread.
///
/// # Panics
/// If `f` panics.
pub fn on_large_stack<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> std::io::Result<R> {
    let thread = std::thread::Builder::new().name("script".to_owned()).stack_size(STACK_BYTES).spawn(f)?;
    match thread.join() {
        Ok(result) => Ok(result),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
