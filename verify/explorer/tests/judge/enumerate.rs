//! All executions that the memory model allows a program: candidates are guessed, the axioms decide.
//!
//! 1. Each thread is unfolded alone (`unfold.rs`), and one trace is taken of each thread, in all combinations in which
//!    every value that is read is written somewhere, and a thread runs if it is spawned.
//! 2. Each read is given each write of the same value to the same place.
//! 3. The writes of each place are put into each order.
//! 4. The candidate is in if `axioms.rs` allows it, and if whoever waits in it waits for good: a thread at `lock` while
//!    the last write of the mutex is one that takes it, a waiter that no notification takes out, a join of a thread
//!    that does not finish, an assumption that fails.
//!
//! Two candidates are never the same graph: they differ in a trace, a reads-from edge or a modification order.
//!
//! [`Search::Plain`] does exactly that. [`Search::Pruned`] leaves out candidates that violate an axiom for a reason
//! that is seen earlier, and is what programs of more than a handful of operations need:
//!
//! * **EN-1** By AX-4 no read takes its value from what it is itself a cause of, so no such source is tried.
//! * **EN-2** By AX-2 no two read-modify-writes read from one write, and each follows the write it reads from at once.
//! * **EN-3** By AX-1 happens-before forces an order of two writes: if it orders the writes, or a write and a read, or
//!   two reads, of one place, then the write of the one (a read's: the one it reads from) comes first.
//!
//! What is counted how: every choice, every spurious wake-up and failure, every reads-from edge - of a failing
//! `try_lock` too - and every order of the writes of a place makes another graph. The acquisitions of a mutex are
//! totally ordered, and so are the changes of a condition variable.

use super::axioms::{Axioms, Event, Execution, Kind, Mode};
use super::program::Program;
use super::relation::{EVENTS_MAX, Relation, Row, members};
use super::unfold::{End, Step, Trace};
use std::collections::{BTreeMap, BTreeSet};

/// How candidates are generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Search {
    Plain,
    Pruned,
}

/// What computing happens-before counts for beside trying one source of one read.
const EXECUTION_WORK: u64 = 10;

/// An event by thread and step.
type Name = (usize, usize);

/// A consistent execution in a form that is equal for equal executions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Graph {
    pub(crate) threads: Vec<Vec<Step>>,
    /// Of each read, the write it reads from; `None` for the initial one.
    pub(crate) reads_from: Vec<(Name, Option<Name>)>,
    /// Of each place, the writes in order, without the initial one.
    pub(crate) modification_orders: Vec<Vec<Name>>,
}

/// What can be observed of a complete execution.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Outcome {
    /// The results of each thread.
    pub(crate) results: Vec<Vec<u64>>,
    /// The last value of each word.
    pub(crate) words: Vec<u64>,
}

/// All that a program may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// The graphs in which every thread finishes.
    pub(crate) graphs: BTreeSet<Graph>,
    /// How many of them have which outcome.
    pub(crate) outcomes: BTreeMap<Outcome, u64>,
    /// The graphs in which some thread waits for good, and no assumption fails.
    pub(crate) deadlocked: u64,
    /// The graphs in which an assumption fails.
    pub(crate) given_up: u64,
    /// The graphs with a race and no failed assumption.
    pub(crate) racy: u64,
    /// The graphs with a race and a failed assumption.
    pub(crate) racy_given_up: u64,
}

