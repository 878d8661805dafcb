//! Shards: parts of one exploration that several processes or machines explore.
//!
//! The graphs of an exploration are a tree, in which a route leads to each. A shard has those subtrees whose root, some
//! decisions from the first graph, has its number as the hash of the route. Graphs above these roots are run by every
//! shard, which finds its subtrees so, and are counted by one. How many decisions that is follows from an estimate of
//! the tree, the same for all: as few as make enough roots for the subtrees to be shared out evenly.

use std::fmt;
use std::str::FromStr;

use crate::route::Route;

/// How many roots there are for each shard, if the tree has so many.
const ROOTS: usize = 64;

/// The depth of the roots, in a tree whose levels have about so many graphs.
pub(crate) fn depth_of_roots(levels: &[f64], count: usize) -> usize {
    let is_enough = |&graphs: &f64| graphs >= (ROOTS * count) as f64;
    let widest = || (0..levels.len()).max_by(|&a, &b| levels[a].total_cmp(&levels[b]));
    levels.iter().position(is_enough).or_else(widest).unwrap_or(0)
}

/// One of several parts of an exploration: see [`Builder::shard`](crate::model::Builder::shard).
///
/// Its text is its number among the parts, from 1, and how many there are, as in `2/3`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl Shard {
    /// The part with a number, from 0, of `count`. `None` if there is no such part.
    #[must_use]
    pub fn new(index: usize, count: usize) -> Option<Shard> {
        (index < count).then_some(Shard { index, count })
    }

    /// How many parts there are.
    #[must_use]
    pub fn count(self) -> usize {
        self.count
    }

    /// All parts, this one among them.
    pub fn all(self) -> impl Iterator<Item = Shard> {
        (0..self.count).map(move |index| Shard { index, ..self })
    }

    /// Whether the graph to which a route leads is counted by this shard, where roots have a depth.
    pub(crate) fn has(self, route: &Route, depth: usize) -> bool {
        let decisions = route.decisions[..route.decisions.len().min(depth)].to_vec();
        hash(&Route { decisions }.to_string()) % self.count as u64 == self.index as u64
    }

    /// Whether this shard has the graph, or graphs that are made of it.
    pub(crate) fn has_below(self, route: &Route, depth: usize) -> bool {
        route.decisions.len() < depth || self.has(route, depth)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index + 1, self.count)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let numbers = text.split_once('/').and_then(|(n, m)| Some((n.parse().ok()?, m.parse().ok()?)));
        let Some((number, count)): Option<(usize, usize)> = numbers else {
            return Err(format!("`{text}` is no shard; write for example `1/4`"));
        };
        let shard = number.checked_sub(1).and_then(|index| Shard::new(index, count));
        shard.ok_or_else(|| format!("there is no shard {number} of {count}; they are numbered from 1"))
    }
}

/// A hash of a text (FNV-1a) that is the same on all machines, which have to agree on who has what.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::{Shard, depth_of_roots, hash};

    #[test]
    fn roots_are_as_high_as_they_are_enough() {
        assert_eq!(depth_of_roots(&[1.0, 3.0, 150.0, 9000.0], 2), 2);
        assert_eq!(depth_of_roots(&[1.0, 3.0, 100.0, 40.0], 2), 2, "the widest level, where none is wide enough");
        assert_eq!(depth_of_roots(&[1.0], 2), 0);
    }

    // The values are those of the function's published test vectors.
    #[test]
    fn all_machines_agree() {
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_shard_survives_its_text() {
        for (index, count) in [(0, 1), (1, 3), (2, 3)] {
            let shard = Shard::new(index, count).unwrap();
            assert_eq!(shard.to_string().parse(), Ok(shard));
        }
        assert_eq!(Shard::new(1, 3).unwrap().to_string(), "2/3");
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        assert_eq!(Shard::new(3, 3), None);
        for (text, why) in [
            ("", "no shard"),
            ("1", "no shard"),
            ("a/b", "no shard"),
            ("0/3", "no shard 0"),
            ("4/3", "no shard 4"),
            ("1/0", "no shard 1"),
        ] {
            assert!(text.parse::<Shard>().unwrap_err().contains(why), "{text}");
        }
    }
}
