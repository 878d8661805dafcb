//! The director: prepares the heap, starts the others, ends them, and checks what is left. The watch, which built the
//! heap, waits for the director.

use super::meddler::{MeddlerCounts, meddle};
use super::parcel::ObjectSizes;
use super::pulse::{Act, Pulse, PulseGuard, Watch};
use super::worker::{BOARD_SLOTS, Halt, SHARED_ELEMENTS, Worker, WorkerCounts, World};
use super::{StressOptions, StressReport};
use heaplab::sync::{roll, stretch};
use heaplab::{AllocationType, BuildError, CollectionKind, Heap, Statistics};
use heaplab_common::mix;
use heaplab_common::panics::panic_text;
use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Shares of the hard limit, in percent, that all workers together keep alive at most; the seed chooses one. Workers
/// with the greatest share meet `OutOfMemory` all the time.
const LIVE_PERCENT: [usize; 4] = [15, 30, 50, 90];
/// How often the watch looks.
const LOOK: Duration = Duration::from_millis(20);

/// Objects and committed bytes of the heap before the embedder allocates.
struct Baseline {
    objects: u64,
    committed_bytes: usize,
}

/// Stresses a heap of its own, and calls `tick` with the elapsed time about every 20 ms.
///
/// Blocks until the stress is over. If a thread hangs, returns without waiting for the thread: the report says so.
///
/// # Errors
/// The heap could not be built.
pub fn run(options: &StressOptions, mut tick: impl FnMut(Duration)) -> Result<StressReport, BuildError> {
    let heap = Heap::new(options.config.clone())?;
    let names = (0..options.threads).map(|index| format!("worker {index}"));
    let names = names.chain(["the meddler".to_owned(), "the director".to_owned()]);
    let pulses: Arc<Vec<Pulse>> = Arc::new(names.map(Pulse::new).collect());
    let report = Arc::new(Mutex::new(StressReport {
        seed: options.seed,
        threads: options.threads,
        heap_bytes: options.config.hard_limit_bytes,
        ..StressReport::default()
    }));
    let start = Instant::now();
    let director = thread::spawn({
        let (options, pulses, report) = (options.clone(), Arc::clone(&pulses), Arc::clone(&report));
        move || direct(&options, heap, &pulses, &report)
    });
    let mut watch = Watch::new(pulses.iter(), options.stall);
    let mut hanging = Vec::new();
    while !director.is_finished() && hanging.is_empty() {
        thread::sleep(LOOK);
        tick(start.elapsed());
        hanging = watch.look();
    }
    let joined = if hanging.is_empty() { director.join() } else { Ok(()) };
    let mut report = report.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    report.hung = !hanging.is_empty();
    if report.hung {
        hanging.push(format!("who is where:\n{}", roll::report()));
    }
    report.findings.extend(hanging);
    if let Err(payload) = joined {
        report.findings.push(format!("the director panicked: {}", message(&*payload)));
    }
    if report.seconds > 0.0 {
        report.allocations_per_second = report.allocations as f64 / report.seconds;
    }
    Ok(report)
}

/// Starts a thread with a name, which the system and its panics show.
fn named<'s, R: Send + 's>(
    scope: &'s thread::Scope<'s, '_>,
    name: String,
    f: impl FnOnce() -> R + Send + 's,
) -> thread::ScopedJoinHandle<'s, R> {
    thread::Builder::new().name(name).spawn_scoped(scope, f).expect("the system has a thread")
}

/// What a panic said.
fn message(payload: &(dyn Any + Send)) -> &str {
    panic_text(payload).unwrap_or("without a message")
}

/// The report, in which every thread writes down what came of the stress.
#[derive(Clone, Copy)]
struct Log<'a>(&'a Mutex<StressReport>);

impl Log<'_> {
    fn note(self, change: impl FnOnce(&mut StressReport)) {
        change(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }

    fn finding(self, text: String) {
        self.note(|report| report.findings.push(text));
    }

    /// Notes how a thread ended. Returns what it counted, unless it panicked.
    fn settle<C>(self, name: &str, ended: thread::Result<(Result<(), Halt>, C)>) -> Option<C> {
        match ended {
            Ok((result, counts)) => {
                match result {
                    Ok(()) => {}
                    Err(Halt::Finding(text)) => self.finding(format!("{name}: {text}")),
                    Err(Halt::Poisoned) => self.finding(format!("{name}: the heap is poisoned")),
                }
                Some(counts)
            }
            Err(payload) => {
                self.finding(format!("{name} panicked: {}", message(&*payload)));
                None
            }
        }
    }
}

