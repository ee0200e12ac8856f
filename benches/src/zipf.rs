//! Indexes drawn from a true Zipf distribution over the whole key space.
//!
//! A draw costs tens of nanoseconds, as much as the operation it would drive. So the draws are
//! made once, into a pool that the threads read in sequence from different places; a pool is much
//! longer than a measurement.

use rand::{SeedableRng, rngs::SmallRng};
use rand_distr::{Distribution, Zipf};
use std::sync::Arc;

/// The exponent that YCSB uses.
pub const EXPONENT: f64 = 0.99;

/// Draws from a Zipf distribution over a number of keys. Cheap to clone.
#[derive(Clone)]
pub struct Pool {
    indexes: Arc<[u32]>,
}

impl Pool {
    /// `draws` indexes below `keys`, which must be from 1 to 2^32, with YCSB's exponent.
    pub fn new(keys: u64, draws: usize, seed: u64) -> Pool {
        Pool::skewed(EXPONENT, keys, draws, seed)
    }

    /// The same with another exponent, which must not be negative.
    pub fn skewed(exponent: f64, keys: u64, draws: usize, seed: u64) -> Pool {
        let zipf = Zipf::new(keys as f64, exponent).expect("at least one key");
        let mut rng = SmallRng::seed_from_u64(seed);
        let indexes =
            (0..draws).map(|_| index_of_rank(zipf.sample(&mut rng) as u64, keys) as u32).collect();
        Pool { indexes }
    }

    /// The draws.
    pub fn indexes(&self) -> &[u32] {
        &self.indexes
    }

    /// An endless walk through the pool, from a place that depends on `seed`.
    pub fn walk(&self, seed: u64) -> Walk<'_> {
        Walk { indexes: &self.indexes, next: seed as usize % self.indexes.len() }
    }
}

/// See [`Pool::walk`].
pub struct Walk<'p> {
    indexes: &'p [u32],
    next: usize,
}

impl Walk<'_> {
    /// The next index.
    #[inline]
    pub fn step(&mut self) -> u64 {
        let index = self.indexes[self.next];
        self.next = if self.next + 1 == self.indexes.len() { 0 } else { self.next + 1 };
        u64::from(index)
    }
}

/// The index of the key that stands at `rank` (from 1).
///
/// The popular keys are spread over the order of prefilling; otherwise their records would lie
/// side by side in memory, and an engine that allocates records would look better than it is.
fn index_of_rank(rank: u64, keys: u64) -> u64 {
    // A prime above 2^32 shares no factor with `keys`, so the map is a bijection.
    const STRIDE: u128 = 6_364_136_281;
    ((u128::from(rank - 1) * STRIDE) % u128::from(keys)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: u64 = 65_536;
    const DRAWS: usize = 1_000_000;

    fn count_of_rank(pool: &Pool, rank: u64) -> f64 {
        let index = index_of_rank(rank, KEYS) as u32;
        pool.indexes.iter().filter(|&&i| i == index).count() as f64
    }

    #[test]
    fn popular_ranks_come_as_often_as_theory_says() {
        for exponent in [0.7, EXPONENT, 1.2] {
            let pool = Pool::skewed(exponent, KEYS, DRAWS, 1);
            let harmonic: f64 = (1..=KEYS).map(|rank| (rank as f64).powf(-exponent)).sum();
            for rank in [1, 2, 10, 100] {
                let expected = DRAWS as f64 * (rank as f64).powf(-exponent) / harmonic;
                let seen = count_of_rank(&pool, rank);
                // Five standard deviations of a count.
                let slack = 5.0 * expected.sqrt();
                assert!((seen - expected).abs() < slack, "rank {rank}: {seen}, theory {expected}");
            }
        }
    }

    #[test]
    fn ranks_map_to_indexes_one_to_one() {
        for keys in [1, 1_000, KEYS] {
            let mut seen: Vec<u64> = (1..=keys).map(|rank| index_of_rank(rank, keys)).collect();
            seen.sort_unstable();
            assert!(seen.into_iter().eq(0..keys), "{keys} keys");
        }
    }

    #[test]
    fn walk_wraps_around_the_pool() {
        let pool = Pool::new(10, 3, 1);
        let mut walk = pool.walk(2);
        let drawn: Vec<u64> = (0..6).map(|_| walk.step()).collect();
        assert_eq!(drawn[..3], drawn[3..]);
    }
}
