//! What is written on a step: the operation, its object and values, its ordering, where it stands, and what is odd.

use super::scene::Scene;
use super::sources::place;
use super::step::{Step, StepKind};
use super::text::value;
use heaplab::sync::Ordering;
use heaplab::sync::model_control::{Action, Change, JournalEntry, Operand};
use std::collections::BTreeSet;

/// Bytes of the longest function name that is shown. Longer names are those of tests, and say nothing that the
/// model's name does not.
const FUNCTION_MAX: usize = 24;

/// What stands behind an operation that the mutant changed.
pub(super) fn mutant(change: Change) -> String {
    match change {
        Change::Weaken(_) => " (mutant)".to_owned(),
        Change::Drop => " (mutant: dropped)".to_owned(),
        Change::Double => " (mutant: twice)".to_owned(),
        Change::Split => " (mutant: load, then store)".to_owned(),
        Change::Postpone => " (mutant: put off)".to_owned(),
    }
}

/// The text of a step, in pieces. Each rendering joins them in its own way.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Label {
    /// Object and operation: `words#1.fetch_or`, `lock collector`.
    pub(super) what: String,
    /// What was read and written: `0→2`.
    pub(super) value: String,
    /// The ordering that was performed.
    pub(super) ordering: Option<Ordering>,
    /// What the mutant changed here.
    pub(super) change: Option<Change>,
    /// What a stale read passed over, in words.
    pub(super) stale: Option<String>,
    /// The number of the step whose value was read, when it is another thread's.
    pub(super) from: Option<usize>,
    /// Function, file and line.
    pub(super) place: String,
}

impl Label {
    /// Characters of value and ordering, each with the blank before it.
    pub(super) fn values_width(&self) -> usize {
        let ordering = self.ordering.map_or(0, |ordering| format!("{ordering:?}").len() + 1);
        let mutant = self.change.map_or(0, |change| mutant(change).len());
        let value = if self.value.is_empty() { 0 } else { self.value.chars().count() + 1 };
        ordering + mutant + value
    }
}

/// The number that a reader sees for a step.
pub(super) fn number_of(step: usize) -> usize {
    step + 1
}

