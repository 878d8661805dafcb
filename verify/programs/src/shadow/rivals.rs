//! What the oracles of several threads share, beside the objects that each of them knows.
//!
//! # What is known of a rival
//!
//! A thread's shadow holds the objects that it alone refers to. They are compared as those of a single thread are:
//! nobody else may change, move or free them unnoticed. What rivals do is known in sums only:
//!
//! * **Refusals.** At no time were more objects alive than the sum of the threads' greatest numbers of them. Each pins
//!   a page at most, so a request that was refused although even that sum left room for it was refused wrongly
//!   ([`bound`](super::may_refuse) has the argument). Refusals are judged when all threads have ended and the sums are
//!   known.
//! * **Parcels.** What one thread stores for the others is an object that is whole when it is stored and never changes
//!   then: a number, its complement, and a byte array of the number. Another thread that looks finds a whole parcel,
//!   or none yet.
//! * **Deeds.** Flags and limits may have changed at any time, if the program has an operation that changes them: each
//!   is a [`Deed`], which [`MayHave`] asks for.

use super::unwound::Unwound;
use super::{GraphCensus, Need};
use crate::ops::{NearLimitChoice, Op, Program};
use heaplab::words::Layout;
use heaplab::{AllocError, AllocationType, Array, Bytes, Heap, Ref, RootSet, Scope, Value};
use heaplab_common::claim_eq;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// Slots that parcels are exchanged through: half of a root set, half of an old array.
const SLOTS: usize = 4;
/// The slot of the root set that holds the array.
const ARRAY_SLOT: usize = SLOTS / 2;
/// The parcels of one thread have fewer numbers than this.
const NUMBERS: u32 = 1 << 20;

/// What a rival may have done, at any time since the last look at the heap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Deed {
    /// Used the heap: taken memory and given it back, attached local heaps, stopped the world and moved what lies
    /// there.
    UsedTheHeap,
    /// Switched collections at every n-th allocation on.
    SetInterval,
    /// Made an attempt or a page request fail, of whichever thread.
    FailedRequests,
    /// Made the system refuse a release.
    RefusedReleases,
    /// Made the system refuse a thread of the heap's own.
    RefusedThreads,
    /// Switched concurrent allocation off.
    ExcludedOthers,
    /// Started the heap's own thread.
    StartedStress,
}

/// The question that each claim about the heap as a whole asks first: what a rival may have done.
pub(super) trait MayHave {
    /// Whether a rival may have done this.
    fn may_have(&self, deed: Deed) -> bool;
}

/// Without rivals no deed has been done, and everything may be claimed.
impl MayHave for Option<Arc<Rivals>> {
    fn may_have(&self, deed: Deed) -> bool {
        self.as_ref().is_some_and(|rivals| rivals.may_have(deed))
    }
}

/// A deed may have been done if the program has an operation that does it.
impl MayHave for Rivals {
    fn may_have(&self, deed: Deed) -> bool {
        self.deeds.contains(&deed)
    }
}

/// The deeds that the operations of a program do.
fn deeds(program: &Program) -> Vec<Deed> {
    let has = |wanted: fn(&Op) -> bool| program.steps.iter().any(|step| wanted(&step.op));
    // The callback that unwinds would end the heap's own thread. Under Miri that thread takes too much time, because
    // it never rests; Miri runs it in the scenarios.
    let stresses = !cfg!(miri)
        && has(|op| matches!(op, Op::Stress(true)))
        && !has(|op| matches!(op, Op::NearLimit(NearLimitChoice::Unwind)));
    let possible = [
        (Deed::UsedTheHeap, true),
        (Deed::SetInterval, has(|op| matches!(op, Op::GcInterval(1..)))),
        (Deed::FailedRequests, has(|op| matches!(op, Op::FailAttempt(Some(_)) | Op::FailCommit(Some(_))))),
        (Deed::RefusedReleases, has(|op| matches!(op, Op::FailRelease(Some(_))))),
        (Deed::RefusedThreads, has(|op| matches!(op, Op::FailSpawn(Some(_))))),
        (Deed::ExcludedOthers, has(|op| matches!(op, Op::Concurrent(false)))),
        (Deed::StartedStress, stresses),
    ];
    possible.into_iter().filter(|&(_, is_possible)| is_possible).map(|(deed, _)| deed).collect()
}

