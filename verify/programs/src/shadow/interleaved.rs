//! The engine for several local heaps on one thread: they take turns, step by step, and all but the acting one are
//! parked.
//!
//! Actor 0, the *clerk*, works through the safe API, one [`Attachment::run`] to a step, so its roots are persistent
//! handles. The others work through the raw API, and keep their handles while they are parked. An always-allocate
//! scope is a closure in the raw API too: the engine goes on inside the closure, with everyone's steps, until the
//! owner leaves the scope. Scopes of two owners cannot cross: leaving a scope that is not the innermost does nothing.

use super::oracle::Aftermath;
use super::{Happened, Oracle, RawDoor, RawRoot, Roots, ScopeDoor, assert_hostile_requests_fail, word_of};
use crate::ops::{Op, Program, ReserveChoice};
use heaplab::heap::RawLocalHeap;
use heaplab::thread::HandleMark;
use heaplab::{Attachment, Handle, Heap, LocalHeap, Persistent, Value};
use heaplab_common::claim_eq;

const CLERK: usize = 0;
const ALWAYS_DEPTH_MAX: usize = 6;

/// An actor of the raw API.
#[derive(Default)]
struct Raw {
    local: Option<LocalHeap>,
    roots: Vec<RawRoot>,
    scopes: Vec<(HandleMark, usize)>,
}

struct Engine<'p> {
    program: &'p Program,
    next: usize,
    oracle: Oracle,
    clerk: Option<Attachment>,
    clerks_roots: Vec<Persistent<Value>>,
    clerks_scopes: Vec<usize>,
    raws: Vec<Raw>,
    /// Owners of the open always-allocate scopes.
    always: Vec<usize>,
}

/// Runs `program` with a local heap for each of its threads, all on this thread, and detaches them. Concurrent
/// allocation is on at the start.
///
/// # Panics
/// If the heap is not what the shadow says.
pub(super) fn drive(program: &Program, mut oracle: Oracle) -> Oracle {
    let actors = oracle.stacks.len();
    let clerk = oracle.state.attach(Heap::attach);
    let mut engine = Engine {
        program,
        next: 0,
        oracle,
        clerk,
        clerks_roots: Vec::new(),
        clerks_scopes: Vec::new(),
        raws: (1..actors).map(|_| Raw::default()).collect(),
        always: Vec::new(),
    };
    engine.drive(None);
    for actor in 1..actors {
        engine.detach(actor);
    }
    let Engine { mut oracle, clerk, clerks_roots, raws, .. } = engine;
    drop((clerks_roots, raws, clerk));
    oracle.state.attached -= 1;
    oracle
}