/// All executions of a program; `None` if more than `work_max` candidates would have to be tried, or if the program
/// does not fit the enumerator.
pub(crate) fn enumerate(program: &Program, axioms: &Axioms, search: Search, work_max: u64) -> Option<Judgement> {
    let traces = program.traces()?;
    let mut values: BTreeMap<_, _> = (0..program.valued_places()).map(|place| ((place, 0), place)).collect();
    let fits: Vec<Vec<Fit>> =
        traces.iter().map(|traces| traces.iter().map(|trace| Fit::of(trace, &mut values)).collect()).collect();
    if values.len() > Row::BITS as usize {
        return None;
    }
    let initially = (0..program.valued_places()).fold(0, |set, place| set | 1 << place);
    // What the threads from this one on may write at all.
    let mut possible = vec![0; fits.len() + 1];
    for thread in (0..fits.len()).rev() {
        possible[thread] = fits[thread].iter().fold(possible[thread + 1], |set, fit| set | fit.written);
    }
    let mut combination = Combinations {
        program,
        axioms,
        search,
        traces: &traces,
        fits: &fits,
        possible,
        chosen: Vec::new(),
        work_left: work_max,
        judgement: Judgement::default(),
    };
    combination.choose(0, initially)?;
    Some(combination.judgement)
}

/// The values that a trace reads and writes, as sets of numbers of pairs of place and value.
struct Fit {
    read: Row,
    written: Row,
}

impl Fit {
    fn of(trace: &Trace, values: &mut BTreeMap<(usize, u64), usize>) -> Self {
        let mut number = |place, value| {
            let next = values.len();
            // Beyond the width of a row the enumeration gives up before it uses a set.
            1_u128.checked_shl(*values.entry((place, value)).or_insert(next) as u32).unwrap_or(0)
        };
        let mut fit = Fit { read: 0, written: 0 };
        for step in &trace.steps {
            match *step {
                Step::Read { place, value, .. } => fit.read |= number(place, value),
                Step::Write { place, value, .. } => fit.written |= number(place, value),
                Step::Modify { place, read, written, .. } => {
                    fit.read |= number(place, read);
                    fit.written |= number(place, written);
                }
                _ => {}
            }
        }
        fit
    }
}

/// Step 1: the combinations of traces.
struct Combinations<'a> {
    program: &'a Program,
    axioms: &'a Axioms,
    search: Search,
    traces: &'a [Vec<Trace>],
    fits: &'a [Vec<Fit>],
    possible: Vec<Row>,
    chosen: Vec<&'a Trace>,
    work_left: u64,
    judgement: Judgement,
}

impl<'a> Combinations<'a> {
    /// Chooses a trace of each thread that has none yet. `read` minus `written` is what others have to write.
    fn choose(&mut self, read: Row, written: Row) -> Option<()> {
        self.work_left = self.work_left.checked_sub(1)?;
        let thread = self.chosen.len();
        if read & !(written | self.possible[thread]) != 0 {
            return Some(());
        }
        if thread == self.traces.len() {
            return if self.waiting_is_possible() { self.candidates() } else { Some(()) };
        }
        let traces = self.traces;
        for (trace, fit) in traces[thread].iter().zip(&self.fits[thread]) {
            self.chosen.push(trace);
            if self.is_born_and_joined() && self.is_within_budgets() {
                self.choose(read | fit.read, written | fit.written)?;
            }
            self.chosen.pop();
        }
        Some(())
    }

    /// Whether the last chosen trace agrees with that of the thread that spawns and joins its thread.
    fn is_born_and_joined(&self) -> bool {
        let thread = self.chosen.len() - 1;
        if thread == 0 {
            return true;
        }
        let (trace, parent) = (self.chosen[thread], self.chosen[self.program.threads[thread].parent]);
        let spawned = parent.steps.contains(&Step::Spawn(thread));
        let joined = parent.steps.contains(&Step::Join(thread));
        let awaited = parent.end == End::Join(thread);
        spawned == (trace.end != End::Unborn)
            && (!joined || trace.end == End::Finished)
            && (!awaited || trace.end != End::Finished)
    }

    fn is_within_budgets(&self) -> bool {
        self.chosen.iter().map(|trace| trace.spurious_wakeups).sum::<usize>() <= self.program.spurious_wakeups
            && self.chosen.iter().map(|trace| trace.weak_failures).sum::<usize>() <= self.program.weak_failures
    }

