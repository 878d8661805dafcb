//! Watching an exploration fail: what happened in the failing execution, saved at the moment of the panic.
//!
//! A panic inside a model may be the last thing that the process does: what unwinds may meet the broken heap in a
//! destructor, panic again and abort. So a panic hook takes the journal before anything unwinds, and, if the run is a
//! loud one, prints the counterexample at once. The hook runs on the small stack of a modelled thread; drawing is
//! done on a thread of its own.

use super::picture::write_picture;
use super::token::{ExecutionName, Token};
use super::{Pass, Snapshot};
use crate::trace::{Counterexample, Sources};
use heaplab::sync::Exploration;
use heaplab::sync::model_control::{self, JournalEntry};
use heaplab_common::cargo_run;
use heaplab_common::exit::Exit;
use heaplab_common::panics::{WITHOUT_TEXT, panic_text};
use std::cell::RefCell;
use std::io::Write as _;
use std::panic::PanicHookInfo;
use std::sync::Once;

/// What is being explored.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) model: String,
    pub(super) pass: Pass,
    pub(super) bound: String,
    pub(super) mutant: Option<String>,
    /// What to do about a failure as soon as it happens.
    pub(super) on_failure: OnFailure,
    /// The file of the explored program, if no table has the program: the binary replays the file, not the token.
    pub(super) file: Option<String>,
}

/// What to do when an execution fails, before anything unwinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnFailure {
    /// Nothing: [`end`] returns the snapshot.
    Keep,
    /// Print the execution on the error stream, and draw it.
    Show,
    /// If the execution has this number, print it on the output stream, draw it, and end the process, since unwinding
    /// may abort.
    ShowAndEnd(u64),
}

impl OnFailure {
    /// Whether the execution of this number is shown, if it fails.
    fn shows(self, execution: u64) -> bool {
        match self {
            OnFailure::Keep => false,
            OnFailure::Show => true,
            OnFailure::ShowAndEnd(number) => number == execution,
        }
    }
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
            if is_wreckage() {
                // One line, so that the first panic stands out.
                let place = info.location().map_or(String::new(), |location| format!(" ({location})"));
                if let Some(message) = panic_text(info.payload()) {
                    let _ = writeln!(std::io::stderr(), "and then, while that unwound: {}{place}", first_line(message));
                }
                return;
            }
            previous(info);
            on_panic(info);
        }));
    });
    SNAPSHOT.take();
    SUBJECT.replace(Some(subject));
}

/// Ends the watch, of an exploration that is over and whose last journal is given. Returns the failing execution, if
/// there was one.
///
/// Under loom the hook has taken it. The explorer tells of a failure when the execution is over: of many a failure no
/// thread panics.
pub(super) fn end(exploration: &Exploration, journal: Vec<JournalEntry>) -> Option<Snapshot> {
    let subject = SUBJECT.take();
    let taken = SNAPSHOT.take();
    let (Some(subject), Err(message), true) = (subject, &exploration.outcome, taken.is_none()) else { return taken };
    let snapshot = Snapshot {
        execution: exploration.runs,
        graph: exploration.failed_graph.clone(),
        thread: exploration.failed_thread,
        message: message.clone(),
        journal,
        whereabouts: model_control::whereabouts(),
    };
    if subject.on_failure.shows(snapshot.execution) {
        show(&subject, snapshot.clone());
    }
    Some(snapshot)
}

/// Ends the watch of an exploration that did not come about.
pub(super) fn forget() {
    SUBJECT.take();
    SNAPSHOT.take();
}

/// Whether the present execution has panicked before, so that a further panic only follows from the first one. A
/// panic of an earlier execution does not count: the exploration went on, so the model caught that panic on purpose.
fn is_wreckage() -> bool {
    let execution = model_control::execution();
    let is_its = |snapshot: &RefCell<Option<Snapshot>>| {
        snapshot.try_borrow().is_ok_and(|it| it.as_ref().is_some_and(|snapshot| snapshot.execution == execution))
    };
    model_control::is_exploring() && SNAPSHOT.try_with(is_its).unwrap_or(false)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or(WITHOUT_TEXT)
}

fn on_panic(info: &PanicHookInfo<'_>) {
    if !model_control::is_exploring() {
        return;
    }
    let Some(subject) = SUBJECT.with_borrow(Clone::clone) else { return };
    if subject.pass == Pass::Graphs {
        // The explorer tells of its failures itself, see `end`; and a run that it has given up may panic, which is
        // none.
        return;
    }
    // loom ends its coroutines by a panic without text, which is no failure.
    let Some(message) = panic_text(info.payload()) else { return };
    let snapshot = Snapshot {
        execution: model_control::execution(),
        graph: None,
        thread: Some(model_control::current_thread()),
        message: message.to_owned(),
        journal: model_control::journal_so_far(),
        whereabouts: model_control::whereabouts(),
    };
    if subject.on_failure.shows(snapshot.execution) {
        let shown = snapshot.clone();
        let drawn = std::thread::Builder::new().spawn(move || show(&subject, shown));
        if let Ok(drawn) = drawn {
            // A failure to draw must not hide the model's failure.
            let _ = drawn.join();
        }
    }
    SNAPSHOT.replace(Some(snapshot));
}

/// The counterexample of a snapshot.
pub(super) fn counterexample(subject: &Subject, snapshot: Snapshot) -> Counterexample {
    let execution = match snapshot.graph {
        Some(graph) => ExecutionName::Graph(graph),
        None => ExecutionName::Number(snapshot.execution),
    };
    let token = Token::new(&subject.model, subject.pass, execution, subject.mutant.clone());
    Counterexample {
        model: subject.model.clone(),
        pass: subject.pass,
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

/// Prints the columns, writes the picture, and says how to replay the execution.
fn show(subject: &Subject, snapshot: Snapshot) {
    let counterexample = counterexample(subject, snapshot);
    let sources = Sources::new();
    let mut text = counterexample.columns(&sources);
    match write_picture(&counterexample, &sources) {
        Ok(path) => text += &format!("\npicture: {}\n", path.display()),
        Err(error) => text += &format!("\nno picture: {error}\n"),
    }
    text += &match &subject.file {
        None => format!("replay:  {} replay {}\n", cargo_run(), counterexample.token),
        Some(file) => format!("replay:  {} replay {file}\n", cargo_run()),
    };
    // One write, so that models on several threads do not mix. An error is ignored: whoever closed the stream wants
    // no text.
    match subject.on_failure {
        OnFailure::ShowAndEnd(_) => {
            let _ = std::io::stdout().write_all(text.as_bytes());
            Exit::Passed.end_process();
        }
        OnFailure::Keep | OnFailure::Show => _ = std::io::stderr().write_all(text.as_bytes()),
    }
}
