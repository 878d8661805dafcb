//! An execution as data: its events, what each read reads from, and the modification orders. Pictures are drawn from
//! it.

use std::fmt;
use std::sync::atomic::Ordering;

use crate::place::Place;

/// An event of an execution by its thread and its place in the thread, both counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct EventId {
    /// The thread; 0 runs the model's closure.
    pub thread: usize,
    /// The place in the thread's program order.
    pub index: usize,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "T{}.{}", self.thread, self.index)
    }
}

/// Where a read's value comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Source {
    /// The value that the location was made with.
    Initial,
    /// A write.
    Write(EventId),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Initial => f.write_str("the initial value"),
            Source::Write(write) => write.fmt(f),
        }
    }
}

/// What an event does.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Action {
    /// The thread begins.
    Begin,
    /// The thread ends.
    End,
    /// A load.
    Load {
        /// The value.
        value: u64,
        /// Where it comes from.
        source: Source,
    },
    /// A store.
    Store {
        /// The value.
        value: u64,
    },
    /// A read-modify-write, or the attempt.
    Rmw {
        /// Its name, as `fetch_add`.
        name: &'static str,
        /// The value that was read.
        read: u64,
        /// Where that comes from.
        source: Source,
        /// The value that was written, unless it failed or waits.
        written: Option<u64>,
    },
    /// A fence.
    Fence,
    /// A thread is spawned.
    Spawn {
        /// The thread.
        thread: usize,
    },
    /// A thread's end is awaited.
    Join {
        /// The thread.
        thread: usize,
    },
    /// A wait on a condition variable ends.
    Wake {
        /// By the notification.
        source: Source,
    },
    /// An assumption that does not hold.
    Block,
    /// The end of a turn of a loop that waits.
    Yield,
    /// A loop that waits goes on though nothing changed, since nobody else could go on.
    Lift,
    /// A choice.
    Choice {
        /// What was chosen.
        chosen: usize,
        /// Among so many.
        among: usize,
    },
}

/// An event of an execution.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct JournalEvent {
    /// Its name.
    pub id: EventId,
    /// What it does.
    pub action: Action,
    /// The location, if it has one: a number that is the same in all executions.
    pub location: Option<usize>,
    /// The ordering that counted.
    pub ordering: Ordering,
    /// Where in the source.
    pub place: Place,
    /// Its place in the order in which the explorer added events. Reads come after what they read from, unless they
    /// were made to read from what was added later.
    pub stamp: usize,
}

/// A location, and its writes from the oldest to the newest.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ModificationOrder {
    /// The location.
    pub location: usize,
    /// The value that it was made with.
    pub initial: u64,
    /// Where it was made.
    pub place: Place,
    /// The writes.
    pub writes: Vec<EventId>,
}

/// An execution: the events of each thread in program order, and the modification orders of what was written.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Journal {
    /// By thread.
    pub threads: Vec<Vec<JournalEvent>>,
    /// The names of the threads that were given one.
    pub names: Vec<Option<String>>,
    /// By location.
    pub modification_orders: Vec<ModificationOrder>,
}

impl Journal {
    /// All events.
    pub fn events(&self) -> impl Iterator<Item = &JournalEvent> {
        self.threads.iter().flatten()
    }
}

impl fmt::Display for JournalEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |f: &mut fmt::Formatter<'_>| match self.location {
            Some(location) => write!(f, " x{location}"),
            None => Ok(()),
        };
        match &self.action {
            Action::Begin => f.write_str("begin"),
            Action::End => f.write_str("end"),
            Action::Load { value, source } => {
                f.write_str("load")?;
                at(f)?;
                write!(f, " {:?} -> {value:#x} of {source}", self.ordering)
            }
            Action::Store { value } => {
                f.write_str("store")?;
                at(f)?;
                write!(f, " {:?} {value:#x}", self.ordering)
            }
            Action::Rmw { name, read, source, written } => {
                f.write_str(name)?;
                at(f)?;
                write!(f, " {:?} -> {read:#x} of {source}, ", self.ordering)?;
                match written {
                    Some(value) => write!(f, "writes {value:#x}"),
                    None => f.write_str("writes nothing"),
                }
            }
            Action::Fence => write!(f, "fence {:?}", self.ordering),
            Action::Spawn { thread } => write!(f, "spawn T{thread}"),
            Action::Join { thread } => write!(f, "join T{thread}"),
            Action::Wake { source } => write!(f, "woken by {source}"),
            Action::Block => f.write_str("assumption does not hold"),
            Action::Yield => f.write_str("yield"),
            Action::Lift => f.write_str("goes on, as nobody else can"),
            Action::Choice { chosen, among } => write!(f, "choose {chosen} among {among}"),
        }
    }
}

impl fmt::Display for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (thread, name) in self.names.iter().enumerate() {
            if let Some(name) = name {
                writeln!(f, "  T{thread} is {name}")?;
            }
        }
        for event in self.events() {
            writeln!(f, "  {:<6} {event}  [{}]", event.id.to_string(), event.place)?;
        }
        for order in &self.modification_orders {
            write!(f, "  x{}: {:#x}", order.location, order.initial)?;
            for write in &order.writes {
                write!(f, " < {write}")?;
            }
            writeln!(f, "  [{}]", order.place)?;
        }
        Ok(())
    }
}
