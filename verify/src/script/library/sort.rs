//! Sorting: stable. Short arrays by insertion into a sorted run, with binary search; longer ones by merging such runs.
//! For a comparison that is consistent the language leaves no choice of result.

use super::super::interpreter::{Call, Interpreter, Run};
use super::super::object::{Js, elements};
use super::array::{changing, get, has, length};
use heaplab::{Array, Handle, Scope};

/// Runs that are sorted by insertion.
const RUN: usize = 63;

/// How elements are compared.
enum Order<'s> {
    Function(Js<'s>),
    /// By their strings, which are known.
    Text(Vec<Vec<u16>>),
}

/// `array.sort(compare)`.
pub(super) fn sort<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let compare = call.argument(scope, 0);
    if scope.get(compare) != scope.undefined() && !interpreter.is_callable(scope, scope.get(compare)) {
        let message = "The comparison function must be either a function or undefined";
        return Err(interpreter.type_error(scope, message));
    }
    let array = changing(interpreter, scope, call)?;
    let count = length(scope, array);
    // Values are sorted in an array of their own; undefined and holes go to the end.
    let values = scope.new_array(count)?;
    let (mut used, mut undefined) = (0, 0);
    for index in 0..count {
        if !has(interpreter, scope, array, index) {
            continue;
        }
        scope.nested(|scope| {
            let value = get(interpreter, scope, array, index)?;
            if scope.get(value) == scope.undefined() {
                undefined += 1;
            } else {
                scope.store(scope.get(values), used, scope.get(value));
                used += 1;
            }
            Ok::<_, super::Unwind>(())
        })?;
    }
    let mut order: Vec<usize> = (0..used).collect();
    let by = if scope.get(compare) == scope.undefined() {
        let mut texts = Vec::with_capacity(used);
        for index in 0..used {
            texts.push(scope.nested(|scope| {
                let value = scope.handle(scope.load(scope.get(values), index));
                interpreter.to_units(scope, value)
            })?);
        }
        Order::Text(texts)
    } else {
        Order::Function(compare)
    };
    sort_order(interpreter, scope, values, &by, &mut order)?;
    if length(scope, array) != count {
        return Err(interpreter.unsupported("an array that changes while its method runs"));
    }
    let (from, to) = (scope.get(values), scope.get(array));
    for (index, &place) in order.iter().enumerate() {
        elements::set(scope, to, index, scope.load(from, place));
    }
    (used..used + undefined).for_each(|index| elements::set(scope, to, index, scope.undefined()));
    (used + undefined..count).for_each(|index| elements::set(scope, to, index, interpreter.hole(scope)));
    Ok(call.this)
}

/// Whether element `left` must come before element `right`.
fn is_less<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    values: Handle<'s, Array>,
    by: &Order<'s>,
    left: usize,
    right: usize,
) -> Run<bool> {
    match by {
        Order::Text(texts) => Ok(texts[left] < texts[right]),
        Order::Function(compare) => scope.nested(|scope| {
            let one = scope.handle(scope.load(scope.get(values), left));
            let other = scope.handle(scope.load(scope.get(values), right));
            let this = scope.handle(scope.undefined());
            let answer = interpreter.call(scope, *compare, this, &[one, other])?;
            Ok(interpreter.to_number(scope, answer)? < 0.0)
        }),
    }
}

fn sort_order<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    values: Handle<'s, Array>,
    by: &Order<'s>,
    order: &mut Vec<usize>,
) -> Run<()> {
    for run in order.chunks_mut(RUN) {
        let sorted = leading_run(interpreter, scope, values, by, run)?;
        for next in sorted..run.len() {
            let pivot = run[next];
            let (mut low, mut high) = (0, next);
            while low < high {
                let middle = low + (high - low) / 2;
                if is_less(interpreter, scope, values, by, pivot, run[middle])? {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            run[low..=next].rotate_right(1);
        }
    }
    let mut width = RUN;
    while width < order.len() {
        let mut merged = Vec::with_capacity(order.len());
        for pair in order.chunks(2 * width) {
            let (left, right) = pair.split_at(width.min(pair.len()));
            let (mut one, mut other) = (0, 0);
            while one < left.len() && other < right.len() {
                // The right one goes first only if it must: equal elements keep their order.
                if is_less(interpreter, scope, values, by, right[other], left[one])? {
                    merged.push(right[other]);
                    other += 1;
                } else {
                    merged.push(left[one]);
                    one += 1;
                }
            }
            merged.extend_from_slice(&left[one..]);
            merged.extend_from_slice(&right[other..]);
        }
        *order = merged;
        width *= 2;
    }
    Ok(())
}

/// How many elements at the front are in order; those that are in strictly descending order are turned round.
fn leading_run<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    values: Handle<'s, Array>,
    by: &Order<'s>,
    run: &mut [usize],
) -> Run<usize> {
    if run.len() < 2 {
        return Ok(run.len());
    }
    let descends = is_less(interpreter, scope, values, by, run[1], run[0])?;
    let mut end = 2;
    while end < run.len() && is_less(interpreter, scope, values, by, run[end], run[end - 1])? == descends {
        end += 1;
    }
    if descends {
        run[..end].reverse();
    }
    Ok(end)
}
