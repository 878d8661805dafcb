//! Memory of the model: what is allocated must be freed, and what is freed is not used.
//!
//! Freed memory is poisoned and kept until the end of the execution, so that no address is given out twice and a use
//! after free meets bytes that are no value. A program that compares addresses may fail only if one *is* given out
//! twice: within the budget [`Builder::reuses`](crate::model::Builder::reuses), an allocation also returns, as a
//! choice, each block that was freed before.

pub use std::alloc::Layout;

use std::fmt;
use std::panic::Location;

use crate::choice::Budget;
use crate::failure::FailureKind;
use crate::memory::Freed;
use crate::place::here;
use crate::runtime::coroutine::{is_running, perform, try_state, with_state};
use crate::runtime::state::{Phase, Step};

type Place = &'static Location<'static>;

/// What fills memory that was freed.
const POISON: u8 = 0xDD;

/// Allocates memory, as `std::alloc::alloc`. Memory that is not freed at the end of the execution is a leak.
///
/// # Safety
///
/// The size is not zero.
///
/// # Panics
///
/// Outside of an exploration.
#[must_use]
#[track_caller]
pub unsafe fn alloc(layout: Layout) -> *mut u8 {
    let place = here();
    let mut address = reused(layout, place);
    if address.is_null() {
        // SAFETY: the caller's contract.
        address = unsafe { std::alloc::alloc(layout) };
    }
    if !address.is_null() {
        with_state(|state| {
            state.memory.used.push((address.addr(), state.live.len()));
            state.live.push(Some(place));
        });
    }
    address
}

/// A block that was freed, if that is chosen; else null.
///
/// The blocks are those whose free happens before, in an order that is the same in each run of one graph.
fn reused(layout: Layout, place: Place) -> *mut u8 {
    let (is_explored, fitting) = with_state(|state| {
        if state.phase == Phase::Abandoned || state.builder.reuses == 0 {
            return (false, Vec::new());
        }
        let (thread, before) = (state.current, state.before_now());
        let fits = |freed: &Freed| freed.layout == layout && freed.is_known(thread, before);
        let freed = &state.memory.freed;
        let mut fitting: Vec<usize> = (0..freed.len()).filter(|&at| fits(&freed[at])).collect();
        // Stable: of one thread the frees are in its order.
        fitting.sort_by_key(|&at| freed[at].thread);
        (!fitting.is_empty(), fitting)
    });
    if !is_explored {
        return std::ptr::null_mut();
    }
    let chosen = perform(
        |_| Step::Done(0),
        |state| {
            let taken: Vec<bool> = fitting.iter().map(|&at| state.memory.freed[at].is_reused).collect();
            state.choose_but(taken.len() as u32 + 1, Budget::Reuses, |number| taken[number as usize - 1], place)
        },
    );
    with_state(|state| match (chosen as usize).checked_sub(1) {
        Some(number) if !state.memory.freed[fitting[number]].is_reused => {
            let freed = &mut state.memory.freed[fitting[number]];
            freed.is_reused = true;
            freed.address
        }
        _ => std::ptr::null_mut(),
    })
}

/// As [`alloc`], and the memory is filled with zeros.
///
/// # Safety
///
/// As [`alloc`].
#[must_use]
#[track_caller]
pub unsafe fn alloc_zeroed(layout: Layout) -> *mut u8 {
    // SAFETY: the caller's contract.
    let address = unsafe { alloc(layout) };
    if !address.is_null() {
        // SAFETY: the block was just allocated with this size.
        unsafe { address.write_bytes(0, layout.size()) };
    }
    address
}

/// Frees memory, as `std::alloc::dealloc`. Until the end of the execution it is poisoned and kept.
///
/// # Safety
///
/// The address is of [`alloc`] with this layout in this execution, and not freed since.
#[track_caller]
pub unsafe fn dealloc(address: *mut u8, layout: Layout) {
    let place = here();
    let entry = with_state(|state| {
        let index = state.memory.used.iter().position(|&(used, _)| used == address.addr())?;
        Some(state.memory.used.swap_remove(index).1)
    });
    let Some(entry) = entry else {
        perform(
            |_| Step::Done(()),
            |state| state.fail(FailureKind::Misuse, "memory is freed that is not allocated".to_owned(), &[place]),
        );
        return;
    };
    // SAFETY: the caller's contract: the block is as large as its layout says, and nobody uses it.
    unsafe { address.write_bytes(POISON, layout.size()) };
    with_state(|state| {
        state.live[entry] = None;
        let (thread, index) = (state.current, state.performed[state.current]);
        state.memory.freed.push(Freed { address, layout, thread, index, is_reused: false });
    });
}

/// A value that must be dropped before the end of the execution.
pub struct Track<T> {
    value: T,
    entry: Entry,
}

struct Entry {
    index: usize,
    run: u32,
}

impl Drop for Entry {
    fn drop(&mut self) {
        if !is_running() {
            return;
        }
        try_state(|state| {
            if state.run == self.run {
                state.live[self.index] = None;
            }
        });
    }
}

impl<T> Track<T> {
    /// Tracks a value.
    ///
    /// # Panics
    ///
    /// Outside of an exploration.
    #[must_use]
    #[track_caller]
    pub fn new(value: T) -> Track<T> {
        let place = here();
        let entry = with_state(|state| {
            state.live.push(Some(place));
            Entry { index: state.live.len() - 1, run: state.run }
        });
        Track { value, entry }
    }

    /// The value.
    pub fn get_ref(&self) -> &T {
        &self.value
    }

    /// The value.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// The value, which is tracked no longer.
    pub fn into_inner(self) -> T {
        drop(self.entry);
        self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Track<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Track").field(&self.value).finish()
    }
}
