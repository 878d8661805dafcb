//! Random programs that shrink.
//!
//! A [`Class`] says which operations a program may have; each class is a strategy of proptest, so a program that fails
//! shrinks to a small one by itself. Programs are small, so that the judge can enumerate them, and every operation of a
//! class is frequent in it.

use super::program::{Change, Op, Program, Test, Thread, Value};
use proptest::prelude::*;
use proptest::sample::select;
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

/// A class of programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Words, without SC.
    Words,
    /// Words, with SC accesses and fences.
    SeqCst,
    /// Critical sections and `try_lock`.
    Locks,
    /// Condition variables, spurious wake-ups.
    Condvars,
    /// Choices, assumptions, weak exchanges.
    Choices,
    /// Cells, and words that are accessed plainly.
    Plain,
    /// Threads that spawn threads.
    Threads,
    /// All of that.
    Mixed,
}

impl Class {
    /// Every class.
    pub(crate) const ALL: [Class; 8] = [
        Class::Words,
        Class::SeqCst,
        Class::Locks,
        Class::Condvars,
        Class::Choices,
        Class::Plain,
        Class::Threads,
        Class::Mixed,
    ];

    fn has_seq_cst(self) -> bool {
        matches!(self, Class::SeqCst | Class::Mixed)
    }

    fn has_condvars(self) -> bool {
        matches!(self, Class::Condvars | Class::Mixed)
    }

    fn has_mutexes(self) -> bool {
        matches!(self, Class::Locks | Class::Condvars | Class::Mixed)
    }

    fn has_choices(self) -> bool {
        matches!(self, Class::Choices | Class::Mixed)
    }

    fn has_plain_accesses(self) -> bool {
        matches!(self, Class::Plain | Class::Mixed)
    }

    /// How often threads spawn threads, and the main thread does something meanwhile.
    fn nested_threads(self) -> f64 {
        match self {
            Class::Threads => 1.0,
            Class::Plain | Class::Mixed => 0.7,
            _ => 0.2,
        }
    }

    /// How many operations the bodies of a program have, those inside of others not counted.
    fn operations_max(self) -> usize {
        match self {
            Class::Condvars => 4,
            Class::Locks | Class::Mixed => 5,
            _ => 7,
        }
    }

    /// Programs of this class.
    pub(crate) fn programs(self) -> impl Strategy<Value = Program> {
        let spawned = 2..=3_usize;
        let nested = prop::bool::weighted(self.nested_threads());
        (1..=2_usize, spawned, prop::bool::weighted(0.8), nested).prop_flat_map(
            move |(words, spawned, polite, nested)| {
                let mutexes = if self.has_mutexes() { 2 } else { 0 };
                let cells = usize::from(self.has_plain_accesses());
                let scope = Scope { class: self, words, mutexes, cells, polite, nested };
                // Each operation with its thread, so that dropping one leaves the others where they are.
                let operations = prop::collection::vec((0..=spawned, scope.op()), 2..=self.operations_max());
                let family = prop::collection::vec((0..=spawned, 0..=2_usize, 0..=3_usize), spawned);
                let budgets = (0..=1_usize, 0..=1_usize);
                (operations, family, budgets).prop_map(move |(operations, family, (spurious, weak))| {
                    scope.program(spawned, operations, family, spurious, weak)
                })
            },
        )
    }
}

/// What the operations of a program may name.
#[derive(Clone, Copy, Debug)]
struct Scope {
    class: Class,
    words: usize,
    mutexes: usize,
    cells: usize,
    /// Whether waits are guarded by a word that the main thread sets and notifies of. Most others deadlock.
    polite: bool,
    /// Whether threads spawn threads.
    nested: bool,
}

