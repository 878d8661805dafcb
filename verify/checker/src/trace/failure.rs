//! What failed, and where: the message, read.
//!
//! Most messages are assertions, and say what they mean. Two come from the checker itself and leave things to be worked
//! out from the journal:
//!
//! - A *data race* ("Causality violation"). A cell's access is in the journal before it is checked, so the last entry
//!   is the offender, and its rival is the newest conflicting access that did not happen before. A race on a word of
//!   the heap is found before the access is recorded; then the picture ends without it. With `LOOM_LOCATION` in the
//!   environment the message names threads and sites, and both ends are known.
//! - A *deadlock*. The message says which threads are blocked. A lock or join is recorded when it succeeds, so what a
//!   thread is blocked on is known for a wait on a condition variable; for another thread it says which locks others
//!   hold. A wait is recorded where it begins, a moment before it can be notified: so a notification that comes later
//!   in the journal and woke nobody came too early, or woke another waiter. With `LOOM_LOCATION` the message has the
//!   site.

use super::Counterexample;
use super::history::History;
use super::names::Names;
use super::sources::{Sources, place_of};
use heaplab::sync::model_control::{Action, Change, JournalEntry};

/// What failed.
pub(super) struct Failure {
    pub(super) kind: FailureKind,
    /// Threads that the failure is drawn at; one but for a deadlock.
    pub(super) threads: Vec<usize>,
    /// The entries that race, the offender last.
    pub(super) race: Option<(usize, usize)>,
    /// The plain access that was refused, if it is in the journal.
    refused: Option<usize>,
    /// Sites that the checker's message names, by thread.
    sites: Vec<(usize, String, u32)>,
    /// By thread: what it may be blocked on.
    blocked_on: Vec<(usize, Blocked)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailureKind {
    Assertion,
    Race,
    Deadlock,
}

enum Blocked {
    /// On a condition variable; and the last notification behind the wait, if there is one.
    Wait(usize, Option<usize>),
    /// On a lock or in a join: the locks that others hold, each with its holder.
    Other(Vec<(usize, usize)>),
}

impl Failure {
    pub(super) fn new(counterexample: &Counterexample, journal: &[JournalEntry], history: &History) -> Self {
        let message = &counterexample.message;
        let last_thread = journal.last().map_or(0, |entry| entry.thread);
        let mut failure = Self {
            kind: FailureKind::Assertion,
            threads: vec![counterexample.failed_thread.unwrap_or(last_thread)],
            race: None,
            refused: None,
            sites: sites_of(message),
            blocked_on: Vec::new(),
        };
        if failure.sites.is_empty() {
            let places = counterexample.whereabouts.iter().copied();
            failure.sites = places.map(|(thread, site)| (thread, site.file.to_owned(), site.line)).collect();
            if message.contains("Causality violation") {
                // Who is refused stands there; where the others stand says nothing of their part in the race.
                failure.sites.retain(|(thread, ..)| failure.threads.contains(thread));
            }
        }
        if message.contains("Causality violation") {
            failure.kind = FailureKind::Race;
            let last = journal.len().checked_sub(1);
            let is_plain = |at: &usize| matches!(journal[*at].action, Action::PlainRead | Action::PlainWrite);
            if let Some(offender) = last.filter(is_plain) {
                let entry = &journal[offender];
                failure.race = history.rival_of(journal, offender).map(|rival| (rival, offender));
                // A cell's access is in the journal before it is refused; a heap word's, which has a value, never is.
                let is_cell = entry.read.is_none() && entry.written.is_none();
                let is_its = counterexample.failed_thread.is_none_or(|failed| failed == entry.thread);
                if failure.race.is_some() || is_cell && is_its {
                    failure.threads = vec![entry.thread];
                    failure.refused = Some(offender);
                }
            }
        } else if message.contains("deadlock; threads") {
            failure.kind = FailureKind::Deadlock;
            failure.threads = blocked_threads(message);
            if failure.threads.is_empty() {
                failure.threads.push(last_thread);
            }
            failure.blocked_on = failure.threads.iter().map(|&thread| (thread, blocked(journal, thread))).collect();
        }
        failure
    }

    /// Whether the failure is about this entry.
    pub(super) fn is_about(&self, entry: usize) -> bool {
        self.race.is_some_and(|(rival, offender)| entry == rival || entry == offender)
    }

    /// A few words of what happened to `thread`, and the details.
    pub(super) fn describe(
        &self,
        thread: usize,
        message: &str,
        journal: &[JournalEntry],
        names: &Names,
        sources: &Sources,
    ) -> (&'static str, String) {
        match self.kind {
            FailureKind::Assertion => ("FAILED", message.trim().to_owned()),
            FailureKind::Race => ("DATA RACE", self.describe_race(message, journal, names, sources)),
            FailureKind::Deadlock => ("BLOCKED FOR EVER", self.describe_deadlock(thread, journal, names, sources)),
        }
    }

