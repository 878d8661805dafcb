//! Prints executions a second of small programs, and how much memory a long exploration takes.
//!
//! `cargo run --release -p heaplab-explorer --example speed`

use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

use heaplab_explorer::model::Builder;
use heaplab_explorer::sync::Mutex;
use heaplab_explorer::sync::atomic::{AtomicU64, fence};
use heaplab_explorer::thread;

fn adders(threads: usize, times: usize) -> impl Fn() + 'static {
    move || {
        let x = Arc::new(AtomicU64::new(0));
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let x = Arc::clone(&x);
                thread::spawn(move || {
                    for _ in 0..times {
                        x.fetch_add(1, Relaxed);
                    }
                })
            })
            .collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    }
}

fn sections(threads: usize, times: usize) -> impl Fn() + 'static {
    move || {
        let x = Arc::new(Mutex::new(0));
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let x = Arc::clone(&x);
                thread::spawn(move || (0..times).for_each(|_| *x.lock().unwrap() += 1))
            })
            .collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    }
}

/// Each thread carves units off a frontier by compare-exchange.
fn frontier(threads: usize, times: usize) -> impl Fn() + 'static {
    move || {
        let x = Arc::new(AtomicU64::new(0));
        let end = (threads * times) as u64 - 1;
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let x = Arc::clone(&x);
                thread::spawn(move || {
                    for _ in 0..times {
                        let mut seen = x.load(Acquire);
                        while seen < end {
                            match x.compare_exchange(seen, seen + 1, AcqRel, Acquire) {
                                Ok(_) => break,
                                Err(newer) => seen = newer,
                            }
                        }
                    }
                })
            })
            .collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    }
}

fn writers(threads: u64) -> impl Fn() + 'static {
    move || {
        let x = Arc::new((AtomicU64::new(0), AtomicU64::new(0)));
        let workers: Vec<_> = (0..threads)
            .map(|i| {
                let x = Arc::clone(&x);
                thread::spawn(move || {
                    x.0.store(i, Release);
                    fence(Acquire);
                    x.1.load(Relaxed) + x.0.load(Relaxed)
                })
            })
            .collect();
        x.1.store(1, Relaxed);
        workers.into_iter().for_each(|worker| _ = worker.join());
    }
}

/// Long threads that share little: what a model of a whole data structure looks like.
fn long(events: usize) -> impl Fn() + 'static {
    move || {
        let x = Arc::new(AtomicU64::new(0));
        let workers: Vec<_> = (0..3)
            .map(|_| {
                let x = Arc::clone(&x);
                thread::spawn(move || {
                    let own: Vec<AtomicU64> = (0..16).map(|_| AtomicU64::new(0)).collect();
                    for k in 0..events {
                        own[k % 16].store(k as u64, Release);
                        own[k % 7].load(Acquire);
                        if k % (events / 3) == 0 {
                            x.fetch_add(1, AcqRel);
                        }
                    }
                })
            })
            .collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    }
}

/// Threads whose accesses are all `SeqCst`.
fn sequential(times: usize) -> impl Fn() + 'static {
    move || {
        let x: Arc<[AtomicU64; 2]> = Arc::new(std::array::from_fn(|_| AtomicU64::new(0)));
        let workers: Vec<_> = (0..2)
            .map(|own| {
                let x = Arc::clone(&x);
                thread::spawn(move || {
                    for k in 0..times {
                        x[own].store(k as u64 + 1, SeqCst);
                        x[1 - own].load(SeqCst);
                    }
                })
            })
            .collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    }
}

/// Kilobytes of memory that the process has, where the system tells.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

fn show(name: &str, f: impl Fn() + 'static) {
    let mut builder = Builder::new();
    builder.max_permutations = Some(1_000_000);
    let before = resident();
    let stats = builder.explore(f).expect("no failure");
    let grown = resident().saturating_sub(before);
    let rate = stats.runs as f64 / stats.elapsed.as_secs_f64();
    println!("{name:<28} {stats}; {rate:.0} runs/s, {grown} KiB more");
}

fn main() {
    show("2 x 1 fetch_add", adders(2, 1));
    show("2 x 5 fetch_add", adders(2, 5));
    show("3 x 4 fetch_add", adders(3, 4));
    show("3 x 5 fetch_add", adders(3, 5));
    show("3 x 2 sections", sections(3, 2));
    show("3 x 3 sections", sections(3, 3));
    show("frontier 3 x 2", frontier(3, 2));
    show("frontier 4 x 2", frontier(4, 2));
    show("5 writers", writers(5));
    show("3 long threads, 600 events", long(99));
    show("SeqCst, 2 x 5", sequential(5));
}