    /// Whether each mutex that a thread waits for is held by a thread at its end.
    fn waiting_is_possible(&self) -> bool {
        self.chosen.iter().all(|trace| match trace.end {
            End::Lock(place) => self.chosen.iter().any(|other| other.held.contains(&place)),
            _ => true,
        })
    }

    fn candidates(&mut self) -> Option<()> {
        let skeleton = Skeleton::of(self.program, &self.chosen)?;
        let causes = skeleton.execution.causes().closure();
        let wakes = Relation::empty(causes.len());
        let mut reads_from = ReadsFrom { skeleton: &skeleton, sources: Vec::new(), wakes, combinations: self };
        reads_from.choose(&causes)
    }
}

/// The events of a combination of traces.
struct Skeleton {
    execution: Execution,
    /// The thread and step of each event that is not an initial write.
    names: Vec<Option<Name>>,
    /// The value that an event reads or writes.
    values: Vec<u64>,
    /// The reads of places with values: those of condition variables, then all others.
    reads: Vec<usize>,
    /// How many of the reads are of condition variables.
    condvar_reads: usize,
    /// The writes of each place, the initial one first.
    writes: Vec<Vec<usize>>,
    /// The wake-ups: the event, and the write by which its thread became a waiter.
    wakes: Vec<(usize, usize)>,
    /// The writes by which threads became waiters that are not to be notified.
    unnotified: Vec<usize>,
}

impl Skeleton {
    fn of(program: &Program, chosen: &[&Trace]) -> Option<Self> {
        let places = program.valued_places();
        let mut events = vec![];
        let (mut names, mut values, mut reads) = (vec![], vec![], vec![]);
        let mut writes = vec![vec![]; places];
        let mut last_of_step = BTreeMap::new();
        let mut rmw = vec![];
        let mut add = |event: Event, value: u64, name: Option<Name>| {
            let index = events.len();
            let place = event.place.filter(|&place| place < places);
            match (event.kind, place) {
                (Kind::Read, Some(_)) => reads.push(index),
                (Kind::Write, Some(place)) => writes[place].push(index),
                _ => {}
            }
            events.push(event);
            names.push(name);
            values.push(value);
            index
        };
        for place in 0..places {
            add(Event { kind: Kind::Write, mode: Mode::Plain, place: Some(place) }, 0, None);
        }
        for (thread, trace) in chosen.iter().enumerate() {
            for (position, step) in trace.steps.iter().enumerate() {
                let name = Some((thread, position));
                let mut access = |kind, place, value, mode| add(Event { kind, mode, place: Some(place) }, value, name);
                let last = match *step {
                    Step::Read { place, value, mode } => access(Kind::Read, place, value, mode),
                    Step::Write { place, value, mode } => access(Kind::Write, place, value, mode),
                    Step::Modify { place, read, written, read_mode, write_mode } => {
                        let from = access(Kind::Read, place, read, read_mode);
                        let to = access(Kind::Write, place, written, write_mode);
                        rmw.push((from, to));
                        to
                    }
                    Step::CellRead { place } => access(Kind::Read, place, 0, Mode::Plain),
                    Step::CellWrite { place } => access(Kind::Write, place, 0, Mode::Plain),
                    Step::Fence(mode) => add(Event { kind: Kind::Fence, mode, place: None }, 0, name),
                    _ => add(Event { kind: Kind::Step, mode: Mode::Plain, place: None }, 0, name),
                };
                last_of_step.insert((thread, position), last);
            }
        }
        let n = events.len();
        if n > EVENTS_MAX {
            return None;
        }
        let mut execution = Execution {
            events,
            sb: Relation::empty(n),
            rmw: Relation::empty(n),
            asw: Relation::empty(n),
            wakes: Relation::empty(n),
            rf: Relation::empty(n),
        };
        for later in places..n {
            let same_thread = |&earlier: &usize| {
                earlier < places || names[earlier].map(|(thread, _)| thread) == names[later].map(|(thread, _)| thread)
            };
            (0..later).filter(same_thread).for_each(|earlier| execution.sb.insert(earlier, later));
        }
        rmw.iter().for_each(|&(from, to)| execution.rmw.insert(from, to));
        let mut wakes = vec![];
        let mut unnotified = vec![];
        for (thread, trace) in chosen.iter().enumerate() {
            for (position, step) in trace.steps.iter().enumerate() {
                let event = last_of_step[&(thread, position)];
                match *step {
                    Step::Spawn(child) => {
                        // A thread with a trace has begun; `is_born_and_joined` has seen to that.
                        execution.asw.insert(event, last_of_step[&(child, 0)]);
                    }
                    Step::Join(child) => {
                        let finish = last_of_step[&(child, chosen[child].steps.len() - 1)];
                        execution.asw.insert(finish, event);
                    }
                    Step::Wake(enqueued) => wakes.push((event, last_of_step[&(thread, enqueued)])),
                    _ => {}
                }
            }
            if let End::Wait(enqueued) = trace.end {
                unnotified.push(last_of_step[&(thread, enqueued)]);
            }
        }
        let (mut ordered, others): (Vec<_>, Vec<_>) =
            reads.into_iter().partition(|&read| program.is_condvar(execution.events[read].place));
        let condvar_reads = ordered.len();
        ordered.extend(others);
        Some(Skeleton { execution, names, values, reads: ordered, condvar_reads, writes, wakes, unnotified })
    }

