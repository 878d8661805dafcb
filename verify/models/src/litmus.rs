//! The litmus table of the model checker itself: see `heaplab_checker::model::litmus`.
//!
//! Goal: know, and keep knowing, what each pass explores, and where it is blind. Each program is the shape that the
//! field knows by that name, over words that start as 0. Outcomes are the values read, in the order that the
//! program's text names them. What an entry misses, no argument in `src/docs/ordering.md` may leave to the checker.

#![cfg(feature = "loom")]

use heaplab::sync::{Arc, AtomicU32, HeapWord, Ordering, fence, thread};
use heaplab_checker::model::Bound;
use heaplab_checker::model::litmus::{Litmus, Values};

use Ordering::{Acquire, Relaxed, Release, SeqCst};

type Words = (AtomicU32, AtomicU32);

fn words() -> Arc<Words> {
    Arc::new((AtomicU32::new(0), AtomicU32::new(0)))
}

/// Runs the first of `threads` here and the others on threads of their own, over two words. Returns the values of
/// all, in order.
fn race<const N: usize>(threads: [fn(&Words) -> Values; N]) -> Values {
    let words = words();
    let mut others = Vec::new();
    for &thread in &threads[1..] {
        let words = words.clone();
        others.push(thread::spawn(move || thread(&words)));
    }
    let mut values = threads[0](&words);
    for other in others {
        values.extend(other.join().unwrap());
    }
    values
}

/// Runs `threads` on threads of their own, and returns both words at the end.
fn last<const N: usize>(threads: [fn(&Words) -> Values; N]) -> Values {
    let words = words();
    let others: Vec<_> = threads
        .into_iter()
        .map(|thread| {
            let words = words.clone();
            thread::spawn(move || thread(&words))
        })
        .collect();
    for other in others {
        other.join().unwrap();
    }
    vec![words.0.fetch_or(0, Relaxed), words.1.fetch_or(0, Relaxed)]
}

/// `load; CAS`: the value loaded, and whether the exchange took.
fn increment(word: &AtomicU32) -> Values {
    let seen = word.load(Relaxed);
    let took = word.compare_exchange(seen, seen + 1, Relaxed, Relaxed).is_ok();
    vec![seen, u32::from(took)]
}

/// The writer of message passing: `x = 1; y = 1`.
fn write(words: &Words, publish: Ordering) -> Values {
    words.0.store(1, Relaxed);
    words.1.store(1, publish);
    Vec::new()
}

/// The reader of message passing: `y; x`.
fn read(words: &Words, look: Ordering) -> Values {
    let y = words.1.load(look);
    vec![y, words.0.load(Relaxed)]
}

/// One side of store buffering.
fn store_then_load(stored: &AtomicU32, loaded: &AtomicU32, store: Ordering, load: Ordering) -> Values {
    stored.store(1, store);
    vec![loaded.load(load)]
}

fn heap_words() -> Values {
    let words = Arc::new((HeapWord::new(0), HeapWord::new(0)));
    let other = thread::spawn({
        let words = words.clone();
        move || {
            words.0.store(1, Relaxed);
            words.1.store(1, Relaxed);
        }
    });
    let values = vec![words.1.load(Relaxed), words.0.load(Relaxed)];
    other.join().unwrap();
    values
}

/// Message passing over three words: a relay reads the published one, and the reader, which read the relay's alone,
/// fences.
fn fence_of_a_stranger() -> Values {
    let words = Arc::new([AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0)]);
    let writer = thread::spawn({
        let words = words.clone();
        move || {
            words[0].store(1, Relaxed);
            words[1].store(1, Release);
        }
    });
    let relay = thread::spawn({
        let words = words.clone();
        move || {
            let seen = words[1].load(Relaxed);
            words[2].store(seen, Relaxed);
        }
    });
    let relayed = words[2].load(Relaxed);
    fence(Acquire);
    let values = vec![relayed, words[0].load(Relaxed)];
    writer.join().unwrap();
    relay.join().unwrap();
    values
}

const ALL: &[&[u32]] = &[&[0, 0], &[0, 1], &[1, 0], &[1, 1]];
const MESSAGE: &[&[u32]] = &[&[0, 0], &[0, 1], &[1, 1]];
const BUFFERS: &[&[u32]] = &[&[0, 1], &[1, 0], &[1, 1]];
const INCREMENTS: &[&[u32]] = &[&[0, 0, 0, 1], &[0, 1, 0, 0], &[0, 1, 1, 1], &[1, 1, 0, 1]];

