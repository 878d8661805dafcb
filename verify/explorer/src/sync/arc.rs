//! Shared ownership whose count is explored.
//!
//! The value is owned by a native count, which alone decides when it is dropped. Beside it stands the model's count,
//! a word that clones and drops change as those of the standard library do; so all orders of drops are explored, and
//! what the owners did before is ordered before the drop of the value. Each change of the model's count is followed
//! by that of the native one without a switch of threads, so that the two agree.

use std::any::Any;
use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc as Native;
use std::sync::atomic::Ordering;

use super::atomic::{Atomic, fence};
use crate::event::Op;
use crate::failure::FailureKind;
use crate::handle::Handle;
use crate::place::here;
use crate::runtime::coroutine::{is_running, perform, with_state};
use crate::runtime::state::{Phase, Step};

type Place = &'static Location<'static>;

/// The owners of a value, as the model counts them.
struct Owners {
    /// `None`: they are not counted.
    count: Option<Atomic<usize>>,
    /// The entry among what must not be left over, and the run of it.
    entry: usize,
    run: u32,
}

impl Owners {
    fn new(place: Place) -> Owners {
        let is_counted = with_state(|state| state.builder.counted_arcs);
        let count = is_counted.then(|| Atomic::of(Handle::new(1)));
        let (entry, run) = with_state(|state| {
            state.live.push(Some(place));
            (state.live.len() - 1, state.run)
        });
        Owners { count, entry, run }
    }

    /// The value is no longer owned.
    fn is_gone(&self) {
        with_state(|state| {
            if state.run == self.run {
                state.live[self.entry] = None;
            }
        });
    }
}

/// A pointer that shares ownership of a value, as `std::sync::Arc`, without weak ones.
///
/// A value that is still owned at the end of an execution is a leak, and fails it. That the owners' counts are explored
/// multiplies executions; where nothing depends on who is last, use the standard library's type, or switch it off by
/// [`Builder::counted_arcs`](crate::model::Builder::counted_arcs).
pub struct Arc<T: ?Sized> {
    value: Native<T>,
    owners: Native<Owners>,
}

impl<T> Arc<T> {
    /// Owns a value.
    ///
    /// # Panics
    ///
    /// Outside of an exploration.
    #[must_use]
    #[track_caller]
    pub fn new(value: T) -> Arc<T> {
        Arc { value: Native::new(value), owners: Native::new(Owners::new(here())) }
    }

    /// Owns a value that stays where it is.
    #[must_use]
    #[track_caller]
    pub fn pin(value: T) -> Pin<Arc<T>> {
        // SAFETY: the value is behind the pointer and moves only by `try_unwrap` and `get_mut`, which a pinned
        // pointer has not.
        unsafe { Pin::new_unchecked(Arc::new(value)) }
    }

    /// The value, if this is its only owner.
    ///
    /// # Errors
    ///
    /// There are others, or seem to be; the error has the pointer.
    #[track_caller]
    pub fn try_unwrap(this: Arc<T>) -> Result<T, Arc<T>> {
        let place = here();
        let is_last = match &this.owners.count {
            Some(count) => count.attempt(Op::Cas(1, 0), Ordering::Release, Ordering::Relaxed, place),
            None => Native::strong_count(&this.value) == 1,
        };
        if !is_last || Native::strong_count(&this.value) != 1 {
            return Err(this);
        }
        if this.owners.count.is_some() {
            fence(Ordering::Acquire);
        }
        this.owners.is_gone();
        let value = Native::clone(&this.value);
        this.forget_owner();
        // It was the only owner, and nothing ran since.
        Ok(Native::try_unwrap(value).unwrap_or_else(|_| unreachable!("the only owner")))
    }
}

impl<T: ?Sized> Arc<T> {
    /// Owns what a standard pointer owns alone. So unsized values are made, as `Arc<dyn Trait>`.
    ///
    /// # Panics
    ///
    /// If it has other owners.
    #[must_use]
    #[track_caller]
    pub fn from_std(mut value: Native<T>) -> Arc<T> {
        assert!(Native::get_mut(&mut value).is_some(), "the Arc is not unique");
        Arc { value, owners: Native::new(Owners::new(here())) }
    }

    /// How many owners there are; a load of the ordering `SeqCst`.
    #[must_use]
    #[track_caller]
    pub fn strong_count(this: &Arc<T>) -> usize {
        match &this.owners.count {
            Some(count) => count.load(Ordering::SeqCst, here()),
            None => Native::strong_count(&this.value),
        }
    }

    /// The value, if this is its only owner.
    #[track_caller]
    pub fn get_mut(this: &mut Arc<T>) -> Option<&mut T> {
        let is_last = match &this.owners.count {
            Some(count) => count.load(Ordering::Acquire, here()) == 1,
            None => true,
        };
        if is_last { Native::get_mut(&mut this.value) } else { None }
    }

    /// Whether two pointers own the same value.
    #[must_use]
    pub fn ptr_eq(this: &Arc<T>, other: &Arc<T>) -> bool {
        Native::ptr_eq(&this.value, &other.value)
    }

