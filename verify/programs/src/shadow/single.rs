//! The engine for one thread: the safe API, scope in scope.
//!
//! Handle scopes and always-allocate scopes are closures of the safe API, so the engine is a recursion: a frame runs
//! steps until one of them ends it. The steps of all threads run on the one local heap, in their order. In the engine
//! of [threads](super::concurrent) they are the steps of one thread, and the heap has other local heaps.

use super::oracle::Aftermath;
use super::rivals::{Deed, MayHave as _};
use super::watch::AtStep;
use super::{Happened, Oracle, ScopeDoor, Tally, Value};
use crate::ops::{Op, Program, ReserveChoice};
use heaplab::{AllocError, Handle, Heap, Scope};
use heaplab_common::claim_eq;

const DEPTH_MAX: usize = 12;
/// The number of the only local heap that has roots.
const ACTOR: usize = 0;

type AnyHandle<'s> = Handle<'s, heaplab::Value>;

/// What a frame is, so that the right step ends it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    Run,
    Handles,
    Always,
}

/// Why a frame ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exit {
    Left,
    Detached,
}

pub(super) struct Engine {
    /// What is done, behind its number in the program.
    steps: Vec<(usize, Op)>,
    next: usize,
    oracle: Oracle,
    depth: usize,
    /// Which thread this is.
    thread: usize,
    /// Whether a rival may have stopped the world since everything was compared last.
    stirred: bool,
}

/// Runs `program` on one local heap, and detaches it.
///
/// # Panics
/// If the heap is not what the shadow says.
pub(super) fn drive(program: &Program, oracle: Oracle) -> Oracle {
    let steps = program.steps.iter().map(|step| step.op).enumerate().collect();
    let mut engine = Engine { steps, next: 0, oracle, depth: 0, thread: 0, stirred: false };
    engine.run();
    engine.oracle
}

impl Engine {
    /// The engine of one thread of several.
    pub(super) fn of_thread(program: &Program, thread: u8, oracle: Oracle) -> Engine {
        let steps = program.steps.iter().enumerate().filter(|(_, step)| step.thread == thread);
        let steps = steps.map(|(index, step)| (index, step.op)).collect();
        Engine { steps, next: 0, oracle, depth: 0, thread: thread.into(), stirred: true }
    }

    /// Ends a thread that leaves the heap to the others.
    pub(super) fn leave(self) -> Tally {
        self.oracle.leave()
    }

    /// Attaches a local heap, and runs all steps; attaches another one after a step that detaches.
    pub(super) fn run(&mut self) {
        while self.next < self.steps.len() {
            let Some(mut thread) = self.oracle.state.attach(Heap::attach) else {
                // An operation detached this thread's local heap while another one stayed attached, and concurrent
                // allocation is off: this thread cannot go on.
                break;
            };
            self.stirred = true;
            let run = thread.run(|scope| {
                self.frame(scope, &mut Vec::new(), Frame::Run);
                self.oracle.truncate(ACTOR, 0);
                let quiet = self.oracle.quiet(Happened::Nothing);
                self.finish(scope, &mut Vec::new(), &quiet);
            });
            run.expect("this thread runs no other local heap");
            drop(thread);
            self.oracle.state.attached -= 1;
        }
    }

    /// Whether a rival may stop the world during this operation: not while the thread runs and neither polls nor
    /// parks.
    fn lets_rivals_stop(op: Op) -> bool {
        !matches!(
            op,
            Op::Store { .. }
                | Op::Load { .. }
                | Op::Write { .. }
                | Op::Make(_)
                | Op::Persist(_)
                | Op::Open(_)
                | Op::Drop(_)
                | Op::LoadRoot(_)
                | Op::RenewRoots
                | Op::OpenScope { .. }
                | Op::CloseScope
                | Op::LeaveAlways
        )
    }

