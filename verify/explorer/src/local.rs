//! Thread locals and lazy statics: values that an execution makes when they are first used.
//!
//! A thread local is dropped at the end of its thread. The value of a lazy static can be borrowed for good, so it is
//! never dropped: each execution that uses it leaves it behind.

use std::any::Any;
use std::fmt;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use crate::event::{Event, Kind, Op};
use crate::handle::Handle;
use crate::place::here;
use crate::runtime::coroutine::with_state;
use crate::sync::atomic::Atomic;

/// A thread local that was dropped already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct AccessError;

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the thread local was dropped already")
    }
}

impl std::error::Error for AccessError {}

/// A thread local of the model, which [`thread_local!`](crate::thread_local) declares.
pub struct LocalKey<T: 'static> {
    init: fn() -> T,
}

impl<T: 'static> LocalKey<T> {
    #[doc(hidden)]
    pub const fn declare(init: fn() -> T) -> LocalKey<T> {
        LocalKey { init }
    }

    /// Calls `f` with the thread's value.
    ///
    /// # Panics
    ///
    /// If the value was dropped already, and outside of an exploration.
    #[track_caller]
    pub fn with<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&T) -> R,
    {
        self.try_with(f).expect("the thread local was dropped already")
    }

    /// As [`LocalKey::with`].
    ///
    /// # Errors
    ///
    /// The value was dropped already.
    #[track_caller]
    pub fn try_with<F, R>(&'static self, f: F) -> Result<R, AccessError>
    where
        F: FnOnce(&T) -> R,
    {
        let key = std::ptr::from_ref(self).addr();
        let find =
            || with_state(|state| state.locals[state.current].iter().find(|(k, _)| *k == key).map(|(_, v)| v.clone()));
        let value = match find() {
            Some(value) => value.ok_or(AccessError)?,
            None => {
                let value: Rc<dyn Any> = Rc::new((self.init)());
                // The initialiser may have used the key itself; then the first value counts, as nobody knows of this
                // one.
                match find() {
                    Some(first) => first.ok_or(AccessError)?,
                    None => {
                        let entry = (key, Some(Rc::clone(&value)));
                        with_state(|state| state.locals[state.current].push(entry));
                        value
                    }
                }
            }
        };
        Ok(f(value.downcast_ref().expect("a key has one type")))
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

/// Drops the locals of a thread, the youngest first. A destructor may make others.
pub(crate) fn drop_all(thread: usize) {
    loop {
        let next = with_state(|state| state.locals[thread].iter_mut().rev().find_map(|(_, value)| value.take()));
        match next {
            Some(value) => drop(value),
            None => return,
        }
    }
}

/// A static that an execution makes when it is first used, which [`lazy_static!`](crate::lazy_static) declares.
pub struct Lazy<T: 'static> {
    init: fn() -> T,
}

impl<T: 'static> Lazy<T> {
    #[doc(hidden)]
    pub const fn declare(init: fn() -> T) -> Lazy<T> {
        Lazy { init }
    }

    /// The value of this execution.
    ///
    /// # Panics
    ///
    /// Outside of an exploration.
    #[track_caller]
    pub fn get(&'static self) -> &'static T {
        let place = here();
        let key = std::ptr::from_ref(self).addr();
        let word: Atomic<u64> = Atomic::of(Handle::of_key(key, 0, place));
        // One event: a load before it would be explored with each value that there was on the way.
        let mut event = Event::new(Kind::RmwRead, word.location(), Ordering::Acquire, place);
        event.op = Op::Once;
        if word.read(&mut event).1 {
            let value: &'static T = Box::leak(Box::new((self.init)()));
            with_state(|state| {
                state.has_statics = true;
                state.statics.insert(key, value);
            });
            word.store(2, Ordering::Release, place);
        }
        let value = with_state(|state| state.statics.get(&key).copied());
        match value {
            Some(value) => value.downcast_ref().expect("a key has one type"),
            // Of a run that was given up: whoever initialises was unwound.
            None => Box::leak(Box::new((self.init)())),
        }
    }
}

impl<T: 'static> fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lazy").finish_non_exhaustive()
    }
}

/// Declares thread locals of the model, in the form of `std::thread_local!`.
///
/// # Examples
///
/// ```
/// use std::cell::Cell;
///
/// heaplab_explorer::thread_local! {
///     static DEPTH: Cell<usize> = Cell::new(0);
/// }
///
/// heaplab_explorer::model(|| {
///     DEPTH.with(|depth| depth.set(1));
///     let other = heaplab_explorer::thread::spawn(|| DEPTH.with(Cell::get));
///     assert_eq!(other.join().unwrap(), 0);
/// });
/// ```
#[macro_export]
macro_rules! thread_local {
    () => {};
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $t:ty = const $init:block $(; $($rest:tt)*)?) => {
        $crate::thread_local!($(#[$attribute])* $visibility static $name: $t = $init $(; $($rest)*)?);
    };
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $t:ty = $init:expr $(; $($rest:tt)*)?) => {
        $(#[$attribute])*
        $visibility static $name: $crate::thread::LocalKey<$t> = $crate::thread::LocalKey::declare(|| $init);
        $($crate::thread_local!($($rest)*);)?
    };
}

/// Declares statics of the model that are made when they are first used, in the form of the crate `lazy_static`.
///
/// The values are never dropped, since they can be borrowed for good: each execution leaves its own behind.
///
/// # Examples
///
/// ```
/// use heaplab_explorer::sync::atomic::{AtomicUsize, Ordering};
///
/// heaplab_explorer::lazy_static! {
///     static ref COUNT: AtomicUsize = AtomicUsize::new(0);
/// }
///
/// heaplab_explorer::model(|| {
///     let other = heaplab_explorer::thread::spawn(|| COUNT.fetch_add(1, Ordering::Relaxed));
///     COUNT.fetch_add(1, Ordering::Relaxed);
///     other.join().unwrap();
///     assert_eq!(COUNT.load(Ordering::Relaxed), 2);
/// });
/// ```
#[macro_export]
macro_rules! lazy_static {
    () => {};
    ($(#[$attribute:meta])* $visibility:vis static ref $name:ident: $t:ty = $init:expr; $($rest:tt)*) => {
        #[allow(missing_copy_implementations, missing_debug_implementations, non_camel_case_types, dead_code)]
        $(#[$attribute])*
        $visibility struct $name {
            private: (),
        }
        #[doc(hidden)]
        $visibility static $name: $name = $name { private: () };
        impl ::core::ops::Deref for $name {
            type Target = $t;
            fn deref(&self) -> &$t {
                static LAZY: $crate::Lazy<$t> = $crate::Lazy::declare(|| $init);
                LAZY.get()
            }
        }
        $crate::lazy_static!($($rest)*);
    };
}