impl Scene<'_> {
    /// The text of a step.
    pub(super) fn label(&self, step: &Step) -> Label {
        let first = step.entries[0];
        match step.kind {
            StepKind::Single => self.label_entry(first),
            StepKind::Spin => {
                let times = step.entries.iter().filter(|&&at| self.journal[at].action != Action::Yield).count();
                let mut label = self.label_entry(first);
                label.value = format!("{} ×{times}", label.value);
                label
            }
            StepKind::Setup => {
                let changed = step.entries.iter().filter(|&&at| self.journal[at].change.is_some()).count();
                let changed = if changed == 0 { String::new() } else { format!(", {changed} of them by the mutant") };
                Label { what: format!("setup: {} operations{changed}", step.entries.len()), ..Label::default() }
            }
            StepKind::Aside => {
                let what = format!("… {} operations", step.entries.len());
                Label { what, place: self.files_of(step), ..Label::default() }
            }
            StepKind::Elided => {
                Label { what: format!("… {} operations, not shown …", step.entries.len()), ..Label::default() }
            }
            StepKind::EmptyLock => {
                let label = self.label_entry(first);
                Label { what: label.what.replacen("lock ", "lock, unlock ", 1), ..label }
            }
            StepKind::PlainRun => self.label_run(step),
        }
    }

    /// The files that a step's entries are in, in the order in which they first come.
    fn files_of(&self, step: &Step) -> String {
        const FILES_MAX: usize = 4;
        let mut files: Vec<&str> = Vec::new();
        for &at in &step.entries {
            let path = self.journal[at].site.file;
            let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
            if !files.contains(&file) {
                files.push(file);
            }
        }
        let more = if files.len() > FILES_MAX { ", …" } else { "" };
        files.truncate(FILES_MAX);
        format!("in {}{more}", files.join(", "))
    }

    fn label_run(&self, step: &Step) -> Label {
        let count = |action| step.entries.iter().filter(|&&at| self.journal[at].action == action).count();
        let plural = |count, of: &str| format!("{count} {of}{}", if count == 1 { "" } else { "s" });
        let what = match (count(Action::PlainRead), count(Action::PlainWrite)) {
            (reads, 0) => plural(reads, "plain read"),
            (0, writes) => plural(writes, "plain write"),
            (reads, writes) => format!("{}, {}", plural(reads, "plain read"), plural(writes, "write")),
        };
        let objects: BTreeSet<usize> = step.entries.iter().map(|&at| self.journal[at].object).collect();
        let range = self.range_of(&objects);
        let mut values = step.entries.iter().map(|&at| self.journal[at].written);
        let value = match values.next().flatten() {
            Some(written) if values.all(|other| other == Some(written)) => format!("= {}", value(written)),
            _ => String::new(),
        };
        let change = step.entries.iter().find_map(|&at| self.journal[at].change);
        let place = self.place_of(step.entries[0]);
        Label { what: format!("{what}, {range}"), value, place, change, ..Label::default() }
    }

    /// Several objects in few words: `heap+0x40..0x7c` for objects of one kind, else the first names.
    fn range_of(&self, objects: &BTreeSet<usize>) -> String {
        const NAMES_MAX: usize = 2;
        let names: Vec<&str> = objects.iter().map(|&object| self.names.of(object)).collect();
        let stem = |name: &str| name.rfind(['+', '#']).map(|at| name[..=at].to_owned());
        match names.as_slice() {
            [only] => (*only).to_owned(),
            [lowest, .., highest] if stem(lowest).is_some() && names.iter().all(|name| stem(name) == stem(lowest)) => {
                format!("{lowest}..{}", &highest[highest.rfind(['+', '#']).map_or(0, |at| at + 1)..])
            }
            _ if names.len() <= NAMES_MAX => names.join(", "),
            _ => format!("{}, …", names[..NAMES_MAX].join(", ")),
        }
    }

    fn label_entry(&self, at: usize) -> Label {
        let entry = &self.journal[at];
        let name = self.names.of(entry.object);
        let mut label = Label { place: self.place_of(at), change: entry.change, ..Label::default() };
        label.what = match entry.action {
            Action::Ordered(operand, ordering) => {
                label.ordering = Some(ordering);
                let method = self.method_of(entry, operand);
                if operand == Operand::Fence { method } else { format!("{name}.{method}") }
            }
            Action::PlainRead => format!("read {name}"),
            Action::PlainWrite => format!("write {name}"),
            Action::Lock => format!("lock {name}"),
            Action::LockHeld => format!("try_lock {name}: held"),
            Action::Unlock => format!("unlock {name}"),
            Action::Wait => format!("wait on {name}"),
            Action::Woken => format!("woken on {name}"),
            Action::NotifyOne => format!("notify one of {name}"),
            Action::NotifyAll => format!("notify all of {name}"),
            Action::Spawn => format!("start thread {}", entry.written.unwrap_or(0)),
            Action::Join => self.history.joined[at].map_or("join".to_owned(), |child| format!("join thread {child}")),
            Action::Yield => "yield".to_owned(),
            Action::Fault(fault) => format!("FAULT: {fault}"),
            other => format!("{other:?} {name}"),
        };
        if entry.action != Action::Spawn {
            label.value = match (entry.read, entry.written) {
                (Some(read), Some(written)) => format!("{}→{}", value(read), value(written)),
                (Some(read), None) => value(read),
                (None, Some(written)) => format!("= {}", value(written)),
                (None, None) => String::new(),
            };
        }
        if let Some(read) = self.history.reads[at] {
            let is_of_another = |source: &usize| self.journal[*source].thread != entry.thread;
            if let Action::Ordered(..) = entry.action {
                label.from = read.source.filter(is_of_another).map(|source| number_of(self.step_of[source]));
            }
            if read.newer.is_some() && read.source.is_none() {
                label.value.push_str(" (first)");
            }
            label.stale = read.newer.map(|(newer, count)| {
                let written =
                    self.journal[newer].written.map_or(String::new(), |written| format!(" {}", value(written)));
                let others = if count > 1 { format!(" ({count} newer)") } else { String::new() };
                format!("#{} wrote{written}{others}", number_of(self.step_of[newer]))
            });
        }
        label
    }

    fn place_of(&self, at: usize) -> String {
        let site = self.journal[at].site;
        match self.sources.function(site) {
            Some(function) if function.len() <= FUNCTION_MAX => format!("{function} {}", place(site)),
            _ => place(site),
        }
    }

    /// The method's name. For a read-modify-write the source is asked, since the action alone does not tell
    /// `fetch_or` from `swap`.
    fn method_of(&self, entry: &JournalEntry, operand: Operand) -> String {
        let generic = match operand {
            Operand::Load => "load",
            Operand::Store => "store",
            Operand::CasSuccess => return "cas".to_owned(),
            Operand::CasFailure => return "cas failed".to_owned(),
            Operand::Fence => return "fence".to_owned(),
            Operand::Rmw => "rmw",
            Operand::Notify => "notify",
            Operand::PlainStore => "write",
        };
        match self.sources.method(entry.site) {
            Some(method) if operand == Operand::Rmw && (method.starts_with("fetch_") || method == "swap") => method,
            _ => generic.to_owned(),
        }
    }

    /// Everything about a step, for its tooltip.
    pub(super) fn detail(&self, step: &Step) -> String {
        const LINES_MAX: usize = 24;
        let mut lines: Vec<String> = Vec::new();
        for &at in step.entries.iter().take(LINES_MAX) {
            let entry = &self.journal[at];
            let Label { what, value, ordering, change, stale, from, .. } = self.label_entry(at);
            let mut line = format!("thread {}: {what} {value}", entry.thread);
            if let Some(ordering) = ordering {
                line.push_str(&format!(" {ordering:?}"));
            }
            if let Some(change) = change {
                line.push_str(&mutant(change));
            }
            if let Some(from) = from {
                line.push_str(&format!(", a value written in #{from}"));
            }
            if let Some(stale) = stale {
                line.push_str(&format!(", STALE: {stale}"));
            }
            lines.push(line);
            if step.entries.len() == 1 {
                lines.push(entry.site.to_string());
                lines.extend(self.sources.line(entry.site));
                if entry.object != 0 {
                    lines.push(format!("object at {:#x}", entry.object));
                }
            } else {
                lines.push(format!("    {}", place(entry.site)));
            }
        }
        if step.entries.len() > LINES_MAX {
            lines.push(format!("… and {} more", step.entries.len() - LINES_MAX));
        }
        lines.join("\n")
    }

    /// The failure as it is drawn at `thread`: a heading and the text.
    pub(super) fn describe_failure(&self, thread: usize) -> (&'static str, String) {
        self.diagnosis.describe(thread, &self.counterexample.message, self.journal, &self.names, self.sources)
    }

    /// Model, pass, bound and execution, in a line.
    pub(super) fn circumstances(&self) -> String {
        let Self { counterexample, .. } = self;
        format!("{} pass, {}, execution {}", counterexample.pass, counterexample.bound, counterexample.execution)
    }
}