    fn finish<'s>(&mut self, scope: &mut Scope<'s, '_>, handles: &mut Vec<AnyHandle<'s>>, after: &Aftermath) {
        let mut after = after.clone();
        if self.oracle.state.rivals.may_have(Deed::UsedTheHeap) && core::mem::take(&mut self.stirred) {
            after.stirred();
        }
        let after = &after;
        let mut roots = Vec::new();
        if self.oracle.compares(after) {
            let values: &[Value] = &self.oracle.stacks[ACTOR];
            claim_eq!(handles.len(), values.len(), "the number of handles, for as many roots of the shadow,");
            roots.extend(values.iter().zip(&*handles).map(|(value, handle)| (*value, scope.get(*handle).tagged())));
            let door = core::cell::RefCell::new(ScopeDoor { scope, handles });
            roots.extend(self.oracle.shared.words(
                |persistent| door.borrow_mut().peek(persistent),
                |set, slot| door.borrow_mut().peek_root(set, slot),
            ));
        }
        self.oracle.finish(&roots, after);
    }

    /// Runs steps in a scope until one ends the frame, or no step is left.
    fn frame<'s>(&mut self, scope: &mut Scope<'s, '_>, handles: &mut Vec<AnyHandle<'s>>, kind: Frame) -> Exit {
        self.depth += 1;
        let exit = self.steps(scope, handles, kind);
        self.depth -= 1;
        exit
    }

    fn steps<'s>(&mut self, scope: &mut Scope<'s, '_>, handles: &mut Vec<AnyHandle<'s>>, kind: Frame) -> Exit {
        while let Some(&(index, op)) = self.steps.get(self.next) {
            let _at = AtStep(index);
            self.oracle.begin(index, |look| scope.park(look));
            self.next += 1;
            self.stirred |= Engine::lets_rivals_stop(op);
            let mut after = self.oracle.quiet(Happened::Nothing);
            let mut exit = Exit::Left;
            match op {
                Op::CloseScope if kind == Frame::Handles => return Exit::Left,
                Op::LeaveAlways if kind == Frame::Always => return Exit::Left,
                Op::Detach => {
                    if !self.oracle.state.detach_extra() {
                        return Exit::Detached;
                    }
                }
                Op::OpenScope { escaping } if self.depth < DEPTH_MAX => {
                    exit = self.handle_scope(scope, handles, escaping);
                }
                Op::EnterAlways(choice) if self.depth < DEPTH_MAX => {
                    (exit, after) = self.always(scope, handles, choice);
                }
                Op::StoreRoot { slot, .. } if self.oracle.state.rivals.is_some() => {
                    if let Some(rivals) = &self.oracle.state.rivals {
                        rivals.send(scope, self.thread, slot);
                    }
                }
                Op::LoadRoot(slot) if self.oracle.state.rivals.is_some() => {
                    if let Some(rivals) = &self.oracle.state.rivals {
                        rivals.receive(scope, slot);
                    }
                }
                op => after = self.oracle.step(ACTOR, &mut ScopeDoor { scope, handles }, op),
            }
            if exit == Exit::Detached {
                return exit;
            }
            self.finish(scope, handles, &after);
        }
        Exit::Left
    }

    fn handle_scope<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        handles: &mut Vec<AnyHandle<'s>>,
        escaping: bool,
    ) -> Exit {
        let outer = handles.len();
        let mut exit = Exit::Left;
        if escaping {
            let mut value = None;
            let escaped = scope.escape(|inner| {
                let mut handles = handles.clone();
                exit = self.frame(inner, &mut handles, Frame::Handles);
                value = self.oracle.stacks[ACTOR].last().copied().filter(|_| handles.len() > outer);
                // Any error will do where nothing escapes.
                handles.get(outer..).and_then(|ours| ours.last()).copied().ok_or(AllocError::InvalidOrigin)
            });
            self.oracle.truncate(ACTOR, outer);
            match (escaped, value) {
                (Ok(handle), Some(value)) => {
                    handles.push(handle);
                    self.oracle.stacks[ACTOR].push(value);
                }
                (Err(AllocError::InvalidOrigin), None) => {}
                (escaped, value) => panic!("{escaped:?} escaped, expected was {value:?}"),
            }
        } else {
            exit = scope.nested(|inner| self.frame(inner, &mut handles.clone(), Frame::Handles));
            self.oracle.truncate(ACTOR, outer);
        }
        exit
    }

    fn always<'s>(
        &mut self,
        scope: &mut Scope<'s, '_>,
        handles: &[AnyHandle<'s>],
        choice: ReserveChoice,
    ) -> (Exit, Aftermath) {
        let outer = handles.len();
        let entry = self.oracle.before_scope(ACTOR, choice, scope.attempts_before_failure());
        self.stirred = true;
        let requests = scope.own_requests().collections;
        let entered = scope.always_allocate(entry.reserve, |inner| {
            self.oracle.scope_entered(&entry);
            let mut handles = handles.to_vec();
            if self.oracle.pace.verifies_requests && inner.own_requests().collections != requests {
                self.oracle.verify_stop(&mut ScopeDoor { scope: inner, handles: &mut handles });
            }
            let anything = self.oracle.quiet(Happened::Anything);
            self.finish(inner, &mut handles, &anything);
            self.frame(inner, &mut handles, Frame::Always)
        });
        match entered {
            Ok(exit) => {
                self.oracle.guards.pop();
                self.oracle.truncate(ACTOR, outer);
                (exit, self.oracle.quiet(Happened::Nothing))
            }
            Err(error) => (Exit::Left, self.oracle.scope_refused(&entry, error, scope.attempts_before_failure())),
        }
    }
}
