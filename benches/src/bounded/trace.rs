//! Traces: which keys are asked for, in which order, of which sizes, against which bound.

use crate::grid::thousands;
use crate::keys::{ByteKey, Key};
use crate::zipf::{self, Pool};

/// How the keys of a trace follow each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// Zipf draws with this exponent.
    Zipf(f64),
    /// Zipf draws, between which a fifth of the requests goes to keys that never come again.
    Scans,
    /// All keys in turn, a tenth more than the cache holds.
    Loop,
    /// Zipf draws of keys with values of different sizes, against a bound in bytes.
    Sizes,
}

/// How much a cache may hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Share {
    /// So many in a hundred of the key space: of its keys, or of their bytes.
    Percent(u64),
    /// So many entries.
    Entries(u64),
}

/// What a cache is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Entries.
    Entries(u64),
    /// Bytes, each entry as [`charge`] says.
    Bytes(u64),
}

/// One row of the tables.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Case {
    /// Which keys.
    pub shape: Shape,
    /// Which bound.
    pub share: Share,
}

/// The rows: large caches, then small ones.
pub const CASES: [Case; 14] = {
    const fn case(shape: Shape, share: Share) -> Case {
        Case { shape, share }
    }
    const SHARES: [Share; 2] = [Share::Percent(1), Share::Percent(10)];
    const SMALL: Share = Share::Entries(1_000);
    [
        case(Shape::Zipf(0.7), SHARES[0]),
        case(Shape::Zipf(0.7), SHARES[1]),
        case(Shape::Zipf(zipf::EXPONENT), SHARES[0]),
        case(Shape::Zipf(zipf::EXPONENT), SHARES[1]),
        case(Shape::Zipf(1.2), SHARES[0]),
        case(Shape::Zipf(1.2), SHARES[1]),
        case(Shape::Scans, SHARES[0]),
        case(Shape::Scans, SHARES[1]),
        case(Shape::Loop, SHARES[0]),
        case(Shape::Loop, SHARES[1]),
        case(Shape::Sizes, SHARES[0]),
        case(Shape::Sizes, SHARES[1]),
        case(Shape::Zipf(zipf::EXPONENT), SMALL),
        case(Shape::Scans, SMALL),
    ]
};

/// What an entry costs beside its key and its value, in bytes: what rkv counts, told to all caches
/// that ask how much an entry weighs.
pub const OVERHEAD: u64 = 80;

/// The bytes of a value, where all are alike.
pub const VALUE_BYTES: usize = 64;

/// The bytes of the smallest and of the largest value, where they differ.
pub const SIZES: (usize, usize) = (16, 4_096);

/// A key that no scan asks for again comes from a run of so many.
const SCAN: usize = 1_000;
/// Requests from the beginning of one scan to that of the next.
const BETWEEN_SCANS: usize = 5_000;

/// What an entry with so long a value takes of a bound in bytes.
pub const fn charge(value_bytes: usize) -> u64 {
    size_of::<ByteKey>() as u64 + value_bytes as u64 + OVERHEAD
}

impl Case {
    /// What the requests are called.
    pub fn name(self) -> String {
        match self.shape {
            Shape::Zipf(exponent) => format!("zipf {exponent}"),
            Shape::Scans => "scans".to_owned(),
            Shape::Loop => "loop".to_owned(),
            Shape::Sizes => "sizes".to_owned(),
        }
    }

    /// What the bound is called.
    pub fn bound_name(self) -> String {
        match self.share {
            Share::Percent(percent) => format!("{percent} %"),
            Share::Entries(entries) => thousands(entries),
        }
    }

    /// How much a cache may hold of a space of so many keys, and how many entries that is, about.
    pub fn bound(self, keys: u64) -> (Bound, u64) {
        let entries = match self.share {
            Share::Percent(percent) => keys * percent / 100,
            Share::Entries(entries) => entries,
        };
        if self.shape != Shape::Sizes {
            return (Bound::Entries(entries), entries);
        }
        let all: u64 = (0..keys).map(|index| charge(skewed_bytes(index as u32))).sum();
        (Bound::Bytes((u128::from(all) * u128::from(entries) / u128::from(keys)) as u64), entries)
    }

    /// So many requests for some of so many keys; the same in each run.
    pub fn trace(self, keys: u64, requests: usize) -> Trace {
        let (bound, entries) = self.bound(keys);
        let drawn = |exponent| Pool::skewed(exponent, keys, requests, 1).indexes().to_vec();
        let indexes = match self.shape {
            Shape::Zipf(exponent) => drawn(exponent),
            Shape::Scans => with_scans(drawn(zipf::EXPONENT), keys),
            Shape::Loop => round(entries + (entries / 10).max(1), requests),
            Shape::Sizes => drawn(0.9),
        };
        Trace { bound, entries, skewed: self.shape == Shape::Sizes, indexes }
    }
}

