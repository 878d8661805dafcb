//! Binary relations over the events of an execution, as bit matrices.
//!
//! The row of event *a* is the set of all *b* with (*a*, *b*) in the relation. An execution has at most [`EVENTS_MAX`]
//! events, so a row is one integer. The operations are those of the calculus of relations in which memory models are
//! written: union, composition, inverse, reflexive and transitive closure, restriction to sets of events.

use std::ops::BitOr;

/// A set of events.
pub(crate) type Row = u128;

/// The most events of one execution.
pub(crate) const EVENTS_MAX: usize = Row::BITS as usize;

/// A binary relation over the events `0..n`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relation(Vec<Row>);

/// The members of a set of events, in ascending order.
pub(crate) fn members(mut row: Row) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let first = (row != 0).then(|| row.trailing_zeros() as usize)?;
        row &= row - 1;
        Some(first)
    })
}

impl Relation {
    /// The empty relation over `n` events.
    ///
    /// # Panics
    ///
    /// If `n` is above [`EVENTS_MAX`].
    pub(crate) fn empty(n: usize) -> Self {
        assert!(n <= EVENTS_MAX);
        Relation(vec![0; n])
    }

    /// The identity on the events of a set: `[S]` in the papers.
    pub(crate) fn identity(n: usize, set: Row) -> Self {
        Relation((0..n).map(|event| set & 1 << event).collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn insert(&mut self, from: usize, to: usize) {
        self.0[from] |= 1 << to;
    }

    pub(crate) fn has(&self, from: usize, to: usize) -> bool {
        self.0[from] >> to & 1 == 1
    }

    /// All events that `from` is related to.
    pub(crate) fn row(&self, from: usize) -> Row {
        self.0[from]
    }

    /// Composition, `self ; next`.
    pub(crate) fn then(&self, next: &Relation) -> Relation {
        let row = |&row: &Row| members(row).fold(0, |reached, between| reached | next.0[between]);
        Relation(self.0.iter().map(row).collect())
    }

    /// The pairs of `self` that are not in `other`.
    pub(crate) fn without(&self, other: &Relation) -> Relation {
        Relation(self.0.iter().zip(&other.0).map(|(mine, others)| mine & !others).collect())
    }

    /// The pairs of `self` that are in `other`, too.
    pub(crate) fn and(&self, other: &Relation) -> Relation {
        Relation(self.0.iter().zip(&other.0).map(|(mine, others)| mine & others).collect())
    }

    /// The inverse relation.
    pub(crate) fn inverse(&self) -> Relation {
        let mut inverse = Relation::empty(self.len());
        for (from, &row) in self.0.iter().enumerate() {
            members(row).for_each(|to| inverse.insert(to, from));
        }
        inverse
    }

    /// `self?`: the relation, or the same event.
    pub(crate) fn or_same(&self) -> Relation {
        Relation(self.0.iter().enumerate().map(|(event, row)| row | 1 << event).collect())
    }

    /// `self+`: one step or more.
    pub(crate) fn closure(&self) -> Relation {
        let mut closure = self.clone();
        for between in 0..self.len() {
            let onwards = closure.0[between];
            for row in &mut closure.0 {
                if *row >> between & 1 == 1 {
                    *row |= onwards;
                }
            }
        }
        closure
    }

    /// The closure of this relation, which is one, and of another pair.
    pub(crate) fn with(&self, from: usize, to: usize) -> Relation {
        let onwards = self.0[to] | 1 << to;
        let row = |(event, &row): (usize, &Row)| match event == from || row >> from & 1 == 1 {
            true => row | onwards,
            false => row,
        };
        Relation(self.0.iter().enumerate().map(row).collect())
    }

    /// `self*`: no step or more.
    pub(crate) fn star(&self) -> Relation {
        self.closure().or_same()
    }

    /// Whether no event is related to itself.
    pub(crate) fn is_irreflexive(&self) -> bool {
        self.0.iter().enumerate().all(|(event, row)| row >> event & 1 == 0)
    }

    pub(crate) fn is_acyclic(&self) -> bool {
        self.closure().is_irreflexive()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|&row| row == 0)
    }
}

impl BitOr for &Relation {
    type Output = Relation;

    fn bitor(self, other: &Relation) -> Relation {
        Relation(self.0.iter().zip(&other.0).map(|(mine, others)| mine | others).collect())
    }
}

impl BitOr<&Relation> for Relation {
    type Output = Relation;

    fn bitor(self, other: &Relation) -> Relation {
        &self | other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(n: usize, pairs: &[(usize, usize)]) -> Relation {
        let mut relation = Relation::empty(n);
        pairs.iter().for_each(|&(from, to)| relation.insert(from, to));
        relation
    }

    #[test]
    fn operations_are_those_of_the_calculus() {
        let chain = of(4, &[(0, 1), (1, 2), (2, 3)]);
        assert_eq!(chain.then(&chain), of(4, &[(0, 2), (1, 3)]));
        assert_eq!(chain.closure(), of(4, &[(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]));
        assert_eq!(of(4, &[(0, 1), (2, 3)]).with(1, 2), chain.closure());
        assert_eq!(chain.inverse(), of(4, &[(1, 0), (2, 1), (3, 2)]));
        assert_eq!(of(2, &[(0, 1)]).or_same(), of(2, &[(0, 0), (0, 1), (1, 1)]));
        assert_eq!(&of(2, &[(0, 1)]) | &of(2, &[(1, 0)]), of(2, &[(0, 1), (1, 0)]));
        assert_eq!(chain.without(&of(4, &[(1, 2), (3, 3)])), of(4, &[(0, 1), (2, 3)]));
        assert_eq!(chain.and(&of(4, &[(1, 2), (3, 3)])), of(4, &[(1, 2)]));
        assert_eq!(Relation::identity(3, 0b101), of(3, &[(0, 0), (2, 2)]));
        assert_eq!(Relation::identity(3, 0b101).then(&of(3, &[(0, 1), (1, 2)])), of(3, &[(0, 1)]));
    }

    #[test]
    fn a_cycle_is_found_at_any_length() {
        for length in 1..EVENTS_MAX {
            let mut ring = Relation::empty(length);
            (0..length).for_each(|event| ring.insert(event, (event + 1) % length));
            assert!(!ring.is_acyclic());
            assert_eq!(ring.is_irreflexive(), length > 1);
            assert!(of(length, &[]).is_acyclic() && of(length, &[]).is_empty());
        }
        assert!(of(3, &[(0, 1), (0, 2), (1, 2)]).is_acyclic());
    }
}