/// Objects that were alive at most, by an upper estimate.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Peak {
    /// Objects that may pin a page.
    pub(super) objects: usize,
    /// Pages of large objects.
    pub(super) run_pages: usize,
    /// Pages of reserves.
    pub(super) reserved_pages: usize,
}

impl Peak {
    pub(super) fn raise(&mut self, to: Peak) {
        self.objects = self.objects.max(to.objects);
        self.run_pages = self.run_pages.max(to.run_pages);
        self.reserved_pages = self.reserved_pages.max(to.reserved_pages);
    }
}

/// What is alive of a thread's objects, by an upper estimate, and the most that ever was.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Population {
    /// What was alive when all was compared last, and what has been added since.
    alive: Peak,
    peak: Peak,
}

impl Population {
    /// Notes that all has been compared, so what is alive is known.
    pub(super) fn recount(&mut self, census: &GraphCensus) {
        self.alive = Peak { objects: census.objects as usize, run_pages: census.run_pages(), ..Peak::default() };
    }

    /// Notes that an object was allocated: a large one, with a run of `run_pages` pages, or, with 0, a regular one.
    pub(super) fn add(&mut self, run_pages: usize) {
        self.alive.objects += usize::from(run_pages == 0);
        self.alive.run_pages += run_pages;
        self.peak.raise(self.alive);
    }

    /// Notes that so many pages are reserved.
    pub(super) fn raise_reserved(&mut self, reserved_pages: usize) {
        self.peak.raise(Peak { reserved_pages, ..self.alive });
    }

    /// The most that ever was.
    pub(super) fn peak(&self) -> Peak {
        self.peak
    }
}

/// What the threads of one program share.
///
/// The oracle's own locks and atomics are the standard library's, since no checker is to schedule them. No lock is held
/// over an operation of the heap.
pub(super) struct Rivals {
    threads: usize,
    board: Option<RootSet>,
    issued: Vec<AtomicU32>,
    peaks: Mutex<Vec<Peak>>,
    refusals: Mutex<Vec<Need>>,
    /// What the operations of the program do.
    deeds: Vec<Deed>,
}

impl Rivals {
    /// What the threads of `program` share, on a heap that nobody else has yet.
    pub(super) fn new(program: &Program, heap: &Heap) -> Rivals {
        let threads = usize::from(program.threads());
        let exchanges = program.steps.iter().any(|step| matches!(step.op, Op::StoreRoot { .. } | Op::LoadRoot(_)));
        Rivals {
            threads,
            board: exchanges.then(|| board(heap)),
            issued: (0..threads).map(|_| AtomicU32::new(0)).collect(),
            peaks: Mutex::new(Vec::new()),
            refusals: Mutex::new(Vec::new()),
            deeds: deeds(program),
        }
    }

    pub(super) fn refused(&self, need: Need) {
        self.refusals.lock().expect("nothing panics with it").push(need);
    }

    pub(super) fn ended(&self, peak: Peak) {
        self.peaks.lock().expect("nothing panics with it").push(peak);
    }

    /// Judges the refusals, when all threads have ended.
    ///
    /// # Panics
    /// If there was room for a request that was refused.
    pub(super) fn judge(&self, layout: &Layout) {
        let mut sum = Peak::default();
        for peak in self.peaks.lock().expect("nothing panics with it").iter() {
            sum.objects += peak.objects;
            sum.run_pages += peak.run_pages;
            sum.reserved_pages += peak.reserved_pages;
        }
        // The array, a parcel of two objects in each slot and under way in each thread, and an object of each thread's
        // extra local heap.
        let others = if self.board.is_some() { 1 + 2 * SLOTS + 2 * self.threads } else { 0 } + self.threads;
        let runs = sum.run_pages + sum.reserved_pages;
        // Each of the two collections before a refusal tries again to release what was not taken back, and the system
        // refuses one release at most in a stop. So the system may keep the one pooled page that the attempt itself
        // was to give back.
        let refused = usize::from(self.may_have(Deed::RefusedReleases));
        let fixed = layout.root_pages() + layout.new_pages() + sum.objects + others + runs + refused;
        for need in self.refusals.lock().expect("nothing panics with it").iter() {
            let (pages, run) = match *need {
                Need::Young => (0, 0),
                Need::Page => (1, 0),
                Need::Run(pages) => (pages, pages),
                Need::Reserve(pages, run) => (pages + run, run),
            };
            // Where rivals' runs lay is not known.
            let scattered = run > 1 && runs != 0;
            // The limit only rises, so it was never less than this.
            assert!(
                fixed + pages > layout.hard_limit_pages() || scattered,
                "{need:?} was refused although {fixed} pages were enough for all that was ever alive at once ({sum:?}, \
                 {others} more objects, {refused} not taken back), {pages} more for the request, and the hard limit \
                 is {}",
                layout.hard_limit_pages()
            );
        }
    }

