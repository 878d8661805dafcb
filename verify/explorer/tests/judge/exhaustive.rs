//! Every program of a few operations.
//!
//! Random programs leave open whether some combination of orderings was ever drawn. Here all are: a *shape* says how
//! many operations each thread has, and every operation of [`alphabet`] stands in every place. Two words are enough for
//! every litmus shape of so few operations, and each kind of access comes with the weakest ordering, with the one that
//! synchronises, and with SC.

use super::program::{Change, Op, Program, Value};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

/// The operations, on two words. An exchange succeeds on the initial value only.
pub(crate) fn alphabet() -> Vec<Op> {
    let one = Value::Number(1);
    let mut operations = vec![Op::Fence(Acquire), Op::Fence(Release), Op::Fence(SeqCst)];
    for word in 0..2 {
        operations.extend([Relaxed, Acquire, SeqCst].map(|order| Op::Load { word, order }));
        operations.extend([Relaxed, Release, SeqCst].map(|order| Op::Store { word, value: one, order }));
        let add = |order| Op::Modify { word, change: Change::Add, value: one, order };
        operations.extend([Relaxed, AcqRel, SeqCst].map(add));
        let exchange = |(success, failure)| {
            let (expected, new) = (Value::Number(0), Value::Number(2));
            Op::Exchange { word, expected, new, success, failure, weak: false }
        };
        operations.extend([(Relaxed, Relaxed), (AcqRel, Acquire), (SeqCst, SeqCst)].map(exchange));
    }
    operations
}

/// All programs in which thread *n* + 1 has `shape[n]` operations of the alphabet.
pub(crate) fn programs(shape: &[usize]) -> impl Iterator<Item = Program> {
    let alphabet = alphabet();
    let places = shape.iter().sum::<usize>() as u32;
    let count = alphabet.len().pow(places);
    (0..count).map(move |mut number| {
        let mut next = || {
            let op = alphabet[number % alphabet.len()].clone();
            number /= alphabet.len();
            op
        };
        Program::parallel(2, shape.iter().map(|&operations| (0..operations).map(|_| next()).collect()).collect())
    })
}
