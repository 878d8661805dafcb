//! Rivals: what other threads do while a scenario runs.

use crate::stress::{ObjectSizes, parcel};
use heaplab::sync::{AtomicBool, AtomicU32, Ordering};
use heaplab::{AllocError, AllocationType, AttachError, Heap, Scope, Shape, Tail};
use heaplab_common::Dice;

/// What one rival does.
#[derive(Clone, Copy, Debug)]
pub struct RivalPlan {
    /// Its decisions follow from this.
    pub seed: u64,
    /// Rounds after which it ends by itself; `None` to go on until it is told to stop.
    pub rounds: Option<u64>,
    /// Object graphs that it keeps alive at most.
    pub kept: usize,
}

/// What one rival did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RivalReport {
    /// Objects allocated.
    pub allocations: u64,
    /// Requests that found no memory: legal.
    pub out_of_memory: u64,
    /// What is wrong.
    pub violations: Vec<String>,
}

/// Rounds between two attachments.
const ROUNDS_ATTACHED: u64 = 64;

/// Allocates objects of all types, keeps and drops checked graphs, polls, parks, detaches and attaches, until `stop` is
/// set or the plan's rounds are over. Enters no always-allocate scope and simulates no full space. Counts itself as under
/// way when it has attached for the first time, or given up.
pub fn rival(heap: &Heap, plan: &RivalPlan, stop: &AtomicBool, under_way: &AtomicU32) -> RivalReport {
    let mut begun = false;
    let mut begin = || {
        if !core::mem::replace(&mut begun, true) {
            // Relaxed: a count that orders nothing.
            under_way.fetch_add(1, Ordering::Relaxed);
        }
    };
    let report = rounds(heap, plan, stop, &mut begin);
    begin();
    report
}

fn rounds(heap: &Heap, plan: &RivalPlan, stop: &AtomicBool, begin: &mut dyn FnMut()) -> RivalReport {
    let mut report = RivalReport::default();
    let mut dice = Dice::new(plan.seed, 77);
    let sizes = ObjectSizes::of(heap.layout());
    let mut left = plan.rounds.unwrap_or(u64::MAX);
    // Relaxed: a request to end, which orders nothing; the join does.
    while left != 0 && !stop.load(Ordering::Relaxed) && report.violations.is_empty() {
        let mut attachment = match heap.attach() {
            Ok(attachment) => attachment,
            Err(AttachError::TooManyThreads { .. }) => {
                heaplab::sync::thread::yield_now();
                left -= 1;
                continue;
            }
            Err(error) => {
                report.violations.push(format!("a rival could not attach: {error}"));
                return report;
            }
        };
        begin();
        let rounds = left.min(ROUNDS_ATTACHED);
        left -= rounds;
        let ran = attachment.run(|scope| session(scope, plan, rounds, stop, &mut dice, &sizes, &mut report));
        if let Err(error) = ran {
            report.violations.push(format!("a rival could not run: {error}"));
        }
    }
    report
}

fn session(
    scope: &mut Scope<'_, '_>,
    plan: &RivalPlan,
    rounds: u64,
    stop: &AtomicBool,
    dice: &mut Dice,
    sizes: &ObjectSizes,
    report: &mut RivalReport,
) {
    let kept = match scope.new_array(plan.kept) {
        Ok(kept) => kept,
        Err(error) => return refused(error, report),
    };
    report.allocations += 1;
    for _ in 0..rounds {
        // Relaxed: see above.
        if stop.load(Ordering::Relaxed) || !report.violations.is_empty() {
            break;
        }
        let made = scope.nested(|scope| {
            let made = match dice.below(8) {
                0 => {
                    let shape = Shape::new(heaplab::object::kind::FIRST_EMBEDDER, 6, 2, Tail::None)?;
                    let map = scope.new_map(shape)?;
                    let record = scope.new_record(map)?;
                    report.allocations += 1;
                    scope.store_raw(scope.get(record), 0, 7);
                    record.any()
                }
                1 => scope.new_code(dice.below(sizes.small_bytes))?.any(),
                2 => scope.new_array_in(dice.below(sizes.small_bytes / 4), AllocationType::Old)?.any(),
                3 if sizes.large && dice.one_in(8) => scope.new_bytes(sizes.large_bytes)?.any(),
                _ => {
                    let made = parcel::build(scope, dice.word(), sizes)?;
                    report.allocations += 2;
                    if plan.kept != 0 {
                        let index = dice.below(plan.kept);
                        let kept = scope.get(kept);
                        let old = scope.load(kept, index);
                        if old.as_small().is_none()
                            && let Err(text) = parcel::check(scope, old, sizes)
                        {
                            report.violations.push(text);
                        }
                        let new = if dice.one_in(3) { heaplab::Ref::small(0) } else { Some(scope.get(made).into()) };
                        scope.store(kept, index, new.expect("0 is a small integer"));
                    }
                    made.any()
                }
            };
            report.allocations += 1;
            Ok::<_, AllocError>(scope.get(made).as_small().is_none())
        });
        match made {
            Ok(is_object) => debug_assert!(is_object),
            Err(error) => {
                refused(error, report);
                let small = heaplab::Ref::small(0).expect("0 is a small integer");
                (0..plan.kept).for_each(|index| scope.store(scope.get(kept), index, small));
            }
        }
        scope.poll();
        if dice.one_in(16) {
            scope.park(heaplab::sync::thread::yield_now);
        }
    }
}

fn refused(error: AllocError, report: &mut RivalReport) {
    match error {
        AllocError::OutOfMemory { .. } => report.out_of_memory += 1,
        error => report.violations.push(format!("a rival's request: {error}")),
    }
}
