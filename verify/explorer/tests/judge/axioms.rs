//! RC11 as a check of one execution: whether the memory model allows it.
//!
//! The definitions are those of O. Lahav, V. Vafeiadis, J. Kang, C.-K. Hur, D. Dreyer, "Repairing Sequential
//! Consistency in C/C++11", PLDI 2017, section 3, with one change that C++20 made (P0982, "Weaken release sequences"):
//! later stores of the same thread no longer belong to a release sequence; [`ReleaseSequences`] has both.
//! The names are the paper's, so that a line here can be laid beside a line there:
//!
//! | name | definition |
//! |---|---|
//! | rs | `[W]; (sb\|loc)?; [W^rlx]; (rf; rmw)*`, in C++20 `[W^rlx]; (rf; rmw)*` |
//! | sw | `[E^rel]; ([F]; sb)?; rs; rf; [R^rlx]; (sb; [F])?; [E^acq]`, and spawn to begin, end to join (asw) |
//! | hb | `(sb ∪ sw)+` |
//! | rb | `rf⁻¹; mo`, without the identity (elsewhere: fr) |
//! | eco | `(rf ∪ mo ∪ rb)+` |
//! | scb | `sb ∪ sb\|≠loc; hb; sb\|≠loc ∪ hb\|loc ∪ mo ∪ rb` |
//! | psc_base | `([E^sc] ∪ [F^sc]; hb?); scb; ([E^sc] ∪ hb?; [F^sc])` |
//! | psc_F | `[F^sc]; (hb ∪ hb; eco; hb); [F^sc]` |
//!
//! An execution is consistent if
//!
//! * **AX-1** COHERENCE: `hb; eco?` is irreflexive,
//! * **AX-2** ATOMICITY: `rmw ∩ (rb; mo)` is empty,
//! * **AX-3** SC: `psc_base ∪ psc_F` is acyclic,
//! * **AX-4** NO-THIN-AIR: `sb ∪ rf` is acyclic, also with asw and with the edges from notifications to those they
//!   wake.
//!
//! A read-modify-write is a read and a write, related by `rmw`, as in the paper. Cells have no values: an access of a
//! cell is an event that no rf and no mo has, and that takes part in races only. Every definition is computed as it
//! stands, from the pairs of the relations before it; nothing is derived incrementally.

use super::relation::{Relation, Row};
use std::sync::atomic::Ordering;

/// The access mode of an event, as in the paper: `na`, `rlx`, `acq`, `rel`, `acqrel`, `sc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Mode {
    Plain,
    Relaxed,
    Acquire,
    Release,
    AcqRel,
    SeqCst,
}

impl Mode {
    /// The mode of a load, a store or a fence with this ordering.
    pub(crate) fn of(order: Ordering) -> Mode {
        match order {
            Ordering::Relaxed => Mode::Relaxed,
            Ordering::Acquire => Mode::Acquire,
            Ordering::Release => Mode::Release,
            Ordering::AcqRel => Mode::AcqRel,
            Ordering::SeqCst => Mode::SeqCst,
            other => panic!("no mode for {other:?}"),
        }
    }

    /// The mode of the read of a read-modify-write with this ordering.
    pub(crate) fn of_read(order: Ordering) -> Mode {
        match order {
            Ordering::Release => Mode::Relaxed,
            Ordering::AcqRel => Mode::Acquire,
            other => Mode::of(other),
        }
    }

    /// The mode of the write of a read-modify-write with this ordering.
    pub(crate) fn of_write(order: Ordering) -> Mode {
        match order {
            Ordering::Acquire => Mode::Relaxed,
            Ordering::AcqRel => Mode::Release,
            other => Mode::of(other),
        }
    }

    fn acquires(self) -> bool {
        matches!(self, Mode::Acquire | Mode::AcqRel | Mode::SeqCst)
    }

    fn releases(self) -> bool {
        matches!(self, Mode::Release | Mode::AcqRel | Mode::SeqCst)
    }
}

/// What an event does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    Write,
    Fence,
    /// A step of the thread without a place: begin, end, spawn, join, wake.
    Step,
}

/// An event of an execution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) kind: Kind,
    pub(crate) mode: Mode,
    /// The word, mutex, condition variable or cell that a read or a write is of.
    pub(crate) place: Option<usize>,
}

