//! The diagnosis: what failed, and where, read from the message and the journal.
//!
//! Most messages are assertions, and say what they mean. Two kinds come from the engine itself. The explorer's
//! messages name threads, and who holds what; loom's leave things to be worked out from the journal:
//!
//! - A *data race* ("Causality violation" of loom). A cell's access is in the journal before it is checked, so the
//!   last entry is the offender, and its rival is the newest conflicting access that did not happen before. A race on
//!   a word of the heap is found before the access is recorded; then the picture ends without it. With
//!   `LOOM_LOCATION` in the environment the message names threads and sites, and both ends are known.
//! - A *deadlock*. The message says which threads are blocked. A lock or join is recorded when it succeeds, so what a
//!   thread is blocked on is known for a wait on a condition variable; for another thread the diagnosis says which
//!   locks others hold. A wait is recorded where it begins, a moment before it can be notified: so a notification
//!   that comes later in the journal and woke nobody came too early, or woke another waiter. With `LOOM_LOCATION` the
//!   message has the site.

use super::counterexample::Counterexample;
use super::history::History;
use super::names::Names;
use super::sources::{Sources, place_of};
use heaplab::sync::model_control::{Action, Change, JournalEntry};

/// What failed, and who had a part in it.
pub(super) struct Diagnosis {
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

/// What kind of failure a message tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// An assertion does not hold, or something else panicked.
    Assertion,
    /// Two accesses race.
    Race,
    /// No thread can go on.
    Deadlock,
    /// An execution makes more choices than it may.
    BranchLimit,
    /// An execution starts more threads than it may.
    ThreadLimit,
}

impl FailureKind {
    /// The kind, by the words of the message. The checker and the facade report what they find by panics.
    #[must_use]
    pub fn of(message: &str) -> FailureKind {
        const WORDS: [(&str, FailureKind); 8] = [
            // Of loom.
            ("Causality violation", FailureKind::Race),
            ("deadlock; threads", FailureKind::Deadlock),
            ("Model exceeded maximum number of branches", FailureKind::BranchLimit),
            // Of the explorer.
            ("data race: ", FailureKind::Race),
            ("overlapping accesses: ", FailureKind::Race),
            ("deadlock: ", FailureKind::Deadlock),
            ("as many as Builder::max_branches allows", FailureKind::BranchLimit),
            // Of the facade.
            ("the model starts thread number", FailureKind::ThreadLimit),
        ];
        WORDS.iter().find(|(words, _)| message.contains(words)).map_or(FailureKind::Assertion, |(_, kind)| *kind)
    }
}

enum Blocked {
    /// On a condition variable; and the last notification behind the wait, if there is one.
    Wait(usize, Option<usize>),
    /// On a lock or in a join: the locks that others hold, each with its holder.
    Other(Vec<(usize, usize)>),
}

impl Diagnosis {
    pub(super) fn new(counterexample: &Counterexample, journal: &[JournalEntry], history: &History) -> Self {
        let message = &counterexample.message;
        let last_thread = journal.last().map_or(0, |entry| entry.thread);
        let mut diagnosis = Self {
            kind: FailureKind::of(message),
            threads: vec![counterexample.failed_thread.unwrap_or(last_thread)],
            race: None,
            refused: None,
            sites: sites_of(message),
            blocked_on: Vec::new(),
        };
        if diagnosis.sites.is_empty() {
            let places = counterexample.whereabouts.iter().copied();
            diagnosis.sites = places.map(|(thread, site)| (thread, site.file.to_owned(), site.line)).collect();
            if diagnosis.kind == FailureKind::Race {
                // The refused thread stands at its access; where the others stand says nothing of their part in the
                // race.
                diagnosis.sites.retain(|(thread, ..)| diagnosis.threads.contains(thread));
            }
        }
        match diagnosis.kind {
            FailureKind::Race => diagnosis.find_race(counterexample, journal, history),
            FailureKind::Deadlock => {
                diagnosis.threads = blocked_threads(message);
                if diagnosis.threads.is_empty() {
                    diagnosis.threads.push(last_thread);
                }
                diagnosis.blocked_on =
                    diagnosis.threads.iter().map(|&thread| (thread, blocked(journal, thread))).collect();
            }
            FailureKind::Assertion | FailureKind::BranchLimit | FailureKind::ThreadLimit => {}
        }
        diagnosis
    }

