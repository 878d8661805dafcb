//! The heap outside of its objects: flags, limits, local heaps, the pages of its spaces, and its end.
//!
//! Alone on the heap, the oracle knows all of this, and each answer is the only right one. Beside rivals an answer is
//! checked against what a rival may have done; what nobody knows is not asked.

use super::rivals::{Deed, MayHave as _, Rivals};
use super::unwound::Unwound;
use super::{Door, Happened, IMMORTAL_OBJECTS};
use crate::ops::{NearLimitChoice, Op, World};
use core::num::NonZeroUsize;
use heaplab::heap::Internals as _;
use heaplab::page::PageKind;
use heaplab::words::{Layout, Limit, PageIndex};
use heaplab::{
    AllocationType, AttachError, Attachment, CollectionKind, FlagError, Heap, MemoryUse, NearLimit, RunError,
    SpaceKind, Statistics, Survey,
};
use heaplab_common::claim_eq;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The flags as they should be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flags {
    pub(super) gc_interval: u8,
    pub(super) concurrent: bool,
}

/// What is known of a heap outside of its objects.
pub(super) struct HeapState {
    pub(super) heap: Heap,
    pub(super) layout: Layout,
    pub(super) flags: Flags,
    /// Local heaps of this thread that stay parked.
    extras: Vec<Attachment>,
    /// Local heaps attached in all; with rivals, by this thread.
    pub(super) attached: usize,
    /// Other threads that use the heap.
    pub(super) rivals: Option<Arc<Rivals>>,
    /// Whether the system may have refused a release in this round.
    pub(super) releases_refused: bool,
    /// Threads of the heap's own that were refused.
    pub(super) spawns_refused: u64,
    /// Bytes of the hard limit, by what the near-heap-limit callback has answered.
    hard_limit_bytes: Arc<AtomicUsize>,
}

impl HeapState {
    /// A heap that no local heap is attached to, as it was built.
    pub(super) fn new(heap: Heap, world: World) -> HeapState {
        let layout = heap.layout().clone();
        let flags = Flags { gc_interval: 0, concurrent: world.concurrent };
        // SAFETY: S-4: nobody else uses the heap yet.
        let hard_limit = unsafe { heap.spaces().budget.limit(Limit::Hard) };
        let hard_limit_bytes = Arc::new(AtomicUsize::new(hard_limit * layout.page_bytes()));
        HeapState::with(heap, layout, flags, None, hard_limit_bytes)
    }

    /// A heap that no local heap is attached to, with the flags of the world: an earlier program may have changed
    /// them.
    pub(super) fn restored(heap: Heap, world: World) -> HeapState {
        const SOUND: &str = "a sound heap, without local heaps";
        heap.set_gc_interval(0).expect(SOUND);
        heap.set_concurrent_allocation(world.concurrent).expect(SOUND);
        heap.set_verify_heap(world.verify);
        heap.set_near_limit_callback(None);
        heap.set_trace_collections(true).expect(SOUND);
        HeapState::new(heap, world)
    }

    /// The heap of several threads, as one of them sees it. A flag that a rival may switch on at any time counts as on.
    pub(super) fn joined(heap: Heap, rivals: Arc<Rivals>) -> HeapState {
        let layout = heap.layout().clone();
        let flags = Flags {
            gc_interval: rivals.may_have(Deed::SetInterval).into(),
            concurrent: !rivals.may_have(Deed::ExcludedOthers),
        };
        // The limit is not asked for, since a rival may be raising it.
        let hard_limit_bytes = Arc::default();
        HeapState::with(heap, layout, flags, Some(rivals), hard_limit_bytes)
    }

    fn with(
        heap: Heap,
        layout: Layout,
        flags: Flags,
        rivals: Option<Arc<Rivals>>,
        hard_limit_bytes: Arc<AtomicUsize>,
    ) -> HeapState {
        HeapState {
            heap,
            layout,
            flags,
            extras: Vec::new(),
            attached: 0,
            rivals,
            releases_refused: false,
            spawns_refused: 0,
            hard_limit_bytes,
        }
    }

    /// Whether attaching may answer this, by what rivals may have done.
    fn may_answer(&self, error: AttachError) -> bool {
        match error {
            AttachError::ConcurrentAllocationOff => self.rivals.may_have(Deed::ExcludedOthers),
            // A thread may attach more local heaps than one.
            AttachError::TooManyThreads { threads_max } => {
                self.rivals.may_have(Deed::UsedTheHeap) && threads_max == self.layout.threads_max()
            }
            _ => false,
        }
    }

