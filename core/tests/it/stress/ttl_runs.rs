//! The stress runs of keys with a time to live, by a clock that the workers move themselves.

use std::time::Duration;

use rkv::{ManualClock, Remaining, Store};

use super::{Place, Run, rounds, store_churn, ttl_workers};

/// One call in so many, where a sanitizer makes each of them many times slower.
const FEWER: usize = if cfg!(rkv_watched) { 5 } else { 1 };

/// Six threads set, prolong, read and outlive one key.
const ONE_KEY: Run =
    Run { workers: 6, churners: 0, bulk: 0, keys: 1, calls: 20_000 / FEWER, rounds: 3 };
/// The same beside resizes that move this one key.
const ONE_MOVING_KEY: Run =
    Run { workers: 5, churners: 1, bulk: 150, keys: 1, calls: 15_000 / FEWER, rounds: 2 };
/// A handful of buckets that are resized all the time.
const RESIZES: Run =
    Run { workers: 3, churners: 1, bulk: 150, keys: 6, calls: 30_000 / FEWER, rounds: 3 };
/// Keys that end in slots that are deleted and claimed again.
const SLOT_REUSE: Run =
    Run { workers: 4, churners: 2, bulk: 12, keys: 12, calls: 30_000 / FEWER, rounds: 2 };

/// A store and the clock that it goes by.
pub(super) struct Timed {
    pub(super) store: Store,
    pub(super) clock: ManualClock,
}

impl Timed {
    /// A store of one shard.
    fn new() -> Timed {
        let clock = ManualClock::new();
        let store = Store::builder().shards(1).clock(&clock).build().expect("one shard");
        Timed { store, clock }
    }

    /// In the end all keys that have an end are gone, and nothing else is.
    fn finish(self) {
        self.clock.advance(Duration::from_secs(3600));
        self.store.purge_expired().expect("purge_expired");
        let left = self.store.keys(ttl_workers::HOT);
        let stats = self.store.stats();
        assert_eq!((stats.entries, stats.timers), (left.len() as u64, 0));
        for key in left {
            assert_eq!(self.store.ttl(&key), Some(Remaining::Never));
        }
    }
}

/// Runs and checks `run` on fresh stores.
fn stress(run: Run) {
    let churn = |timed: &Timed, place: &Place<'_>| store_churn::churn(&timed.store, place);
    rounds(run, Timed::new, ttl_workers::work, churn, Timed::finish);
}

#[test]
fn six_threads_on_one_key_that_ends_are_linearizable() {
    stress(ONE_KEY);
}

#[test]
fn calls_on_one_key_that_ends_and_moves_are_linearizable() {
    stress(ONE_MOVING_KEY);
}

#[test]
fn calls_on_keys_that_end_beside_constant_resizes_are_linearizable() {
    stress(RESIZES);
}

#[test]
fn calls_on_keys_that_end_beside_slot_reuse_are_linearizable() {
    stress(SLOT_REUSE);
}
