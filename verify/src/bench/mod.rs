//! Speed, measured side by side.
//!
//! A time from one run depends on the load of the machine as much as on the code. So contestants of a [`Bench`] take
//! turns in one process, round after round, and what counts is the *ratio of medians*: whatever disturbs a round
//! disturbs all contestants. Each round begins with another contestant, so that no contestant has the same place in
//! every round; the first round warms caches, page tables and heaps, and is thrown away.
//!
//! The usual harnesses measure one contestant to the end before they begin with the next, and compare with a stored
//! earlier run, so the load of the machine may change between the contestants.
//!
//! `HEAPLAB_BENCH_ROUNDS` sets the number of rounds that count. Started without `--bench`, which is what `cargo bench`
//! passes, a bench only checks that its contestants run, on little work, and reports no numbers.

use std::env;
use std::fmt;
use std::fmt::Write as _;
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

mod bump;
pub mod ours;
mod trees;

pub use bump::Bump;
pub use trees::{Trees, binary_trees, nodes_of_tree, nodes_of_trees};

/// Rounds that count, unless the environment says otherwise.
const ROUNDS: usize = 15;

/// The fewest rounds that may count: fewer have no meaningful quartiles.
const ROUNDS_MIN: usize = 11;

/// The size in bytes of the objects that the allocation benches make.
pub const OBJECT_BYTES: usize = 32;

/// One way to do the work that a bench measures.
pub struct Contestant {
    name: &'static str,
    run: Box<dyn FnMut(u64) -> Duration>,
}

impl Contestant {
    /// A contestant whose `run` does work of the given size and returns the time that counts.
    ///
    /// Set-up and the start of threads belong outside that time. What `run` captures stays warm between rounds.
    pub fn new(name: &'static str, run: impl FnMut(u64) -> Duration + 'static) -> Contestant {
        Contestant { name, run: Box::new(run) }
    }

    /// A contestant whose `work` is all timed.
    pub fn timed(name: &'static str, mut work: impl FnMut(u64) + 'static) -> Contestant {
        Contestant::new(name, move |size| {
            let start = Instant::now();
            work(size);
            start.elapsed()
        })
    }
}

/// Contestants that do the same work, and how much of it.
pub struct Bench {
    title: &'static str,
    unit: &'static str,
    size: u64,
    size_smoke: u64,
    units_of: fn(u64) -> u64,
    contestants: Vec<Contestant>,
}

impl Bench {
    /// A bench that gives work of `size` to each contestant, or of `size_smoke` when it only checks that they run. A
    /// size is a number of `unit`s.
    #[must_use]
    pub fn new(title: &'static str, unit: &'static str, size: u64, size_smoke: u64) -> Bench {
        Bench { title, unit, size, size_smoke, units_of: |size| size, contestants: Vec::new() }
    }

    /// Lets a size stand for `units_of(size)` units of work.
    #[must_use]
    pub fn with_units(mut self, units_of: fn(u64) -> u64) -> Bench {
        self.units_of = units_of;
        self
    }

    /// Adds contestants; they appear in this order.
    #[must_use]
    pub fn with(mut self, contestants: impl IntoIterator<Item = Contestant>) -> Bench {
        self.contestants.extend(contestants);
        self
    }

    /// Measures as the command line and the environment say, and prints a table relative to `reference`.
    ///
    /// # Panics
    ///
    /// If `HEAPLAB_BENCH_ROUNDS` is set but is not a number of at least 11.
    #[must_use]
    pub fn run(self, reference: &'static str) -> Report {
        if !env::args().any(|arg| arg == "--bench") {
            let (title, count, size) = (self.title, self.contestants.len(), self.size_smoke);
            let _ = self.measure(size, 1);
            println!("{title}: {count} contestants run; `cargo bench` measures them");
            return Report::default();
        }
        let rounds = env::var("HEAPLAB_BENCH_ROUNDS").map_or(ROUNDS, |text| {
            let rounds = text.parse().ok().filter(|&rounds| rounds >= ROUNDS_MIN);
            rounds.unwrap_or_else(|| {
                panic!("HEAPLAB_BENCH_ROUNDS is `{text}`; set it to a number of at least {ROUNDS_MIN}")
            })
        });
        let size = self.size;
        let report = self.measure(size, rounds);
        println!("{}", report.table(reference));
        report
    }