    /// Looks for the two accesses that race, the last entry of the journal being the offender.
    fn find_race(&mut self, counterexample: &Counterexample, journal: &[JournalEntry], history: &History) {
        let last = journal.len().checked_sub(1);
        let is_plain = |at: &usize| matches!(journal[*at].action, Action::PlainRead | Action::PlainWrite);
        let Some(offender) = last.filter(is_plain) else { return };
        let entry = &journal[offender];
        self.race = history.rival_of(journal, offender).map(|rival| (rival, offender));
        // A cell's access is in the journal before it is refused; a heap word's, which has a value, never is.
        let is_cell = entry.read.is_none() && entry.written.is_none();
        let is_its = counterexample.failed_thread.is_none_or(|failed| failed == entry.thread);
        if self.race.is_some() || is_cell && is_its {
            self.threads = vec![entry.thread];
            self.refused = Some(offender);
        }
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
            FailureKind::Assertion | FailureKind::BranchLimit | FailureKind::ThreadLimit => {
                ("FAILED", message.trim().to_owned())
            }
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

/// The threads that a deadlock's message calls blocked: loom's "[(Id(0), Blocked(..)), ..]", or the explorer's "T0
/// waits for lock of x3, which T1 holds; T1 waits for ..".
fn blocked_threads(message: &str) -> Vec<usize> {
    let threads = message.split("(Id(").skip(1);
    let of_loom = threads.filter(|rest| rest.contains("Blocked")).filter_map(number);
    let graphs = message.split_once("deadlock: ").map_or("", |(_, who)| who);
    let of_graphs = graphs.split("; ").flat_map(|part| {
        let waiting = part.split_once(" wait").map_or("", |(threads, _)| threads);
        waiting.split(" and ").filter_map(|thread| number(thread.strip_prefix('T')?))
    });
    of_loom.chain(of_graphs).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use heaplab::sync::model_control::Pass;
    use heaplab::sync::{Arc, Mutex};
    use heaplab::sync::{AtomicBool, ExploreOptions, Ordering, UnsafeCell, explore, thread};

    /// What the checker says of a world that must fail.
    fn message_of(options: &ExploreOptions, f: impl Fn() + Send + Sync + 'static) -> String {
        explore(options, f).outcome.expect_err("the world must fail")
    }

    /// Goal: each kind is known by the words that this version of the checker uses. Method: let the checker fail in
    /// each way.
    #[test]
    fn a_kind_is_known_by_the_words_of_each_engine() {
        for pass in [Pass::Normal, Pass::Graphs] {
            a_kind_is_known_by_its_words(&ExploreOptions { pass, ..ExploreOptions::default() });
        }
    }

    fn a_kind_is_known_by_its_words(options: &ExploreOptions) {
        let options = options.clone();
        let assertion = message_of(&options, || panic!("made to fail"));
        assert_eq!(FailureKind::of(&assertion), FailureKind::Assertion, "{assertion}");
        let race = message_of(&options, || {
            let cell = Arc::new(UnsafeCell::new(0));
            let other = thread::spawn({
                let cell = cell.clone();
                // SAFETY: deliberately not upheld; the checker has to say so.
                move || unsafe { cell.with_mut(|value| *value = 1) }
            });
            // SAFETY: as above.
            unsafe { cell.with_mut(|value| *value = 2) };
            other.join().unwrap();
        });
        assert_eq!(FailureKind::of(&race), FailureKind::Race, "{race}");
        let deadlock = message_of(&options, || {
            let locks = Arc::new((Mutex::new(()), Mutex::new(())));
            let other = thread::spawn({
                let locks = locks.clone();
                move || {
                    let _first = locks.0.lock();
                    let _second = locks.1.lock();
                }
            });
            let second = locks.1.lock();
            let first = locks.0.lock();
            drop((first, second));
            other.join().unwrap();
        });
        assert_eq!(FailureKind::of(&deadlock), FailureKind::Deadlock, "{deadlock}");
        assert_eq!(blocked_threads(&deadlock), [0, 1], "{deadlock}");
        let endless = message_of(&ExploreOptions { branches_max: 20, ..options.clone() }, || {
            let flag = AtomicBool::new(false);
            while !flag.load(Ordering::Relaxed) {}
        });
        assert_eq!(FailureKind::of(&endless), FailureKind::BranchLimit, "{endless}");
        let crowded = message_of(&ExploreOptions { threads_max: 1, ..options.clone() }, || {
            thread::spawn(|| ()).join().unwrap();
        });
        assert_eq!(FailureKind::of(&crowded), FailureKind::ThreadLimit, "{crowded}");
    }
}