    /// Whether no thread waits to be notified.
    fn condvars_are_idle(&self) -> bool {
        self.wakes.is_empty() && self.unnotified.is_empty()
    }

    fn place(&self, event: usize) -> usize {
        self.execution.events[event].place.expect("an access has a place")
    }
}

/// Step 2: what each read reads from.
struct ReadsFrom<'a, 'b> {
    skeleton: &'b Skeleton,
    /// The sources of the first reads.
    sources: Vec<usize>,
    /// Which notification wakes whom; what the sources of the reads of condition variables say.
    wakes: Relation,
    combinations: &'b mut Combinations<'a>,
}

impl ReadsFrom<'_, '_> {
    /// Chooses a source of each read that has none yet; `causes` is what orders the events so far.
    fn choose(&mut self, causes: &Relation) -> Option<()> {
        self.combinations.work_left = self.combinations.work_left.checked_sub(1)?;
        let skeleton = self.skeleton;
        let chosen = self.sources.len();
        if chosen == skeleton.condvar_reads && !skeleton.condvars_are_idle() {
            let Some(wakes) = self.wakes() else { return Some(()) };
            self.wakes = wakes;
            let with_wakes = (causes | &self.wakes).closure();
            return match self.combinations.search == Search::Pruned && !with_wakes.is_irreflexive() {
                true => Some(()),
                false => self.choose_next(&with_wakes),
            };
        }
        self.choose_next(causes)
    }

    fn choose_next(&mut self, causes: &Relation) -> Option<()> {
        let skeleton = self.skeleton;
        let Some(&read) = skeleton.reads.get(self.sources.len()) else { return self.executions() };
        for &write in &skeleton.writes[skeleton.place(read)] {
            let own = skeleton.execution.rmw.has(read, write);
            if skeleton.values[write] != skeleton.values[read] || own {
                continue;
            }
            let pruned = self.combinations.search == Search::Pruned;
            if pruned && (causes.has(read, write) || self.is_taken(read, write)) {
                continue;
            }
            self.sources.push(write);
            match pruned {
                true => self.choose(&causes.with(write, read))?,
                false => self.choose(causes)?,
            }
            self.sources.pop();
        }
        Some(())
    }

    /// EN-2: whether both a chosen read and this one are of read-modify-writes and read from this write.
    fn is_taken(&self, read: usize, write: usize) -> bool {
        let modifies = |read: usize| self.skeleton.execution.rmw.row(read) != 0;
        let taken = |(&other, &source): (&usize, &usize)| source == write && modifies(other);
        modifies(read) && self.skeleton.reads.iter().zip(&self.sources).any(taken)
    }

