//! The route to an execution: what was decided otherwise than by default, from the first run on.
//!
//! An exploration makes each graph of an earlier one by one decision, and runs it. So the decisions that lead to a
//! graph are a name for it: whoever takes them one after another, with a run before each, comes to the graph after as
//! many runs as there are decisions, however many executions the exploration saw before.
//!
//! * **RO-1** A decision has the stamp of the event at which it was taken, and the stamps of a route grow. What was
//!   decided at a later event than the one of a new decision is part of its graph no more.

use std::fmt;
use std::str::FromStr;

/// What was decided at an event.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Decision {
    /// The read reads from the write at a position of the modification order, in a variant.
    Source { position: u32, variant: u32 },
    /// The write stands behind a position of the modification order.
    Place { position: u32 },
    /// A number was chosen.
    Choice { number: u32 },
    /// The earlier read of a thread with an index reads, in a variant, from the write, which stands behind a position.
    Revisit { thread: u32, index: u32, position: u32, variant: u32 },
}

/// The name of an execution within its model: see [`Builder::replay`](crate::model::Builder::replay).
///
/// It has a text, which is read again by `parse`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Route {
    pub(crate) decisions: Vec<(u32, Decision)>,
}

impl Route {
    /// Takes a decision at the event with a stamp (RO-1).
    pub(crate) fn decide(&mut self, stamp: u32, decision: Decision) {
        self.forget_from(stamp);
        self.decisions.push((stamp, decision));
    }

    /// Forgets what was decided at the event with a stamp, and at later ones.
    pub(crate) fn forget_from(&mut self, stamp: u32) {
        let kept = self.decisions.iter().take_while(|(at, _)| *at < stamp).count();
        self.decisions.truncate(kept);
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.decisions.is_empty() {
            return f.write_str("first");
        }
        for (k, (stamp, decision)) in self.decisions.iter().enumerate() {
            if k != 0 {
                f.write_str("-")?;
            }
            match decision {
                Decision::Source { position, variant } => write!(f, "{stamp}s{position}.{variant}")?,
                Decision::Place { position } => write!(f, "{stamp}p{position}")?,
                Decision::Choice { number } => write!(f, "{stamp}c{number}")?,
                Decision::Revisit { thread, index, position, variant } => {
                    write!(f, "{stamp}r{thread}.{index}.{position}.{variant}")?;
                }
            }
        }
        Ok(())
    }
}

impl FromStr for Route {
    type Err = String;

    fn from_str(text: &str) -> Result<Route, String> {
        let mut route = Route::default();
        if text == "first" {
            return Ok(route);
        }
        for part in text.split('-') {
            let bad = || format!("`{part}` is no decision of a route");
            let letter = part.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(bad)?;
            let (stamp, rest) = part.split_at(letter);
            let numbers: Result<Vec<u32>, _> = rest[1..].split('.').map(str::parse).collect();
            let decision = match (&rest[..1], &*numbers.map_err(|_| bad())?) {
                ("s", &[position, variant]) => Decision::Source { position, variant },
                ("p", &[position]) => Decision::Place { position },
                ("c", &[number]) => Decision::Choice { number },
                ("r", &[thread, index, position, variant]) => Decision::Revisit { thread, index, position, variant },
                _ => return Err(bad()),
            };
            let stamp = stamp.parse().map_err(|_| bad())?;
            if route.decisions.last().is_some_and(|&(before, _)| before >= stamp) {
                return Err(format!("`{part}` is no later decision than the one before it"));
            }
            route.decisions.push((stamp, decision));
        }
        Ok(route)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_survives_its_text() {
        let mut route = Route::default();
        assert_eq!(route.to_string().parse(), Ok(route.clone()));
        route.decide(3, Decision::Source { position: 1, variant: 0 });
        route.decide(5, Decision::Place { position: 2 });
        route.decide(9, Decision::Choice { number: 4 });
        route.decide(12, Decision::Revisit { thread: 1, index: 7, position: 0, variant: 1 });
        assert_eq!(route.to_string(), "3s1.0-5p2-9c4-12r1.7.0.1");
        assert_eq!(route.to_string().parse(), Ok(route.clone()));
        route.decide(9, Decision::Choice { number: 1 });
        assert_eq!(route.to_string(), "3s1.0-5p2-9c1", "what came later is forgotten");
    }

    #[test]
    fn what_is_no_route_is_refused() {
        for text in ["", "x", "3", "3s1", "3s1.x", "s1.0", "3p1-", "3p1-3p2", "3q1", "-3p1", "3p\u{e9}"] {
            assert!(text.parse::<Route>().is_err(), "{text}");
        }
    }
}
