//! Threads of the engines.

use super::Engine;
use core::cell::Cell;

/// Stack of a thread that loom starts, in machine words. Its first thread has 32 KiB.
const LOOM_STACK_WORDS: usize = 32 * 1024;

/// The right to wait for a thread.
pub(in crate::sync) enum JoinHandle<T> {
    Loom(loom::thread::JoinHandle<T>),
    Graphs(heaplab_explorer::thread::JoinHandle<T>),
}

impl<T> JoinHandle<T> {
    pub(in crate::sync) fn join(self) -> std::thread::Result<T> {
        match self {
            Self::Loom(handle) => handle.join(),
            Self::Graphs(handle) => handle.join(),
        }
    }
}

/// Starts a thread.
pub(in crate::sync) fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    match Engine::current() {
        Engine::Loom => {
            let builder = loom::thread::Builder::new().stack_size(LOOM_STACK_WORDS);
            JoinHandle::Loom(builder.spawn(f).expect("loom does not refuse a thread"))
        }
        Engine::Graphs => JoinHandle::Graphs(heaplab_explorer::thread::spawn(f)),
    }
}

/// Lets others run.
pub(in crate::sync) fn yield_now() {
    match Engine::current() {
        Engine::Loom => loom::thread::yield_now(),
        Engine::Graphs => heaplab_explorer::thread::yield_now(),
    }
}

/// Whether the thread of the model unwinds.
pub(in crate::sync) fn panicking() -> bool {
    match Engine::current() {
        Engine::Loom => std::thread::panicking(),
        Engine::Graphs => heaplab_explorer::thread::panicking(),
    }
}

loom::thread_local! {
    static INSIDE_LOOM: Cell<bool> = Cell::new(false);
}

heaplab_explorer::thread_local! {
    static INSIDE_GRAPHS: Cell<bool> = Cell::new(false);
}

/// Calls `f` with the thread's flag behind the run marker.
pub(in crate::sync) fn with_run_flag<R>(f: impl FnOnce(&Cell<bool>) -> R) -> R {
    match Engine::current() {
        Engine::Loom => INSIDE_LOOM.with(f),
        Engine::Graphs => INSIDE_GRAPHS.with(f),
    }
}