    /// Of each write, the write of the read-modify-write that reads from it.
    fn followers(&self) -> Vec<Option<usize>> {
        let rmw = &self.skeleton.execution.rmw;
        let mut followers = vec![None; rmw.len()];
        for (&read, &write) in self.skeleton.reads.iter().zip(&self.sources) {
            if let Some(own) = members(rmw.row(read)).next() {
                followers[write] = Some(own);
            }
        }
        followers
    }

    /// The edges from notifications to wake-ups, or `None` if a waiter does not wake that is to, or wakes that is not.
    fn wakes(&self) -> Option<Relation> {
        let skeleton = self.skeleton;
        let followers = self.followers();
        // The changes of a condition variable follow one another; the first that lacks the member wakes it.
        let notification = |enqueued: usize| {
            let me: u64 = 1 << skeleton.names[enqueued].expect("a waiter's").0;
            let mut steps = std::iter::successors(followers[enqueued], |&write| followers[write]).take(followers.len());
            steps.find(|&write| skeleton.values[write] & me == 0)
        };
        let mut wakes = Relation::empty(followers.len());
        for &(wake, enqueued) in &skeleton.wakes {
            wakes.insert(notification(enqueued)?, wake);
        }
        let lost = skeleton.unnotified.iter().all(|&enqueued| notification(enqueued).is_none());
        lost.then_some(wakes)
    }

    fn executions(&mut self) -> Option<()> {
        self.combinations.work_left = self.combinations.work_left.checked_sub(EXECUTION_WORK)?;
        let skeleton = self.skeleton;
        let mut execution = Execution { wakes: self.wakes.clone(), ..skeleton.execution.clone() };
        let followers = self.followers();
        for (&read, &write) in skeleton.reads.iter().zip(&self.sources) {
            execution.rf.insert(write, read);
        }
        let pruned = self.combinations.search == Search::Pruned;
        if pruned && !execution.causes().is_acyclic() {
            return Some(());
        }
        let plain_orders = |writes: &Vec<usize>| (1..writes.len() as u64).product::<u64>();
        if !pruned && skeleton.writes.iter().map(plain_orders).product::<u64>() > self.combinations.work_left {
            return None;
        }
        let hb = execution.happens_before(self.combinations.axioms);
        let forced = pruned.then(|| self.forced(&hb));
        let orders: Vec<Vec<Vec<usize>>> =
            skeleton.writes.iter().map(|writes| orders(writes, forced.as_ref(), &followers, &execution)).collect();
        let product: u64 = orders.iter().map(|orders| orders.len() as u64).product();
        self.combinations.work_left = self.combinations.work_left.checked_sub(product)?;
        let mut chosen = Vec::with_capacity(orders.len());
        self.modification_orders(&execution, &hb, &orders, &mut chosen);
        Some(())
    }

    /// EN-3: the pairs of writes of one place that happens-before orders.
    fn forced(&self, hb: &Relation) -> Relation {
        let skeleton = self.skeleton;
        let mut forced = Relation::empty(hb.len());
        for place in 0..skeleton.writes.len() {
            let reads = skeleton.reads.iter().zip(&self.sources);
            let reads = reads.filter(|(read, _)| skeleton.place(**read) == place).map(|(&read, &write)| (read, write));
            let accesses: Vec<(usize, usize)> =
                skeleton.writes[place].iter().map(|&write| (write, write)).chain(reads).collect();
            for &(first, first_write) in &accesses {
                for &(second, second_write) in &accesses {
                    if hb.has(first, second) && first_write != second_write {
                        forced.insert(first_write, second_write);
                    }
                }
            }
        }
        forced
    }

