//! The engine for threads: each thread of a program is one, with a local heap and a shadow of its own.
//!
//! The steps of a thread run in their order, and those of different threads in whichever order the machine, or the
//! checker behind `heaplab::sync`, lets them. So one engine serves real threads, Shuttle's schedules, and every
//! interleaving under loom. What an oracle can still claim while rivals are at work is in [`rivals`](super::rivals).
//!
//! Three operations mean something else here: `store-root` sends a parcel to the other threads, `load-root` looks
//! whether there is one, and `stress` switches the heap's own thread, which no other engine lets run.

use super::Tally;
use super::heap_state::HeapState;
use super::oracle::Oracle;
use super::rivals::Rivals;
use super::single::Engine;
use super::watch::{current_step, is_quiet, note_program, note_steps_in, set_quiet};
use crate::ops::Program;
use heaplab::Heap;
use heaplab::memory::PageSource;
use heaplab::sync::{roll, stretch, thread};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// Runs `program` with a thread for each of its threads, each on a local heap of its own through the safe API. Under a
/// checker this is one execution.
///
/// # Panics
/// If the heap is not what the shadows say.
pub fn run_concurrent(program: &Program, source: PageSource) -> Tally {
    run(program, source, None)
}

/// Runs `program` as [`run_concurrent`] does, with threads that linger in the heap's shortest windows, at random.
///
/// # Panics
/// If the heap is not what the shadows say.
pub fn run_stretched(program: &Program, source: PageSource, seed: u64) -> Tally {
    run(program, source, Some(seed))
}

/// A program that takes this long has a deadlock. No program takes a hundredth of the time.
const DEADLOCK: Duration = Duration::from_secs(if cfg!(miri) { 3000 } else { 120 });

/// Tells, when dropped, that a thread of a program has ended or unwound.
struct Ended(mpsc::Sender<()>);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// Waits until each thread of a program has ended. If one does not, says where each is, and aborts: nothing can end a
/// thread that waits for ever, and whoever started this program is to see why.
fn await_ends(program: &Program, ended: &mpsc::Receiver<()>, at: &[AtomicUsize]) {
    for _ in 0..program.threads() {
        if ended.recv_timeout(DEADLOCK).is_err() {
            eprintln!("deadlock: this program has no end after {} seconds\n{program}", DEADLOCK.as_secs());
            for (number, step) in at.iter().enumerate() {
                // Relaxed: shown, orders nothing.
                let index = step.load(Ordering::Relaxed);
                let step = program.steps.get(index).map(|step| format!("at step {index}: {}", step.op));
                eprintln!("thread {number} of the program is {}", step.unwrap_or("before its first step".to_owned()));
            }
            eprintln!("{}", roll::report());
            std::process::abort();
        }
    }
}

/// Says at which step a thread of a program was when the thread unwinds. Under a checker nothing is said: all threads
/// of the program are one thread of the system, and the checker shows the execution.
struct NameStep<'p>(&'p Program, u8);

impl Drop for NameStep<'_> {
    fn drop(&mut self) {
        if !heaplab::sync::is_modelled() && std::thread::panicking() && !is_quiet() {
            let step = current_step().and_then(|index| self.0.steps.get(index).map(|step| (index, step.op)));
            let at = step.map_or("before its first step".to_owned(), |(index, op)| format!("at step {index}: {op}"));
            eprintln!("thread {} of the program panicked {at}", self.1);
        }
    }
}

fn run(program: &Program, source: PageSource, seed: Option<u64>) -> Tally {
    let mut program = program.clone();
    // Several threads attach at the start.
    program.world.concurrent = true;
    note_program(&program);
    let config = program.world.config(usize::from(program.threads()), source);
    let heap = Heap::new(config).expect("the worlds are valid and memory is to be had");
    let state = HeapState::new(heap, program.world);
    let rivals = Arc::new(Rivals::new(&program, &state.heap));
    let quiet = is_quiet();
    let at: Arc<[AtomicUsize]> = (0..program.threads()).map(|_| AtomicUsize::new(usize::MAX)).collect();
    let (sender, receiver) = mpsc::channel();
    let threads: Vec<_> = (0..program.threads())
        .map(|number| {
            let (program, heap, rivals) = (program.clone(), state.heap.clone(), Arc::clone(&rivals));
            let (at, ended) = (Arc::clone(&at), Ended(sender.clone()));
            thread::spawn(move || {
                let _ended = ended;
                set_quiet(quiet);
                let _names = NameStep(&program, number);
                let _lingers = seed.map(|seed| stretch::begin(seed.wrapping_add(u64::from(number) << 32)));
                note_program(&program);
                note_steps_in(at, usize::from(number));
                let oracle = Oracle::joined(&program, heap, Arc::clone(&rivals));
                let mut engine = Engine::of_thread(&program, number, oracle);
                engine.run();
                engine.leave()
            })
        })
        .collect();
    if !heaplab::sync::is_modelled() {
        await_ends(&program, &receiver, &at);
    }
    let mut tally = Tally::default();
    for thread in threads {
        match thread.join() {
            Ok(ended) => tally.add(&ended),
            Err(payload) => std::panic::resume_unwind(payload),
        }
    }
    // Ends the heap's own thread. This thread runs no local heap.
    state.heap.set_stress_concurrent_allocation(false).expect("it is joined");
    rivals.judge(&state.layout);
    drop(rivals);
    tally.collections = state.end().1.collections;
    tally
}
