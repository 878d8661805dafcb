//! The interpreter: it walks the lowered source and works on heap objects.
//!
//! Where references are held:
//!
//! | what | where |
//! |---|---|
//! | the values of an expression's operands | handles, in the scope of the statement |
//! | a call's parameters, `this`, local variables and result | a *frame*: an array in the heap, behind a handle |
//! | variables that closures capture | contexts |
//! | what outlives every scope: prototypes, internalised strings, the exception that is thrown | the root set |
//!
//! So a collection may happen at every allocation, and whatever it moves is followed. Statements, loop iterations and
//! calls have a handle scope each; a result leaves its scope through a root ([`Interpreter::escape`]).
//!
//! * **IN-1** The interpreter polls at every call of a script's function and at every iteration of a script's loop,
//!   so no stop waits for a script.
//! * **IN-2** An exception is in the root `Exception` from the moment it is thrown until somebody catches it; in
//!   between, an [`Unwind`] travels. An allocation that fails travels as the heap's error, and becomes an exception
//!   where it is caught, by an object that was made in advance.
//! * **IN-3** What is not an exception of the language ([`Stopped`]) passes through every `catch` and `finally`.

mod assign;
mod call;
mod class;
mod code_text;
mod convert;
mod define;
mod error;
mod expression;
mod frame;
mod intern;
mod iterate;
mod operator;
mod power;
mod property;
pub mod root;
mod root_set;
mod statement;
mod unwind;

pub use call::Frame;
pub use error::ErrorKind;
pub use root::Root;
pub use unwind::{Run, Stopped, Unwind};

use super::code::{Position, Unit};
use heaplab::{Heap, RootSet, Scope};
use heaplab_objects::{Js, Obj};
use std::io::Write;
use std::rc::Rc;
use std::time::Instant;

/// What a native function is called with.
#[derive(Clone, Copy, Debug)]
pub struct Call<'s, 'c> {
    /// `this`.
    pub this: Js<'s>,
    /// The arguments.
    pub arguments: &'c [Js<'s>],
    /// The function that `new` named, if this is a construction.
    pub new_target: Option<Obj<'s>>,
    /// Of an accessor: the object that has it.
    pub holder: Option<Obj<'s>>,
    /// The function, or the accessor info.
    pub callee: Obj<'s>,
}

impl<'s> Call<'s, '_> {
    /// Argument `index`; undefined if it is not given.
    pub fn argument(&self, scope: &Scope<'s, '_>, index: usize) -> Js<'s> {
        self.arguments.get(index).copied().unwrap_or_else(|| scope.handle(scope.undefined()))
    }
}

/// A native function.
pub type NativeFn = for<'s, 'o, 'c> fn(&mut Interpreter, &mut Scope<'s, 'o>, &Call<'s, 'c>) -> Run<Js<'s>>;

/// A native function that has captured something.
pub type HostFn = dyn for<'s, 'o, 'c> Fn(&mut Interpreter, &mut Scope<'s, 'o>, &Call<'s, 'c>) -> Run<Js<'s>>;

/// A native function of the library or of the host.
#[derive(Clone)]
pub enum Native {
    /// The library's.
    Function(NativeFn),
    /// The host's.
    Host(Rc<HostFn>),
}

/// The most calls within calls. One more throws a RangeError.
pub const DEPTH_MAX: usize = 7000;
/// Bytes of stack that the interpreter leaves to the code that it calls, such as the heap's collections.
const STACK_RESERVE: usize = 1 << 20;
/// Polls between two looks at the clock.
const POLLS_A_LOOK: u64 = 1024;