    /// Page requests until one is refused, that one included; `None` if none is to be.
    pub(super) fn commit_fault_in(&self) -> Option<NonZeroUsize> {
        self.heap.spaces().memory.commit_fault_in()
    }

    /// Releases until one is refused, that one included; `None` if none is to be.
    pub(super) fn release_fault_in(&self) -> Option<NonZeroUsize> {
        self.heap.spaces().memory.release_fault_in()
    }

    pub(super) fn committed_and_hard_limit(&self) -> (usize, usize) {
        let budget = &self.heap.spaces().budget;
        // SAFETY: S-4: the caller runs a local heap, or no other thread has the heap.
        (budget.committed(), unsafe { budget.limit(Limit::Hard) })
    }

    /// Checks that the hard limit is what the callback has made of it.
    pub(super) fn check_hard_limit(&self) {
        if !self.rivals.may_have(Deed::UsedTheHeap) {
            let (_, hard) = self.committed_and_hard_limit();
            // Relaxed: without rivals one thread runs everything.
            let expected = self.hard_limit_bytes.load(Ordering::Relaxed);
            claim_eq!(hard * self.layout.page_bytes(), expected, "the hard limit after what the callback answered");
        }
    }

    /// Whether there is no page for objects of this type, with room for `bytes`: `Err` says what there is. Beside
    /// rivals nobody knows, so the answer is `Ok`.
    pub(super) fn may_refuse_a_page(&self, ty: AllocationType, bytes: usize) -> Result<(), String> {
        if self.rivals.may_have(Deed::UsedTheHeap) {
            return Ok(());
        }
        let spaces = self.heap.spaces();
        if ty == AllocationType::Young {
            let reached = (1..).take_while(|&ordinal| spaces.new.is_reached(ordinal)).count();
            let left = reached * self.layout.page_bytes() - spaces.new.used_bytes(&self.layout);
            // SAFETY: without rivals nobody else runs, stops the world or carves.
            if unsafe { spaces.new.is_within_reach(reached + 1) } {
                return Err(format!("{reached} pages of new space are used, and the next one is within reach"));
            }
            return if left < bytes.max(8) {
                Ok(())
            } else {
                Err(format!("the last page of new space has {left} bytes"))
            };
        }
        let (committed, hard) = self.committed_and_hard_limit();
        match spaces.fresh.pooled() {
            0 if committed >= hard => Ok(()),
            0 => Err(format!("{committed} pages are committed, and the hard limit is {hard}")),
            pooled => Err(format!("{pooled} pages are pooled")),
        }
    }

    /// Switches the heap's own thread.
    pub(super) fn stress<D: Door>(&mut self, door: &mut D, on: bool) -> Happened {
        let heap = self.heap.clone();
        if D::IS_SAFE {
            claim_eq!(
                heap.set_stress_concurrent_allocation(on),
                Err(FlagError::InsideRun),
                "setting a flag inside a run"
            );
        }
        if !self.rivals.may_have(Deed::UsedTheHeap) {
            self.stress_alone(door, on);
            return Happened::Nothing;
        }
        if !self.rivals.may_have(Deed::StartedStress) {
            return Happened::Nothing;
        }
        match door.parked(|| heap.set_stress_concurrent_allocation(on)) {
            Ok(()) => {}
            Err(FlagError::Attach(error)) => assert!(on && self.may_answer(error), "{error}"),
            Err(FlagError::Thread { os_code: None }) => {
                let is_wanted = on && self.rivals.may_have(Deed::RefusedThreads);
                assert!(is_wanted, "a thread was refused, and nobody wanted that");
            }
            Err(error) => panic!("the stress thread: {error}"),
        }
        Happened::Anything
    }

    /// Switches the heap's own thread where the program is on one thread. Beside that thread a program would not do
    /// the same every time, so the system refuses the thread each time. The error has to be the right one, and nothing
    /// changes.
    fn stress_alone<D: Door>(&mut self, door: &mut D, on: bool) {
        let heap = self.heap.clone();
        heap.spawn_fault().set(NonZeroUsize::new(1));
        let answer = door.parked(|| heap.set_stress_concurrent_allocation(on));
        let expected = match self.attach_error() {
            _ if !on => Ok(()),
            Some(error) => Err(FlagError::Attach(error)),
            None => Err(FlagError::Thread { os_code: None }),
        };
        claim_eq!(answer, expected, "the answer to switching the heap's own thread {on}");
        let refused = heap.spawn_fault().left().is_none();
        claim_eq!(
            refused,
            matches!(expected, Err(FlagError::Thread { .. })),
            "whether a thread was asked for, and refused,"
        );
        self.spawns_refused += u64::from(refused);
        heap.spawn_fault().set(None);
    }

