//! Decisions and contents that follow from a seed alone.

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// One thread's source of decisions.
#[derive(Clone, Debug)]
pub struct Dice(Pcg64Mcg);

impl Dice {
    /// The decisions of thread `thread` of the run with this seed.
    #[must_use]
    pub fn new(seed: u64, thread: u64) -> Dice {
        Dice(Pcg64Mcg::seed_from_u64(mix(seed, thread)))
    }

    /// 32 bits.
    #[inline]
    pub fn word(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// A number below `bound`, which is at least 1 and at most `u32::MAX`.
    #[inline]
    pub fn below(&mut self, bound: usize) -> usize {
        debug_assert!(bound != 0 && bound <= u32::MAX as usize);
        ((u64::from(self.0.next_u32()) * bound as u64) >> 32) as usize
    }

    /// True once in `count` times on average.
    #[inline]
    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    /// One of the entries, each with a probability proportional to its weight.
    ///
    /// # Panics
    /// If the weights sum up to 0.
    #[inline]
    pub fn weighted<T: Copy>(&mut self, entries: &[(usize, T)]) -> T {
        let sum = entries.iter().map(|&(weight, _)| weight).sum();
        let mut left = self.below(sum);
        for &(weight, entry) in entries {
            if left < weight {
                return entry;
            }
            left -= weight;
        }
        unreachable!("the weights sum up")
    }
}

/// Hashes two numbers to one.
#[inline]
#[must_use]
pub fn mix(a: u64, b: u64) -> u64 {
    let mut x = a.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(b).wrapping_add(0x1234_5678_9abc_def1);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_decides_the_same() {
        let decide = |seed, thread| {
            let mut dice = Dice::new(seed, thread);
            (0..64).map(|_| dice.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(decide(7, 1), decide(7, 1));
        assert_ne!(decide(7, 1), decide(7, 2));
        assert_ne!(decide(7, 1), decide(8, 1));
    }

    #[test]
    fn weights_are_kept() {
        let mut dice = Dice::new(1, 1);
        let heads = (0..10_000).filter(|_| dice.weighted(&[(1, false), (3, true)])).count();
        assert!((7_200..7_800).contains(&heads), "{heads} of 10000");
    }
}