/// An execution without its modification order.
#[derive(Clone, Debug)]
pub(crate) struct Execution {
    pub(crate) events: Vec<Event>,
    /// Sequenced before; the initial writes come before all others.
    pub(crate) sb: Relation,
    /// From the read to the write of each read-modify-write.
    pub(crate) rmw: Relation,
    /// Additional synchronisation: spawn to begin, end to join.
    pub(crate) asw: Relation,
    /// From notifications to the wake-ups that they cause. Such an edge orders execution, and synchronises nothing.
    pub(crate) wakes: Relation,
    /// Reads from: of each read of a word, mutex or condition variable, the write that it takes its value from.
    pub(crate) rf: Relation,
}

/// Which definition of release sequences is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReleaseSequences {
    Cxx20,
    /// The paper's, which has the later stores of the same thread.
    Cxx11,
    /// A mutant: no read-modify-write continues a sequence.
    HeadOnly,
}

/// Which axioms are in force. Anything but [`Axioms::RC11`] is a mutant that tests of the judge use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axioms {
    pub(crate) coherence: bool,
    pub(crate) atomicity: bool,
    pub(crate) psc_base: bool,
    pub(crate) psc_fences: bool,
    pub(crate) no_thin_air: bool,
    /// Whether fences take part in `sw`.
    pub(crate) fence_synchronisation: bool,
    /// Whether spawning and joining synchronise.
    pub(crate) thread_synchronisation: bool,
    /// Whether accesses synchronise at all.
    pub(crate) synchronisation: bool,
    pub(crate) release_sequences: ReleaseSequences,
    /// Whether `scb` has all of `hb`, as in C11 before the repair.
    pub(crate) sc_by_happens_before: bool,
}

impl Axioms {
    pub(crate) const RC11: Axioms = Axioms {
        coherence: true,
        atomicity: true,
        psc_base: true,
        psc_fences: true,
        no_thin_air: true,
        fence_synchronisation: true,
        thread_synchronisation: true,
        synchronisation: true,
        release_sequences: ReleaseSequences::Cxx20,
        sc_by_happens_before: false,
    };
}

/// The axiom that an execution violates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Violated {
    Coherence,
    Atomicity,
    Sc,
    NoThinAir,
}

impl Execution {
    /// The events with a property.
    fn set(&self, property: impl Fn(&Event) -> bool) -> Row {
        self.events.iter().enumerate().fold(0, |set, (index, event)| set | Row::from(property(event)) << index)
    }

    fn identity(&self, property: impl Fn(&Event) -> bool) -> Relation {
        Relation::identity(self.events.len(), self.set(property))
    }

    /// The pairs of events of one place.
    fn same_place(&self) -> Relation {
        let mut same = Relation::empty(self.events.len());
        for (from, a) in self.events.iter().enumerate() {
            for (to, b) in self.events.iter().enumerate() {
                if a.place.is_some() && a.place == b.place {
                    same.insert(from, to);
                }
            }
        }
        same
    }

    /// `sb ∪ rf` with what else one event waits for another by.
    pub(crate) fn causes(&self) -> Relation {
        &self.sb | &self.rf | &self.asw | &self.wakes
    }

    /// `rs`.
    fn release_sequences(&self, axioms: &Axioms) -> Relation {
        let atomic_writes = self.identity(|event| event.kind == Kind::Write && event.mode >= Mode::Relaxed);
        let continued = self.rf.then(&self.rmw).star();
        match axioms.release_sequences {
            ReleaseSequences::Cxx20 => atomic_writes.then(&continued),
            ReleaseSequences::Cxx11 => {
                let writes = self.identity(|event| event.kind == Kind::Write);
                let later = self.sb.and(&self.same_place()).or_same();
                writes.then(&later).then(&atomic_writes).then(&continued)
            }
            ReleaseSequences::HeadOnly => atomic_writes,
        }
    }

