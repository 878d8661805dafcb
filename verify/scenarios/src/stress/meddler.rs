//! The meddler: a thread without a local heap, which does to the whole heap what can be done from outside.

use super::pulse::{Act, Pulse};
use super::worker::{Halt, World};
use heaplab::{CollectionKind, FlagError, SpaceKind, StopError};
use heaplab_common::Dice;
use std::time::{Duration, Instant};

/// After each act the meddler sleeps so many times as long as the act took, and a little more.
const SLEEP_PARTS: u32 = 3;

/// What the meddler counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MeddlerCounts {
    pub(super) simulated_full: u64,
}

/// Meddles until the stress is over.
pub(super) fn meddle(world: &World, pulse: &Pulse, counts: &mut MeddlerCounts) -> Result<(), Halt> {
    let mut dice = Dice::new(world.seed, u64::MAX);
    while !world.is_over() {
        let act = dice.weighted(&[
            (10, Act::Simulate),
            (10, Act::Collect),
            (2, Act::Verify),
            (4, Act::Statistics),
            (2, Act::Flags),
            (8, Act::Sleep),
        ]);
        pulse.beat(act);
        let start = Instant::now();
        match act {
            Act::Simulate => {
                let space = SpaceKind::ALL[dice.below(SpaceKind::ALL.len())];
                world.heap.simulate_full_space(space).map_err(halt)?;
                counts.simulated_full += 1;
            }
            Act::Collect => {
                let kind = dice.weighted(&[
                    (8, CollectionKind::Minor),
                    (2, CollectionKind::Major),
                    (1, CollectionKind::MemoryReducing),
                ]);
                world.heap.collect(kind).map_err(halt)?;
            }
            Act::Verify => {
                let verification = world.heap.verify().map_err(halt)?;
                if !verification.is_sound() {
                    return Err(Halt::Finding(format!("the verifier: {}", verification.describe())));
                }
            }
            Act::Statistics => {
                let statistics = world.heap.statistics().map_err(halt)?;
                if statistics.committed_bytes > statistics.hard_limit_bytes {
                    return Err(Halt::Finding(format!("over the hard limit: {statistics:?}")));
                }
            }
            Act::Flags => set_flags(world, &mut dice)?,
            _ => {}
        }
        let busy = start.elapsed();
        pulse.beat(Act::Sleep);
        std::thread::sleep(busy * SLEEP_PARTS + Duration::from_micros(100 + dice.below(1900) as u64));
    }
    Ok(())
}

fn set_flags(world: &World, dice: &mut Dice) -> Result<(), Halt> {
    let heap = &world.heap;
    match dice.below(8) {
        0 => flag(heap.set_gc_interval(200 + dice.below(2000) as u64)),
        1..=3 => flag(heap.set_gc_interval(0)),
        4 => flag(heap.set_stress_concurrent_allocation(true)),
        5 => flag(heap.set_stress_concurrent_allocation(false)),
        6 if !world.promise => flag(heap.set_fail_allocation(Some(dice.below(20) as u64))),
        _ => {
            // For one collection only, since the verifier is slow.
            heap.set_verify_heap(true);
            let collected = heap.collect(CollectionKind::Minor);
            heap.set_verify_heap(false);
            collected.map_err(halt)
        }
    }
}

fn halt(error: StopError) -> Halt {
    match error {
        StopError::Poisoned => Halt::Poisoned,
        error => Halt::Finding(error.to_string()),
    }
}

fn flag(result: Result<(), FlagError>) -> Result<(), Halt> {
    match result {
        Ok(()) | Err(FlagError::Attach(heaplab::AttachError::TooManyThreads { .. })) => Ok(()),
        Err(FlagError::Poisoned | FlagError::Attach(heaplab::AttachError::Poisoned)) => Err(Halt::Poisoned),
        Err(error) => Err(Halt::Finding(error.to_string())),
    }
}
