//! How many executions a model has, guessed before they are run.
//!
//! The graphs of an exploration are the nodes of a tree: a graph's children are those that one decision makes of it.
//! The guess is that of stochastic enumeration, which is Knuth's for more than one node at a time: of each level of
//! the tree some nodes are drawn, each as likely as any other, and how many children they have says how many the
//! whole level has. The expected value of the guess is the number of executions; how far a single guess is off depends
//! on how unlike the subtrees are, so that several, with different seeds, tell more than one.

use std::panic::Location;
use std::rc::Rc;

use super::coroutine::{Running, is_running};
use super::state::{Outcome, State};
use crate::branch::Alternative;
use crate::builder::Builder;
use crate::failure::Failure;
use crate::graph::Graph;
use crate::route::Route;

/// A guess of how large an exploration is: see [`Builder::estimate`](crate::model::Builder::estimate).
#[derive(Clone, Copy, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct Estimate {
    /// Complete executions.
    pub executions: f64,
    /// Runs that end in a wait that another execution ends, or that the builder's bound of preemptions leaves out.
    pub others: f64,
    /// How often the model was run for the guess.
    pub runs: u64,
    /// Whether every graph was run, so that the numbers are exact.
    pub is_exact: bool,
}

/// A graph that was made and not run yet.
struct Node {
    graph: Graph,
    route: Route,
    work: Vec<(u32, Alternative)>,
}

/// Numbers that follow from a seed (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    /// So many of the numbers below `bound`, each set of them as likely as any other, in no order.
    fn draw(&mut self, count: usize, bound: usize) -> Vec<usize> {
        // Floyd's method: the k-th step adds a number below the k-th bound, or that bound if the number is there.
        let mut drawn: Vec<usize> = Vec::with_capacity(count);
        for last in bound - count..bound {
            let number = self.below(last + 1);
            drawn.push(if drawn.contains(&number) { last } else { number });
        }
        drawn
    }
}

/// Guesses how many executions `f` has, with at most `breadth` graphs of each level, and how many graphs each level
/// has, of all shards.
#[track_caller]
pub(crate) fn estimate(
    builder: &Builder,
    f: Rc<dyn Fn()>,
    breadth: usize,
    seed: u64,
) -> Result<(Estimate, Vec<f64>), Failure> {
    assert!(!is_running(), "explorations do not nest");
    let place = Location::caller();
    let running = Running::new(State::new(Builder { shard: None, ..builder.clone() }));
    let mut levels = Vec::new();
    let mut numbers = Numbers(seed);
    let mut guess = Estimate { is_exact: true, ..Estimate::default() };
    // How many nodes of the level each node stands for.
    let mut weight = 1.0;
    let first = Node { graph: Graph::default(), route: Route::default(), work: Vec::new() };
    let mut level = vec![first];
    while !level.is_empty() {
        levels.push(weight * level.len() as f64);
        let mut parents = Vec::with_capacity(level.len());
        for node in level {
            running.with(|state| {
                (state.graph, state.route, state.work) = (node.graph, node.route, node.work);
            });
            running.run_entered(&f, place);
            let parent = running.with(|state| {
                match state.settle() {
                    Outcome::Complete => guess.executions += weight,
                    _ => guess.others += weight,
                }
                if let Some(found) = state.found.take() {
                    return Err(state.failure_here(found));
                }
                let (graph, work) = (state.copy_of_graph(), std::mem::take(&mut state.work));
                Ok(Node { graph, route: state.route.clone(), work })
            })?;
            guess.runs += 1;
            parents.push(parent);
        }
        // Each alternative makes no graph, or one, or several: it is the alternatives that are drawn.
        let choices: Vec<(usize, usize)> =
            parents.iter().enumerate().flat_map(|(p, node)| (0..node.work.len()).map(move |w| (p, w))).collect();
        let drawn = numbers.draw(breadth.min(choices.len()), choices.len());
        if drawn.len() < choices.len() {
            guess.is_exact = false;
            weight *= choices.len() as f64 / drawn.len() as f64;
        }
        level = Vec::new();
        for (parent, alternative) in drawn.into_iter().map(|number| choices[number]) {
            running.with(|state| level.extend(state.children(&parents[parent], alternative)));
        }
    }
    Ok((guess, levels))
}

impl State {
    /// The graphs that one alternative makes of a node.
    fn children(&mut self, parent: &Node, alternative: usize) -> Vec<Node> {
        self.graph.clone_from(&parent.graph);
        self.route = parent.route.clone();
        self.work = vec![parent.work[alternative]];
        let mut made = Vec::new();
        while self.next_graph() {
            let (graph, work) = (self.copy_of_graph(), std::mem::take(&mut self.work));
            made.push(Node { graph, route: self.route.clone(), work });
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use super::Numbers;

    // Goal: each set is drawn about as often as any other. Method: all sets of two of four numbers, 6,000 draws.
    #[test]
    fn every_set_is_drawn() {
        let mut numbers = Numbers(1);
        let mut counts = [0; 16];
        for _ in 0..6_000 {
            let drawn = numbers.draw(2, 4);
            assert!(drawn[0] != drawn[1] && drawn.iter().all(|&number| number < 4));
            counts[1 << drawn[0] | 1 << drawn[1]] += 1;
        }
        let sets: Vec<_> = counts.into_iter().filter(|&count| count != 0).collect();
        assert!(sets.len() == 6 && sets.iter().all(|&count| (800..1200).contains(&count)), "{counts:?}");
        assert_eq!(numbers.draw(3, 3).len(), 3);
        assert!(numbers.draw(0, 0).is_empty());
    }
}
