//! Small concurrent programs as data: what the judge enumerates and the explorer runs.
//!
//! A program has threads, shared words (atomic, but readable and writable plainly, too), cells (plain memory), and
//! mutexes, each with a condition variable of its own. Thread 0 is the main thread; every other thread is spawned by an
//! earlier one, before one operation of its body, and joined by the same thread, before the same or a later operation
//! or at the end of the body. All words begin as 0.
//!
//! A thread keeps the result of its last operation that has one: the value that a load, a read-modify-write or a
//! choice returned, or whether `try_lock` succeeded (1 or 0). Operands and tests may use it, so control flow and data
//! depend on reads. All results of a thread, in order, are what can be observed of it.

use std::fmt::{self, Display, Formatter};
use std::sync::atomic::Ordering;

/// An operand: a number, or the last result plus a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Number(u64),
    LastPlus(u64),
}

impl Value {
    /// The operand's value when the last result is `last`.
    pub(crate) fn given(self, last: u64) -> u64 {
        match self {
            Value::Number(number) => number,
            Value::LastPlus(number) => last.wrapping_add(number),
        }
    }
}

/// What a read-modify-write does to its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Add,
    Or,
    Swap,
}

impl Change {
    /// The new value of a word.
    pub(crate) fn of(self, old: u64, operand: u64) -> u64 {
        match self {
            Change::Add => old.wrapping_add(operand),
            Change::Or => old | operand,
            Change::Swap => operand,
        }
    }
}

/// Whether the last result is, or is not, a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) equal: bool,
    pub(crate) value: u64,
}

impl Test {
    pub(crate) fn holds(self, last: u64) -> bool {
        (last == self.value) == self.equal
    }
}

/// An operation of a thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Load {
        word: usize,
        order: Ordering,
    },
    Store {
        word: usize,
        value: Value,
        order: Ordering,
    },
    Modify {
        word: usize,
        change: Change,
        value: Value,
        order: Ordering,
    },
    Exchange {
        word: usize,
        expected: Value,
        new: Value,
        success: Ordering,
        failure: Ordering,
        weak: bool,
    },
    Fence(Ordering),
    /// Locks a mutex, runs a body, unlocks the mutex.
    Section {
        mutex: usize,
        body: Vec<Op>,
    },
    /// Tries to lock a mutex; if that succeeds, runs a body and unlocks the mutex.
    TrySection {
        mutex: usize,
        body: Vec<Op>,
    },
    /// Waits at the condition variable of the mutex of the innermost section.
    Wait,
    NotifyOne {
        mutex: usize,
    },
    NotifyAll {
        mutex: usize,
    },
    /// Any of the numbers below this one.
    Choose(u64),
    /// Gives the execution up unless the test holds.
    Assume(Test),
    If {
        test: Test,
        body: Vec<Op>,
    },
    CellRead {
        cell: usize,
    },
    CellWrite {
        cell: usize,
    },
    PlainLoad {
        word: usize,
    },
    PlainStore {
        word: usize,
        value: Value,
    },
}

/// A thread of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Thread {
    /// The thread that spawns and joins this one: an earlier one. The main thread has none.
    pub(crate) parent: usize,
    /// The index of the operation of the parent's body before which this thread is spawned; or beyond the end.
    pub(crate) spawned: usize,
    /// The index of the operation of the parent's body before which this thread is joined; or beyond the end.
    pub(crate) joined: usize,
    pub(crate) body: Vec<Op>,
}

/// A concurrent program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) words: usize,
    pub(crate) cells: usize,
    pub(crate) mutexes: usize,
    /// The most spurious wake-ups of one execution.
    pub(crate) spurious_wakeups: usize,
    /// The most spurious failures of weak exchanges of one execution.
    pub(crate) weak_failures: usize,
    /// The threads; the main thread is the first.
    pub(crate) threads: Vec<Thread>,
}

impl Program {
    /// A program whose main thread spawns a thread for each body, joins them in order, and does nothing else.
    pub(crate) fn parallel(words: usize, bodies: Vec<Vec<Op>>) -> Self {
        let spawned = bodies.into_iter().map(|body| Thread { body, ..Thread::default() });
        let threads = std::iter::once(Thread::default()).chain(spawned).collect();
        Program { words, threads, ..Program::default() }
    }

    /// The children that a thread spawns before the operation at `position` of its body, in the order of spawning.
    /// `position` may be the length of the body: the end.
    pub(crate) fn spawned_at(&self, parent: usize, position: usize) -> Vec<usize> {
        self.children(parent, position, |child| child.spawned)
    }

    /// The children that a thread joins at `position`, after it has spawned others there.
    pub(crate) fn joined_at(&self, parent: usize, position: usize) -> Vec<usize> {
        self.children(parent, position, |child| child.joined.max(child.spawned))
    }

