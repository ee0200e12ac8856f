//! Miss ratios of bounded stores, beside those of the paper's algorithm on the same traces.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use super::ENTRY_BYTES;
use crate::Store;
use crate::evict::reference::{Cache, S3Fifo};
use crate::evict::traces::{self, Trace};

/// What the bound is in.
#[derive(Clone, Copy)]
enum Bound {
    Entries(u64),
    Bytes(u64),
}

impl Bound {
    fn store(self, shards: usize) -> Store {
        let builder = match self {
            Bound::Entries(entries) => Store::builder().max_entries(entries),
            Bound::Bytes(bytes) => Store::builder().max_bytes(bytes),
        };
        builder.shards(shards).build().expect("memory")
    }

    fn paper(self) -> S3Fifo {
        match self {
            Bound::Entries(bound) | Bound::Bytes(bound) => S3Fifo::new(bound),
        }
    }
}

/// Asks a store for a key, and sets it where it is missing, with a value that makes it count
/// `size` if sizes count.
fn request(store: &Store, key: u64, size: u64) -> bool {
    let name = key.to_le_bytes();
    let hit = store.get_with(name, |_| ()).is_some();
    if !hit {
        let len = size.saturating_sub(ENTRY_BYTES + name.len() as u64);
        store.set(name, vec![0; len as usize]).expect("set");
    }
    hit
}

/// The share of misses in percent when some threads share the requests of a trace.
fn misses(store: &Store, trace: &Trace, threads: usize) -> f64 {
    let (next, missed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(&(key, size)) = trace.get(next.fetch_add(1, Relaxed)) {
                    missed.fetch_add(usize::from(!request(store, key, size)), Relaxed);
                }
            });
        }
    });
    100.0 * missed.load(Relaxed) as f64 / trace.len() as f64
}

#[track_caller]
fn assert_as_the_paper(name: &str, trace: &Trace, bound: Bound, threads: usize, points: f64) {
    let mut paper = bound.paper();
    let missed = trace.iter().filter(|&&(key, size)| !paper.request(key, size)).count();
    let paper = 100.0 * missed as f64 / trace.len() as f64;
    for shards in [1, 4] {
        let own = misses(&bound.store(shards), trace, threads);
        assert!(own < paper + points, "{name}: {own:.2}, {paper:.2} in the paper");
    }
}

/// Entries as large as an empty one and more.
fn larger(trace: Trace) -> Trace {
    trace.into_iter().map(|(key, size)| (key, size + 2 * ENTRY_BYTES)).collect()
}

fn assert_all_as_the_paper(threads: usize, points: f64) {
    for skew in [0.7, 0.99, 1.2] {
        let name = format!("zipf {skew}");
        assert_as_the_paper(&name, &traces::zipf(skew), Bound::Entries(2000), threads, points);
    }
    assert_as_the_paper("scans", &traces::scans(), Bound::Entries(2000), threads, points);
    let sizes = larger(traces::sizes());
    assert_as_the_paper("sizes", &sizes, Bound::Bytes(32 << 20), threads, points);
    let rare = larger(traces::large_and_rare());
    assert_as_the_paper("large and rare", &rare, Bound::Bytes(4_000_000), threads, points);
}

#[test]
fn a_store_misses_as_often_as_the_paper() {
    assert_all_as_the_paper(1, 0.5);
}

#[test]
fn a_store_misses_as_often_as_the_paper_when_four_threads_use_it() {
    assert_all_as_the_paper(4, 1.0);
}

#[test]
fn a_round_that_does_not_fit_does_not_empty_a_store() {
    let trace = traces::round(2200);
    assert_as_the_paper("round", &trace, Bound::Entries(2000), 1, 4.0);
}