    /// What attaching has to answer now.
    fn attach_error(&self) -> Option<AttachError> {
        let threads_max = self.layout.threads_max();
        if self.attached != 0 && !self.flags.concurrent {
            Some(AttachError::ConcurrentAllocationOff)
        } else if self.attached >= threads_max {
            Some(AttachError::TooManyThreads { threads_max })
        } else {
            None
        }
    }

    /// Attaches, by the API of the caller's choice, and counts. `None` if the heap refuses, as it has to or may.
    pub(super) fn attach<T>(&mut self, attach: impl FnOnce(&Heap) -> Result<T, AttachError>) -> Option<T> {
        let answer = attach(&self.heap);
        if self.rivals.may_have(Deed::UsedTheHeap) {
            return match answer {
                Ok(attached) => {
                    self.attached += 1;
                    Some(attached)
                }
                Err(error) => {
                    assert!(self.may_answer(error), "attaching answered {error:?}");
                    None
                }
            };
        }
        match (answer, self.attach_error()) {
            (Ok(attached), None) => {
                self.attached += 1;
                Some(attached)
            }
            (Err(error), Some(expected)) if error == expected => None,
            (answer, expected) => {
                panic!("attaching answered {:?}, expected was {expected:?}", answer.err());
            }
        }
    }

    pub(super) fn attach_extra<D: Door>(&mut self, door: &mut D) {
        if D::IS_SAFE {
            claim_eq!(self.heap.attach().err(), Some(AttachError::InsideRun), "the error of attaching inside a run");
        }
        if let Some(mut extra) = door.parked(|| self.attach(Heap::attach)) {
            if D::IS_SAFE {
                claim_eq!(extra.run(|_| ()), Err(RunError::AlreadyRunning), "a run inside a run");
            }
            self.extras.push(extra);
        }
    }

    /// Detaches an extra local heap. Returns whether there was one. Inside a run the local heap is abandoned, and
    /// detached later.
    pub(super) fn detach_extra(&mut self) -> bool {
        let detached = self.extras.pop().is_some();
        self.attached -= usize::from(detached);
        detached
    }

    /// Parks, and lets an extra local heap run meanwhile.
    pub(super) fn park<D: Door>(&mut self, door: &mut D) -> Happened {
        let extra = self.extras.last_mut();
        door.parked(|| {
            let Some(extra) = extra else { return Happened::Nothing };
            let run = catch_unwind(AssertUnwindSafe(|| {
                extra.run(|scope| {
                    // Whether there is memory for the array is not the question here.
                    let _ = scope.new_array(1);
                    scope.poll();
                })
            }));
            match run {
                Ok(run) => run.expect("the thread is parked"),
                Err(payload) if payload.is::<Unwound>() => {}
                Err(payload) => resume_unwind(payload),
            }
            Happened::Anything
        })
    }

    /// Whether it is the near-heap-limit callback that has unwound with this.
    pub(super) fn is_ours(&self, payload: &(dyn Any + Send)) -> bool {
        payload.is::<Unwound>()
    }

    pub(super) fn set_flag<D: Door>(&mut self, door: &mut D, op: Op) {
        let heap = self.heap.clone();
        if self.rivals.may_have(Deed::UsedTheHeap) {
            return self.set_shared_flag(door, op);
        }
        match op {
            Op::GcInterval(interval) => {
                if D::IS_SAFE {
                    claim_eq!(heap.set_gc_interval(1), Err(FlagError::InsideRun), "setting a flag inside a run");
                }
                door.parked(|| heap.set_gc_interval(interval.into())).expect("parked");
                self.flags.gc_interval = interval;
            }
            Op::VerifyHeap(on) => heap.set_verify_heap(on),
            Op::Concurrent(on) => {
                let refused = !on && self.attached > 1;
                match door.parked(|| heap.set_concurrent_allocation(on)) {
                    Ok(()) => {
                        assert!(!refused, "concurrent allocation off with {} attached", self.attached);
                        self.flags.concurrent = on;
                    }
                    Err(error) => {
                        assert!(
                            refused,
                            "concurrent allocation {on} with {} attached is refused: {error}",
                            self.attached
                        );
                        let expected = FlagError::SeveralAttached { attached: self.attached };
                        claim_eq!(error, expected, "the refusal of concurrent allocation {on}");
                    }
                }
            }
            Op::FailAttempt(attempt) => {
                door.parked(|| heap.set_fail_allocation(attempt.map(u64::from))).expect("parked");
            }
            Op::FailCommit(_) | Op::FailRelease(_) | Op::FailSpawn(_) => self.refuse(op),
            Op::NearLimit(choice) => {
                heap.set_near_limit_callback(self.callback(choice));
            }
            _ => unreachable!("{op} is no flag"),
        }
    }