    /// Runs `rounds + 1` rounds of work of `size` and keeps all but the first.
    fn measure(mut self, size: u64, rounds: usize) -> Report {
        let units = (self.units_of)(size);
        let count = self.contestants.len();
        let mut samples = vec![Vec::with_capacity(rounds); count];
        for round in 0..=rounds {
            for turn in 0..count {
                let index = (round + turn) % count;
                let duration = (self.contestants[index].run)(size);
                if round > 0 {
                    samples[index].push(duration.as_secs_f64() * 1e9 / units as f64);
                }
            }
        }
        let rows = self.contestants.iter().zip(samples).map(|(contestant, samples)| Row::new(contestant.name, samples));
        Report { title: self.title, unit: self.unit, units, rounds, rows: rows.collect() }
    }
}

/// What a bench measured; nothing, when it only checked that its contestants run.
#[derive(Default)]
pub struct Report {
    title: &'static str,
    unit: &'static str,
    units: u64,
    rounds: usize,
    rows: Vec<Row>,
}

/// One contestant's times, in nanoseconds per unit.
struct Row {
    name: &'static str,
    min: f64,
    quartile_low: f64,
    median: f64,
    quartile_high: f64,
}

impl Row {
    fn new(name: &'static str, mut samples: Vec<f64>) -> Row {
        samples.sort_by(f64::total_cmp);
        Row {
            name,
            min: quantile(&samples, 0.0),
            quartile_low: quantile(&samples, 0.25),
            median: quantile(&samples, 0.5),
            quartile_high: quantile(&samples, 0.75),
        }
    }
}

/// The value below which the given part of the sorted samples lies, interpolated between neighbours.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = part * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    low + (high - low) * place.fract()
}

impl Report {
    /// How much time `of` takes for each unit of time that `than` takes, by their medians; `None` unless both took
    /// part.
    #[must_use]
    pub fn ratio(&self, of: &str, than: &str) -> Option<f64> {
        Some(self.median(of)? / self.median(than)?)
    }

    /// Prints whether `of` takes at most `limit` times as long as `than`; nothing unless both took part.
    pub fn claim_at_most(&self, of: &str, limit: f64, than: &str) {
        if let Some(ratio) = self.ratio(of, than) {
            let verdict = if ratio <= limit { "holds" } else { "MISSED" };
            println!("{of} takes {ratio:.2} times as long as {than}; at most {limit:.2}: {verdict}");
        }
    }

    /// Prints whether `of` is at least `limit` times as fast as `than`; nothing unless both took part.
    pub fn claim_speedup(&self, of: &str, limit: f64, than: &str) {
        if let Some(speedup) = self.ratio(than, of) {
            let verdict = if speedup >= limit { "holds" } else { "MISSED" };
            println!("{of} is {speedup:.2} times as fast as {than}; at least {limit:.2}: {verdict}");
        }
    }

    fn median(&self, name: &str) -> Option<f64> {
        self.rows.iter().find(|row| row.name == name).map(|row| row.median)
    }

