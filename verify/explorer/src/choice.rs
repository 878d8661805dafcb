//! Choices and assumptions of a model.

use std::panic::Location;
use std::sync::atomic::Ordering;

use crate::branch::Alternative;
use crate::event::{Event, Kind, NOWHERE, Op};
use crate::failure::FailureKind;
use crate::mutant::Mutant;
use crate::place::here;
use crate::runtime::coroutine::perform;
use crate::runtime::state::{Pending, State, Step};

/// Numbers that a choice may have: each is an alternative that is noted at once.
const CHOICES_MAX: u32 = 1 << 16;

/// A number below `n`; each one is explored.
///
/// The default is 0: it is what the first execution gets, so let it be the ordinary outcome. Use it for what the model
/// does not decide: an injected fault, an argument, a spurious failure.
///
/// # Panics
///
/// Outside of an exploration. `n` is 0, or more than 65,536: then the exploration fails as misuse.
///
/// # Examples
///
/// ```
/// let stats = heaplab_explorer::model::Builder::new()
///     .explore(|| assert!(heaplab_explorer::choose(3) < 3))
///     .unwrap();
/// assert_eq!(stats.executions, 3);
/// ```
#[track_caller]
pub fn choose(n: usize) -> usize {
    let place = here();
    let n = u32::try_from(n).unwrap_or(u32::MAX);
    perform(|_| Step::Done(0), |state| state.choose(n, Budget::None, place)) as usize
}

/// Ends the execution of this thread unless the condition holds.
///
/// An execution in which an assumption does not hold is counted as blocked, and is no failure. Assumptions keep a
/// model small: what cannot matter is not explored further. A loop that waits for a condition is `assume(condition)`,
/// if its turns change nothing.
///
/// # Panics
///
/// Outside of an exploration.
#[track_caller]
pub fn assume(condition: bool) {
    if condition {
        return;
    }
    let place = here();
    perform(|state| state.assume_flat(), |state| state.block(Pending::Assume, place));
}

/// What limits how many choices of an execution differ from the default.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Budget {
    /// Nothing.
    None,
    /// [`Builder::spurious_wakeups`](crate::model::Builder::spurious_wakeups).
    Wakeups,
    /// [`Builder::reuses`](crate::model::Builder::reuses).
    Reuses,
}

impl State {
    /// A choice.
    pub(crate) fn choose(&mut self, n: u32, budget: Budget, place: &'static Location<'static>) -> Step<u32> {
        self.choose_but(n, budget, |_| false, place)
    }

    /// A choice without some of its numbers.
    pub(crate) fn choose_but(
        &mut self,
        n: u32,
        budget: Budget,
        is_left_out: impl Fn(u32) -> bool,
        place: &'static Location<'static>,
    ) -> Step<u32> {
        if n == 0 {
            return self.fail(FailureKind::Misuse, "a choice among nothing".to_owned(), &[place]);
        }
        if n > CHOICES_MAX {
            return self.fail(FailureKind::Misuse, format!("a choice among more than {CHOICES_MAX}"), &[place]);
        }
        let mut event = Event::new(Kind::Choice, NOWHERE, Ordering::Relaxed, place);
        event.op = Op::Among(n);
        event.mask = budget as u64;
        let (id, is_new) = match self.simple(event) {
            Step::Done(added) => added,
            Step::Wait => return Step::Wait,
            Step::Unwind => return Step::Unwind,
        };
        if is_new {
            let max = match budget {
                Budget::None => usize::MAX,
                Budget::Wakeups => self.builder.spurious_wakeups,
                Budget::Reuses => self.builder.reuses,
            };
            let is_spent =
                |event: &Event| event.kind == Kind::Choice && event.mask == budget as u64 && event.detail != 0;
            let stamp = self.graph.event(id).stamp;
            let is_within = self.graph.variants_count(is_spent) < max || self.lacks(Mutant::WakeupBudget);
            let varies = !self.lacks(if budget == Budget::None { Mutant::Choices } else { Mutant::Wakeups });
            if varies && (budget == Budget::None || is_within) {
                let others = (1..n).rev().filter(|&number| !is_left_out(number));
                let others = others.map(|number| (stamp, Alternative::Choice { choice: id, number }));
                self.work.extend(others);
            }
        }
        Step::Done(self.graph.event(id).detail)
    }

    /// The thread does not go on.
    pub(crate) fn block(&mut self, pending: Pending, place: &'static Location<'static>) -> Step<()> {
        if self.pending[self.current] == pending {
            return self.wait(pending, place);
        }
        match self.simple(Event::new(Kind::Block, NOWHERE, Ordering::Relaxed, place)) {
            Step::Done(_) => self.wait(pending, place),
            Step::Wait => Step::Wait,
            Step::Unwind => Step::Unwind,
        }
    }
}
