//! Prints runs a second of small programs, and how much memory a long exploration takes.
//!
//! `cargo run --release -p heaplab-explorer --example speed`, behind `--` words of the names of the programs that are
//! wanted.
//!
//! The time is the processor's, where the system tells it, so that a busy machine disturbs little. A program of few
//! executions is explored again and again.

use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::time::{Duration, Instant};

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

/// Two writers, and two readers that may see the writes in different orders.
fn independent_reads() {
    let x: Arc<[AtomicU64; 2]> = Arc::new(std::array::from_fn(|_| AtomicU64::new(0)));
    let spawn = |f: fn(&[AtomicU64; 2])| {
        let x = Arc::clone(&x);
        thread::spawn(move || f(&x))
    };
    let threads = [
        spawn(|x| x[0].store(1, Release)),
        spawn(|x| x[1].store(1, Release)),
        spawn(|x| _ = x[0].load(Acquire) + x[1].load(Acquire)),
        spawn(|x| _ = x[1].load(Acquire) + x[0].load(Acquire)),
    ];
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

fn store_buffering() {
    let x: Arc<[AtomicU64; 2]> = Arc::new(std::array::from_fn(|_| AtomicU64::new(0)));
    let other = Arc::clone(&x);
    let thread = thread::spawn(move || {
        other[0].store(1, Relaxed);
        other[1].load(Relaxed)
    });
    x[1].store(1, Relaxed);
    x[0].load(Relaxed);
    thread.join().unwrap();
}

/// Each thread takes units of a budget that is one short, and gives back what it took.
fn budget(threads: usize, times: usize) -> impl Fn() + 'static {
    move || {
        let left = Arc::new(AtomicU64::new((threads * times) as u64 - 1));
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let left = Arc::clone(&left);
                thread::spawn(move || {
                    for _ in 0..times {
                        let taken = left.fetch_update(AcqRel, Acquire, |left| left.checked_sub(1));
                        if taken.is_ok() {
                            left.fetch_add(1, Release);
                        }
                    }
                })
            })
            .collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    }
}

/// A stack of numbered nodes, with a tag against reuse beside the number on top: each thread pushes, then pops.
fn treiber(threads: u64, times: u64) -> impl Fn() + 'static {
    move || {
        let nodes: Vec<AtomicU64> = (0..=threads * times).map(|_| AtomicU64::new(0)).collect();
        let stack = Arc::new((AtomicU64::new(0), nodes));
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                let stack = Arc::clone(&stack);
                thread::spawn(move || {
                    for k in 0..times {
                        let node = 1 + thread * times + k;
                        _ = stack.0.fetch_update(AcqRel, Acquire, |top| {
                            stack.1[node as usize].store(top & 0xff, Relaxed);
                            Some(((top >> 8) + 1) << 8 | node)
                        });
                    }
                    for _ in 0..times {
                        _ = stack.0.fetch_update(AcqRel, Acquire, |top| {
                            let next = stack.1[(top & 0xff) as usize].load(Relaxed);
                            (top & 0xff != 0).then_some(((top >> 8) + 1) << 8 | next)
                        });
                    }
                })
            })
            .collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    }
}

/// A set of pages, as the bits of a word: one thread puts, the others take what they find.
fn page_set() {
    let set = Arc::new(AtomicU64::new(0b1));
    let take = || {
        let set = Arc::clone(&set);
        thread::spawn(move || {
            for _ in 0..2 {
                let page = set.load(Acquire).trailing_zeros();
                if page < 64 {
                    set.fetch_and(!(1 << page), AcqRel);
                }
            }
        })
    };
    let takers = [take(), take()];
    set.fetch_or(0b10, Release);
    takers.into_iter().for_each(|taker| taker.join().unwrap());
}

/// Kilobytes of memory that the process has, where the system tells.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

/// What the process has had of the processor, where the system tells.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
}

/// How long `f` takes the processor, or takes where the system does not tell.
fn time_of(f: impl FnOnce()) -> Duration {
    let (clock, before) = (Instant::now(), processor_time());
    f();
    let spent = processor_time().zip(before).map(|(after, before)| after.saturating_sub(before));
    spent.unwrap_or_else(|| clock.elapsed())
}

fn show(name: &str, f: impl Fn() + 'static) {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if !wanted.is_empty() && !wanted.iter().any(|word| name.contains(word)) {
        return;
    }
    let mut builder = Builder::new();
    builder.max_permutations = Some(1_000_000);
    let f = Arc::new(f);
    let before = resident();
    let (mut runs, mut explorations, mut time) = (0, 0_u32, Duration::ZERO);
    while explorations == 0 || time < Duration::from_millis(250) {
        time += time_of(|| {
            let f = Arc::clone(&f);
            let stats = builder.explore(move || f()).expect("no failure");
            runs += stats.runs;
            if explorations == 0 {
                println!("{name:<28} {stats}");
            }
        });
        explorations += 1;
    }
    let grown = resident().saturating_sub(before);
    println!("{:>40.0} runs/s, {grown} KiB more", runs as f64 / time.as_secs_f64());
}

fn main() {
    show("IRIW", independent_reads);
    show("SB", store_buffering);
    show("budget 2 x 2", budget(2, 2));
    show("Treiber 2 x 2", treiber(2, 2));
    show("page set", page_set);
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