/// What two readers of two independent writers may see: everything.
const IRIW: &[&[u32]] = &[
    &[0, 0, 0, 0],
    &[0, 0, 0, 1],
    &[0, 0, 1, 0],
    &[0, 0, 1, 1],
    &[0, 1, 0, 0],
    &[0, 1, 0, 1],
    &[0, 1, 1, 0],
    &[0, 1, 1, 1],
    &[1, 0, 0, 0],
    &[1, 0, 0, 1],
    &[1, 0, 1, 0],
    &[1, 0, 1, 1],
    &[1, 1, 0, 0],
    &[1, 1, 0, 1],
    &[1, 1, 1, 0],
    &[1, 1, 1, 1],
];
/// What interleavings show of [`IRIW`]: everything but the disagreement.
const IRIW_INTERLEAVED: &[&[u32]] = &[
    &[0, 0, 0, 0],
    &[0, 0, 0, 1],
    &[0, 0, 1, 0],
    &[0, 0, 1, 1],
    &[0, 1, 0, 0],
    &[0, 1, 0, 1],
    &[0, 1, 1, 0],
    &[0, 1, 1, 1],
    &[1, 0, 0, 0],
    &[1, 0, 0, 1],
    &[1, 0, 1, 1],
    &[1, 1, 0, 0],
    &[1, 1, 0, 1],
    &[1, 1, 1, 0],
    &[1, 1, 1, 1],
];

