//! Miss ratios: the same traces through the queues, through the paper's algorithm, and through LRU.

use super::model::{Model, hash};
use super::reference::{Cache, Lru, S3Fifo};
use super::{Room, share};

/// Visits that a write makes room with, at most: more than any trace needs.
const ENOUGH: usize = 1 << 20;

/// Keys and sizes.
pub(crate) type Trace = Vec<(u64, u64)>;

/// A model, and the most visits for one write.
struct Bounded(Model, usize);

impl Cache for Bounded {
    fn request(&mut self, key: u64, size: u64) -> bool {
        let hit = self.0.get(key);
        if !hit {
            self.0.set(key, size, self.1);
        }
        hit
    }
}

/// Random numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 += 1;
        hash(self.0) >> 16
    }

    /// From 0 on, below 1.
    fn unit(&mut self) -> f64 {
        self.next() as f64 / (1_u64 << 48) as f64
    }
}

/// Ranks of keys, each as likely as its rank is high, to the power of `skew`.
struct Zipf {
    sums: Vec<f64>,
    random: Random,
}

impl Zipf {
    fn new(keys: u32, skew: f64) -> Self {
        let mut sum = 0.0;
        let weights = (1..=keys).map(|rank| f64::from(rank).powf(-skew));
        let sums = weights
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect();
        Self { sums, random: Random(1 << 40) }
    }

    fn next(&mut self) -> u64 {
        let point = self.random.unit() * self.sums.last().copied().unwrap_or(0.0);
        self.sums.partition_point(|&sum| sum <= point) as u64
    }
}

const KEYS: u32 = 20_000;
const REQUESTS: usize = 100_000;

pub(crate) fn zipf(skew: f64) -> Trace {
    let mut zipf = Zipf::new(KEYS, skew);
    (0..REQUESTS).map(|_| (zipf.next(), 1)).collect()
}

/// Scans of a thousand keys that never come again, between requests that repeat themselves.
pub(crate) fn scans() -> Trace {
    let mut zipf = Zipf::new(KEYS, 0.99);
    let fresh = |at| u64::from(KEYS) + at as u64;
    (0..REQUESTS).map(|at| (if at % 5000 < 1000 { fresh(at) } else { zipf.next() }, 1)).collect()
}

pub(crate) fn round(keys: u64) -> Trace {
    (0..REQUESTS as u64).map(|at| (at % keys, 1)).collect()
}

/// Sizes from 64 bytes to 64 KiB, as many in each power of two.
pub(crate) fn sizes() -> Trace {
    let size = |key: u64| {
        let random = hash(key ^ 1 << 50) >> 16;
        let least = 64 << (random % 10);
        least + (random >> 8) % least
    };
    zipf(0.9).into_iter().map(|(key, _)| (key, size(key))).collect()
}

/// Keys are the larger the less they are asked for.
pub(crate) fn large_and_rare() -> Trace {
    zipf(0.9).into_iter().map(|(key, _)| (key, 64 + key)).collect()
}

/// The keys used last are the likeliest: every other request is for one of the last ten.
fn recency() -> Trace {
    let (mut random, mut used) = (Random(7), Vec::new());
    let request = |at: usize| {
        let depth = random.unit().powf(-1.0 / 0.3) as usize;
        let place = used.len().checked_sub(depth);
        let key = place.map_or(at as u64, |place| used.remove(place));
        used.push(key);
        if used.len() > 4000 {
            used.drain(..2000);
        }
        (key, 1)
    };
    (0..REQUESTS).map(request).collect()
}

/// The share of misses in percent.
pub(crate) fn misses(mut cache: impl Cache, trace: &Trace) -> f64 {
    let missed = trace.iter().filter(|&&(key, size)| !cache.request(key, size)).count();
    100.0 * missed as f64 / trace.len() as f64
}

const fn entries(capacity: u64) -> Room {
    Room { entries: capacity as usize, bytes: u64::MAX }
}

const fn bytes(capacity: u64) -> Room {
    Room { entries: usize::MAX, bytes: capacity }
}

/// The misses of the queues and of the paper's algorithm, with our numbers and with its own. The
/// capacity is of what `room` bounds.
fn all(trace: &Trace, capacity: u64, room: Room, budget: usize) -> (f64, f64, f64) {
    let own = misses(Bounded(Model::new(room), budget), trace);
    let entries = if room.bytes == u64::MAX { room.entries } else { usize::MAX };
    let tuned = misses(S3Fifo::with(capacity, share(entries) as u64, 1), trace);
    (own, tuned, misses(S3Fifo::new(capacity), trace))
}

#[track_caller]
fn assert_as_the_paper(name: &str, trace: &Trace, capacity: u64, room: Room, budget: usize) {
    let (own, tuned, paper) = all(trace, capacity, room, budget);
    let text = format!("{name} of {capacity}: {own:.2}, {tuned:.2} and {paper:.2} in the paper");
    assert!((own - tuned).abs() < 0.5, "{text}");
    let points = if name == "round" { 2.0 } else { 0.5 };
    assert!(own < paper + points, "{text}");
}

#[test]
fn misses_are_those_of_the_paper() {
    for skew in [0.7, 0.99, 1.2] {
        let trace = zipf(skew);
        for capacity in [300, 2000] {
            assert_as_the_paper("zipf", &trace, capacity, entries(capacity), 32);
        }
    }
    assert_as_the_paper("scans", &scans(), 500, entries(500), 32);
    assert_as_the_paper("scans", &scans(), 2000, entries(2000), 32);
}

#[test]
fn misses_are_those_of_the_paper_where_sizes_differ() {
    for capacity in [4 << 20, 32 << 20] {
        assert_as_the_paper("sizes", &sizes(), capacity, bytes(capacity), 32);
    }
    for capacity in [400_000, 4_000_000] {
        assert_as_the_paper("large and rare", &large_and_rare(), capacity, bytes(capacity), 32);
    }
}

#[test]
fn misses_are_those_of_the_paper_in_a_round_that_does_not_fit() {
    for capacity in [300, 1000, 2000] {
        let trace = round(capacity + capacity / 10);
        assert_as_the_paper("round", &trace, capacity, entries(capacity), ENOUGH);
        // All of main has been used when a victim is looked for: not even a round may find one.
        let (own, _, paper) = all(&trace, capacity, entries(capacity), 128);
        assert!(own < paper + 4.0, "{own} with a budget, {paper} in the paper");
        assert_eq!(misses(Lru::new(capacity), &trace), 100.0);
    }
}

#[test]
fn a_small_cache_is_as_good_as_the_papers_or_better() {
    for trace in [zipf(0.7), zipf(0.99), zipf(1.2), scans(), recency()] {
        for capacity in [1, 2, 3, 10, 100] {
            let (own, _, paper) = all(&trace, capacity, entries(capacity), 32);
            assert!(own < paper + 0.5, "{own:.2}, {paper:.2} in the paper, of {capacity}");
        }
    }
    let trace = recency();
    for capacity in [30, 100, 250] {
        let (own, _, paper) = all(&trace, capacity, entries(capacity), 32);
        assert!(own < paper - 1.0, "{own:.2}, {paper:.2} in the paper, of {capacity}");
    }
}
