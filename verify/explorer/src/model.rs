//! How a model is explored: [`Builder`] and [`model`].

use std::fmt;
use std::rc::Rc;

pub use crate::builder::Builder;

use crate::failure::Failure;
use crate::journal::Journal;
use crate::route::Route;
use crate::runtime::estimate::{self, Estimate};
use crate::runtime::replay;
use crate::stats::{Bound, Stats};

/// Explores every execution of `f`.
///
/// # Panics
///
/// If an execution fails, with the failure and the execution; or if the exploration is not complete since it reached
/// [`Builder::max_permutations`] or [`Builder::max_duration`].
///
/// # Examples
///
/// ```
/// use heaplab_explorer::sync::Arc;
/// use heaplab_explorer::sync::atomic::{AtomicUsize, Ordering};
/// use heaplab_explorer::thread;
///
/// heaplab_explorer::model(|| {
///     let count = Arc::new(AtomicUsize::new(0));
///     let other = count.clone();
///     let thread = thread::spawn(move || other.fetch_add(1, Ordering::Relaxed));
///     count.fetch_add(1, Ordering::Relaxed);
///     thread.join().unwrap();
///     assert_eq!(count.load(Ordering::Relaxed), 2);
/// });
/// ```
#[track_caller]
pub fn model<F: Fn() + 'static>(f: F) {
    Builder::new().check(f);
}

/// A complete execution that has just ended.
pub struct Execution<'a> {
    journal: &'a dyn Fn() -> Journal,
    route: &'a Route,
}

impl Execution<'_> {
    /// Its events. Made when it is asked for, in time and memory linear in their number.
    #[must_use]
    pub fn journal(&self) -> Journal {
        (self.journal)()
    }

    /// Its name, by which [`Builder::replay`] runs it again.
    #[must_use]
    pub fn route(&self) -> &Route {
        self.route
    }
}

impl fmt::Debug for Execution<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Execution").field(&self.journal()).finish()
    }
}

impl Builder {
    /// Explores the executions of `f`.
    ///
    /// # Errors
    ///
    /// The first failure. That a bound cut executions off is no failure: look at [`Stats::is_complete`].
    ///
    /// # Panics
    ///
    /// If it is called within an exploration.
    ///
    /// # Examples
    ///
    /// ```
    /// use heaplab_explorer::model::Builder;
    /// use heaplab_explorer::sync::atomic::{AtomicBool, Ordering};
    /// use heaplab_explorer::{FailureKind, thread};
    /// use std::sync::Arc;
    ///
    /// let failure = Builder::new()
    ///     .explore(|| {
    ///         let flag = Arc::new(AtomicBool::new(false));
    ///         let other = Arc::clone(&flag);
    ///         thread::spawn(move || other.store(true, Ordering::Release));
    ///         assert!(!flag.load(Ordering::Acquire), "the other was first");
    ///     })
    ///     .unwrap_err();
    /// assert_eq!(failure.kind, FailureKind::Assertion);
    /// assert!(failure.message.contains("the other was first"));
    /// ```
    #[track_caller]
    pub fn explore<F: Fn() + 'static>(&self, f: F) -> Result<Stats, Failure> {
        replay::explore(self, Rc::new(f), |_, _| {})
    }

    /// As [`Builder::explore`], and shows each complete execution when it ended.
    ///
    /// # Errors
    ///
    /// As [`Builder::explore`].
    #[track_caller]
    pub fn explore_each<F: Fn() + 'static>(
        &self,
        f: F,
        mut on_execution: impl FnMut(&Execution<'_>),
    ) -> Result<Stats, Failure> {
        replay::explore(self, Rc::new(f), move |journal, route| on_execution(&Execution { journal, route }))
    }

    /// Guesses how many executions `f` has, from at most `breadth` graphs at each distance from the first one: an
    /// unbiased guess, and a rough one. The model is run about `breadth` times for each
    /// decision of the longest way to an execution; [`Estimate::runs`] says how often. A shard does not matter.
    ///
    /// # Errors
    ///
    /// A failure of one of these runs.
    ///
    /// # Panics
    ///
    /// If it is called within an exploration, or with a `breadth` of 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use heaplab_explorer::model::Builder;
    /// use heaplab_explorer::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    /// use heaplab_explorer::thread;
    /// use std::sync::Arc;
    ///
    /// let model = || {
    ///     let x = Arc::new(AtomicUsize::new(0));
    ///     for _ in 0..3 {
    ///         let x = x.clone();
    ///         thread::spawn(move || (0..3).for_each(|_| _ = x.fetch_add(1, Relaxed)));
    ///     }
    /// };
    /// let guess = Builder::new().estimate(100, 1, model).unwrap();
    /// // There are 9! / (3! 3! 3!) executions.
    /// assert!((1680.0 / 3.0..1680.0 * 3.0).contains(&guess.executions));
    /// ```
    #[track_caller]
    pub fn estimate<F: Fn() + 'static>(&self, breadth: usize, seed: u64, f: F) -> Result<Estimate, Failure> {
        assert!(breadth != 0, "a guess needs at least one graph");
        estimate::estimate(self, Rc::new(f), breadth, seed).map(|(guess, _)| guess)
    }

    /// Runs the execution of `f` that `route` names, and the few on the way to it. Returns the execution, and whether
    /// it is complete: a run may end in a wait that another execution ends.
    ///
    /// The model, the explorer and the builder are those that the route was made with.
    ///
    /// # Errors
    ///
    /// The failure of that execution; or [`FailureKind::Misfit`](crate::FailureKind::Misfit), if the route does not fit
    /// the model.
    ///
    /// # Panics
    ///
    /// If it is called within an exploration.
    ///
    /// # Examples
    ///
    /// ```
    /// use heaplab_explorer::model::Builder;
    /// use heaplab_explorer::sync::atomic::{AtomicBool, Ordering};
    /// use heaplab_explorer::thread;
    /// use std::sync::Arc;
    ///
    /// fn model() {
    ///     let flag = Arc::new(AtomicBool::new(false));
    ///     let other = Arc::clone(&flag);
    ///     thread::spawn(move || other.store(true, Ordering::Release));
    ///     assert!(!flag.load(Ordering::Acquire), "the other was first");
    /// }
    ///
    /// let failure = Builder::new().explore(model).unwrap_err();
    /// let token = failure.route.to_string();
    /// let again = Builder::new().replay(&token.parse().unwrap(), model).unwrap_err();
    /// assert_eq!(again.message, failure.message);
    /// ```
    #[track_caller]
    pub fn replay<F: Fn() + 'static>(&self, route: &Route, f: F) -> Result<(Journal, bool), Failure> {
        replay::follow(self, Rc::new(f), route)
    }

    /// Explores the executions of `f`, and panics where that fails.
    ///
    /// # Panics
    ///
    /// As [`model`].
    #[track_caller]
    pub fn check<F: Fn() + 'static>(&self, f: F) {
        let stats = match self.explore(f) {
            Ok(stats) => stats,
            Err(failure) => panic!("{failure}"),
        };
        if self.log {
            println!("{stats}");
        } else if !stats.is_complete() {
            eprintln!("heaplab-explorer: not complete: {stats}");
        }
        let is_cut = |bound: &&Bound| matches!(bound, Bound::Executions(_) | Bound::Duration(_));
        if let Some(bound) = stats.bounds_met.iter().find(is_cut) {
            panic!("the exploration is not complete: {bound}");
        }
    }
}
