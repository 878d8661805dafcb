//! Rivals: what other threads do while a scenario runs.

use crate::stress::{ObjectSizes, parcel};
use heaplab::sync::{AtomicBool, AtomicU32, Ordering};
use heaplab::{AllocError, AllocationType, Array, AttachError, Handle, Heap, Ref, Scope, Shape, Tail};
use heaplab_common::Dice;

/// What one rival does.
#[derive(Clone, Copy, Debug)]
pub struct RivalPlan {
    /// The rival's decisions follow from this.
    pub seed: u64,
    /// Rounds after which the rival ends by itself; `None` to go on until it is told to stop.
    pub rounds: Option<u64>,
    /// Object graphs that the rival keeps alive at most.
    pub kept: usize,
}

/// What one rival did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RivalReport {
    /// Objects allocated.
    pub allocations: u64,
    /// Requests that found no memory, which is legal.
    pub out_of_memory: u64,
    /// What is wrong.
    pub violations: Vec<String>,
}

/// Rounds between two attachments.
const ROUNDS_ATTACHED: u64 = 64;

/// Allocates objects of all types, keeps and drops checked graphs, polls, parks, detaches and attaches, until `stop`
/// is set, the plan's rounds are over, or something is wrong. Enters no always-allocate scope and simulates no full
/// space. Adds one to `under_way` when the rival has attached for the first time, or given up.
pub fn rival(heap: &Heap, plan: &RivalPlan, stop: &AtomicBool, under_way: &AtomicU32) -> RivalReport {
    let mut begun = false;
    let mut begin = || {
        if !core::mem::replace(&mut begun, true) {
            // Relaxed: a count that orders nothing.
            under_way.fetch_add(1, Ordering::Relaxed);
        }
    };
    let mut rival = Rival {
        plan: *plan,
        stop,
        dice: Dice::new(plan.seed, 77),
        sizes: ObjectSizes::of(heap.layout()),
        report: RivalReport::default(),
    };
    rival.rounds(heap, &mut begin);
    begin();
    rival.report
}

/// A rival at work.
struct Rival<'a> {
    plan: RivalPlan,
    stop: &'a AtomicBool,
    dice: Dice,
    sizes: ObjectSizes,
    report: RivalReport,
}

impl Rival<'_> {
    fn is_over(&self) -> bool {
        // Relaxed: a request to end, which orders nothing; the join does.
        self.stop.load(Ordering::Relaxed) || !self.report.violations.is_empty()
    }

    /// Runs all rounds, on one local heap after the other. Calls `begin` whenever the rival has attached.
    fn rounds(&mut self, heap: &Heap, begin: &mut dyn FnMut()) {
        let mut left = self.plan.rounds.unwrap_or(u64::MAX);
        while left != 0 && !self.is_over() {
            let mut attachment = match heap.attach() {
                Ok(attachment) => attachment,
                Err(AttachError::TooManyThreads { .. }) => {
                    heaplab::sync::thread::yield_now();
                    left -= 1;
                    continue;
                }
                Err(error) => return self.report.violations.push(format!("a rival could not attach: {error}")),
            };
            begin();
            let rounds = left.min(ROUNDS_ATTACHED);
            left -= rounds;
            if let Err(error) = attachment.run(|scope| self.session(scope, rounds)) {
                self.report.violations.push(format!("a rival could not run: {error}"));
            }
        }
    }

    /// Runs so many rounds on one local heap.
    fn session(&mut self, scope: &mut Scope<'_, '_>, rounds: u64) {
        let kept = match scope.new_array(self.plan.kept) {
            Ok(kept) => kept,
            Err(error) => return self.refused(error),
        };
        self.report.allocations += 1;
        for _ in 0..rounds {
            if self.is_over() {
                break;
            }
            match scope.nested(|scope| self.make(scope, kept)) {
                Ok(is_object) => debug_assert!(is_object),
                Err(error) => {
                    self.refused(error);
                    let small = Ref::small(0).expect("0 is a small integer");
                    (0..self.plan.kept).for_each(|index| scope.store(scope.get(kept), index, small));
                }
            }
            scope.poll();
            if self.dice.one_in(16) {
                scope.park(heaplab::sync::thread::yield_now);
            }
        }
    }

    /// Makes an object of any type, or a parcel. Returns whether what it made is an object.
    fn make<'s, 'o: 's>(&mut self, scope: &mut Scope<'s, 'o>, kept: Handle<'s, Array>) -> Result<bool, AllocError> {
        let sizes = self.sizes;
        let made = match self.dice.below(8) {
            0 => {
                let shape = Shape::new(heaplab::object::kind::FIRST_EMBEDDER, 6, 2, Tail::None)?;
                let map = scope.new_map(shape)?;
                let record = scope.new_record(map)?;
                self.report.allocations += 1;
                scope.store_raw(scope.get(record), 0, 7);
                record.any()
            }
            1 => scope.new_code(self.dice.below(sizes.small_bytes))?.any(),
            2 => scope.new_array_in(self.dice.below(sizes.small_bytes / 4), AllocationType::Old)?.any(),
            3 if sizes.large && self.dice.one_in(8) => scope.new_bytes(sizes.large_bytes)?.any(),
            _ => {
                let parcel = parcel::build(scope, self.dice.word(), &sizes)?;
                self.report.allocations += 2;
                if self.plan.kept != 0 {
                    self.keep(scope, scope.get(kept), scope.get(parcel));
                }
                parcel.any()
            }
        };
        self.report.allocations += 1;
        Ok(scope.get(made).as_small().is_none())
    }

    /// Checks a parcel that was kept, and puts another one, or nothing, in its place.
    fn keep(&mut self, scope: &Scope<'_, '_>, kept: Ref<'_, Array>, parcel: Ref<'_, Array>) {
        let index = self.dice.below(self.plan.kept);
        let old = scope.load(kept, index);
        if old.as_small().is_none()
            && let Err(text) = parcel::check(scope, old, &self.sizes)
        {
            self.report.violations.push(text);
        }
        let new = if self.dice.one_in(3) { Ref::small(0) } else { Some(parcel.into()) };
        scope.store(kept, index, new.expect("0 is a small integer"));
    }

    fn refused(&mut self, error: AllocError) {
        match error {
            AllocError::OutOfMemory { .. } => self.report.out_of_memory += 1,
            error => self.report.violations.push(format!("a rival's request: {error}")),
        }
    }
}
