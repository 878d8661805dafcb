//! Cells whose accesses are checked for races.
//!
//! What is known of a cell's accesses is in the state of the exploration, by the cell's number; the cell has the
//! value. So a guard that outlives its cell refers to nothing.
//!
//! * **CL-1** A cell is not `Sync`. Threads of a model share it natively, but they are one thread of the host (RT-1),
//!   so that no two accesses are at the same time; what a reference to the value excludes, the race check does not
//!   know.
//! * **CL-2** An access by a closure lasts as long as the closure. A pointer that was given out is used where it is
//!   made and each time that it is asked for the value; that it lives on is no access, as its owner may give the cell
//!   away before it drops the pointer, and often does. But while it lives nobody else may begin an access.

use std::cell::UnsafeCell as StdUnsafeCell;
use std::fmt;
use std::panic::Location;

use crate::accesses::Accesses;
use crate::failure::FailureKind;
use crate::mutant::Mutant;
use crate::place::here;
use crate::runtime::coroutine::{is_running, perform, try_state, with_state};
use crate::runtime::state::{State, Step};
use crate::views::Clock;

type Place = &'static Location<'static>;

/// A cell of a run.
#[derive(Clone, Copy)]
struct Number {
    index: u32,
    run: u32,
}

/// An access that is open until it is dropped.
struct Access {
    number: Number,
    writes: bool,
}

impl Access {
    /// The access lasts until now, so whoever synchronised with this thread since it began does not know of its end.
    fn lasts(&self) {
        try_state(|state| {
            if state.run != self.number.run || state.lacks(Mutant::CellAccessLasts) {
                return;
            }
            let (thread, performed) = (state.current, state.performed[state.current]);
            let accesses = &mut state.cells[self.number.index as usize];
            if self.writes {
                (accesses.writer, accesses.written) = (thread as u32, performed);
            } else {
                accesses.reads.set(thread, performed + 1);
            }
        });
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        try_state(|state| {
            if state.run == self.number.run {
                let accesses = &mut state.cells[self.number.index as usize];
                accesses.open = if self.writes { 0 } else { accesses.open - 1 };
                if accesses.open == 0 {
                    accesses.openers = 0;
                }
            }
        });
    }
}

/// An access that lasts until it is dropped.
struct Lasting(Access);

impl Drop for Lasting {
    fn drop(&mut self) {
        self.0.lasts();
    }
}

/// What an access does to a cell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Read,
    Write,
    /// A write by who owns the cell: its own pointers to the value may live on.
    Take,
}

impl Number {
    fn begin(self, how: Use, place: Place) -> Access {
        let writes = how != Use::Read;
        let flat = |state: &mut State| {
            if state.run == self.run {
                let accesses = &mut state.cells[self.index as usize];
                accesses.open = if writes { -1 } else { accesses.open + 1 };
            }
            Step::Done(())
        };
        perform(flat, |state| match state.check_cell(self, how, place) {
            Ok(()) => Step::Done(()),
            Err(_) => Step::Unwind,
        });
        Access { number: self, writes }
    }
}

