//! Atomic words and fences of the engines.

use super::Engine;
use core::sync::atomic::Ordering;
use heaplab_explorer::sync::atomic as graphs;
use loom::sync::atomic as loomed;

macro_rules! atomic {
    ($($name:ident, $value:ty;)*) => {$(
        /// A word of the engine that it was made under.
        pub(in crate::sync) enum $name {
            Loom(loomed::$name),
            Graphs(graphs::$name),
        }

        impl $name {
            #[track_caller]
            pub(in crate::sync) fn new(value: $value) -> Self {
                match Engine::current() {
                    Engine::Loom => Self::Loom(loomed::$name::new(value)),
                    Engine::Graphs => Self::Graphs(graphs::$name::new(value)),
                }
            }

            pub(in crate::sync) fn load(&self, order: Ordering) -> $value {
                match self {
                    Self::Loom(word) => word.load(order),
                    Self::Graphs(word) => word.load(order),
                }
            }

            pub(in crate::sync) fn store(&self, value: $value, order: Ordering) {
                match self {
                    Self::Loom(word) => word.store(value, order),
                    Self::Graphs(word) => word.store(value, order),
                }
            }

            pub(in crate::sync) fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                match self {
                    Self::Loom(word) => word.compare_exchange(current, new, success, failure),
                    Self::Graphs(word) => word.compare_exchange(current, new, success, failure),
                }
            }

            /// Plain load.
            ///
            /// # Safety
            ///
            /// Every store by another thread happens before the call, or after it.
            pub(in crate::sync) unsafe fn unsync_load(&self) -> $value {
                match self {
                    // SAFETY: forwarded; both engines check the contract instead of trusting it.
                    Self::Loom(word) => unsafe { word.unsync_load() },
                    // SAFETY: as above.
                    Self::Graphs(word) => unsafe { word.unsync_load() },
                }
            }

            /// Plain store, by what `word` points to.
            ///
            /// # Safety
            ///
            /// `word` is valid. Every access by another thread happens before the call, or after it. Nothing writes
            /// the bytes of a loom atomic after its construction.
            pub(in crate::sync) unsafe fn unsync_store(word: *mut Self, value: $value) {
                // SAFETY: the caller's contract: the pointer is valid, and the variant never changes.
                let is_loom = matches!(unsafe { &*word }, Self::Loom(_));
                if is_loom {
                    // SAFETY: the caller's contract: nothing behind the exclusive borrow is written, and it ends
                    // before this function does; the store itself is race-checked by the execution.
                    if let Self::Loom(word) = unsafe { &mut *word } {
                        word.with_mut(|slot| *slot = value);
                    }
                    return;
                }
                // SAFETY: as above; the explorer's word has a cell for what a plain store changes, and checks the
                // store.
                if let Self::Graphs(word) = unsafe { &*word } {
                    // SAFETY: forwarded; the explorer checks the contract instead of trusting it.
                    unsafe { word.unsync_store(value) };
                }
            }
        }

        read_modify_writes! { $name, $value; fetch_add, fetch_sub, fetch_or, fetch_and, swap }
    )*};
}

macro_rules! read_modify_writes {
    ($name:ident, $value:ty; $($operation:ident),*) => {
        #[allow(dead_code, reason = "booleans are bytes, and do not add")]
        impl $name {$(
            pub(in crate::sync) fn $operation(&self, value: $value, order: Ordering) -> $value {
                match self {
                    Self::Loom(word) => word.$operation(value, order),
                    Self::Graphs(word) => word.$operation(value, order),
                }
            }
        )*}
    };
}

atomic! {
    AtomicU8, u8;
    AtomicU32, u32;
    AtomicU64, u64;
    AtomicUsize, usize;
}

/// An atomic fence.
pub(in crate::sync) fn fence(order: Ordering) {
    match Engine::current() {
        Engine::Loom => loomed::fence(order),
        Engine::Graphs => graphs::fence(order),
    }
}
