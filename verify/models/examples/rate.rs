//! Prints how many runs a second the explorer makes of models of whole heaps, with the journal on.
//!
//! `cargo run --release --features loom -p heaplab-models --example rate -- NAME... [EXECUTIONS]`: of the models that
//! the explorer explores and whose names contain a word, up to so many executions. The time is the processor's, where
//! the system tells it.

use heaplab_checker::model::{Graphs, Model, Pass, PassOptions, explore_pass};
use std::time::{Duration, Instant};

/// What the process has had of the processor, where the system tells.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
}

/// Some of the steps in which the system counts that.
const TICKS: Duration = Duration::from_millis(100);

/// Kilobytes of memory that the process has, where the system tells.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let executions_max = arguments.iter().find_map(|word| word.parse().ok());
    let is_wanted = |model: &&Model| {
        let is_left = matches!(model.spec.graphs, Graphs::Left { .. });
        !is_left && arguments.iter().any(|word| model.name.contains(word))
    };
    for model in heaplab_models::all().iter().filter(is_wanted) {
        let options = PassOptions { executions_max, ..PassOptions::default() };
        let (clock, before, memory) = (Instant::now(), processor_time(), resident());
        let explored = explore_pass(model.name, &model.spec, Pass::Graphs, &options, model.body);
        let failed = explored.is_err();
        let (executions, blocked, end) = match explored {
            Ok(certificate) => (certificate.executions, certificate.blocked, String::new()),
            Err(failure) => (failure.executions, 0, failure.message),
        };
        let spent = processor_time().zip(before).map(|(after, before)| after.saturating_sub(before));
        // The system counts in ticks, which a short exploration does not fill.
        let time = spent.filter(|&spent| spent > TICKS).unwrap_or_else(|| clock.elapsed());
        // How many of the runs were blocked is not told where the limit was met.
        let runs = if failed { executions_max.unwrap_or(executions) } else { executions + blocked };
        let rate = runs as f64 / time.as_secs_f64();
        let grown = resident().saturating_sub(memory);
        println!(
            "{}: {executions} executions, {blocked} blocked, {time:.2?}, {rate:.0} a second, {grown} KiB {end}",
            model.name
        );
    }
}
