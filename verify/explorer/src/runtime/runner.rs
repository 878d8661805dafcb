//! The runner: begins the coroutines of a run, resumes them, and unwinds what is left of them.
//!
//! The runner keeps CO-1 and CO-2 of the coroutines, and RT-3 and RT-4 of the runtime.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::coroutine::{Abandoned, RUNNING, Running, with_state};
use super::panics::LAST_PANIC;
use super::state::{Cleanup, Phase, Step};
use super::threads;
use crate::failure::FailureKind;
use crate::views::THREADS_MAX;

/// Rounds of a run that was given up in which threads turn in their loops and nothing changes.
const IDLE_ROUNDS_MAX: u32 = 1_000;

/// How turns of a run that was given up ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Turned {
    /// All threads have ended.
    Over,
    /// All threads wait.
    Stuck,
    /// Threads turn in loops and change nothing.
    Idle,
}

impl Running {
    /// Makes the coroutine of a thread, which begins when it is resumed.
    fn start(&self, thread: usize, body: Box<dyn FnOnce()>) {
        let size = self.with(|state| state.builder.stack_size);
        let pooled = self.stacks.borrow_mut().pop();
        let stack = match pooled.map_or_else(|| DefaultStack::new(size), Ok) {
            Ok(stack) => stack,
            Err(error) => {
                // What the closure captured may be dropped on a thread of the model alone, and there is none.
                std::mem::forget(body);
                self.with(|state| {
                    let message = format!("no memory for a stack of {size} bytes (Builder::stack_size): {error}");
                    let _: Step<()> = state.fail(FailureKind::Limit, message, &[]);
                });
                return;
            }
        };
        let coroutine = Coroutine::with_stack(stack, move |yielder: &Yielder<(), ()>, ()| {
            let running = RUNNING.with(Cell::get);
            // SAFETY: RT-1, as in `coroutine::try_state`; the runner resumes coroutines while the exploration runs
            // only.
            let running = unsafe { &*running };
            running.yielders[thread].set(yielder);
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| threads::run(thread, body))) {
                panicked(&*payload);
                // A payload that panics when it is dropped is not worth the process.
                if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                    std::mem::forget(second);
                }
            }
            running.yielders[thread].set(std::ptr::null());
        });
        self.threads.borrow_mut()[thread] = Some(coroutine);
    }

    /// Makes the coroutines of the threads that were spawned.
    pub(crate) fn start_spawned(&self) {
        loop {
            let next = self.with(|state| state.spawned.pop());
            let Some((thread, body)) = next else { return };
            self.start(thread, body);
        }
    }

    /// Runs a thread until it suspends itself or ends.
    pub(crate) fn resume(&self, thread: usize) {
        self.with(|state| {
            state.current = thread;
            state.panicking_threads &= !(1 << thread);
        });
        let taken = self.threads.borrow_mut()[thread].take();
        let Some(mut coroutine) = taken else { return };
        match coroutine.resume(()) {
            CoroutineResult::Yield(()) => self.threads.borrow_mut()[thread] = Some(coroutine),
            CoroutineResult::Return(()) => {
                self.with(|state| state.ended |= 1 << thread);
                self.stacks.borrow_mut().push(coroutine.into_stack());
            }
        }
    }

    /// Ends what is left of the threads (RT-3), and forgets the threads that cannot be ended (RT-4).
    pub(crate) fn clean_up(&self) {
        self.start_spawned();
        if self.is_over() {
            return;
        }
        self.with(|state| {
            state.phase = Phase::Abandoned;
            if state.may_finish() {
                state.cleanup = [Cleanup::Finishing; THREADS_MAX];
            }
        });
        let ended = self.turn_until_idle();
        if ended == Turned::Over {
            return;
        }
        if self.with(|state| state.give_finish_up(ended == Turned::Stuck)) && self.turn_until_idle() == Turned::Over {
            return;
        }
        for (thread, coroutine) in self.threads.borrow_mut().iter_mut().enumerate() {
            let Some(coroutine) = coroutine.take() else { continue };
            std::mem::forget(coroutine);
            self.with(|state| {
                state.stats.leaked_threads += 1;
                // The host goes on counting its panic.
                state.host_panics |= state.panicking_threads >> thread & 1 == 1;
            });
        }
    }

    fn is_over(&self) -> bool {
        self.threads.borrow().iter().all(Option::is_none)
    }

    /// Resumes all threads in turn until nothing changes any more.
    fn turn_until_idle(&self) -> Turned {
        let mut idle_rounds = 0;
        loop {
            let before = self.with(|state| (state.ended, state.flat_changes, state.flat_progress));
            for thread in (0..THREADS_MAX).rev() {
                let has_begun = match &self.threads.borrow()[thread] {
                    Some(coroutine) => coroutine.started(),
                    None => continue,
                };
                self.with(|state| {
                    if !has_begun && state.cleanup[thread] != Cleanup::Finishing {
                        state.cleanup[thread] = Cleanup::Dropping;
                    }
                });
                self.resume(thread);
                self.start_spawned();
            }
            if self.is_over() {
                return Turned::Over;
            }
            let after = self.with(|state| (state.ended, state.flat_changes, state.flat_progress));
            if after == before {
                return Turned::Stuck;
            }
            idle_rounds = if (after.0, after.1) == (before.0, before.1) { idle_rounds + 1 } else { 0 };
            if idle_rounds > IDLE_ROUNDS_MAX {
                return Turned::Idle;
            }
        }
    }
}

/// A thread's body ended by a panic: its own, or the one by which an abandoned thread unwinds.
fn panicked(payload: &(dyn Any + Send)) {
    if payload.is::<Abandoned>() {
        return;
    }
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    let text = text.unwrap_or_else(|| "a panic without a message".to_owned());
    let recorded = LAST_PANIC.with(|last| last.borrow_mut().take());
    let place = recorded.filter(|(message, _)| *message == text || message.is_empty()).and_then(|(_, place)| place);
    with_state(|state| {
        let message = format!("T{} panicked: {text}", state.current);
        let _: Step<()> = state.fail(FailureKind::Assertion, message, &[]);
        if let (Some(found), Some(place)) = (&mut state.found, place)
            && found.places.is_empty()
        {
            found.places.push(place);
        }
        state.panics &= !(1 << state.current);
        if state.cleanup[state.current] != Cleanup::Finishing {
            state.cleanup[state.current] = Cleanup::None;
        }
    });
}