    /// Sets a flag that rivals set too, so that nobody knows its value.
    fn set_shared_flag<D: Door>(&mut self, door: &mut D, op: Op) {
        let heap = self.heap.clone();
        match op {
            Op::GcInterval(interval) => door.parked(|| heap.set_gc_interval(interval.into())).expect("parked"),
            Op::VerifyHeap(on) => heap.set_verify_heap(on),
            Op::Concurrent(on) => match door.parked(|| heap.set_concurrent_allocation(on)) {
                Ok(()) => {}
                Err(error) => assert!(!on && matches!(error, FlagError::SeveralAttached { .. }), "{error}"),
            },
            Op::FailAttempt(attempt) => {
                door.parked(|| heap.set_fail_allocation(attempt.map(u64::from))).expect("parked");
            }
            Op::FailCommit(_) | Op::FailRelease(_) | Op::FailSpawn(_) => self.refuse(op),
            // A checker's threads are coroutines: unwinding past the switches between them differs from a thread's
            // unwinding.
            Op::NearLimit(NearLimitChoice::Unwind) if heaplab::sync::is_modelled() => {}
            Op::NearLimit(choice) => heap.set_near_limit_callback(self.callback(choice)),
            _ => unreachable!("{op} is no flag"),
        }
    }

    fn callback(&self, choice: NearLimitChoice) -> Option<Box<heaplab::heap::NearLimitCallback>> {
        let page_bytes = self.layout.page_bytes();
        let answer: fn(NearLimit, usize) -> usize = match choice {
            NearLimitChoice::None => return None,
            NearLimitChoice::Raise => |near, page_bytes| near.hard_limit_bytes + page_bytes,
            NearLimitChoice::RaiseMax => |_, _| usize::MAX,
            NearLimitChoice::Refuse => |near, _| near.hard_limit_bytes,
            NearLimitChoice::Lower => |near, _| near.hard_limit_bytes / 2,
            NearLimitChoice::Unwind => |_, _| resume_unwind(Box::new(Unwound)),
        };
        let is_alone = !self.rivals.may_have(Deed::UsedTheHeap);
        let hard_limit_bytes = Arc::clone(&self.hard_limit_bytes);
        Some(Box::new(move |near: NearLimit| {
            assert!(
                near.committed_bytes <= near.hard_limit_bytes,
                "the callback is told of more than the limit: {near:?}"
            );
            let limits = near.hard_limit_bytes_initial..=near.hard_limit_bytes_max;
            assert!(limits.contains(&near.hard_limit_bytes), "the callback is told of a limit out of bounds: {near:?}");
            let answer = answer(near, page_bytes);
            if is_alone {
                // Relaxed: one thread runs everything.
                let expected = hard_limit_bytes.load(Ordering::Relaxed);
                claim_eq!(near.hard_limit_bytes, expected, "the hard limit that the callback is told of");
                // The limit only rises, and up to its greatest value.
                let raised = answer.min(near.hard_limit_bytes_max).max(expected);
                hard_limit_bytes.store(raised, Ordering::Relaxed);
            }
            answer
        }))
    }

    /// Lets the system refuse what a fault of the program says.
    fn refuse(&mut self, op: Op) {
        let nth = |k: u8| NonZeroUsize::new(usize::from(k) + 1);
        match op {
            Op::FailCommit(commit) => self.heap.spaces().memory.fail_commit_at(commit.and_then(nth)),
            Op::FailRelease(release) => {
                self.releases_refused |= release.is_some();
                self.heap.spaces().memory.fail_release_at(release.and_then(nth));
            }
            Op::FailSpawn(spawn) => self.heap.spawn_fault().set(spawn.and_then(nth)),
            _ => unreachable!("{op} is none of the system's"),
        }
    }