    /// Step 3 and 4: chooses an order of each place that has none yet, and asks the axioms.
    fn modification_orders<'o>(
        &mut self,
        execution: &Execution,
        hb: &Relation,
        orders: &'o [Vec<Vec<usize>>],
        chosen: &mut Vec<&'o [usize]>,
    ) {
        if chosen.len() < orders.len() {
            for order in &orders[chosen.len()] {
                chosen.push(order);
                self.modification_orders(execution, hb, orders, chosen);
                chosen.pop();
            }
            return;
        }
        let mut mo = Relation::empty(hb.len());
        for order in chosen.iter() {
            for (index, &earlier) in order.iter().enumerate() {
                order[index + 1..].iter().for_each(|&later| mo.insert(earlier, later));
            }
        }
        let last = |place: usize| self.skeleton.values[*chosen[place].last().expect("the initial write at least")];
        let waits = self.combinations.chosen.iter().all(|trace| match trace.end {
            End::Lock(place) => last(place) == 1,
            _ => true,
        });
        if waits && execution.check(self.combinations.axioms, hb, &mo).is_ok() {
            let words = (0..self.combinations.program.words).map(last).collect();
            self.record(execution, hb, chosen, words);
        }
    }

    fn record(&mut self, execution: &Execution, hb: &Relation, orders: &[&[usize]], words: Vec<u64>) {
        let Combinations { chosen, judgement, .. } = &mut *self.combinations;
        let racy = u64::from(execution.has_race(hb));
        if chosen.iter().any(|trace| trace.end == End::Assume) {
            judgement.given_up += 1;
            judgement.racy_given_up += racy;
            return;
        }
        judgement.racy += racy;
        if chosen.iter().any(|trace| !matches!(trace.end, End::Finished)) {
            judgement.deadlocked += 1;
            return;
        }
        let names = &self.skeleton.names;
        let reads = self.skeleton.reads.iter().zip(&self.sources);
        let named = |order: &&[usize]| order.iter().filter_map(|&write| names[write]).collect();
        let new = judgement.graphs.insert(Graph {
            threads: chosen.iter().map(|trace| trace.steps.clone()).collect(),
            reads_from: reads.map(|(&read, &write)| (names[read].expect("a thread's"), names[write])).collect(),
            modification_orders: orders.iter().map(named).collect(),
        });
        assert!(new, "the same graph twice");
        let results = chosen.iter().map(|trace| trace.results.clone()).collect();
        *judgement.outcomes.entry(Outcome { results, words }).or_default() += 1;
    }
}

/// The orders of the writes of a place, which begin with the initial one. With `forced`, only those that have these
/// pairs, and each read-modify-write directly behind the write that it reads from (EN-2, EN-3).
fn orders(
    writes: &[usize],
    forced: Option<&Relation>,
    followers: &[Option<usize>],
    execution: &Execution,
) -> Vec<Vec<usize>> {
    let modifications = (0..execution.events.len()).fold(0, |set: Row, read| set | execution.rmw.row(read));
    let mut orders = vec![];
    let mut order = vec![writes[0]];
    extend(&mut order, writes, &mut orders, &|order: &[usize], next: usize| {
        let Some(forced) = forced else { return true };
        let last = order[order.len() - 1];
        let placed = order.iter().fold(0, |set: Row, &write| set | 1 << write);
        let waits = writes.iter().any(|&write| placed >> write & 1 == 0 && forced.has(write, next));
        let modifies = modifications >> next & 1 == 1;
        match followers[last] {
            Some(follower) => follower == next && !waits,
            None => !modifies && !waits,
        }
    });
    orders
}

fn extend(
    order: &mut Vec<usize>,
    writes: &[usize],
    orders: &mut Vec<Vec<usize>>,
    may_follow: &dyn Fn(&[usize], usize) -> bool,
) {
    if order.len() == writes.len() {
        orders.push(order.clone());
        return;
    }
    for &next in writes {
        if !order.contains(&next) && may_follow(order, next) {
            order.push(next);
            extend(order, writes, orders, may_follow);
            order.pop();
        }
    }
}