/// The state of an interpreter on one heap. What it knows of the heap is in its root set.
pub struct Interpreter {
    pub(super) roots: RootSet,
    pub(super) units: Vec<Rc<Unit>>,
    pub(super) natives: Vec<Native>,
    /// Where console.log prints.
    pub(super) out: Box<dyn Write>,
    /// Strings in the string table.
    pub(super) interned: usize,
    /// Where the script is.
    pub(super) at: Position,
    /// Where the latest exception was thrown.
    pub(super) thrown_at: Position,
    depth: usize,
    /// Array joins within array joins.
    pub(super) joins: usize,
    /// Whether the function that runs is strict code.
    pub(super) is_strict: bool,
    /// The address that the stack must not pass.
    stack_end: Option<usize>,
    deadline: Option<Instant>,
    /// Polls after which the script is stopped.
    fuel: Option<u64>,
    polls: u64,
    /// How often a failed allocation has become an exception.
    pub(super) out_of_memory: u64,
    /// The state of Math.random.
    pub(super) random: u64,
}

impl Interpreter {
    /// An interpreter without a realm: no global object, no prototypes.
    #[must_use]
    pub fn new(heap: &Heap, out: Box<dyn Write>) -> Interpreter {
        Interpreter {
            roots: heap.new_root_set(root::ROOTS),
            units: Vec::new(),
            natives: Vec::new(),
            out,
            interned: 0,
            at: Position::START,
            thrown_at: Position::START,
            depth: 0,
            joins: 0,
            is_strict: true,
            stack_end: None,
            deadline: None,
            fuel: None,
            polls: 0,
            out_of_memory: 0,
            random: 0x9e37_79b9_7f4a_7c15,
        }
    }

    /// Says how many bytes of stack this thread has from here on. Until this is called only [`DEPTH_MAX`] limits
    /// recursion.
    pub fn limit_stack(&mut self, bytes: usize) {
        self.stack_end = Some(address_of_stack().saturating_sub(bytes.saturating_sub(STACK_RESERVE)));
    }

    /// Stops the script at the first look at the clock that is not before `deadline`. The interpreter looks once in
    /// 1024 polls (IN-1).
    pub fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = Some(deadline);
    }

    /// Stops the script after `fuel` polls (IN-1), counted from the interpreter's making: at the same place in every
    /// run.
    pub fn set_fuel(&mut self, fuel: u64) {
        self.fuel = Some(fuel);
    }

    /// How often a failed allocation has become an exception, caught or not.
    #[must_use]
    pub fn times_out_of_memory(&self) -> u64 {
        self.out_of_memory
    }

    /// Registers a native function, and returns its number.
    pub fn native(&mut self, native: Native) -> usize {
        self.natives.push(native);
        self.natives.len() - 1
    }

    /// Whether the stack is nearly used up.
    #[inline]
    fn is_stack_low(&self) -> bool {
        self.stack_end.is_some_and(|end| address_of_stack() < end)
    }

    /// Whether there is stack left for one step deeper.
    ///
    /// # Errors
    /// A RangeError if there is not.
    pub(super) fn check_stack(&mut self, scope: &mut Scope<'_, '_>) -> Run<()> {
        if self.is_stack_low() {
            return Err(self.range_error(scope, "Maximum call stack size exceeded"));
        }
        Ok(())
    }

    /// Polls (IN-1), and stops a script whose fuel or time is used up.
    #[inline]
    fn poll(&mut self, scope: &mut Scope<'_, '_>) -> Run<()> {
        scope.poll();
        self.polls = self.polls.wrapping_add(1);
        let is_late = || self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if self.fuel.is_some_and(|fuel| self.polls > fuel) || (self.polls.is_multiple_of(POLLS_A_LOOK) && is_late()) {
            return Err(Unwind::Stopped(Box::new(Stopped::Interrupted)));
        }
        Ok(())
    }

    /// What stops the script at something that this interpreter has not got; `what` names it.
    pub fn unsupported(&self, what: impl Into<String>) -> Unwind {
        Unwind::Stopped(Box::new(Stopped::Unsupported { what: what.into(), at: self.at }))
    }
}

/// An address in the current stack frame.
#[inline]
fn address_of_stack() -> usize {
    let here = 0_u8;
    core::hint::black_box(&raw const here).addr()
}

impl std::fmt::Debug for Interpreter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interpreter").field("at", &self.at).field("depth", &self.depth).finish_non_exhaustive()
    }
}