impl Scope {
    fn program(
        self,
        spawned: usize,
        operations: Vec<(usize, Op)>,
        family: Vec<(usize, usize, usize)>,
        spurious_wakeups: usize,
        weak_failures: usize,
    ) -> Program {
        let Scope { class, words, mutexes, cells, polite, nested } = self;
        let mut threads = vec![Thread::default(); spawned + 1];
        for (index, thread) in threads.iter_mut().enumerate().skip(1) {
            let (parent, at, later) = family[index - 1];
            // Most threads are the main thread's, all beside each other.
            thread.parent = if nested { parent % index } else { 0 };
            thread.spawned = if nested { at } else { 0 };
            thread.joined = if nested && later < 3 { at + later } else { usize::MAX };
        }
        for (thread, op) in operations {
            // The main thread does something in few programs only: without it the others are more concurrent.
            let notifies = class.has_condvars() && polite;
            let thread = if thread == 0 && (notifies || !nested) { 1 } else { thread };
            threads[thread].body.push(op);
        }
        for mutex in (0..mutexes).filter(|_| class.has_condvars() && polite) {
            if threads.iter().any(|thread| waits_at(&thread.body, mutex, None)) {
                let set = Op::Store { word: self.flag(mutex), value: Value::Number(1), order: Relaxed };
                threads[0].body.push(Op::Section { mutex, body: vec![set, Op::NotifyAll { mutex }] });
            }
        }
        Program {
            words,
            cells,
            mutexes,
            spurious_wakeups: if class.has_condvars() { spurious_wakeups } else { 0 },
            weak_failures: if class.has_choices() { weak_failures } else { 0 },
            threads,
        }
    }

    /// The word that guards the waits of a mutex.
    fn flag(self, mutex: usize) -> usize {
        mutex % self.words
    }

    fn order(self, weak_ones: &[Ordering]) -> BoxedStrategy<Ordering> {
        let mut orders = weak_ones.to_vec();
        if self.class.has_seq_cst() {
            orders.extend([SeqCst; 2]);
        }
        select(orders).boxed()
    }

    fn loads(self) -> BoxedStrategy<Ordering> {
        self.order(&[Relaxed, Relaxed, Acquire])
    }

    fn stores(self) -> BoxedStrategy<Ordering> {
        self.order(&[Relaxed, Relaxed, Release])
    }

    fn modifications(self) -> BoxedStrategy<Ordering> {
        self.order(&[Relaxed, Acquire, Release, AcqRel])
    }

    fn word(self) -> impl Strategy<Value = usize> + Clone {
        0..self.words
    }

    fn value(self) -> BoxedStrategy<Value> {
        prop_oneof![
            4 => (1..=2_u64).prop_map(Value::Number),
            1 => (1..=2_u64).prop_map(Value::LastPlus),
        ]
        .boxed()
    }

    fn test(self) -> impl Strategy<Value = Test> {
        (any::<bool>(), 0..=2_u64).prop_map(|(equal, value)| Test { equal, value })
    }

    /// An operation that has none inside.
    fn simple(self) -> BoxedStrategy<Op> {
        let Scope { class, mutexes, cells, .. } = self;
        let load = (self.word(), self.loads()).prop_map(|(word, order)| Op::Load { word, order });
        let store = (self.word(), self.value(), self.stores());
        let store = store.prop_map(|(word, value, order)| Op::Store { word, value, order });
        let changes = select(vec![Change::Add, Change::Or, Change::Swap]);
        let modify = (self.word(), changes, self.value(), self.modifications());
        let modify = modify.prop_map(|(word, change, value, order)| Op::Modify { word, change, value, order });
        let expected = prop_oneof![(0..=2_u64).prop_map(Value::Number), Just(Value::LastPlus(0))];
        let exchange = (self.word(), expected, self.value(), self.modifications(), self.loads(), any::<bool>());
        let exchange = exchange.prop_map(move |(word, expected, new, success, failure, weak)| {
            let weak = weak && class.has_choices();
            Op::Exchange { word, expected, new, success, failure, weak }
        });
        let fence = self.order(&[Acquire, Release, AcqRel]).prop_map(Op::Fence);
        let mut all = vec![
            (6, load.boxed()),
            (5, store.boxed()),
            (2, modify.boxed()),
            (2, exchange.boxed()),
            (if class.has_seq_cst() { 3 } else { 1 }, fence.boxed()),
        ];
        if mutexes > 0 && class.has_condvars() {
            let notifications = (0..mutexes, any::<bool>());
            let notification = notifications.prop_map(|(mutex, one)| match one {
                true => Op::NotifyOne { mutex },
                false => Op::NotifyAll { mutex },
            });
            all.push((5, notification.boxed()));
        }
        if class.has_choices() {
            all.push((2, (2..=3_u64).prop_map(Op::Choose).boxed()));
            all.push((2, self.test().prop_map(Op::Assume).boxed()));
        }
        if class.has_plain_accesses() {
            all.push((2, (0..cells).prop_map(|cell| Op::CellRead { cell }).boxed()));
            all.push((2, (0..cells).prop_map(|cell| Op::CellWrite { cell }).boxed()));
            all.push((2, self.word().prop_map(|word| Op::PlainLoad { word }).boxed()));
            let plain_store = (self.word(), self.value()).prop_map(|(word, value)| Op::PlainStore { word, value });
            all.push((2, plain_store.boxed()));
        }
        prop::strategy::Union::new_weighted(all).boxed()
    }

