//! Asides: what a long execution does meanwhile, in one row each.
//!
//! Most steps of a long execution say nothing about its failure: a collector walks the heap, the verifier reads it
//! all again. Where there are too many to look at, runs of one thread's steps that are not *telling* become one step.
//! Telling are:
//!
//! - faults, what a mutant changed, the two ends of a race, and every later access to an object of these two;
//! - a stale read, a read of what another thread wrote in the meantime, and the writes that they read or passed over;
//! - threads that start, end, wait and wake, locks handed over from one to another, and the two ends of a stop;
//! - the last steps, which lead to the failure.

use super::failure::Diagnosis;
use super::history::{Edge, History};
use super::step::{Step, StepKind};
use heaplab::sync::model_control::{Action, JournalEntry};
use std::collections::BTreeSet;

/// The most steps of an execution that is drawn step by step.
pub(super) const STEPS_MIN: usize = 60;
/// Steps before the failure that are always drawn.
const LAST: usize = 10;
/// The shortest run that is folded.
const RUN_MIN: usize = 3;

/// Folds what is not telling, from the step `fixed` on.
pub(super) fn folded(steps: Vec<Step>, fixed: usize, telling: &BTreeSet<usize>) -> Vec<Step> {
    let last = steps.len().saturating_sub(LAST);
    let is_aside = |index: usize, step: &Step| {
        (fixed..last).contains(&index) && !step.entries.iter().any(|entry| telling.contains(entry))
    };
    let asides: Vec<bool> = steps.iter().enumerate().map(|(index, step)| is_aside(index, step)).collect();
    let mut folded: Vec<Step> = Vec::new();
    let mut at = 0;
    let mut steps = steps.into_iter().peekable();
    while let Some(step) = steps.next() {
        let mut run = vec![step];
        while asides[at]
            && let Some(next) = steps.next_if(|next| asides[at + run.len()] && next.thread == run[0].thread)
        {
            run.push(next);
        }
        at += run.len();
        if run.len() < RUN_MIN {
            folded.extend(run);
            continue;
        }
        let thread = run[0].thread;
        let entries = run.into_iter().flat_map(|step| step.entries).collect();
        folded.push(Step { kind: StepKind::Aside, thread, entries });
    }
    folded
}

/// The entries of the journal that say something about the failure.
pub(super) fn telling(
    journal: &[JournalEntry],
    diagnosis: &Diagnosis,
    history: &History,
    is_end_of_stop: impl Fn(&JournalEntry) -> bool,
) -> BTreeSet<usize> {
    let mut telling = BTreeSet::new();
    let mut suspects = BTreeSet::new();
    for (at, entry) in journal.iter().enumerate() {
        let is_odd = entry.change.is_some() || diagnosis.is_about(at);
        if is_odd {
            suspects.insert(entry.object);
        }
        let is_suspect = entry.object != 0 && suspects.contains(&entry.object);
        let is_of_threads = matches!(
            entry.action,
            Action::Spawn
                | Action::Join
                | Action::Wait
                | Action::Woken
                | Action::NotifyOne
                | Action::NotifyAll
                | Action::LockHeld
                | Action::Fault(_)
        );
        if is_odd || is_suspect || is_of_threads || is_end_of_stop(entry) {
            telling.insert(at);
        }
        if let Some(before) = history.after[at].filter(|&before| journal[before].thread != entry.thread) {
            telling.extend([before, at]);
        }
        let Some(read) = history.reads[at] else { continue };
        if let Some((newer, _)) = read.newer {
            telling.extend([newer, at]);
            telling.extend(read.source);
        }
        if let Some(source) = read.source
            && journal[source].thread != entry.thread
            && read.edge != Edge::Known
        {
            telling.extend([source, at]);
        }
    }
    telling
}