impl Engine<'_> {
    /// Runs steps until the owner of the innermost always-allocate scope leaves it, or no step is left.
    fn drive(&mut self, until: Option<usize>) {
        while let Some(step) = self.program.steps.get(self.next) {
            // Everyone is parked between two steps.
            self.oracle.begin(self.next, |look| look());
            self.next += 1;
            let actor = usize::from(step.thread);
            if step.op == Op::LeaveAlways && until == Some(actor) {
                return;
            }
            let after = if actor == CLERK { self.clerk_step(step.op) } else { self.raw_step(actor, step.op) };
            self.finish(&after);
        }
    }

    fn roots(&mut self) -> Roots {
        let mut roots = Roots::new();
        for (actor, raw) in (1..).zip(&self.raws) {
            claim_eq!(
                raw.roots.len(),
                self.oracle.stacks[actor].len(),
                "the number of handles, for as many roots of the shadow,"
            );
            // SAFETY: the engine resets handles and forgets their roots together, and is the only thread.
            let words = raw.roots.iter().map(|&root| unsafe { word_of(root) });
            roots.extend(self.oracle.stacks[actor].iter().copied().zip(words));
        }
        let (oracle, clerks_roots) = (&self.oracle, &self.clerks_roots);
        let clerk = self.clerk.as_mut().expect("the clerk stays attached");
        let shared = clerk.run(|scope| {
            let mut handles = Vec::new();
            let door = core::cell::RefCell::new(ScopeDoor { scope, handles: &mut handles });
            let peek = |persistent: &Persistent<Value>| door.borrow_mut().peek(persistent);
            let words = clerks_roots.iter().map(peek);
            let mut roots: Roots = oracle.stacks[CLERK].iter().copied().zip(words).collect();
            roots.extend(oracle.shared.words(peek, |set, slot| door.borrow_mut().peek_root(set, slot)));
            roots
        });
        roots.extend(shared.expect("the clerk alone runs"));
        roots
    }

    fn finish(&mut self, after: &Aftermath) {
        let roots = if self.oracle.compares(after) { self.roots() } else { Roots::new() };
        self.oracle.finish(&roots, after);
    }

    fn clerk_step(&mut self, op: Op) -> Aftermath {
        let quiet = self.oracle.quiet(Happened::Nothing);
        match op {
            Op::OpenScope { .. } => self.clerks_scopes.push(self.clerks_roots.len()),
            Op::CloseScope => {
                if let Some(roots) = self.clerks_scopes.pop() {
                    self.clerks_roots.truncate(roots);
                    self.oracle.truncate(CLERK, roots);
                }
            }
            Op::Detach => {
                self.oracle.state.detach_extra();
            }
            // The clerk's runs end with its steps, and a scope does not outlive them.
            Op::EnterAlways(_) | Op::LeaveAlways => {}
            op => return self.clerk_runs(op),
        }
        quiet
    }

    fn clerk_runs(&mut self, op: Op) -> Aftermath {
        let (oracle, roots) = (&mut self.oracle, &mut self.clerks_roots);
        let clerk = self.clerk.as_mut().expect("the clerk stays attached");
        let after = clerk.run(|scope| {
            let open = |root| scope.open(root).expect("a root of this heap");
            let mut handles: Vec<Handle<'_, Value>> = roots.iter().map(open).collect();
            let after = oracle.step(CLERK, &mut ScopeDoor { scope, handles: &mut handles }, op);
            roots.extend(handles[roots.len()..].iter().map(|&handle| scope.persist(handle)));
            after
        });
        after.expect("the clerk alone runs")
    }

    fn detach(&mut self, actor: usize) {
        let raw = &mut self.raws[actor - 1];
        if !self.always.contains(&actor) && raw.local.take().is_some() {
            raw.roots.clear();
            raw.scopes.clear();
            self.oracle.truncate(actor, 0);
            self.oracle.state.attached -= 1;
        }
    }

    fn raw_step(&mut self, actor: usize, op: Op) -> Aftermath {
        let quiet = self.oracle.quiet(Happened::Nothing);
        let raw = &mut self.raws[actor - 1];
        if op == Op::Detach {
            self.detach(actor);
            return quiet;
        }
        if raw.local.is_none() {
            raw.local = self.oracle.state.attach(Heap::attach_raw);
        }
        let Some(local) = raw.local.as_ref().map(LocalHeap::raw) else { return quiet };
        match op {
            Op::EnterAlways(choice) if self.always.len() < ALWAYS_DEPTH_MAX => {
                return self.enter_always(actor, local, choice);
            }
            // The outer scopes' handles stay where they are until the inner always-allocate scope is left.
            Op::OpenScope { .. } => {
                // SAFETY: R-1: this thread has the local heap, which is parked: nobody else touches it.
                let mark = unsafe { local.handle_mark() };
                raw.scopes.push((mark, raw.roots.len()));
            }
            Op::CloseScope => {
                if let Some((mark, roots)) = raw.scopes.pop() {
                    // SAFETY: as above; marks are gone back to in order, and the roots forgotten.
                    unsafe { local.reset_handles(mark) };
                    raw.roots.truncate(roots);
                    self.oracle.truncate(actor, roots);
                }
            }
            op => {
                let heap = self.oracle.heap().clone();
                // SAFETY: everyone else is parked, this is the only thread, and references are held in roots
                // only.
                unsafe {
                    local.unpark();
                    if op == Op::Poll {
                        assert_hostile_requests_fail(local, heap.layout().object_bytes_max());
                    }
                    let mut door = RawDoor::new(local, &mut raw.roots, &heap);
                    let after = self.oracle.step(actor, &mut door, op);
                    local.park();
                    return after;
                }
            }
        }
        quiet
    }

    /// Enters an always-allocate scope and stays in it until its owner leaves it.
    fn enter_always(&mut self, actor: usize, local: RawLocalHeap, choice: ReserveChoice) -> Aftermath {
        // SAFETY: R-1: nobody else touches the local heap, which is parked.
        let entry = self.oracle.before_scope(actor, choice, unsafe { local.attempts_before_failure() });
        // SAFETY, as in `raw_step`: the owner is running when the scope begins and ends, and parked inside
        // it.
        let entered = unsafe {
            local.unpark();
            let entered = local.always_allocate(entry.reserve, |inner| {
                inner.park();
                self.oracle.scope_entered(&entry);
                self.always.push(actor);
                let anything = self.oracle.quiet(Happened::Anything);
                self.finish(&anything);
                self.drive(Some(actor));
                self.always.pop();
                self.oracle.guards.pop();
                inner.unpark();
            });
            local.park();
            entered
        };
        match entered {
            Ok(()) => self.oracle.quiet(Happened::Nothing),
            // SAFETY: as above.
            Err(error) => self.oracle.scope_refused(&entry, error, unsafe { local.attempts_before_failure() }),
        }
    }
}