    /// The address of the value.
    #[must_use]
    pub fn as_ptr(this: &Arc<T>) -> *const T {
        Native::as_ptr(&this.value)
    }

    /// Gives the ownership into the address; [`Arc::from_raw`] takes it back.
    #[must_use]
    pub fn into_raw(this: Arc<T>) -> *const T {
        let pointer = Native::into_raw(Native::clone(&this.value));
        let owners: Native<dyn Any + Send + Sync> = Native::clone(&this.owners) as _;
        with_state(|state| state.raw_counts.insert(pointer.cast::<()>().addr(), owners));
        this.forget_owner();
        pointer
    }

    /// Takes the ownership back out of an address.
    ///
    /// # Safety
    ///
    /// The address is of [`Arc::into_raw`] in this execution, for the same type, and each ownership is taken back once.
    ///
    /// # Panics
    ///
    /// If the address is of no value of this execution.
    #[must_use]
    #[track_caller]
    pub unsafe fn from_raw(pointer: *const T) -> Arc<T> {
        let owners = owners_of(pointer.cast());
        // SAFETY: the caller's contract.
        Arc { value: unsafe { Native::from_raw(pointer) }, owners }
    }

    /// Adds an owner of the value at an address.
    ///
    /// # Safety
    ///
    /// As [`Arc::from_raw`], and the value has an owner.
    #[track_caller]
    pub unsafe fn increment_strong_count(pointer: *const T) {
        // SAFETY: the caller's contract.
        let this = std::mem::ManuallyDrop::new(unsafe { Arc::from_raw(pointer) });
        std::mem::forget(Arc::clone(&this));
    }

    /// Takes an owner of the value at an address away.
    ///
    /// # Safety
    ///
    /// As [`Arc::from_raw`].
    #[track_caller]
    pub unsafe fn decrement_strong_count(pointer: *const T) {
        // SAFETY: the caller's contract.
        drop(unsafe { Arc::from_raw(pointer) });
    }

    /// Drops this owner natively, but does not count it.
    fn forget_owner(self) {
        let this = std::mem::ManuallyDrop::new(self);
        // SAFETY: the fields are read once, and `this` is not used afterwards nor dropped.
        unsafe {
            drop(std::ptr::read(&this.value));
            drop(std::ptr::read(&this.owners));
        }
    }
}

#[track_caller]
fn owners_of(pointer: *const ()) -> Native<Owners> {
    let owners = with_state(|state| state.raw_counts.get(&pointer.addr()).cloned());
    let owners = owners.and_then(|owners| owners.downcast().ok());
    owners.expect("the address of an Arc of this execution")
}

impl<T: ?Sized> Clone for Arc<T> {
    #[track_caller]
    fn clone(&self) -> Arc<T> {
        if let Some(count) = &self.owners.count {
            count.rmw(Op::Add(1), Ordering::Relaxed, here());
        }
        Arc { value: Native::clone(&self.value), owners: Native::clone(&self.owners) }
    }
}

impl<T: ?Sized> Drop for Arc<T> {
    #[track_caller]
    fn drop(&mut self) {
        if !is_running() {
            return;
        }
        let place = here();
        let is_last_natively = Native::strong_count(&self.value) == 1;
        let Some(count) = &self.owners.count else {
            if is_last_natively {
                self.owners.is_gone();
            }
            return;
        };
        let is_last = count.rmw(Op::Sub(1), Ordering::Release, place) == 1;
        // Other threads may have dropped theirs meanwhile.
        let is_last_natively = Native::strong_count(&self.value) == 1;
        if is_last {
            fence(Ordering::Acquire);
            self.owners.is_gone();
        } else if is_last_natively && with_state(|state| state.phase != Phase::Abandoned) {
            perform(
                |_| Step::Done(()),
                |state| {
                    let message =
                        "the explored count of an Arc says that there are owners, and there are none".to_owned();
                    state.fail(FailureKind::Nondeterminism, message, &[place])
                },
            );
        }
    }
}

impl<T: ?Sized> Deref for Arc<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> AsRef<T> for Arc<T> {
    fn as_ref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> Borrow<T> for Arc<T> {
    fn borrow(&self) -> &T {
        &self.value
    }
}

impl<T: Default> Default for Arc<T> {
    #[track_caller]
    fn default() -> Arc<T> {
        Arc::new(T::default())
    }
}

impl<T> From<T> for Arc<T> {
    #[track_caller]
    fn from(value: T) -> Arc<T> {
        Arc::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + PartialEq> PartialEq for Arc<T> {
    fn eq(&self, other: &Arc<T>) -> bool {
        **self == **other
    }
}

impl<T: ?Sized + Eq> Eq for Arc<T> {}

impl<T: ?Sized + PartialOrd> PartialOrd for Arc<T> {
    fn partial_cmp(&self, other: &Arc<T>) -> Option<std::cmp::Ordering> {
        (**self).partial_cmp(&**other)
    }
}

impl<T: ?Sized + Ord> Ord for Arc<T> {
    fn cmp(&self, other: &Arc<T>) -> std::cmp::Ordering {
        (**self).cmp(&**other)
    }
}

impl<T: ?Sized + Hash> Hash for Arc<T> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (**self).hash(hasher);
    }
}
