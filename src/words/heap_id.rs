//! Which heap something belongs to.

use crate::sync::Arc;

/// The identity of a heap: the same for all that belongs to it, and for nothing else. Its holders share a token, and
/// two identities are compared by the token's address, which serves no other heap while anybody holds it.
#[derive(Clone, Debug)]
pub struct HeapId(Arc<Token>);

/// What an identity points to; not zero-sized, so that each token has an address of its own.
#[derive(Debug)]
struct Token {
    _address: u8,
}

impl HeapId {
    /// Whether both identify one heap.
    #[must_use]
    pub fn is(&self, other: &HeapId) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The right to make the safepoint of a heap. There is one key for each [`HeapId`], so a heap has one safepoint, and
/// a stop that bears its identity stops all of its local heaps.
#[derive(Debug)]
pub struct SafepointKey(HeapId);

impl SafepointKey {
    /// The key of a heap that nothing belongs to yet.
    #[must_use]
    pub fn new() -> SafepointKey {
        SafepointKey(HeapId(Arc::new(Token { _address: 0 })))
    }

    /// The identity of the heap whose safepoint this key makes.
    #[must_use]
    pub fn heap(&self) -> &HeapId {
        &self.0
    }

    /// The identity alone: the key is used up.
    #[must_use]
    pub fn into_heap(self) -> HeapId {
        self.0
    }
}

impl Default for SafepointKey {
    fn default() -> Self {
        SafepointKey::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_its_own_and_no_other() {
        let [a, b] = [SafepointKey::new(), SafepointKey::new()];
        assert!(a.heap().is(&a.heap().clone()));
        assert!(!a.heap().is(b.heap()));
    }
}
