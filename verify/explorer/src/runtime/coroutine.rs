//! The threads of a model as coroutines: stacks, switches, panics.
//!
//! * **CO-1** A coroutine is resumed by the runner alone, and suspends itself alone; the pointer to its yielder is
//!   set when it begins, and is used by code on its own stack, below which the yielder lives.
//! * **CO-2** No panic leaves a coroutine: its body catches it.

use std::cell::{Cell, RefCell};
use std::panic::{Location, resume_unwind};
use std::sync::Once;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, Yielder};

use super::panics::LAST_PANIC;
use super::state::{Cleanup, Entry, Phase, State, Step};
use crate::failure::Place;
use crate::views::THREADS_MAX;

type Thread = Coroutine<(), (), (), DefaultStack>;

/// What an abandoned thread unwinds with.
pub(super) struct Abandoned;

impl Drop for Abandoned {
    fn drop(&mut self) {
        try_state(|state| state.panics &= !(1 << state.current));
    }
}

/// An exploration that is under way on this thread of the host.
pub(crate) struct Running {
    state: RefCell<State>,
    pub(super) yielders: [Cell<*const Yielder<(), ()>>; THREADS_MAX],
    pub(super) threads: RefCell<[Option<Thread>; THREADS_MAX]>,
    pub(super) stacks: RefCell<Vec<DefaultStack>>,
}

std::thread_local! {
    pub(super) static RUNNING: Cell<*const Running> = const { Cell::new(std::ptr::null()) };
    /// The size of the stacks of the last exploration, and those of them that are free, for the next one.
    static KEPT: RefCell<(usize, Vec<DefaultStack>)> = const { RefCell::new((0, Vec::new())) };
}

/// Whether an exploration runs on this thread of the host.
#[inline]
pub(crate) fn is_running() -> bool {
    !RUNNING.with(Cell::get).is_null()
}

/// Calls `f` with the state, if an exploration runs on this thread.
#[inline]
pub(crate) fn try_state<R>(f: impl FnOnce(&mut State) -> R) -> Option<R> {
    let running = RUNNING.with(Cell::get);
    // SAFETY: RT-1. The pointer is set while `explore` has the exploration on its stack, and null otherwise.
    let running = unsafe { running.as_ref() }?;
    Some(f(&mut running.state.borrow_mut()))
}

/// Calls `f` with the state.
///
/// # Panics
///
/// If no exploration runs on this thread.
#[inline]
#[track_caller]
pub(crate) fn with_state<R>(f: impl FnOnce(&mut State) -> R) -> R {
    match try_state(f) {
        Some(result) => result,
        None => outside(),
    }
}

#[cold]
#[track_caller]
fn outside() -> ! {
    panic!("a value of heaplab-explorer was used outside of an exploration, at {}", Location::caller())
}

/// Performs an operation of the current thread: tries its step until it is done.
#[inline]
#[track_caller]
pub(crate) fn perform<T>(
    mut flat: impl FnMut(&mut State) -> Step<T>,
    mut event: impl FnMut(&mut State) -> Step<T>,
) -> T {
    perform_on(&mut (), |state, ()| flat(state), |state, ()| event(state))
}

/// As [`perform`], with something that both ways of a step use.
#[inline]
#[track_caller]
pub(crate) fn perform_on<U, T>(
    with: &mut U,
    mut flat: impl FnMut(&mut State, &mut U) -> Step<T>,
    mut event: impl FnMut(&mut State, &mut U) -> Step<T>,
) -> T {
    loop {
        let step = with_state(|state| match state.enter() {
            Entry::Event => event(state, with),
            Entry::Flat => {
                let step = flat(state, with);
                state.flat_progress += u64::from(matches!(step, Step::Done(_)));
                step
            }
            Entry::Unwind => Step::Unwind,
            Entry::Stuck => Step::Wait,
        });
        match step {
            Step::Done(value) => return value,
            Step::Wait => suspend(),
            Step::Unwind => unwind(),
        }
    }
}

/// Switches to the runner.
fn suspend() {
    let running = RUNNING.with(Cell::get);
    // SAFETY: as in `try_state`; whoever suspends has used the state just now.
    let running = unsafe { &*running };
    let current = running.with(|state| {
        state.panicking_threads |= u32::from(state.is_panicking()) << state.current;
        state.current
    });
    let yielder = running.yielders[current].get();
    assert!(!yielder.is_null(), "a thread of the model suspends itself");
    // SAFETY: CO-1: `current` is the coroutine that runs, so the yielder lives below this frame.
    unsafe { &*yielder }.suspend(());
}

/// Unwinds the current thread, unless it unwinds already.
#[cold]
fn unwind() {
    let unwinds = with_state(|state| {
        let thread = state.current;
        let was = state.cleanup[thread];
        if matches!(was, Cleanup::None | Cleanup::Finishing) {
            state.cleanup[thread] = Cleanup::Unwinding;
        }
        if was == Cleanup::Unwinding && state.is_panicking() || was == Cleanup::Dropping {
            return true;
        }
        state.panics |= 1 << thread;
        false
    });
    if !unwinds {
        resume_unwind(Box::new(Abandoned));
    }
}

/// Has panics of models recorded instead of printed. Panics elsewhere are as before.
fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let phase = RUNNING.try_with(|running| {
                // SAFETY: as in `try_state`.
                let running = unsafe { running.get().as_ref() }?;
                let mut state = running.state.try_borrow_mut().ok()?;
                let unwinds = state.phase == Phase::Abandoned && !state.is_finishing();
                state.panics |= 1 << state.current;
                Some(unwinds)
            });
            match phase {
                Ok(Some(true)) => {
                    // Most often the destructor of a value that is dropped while its thread unwinds: the process ends.
                    eprintln!("heaplab-explorer: a destructor panics while an abandoned execution is unwound:");
                    before(info);
                }
                Ok(Some(false)) => {
                    let payload = info.payload();
                    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
                    let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
                    let _ =
                        LAST_PANIC.try_with(|last| *last.borrow_mut() = Some((text, info.location().map(Place::of))));
                }
                _ => before(info),
            }
        }));
    });
}

/// Forgets that an exploration runs here, at the end of a scope.
pub(crate) struct RunningGuard;

impl Drop for RunningGuard {
    fn drop(&mut self) {
        RUNNING.with(|running| running.set(std::ptr::null()));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let stacks = std::mem::take(self.stacks.get_mut());
        let size = self.state.get_mut().builder.stack_size;
        // Without a place to keep them they are freed.
        let _ = KEPT.try_with(|kept| kept.replace((size, stacks)));
    }
}

impl Running {
    pub(crate) fn new(state: State) -> Running {
        install_hook();
        let size = state.builder.stack_size;
        let kept = KEPT.try_with(RefCell::take).unwrap_or_default();
        Running {
            state: RefCell::new(state),
            yielders: std::array::from_fn(|_| Cell::new(std::ptr::null())),
            threads: RefCell::default(),
            stacks: RefCell::new(if kept.0 == size { kept.1 } else { Vec::new() }),
        }
    }

    /// Makes this the exploration that operations use, until the guard is dropped.
    pub(crate) fn enter(&self) -> RunningGuard {
        RUNNING.with(|running| running.set(self));
        RunningGuard
    }

    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.state.borrow_mut())
    }
}