fn direct(options: &StressOptions, heap: Heap, pulses: &[Pulse], report: &Mutex<StressReport>) {
    let (log, pulse) = (Log(report), &pulses[options.threads + 1]);
    let _guard = PulseGuard(pulse);
    let _stretch = linger(options, options.threads + 1);
    let baseline = match baseline(&heap) {
        Ok(baseline) => baseline,
        Err(text) => return log.finding(text),
    };
    set_callback(&heap, options.seed);
    let world = world(options, heap);
    if let Err(text) = share_array(&world) {
        return log.finding(text);
    }
    let start = Instant::now();
    run_threads(options, &world, pulses, start, log);
    let seconds = start.elapsed().as_secs_f64();
    log.note(|report| report.seconds = seconds);
    pulse.beat(Act::Finish);
    match finish(world, &baseline, pulse) {
        Ok(statistics) => log.note(|report| {
            report.collections = CollectionKind::ALL.map(|kind| statistics.collections_of(kind));
            report.retries = statistics.retries;
            report.objects_verified = statistics.objects_verified;
        }),
        Err(text) => log.finding(text),
    }
}

/// Lets this thread linger in the heap's windows until the guard is dropped, by a seed of its own, if the options want
/// that.
fn linger(options: &StressOptions, thread: usize) -> Option<stretch::StretchGuard> {
    options.stretch.then(|| stretch::begin(mix(options.seed, thread as u64)))
}

/// What the threads share.
fn world(options: &StressOptions, heap: Heap) -> World {
    let live_percent = LIVE_PERCENT[(options.seed / 3 % 4) as usize];
    World {
        board: heap.new_root_set(BOARD_SLOTS),
        mailbox: Mutex::new(Vec::new()),
        stop: AtomicBool::new(false),
        sizes: ObjectSizes::of(heap.layout()),
        promise: !options.seed.is_multiple_of(5),
        live_bytes_max: options.config.hard_limit_bytes / 100 * live_percent / options.threads.max(1),
        seed: options.seed,
        heap,
    }
}

/// Starts the workers and the meddler, and ends them when the time is over or a worker has ended.
fn run_threads(options: &StressOptions, world: &World, pulses: &[Pulse], start: Instant, log: Log<'_>) {
    let pulse = &pulses[options.threads + 1];
    thread::scope(|scope| {
        let workers: Vec<_> = (0..options.threads)
            .map(|index| {
                let pulse = &pulses[index];
                named(scope, format!("worker {index}"), move || {
                    let _guard = PulseGuard(pulse);
                    let _stretch = linger(options, index);
                    let mut worker = Worker::new(world, pulse, index as u64);
                    (worker.work(), worker.counts)
                })
            })
            .collect();
        let meddler = named(scope, "the meddler".to_owned(), || {
            let pulse = &pulses[options.threads];
            let _guard = PulseGuard(pulse);
            let _stretch = linger(options, options.threads);
            let mut counts = MeddlerCounts::default();
            (meddle(world, pulse, &mut counts), counts)
        });
        while start.elapsed() < options.duration && !workers.iter().any(thread::ScopedJoinHandle::is_finished) {
            pulse.beat(Act::Sleep);
            thread::sleep(LOOK.min(options.duration.saturating_sub(start.elapsed())));
        }
        // Relaxed: a request to end, which orders nothing; the joins do.
        world.stop.store(true, Ordering::Relaxed);
        pulse.beat(Act::Join);
        for (index, worker) in workers.into_iter().enumerate() {
            if let Some(counts) = log.settle(&format!("worker {index}"), worker.join()) {
                log.note(|report| add(report, &counts));
            }
            pulse.beat(Act::Join);
        }
        if let Some(counts) = log.settle("the meddler", meddler.join()) {
            log.note(|report| report.simulated_full = counts.simulated_full);
        }
    });
}