    /// `sw`.
    fn synchronises_with(&self, axioms: &Axioms) -> Relation {
        let n = self.events.len();
        let fences = match axioms.fence_synchronisation {
            true => self.identity(|event| event.kind == Kind::Fence),
            false => Relation::empty(n),
        };
        let releasing = self.identity(|event| event.mode.releases());
        let acquiring = self.identity(|event| event.mode.acquires());
        let atomic_reads = self.identity(|event| event.kind == Kind::Read && event.mode >= Mode::Relaxed);
        let from_fence = fences.then(&self.sb).or_same();
        let to_fence = self.sb.then(&fences).or_same();
        let accesses = releasing
            .then(&from_fence)
            .then(&self.release_sequences(axioms))
            .then(&self.rf)
            .then(&atomic_reads)
            .then(&to_fence)
            .then(&acquiring);
        match (axioms.synchronisation, axioms.thread_synchronisation) {
            (true, true) => accesses | &self.asw,
            (true, false) => accesses,
            (false, true) => self.asw.clone(),
            (false, false) => Relation::empty(n),
        }
    }

    /// `hb`.
    pub(crate) fn happens_before(&self, axioms: &Axioms) -> Relation {
        (&self.sb | &self.synchronises_with(axioms)).closure()
    }

    /// Checks the axioms with this modification order; `hb` is what [`Execution::happens_before`] returned.
    ///
    /// # Errors
    ///
    /// The first axiom that does not hold.
    pub(crate) fn check(&self, axioms: &Axioms, hb: &Relation, mo: &Relation) -> Result<(), Violated> {
        let n = self.events.len();
        let same_event = Relation::identity(n, Row::MAX);
        let rb = self.rf.inverse().then(mo).without(&same_event);
        let eco = (&self.rf | mo | &rb).closure();
        if axioms.coherence && !hb.then(&eco.or_same()).is_irreflexive() {
            return Err(Violated::Coherence);
        }
        if axioms.atomicity && !self.rmw.and(&rb.then(mo)).is_empty() {
            return Err(Violated::Atomicity);
        }
        if axioms.no_thin_air && !self.causes().is_acyclic() {
            return Err(Violated::NoThinAir);
        }
        let mut psc = Relation::empty(n);
        if axioms.psc_base {
            psc = psc | &self.psc_base(axioms, hb, mo, &rb);
        }
        if axioms.psc_fences {
            psc = psc | &self.psc_fences(hb, &eco);
        }
        if !psc.is_acyclic() {
            return Err(Violated::Sc);
        }
        Ok(())
    }

    fn psc_base(&self, axioms: &Axioms, hb: &Relation, mo: &Relation, rb: &Relation) -> Relation {
        let sc = |event: &Event| event.mode == Mode::SeqCst;
        if self.set(sc) == 0 {
            return Relation::empty(self.events.len());
        }
        let same_place = self.same_place();
        let sb_elsewhere = self.sb.without(&same_place);
        let scb = match axioms.sc_by_happens_before {
            false => &self.sb | &sb_elsewhere.then(hb).then(&sb_elsewhere) | &hb.and(&same_place) | mo | rb,
            true => hb | mo | rb,
        };
        let events = self.identity(sc);
        let fences = self.identity(|event| sc(event) && event.kind == Kind::Fence);
        let from = &events | &fences.then(&hb.or_same());
        let to = &events | &hb.or_same().then(&fences);
        from.then(&scb).then(&to)
    }

    fn psc_fences(&self, hb: &Relation, eco: &Relation) -> Relation {
        let fences = self.identity(|event| event.mode == Mode::SeqCst && event.kind == Kind::Fence);
        if fences.is_empty() {
            return fences;
        }
        let between = hb | &hb.then(eco).then(hb);
        fences.then(&between).then(&fences)
    }

    /// Whether two accesses of one place, one of them plain and one of them a write, are unordered by `hb`.
    pub(crate) fn has_race(&self, hb: &Relation) -> bool {
        let access = |event: &Event| matches!(event.kind, Kind::Read | Kind::Write);
        let racy = |(a, first): (usize, &Event)| {
            self.events.iter().enumerate().skip(a + 1).any(|(b, second)| {
                access(first)
                    && access(second)
                    && first.place == second.place
                    && (first.kind == Kind::Write || second.kind == Kind::Write)
                    && (first.mode == Mode::Plain || second.mode == Mode::Plain)
                    && !hb.has(a, b)
                    && !hb.has(b, a)
            })
        };
        self.events.iter().enumerate().any(racy)
    }
}
