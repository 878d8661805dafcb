//! The types of the safe API: what a handle or a reference may point to.

use crate::object::{Tagged, kind};
use crate::thread::Slot;
use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;

mod sealed {
    pub trait Sealed {}
}

/// A type of heap values. Sealed: an embedder's kinds are [`Record`]s with maps of its own.
pub trait HeapType: sealed::Sealed + 'static {
    /// Whether an object of this instance kind is of this type. Small integers are of type [`Value`] only.
    fn admits(kind: u16) -> bool;
    /// Whether small integers are of this type.
    const ADMITS_SMALL: bool = false;
}

macro_rules! heap_type {
    ($(#[$doc:meta])* $name:ident, $admits:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}
        impl sealed::Sealed for $name {}
        impl HeapType for $name {
            fn admits(kind: u16) -> bool {
                let admits: fn(u16) -> bool = $admits;
                admits(kind)
            }
        }
    };
}

/// Anything: a small integer or any object.
#[derive(Debug)]
pub enum Value {}
impl sealed::Sealed for Value {}
impl HeapType for Value {
    fn admits(_kind: u16) -> bool {
        true
    }
    const ADMITS_SMALL: bool = true;
}

heap_type!(
    /// An array of values.
    Array, |kind| kind == kind::FIXED_ARRAY
);
heap_type!(
    /// An array of bytes.
    Bytes, |kind| kind == kind::BYTE_ARRAY
);
heap_type!(
    /// A code object: bytes that never move.
    Code, |kind| kind == kind::CODE
);
heap_type!(
    /// A map: an object that describes the shape of others. Never moves.
    Map, |kind| kind == kind::MAP
);
heap_type!(
    /// An object of an embedder's kind.
    Record, |kind| kind >= kind::FIRST_EMBEDDER
);

/// A root that lives as long as its handle scope, and follows its object.
pub struct Handle<'s, T> {
    pub(super) slot: NonNull<Slot>,
    /// Covariant in the scope: an outer handle serves in an inner scope, never the other way round. Not `Send`.
    _scope: PhantomData<(&'s (), *mut T)>,
}

impl<T> Handle<'_, T> {
    pub(super) fn new(slot: NonNull<Slot>) -> Self {
        Handle { slot, _scope: PhantomData }
    }

    /// The word in the slot.
    ///
    /// # Safety
    /// The handle's scope is open and its thread is running.
    #[inline(always)]
    pub(super) unsafe fn tagged(self) -> Tagged {
        // SAFETY: slots of open scopes are alive, and this thread's.
        Tagged::from_bits(unsafe { self.slot.as_ref().with(|bits| *bits) })
    }
}

impl<'s, T> Handle<'s, T> {
    /// The same handle, to a value of unstated type.
    #[inline(always)]
    #[must_use]
    pub fn any(self) -> Handle<'s, Value> {
        Handle::new(self.slot)
    }
}

impl<T> Clone for Handle<'_, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Handle<'_, T> {}

impl<T> fmt::Debug for Handle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(&self.slot.as_ptr()).finish()
    }
}

/// What an allocation site needs to know of a map: made once by [`Scope::record_type`](super::Scope::record_type), it
/// saves looking at the map for every record. Sound because the map is a root of the scope and never moves.
#[derive(Clone, Copy, Debug)]
pub struct RecordType<'s> {
    pub(super) map: Tagged,
    pub(super) bytes: u32,
    _scope: PhantomData<(&'s (), *mut ())>,
}

impl RecordType<'_> {
    pub(super) fn new(map: Tagged, bytes: u32) -> Self {
        RecordType { map, bytes, _scope: PhantomData }
    }
}

/// An object or a small integer, for the moment: borrows the scope, so it cannot be held over anything that may
/// collect.
pub struct Ref<'a, T> {
    word: Tagged,
    _scope: PhantomData<(&'a (), *mut T)>,
}

impl<T> Ref<'_, T> {
    /// # Safety
    /// `word` is live, of type `T`, for as long as the scope is borrowed.
    #[inline(always)]
    pub(super) unsafe fn new(word: Tagged) -> Self {
        Ref { word, _scope: PhantomData }
    }

    /// The tagged word.
    #[inline(always)]
    #[must_use]
    pub fn tagged(self) -> Tagged {
        self.word
    }
}

impl Ref<'_, Value> {
    /// A small integer. `None` outside of 31 bits.
    #[inline(always)]
    #[must_use]
    pub fn small(value: i32) -> Option<Self> {
        // SAFETY: a small integer is always live.
        Tagged::small(value).map(|word| unsafe { Ref::new(word) })
    }

    /// The small integer that this is, if it is one.
    #[inline(always)]
    #[must_use]
    pub fn as_small(self) -> Option<i32> {
        self.word.as_small()
    }
}

macro_rules! upcast {
    ($($name:ident),+) => {
        $(impl<'a> From<Ref<'a, $name>> for Ref<'a, Value> {
            #[inline(always)]
            fn from(r: Ref<'a, $name>) -> Self {
                Ref { word: r.word, _scope: PhantomData }
            }
        })+
    };
}
upcast!(Array, Bytes, Code, Map, Record);

impl<T> Clone for Ref<'_, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Ref<'_, T> {}

/// Identity: the same object, or the same small integer.
impl<T, U> PartialEq<Ref<'_, U>> for Ref<'_, T> {
    #[inline(always)]
    fn eq(&self, other: &Ref<'_, U>) -> bool {
        self.word == other.word
    }
}

impl<T> fmt::Debug for Ref<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ref").field(&self.word).finish()
    }
}