fn add(report: &mut StressReport, counts: &WorkerCounts) {
    report.allocations += counts.allocations;
    report.out_of_memory += counts.out_of_memory;
    report.scopes += counts.scopes;
    report.attachments += counts.attachments;
    report.shadow_checks += counts.shadow_checks;
    report.parcel_checks += counts.parcel_checks;
    report.live_bytes_peak += counts.live_bytes_peak;
}

/// Sets the near-heap-limit callback, by the seed: a third of the seeds have one that raises the limit by a sixteenth,
/// up to its greatest value; a third have one that answers with half of the limit, which changes nothing; a third have
/// none.
fn set_callback(heap: &Heap, seed: u64) {
    match seed % 3 {
        0 => heap.set_near_limit_callback(Some(Box::new(|near| {
            (near.hard_limit_bytes + near.hard_limit_bytes_initial / 16).min(near.hard_limit_bytes_max)
        }))),
        1 => heap.set_near_limit_callback(Some(Box::new(|near| near.hard_limit_bytes / 2))),
        _ => {}
    }
}

fn collect_all(heap: &Heap) -> Result<(), String> {
    // The second collection frees what the evacuation of the first one left.
    for _ in 0..2 {
        heap.collect(CollectionKind::MemoryReducing).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn baseline(heap: &Heap) -> Result<Baseline, String> {
    collect_all(heap)?;
    let objects = heap.verify().map_err(|error| error.to_string())?.objects;
    let committed_bytes = heap.statistics().map_err(|error| error.to_string())?.committed_bytes;
    Ok(Baseline { objects, committed_bytes })
}

/// Makes the array that the threads share, and puts it into the board.
fn share_array(world: &World) -> Result<(), String> {
    let mut attachment = world.heap.attach().map_err(|error| error.to_string())?;
    let made = attachment.run(|scope| {
        let elements = SHARED_ELEMENTS.max(world.sizes.small_bytes / 4);
        let array = scope.new_array_in(elements, AllocationType::Old).map_err(|error| error.to_string())?;
        scope.store_root(&world.board, 0, scope.get(array).into()).map_err(|error| error.to_string())
    });
    made.map_err(|error| error.to_string())?
}

/// Drops everything, collects, and compares the heap with what it was: ST-2, ST-3, ST-5.
fn finish(world: World, baseline: &Baseline, pulse: &Pulse) -> Result<Statistics, String> {
    let World { heap, board, mailbox, .. } = world;
    heap.set_stress_concurrent_allocation(false).map_err(|error| error.to_string())?;
    heap.set_gc_interval(0).map_err(|error| error.to_string())?;
    heap.set_fail_allocation(None).map_err(|error| error.to_string())?;
    drop((board, mailbox));
    pulse.beat(Act::Verify);
    let full = heap.verify().map_err(|error| error.to_string())?;
    if !full.is_sound() {
        return Err(format!("the verifier at the end: {}", full.describe()));
    }
    pulse.beat(Act::Collect);
    collect_all(&heap)?;
    let empty = heap.verify().map_err(|error| error.to_string())?;
    if !empty.is_sound() {
        return Err(format!("the verifier of the emptied heap: {}", empty.describe()));
    }
    let statistics = heap.statistics().map_err(|error| error.to_string())?;
    if statistics.committed_bytes > statistics.hard_limit_bytes {
        return Err(format!("over the hard limit: {statistics:?}"));
    }
    if empty.objects != baseline.objects {
        return Err(format!("the emptied heap holds {} objects, at first {}", empty.objects, baseline.objects));
    }
    if statistics.committed_bytes > baseline.committed_bytes {
        return Err(format!(
            "the emptied heap has {} bytes committed, at first {}",
            statistics.committed_bytes, baseline.committed_bytes
        ));
    }
    if statistics.attached != 0 {
        return Err(format!("{} local heaps are attached at the end", statistics.attached));
    }
    let closed = heap.close().map_err(|(_, error)| error.to_string())?;
    if closed.is_sound() { Ok(statistics) } else { Err(format!("the verifier at the close: {}", closed.describe())) }
}
