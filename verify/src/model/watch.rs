//! Watching an exploration fail: what happened in the failing execution, saved at the moment of the panic.
//!
//! A panic inside a model may be the last thing that the process does: what unwinds may meet the broken heap in a
//! destructor, panic again and abort. So a panic hook takes the journal before anything unwinds, and, if the run is a loud
//! one, prints the counterexample there and then. The hook runs on the small stack of a modelled thread; drawing is done on
//! a thread of its own.

use super::token::Token;
use crate::trace::{Counterexample, Sources};
use heaplab::sync::model_control::{self, JournalEntry, Site};
use std::cell::RefCell;
use std::panic::PanicHookInfo;
use std::sync::Once;

/// The failing execution, or one that was replayed.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Its number, from 1.
    pub execution: u64,
    /// Who failed, if anybody did.
    pub thread: Option<usize>,
    /// What was said, if it failed.
    pub message: String,
    /// What happened.
    pub journal: Vec<JournalEntry>,
    /// Where each thread stood at the end.
    pub whereabouts: Vec<(usize, Site)>,
}

/// What is being explored.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) model: String,
    pub(super) pass: String,
    pub(super) bound: String,
    pub(super) mutant: Option<String>,
    /// Whether to show a failure as soon as it happens.
    pub(super) loud: bool,
}

thread_local! {
    static SUBJECT: RefCell<Option<Subject>> = const { RefCell::new(None) };
    static SNAPSHOT: RefCell<Option<Snapshot>> = const { RefCell::new(None) };
}

/// Watches what this system thread explores until [`end`].
pub(super) fn begin(subject: Subject) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            previous(info);
            on_panic(info);
        }));
    });
    SNAPSHOT.take();
    SUBJECT.replace(Some(subject));
}

/// Ends the watch; the failing execution, if there was one.
pub(super) fn end() -> Option<Snapshot> {
    SUBJECT.take();
    SNAPSHOT.take()
}

fn on_panic(info: &PanicHookInfo<'_>) {
    // The first panic is the failure; what comes after it is wreckage.
    let is_first = SNAPSHOT.try_with(|snapshot| snapshot.try_borrow().is_ok_and(|it| it.is_none())).unwrap_or(false);
    if !is_first || !model_control::is_exploring() {
        return;
    }
    let Some(subject) = SUBJECT.with_borrow(Clone::clone) else { return };
    let payload = info.payload();
    let message = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
    // loom ends coroutines by a panic of its own, which is nobody's failure.
    let Some(message) = message.map(str::to_owned) else { return };
    let snapshot = Snapshot {
        execution: model_control::execution(),
        thread: Some(model_control::current_thread()),
        message,
        journal: model_control::journal_so_far(),
        whereabouts: model_control::whereabouts(),
    };
    if subject.loud {
        let shown = snapshot.clone();
        let drawn = std::thread::Builder::new().spawn(move || show(&subject, shown));
        if let Ok(drawn) = drawn {
            // A failure to draw must not hide the failure.
            let _ = drawn.join();
        }
    }
    SNAPSHOT.replace(Some(snapshot));
}

/// The counterexample of a snapshot.
pub(super) fn counterexample(subject: &Subject, snapshot: Snapshot) -> Counterexample {
    let token = Token::new(&subject.model, &subject.pass, snapshot.execution, subject.mutant.clone());
    Counterexample {
        model: subject.model.clone(),
        pass: subject.pass.clone(),
        bound: subject.bound.clone(),
        execution: snapshot.execution,
        message: snapshot.message,
        failed_thread: snapshot.thread,
        token: token.to_string(),
        mutant: subject.mutant.clone(),
        journal: snapshot.journal,
        whereabouts: snapshot.whereabouts,
    }
}

/// Prints the columns, writes the picture, and says how to see it again.
pub(super) fn show(subject: &Subject, snapshot: Snapshot) {
    let counterexample = counterexample(subject, snapshot);
    let sources = Sources::new();
    let mut text = counterexample.columns(&sources);
    match super::runner::write_picture(&counterexample, &sources) {
        Ok(path) => text += &format!("\npicture: {}\n", path.display()),
        Err(error) => text += &format!("\nno picture: {error}\n"),
    }
    text += &format!("replay:  cargo run --release --features loom -- replay {}\n", counterexample.token);
    // One write, so that models on several threads do not mix; whoever closed the stream wants no text.
    use std::io::Write as _;
    let _ = std::io::stderr().write_all(text.as_bytes());
}
