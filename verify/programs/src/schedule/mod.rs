//! Schedules: programs of many threads in interleavings that somebody chooses.
//!
//! The engine of [threads](crate::shadow::run_concurrent) runs on the scheduled face of `heaplab::sync`, so a
//! scheduler decides at each atomic operation, lock and [yield point](heaplab::sync::YieldPoint) which thread goes on.
//! Three ways to decide are used:
//!
//! | scheduler | chooses | for |
//! |---|---|---|
//! | shuttle's PCT and random ones | by a seed | breadth: `verify/tests/shuttle_ops.rs`, `verify/shuttle.sh` |
//! | [`Stretched`] | at random, and holds threads back at yield points | windows between two steps of a protocol |
//! | [`Chosen`] | as a byte string says | the fuzz target `schedule_ops`: coverage steers interleavings |
//!
//! A failing execution prints its schedule, which [`replay`] runs again; a crash file of `schedule_ops` is its own
//! replay.

mod chosen;
mod stretched;

pub use chosen::{Chosen, Preemption, ScheduledProgram};
pub use stretched::{Stretched, Visits};

use crate::ops::Program;
use crate::shadow::{Tally, run_concurrent};
use heaplab::memory::PageSource;
use heaplab::sync::shuttle_config;
use shuttle::Runner;
use shuttle::scheduler::{ReplayScheduler, Scheduler};
use std::sync::{Arc, Mutex};

/// Runs `program` in every execution that `scheduler` asks for. Returns how many there were, and the sum of what they
/// did.
///
/// # Panics
/// If the heap is not what the shadows say, or no thread can go on. The schedule has been printed then.
pub fn run_scheduled(program: &Program, scheduler: impl Scheduler + 'static) -> (usize, Tally) {
    let sum = Arc::new(Mutex::new(Tally::default()));
    let executions = Runner::new(scheduler, shuttle_config()).run({
        let (program, sum) = (program.clone(), Arc::clone(&sum));
        move || {
            let tally = run_concurrent(&program, PageSource::default());
            sum.lock().expect("nothing panics with it").add_execution(&tally);
        }
    });
    let tally = *sum.lock().expect("nothing panics with it");
    (executions, tally)
}

/// Runs one execution again, from the schedule that a failure has printed.
///
/// # Panics
/// As the execution did.
pub fn replay(program: &Program, schedule: &str) {
    run_scheduled(program, ReplayScheduler::new_from_encoded(schedule));
}
