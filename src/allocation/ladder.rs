//! The retry ladder: what happens when an attempt fails, as data.
//!
//! A ladder is a list of rungs. Climbing it is a loop over [`Collect`], which the layers above implement: they know how
//! to attempt, to collect, to call back. Nothing here blocks or knows a thread.
//!
//! The first attempt respects the soft limit, whose only effect is to ask for a collection; after a collection has
//! run, attempts go up to the hard limit. A young request gets major rounds after its minor ones, since repeated
//! minor collections cannot help a full old generation. At the end comes the near-limit callback, then the last
//! resort: collections and the attempt itself inside one stop, so that no rival takes what the collections have
//! freed.

use crate::words::{AllocationType, CollectionKind, Limit, Offset};

/// A step of a ladder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rung {
    /// Try to allocate, within a limit.
    Attempt(Limit),
    /// Have a collection of this kind, or a stronger one, that started after the last attempt.
    Collect(CollectionKind),
    /// Tell the embedder that the limit is near, without any lock held.
    NearLimit,
    /// Collect and attempt inside one stop.
    LastResort,
}

const YOUNG: [Rung; 11] = {
    use CollectionKind::{Major, Minor};
    [
        Rung::Attempt(Limit::Soft),
        Rung::Collect(Minor),
        Rung::Attempt(Limit::Hard),
        Rung::Collect(Minor),
        Rung::Attempt(Limit::Hard),
        Rung::Collect(Major),
        Rung::Attempt(Limit::Hard),
        Rung::Collect(Major),
        Rung::Attempt(Limit::Hard),
        Rung::NearLimit,
        Rung::LastResort,
    ]
};

const OTHERS: [Rung; 7] = [
    Rung::Attempt(Limit::Soft),
    Rung::Collect(CollectionKind::Major),
    Rung::Attempt(Limit::Hard),
    Rung::Collect(CollectionKind::Major),
    Rung::Attempt(Limit::Hard),
    Rung::NearLimit,
    Rung::LastResort,
];

/// The ladder of a request of type `ty`, for a large object or a regular one.
#[must_use]
pub const fn rungs(ty: AllocationType, large: bool) -> &'static [Rung] {
    match ty {
        // A large young object starts as old: a minor collection frees nothing for it.
        AllocationType::Young if !large => &YOUNG,
        _ => &OTHERS,
    }
}

/// Why a collection rung ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Collected {
    /// A collection that meets the request has run.
    Done,
    /// Recent collections freed next to nothing: further rounds are not worth their stops.
    Thrashing,
    /// The heap is poisoned.
    Poisoned,
}

/// What a ladder needs from the heap.
pub trait Collect {
    /// Attempts to allocate within `limit`.
    fn attempt(&mut self, limit: Limit) -> Option<Offset>;
    /// Returns after a collection that meets `kind` and started after the last attempt. Blocks, parked.
    fn collect(&mut self, kind: CollectionKind) -> Collected;
    /// Calls the embedder's near-limit callback.
    fn near_limit(&mut self);
    /// Collects and attempts inside one stop.
    fn last_resort(&mut self) -> Option<Offset>;
}

/// How a climb ended without memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fell {
    /// Every rung was climbed.
    Exhausted,
    /// The heap is poisoned.
    Poisoned,
}

/// Climbs a ladder until a rung yields memory.
///
/// If the collections are thrashing, the remaining rounds are skipped; near-limit and last resort always come, so a
/// request that fits after a full collection is served whatever was tried before.
///
/// # Errors
/// No rung yielded memory, or the heap is poisoned.
pub fn climb(ladder: &[Rung], heap: &mut impl Collect) -> Result<Offset, Fell> {
    let mut skip_rounds = false;
    for rung in ladder {
        match *rung {
            Rung::Attempt(_) | Rung::Collect(_) if skip_rounds => {}
            Rung::Attempt(limit) => {
                if let Some(at) = heap.attempt(limit) {
                    return Ok(at);
                }
            }
            Rung::Collect(kind) => match heap.collect(kind) {
                Collected::Done => {}
                Collected::Thrashing => skip_rounds = true,
                Collected::Poisoned => return Err(Fell::Poisoned),
            },
            Rung::NearLimit => heap.near_limit(),
            Rung::LastResort => {
                if let Some(at) = heap.last_resort() {
                    return Ok(at);
                }
            }
        }
    }
    Err(Fell::Exhausted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records what it was asked, and serves the attempt that is question `serve_at`, counted from 0.
    struct Script {
        asked: Vec<String>,
        serve_at: usize,
        thrashing_at: usize,
    }

    impl Script {
        fn new(serve_at: usize, thrashing_at: usize) -> Script {
            Script { asked: Vec::new(), serve_at, thrashing_at }
        }

        fn answer(&mut self, question: String) -> Option<Offset> {
            self.asked.push(question);
            (self.asked.len() - 1 == self.serve_at).then(|| Offset::new(8))
        }
    }

    impl Collect for Script {
        fn attempt(&mut self, limit: Limit) -> Option<Offset> {
            self.answer(format!("attempt {limit:?}"))
        }
        fn collect(&mut self, kind: CollectionKind) -> Collected {
            self.asked.push(kind.to_string());
            if self.asked.len() - 1 == self.thrashing_at { Collected::Thrashing } else { Collected::Done }
        }
        fn near_limit(&mut self) {
            self.asked.push("near limit".into());
        }
        fn last_resort(&mut self) -> Option<Offset> {
            self.answer("last resort".into())
        }
    }

    /// The ladders, spelled out: a change of policy shows here.
    #[test]
    fn rungs_of_each_type() {
        let climbed = |ty, large| {
            let mut script = Script::new(usize::MAX, usize::MAX);
            assert_eq!(climb(rungs(ty, large), &mut script), Err(Fell::Exhausted));
            script.asked.join(", ")
        };
        let others = "attempt Soft, major, attempt Hard, major, attempt Hard, near limit, last resort";
        let young = "attempt Soft, minor, attempt Hard, minor, attempt Hard, major, attempt Hard, major, \
                     attempt Hard, near limit, last resort";
        assert_eq!(climbed(AllocationType::Young, false), young);
        assert_eq!(climbed(AllocationType::Young, true), others);
        for ty in [AllocationType::Old, AllocationType::Map, AllocationType::Code] {
            assert_eq!(climbed(ty, false), others);
            println!("{ty:?}: {}", climbed(ty, false));
        }
        println!("Young: {young}");
    }

    #[test]
    fn the_climb_ends_at_the_first_success() {
        let mut script = Script::new(2, usize::MAX);
        assert!(climb(rungs(AllocationType::Old, false), &mut script).is_ok());
        assert_eq!(script.asked, ["attempt Soft", "major", "attempt Hard"]);
    }

    #[test]
    fn thrashing_skips_rounds_but_not_the_last_resort() {
        let mut script = Script::new(usize::MAX, 1);
        assert!(climb(rungs(AllocationType::Young, false), &mut script).is_err());
        assert_eq!(script.asked, ["attempt Soft", "minor", "near limit", "last resort"]);
    }
}