    fn describe_race(&self, message: &str, journal: &[JournalEntry], names: &Names, sources: &Sources) -> String {
        let what = message.lines().find(|line| line.contains("violation")).unwrap_or_default().trim();
        let act = |entry: &JournalEntry| match entry.action {
            Action::PlainRead | Action::Ordered(..) if entry.written.is_none() => "read",
            _ => "write",
        };
        let Some((rival, offender)) = self.race else {
            if let Some(refused) = self.refused {
                // Some read before it was stale, and the journal has a newer write of the same value.
                let refused = &journal[refused];
                return format!(
                    "thread {} {}s {}, and an access by another thread is not ordered before this, although a value \
                     that would order it may have been read\n{what}",
                    refused.thread,
                    act(refused),
                    names.of(refused.object),
                );
            }
            if self.sites.is_empty() {
                return format!("{what}\nThe access that was refused is not in the journal.");
            }
            let sites = self
                .sites
                .iter()
                .map(|(thread, file, line)| format!("\nthread {thread} at {}", describe_line(file, *line, sources)));
            return sites.fold(what.to_owned(), |text, site| text + &site);
        };
        let (first, second) = (&journal[rival], &journal[offender]);
        format!(
            "thread {} {}s {}, and nothing orders this after the {} by thread {}\n{what}",
            second.thread,
            act(second),
            names.of(second.object),
            act(first),
            first.thread,
        )
    }

    fn describe_deadlock(&self, thread: usize, journal: &[JournalEntry], names: &Names, sources: &Sources) -> String {
        let mut text = match self.sites.iter().find(|(of, ..)| *of == thread) {
            Some((_, file, line)) => format!("in {}\n", describe_line(file, *line, sources)),
            None => String::new(),
        };
        match self.blocked_on.iter().find(|(of, _)| *of == thread) {
            Some((_, Blocked::Wait(condvar, None))) => {
                text.push_str(&format!("waits on {}, which nobody notifies any more", names.of(*condvar)));
            }
            Some((_, Blocked::Wait(condvar, Some(entry)))) => text.push_str(&format!(
                "waits on {}; the notification by thread {} came just too early, or woke another",
                names.of(*condvar),
                journal[*entry].thread,
            )),
            Some((_, Blocked::Other(held))) => {
                text.push_str("on a lock or in a join");
                let held: Vec<_> =
                    held.iter().map(|(mutex, by)| format!("thread {by} holds {}", names.of(*mutex))).collect();
                if !held.is_empty() {
                    text.push_str(&format!("; {}", held.join(", ")));
                }
            }
            None => {}
        }
        text
    }
}

fn describe_line(file: &str, line: u32, sources: &Sources) -> String {
    let text = sources.line_of(file, line).map_or(String::new(), |text| format!(": {text}"));
    format!("{}{text}", place_of(file, line))
}

fn blocked(journal: &[JournalEntry], thread: usize) -> Blocked {
    let mut held: Vec<(usize, usize)> = Vec::new();
    let mut waiting = None;
    for (at, entry) in journal.iter().enumerate() {
        match entry.action {
            Action::Lock => held.push((entry.object, entry.thread)),
            Action::Unlock => held.retain(|held| *held != (entry.object, entry.thread)),
            Action::Wait => {
                if let Some(position) = held.iter().rposition(|(_, by)| *by == entry.thread) {
                    held.remove(position);
                }
            }
            _ => {}
        }
        if entry.thread == thread {
            waiting = (entry.action == Action::Wait).then_some((entry.object, at));
        }
    }
    match waiting {
        Some((condvar, at)) => {
            let notifies = |entry: &JournalEntry| {
                let is_notification = matches!(entry.action, Action::NotifyOne | Action::NotifyAll);
                is_notification && entry.object == condvar && entry.change != Some(Change::Drop)
            };
            Blocked::Wait(condvar, journal.iter().rposition(notifies).filter(|notified| *notified > at))
        }
        None => Blocked::Other(held.into_iter().filter(|(_, by)| *by != thread).collect()),
    }
}

/// The number that begins `text`.
fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

/// The threads that a deadlock's message, "[(Id(0), Blocked(..)), ..]", calls blocked.
fn blocked_threads(message: &str) -> Vec<usize> {
    let threads = message.split("(Id(").skip(1);
    threads.filter(|rest| rest.contains("Blocked")).filter_map(number).collect()
}

/// The sites in a message, by thread: "thread #1 @ file:line:column" of a race, "(Id(1), Blocked(.. file: "file", line:
/// 7" of a deadlock.
fn sites_of(message: &str) -> Vec<(usize, String, u32)> {
    let of_race = |rest: &str| {
        let (thread, site) = rest.split_once(" @ ")?;
        let mut parts = site.lines().next()?.rsplitn(3, ':');
        let (_, line, file) = (parts.next()?, parts.next()?, parts.next()?);
        Some((number(thread)?, file.to_owned(), line.parse().ok()?))
    };
    let of_deadlock = |rest: &str| {
        let (_, site) = rest.split_once("file: \"")?;
        let (file, site) = site.split_once('"')?;
        let (_, line) = site.split_once("line: ")?;
        Some((number(rest)?, file.to_owned(), number(line)?))
    };
    let races = message.split("thread #").skip(1).filter_map(of_race);
    races.chain(message.split("(Id(").skip(1).filter_map(of_deadlock)).collect()
}