    fn children(&self, parent: usize, position: usize, when: impl Fn(&Thread) -> usize) -> Vec<usize> {
        let end = self.threads[parent].body.len();
        let children = self.threads.iter().enumerate().skip(1);
        let here = children.filter(|(_, child)| child.parent == parent && when(child).min(end) == position);
        here.map(|(index, _)| index).collect()
    }

    /// The most writes of places that one execution has.
    pub(crate) fn writes_max(&self) -> usize {
        fn writes(body: &[Op]) -> usize {
            let one = |op: &Op| match op {
                Op::Store { .. } | Op::PlainStore { .. } | Op::Modify { .. } | Op::Exchange { .. } => 1,
                Op::NotifyOne { .. } | Op::NotifyAll { .. } => 1,
                Op::Section { .. } | Op::TrySection { .. } => 2,
                Op::Wait => 3,
                _ => 0,
            };
            body.iter().map(|op| one(op) + writes(op.body())).sum()
        }
        self.threads.iter().map(|thread| writes(&thread.body)).sum()
    }
}

impl Op {
    /// The operations inside of this one.
    pub(crate) fn body(&self) -> &[Op] {
        match self {
            Op::Section { body, .. } | Op::TrySection { body, .. } | Op::If { body, .. } => body,
            _ => &[],
        }
    }

    fn fmt(&self, depth: usize, f: &mut Formatter<'_>) -> fmt::Result {
        let indent = "    ".repeat(depth);
        match self {
            Op::Load { word, order } => writeln!(f, "{indent}w{word}.load({order:?})")?,
            Op::Store { word, value, order } => writeln!(f, "{indent}w{word}.store({value}, {order:?})")?,
            Op::Modify { word, change, value, order } => {
                let name = match change {
                    Change::Add => "fetch_add",
                    Change::Or => "fetch_or",
                    Change::Swap => "swap",
                };
                writeln!(f, "{indent}w{word}.{name}({value}, {order:?})")?;
            }
            Op::Exchange { word, expected, new, success, failure, weak } => {
                let name = if *weak { "compare_exchange_weak" } else { "compare_exchange" };
                writeln!(f, "{indent}w{word}.{name}({expected}, {new}, {success:?}, {failure:?})")?;
            }
            Op::Fence(order) => writeln!(f, "{indent}fence({order:?})")?,
            Op::Section { mutex, .. } => writeln!(f, "{indent}lock m{mutex} {{")?,
            Op::TrySection { mutex, .. } => writeln!(f, "{indent}try_lock m{mutex} {{")?,
            Op::Wait => writeln!(f, "{indent}wait")?,
            Op::NotifyOne { mutex } => writeln!(f, "{indent}notify_one m{mutex}")?,
            Op::NotifyAll { mutex } => writeln!(f, "{indent}notify_all m{mutex}")?,
            Op::Choose(of) => writeln!(f, "{indent}choose({of})")?,
            Op::Assume(test) => writeln!(f, "{indent}assume({test})")?,
            Op::If { test, .. } => writeln!(f, "{indent}if {test} {{")?,
            Op::CellRead { cell } => writeln!(f, "{indent}c{cell}.read()")?,
            Op::CellWrite { cell } => writeln!(f, "{indent}c{cell}.write()")?,
            Op::PlainLoad { word } => writeln!(f, "{indent}w{word}.plain_load()")?,
            Op::PlainStore { word, value } => writeln!(f, "{indent}w{word}.plain_store({value})")?,
        }
        if matches!(self, Op::Section { .. } | Op::TrySection { .. } | Op::If { .. }) {
            self.body().iter().try_for_each(|op| op.fmt(depth + 1, f))?;
            writeln!(f, "{indent}}}")?;
        }
        Ok(())
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(number) => write!(f, "{number}"),
            Value::LastPlus(number) => write!(f, "last + {number}"),
        }
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "last {} {}", if self.equal { "==" } else { "!=" }, self.value)
    }
}

impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Program { words, cells, mutexes, spurious_wakeups, weak_failures, threads } = self;
        writeln!(f, "{words} words, {cells} cells, {mutexes} mutexes; at most {spurious_wakeups} spurious wake-ups,")?;
        writeln!(f, "{weak_failures} spurious failures of weak exchanges")?;
        for (index, thread) in threads.iter().enumerate() {
            writeln!(f, "thread {index}:")?;
            for position in 0..=thread.body.len() {
                for child in self.spawned_at(index, position) {
                    writeln!(f, "    spawn thread {child}")?;
                }
                for child in self.joined_at(index, position) {
                    writeln!(f, "    join thread {child}")?;
                }
                if let Some(op) = thread.body.get(position) {
                    op.fmt(1, f)?;
                }
            }
        }
        Ok(())
    }
}
