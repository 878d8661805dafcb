//! Running a scenario on a heap, with or without rivals, on threads of the facade `heaplab::sync`.

use super::{
    Mode, Moment, RivalPlan, RivalReport, ScenarioReport, Tally, alloc_after_failures, alloc_after_failures_raw, rival,
    stress_handles,
};
use heaplab::sync::{Arc, AtomicBool, AtomicU32, Ordering, thread};
use heaplab::{AttachError, Attachment, Heap, Statistics};

/// A scenario of the mission: a row of a table, so that whoever has another door to the heap adds a row.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name in tables.
    pub name: &'static str,
    /// Runs it once on this heap, and says what happened.
    pub body: fn(&Heap, &mut Tally),
}

/// The scenarios that go through the heap's own doors.
pub const SCENARIOS: [Scenario; 3] = [
    Scenario { name: "alloc_after_failures (raw)", body: after_failures_raw },
    Scenario { name: "alloc_after_failures", body: after_failures },
    Scenario { name: "stress_handles", body: under_a_handle_scope },
];

/// `alloc_after_failures` through the raw API: each object becomes a filler of its own size.
fn after_failures_raw(heap: &Heap, tally: &mut Tally) {
    match heap.attach_raw() {
        Ok(mut local) => drop(alloc_after_failures_raw(heap, &mut local, tally)),
        Err(error) => tally.violation(error.to_string()),
    }
}

/// `alloc_after_failures` through handles: each object is filled, read back and dropped.
fn after_failures(heap: &Heap, tally: &mut Tally) {
    attached(heap, tally, |attachment, tally| {
        let ran = attachment.run(|scope| {
            alloc_after_failures(scope, tally);
        });
        if let Err(error) = ran {
            tally.violation(error.to_string());
        }
    });
}

/// `alloc_after_failures` under a handle scope, which must return true.
fn under_a_handle_scope(heap: &Heap, tally: &mut Tally) {
    attached(heap, tally, |attachment, tally| {
        stress_handles(attachment, tally);
    });
}

/// Attaches, and lets `run` do the rest; a refusal is a violation.
pub fn attached(heap: &Heap, tally: &mut Tally, run: impl FnOnce(&mut Attachment, &mut Tally)) {
    match heap.attach() {
        Ok(mut attachment) => run(&mut attachment, tally),
        Err(error) => tally.violation(error.to_string()),
    }
}

/// How many object graphs a rival keeps: none on the smallest heaps, so that a rival exceeds the soft limit by one
/// request at most.
fn kept(heap: &Heap) -> usize {
    if heap.layout().hard_limit_pages() < 64 { 0 } else { 8 }
}

/// Runs a scenario once on `heap`, which has no local heaps attached. Afterwards it has none either, and allows
/// several. Blocks until the rivals have ended.
///
/// With [`Mode::Off`] concurrent allocation is off meanwhile, and a second local heap has to be refused. Otherwise the
/// rivals, or the heap's stress thread, run from before the scenario until after it.
///
/// The report has three pictures of the heap, of which the first and the last are taken outside of what the statistics
/// span.
#[must_use]
pub fn run(scenario: Scenario, heap: &Heap, mode: Mode, seed: u64) -> ScenarioReport {
    let mut tally = Tally::with_pictures();
    tally.picture(Moment::Before, || heap.survey());
    let before = statistics(heap, &mut tally);
    let company = Company::begin(heap, mode, seed, &mut tally);
    (scenario.body)(heap, &mut tally);
    let rival_allocations = company.end(heap, &mut tally);
    match heap.verify() {
        Ok(verification) => tally.verified("at the end", &verification),
        Err(error) => tally.violation(error.to_string()),
    }
    let after = statistics(heap, &mut tally);
    if after.committed_bytes > after.hard_limit_bytes {
        tally.violation(format!("{} bytes committed, {} allowed", after.committed_bytes, after.hard_limit_bytes));
    }
    tally.picture(Moment::After, || heap.survey());
    let mut report = ScenarioReport::new(scenario.name, mode, heap.config().hard_limit_bytes, tally);
    report.add_collections(&before, &after);
    report.rival_allocations = rival_allocations;
    report
}

/// Who is in the heap while a scenario runs, as the mode says.
struct Company {
    mode: Mode,
    rivals: Vec<thread::JoinHandle<RivalReport>>,
    stop: Arc<AtomicBool>,
}

impl Company {
    /// Switches what the mode switches, and starts the rivals. Each rival has attached, or given up, when this
    /// returns.
    fn begin(heap: &Heap, mode: Mode, seed: u64, tally: &mut Tally) -> Company {
        let (stop, under_way) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let count = match mode {
            Mode::Off => {
                check_second_is_refused(heap, tally);
                0
            }
            Mode::On { rivals } => rivals,
            Mode::StressFlag => {
                set_stress(heap, true, tally);
                0
            }
        };
        let rivals: Vec<_> = (0..count as u64)
            .map(|index| {
                let (heap, stop, under_way) = (heap.clone(), Arc::clone(&stop), Arc::clone(&under_way));
                let plan = RivalPlan { seed: seed.wrapping_add(index), rounds: None, kept: kept(&heap) };
                thread::spawn(move || rival(&heap, &plan, &stop, &under_way))
            })
            .collect();
        // This loop ends, since every rival attaches or gives up. Relaxed: a count that orders nothing.
        while (under_way.load(Ordering::Relaxed) as usize) < rivals.len() {
            thread::yield_now();
        }
        Company { mode, rivals, stop }
    }

    /// Ends the rivals, and switches back. Returns how many objects the rivals allocated.
    fn end(self, heap: &Heap, tally: &mut Tally) -> u64 {
        // Relaxed: a request to end, which orders nothing; the join does.
        self.stop.swap(true, Ordering::Relaxed);
        let mut allocations = 0;
        for rival in self.rivals {
            match rival.join() {
                Ok(report) => {
                    allocations += report.allocations;
                    tally.violations.extend(report.violations);
                }
                Err(_) => tally.violation("a rival panicked"),
            }
        }
        match self.mode {
            Mode::Off => {
                if let Err(error) = heap.set_concurrent_allocation(true) {
                    tally.violation(error.to_string());
                }
            }
            Mode::On { .. } => {}
            Mode::StressFlag => set_stress(heap, false, tally),
        }
        allocations
    }
}

fn statistics(heap: &Heap, tally: &mut Tally) -> Statistics {
    heap.statistics().unwrap_or_else(|error| {
        tally.violation(error.to_string());
        Statistics::default()
    })
}

fn set_stress(heap: &Heap, on: bool, tally: &mut Tally) {
    if let Err(error) = heap.set_stress_concurrent_allocation(on) {
        tally.violation(error.to_string());
    }
}

fn check_second_is_refused(heap: &Heap, tally: &mut Tally) {
    if let Err(error) = heap.set_concurrent_allocation(false) {
        return tally.violation(error.to_string());
    }
    match (heap.attach(), heap.attach()) {
        (Ok(_one), Err(AttachError::ConcurrentAllocationOff)) => {}
        (one, two) => tally.violation(format!("with concurrent allocation off: attached {one:?}, then {two:?}")),
    }
}
