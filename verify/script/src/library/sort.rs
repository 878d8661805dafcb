//! Sorting: the adaptive merge sort that its author, Tim Peters, described in `listsort.txt` of Python, as V8
//! implements it. The language leaves the calls of the comparison to the implementation, and the result too if a
//! comparison is inconsistent. Scripts see both, so the same elements are compared in the same order as in V8.
//!
//! Runs that are in order, ascending or strictly descending, are found from the front; a run that is shorter than
//! [`run_min`] is made longer by insertion, with binary search. Neighbours are merged so that lengths fall from front
//! to back. A merge in which one side wins often in a row *gallops*: it looks for how many more that side wins, in
//! growing steps.

use super::super::interpreter::{Call, Interpreter, Run, Unwind};
use super::array::{changing, get, has, length};
use heaplab::{Array, Handle, Scope};
use heaplab_objects::{Js, elements};

/// The longest array that is sorted by insertion alone.
const RUN: usize = 63;
/// Wins in a row that keep a gallop going. At first as many begin one; then the merges adjust that number.
const GALLOP_MIN: usize = 7;

/// How elements are compared.
enum Order<'s> {
    Function(Js<'s>),
    /// By their strings. `None` for an object, which is asked for its string at each comparison.
    Text(Vec<Option<Vec<u16>>>),
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
            Ok::<_, Unwind>(())
        })?;
    }
    let mut order: Vec<usize> = (0..used).collect();
    let by = if scope.get(compare) == scope.undefined() {
        let mut texts = Vec::with_capacity(used);
        for index in 0..used {
            texts.push(scope.nested(|scope| {
                let value = scope.handle(scope.load(scope.get(values), index));
                if interpreter.is_object(scope, value) {
                    Ok(None)
                } else {
                    interpreter.to_units(scope, value).map(Some)
                }
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
        Order::Text(texts) => {
            let mut text_of = |index: usize| match &texts[index] {
                Some(text) => Ok(text.clone()),
                None => scope.nested(|scope| {
                    let value = scope.handle(scope.load(scope.get(values), index));
                    interpreter.to_units(scope, value)
                }),
            };
            Ok(text_of(left)? < text_of(right)?)
        }
        Order::Function(compare) => scope.nested(|scope| {
            let one = scope.handle(scope.load(scope.get(values), left));
            let other = scope.handle(scope.load(scope.get(values), right));
            let this = scope.handle(scope.undefined());
            let answer = interpreter.call(scope, *compare, this, &[one, other])?;
            Ok(interpreter.to_number(scope, answer)? < 0.0)
        }),
    }
}

/// A run of elements in order.
#[derive(Clone, Copy)]
struct Piece {
    start: usize,
    length: usize,
}

/// The sort's state, in which an element is its place in `values`.
struct Sort<'c, 's> {
    values: Handle<'s, Array>,
    by: &'c Order<'s>,
    /// The elements that are sorted.
    work: Vec<usize>,
    /// Runs that are not merged yet, from the front.
    pieces: Vec<Piece>,
    /// Wins in a row before a merge gallops.
    gallop_min: usize,
}

fn sort_order<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    values: Handle<'s, Array>,
    by: &Order<'s>,
    order: &mut Vec<usize>,
) -> Run<()> {
    let mut sort = Sort { values, by, work: core::mem::take(order), pieces: Vec::new(), gallop_min: GALLOP_MIN };
    let count = sort.work.len();
    let run_min = run_min(count);
    let mut start = 0;
    while start < count {
        let rest = count - start;
        let mut length = sort.leading_run(interpreter, scope, start, rest)?;
        if length < run_min {
            let forced = run_min.min(rest);
            sort.insert(interpreter, scope, start, length, forced)?;
            length = forced;
        }
        sort.pieces.push(Piece { start, length });
        sort.collapse(interpreter, scope)?;
        start += length;
    }
    while sort.pieces.len() > 1 {
        let mut at = sort.pieces.len() - 2;
        if at > 0 && sort.pieces[at - 1].length < sort.pieces[at + 1].length {
            at -= 1;
        }
        sort.merge_at(interpreter, scope, at)?;
    }
    *order = sort.work;
    Ok(())
}

/// The least length of a run, such that the number of runs is a power of two or a little less.
fn run_min(mut count: usize) -> usize {
    let mut odd = 0;
    while count > RUN {
        odd |= count & 1;
        count >>= 1;
    }
    count + odd
}

impl<'s> Sort<'_, 's> {
    fn is_less(
        &self,
        interpreter: &mut Interpreter,
        scope: &mut Scope<'s, '_>,
        left: usize,
        right: usize,
    ) -> Run<bool> {
        is_less(interpreter, scope, self.values, self.by, left, right)
    }

    /// How many elements from `start` on are in order. If their order is strictly descending, they are turned round.
    fn leading_run(
        &mut self,
        interpreter: &mut Interpreter,
        scope: &mut Scope<'s, '_>,
        start: usize,
        count: usize,
    ) -> Run<usize> {
        if count < 2 {
            return Ok(count);
        }
        let descends = self.is_less(interpreter, scope, self.work[start + 1], self.work[start])?;
        let mut length = 2;
        while length < count {
            let next = start + length;
            if self.is_less(interpreter, scope, self.work[next], self.work[next - 1])? != descends {
                break;
            }
            length += 1;
        }
        if descends {
            self.work[start..start + length].reverse();
        }
        Ok(length)
    }

    /// Sorts `count` elements, the first `sorted` of which are in order, by insertion.
    fn insert(
        &mut self,
        interpreter: &mut Interpreter,
        scope: &mut Scope<'s, '_>,
        start: usize,
        sorted: usize,
        count: usize,
    ) -> Run<()> {
        for next in start + sorted..start + count {
            let pivot = self.work[next];
            let (mut low, mut high) = (start, next);
            while low < high {
                let middle = low + (high - low) / 2;
                if self.is_less(interpreter, scope, pivot, self.work[middle])? {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            self.work[low..=next].rotate_right(1);
        }
        Ok(())
    }

    /// Whether the run two before `at`, if there is one, is longer than the two that follow it together.
    fn is_balanced(&self, at: usize) -> bool {
        let length = |index: usize| self.pieces[index].length;
        at < 2 || length(at - 2) > length(at - 1) + length(at)
    }

    /// Merges neighbours until the lengths of the runs fall fast enough from front to back.
    fn collapse(&mut self, interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>) -> Run<()> {
        while self.pieces.len() > 1 {
            let mut at = self.pieces.len() - 2;
            if !self.is_balanced(at + 1) || !self.is_balanced(at) {
                if self.pieces[at - 1].length < self.pieces[at + 1].length {
                    at -= 1;
                }
            } else if self.pieces[at].length > self.pieces[at + 1].length {
                break;
            }
            self.merge_at(interpreter, scope, at)?;
        }
        Ok(())
    }

    /// Merges run `at` with the one behind it.
    fn merge_at(&mut self, interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, at: usize) -> Run<()> {
        let (mut left, mut right) = (self.pieces[at], self.pieces[at + 1]);
        self.pieces[at].length += right.length;
        self.pieces.remove(at + 1);
        // What is in place already takes no part.
        let key = self.work[right.start];
        let lefts = &self.work[left.start..left.start + left.length];
        let skipped = self.count_not_above(interpreter, scope, key, lefts, 0)?;
        left = Piece { start: left.start + skipped, length: left.length - skipped };
        if left.length == 0 {
            return Ok(());
        }
        let key = self.work[left.start + left.length - 1];
        let rights = &self.work[right.start..right.start + right.length];
        right.length = self.count_below(interpreter, scope, key, rights, right.length - 1)?;
        if right.length == 0 {
            return Ok(());
        }
        if left.length <= right.length {
            self.merge_low(interpreter, scope, left, right)
        } else {
            self.merge_high(interpreter, scope, left, right)
        }
    }

    /// How many elements of a run are less than `key`; the search begins at `hint` and goes on in growing steps.
    fn count_below(
        &self,
        interpreter: &mut Interpreter,
        scope: &mut Scope<'s, '_>,
        key: usize,
        run: &[usize],
        hint: usize,
    ) -> Run<usize> {
        let mut is_before = |place: usize| self.is_less(interpreter, scope, run[place], key);
        gallop(&mut is_before, run.len(), hint)
    }

    /// How many elements of a run are not greater than `key`.
    fn count_not_above(
        &self,
        interpreter: &mut Interpreter,
        scope: &mut Scope<'s, '_>,
        key: usize,
        run: &[usize],
        hint: usize,
    ) -> Run<usize> {
        let mut is_before = |place: usize| Ok(!self.is_less(interpreter, scope, key, run[place])?);
        gallop(&mut is_before, run.len(), hint)
    }

    /// Merges from the front; the left run, which is not the longer one, is copied.
    fn merge_low(
        &mut self,
        interpreter: &mut Interpreter,
        scope: &mut Scope<'s, '_>,
        left: Piece,
        right: Piece,
    ) -> Run<()> {
        let lefts = self.work[left.start..left.start + left.length].to_vec();
        let (mut one, mut other, end) = (0, right.start, right.start + right.length);
        let mut to = left.start;
        self.work[to] = self.work[other];
        (to, other) = (to + 1, other + 1);
        // The last element of the left run is the last of all, so nothing more is compared when only that one is
        // left.
        'merge: while other < end && lefts.len() - one > 1 {
            let (mut left_wins, mut right_wins) = (0, 0);
            while left_wins < self.gallop_min && right_wins < self.gallop_min {
                if self.is_less(interpreter, scope, self.work[other], lefts[one])? {
                    self.work[to] = self.work[other];
                    (to, other, right_wins, left_wins) = (to + 1, other + 1, right_wins + 1, 0);
                } else {
                    self.work[to] = lefts[one];
                    (to, one, left_wins, right_wins) = (to + 1, one + 1, left_wins + 1, 0);
                }
                if other == end || lefts.len() - one == 1 {
                    break 'merge;
                }
            }
            self.gallop_min += 1;
            let mut is_first = true;
            while is_first || left_wins >= GALLOP_MIN || right_wins >= GALLOP_MIN {
                is_first = false;
                self.gallop_min = (self.gallop_min - 1).max(1);
                left_wins = self.count_not_above(interpreter, scope, self.work[other], &lefts[one..], 0)?;
                self.work[to..to + left_wins].copy_from_slice(&lefts[one..one + left_wins]);
                (to, one) = (to + left_wins, one + left_wins);
                // An inconsistent comparison may have taken the last one too.
                if left_wins > 0 && lefts.len() - one <= 1 {
                    break 'merge;
                }
                self.work[to] = self.work[other];
                (to, other) = (to + 1, other + 1);
                if other == end {
                    break 'merge;
                }
                right_wins = self.count_below(interpreter, scope, lefts[one], &self.work[other..end], 0)?;
                self.work.copy_within(other..other + right_wins, to);
                (to, other) = (to + right_wins, other + right_wins);
                if right_wins > 0 && other == end {
                    break 'merge;
                }
                self.work[to] = lefts[one];
                (to, one) = (to + 1, one + 1);
                if lefts.len() - one == 1 {
                    break 'merge;
                }
            }
            self.gallop_min += 1;
        }
        if lefts.len() - one == 1 && other < end {
            self.work.copy_within(other..end, to);
            to += end - other;
        }
        let rest = &lefts[one..];
        self.work[to..to + rest.len()].copy_from_slice(rest);
        Ok(())
    }

    /// Merges from the back; the right run, which is the shorter one, is copied.
    fn merge_high(
        &mut self,
        interpreter: &mut Interpreter,
        scope: &mut Scope<'s, '_>,
        left: Piece,
        right: Piece,
    ) -> Run<()> {
        let rights = self.work[right.start..right.start + right.length].to_vec();
        // Ends of what is left of either, and of where it goes.
        let (start, mut one, mut other) = (left.start, left.start + left.length, rights.len());
        let mut to = right.start + right.length;
        (to, one) = (to - 1, one - 1);
        self.work[to] = self.work[one];
        'merge: while one > start && other > 1 {
            let (mut left_wins, mut right_wins) = (0, 0);
            while left_wins < self.gallop_min && right_wins < self.gallop_min {
                to -= 1;
                if self.is_less(interpreter, scope, rights[other - 1], self.work[one - 1])? {
                    self.work[to] = self.work[one - 1];
                    (one, left_wins, right_wins) = (one - 1, left_wins + 1, 0);
                } else {
                    self.work[to] = rights[other - 1];
                    (other, right_wins, left_wins) = (other - 1, right_wins + 1, 0);
                }
                if one == start || other == 1 {
                    break 'merge;
                }
            }
            self.gallop_min += 1;
            let mut is_first = true;
            while is_first || left_wins >= GALLOP_MIN || right_wins >= GALLOP_MIN {
                is_first = false;
                self.gallop_min = (self.gallop_min - 1).max(1);
                let lefts = &self.work[start..one];
                let stays = self.count_not_above(interpreter, scope, rights[other - 1], lefts, lefts.len() - 1)?;
                left_wins = one - start - stays;
                (to, one) = (to - left_wins, one - left_wins);
                self.work.copy_within(one..one + left_wins, to);
                if left_wins > 0 && one == start {
                    break 'merge;
                }
                (to, other) = (to - 1, other - 1);
                self.work[to] = rights[other];
                if other == 1 {
                    break 'merge;
                }
                let stays = self.count_below(interpreter, scope, self.work[one - 1], &rights[..other], other - 1)?;
                right_wins = other - stays;
                (to, other) = (to - right_wins, other - right_wins);
                self.work[to..to + right_wins].copy_from_slice(&rights[other..other + right_wins]);
                // An inconsistent comparison may have taken the first one too.
                if right_wins > 0 && other <= 1 {
                    break 'merge;
                }
                (to, one) = (to - 1, one - 1);
                self.work[to] = self.work[one];
                if one == start {
                    break 'merge;
                }
            }
            self.gallop_min += 1;
        }
        if other == 1 && one > start {
            to -= one - start;
            self.work.copy_within(start..one, to);
        }
        self.work[to - other..to].copy_from_slice(&rights[..other]);
        Ok(())
    }
}

/// How many of `count` elements `is_before` holds for; they come first. Looks at element `hint`, then 1, 3, 7, ...
/// further on in the direction that the answer gives, then halves the range between the last two.
fn gallop(is_before: &mut impl FnMut(usize) -> Run<bool>, count: usize, hint: usize) -> Run<usize> {
    let (mut step, mut last) = (1, 0);
    let (mut low, mut high);
    if is_before(hint)? {
        let most = count - hint;
        while step < most && is_before(hint + step)? {
            (last, step) = (step, 2 * step + 1);
        }
        (low, high) = (hint + last + 1, hint + step.min(most));
    } else {
        let most = hint + 1;
        while step < most && !is_before(hint - step)? {
            (last, step) = (step, 2 * step + 1);
        }
        (low, high) = (hint + 1 - step.min(most), hint - last);
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if is_before(middle)? {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}
