//! Requests for a page that is filled but for some bytes: done on the heap, and judged.
//!
//! Such a request is valid if what it leaves is a size that an object of the page may have. A valid request is refused
//! for want of a page only, another one always. The next step finds what the request leaves ([`Fillings`]).
//!
//! [`Fillings`]: super::filling::Fillings

use super::{Door, Oracle};
use heaplab::{AllocError, AllocationType};
use heaplab_common::claim_eq;

impl Oracle {
    /// Fills a page. The request does not climb the retry ladder: it is refused at once, and only for want of a page.
    pub(super) fn fill<D: Door>(&mut self, actor: usize, door: &mut D, ty: AllocationType, bytes: usize) {
        let valid = bytes.is_multiple_of(ty.granule_bytes()) && bytes <= self.state.layout.regular_bytes_max();
        let armed = self.armed(door.attempts_before_failure());
        let answer = door.fill_page_but(ty, bytes);
        let struck = self.struck(armed, door.attempts_before_failure());
        match answer {
            Ok(()) => {
                assert!(valid, "a page was filled but for {bytes} bytes");
                self.fillings.filled(actor, ty, bytes);
                self.tally.filled += 1;
                let own = self.guards.iter_mut().filter(|guard| guard.owner == actor);
                own.for_each(|guard| guard.filled(ty));
            }
            Err(AllocError::InvalidSize { size_bytes }) => {
                assert!(!valid, "a page cannot be filled but for {bytes} bytes, a good size");
                claim_eq!(size_bytes, bytes, "the size that a refusal names");
            }
            Err(AllocError::OutOfMemory { allocation_type, size_bytes }) => {
                assert!(valid, "a page is to be filled but for {bytes} bytes, and a bad size is out of memory");
                claim_eq!((allocation_type, size_bytes), (ty, bytes), "what a refusal names");
                self.tally.fills_refused += 1;
                if !struck && let Err(reason) = self.state.may_refuse_a_page(ty, bytes) {
                    panic!("a page for {ty:?}, to be filled but for {bytes} bytes, was refused although {reason}");
                }
            }
            Err(error) => panic!("filling a page: {error}"),
        }
        // A page of a reserve that was being drawn on may be given up.
        self.stopped(false);
    }
}