/// The table.
pub const TABLE: &[Litmus] = &[
    Litmus {
        name: "message passing, relaxed",
        program: "x = 1; y = 1 || y; x",
        threads: 2,
        bound: Bound::Unbounded,
        run: || race([|words| read(words, Relaxed), |words| write(words, Relaxed)]),
        allowed: ALL,
        graphs: None,
        normal: ALL,
        read_as_rmw: MESSAGE,
        executions: [4, 21, 10],
    },
    Litmus {
        name: "message passing, release and acquire",
        program: "x = 1; y =rel 1 || y acq; x",
        threads: 2,
        bound: Bound::Unbounded,
        run: || race([|words| read(words, Acquire), |words| write(words, Release)]),
        allowed: MESSAGE,
        graphs: None,
        normal: MESSAGE,
        read_as_rmw: MESSAGE,
        executions: [3, 19, 10],
    },
    Litmus {
        name: "message passing, release alone",
        program: "x = 1; y =rel 1 || y; x",
        threads: 2,
        bound: Bound::Unbounded,
        run: || race([|words| read(words, Relaxed), |words| write(words, Release)]),
        allowed: ALL,
        graphs: None,
        normal: ALL,
        read_as_rmw: MESSAGE,
        executions: [4, 21, 10],
    },
    Litmus {
        name: "message passing, acquire alone",
        program: "x = 1; y = 1 || y acq; x",
        threads: 2,
        bound: Bound::Unbounded,
        run: || race([|words| read(words, Acquire), |words| write(words, Relaxed)]),
        allowed: ALL,
        graphs: None,
        normal: ALL,
        read_as_rmw: MESSAGE,
        executions: [4, 21, 10],
    },
    Litmus {
        name: "message passing, fences",
        program: "x = 1; fence rel; y = 1 || y; fence acq; x",
        threads: 2,
        bound: Bound::Unbounded,
        run: || {
            race([
                |words| {
                    let y = words.1.load(Relaxed);
                    fence(Acquire);
                    vec![y, words.0.load(Relaxed)]
                },
                |words| {
                    words.0.store(1, Relaxed);
                    fence(Release);
                    words.1.store(1, Relaxed);
                    Vec::new()
                },
            ])
        },
        allowed: MESSAGE,
        graphs: None,
        normal: MESSAGE,
        read_as_rmw: MESSAGE,
        executions: [3, 19, 10],
    },
    Litmus {
        name: "message passing on heap words",
        program: "x = 1; y = 1 || y; x, on words that keep their form in both passes",
        threads: 2,
        bound: Bound::Unbounded,
        run: heap_words,
        allowed: ALL,
        graphs: None,
        normal: ALL,
        read_as_rmw: ALL,
        executions: [4, 21, 21],
    },
    Litmus {
        name: "release sequence through an RMW",
        program: "x = 1; swap y =rel 1 || y += 2 || y acq; x: a y of 3 carries x = 1 with it",
        threads: 3,
        bound: Bound::Unbounded,
        run: || {
            race([
                |words| read(words, Acquire),
                |words| {
                    words.0.store(1, Relaxed);
                    words.1.swap(1, Release);
                    Vec::new()
                },
                |words| {
                    words.1.fetch_add(2, Relaxed);
                    Vec::new()
                },
            ])
        },
        allowed: &[&[0, 0], &[0, 1], &[1, 1], &[2, 0], &[2, 1], &[3, 1]],
        graphs: None,
        normal: &[&[0, 0], &[0, 1], &[1, 1], &[2, 0], &[2, 1], &[3, 1]],
        read_as_rmw: &[&[0, 0], &[0, 1], &[1, 1], &[2, 0], &[2, 1], &[3, 1]],
        executions: [9, 663, 244],
    },
    Litmus {
        name: "release sequence broken by another thread's store",
        program: "x = 1; y =rel 1 || y = 2 || y acq; x: a y of 2 carries nothing",
        threads: 3,
        bound: Bound::Unbounded,
        run: || {
            race([
                |words| read(words, Acquire),
                |words| write(words, Release),
                |words| {
                    words.1.store(2, Relaxed);
                    Vec::new()
                },
            ])
        },
        allowed: &[&[0, 0], &[0, 1], &[1, 1], &[2, 0], &[2, 1]],
        graphs: None,
        normal: &[&[0, 0], &[0, 1], &[1, 1], &[2, 0], &[2, 1]],
        read_as_rmw: &[&[0, 0], &[0, 1], &[1, 1], &[2, 0], &[2, 1]],
        executions: [10, 683, 244],
    },
    Litmus {
        name: "acquire fence after a stranger's read",
        program: "x = 1; y =rel 1 || z = y || z; fence acq; x: the fence has no edge from y, which \
                  this thread never read",
        threads: 3,
        bound: Bound::Unbounded,
        run: fence_of_a_stranger,
        allowed: ALL,
        graphs: None,
        normal: ALL,
        read_as_rmw: MESSAGE,
        executions: [8, 272, 97],
    },
    Litmus {
        name: "store buffering, relaxed",
        program: "x = 1; y || y = 1; x",
        threads: 2,
        bound: Bound::Unbounded,
        run: || {
            race([
                |words| store_then_load(&words.0, &words.1, Relaxed, Relaxed),
                |words| store_then_load(&words.1, &words.0, Relaxed, Relaxed),
            ])
        },
        allowed: ALL,
        graphs: None,
        normal: ALL,
        read_as_rmw: BUFFERS,
        executions: [4, 30, 10],
    },
    Litmus {
        name: "store buffering, release and acquire",
        program: "x =rel 1; y acq || y =rel 1; x acq",
        threads: 2,
        bound: Bound::Unbounded,
        run: || {
            race([
                |words| store_then_load(&words.0, &words.1, Release, Acquire),
                |words| store_then_load(&words.1, &words.0, Release, Acquire),
            ])
        },
        allowed: ALL,
        graphs: None,
        normal: ALL,
        read_as_rmw: BUFFERS,
        executions: [4, 30, 10],
    },
    Litmus {
        name: "store buffering, fences",
        program: "x = 1; fence sc; y || y = 1; fence sc; x",
        threads: 2,
        bound: Bound::Unbounded,
        run: || {
            race([
                |words| {
                    words.0.store(1, Relaxed);
                    fence(SeqCst);
                    vec![words.1.load(Relaxed)]
                },
                |words| {
                    words.1.store(1, Relaxed);
                    fence(SeqCst);
                    vec![words.0.load(Relaxed)]
                },
            ])
        },
        allowed: BUFFERS,
        graphs: None,
        normal: BUFFERS,
        read_as_rmw: BUFFERS,
        executions: [3, 15, 10],
    },
    Litmus {
        name: "store buffering, sequentially consistent accesses",
        program: "x =sc 1; y sc || y =sc 1; x sc: the checker treats them as release and acquire",
        threads: 2,
        bound: Bound::Unbounded,
        run: || {
            race([
                |words| store_then_load(&words.0, &words.1, SeqCst, SeqCst),
                |words| store_then_load(&words.1, &words.0, SeqCst, SeqCst),
            ])
        },
        allowed: BUFFERS,
        graphs: None,
        normal: ALL,
        read_as_rmw: BUFFERS,
        executions: [3, 30, 10],
    },
    Litmus {
        name: "load buffering, relaxed",
        program: "x; y = 1 || y; x = 1",
        threads: 2,
        bound: Bound::Unbounded,
        run: || {
            race([
                |words| {
                    let x = words.0.load(Relaxed);
                    words.1.store(1, Relaxed);
                    vec![x]
                },
                |words| {
                    let y = words.1.load(Relaxed);
                    words.0.store(1, Relaxed);
                    vec![y]
                },
            ])
        },
        allowed: ALL,
        graphs: Some(&[&[0, 0], &[0, 1], &[1, 0]]),
        normal: &[&[0, 0], &[0, 1], &[1, 0]],
        read_as_rmw: &[&[0, 0], &[0, 1], &[1, 0]],
        executions: [3, 15, 10],
    },
    Litmus {
        name: "independent reads of independent writes",
        program: "x =rel 1 || y =rel 1 || x acq; y acq || y acq; x acq: the readers may disagree, 1 0 1 0",
        threads: 4,
        bound: Bound::Unbounded,
        run: || {
            let words = words();
            let spawn = |body: fn(&Words) -> Values| {
                let words = words.clone();
                thread::spawn(move || body(&words))
            };
            let readers = [
                spawn(|words| vec![words.0.load(Acquire), words.1.load(Acquire)]),
                spawn(|words| vec![words.1.load(Acquire), words.0.load(Acquire)]),
            ];
            let writer = spawn(|words| {
                words.0.store(1, Release);
                Vec::new()
            });
            words.1.store(1, Release);
            let values = readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect();
            writer.join().unwrap();
            values
        },
        allowed: IRIW,
        graphs: None,
        normal: IRIW,
        read_as_rmw: IRIW_INTERLEAVED,
        executions: [16, 19141, 10417],
    },
    Litmus {
        name: "coherence of two reads",
        program: "x = 1 || x; x: never backwards",
        threads: 2,
        bound: Bound::Unbounded,
        run: || {
            race([
                |words| vec![words.0.load(Relaxed), words.0.load(Relaxed)],
                |words| {
                    words.0.store(1, Relaxed);
                    Vec::new()
                },
            ])
        },
        allowed: MESSAGE,
        graphs: None,
        normal: MESSAGE,
        read_as_rmw: MESSAGE,
        executions: [3, 17, 9],
    },
    Litmus {
        name: "coherence of a write and a read",
        program: "x = 2 || x = 1; x: its own or the newer one",
        threads: 2,
        bound: Bound::Unbounded,
        run: || {
            race([
                |words| {
                    words.0.store(1, Relaxed);
                    vec![words.0.load(Relaxed)]
                },
                |words| {
                    words.0.store(2, Relaxed);
                    Vec::new()
                },
            ])
        },
        allowed: &[&[1], &[2]],
        graphs: None,
        normal: &[&[1], &[2]],
        read_as_rmw: &[&[1], &[2]],
        executions: [3, 15, 9],
    },
    Litmus {
        name: "coherence of a read and a write",
        program: "x = 2 || x; x = 1, then the last x: who reads 2 writes after it",
        threads: 2,
        bound: Bound::Unbounded,
        run: || {
            let words = words();
            let other = thread::spawn({
                let words = words.clone();
                move || words.0.store(2, Relaxed)
            });
            let seen = words.0.load(Relaxed);
            words.0.store(1, Relaxed);
            other.join().unwrap();
            vec![seen, words.0.load(Relaxed)]
        },
        allowed: &[&[0, 1], &[0, 2], &[2, 1]],
        graphs: None,
        normal: &[&[0, 1], &[0, 2], &[2, 1]],
        read_as_rmw: &[&[0, 1], &[0, 2], &[2, 1]],
        executions: [3, 20, 9],
    },
    Litmus {
        name: "two times two writes",
        program: "x = 1; y = 2 || y = 1; x = 2, then the last x and y: 1 1 needs both first writes to come last",
        threads: 3,
        bound: Bound::Unbounded,
        run: || {
            last([
                |words| {
                    words.0.store(1, Relaxed);
                    words.1.store(2, Relaxed);
                    Vec::new()
                },
                |words| {
                    words.1.store(1, Relaxed);
                    words.0.store(2, Relaxed);
                    Vec::new()
                },
            ])
        },
        allowed: &[&[1, 1], &[1, 2], &[2, 1], &[2, 2]],
        graphs: None,
        normal: &[&[1, 1], &[1, 2], &[2, 1], &[2, 2]],
        read_as_rmw: &[&[1, 2], &[2, 1], &[2, 2]],
        executions: [4, 84, 21],
    },
    Litmus {
        name: "load and exchange against a reader",
        program: "x; x 0->1 || x",
        threads: 2,
        bound: Bound::Unbounded,
        run: || {
            race([
                |words| vec![words.0.load(Relaxed)],
                |words| {
                    increment(&words.0);
                    Vec::new()
                },
            ])
        },
        allowed: &[&[0], &[1]],
        graphs: None,
        normal: &[&[0]],
        read_as_rmw: &[&[0], &[1]],
        executions: [2, 1, 5],
    },
    Litmus {
        name: "load and exchange against a reader, 3 preemptions",
        program: "x; x 0->1 || x: a bound does not help",
        threads: 2,
        bound: Bound::Preemptions(3),
        run: || {
            race([
                |words| vec![words.0.load(Relaxed)],
                |words| {
                    increment(&words.0);
                    Vec::new()
                },
            ])
        },
        allowed: &[&[0], &[1]],
        graphs: None,
        normal: &[&[0]],
        read_as_rmw: &[&[0], &[1]],
        executions: [2, 1, 5],
    },
    Litmus {
        name: "two loads and exchanges",
        program: "x; x 0->1 || x; x 0->1: what each read, and whether its exchange took",
        threads: 2,
        bound: Bound::Unbounded,
        run: || race([|words| increment(&words.0), |words| increment(&words.0)]),
        allowed: INCREMENTS,
        graphs: None,
        normal: &[&[0, 0, 0, 1], &[0, 1, 0, 0], &[0, 1, 1, 1]],
        read_as_rmw: INCREMENTS,
        executions: [4, 7, 14],
    },
    Litmus {
        name: "two loads and exchanges, 2 preemptions",
        program: "x; x 0->1 || x; x 0->1: bounded exploration backtracks more",
        threads: 2,
        bound: Bound::Preemptions(2),
        run: || race([|words| increment(&words.0), |words| increment(&words.0)]),
        allowed: INCREMENTS,
        graphs: None,
        normal: INCREMENTS,
        read_as_rmw: INCREMENTS,
        executions: [4, 12, 9],
    },
    Litmus {
        name: "failed exchange",
        program: "x = 1; y = 1 || y; x 5->6, which fails and may read a stale x",
        threads: 2,
        bound: Bound::Unbounded,
        run: || {
            race([
                |words| {
                    let y = words.1.load(Relaxed);
                    vec![y, words.0.compare_exchange(5, 6, Relaxed, Relaxed).unwrap_or_else(|found| found)]
                },
                |words| write(words, Relaxed),
            ])
        },
        allowed: ALL,
        graphs: None,
        normal: MESSAGE,
        read_as_rmw: MESSAGE,
        executions: [4, 12, 10],
    },
    Litmus {
        name: "weak exchange",
        program: "x 0->1 weak: 1 if it took; a fault of the model makes it fail, the checker alone does not",
        threads: 1,
        bound: Bound::Unbounded,
        run: || vec![u32::from(words().0.compare_exchange_weak(0, 1, Relaxed, Relaxed).is_ok())],
        allowed: &[&[0], &[1]],
        graphs: Some(&[&[1]]),
        normal: &[&[1]],
        read_as_rmw: &[&[1]],
        executions: [1, 1, 1],
    },
    Litmus {
        name: "store against RMW",
        program: "x = 1 || x |= 2, then the last x: the checker lets the RMW read any maximal store",
        threads: 2,
        bound: Bound::Unbounded,
        run: || {
            let words = words();
            let other = thread::spawn({
                let words = words.clone();
                move || words.0.fetch_or(2, Relaxed)
            });
            words.0.store(1, Relaxed);
            other.join().unwrap();
            vec![words.0.load(Relaxed)]
        },
        allowed: &[&[1], &[3]],
        graphs: None,
        normal: &[&[1], &[2], &[3]],
        read_as_rmw: &[&[1], &[3]],
        executions: [2, 6, 4],
    },
];
