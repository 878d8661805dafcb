//! Making a program smaller by its text, whatever strategy drew it.
//!
//! proptest shrinks what a program was drawn from, and stops where dropping an operation needs another draw as well.
//! [`shrink`] goes on from there: it drops a thread, drops an operation at any depth, or puts an operation's body in
//! its place, as long as the smaller program fails, too. Each step makes the program smaller, so it ends.

use super::program::{Op, Program};

/// The smallest program that it comes to from one that fails; `fails` says why.
pub(crate) fn shrink(program: Program, fails: impl Fn(&Program) -> Option<String>) -> (Program, Option<String>) {
    let (mut program, mut reason) = (program, None);
    while let Some((smaller, why)) =
        smaller(&program).into_iter().find_map(|smaller| fails(&smaller).map(|why| (smaller, why)))
    {
        (program, reason) = (smaller, Some(why));
    }
    (program, reason)
}

/// The programs that are one step smaller.
fn smaller(program: &Program) -> Vec<Program> {
    let mut all = vec![];
    for thread in (1..program.threads.len()).rev() {
        all.extend(without_thread(program, thread));
    }
    for budgets in [(0, program.weak_failures), (program.spurious_wakeups, 0)] {
        if budgets != (program.spurious_wakeups, program.weak_failures) {
            all.push(Program { spurious_wakeups: budgets.0, weak_failures: budgets.1, ..program.clone() });
        }
    }
    for (index, thread) in program.threads.iter().enumerate() {
        for body in smaller_bodies(&thread.body) {
            let mut smaller = program.clone();
            smaller.threads[index].body = body;
            all.push(smaller);
        }
    }
    all.retain(|program| program.threads.iter().all(|thread| waits_in_sections(&thread.body, false)));
    all
}

/// The program without a thread that has no children.
fn without_thread(program: &Program, thread: usize) -> Option<Program> {
    if program.threads.iter().skip(1).any(|child| child.parent == thread) {
        return None;
    }
    let mut smaller = program.clone();
    smaller.threads.remove(thread);
    for later in &mut smaller.threads {
        later.parent -= usize::from(later.parent > thread);
    }
    Some(smaller)
}

fn smaller_bodies(body: &[Op]) -> Vec<Vec<Op>> {
    let mut all = vec![];
    for (index, op) in body.iter().enumerate() {
        let with = |instead: Vec<Op>| [&body[..index], &instead, &body[index + 1..]].concat();
        all.push(with(vec![]));
        if !op.body().is_empty() {
            all.push(with(op.body().to_vec()));
        }
        for inner in smaller_bodies(op.body()) {
            let mut smaller = op.clone();
            if let Op::Section { body, .. } | Op::TrySection { body, .. } | Op::If { body, .. } = &mut smaller {
                *body = inner;
            }
            all.push(with(vec![smaller]));
        }
    }
    all
}

/// Whether every wait is inside of a section.
fn waits_in_sections(body: &[Op], inside: bool) -> bool {
    body.iter().all(|op| match op {
        Op::Wait => inside,
        Op::Section { body, .. } | Op::TrySection { body, .. } => waits_in_sections(body, true),
        _ => waits_in_sections(op.body(), inside),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a program that is wrong if it has a wait, the wait and its section are left.
    #[test]
    fn nothing_is_left_but_what_fails() {
        let load = Op::Load { word: 0, order: std::sync::atomic::Ordering::Relaxed };
        let section = |mutex, body| Op::Section { mutex, body };
        let first = vec![load.clone(), section(0, vec![section(1, vec![load.clone(), Op::Wait])]), load.clone()];
        let program = Program { mutexes: 2, ..Program::parallel(1, vec![vec![load], first]) };
        let (smallest, _) = shrink(program, |program| program.to_string().contains("wait").then(String::new));
        let bodies: Vec<_> = smallest.threads.into_iter().map(|thread| thread.body).collect();
        assert!(
            bodies == [vec![], vec![section(1, vec![Op::Wait])]]
                || bodies == [vec![], vec![section(0, vec![Op::Wait])]]
        );
    }
}