impl State {
    fn check_cell(&mut self, number: Number, how: Use, place: Place) -> Result<(), Step<()>> {
        let thread = self.current;
        let writes = how != Use::Read;
        if number.run != self.run || number.index as usize >= self.cells.len() {
            let message = format!("T{thread} uses a cell that this execution did not make, or whose memory was freed");
            return Err(self.fail(FailureKind::Foreign, message, &[place]));
        }
        let last = &self.cells[number.index as usize];
        let before = self.before_now();
        let (writer, written_at, read_at) = (last.writer as usize, last.written_at, last.read_at);
        let verb = if writes { "writes to" } else { "reads" };
        let after_write = if writes { Mutant::CellWriteAfterWrite } else { Mutant::CellReadAfterWrite };
        if writer != thread && before.count(writer) <= last.written && !self.lacks(after_write) {
            let message = format!("T{thread} {verb} a cell that T{writer} wrote to, without an order between them");
            return Err(self.fail(FailureKind::Race, message, &[written_at, place]));
        }
        if writes
            && !self.lacks(Mutant::CellWriteAfterRead)
            && let Some(reader) = self.unknown_reader(&last.reads, before)
        {
            let message = format!("T{thread} writes to a cell that T{reader} read, without an order between them");
            return Err(self.fail(FailureKind::Race, message, &[read_at, place]));
        }
        let is_own = how == Use::Take && last.openers & !(1 << thread) == 0;
        if last.open != 0 && (writes || last.open < 0) && !is_own && !self.lacks(Mutant::CellOverlap) {
            let message = format!("T{thread} {verb} a cell while another access to it lasts");
            return Err(self.fail(FailureKind::Overlap, message, &[place]));
        }
        let performed = self.performed[thread];
        let last = &mut self.cells[number.index as usize];
        if writes {
            (last.writer, last.written, last.written_at) = (thread as u32, performed, place);
            last.reads = Clock::EMPTY;
            last.open = -1;
        } else {
            last.reads.set(thread, performed + 1);
            last.read_at = place;
            last.open += 1;
        }
        last.openers |= 1 << thread;
        Ok(())
    }
}

/// A cell for plain data that threads share. An access without an order to a write is a race, and fails the execution.
///
/// As in loom, accesses go through closures or guards, so that it is known how long they last.
pub struct UnsafeCell<T: ?Sized> {
    number: Number,
    value: StdUnsafeCell<T>,
}

impl<T> UnsafeCell<T> {
    /// A cell with a value.
    ///
    /// # Panics
    ///
    /// Outside of an exploration.
    #[must_use]
    #[track_caller]
    pub fn new(value: T) -> UnsafeCell<T> {
        let place = here();
        let number = with_state(|state| {
            let index = state.cells.len() as u32;
            state.cells.push(Accesses {
                writer: state.current as u32,
                written: state.performed[state.current],
                written_at: place,
                reads: Clock::EMPTY,
                read_at: place,
                open: 0,
                openers: 0,
            });
            Number { index, run: state.run }
        });
        UnsafeCell { number, value: StdUnsafeCell::new(value) }
    }

    /// The value. It counts as a write; pointers that the thread itself got from the cell may still live.
    #[track_caller]
    pub fn into_inner(self) -> T {
        if is_running() {
            drop(self.number.begin(Use::Take, here()));
        }
        self.value.into_inner()
    }
}

impl<T: ?Sized> UnsafeCell<T> {
    /// Calls `f` with a pointer for reading.
    #[track_caller]
    pub fn with<F, R>(&self, f: F) -> R
    where
        F: FnOnce(*const T) -> R,
    {
        let _access = Lasting(self.number.begin(Use::Read, here()));
        f(self.value.get())
    }

    /// Calls `f` with a pointer for reading and writing.
    #[track_caller]
    pub fn with_mut<F, R>(&self, f: F) -> R
    where
        F: FnOnce(*mut T) -> R,
    {
        let _access = Lasting(self.number.begin(Use::Write, here()));
        f(self.value.get())
    }

    /// A pointer for reading. The cell is read now, and each time that the pointer is asked for the value.
    #[must_use]
    #[track_caller]
    pub fn get(&self) -> ConstPtr<T> {
        ConstPtr { access: self.number.begin(Use::Read, here()), pointer: self.value.get() }
    }

    /// A pointer for reading and writing. The cell is written to now, and each time that the pointer is asked for the
    /// value.
    #[must_use]
    #[track_caller]
    pub fn get_mut(&self) -> MutPtr<T> {
        MutPtr { access: self.number.begin(Use::Write, here()), pointer: self.value.get() }
    }
}

impl<T: Default> Default for UnsafeCell<T> {
    #[track_caller]
    fn default() -> UnsafeCell<T> {
        UnsafeCell::new(T::default())
    }
}

impl<T> From<T> for UnsafeCell<T> {
    #[track_caller]
    fn from(value: T) -> UnsafeCell<T> {
        UnsafeCell::new(value)
    }
}

