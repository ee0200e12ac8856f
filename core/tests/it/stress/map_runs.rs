//! The stress runs of `Map`: with a good hasher, and with hashers that make keys collide.

use std::hash::BuildHasher;

use super::map_workers::{self, Subject};
use super::{Run, map_churn, rounds};
use crate::census::Census;
use crate::hashers::Masked;
use crate::maps;

/// Six threads fight over one key, whose slot is claimed and emptied all the time.
const ONE_KEY: Run = Run { workers: 6, churners: 0, bulk: 0, keys: 1, calls: 30_000, rounds: 2 };
/// The same beside resizes that move this one key.
const ONE_MOVING_KEY: Run =
    Run { workers: 5, churners: 1, bulk: 150, keys: 1, calls: 20_000, rounds: 2 };
/// A handful of buckets that are resized all the time: every hot key moves again and again.
const RESIZES: Run = Run { workers: 3, churners: 1, bulk: 150, keys: 6, calls: 30_000, rounds: 4 };
/// A table that grows large and shrinks again, with all threads helping.
const GROWTH: Run =
    Run { workers: 3, churners: 1, bulk: 5_000, keys: 16, calls: 30_000, rounds: 2 };
/// Many more threads than cores.
const CROWD: Run = Run { workers: 8, churners: 2, bulk: 400, keys: 64, calls: 15_000, rounds: 2 };
/// Keys that share few hashes, and so share slots; their table hardly grows.
const COLLISIONS: Run =
    Run { workers: 4, churners: 2, bulk: 20, keys: 12, calls: 15_000, rounds: 2 };

const RECORDED: usize = ONE_KEY.recorded()
    + ONE_MOVING_KEY.recorded()
    + RESIZES.recorded()
    + GROWTH.recorded()
    + CROWD.recorded()
    + 2 * COLLISIONS.recorded();
const _: () = assert!(RECORDED >= 600_000, "Map's share of a million checked calls");

/// Runs and checks `run` on fresh maps of one shard.
fn stress<S: BuildHasher + Clone + Sync>(run: Run, hasher: S) {
    let subject = || Subject { map: maps::tiny(hasher.clone()), census: Census::default() };
    let keys = run.keys as usize;
    rounds(run, subject, map_workers::work, map_churn::churn, |Subject { map, census }| {
        let (listed, len) = (map.pin().iter().count(), map.pin().len());
        assert_eq!(len, listed, "len differs from what an iteration finds");
        assert!(len <= keys, "a removed key is listed");
        drop(map);
        census.settle();
    });
}

#[test]
fn six_threads_on_one_key_are_linearizable() {
    stress(ONE_KEY, ahash::RandomState::new());
}

#[test]
fn calls_on_one_key_that_moves_are_linearizable() {
    stress(ONE_MOVING_KEY, ahash::RandomState::new());
}

#[test]
fn calls_beside_constant_resizes_are_linearizable() {
    stress(RESIZES, ahash::RandomState::new());
}

#[test]
fn calls_beside_growth_and_shrinking_are_linearizable() {
    stress(GROWTH, ahash::RandomState::new());
}

#[test]
fn many_threads_on_many_keys_are_linearizable() {
    stress(CROWD, Masked::IDENTITY);
}

#[test]
fn calls_on_keys_that_share_one_hash_are_linearizable() {
    stress(COLLISIONS, Masked::CONSTANT);
}

#[test]
fn calls_on_keys_that_share_four_hashes_are_linearizable() {
    stress(COLLISIONS, Masked::FEW_BITS);
}