    /// Stores a new parcel of `thread` for the others. Memory for the parcel may be refused, and the near-heap-limit
    /// callback that a rival has set may unwind.
    pub(super) fn send(&self, scope: &mut Scope<'_, '_>, thread: usize, slot: u8) {
        let Some(board) = &self.board else { return };
        let number = thread as u32 * NUMBERS + self.issued[thread].fetch_add(1, Ordering::Relaxed);
        let ty = if number.is_multiple_of(2) { AllocationType::Young } else { AllocationType::Old };
        let send = |scope: &mut Scope<'_, '_>| -> Result<(), AllocError> {
            let bytes = scope.new_bytes(4)?;
            scope.write_bytes(scope.get(bytes), 0, &number.to_le_bytes());
            let parcel = scope.new_array_in(3, ty)?;
            let object = scope.get(parcel);
            scope.store(object, 0, Ref::small(number as i32).expect("a small number"));
            scope.store(object, 1, Ref::small(!number as i32 >> 1).expect("a small number"));
            scope.store(object, 2, scope.get(bytes).into());
            match usize::from(slot) % SLOTS {
                slot @ ..ARRAY_SLOT => scope.store_root(board, slot, object.into()).expect("a root set of this heap"),
                slot => scope.store(array(scope, board), slot - ARRAY_SLOT, object.into()),
            }
            Ok(())
        };
        match catch_unwind(AssertUnwindSafe(|| scope.nested(|scope| send(scope)))) {
            Ok(Ok(()) | Err(AllocError::OutOfMemory { .. })) => {}
            Ok(Err(error)) => panic!("a parcel: {error}"),
            Err(payload) if payload.is::<Unwound>() => {}
            Err(payload) => resume_unwind(payload),
        }
    }

    /// Looks what the others have stored in a slot, and checks it.
    pub(super) fn receive(&self, scope: &Scope<'_, '_>, slot: u8) {
        let Some(board) = &self.board else { return };
        let value = match usize::from(slot) % SLOTS {
            slot @ ..ARRAY_SLOT => scope.load_root(board, slot).expect("a root set of this heap"),
            slot => scope.load(array(scope, board), slot - ARRAY_SLOT),
        };
        let Some(parcel) = scope.downcast::<Array>(value) else {
            claim_eq!(value.as_small(), Some(0), "a slot without a parcel, which holds {value:?},");
            return;
        };
        claim_eq!(scope.len(parcel), 3, "the length of a parcel");
        let small = |index| scope.load(parcel, index).as_small().expect("a parcel begins with two numbers") as u32;
        let (number, complement) = (small(0), small(1));
        claim_eq!(complement, (!number as i32 >> 1) as u32, "the complement in parcel {number:#x}");
        let issued = self.issued.get((number / NUMBERS) as usize).map_or(0, |issued| issued.load(Ordering::Relaxed));
        assert!(number % NUMBERS < issued, "parcel {number:#x} was never sent");
        let bytes = scope.downcast::<Bytes>(scope.load(parcel, 2)).expect("a parcel ends with its bytes");
        let mut read = [0; 4];
        scope.read_bytes(bytes, 0, &mut read);
        claim_eq!(read, number.to_le_bytes(), "the bytes of parcel {number:#x}");
    }
}

fn array<'a>(scope: &'a Scope<'_, '_>, board: &RootSet) -> Ref<'a, Array> {
    let value: Ref<'_, Value> = scope.load_root(board, ARRAY_SLOT).expect("a root set of this heap");
    scope.downcast(value).expect("the array lies there from the beginning")
}

fn board(heap: &Heap) -> RootSet {
    let board = heap.new_root_set(ARRAY_SLOT + 1);
    let made = heap.attach().expect("nobody else is attached").run(|scope| {
        let array = scope.new_array_in(SLOTS - ARRAY_SLOT, AllocationType::Old).expect("an empty heap has room");
        scope.store_root(&board, ARRAY_SLOT, scope.get(array).into()).expect("a root set of this heap");
    });
    made.expect("this thread runs no other local heap");
    board
}