    fn table(&self, reference: &str) -> String {
        let mut text = format!(
            "{}: nanoseconds per {}; {} rounds of {} {}s each, taking turns\n\n",
            self.title, self.unit, self.rounds, self.units, self.unit
        );
        let width = self.rows.iter().map(|row| row.name.len()).max().unwrap_or(0).max("contestant".len());
        let mut line = |cells: [&dyn fmt::Display; 6]| {
            let [name, median, min, low, high, ratio] = cells;
            let _ = writeln!(text, "{name:<width$}  {median:>9}  {min:>9}  {low:>9}  {high:>9}  {ratio:>9}");
        };
        line([&"contestant", &"median", &"min", &"quartile", &"quartile", &"ratio"]);
        for row in &self.rows {
            let ratio = self.ratio(row.name, reference).map_or("-".to_owned(), |ratio| format!("{ratio:.2}x"));
            let [median, min, low, high] = [row.median, row.min, row.quartile_low, row.quartile_high]
                .map(|nanoseconds| format!("{nanoseconds:.2}"));
            line([&row.name, &median, &min, &low, &high, &ratio]);
        }
        let _ = write!(text, "\nratio: of medians, to {reference}");
        text
    }
}

/// Runs `work` on `threads` threads at once, each with a state of its own, and returns the time from the first start to
/// the last end. `set_up` makes the states, each on its thread, before the time begins.
///
/// # Panics
///
/// If a thread panics, or `threads` is 0.
pub fn together<S>(threads: usize, set_up: impl Fn() -> S + Sync, work: impl Fn(&mut S) + Sync) -> Duration {
    let barrier = Barrier::new(threads);
    let spans = Mutex::new(Vec::with_capacity(threads));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut state = set_up();
                barrier.wait();
                // The workers take the times themselves: a watching thread may be without a processor while they
                // work.
                let start = Instant::now();
                work(&mut state);
                let end = Instant::now();
                spans.lock().expect("no holder panics").push((start, end));
            });
        }
    });
    let spans = spans.into_inner().expect("no holder panics");
    let start = spans.iter().map(|span| span.0).min().expect("at least one thread");
    let end = spans.iter().map(|span| span.1).max().expect("at least one thread");
    end - start
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn fixed(name: &'static str, nanoseconds: &'static [u64]) -> Contestant {
        let mut turns = nanoseconds.iter().cycle();
        Contestant::new(name, move |size| Duration::from_nanos(size * turns.next().unwrap()))
    }

    #[test]
    fn quantiles_interpolate() {
        assert_eq!([0.0, 0.25, 0.5, 0.75].map(|part| quantile(&[1.0, 2.0, 3.0, 4.0], part)), [1.0, 1.75, 2.5, 3.25]);
        assert_eq!(quantile(&[7.0], 0.75), 7.0);
    }

    /// The first round counts for nothing, an outlier hardly, and the ratio is that of the medians.
    #[test]
    fn ratio_is_of_medians_without_the_first_round() {
        let bench = Bench::new("test", "thing", 10, 1)
            .with([fixed("slow", &[9999, 30, 31, 9000]), fixed("fast", &[1, 10, 10, 10])]);
        let report = bench.measure(10, 3);
        assert_eq!(report.ratio("slow", "fast"), Some(3.1));
        assert_eq!(report.ratio("slow", "absent"), None);
        assert!(report.table("fast").contains("3.10x"));
    }

    #[test]
    fn size_stands_for_units() {
        let report = Bench::new("test", "thing", 4, 1).with_units(|size| size * size).with([fixed("one", &[8])]);
        assert_eq!(report.measure(4, 1).median("one"), Some(2.0));
    }

    #[test]
    fn each_round_begins_with_another_contestant() {
        let order = Rc::new(RefCell::new(String::new()));
        let contestant = |name: &'static str| {
            let order = Rc::clone(&order);
            Contestant::timed(name, move |_| order.borrow_mut().push_str(name))
        };
        let bench = Bench::new("test", "thing", 1, 1).with([contestant("a"), contestant("b"), contestant("c")]);
        let _ = bench.measure(1, 2);
        assert_eq!(*order.borrow(), "abcbcacab");
    }

    /// The time lasts until the slowest thread has ended.
    #[test]
    fn time_together_spans_all_threads() {
        let number = AtomicU64::new(0);
        let set_up = || number.fetch_add(1, Ordering::Relaxed);
        let duration = together(3, set_up, |number| thread::sleep(Duration::from_millis(10 * *number)));
        assert!(duration >= Duration::from_millis(20));
    }
}
