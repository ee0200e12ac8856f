//! The stress runs of `Store`, from one hot key to many, with and without resizes beneath them.

use rkv::Store;

use super::{Run, rounds, store_churn, store_workers};

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
/// Slots that are deleted and claimed again next to the hot keys.
const SLOT_REUSE: Run =
    Run { workers: 3, churners: 2, bulk: 12, keys: 12, calls: 30_000, rounds: 2 };
/// Many more threads than cores.
const CROWD: Run = Run { workers: 8, churners: 2, bulk: 400, keys: 64, calls: 15_000, rounds: 2 };

const RECORDED: usize = ONE_KEY.recorded()
    + ONE_MOVING_KEY.recorded()
    + RESIZES.recorded()
    + GROWTH.recorded()
    + SLOT_REUSE.recorded()
    + CROWD.recorded();
const _: () = assert!(RECORDED >= 600_000, "Store's share of a million checked calls");

/// Runs and checks `run` on fresh stores of one shard.
fn stress(run: Run) {
    let subject = || Store::builder().shards(1).build().expect("one shard");
    rounds(run, subject, store_workers::work, store_churn::churn, |store| {
        let hot = store.keys(store_workers::HOT);
        assert_eq!(store.count(), hot.len() as u64, "count differs from what a listing finds");
        assert!(store.keys("churn/").is_empty(), "a deleted key is listed");
        store.close().expect("nobody else uses the store");
    });
}

#[test]
fn six_threads_on_one_key_are_linearizable() {
    stress(ONE_KEY);
}

#[test]
fn calls_on_one_key_that_moves_are_linearizable() {
    stress(ONE_MOVING_KEY);
}

#[test]
fn calls_beside_constant_resizes_are_linearizable() {
    stress(RESIZES);
}

#[test]
fn calls_beside_growth_and_shrinking_are_linearizable() {
    stress(GROWTH);
}

#[test]
fn calls_beside_slot_reuse_are_linearizable() {
    stress(SLOT_REUSE);
}

#[test]
fn many_threads_on_many_keys_are_linearizable() {
    stress(CROWD);
}