    pub(super) fn check_statistics(&self, statistics: &Statistics) {
        if self.rivals.may_have(Deed::UsedTheHeap) {
            let own = self.attached;
            assert!(statistics.attached >= own, "fewer are attached than the {own} of this thread: {statistics:?}");
            assert!(statistics.committed_bytes <= statistics.hard_limit_bytes, "more than the limit: {statistics:?}");
            return;
        }
        let (page_bytes, (committed, hard)) = (self.layout.page_bytes(), self.committed_and_hard_limit());
        claim_eq!(statistics.attached, self.attached, "the statistics' number of local heaps");
        claim_eq!(
            statistics.committed_bytes,
            committed * page_bytes,
            "committed_bytes, by the budget's {committed} pages,"
        );
        claim_eq!(statistics.hard_limit_bytes, hard * page_bytes, "hard_limit_bytes, by the budget's {hard} pages,");
        assert!(statistics.soft_limit_bytes <= statistics.hard_limit_bytes, "the soft limit is higher: {statistics:?}");
        assert!(statistics.pooled_bytes <= statistics.committed_bytes, "more is pooled than committed: {statistics:?}");
    }

    /// Checks a survey. Returns whether it is known which objects the survey has to find: not beside rivals, who go on
    /// between two stops.
    pub(super) fn check_survey(&self, survey: &Survey, objects: u64) -> bool {
        let bytes: usize = MemoryUse::ALL.iter().map(|&memory_use| survey.bytes(memory_use)).sum();
        claim_eq!(bytes, survey.pages.len() * survey.page_bytes, "the sum of what the surveyed pages are used for");
        assert!(bytes <= survey.hard_limit_bytes, "{bytes} bytes are committed, more than the limit: {survey:?}");
        assert!(survey.soft_limit_bytes <= survey.hard_limit_bytes, "the soft limit is higher: {survey:?}");
        if self.rivals.may_have(Deed::UsedTheHeap) {
            return false;
        }
        let (committed, hard) = self.committed_and_hard_limit();
        claim_eq!(survey.pages.len(), committed, "the number of surveyed pages");
        claim_eq!(survey.hard_limit_bytes, hard * self.layout.page_bytes(), "the survey's hard limit");
        let found = survey.objects_live + survey.objects_dead + IMMORTAL_OBJECTS;
        claim_eq!(found, objects, "the number of objects that a survey finds where the verifier does");
        true
    }

    /// Pages of a space that was just made full: they serve no request before the next collection. Beside rivals there
    /// are none, since that collection may have come already.
    pub(super) fn pages_out_of_reach(&self, space: SpaceKind) -> Vec<PageIndex> {
        if self.rivals.may_have(Deed::UsedTheHeap) {
            return Vec::new();
        }
        let wanted = match space {
            SpaceKind::New => PageKind::New,
            SpaceKind::Old => PageKind::Old,
            SpaceKind::Map => PageKind::Map,
            SpaceKind::Code => PageKind::Code,
            SpaceKind::Large => PageKind::Free,
        };
        let pages = if space == SpaceKind::Large {
            self.layout.paged_pages()..self.layout.pages()
        } else {
            self.layout.root_pages()..self.layout.paged_pages()
        };
        // SAFETY: without rivals nobody else runs in the heap, and no stop is going on.
        pages.map(PageIndex::new).filter(|&page| unsafe { self.heap.spaces().pages.kind(page) } == wanted).collect()
    }

    /// Detaches what this thread has attached, and leaves the heap to the others.
    pub(super) fn leave(mut self) {
        while self.detach_extra() {}
        claim_eq!(self.attached, 0, "the number of local heaps that a thread leaves attached");
    }

    /// Collects twice, when all but the heap has been dropped, and checks that nothing is left. The system is told to
    /// refuse nothing, so the collections have what they need.
    pub(super) fn end(mut self) -> (Heap, Statistics) {
        while self.detach_extra() {}
        claim_eq!(self.attached, 0, "the number of local heaps attached at the end");
        self.heap.spaces().memory.fail_commit_at(None);
        self.heap.spaces().memory.fail_release_at(None);
        self.heap.spawn_fault().set(None);
        for _ in 0..2 {
            self.heap.collect(CollectionKind::MemoryReducing).expect("a sound heap");
        }
        let statistics = self.heap.statistics().expect("a sound heap");
        self.check_statistics(&statistics);
        let charge = (self.layout.root_pages() + self.layout.new_pages()) * self.layout.page_bytes();
        claim_eq!(statistics.pooled_bytes, 0, "pooled_bytes when all is dropped and collected");
        claim_eq!(
            statistics.committed_bytes,
            charge,
            "committed_bytes when only roots and new space's charge are left"
        );
        let verification = self.heap.verify().expect("a sound heap");
        assert!(verification.is_sound(), "{}", verification.describe());
        claim_eq!(verification.objects, IMMORTAL_OBJECTS, "the number of objects left at the end, the built-in ones,");
        (self.heap, statistics)
    }
}
