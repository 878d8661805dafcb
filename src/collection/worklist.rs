//! The work list: objects whose slots are still to be visited. The list is bounded and reserved up front; the work is
//! linear for any bound.
//!
//! When the list is full, an object is *set aside*: a bit for it is set in a side table that the collection has no
//! other use for, and a bit for its page. When the list is empty, it is filled again from that table, up to half,
//! page by page:
//!
//! ```text
//! list     a b c d            full: the next one is set aside      table   ..1...1.  ........  1.......
//! list     . . . .            empty: filled up to half             pages   1         .         1
//! ```
//!
//! * **W-1** An object is pushed at most once in a collection: by whoever marks, copies or keeps it. So it is set
//!   aside at most once, taken at most once, and visited exactly once.
//! * **W-2** A page's bit is set while an object of it is set aside, and cleared by the filling that finds none left.
//!
//! *The work ends, and is linear.* Each step pops an object or takes at least one that was set aside (there is a
//! count of them); by W-1 there are no more of either than live objects. Besides, a filling costs a look at the
//! pages' bits, and one at the row of each page with something set aside (W-2). A list that was filled to its half
//! pays a constant share of that with each entry. A list that was filled less has taken all that was set aside, and
//! the next filling comes only after the list was full again. So for a list of n entries, m objects cost m visits and
//! about 2m/n looks at the pages' bits (one word for 64 pages), and the rows of no more pages than objects taken. No
//! table is ever scanned whole for the sake of a few objects.

use crate::memory::{MemoryError, try_reserved};
use crate::space::Stopped;
use crate::words::Offset;

/// A bounded stack of objects.
#[derive(Debug)]
pub struct Worklist {
    entries: Vec<Offset>,
}

impl Worklist {
    /// A stack of at least `entries_max` entries.
    ///
    /// # Errors
    /// [`MemoryError::Tables`]: the Rust allocator refuses their memory.
    pub fn new(entries_max: usize) -> Result<Worklist, MemoryError> {
        Ok(Worklist { entries: try_reserved(entries_max)? })
    }
}

/// The table in which objects are set aside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Aside {
    /// Mark bits, while they mean nothing else: in a minor collection.
    Marks,
    /// Remembered bits, while nothing is remembered: in a marking.
    Remembered,
}

/// The work of one collection: its list, and what is set aside.
pub(super) struct Work<'a> {
    list: &'a mut Worklist,
    spaces: Stopped<'a>,
    aside: Aside,
    /// How many objects are set aside.
    aside_count: usize,
    /// Where filling goes on.
    next_page: usize,
    /// What was done.
    pub(super) done: WorkDone,
}

/// What a collection looked at. Exact.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WorkDone {
    /// Roots that were looked at.
    pub roots: usize,
    /// Objects whose slots were visited.
    pub visited: usize,
    /// Visited objects that were set aside before, because the work list was full.
    pub set_aside: usize,
    /// How often the work list was filled again from what was set aside.
    pub fillings: usize,
    /// Pages that were searched to fill the work list; a page counts each time.
    pub pages_searched: usize,
}

impl WorkDone {
    /// Adds what another collection did.
    pub(crate) fn add(&mut self, other: &WorkDone) {
        self.roots += other.roots;
        self.visited += other.visited;
        self.set_aside += other.set_aside;
        self.fillings += other.fillings;
        self.pages_searched += other.pages_searched;
    }
}

impl<'a> Work<'a> {
    /// No work yet. `aside` is a table that is empty and has no other use until all work is done.
    pub(super) fn new(list: &'a mut Worklist, spaces: Stopped<'a>, aside: Aside) -> Work<'a> {
        debug_assert!(list.entries.is_empty());
        Work { list, spaces, aside, aside_count: 0, next_page: 0, done: WorkDone::default() }
    }

    /// Adds an object.
    #[inline]
    pub(super) fn push(&mut self, object: Offset) {
        if self.list.entries.len() == self.list.entries.capacity() {
            self.set_aside(object);
        } else {
            self.list.entries.push(object);
        }
    }

    #[cold]
    fn set_aside(&mut self, object: Offset) {
        self.aside_count += 1;
        self.done.set_aside += 1;
        // SAFETY: SW-1; the table is this collector's, and has no other use (`Work::new`); W-1.
        unsafe { self.spaces.pages.set_aside(object, self.aside == Aside::Remembered) };
    }

    /// An object to visit; `None` when all work is done.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Offset> {
        let object = match self.list.entries.pop() {
            Some(object) => object,
            None => self.fill()?,
        };
        self.done.visited += 1;
        Some(object)
    }

    /// Fills the list, which is empty, up to half with what was set aside, and pops an object.
    #[cold]
    fn fill(&mut self) -> Option<Offset> {
        if self.aside_count == 0 {
            return None;
        }
        self.done.fillings += 1;
        let wanted = (self.list.entries.capacity() / 2).clamp(1, self.aside_count);
        while self.list.entries.len() < wanted {
            let page = self.spaces.next_with_aside(self.next_page).expect("W-2: what is set aside is found");
            self.next_page = page.index();
            self.done.pages_searched += 1;
            let entries = &mut self.list.entries;
            // SAFETY: SW-1; the table is this collector's, and has no other use (`Work::new`); W-1.
            let taken = unsafe {
                self.spaces.pages.take_aside(page, self.aside == Aside::Remembered, wanted - entries.len(), |object| {
                    entries.push(object);
                })
            };
            self.aside_count -= taken;
        }
        self.list.entries.pop()
    }
}
