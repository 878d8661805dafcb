//! What runs on this thread, for those who look at a failure: the program, the step that it is at, and the heap as
//! that step finds it.

use crate::ops::{Program, Step};
use heaplab::{Heap, Survey};
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};

/// The program that runs, or the last one that ran.
struct Current {
    program: Program,
    step: usize,
    /// The step at which a thread failed. Under a scheduler all threads are on this one, and the others are at steps of
    /// their own.
    failed: Option<usize>,
    /// Where the program's steps are noted for other threads too, and at which index.
    shared: Option<(Arc<[AtomicUsize]>, usize)>,
}

impl Current {
    fn step(&self) -> usize {
        self.failed.unwrap_or(self.step)
    }
}

/// The step before which somebody wants to see the heap.
struct Wanted {
    step: usize,
    survey: Option<Survey>,
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
    static WANTED: RefCell<Option<Wanted>> = const { RefCell::new(None) };
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Calls `f` without printing its panics, on this thread and on those that an engine starts for it. Shrinking makes a
/// program fail hundreds of times, and says once what is wrong.
pub fn quietly<R>(f: impl FnOnce() -> R) -> R {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !is_quiet() {
                before(info);
            }
        }));
    });
    let was = QUIET.replace(true);
    struct Loud(bool);
    impl Drop for Loud {
        fn drop(&mut self) {
            QUIET.set(self.0);
        }
    }
    let _loud = Loud(was);
    f()
}

/// Whether panics of this thread are not printed.
pub(super) fn is_quiet() -> bool {
    QUIET.try_with(Cell::get).unwrap_or(false)
}

/// Says whether panics of this thread, which an engine has started, are kept from being printed.
pub(super) fn set_quiet(quiet: bool) {
    QUIET.set(quiet);
}

/// Notes which program runs on this thread.
pub(super) fn note_program(program: &Program) {
    CURRENT.set(Some(Current { program: program.clone(), step: 0, failed: None, shared: None }));
}

/// Notes the steps of this thread in `at`, at this index, for whoever waits for the thread.
pub(super) fn note_steps_in(at: Arc<[AtomicUsize]>, index: usize) {
    CURRENT.with_borrow_mut(|current| {
        if let Some(current) = current {
            current.shared = Some((at, index));
        }
    });
}

/// Forgets the program that ran last on this thread.
pub fn forget_program() {
    CURRENT.set(None);
}

/// The step that a thread of the program is at. Notes it when dropped, if the thread unwinds there and is the first to
/// do so.
pub(super) struct AtStep(pub(super) usize);

impl Drop for AtStep {
    fn drop(&mut self) {
        if std::thread::panicking() {
            CURRENT.with_borrow_mut(|current| {
                if let Some(current) = current {
                    current.failed.get_or_insert(self.0);
                }
            });
        }
    }
}

/// Notes which step is next. `parked` calls its argument while every local heap is parked; `parked` is called only if
/// somebody wants to see the heap before this step.
pub(super) fn note_step(index: usize, heap: &Heap, parked: impl FnOnce(&mut dyn FnMut())) {
    CURRENT.with_borrow_mut(|current| {
        if let Some(current) = current {
            current.step = index;
            if let Some((at, thread)) = &current.shared {
                // Relaxed: shown, orders nothing.
                at[*thread].store(index, Ordering::Relaxed);
            }
        }
    });
    let is_wanted =
        WANTED.with_borrow(|wanted| wanted.as_ref().is_some_and(|one| one.step == index && one.survey.is_none()));
    if is_wanted {
        parked(&mut || {
            let survey = heap.survey().ok();
            WANTED.with_borrow_mut(|wanted| {
                if let Some(wanted) = wanted {
                    wanted.survey = survey.clone();
                }
            });
        });
    }
}

/// The number of the step that the program of this thread is at; `None` without a program.
#[must_use]
pub fn current_step() -> Option<usize> {
    CURRENT.with_borrow(|current| current.as_ref().map(Current::step))
}

/// The program that runs on this thread, as text in which the step that it is at is marked; `None` without a program.
#[must_use]
pub fn current_program() -> Option<String> {
    CURRENT.with_borrow(|current| {
        let current = current.as_ref()?;
        let program = &current.program;
        let (head, tail) = program.steps.split_at(current.step().min(program.steps.len()));
        let text = Program { world: program.world, steps: head.to_vec() }.to_string();
        let line = |(index, step): (usize, &Step)| {
            let mark = if index == 0 { "    # here" } else { "" };
            format!("{} {}{mark}\n", step.thread, step.op)
        };
        Some(text + &tail.iter().enumerate().map(line).collect::<String>())
    })
}

/// Makes every panic print the program that runs, and then calls the hook that was set. Call it once per process.
pub fn announce() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if let Some(program) = current_program() {
            eprintln!("{program}");
        }
        if cfg!(fuzzing) {
            eprintln!("to look at it: {} replay FILE, which is named below", heaplab_common::cargo_run());
        }
        before(info);
    }));
}

/// Calls `run`, which drives a program on this thread, and returns the heap as it is before a step of the program.
/// Looking stops the world, so the step may do something else than without a look.
///
/// `None` if the step is not reached, or the heap is too broken to be looked at.
pub fn survey_before(step: usize, run: impl FnOnce()) -> Option<Survey> {
    WANTED.set(Some(Wanted { step, survey: None }));
    run();
    WANTED.take().and_then(|wanted| wanted.survey)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{catch_unwind, resume_unwind};

    /// Two threads of a program on one of the system, as under a scheduler: the first fails after the second has begun
    /// a step, and then the second unwinds too.
    #[test]
    fn the_failing_step_is_that_of_the_thread_that_fails_first() {
        let program = Program::parse("heaplab-ops 3\nworld tiny\n0 poll\n1 verify\n").expect("a program");
        note_program(&program);
        let unwound = catch_unwind(|| {
            let _second = AtStep(0);
            let _first = AtStep(1);
            CURRENT.with_borrow_mut(|current| current.as_mut().expect("it was noted").step = 0);
            // Not a panic, so no hook prints it.
            resume_unwind(Box::new(()));
        });
        assert!(unwound.is_err());
        assert_eq!(current_step(), Some(1));
        assert_eq!(current_program().expect("it was noted").lines().nth(3), Some("1 verify    # here"));
        note_program(&program);
        assert_eq!(current_step(), Some(0), "a program begins at its first step");
    }
}
