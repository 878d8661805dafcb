//! Threads of a model.

use std::fmt;
use std::io;
use std::panic::Location;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

pub use crate::local::{AccessError, LocalKey};
pub use crate::turn::yield_now;

use crate::event::Op;
use crate::handle::Handle;
use crate::place::here;
use crate::runtime::coroutine::{perform, try_state, with_state};
use crate::runtime::state::Step;
use crate::sync::atomic::Atomic;
use crate::views::THREADS_MAX;

/// A thread's name within an execution.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ThreadId(usize);

impl ThreadId {
    /// The thread's number in the execution; 0 is the thread that runs the model. An execution that shares the
    /// thread's start has the same number for it.
    #[must_use]
    pub fn index(self) -> usize {
        self.0
    }
}

/// A thread of the model.
#[derive(Clone, Debug)]
pub struct Thread {
    id: usize,
    run: u32,
    name: Option<String>,
}

impl Thread {
    /// Its name within the execution.
    pub fn id(&self) -> ThreadId {
        ThreadId(self.id)
    }

    /// The name that it was spawned with.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Lets the thread's [`park`] return, now or when it is called.
    #[track_caller]
    pub fn unpark(&self) {
        let place = here();
        perform(
            |_| Step::Done(()),
            |state| {
                if self.run == state.run {
                    return Step::Done(());
                }
                let message = format!("T{} unparks a thread of another execution", state.current);
                state.fail(crate::FailureKind::Foreign, message, &[place])
            },
        );
        token(self.id, place).rmw(Op::Swap(1), Ordering::AcqRel, place);
    }
}

/// Whether the thread that calls panics; outside of an exploration, as `std::thread::panicking`.
#[must_use]
#[inline]
pub fn panicking() -> bool {
    try_state(|state| state.is_panicking()).unwrap_or_else(std::thread::panicking)
}

/// The word of a thread's token. Keys below the number of threads are no addresses.
fn token(thread: usize, place: &'static Location<'static>) -> Atomic<u64> {
    Atomic::of(Handle::of_key(thread, 0, place))
}

/// The thread that calls.
///
/// # Panics
///
/// Outside of an exploration.
#[must_use]
#[track_caller]
pub fn current() -> Thread {
    with_state(|state| Thread { id: state.current, run: state.run, name: state.names[state.current].clone() })
}

/// Waits for [`Thread::unpark`].
///
/// # Panics
///
/// Outside of an exploration.
#[track_caller]
pub fn park() {
    let place = here();
    let thread = with_state(|state| state.current);
    token(thread, place).attempt(Op::Take, Ordering::AcqRel, Ordering::Relaxed, place);
}

/// What a thread's closure returned.
type Slot<T> = Arc<Mutex<Option<T>>>;

/// The right to wait for the end of a thread.
pub struct JoinHandle<T> {
    /// `None`: it was never begun, as the execution was given up.
    id: Option<usize>,
    run: u32,
    slot: Slot<T>,
    thread: Thread,
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("thread", &self.thread).finish_non_exhaustive()
    }
}

fn take<T>(slot: &Slot<T>) -> Option<T> {
    slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
}

impl<T> JoinHandle<T> {
    /// Waits until the thread has ended, and returns what its closure returned.
    ///
    /// # Errors
    ///
    /// In executions that are given up only: a thread that panics fails the execution.
    ///
    /// # Panics
    ///
    /// Outside of the execution of the thread.
    #[track_caller]
    pub fn join(self) -> std::thread::Result<T> {
        let place = here();
        let never_ran = || Box::new("the execution was given up") as Box<dyn std::any::Any + Send>;
        let Some(id) = self.id else { return Err(never_ran()) };
        perform(
            |state| if self.run != state.run || state.ended >> id & 1 == 1 { Step::Done(()) } else { Step::Wait },
            |state| {
                if self.run != state.run {
                    let message = format!("T{} joins a thread of another execution", state.current);
                    return state.fail(crate::FailureKind::Foreign, message, &[place]);
                }
                state.join(id, place)
            },
        );
        take(&self.slot).ok_or_else(never_ran)
    }

    /// The thread.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Whether the thread's closure has returned, in the order in which the explorer runs threads. It orders nothing
    /// and is not explored: do not let the model depend on it.
    pub fn is_finished(&self) -> bool {
        self.slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner).is_some()
    }
}

/// Spawns a thread.
///
/// The closure need not be `Send`: all threads of an execution run on one thread of the host.
///
/// # Panics
///
/// Outside of an exploration. More threads than [`MAX_THREADS`](crate::MAX_THREADS) fail the execution.
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    begin(None, f, here())
}

fn begin<F, T>(name: Option<String>, f: F, place: &'static Location<'static>) -> JoinHandle<T>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    let id = perform(
        |state| state.spawn_flat(place),
        |state| match state.spawn(place) {
            Step::Done(id) => Step::Done(Some(id)),
            Step::Wait => Step::Wait,
            Step::Unwind => Step::Unwind,
        },
    );
    let slot: Slot<T> = Arc::default();
    if let Some(id) = id {
        let slot = Arc::clone(&slot);
        let body = Box::new(move || {
            let result = f();
            let before = slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner).replace(result);
            debug_assert!(before.is_none(), "a closure returns once");
        });
        with_state(|state| {
            state.names[id] = name.clone();
            state.spawned.push((id, body));
        });
    }
    let run = with_state(|state| state.run);
    JoinHandle { id, run, slot, thread: Thread { id: id.unwrap_or(THREADS_MAX), run, name } }
}

/// A thread that is still to be spawned.
#[derive(Debug, Default)]
pub struct Builder {
    name: Option<String>,
}

impl Builder {
    /// A thread without a name.
    #[must_use]
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Gives it a name.
    #[must_use]
    pub fn name(mut self, name: String) -> Builder {
        self.name = Some(name);
        self
    }

    /// Accepted for the standard library's sake: see [`Builder::stack_size`](crate::model::Builder::stack_size) of the
    /// exploration.
    #[must_use]
    pub fn stack_size(self, _bytes: usize) -> Builder {
        self
    }

    /// Spawns it.
    ///
    /// # Errors
    ///
    /// None: what would be an error fails the execution.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + 'static,
        T: 'static,
    {
        Ok(begin(self.name, f, here()))
    }
}