    /// An operation outside of sections.
    fn op(self) -> BoxedStrategy<Op> {
        let simple = self.simple();
        let conditional = (self.test(), prop::collection::vec(self.simple(), 1..=2));
        let conditional = conditional.prop_map(|(test, body)| Op::If { test, body });
        let mut all = vec![(8, simple), (if self.class.has_choices() { 3 } else { 1 }, conditional.boxed())];
        if self.mutexes > 0 {
            all.push((10, self.section().boxed()));
        }
        if self.class.has_plain_accesses() {
            all.push((2, self.guarded_read().boxed()));
        }
        prop::strategy::Union::new_weighted(all).boxed()
    }

    /// A plain access behind a load of a value that others write.
    fn guarded_read(self) -> impl Strategy<Value = Op> {
        let cells = self.cells;
        let access = prop_oneof![
            (0..cells).prop_map(|cell| Op::CellRead { cell }),
            (0..cells).prop_map(|cell| Op::CellWrite { cell }),
        ];
        (1..=2_u64, access).prop_map(|(value, access)| Op::If { test: Test { equal: true, value }, body: vec![access] })
    }

    /// A critical section, or one inside of another.
    fn section(self) -> BoxedStrategy<Op> {
        let nests = if self.class == Class::Locks { 0.3 } else { 0.1 };
        (0..self.mutexes, prop::bool::weighted(nests))
            .prop_flat_map(move |(mutex, nests)| {
                // The mutexes are two, and the one inside is the other one.
                let inner = (prop::bool::weighted(0.5), self.section_body(1 - mutex));
                let outer = (prop::bool::weighted(0.25), self.section_body(mutex));
                (outer, inner).prop_map(move |((tries, mut body), (inner_tries, inner))| {
                    if nests {
                        body.push(in_section(1 - mutex, inner_tries, inner));
                    }
                    in_section(mutex, tries, body)
                })
            })
            .boxed()
    }

    fn section_body(self, mutex: usize) -> BoxedStrategy<Vec<Op>> {
        let one = self.simple().prop_map(|op| vec![op]).boxed();
        let mut parts = vec![(2, one)];
        if self.class.has_condvars() && self.polite {
            let look = Op::Load { word: self.flag(mutex), order: Relaxed };
            let wait = Op::If { test: Test { equal: true, value: 0 }, body: vec![Op::Wait] };
            parts.push((
                4,
                prop_oneof![Just(vec![look.clone(), wait.clone()]), Just(vec![look.clone(), wait, look])].boxed(),
            ));
        } else if self.class.has_condvars() {
            let test = self.test().prop_map(|test| vec![Op::If { test, body: vec![Op::Wait] }]);
            parts.push((3, prop_oneof![Just(vec![Op::Wait]), test].boxed()));
        }
        prop::collection::vec(prop::strategy::Union::new_weighted(parts), 0..=2)
            .prop_map(|parts| parts.concat())
            .boxed()
    }
}

/// Whether a body waits at the condition variable of a mutex; `innermost` is the mutex of the section around it.
fn waits_at(body: &[Op], mutex: usize, innermost: Option<usize>) -> bool {
    body.iter().any(|op| match op {
        Op::Wait => innermost == Some(mutex),
        Op::Section { mutex: inner, body } | Op::TrySection { mutex: inner, body } => {
            waits_at(body, mutex, Some(*inner))
        }
        Op::If { body, .. } => waits_at(body, mutex, innermost),
        _ => false,
    })
}

fn in_section(mutex: usize, tries: bool, body: Vec<Op>) -> Op {
    if tries { Op::TrySection { mutex, body } } else { Op::Section { mutex, body } }
}
