//! A pool of threads that does several jobs at once.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Processors that jobs may use; 1 if their number is unknown.
#[must_use]
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Does `work` on each of `jobs`, in their order, on at most `threads` threads. Blocks until all are done. Returns
/// the results in the order of the jobs.
///
/// # Panics
/// If `work` does.
pub fn run<J: Send, R: Send>(jobs: Vec<J>, threads: usize, work: impl Fn(J) -> R + Sync) -> Vec<R> {
    let count = jobs.len();
    let queue: Mutex<VecDeque<(usize, J)>> = Mutex::new(jobs.into_iter().enumerate().collect());
    let results: Mutex<Vec<Option<R>>> = Mutex::new((0..count).map(|_| None).collect());
    let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, count.max(1)) {
            scope.spawn(|| {
                while let Some((index, job)) = take() {
                    let result = work(job);
                    results.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(result);
                }
            });
        }
    });
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.into_iter().map(|result| result.expect("every job was done")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_jobs() {
        for threads in [1, 3, 100] {
            assert_eq!(
                run((0..20).collect(), threads, |job: u32| job * 2),
                (0..20).map(|job| job * 2).collect::<Vec<_>>()
            );
        }
        assert!(run(Vec::<u32>::new(), 2, |job| job).is_empty());
    }
}