impl<T: ?Sized> fmt::Debug for UnsafeCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsafeCell").finish_non_exhaustive()
    }
}

/// A pointer into a cell for reading. While it lives nobody may write to the cell.
pub struct ConstPtr<T: ?Sized> {
    access: Access,
    pointer: *const T,
}

/// A pointer into a cell for reading and writing. While it lives nobody else may access the cell.
pub struct MutPtr<T: ?Sized> {
    access: Access,
    pointer: *mut T,
}

impl<T: ?Sized> ConstPtr<T> {
    /// The value.
    ///
    /// # Safety
    ///
    /// The cell lives, and nobody has a mutable reference to its value.
    #[must_use]
    pub unsafe fn deref(&self) -> &T {
        self.access.lasts();
        // SAFETY: the caller's contract.
        unsafe { &*self.pointer }
    }

    /// Calls `f` with the pointer; the access lasts until `f` returns.
    pub fn with<F, R>(&self, f: F) -> R
    where
        F: FnOnce(*const T) -> R,
    {
        let result = f(self.pointer);
        self.access.lasts();
        result
    }
}

impl<T: ?Sized> MutPtr<T> {
    /// The value.
    ///
    /// # Safety
    ///
    /// The cell lives, and nobody has another reference to its value.
    #[must_use]
    #[expect(clippy::mut_from_ref, reason = "loom's interface, whose contract is the caller's")]
    pub unsafe fn deref(&self) -> &mut T {
        self.access.lasts();
        // SAFETY: the caller's contract.
        unsafe { &mut *self.pointer }
    }

    /// Calls `f` with the pointer; the access lasts until `f` returns.
    pub fn with<F, R>(&self, f: F) -> R
    where
        F: FnOnce(*mut T) -> R,
    {
        let result = f(self.pointer);
        self.access.lasts();
        result
    }
}

impl<T: ?Sized> fmt::Debug for ConstPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConstPtr").field(&self.pointer).finish()
    }
}

impl<T: ?Sized> fmt::Debug for MutPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MutPtr").field(&self.pointer).finish()
    }
}

/// A cell whose value is moved in and out. Accesses are checked as those of an [`UnsafeCell`].
pub struct Cell<T> {
    inner: UnsafeCell<T>,
}

impl<T> Cell<T> {
    /// A cell with a value.
    ///
    /// # Panics
    ///
    /// Outside of an exploration.
    #[must_use]
    #[track_caller]
    pub fn new(value: T) -> Cell<T> {
        Cell { inner: UnsafeCell::new(value) }
    }

    /// Sets the value.
    #[track_caller]
    pub fn set(&self, value: T) {
        drop(self.replace(value));
    }

    /// Sets the value and returns the one before.
    #[track_caller]
    pub fn replace(&self, value: T) -> T {
        // SAFETY: CL-1, and no reference to the value leaves this module; nothing runs in between.
        self.inner.with_mut(|inner| unsafe { std::ptr::replace(inner, value) })
    }

    /// Swaps the values of two cells.
    #[track_caller]
    pub fn swap(&self, other: &Cell<T>) {
        if std::ptr::eq(self, other) {
            return;
        }
        // SAFETY: as in `replace`, and the cells are two.
        self.inner.with_mut(|a| other.inner.with_mut(|b| unsafe { std::ptr::swap(a, b) }));
    }

    /// A copy of the value.
    #[must_use]
    #[track_caller]
    pub fn get(&self) -> T
    where
        T: Copy,
    {
        // SAFETY: as in `replace`.
        self.inner.with(|inner| unsafe { *inner })
    }

    /// Leaves the default and returns the value.
    #[track_caller]
    pub fn take(&self) -> T
    where
        T: Default,
    {
        self.replace(T::default())
    }

    /// The value.
    #[track_caller]
    pub fn into_inner(self) -> T {
        self.inner.into_inner()
    }
}

impl<T: Default> Default for Cell<T> {
    #[track_caller]
    fn default() -> Cell<T> {
        Cell::new(T::default())
    }
}

impl<T> fmt::Debug for Cell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cell").finish_non_exhaustive()
    }
}