fn with_scans(mut indexes: Vec<u32>, keys: u64) -> Vec<u32> {
    let scanned = (0..indexes.len()).filter(|at| at % BETWEEN_SCANS < SCAN);
    for (fresh, at) in (keys as u32..).zip(scanned) {
        indexes[at] = fresh;
    }
    indexes
}

fn round(keys: u64, requests: usize) -> Vec<u32> {
    (0..keys as u32).cycle().take(requests).collect()
}

/// From 16 to 4,096 bytes, as many keys in each doubling.
fn skewed_bytes(index: u32) -> usize {
    // A bijection of its own: the size says nothing about the popularity.
    let random = <u64 as Key>::at(1 << 50 | u64::from(index)) as usize;
    let doublings = (SIZES.1 / SIZES.0).ilog2() as usize;
    let least = SIZES.0 << (random % doublings);
    least + (random >> 8) % (least + 1)
}

/// The requests for one cache.
pub struct Trace {
    /// How much the cache may hold.
    pub bound: Bound,
    /// How many entries that is, about.
    pub entries: u64,
    skewed: bool,
    indexes: Vec<u32>,
}

impl Trace {
    /// How many there are.
    pub fn requests(&self) -> u64 {
        self.indexes.len() as u64
    }

    /// The indexes of the keys from a position on; after the last the first comes again.
    pub fn starting_at(&self, position: u64) -> impl Iterator<Item = u32> {
        let (before, after) = self.indexes.split_at((position % self.requests()) as usize);
        after.iter().chain(before).copied()
    }

    /// How long the value of this key is.
    #[inline]
    pub fn value_bytes(&self, index: u32) -> usize {
        if self.skewed { skewed_bytes(index) } else { VALUE_BYTES }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{HashMap, HashSet};

    const KEYS: u64 = 10_000;

    fn trace(shape: Shape, share: Share) -> Trace {
        Case { shape, share }.trace(KEYS, 20_000)
    }

    #[test]
    fn bound_is_a_share_of_the_keys_or_of_their_bytes() {
        let bound = |shape, share| trace(shape, share).bound;
        assert_eq!(bound(Shape::Zipf(0.7), Share::Percent(1)), Bound::Entries(100));
        assert_eq!(bound(Shape::Scans, Share::Entries(1_000)), Bound::Entries(1_000));
        let all: u64 = (0..KEYS as u32).map(|index| charge(skewed_bytes(index))).sum();
        assert_eq!(bound(Shape::Sizes, Share::Percent(10)), Bound::Bytes(all / 10));
    }

    #[test]
    fn scanned_keys_come_in_runs_and_never_again() {
        let trace = trace(Shape::Scans, Share::Percent(10));
        let mut times = HashMap::new();
        trace.indexes.iter().for_each(|&index| *times.entry(index).or_insert(0) += 1);
        let fresh: Vec<_> = times.iter().filter(|&(&index, _)| u64::from(index) >= KEYS).collect();
        assert_eq!(fresh.len(), trace.indexes.len() / 5);
        assert!(fresh.iter().all(|&(_, &times)| times == 1));
        let run = &trace.indexes[BETWEEN_SCANS..BETWEEN_SCANS + SCAN];
        assert!(run.iter().all(|&index| u64::from(index) >= KEYS));
    }

    #[test]
    fn loop_asks_for_a_tenth_more_keys_than_fit_each_in_its_turn() {
        let trace = trace(Shape::Loop, Share::Percent(10));
        assert_eq!(trace.bound, Bound::Entries(1_000));
        let (first, second) = (&trace.indexes[..1_100], &trace.indexes[1_100..2_200]);
        assert_eq!(first.iter().collect::<HashSet<_>>().len(), 1_100);
        assert_eq!(first, second);
    }

    #[test]
    fn sizes_stay_in_their_range_and_every_doubling_has_as_many() {
        let trace = trace(Shape::Sizes, Share::Percent(1));
        let mut doublings = [0_u32; 9];
        for index in 0..80_000 {
            let bytes = trace.value_bytes(index);
            assert!((SIZES.0..=SIZES.1).contains(&bytes));
            doublings[(bytes / SIZES.0).ilog2() as usize] += 1;
        }
        assert!(doublings[..8].iter().all(|count| count.abs_diff(10_000) < 700), "{doublings:?}");
    }

    #[test]
    fn values_are_alike_where_the_bound_counts_entries() {
        let trace = trace(Shape::Zipf(0.7), Share::Percent(1));
        assert!((0..1_000).all(|index| trace.value_bytes(index) == VALUE_BYTES));
    }

    #[test]
    fn trace_is_the_same_in_each_run_and_goes_round() {
        let requests = |position| {
            let trace = trace(Shape::Zipf(1.2), Share::Percent(1));
            trace.starting_at(position).collect::<Vec<_>>()
        };
        assert_eq!(requests(0), requests(20_000));
        assert_eq!(requests(19_999)[1..], requests(0)[..19_999]);
    }

    #[test]
    fn rows_are_named_differently() {
        let names = CASES.map(|case| (case.name(), case.bound_name()));
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), CASES.len());
    }
}
