//! What keys with a deadline live in: a store of rkv, or a cache of moka.

use crate::engines::hasher;
use crate::keys::{ByteKey, ByteValue, Key, Value};
use ahash::RandomState;
use moka::Expiry;
use moka::sync::Cache;
use rkv::{Store, Ttl};
use std::time::{Duration, Instant};

/// What the keys that are not due have left at least.
pub(super) const HOUR: Duration = Duration::from_secs(3600);

/// A store or cache whose keys end.
pub(super) trait Timed: Send + Sync + Sized {
    /// What the tables call it.
    const NAME: &'static str;

    /// An empty one.
    fn empty() -> Self;
    /// Sets a key, or sets it anew.
    fn set(&self, index: u64, ttl: Duration);
    /// Makes [`held`](Self::held) right. rkv's is at any time, and its timers are left alone.
    fn count(&self) {}
    /// Entries in memory, expired ones among them. Changes nothing.
    fn held(&self) -> u64;

    /// One with so many keys that are due in one to two hours.
    fn filled(entries: u64) -> Self {
        let filled = Self::empty();
        (0..entries).for_each(|index| filled.set(index, spread(index)));
        filled
    }
}

/// One to two hours, different for keys that follow each other.
pub(super) fn spread(index: u64) -> Duration {
    HOUR + Duration::from_millis(index % 3_600_000)
}

/// Sets a key of a store, with a deadline or without.
pub(super) fn set(store: &Store, index: u64, ttl: Option<Duration>) {
    let (key, value) = (ByteKey::at(index), ByteValue::of(index, 0));
    let done = match ttl {
        None => store.set(key, value),
        Some(ttl) => store.set_with(key, value, Ttl::After(ttl)),
    };
    done.expect("memory for a record");
}

impl Timed for Store {
    const NAME: &'static str = "rkv";

    fn empty() -> Self {
        Store::new()
    }

    fn set(&self, index: u64, ttl: Duration) {
        set(self, index, Some(ttl));
    }

    fn held(&self) -> u64 {
        self.stats().entries
    }
}

/// moka with a lifetime for each entry, for which it has a timer wheel.
pub(super) struct Moka(Cache<ByteKey, Mortal, RandomState>);

/// A value and how long it lives.
#[derive(Clone, Copy)]
struct Mortal {
    _value: ByteValue,
    ttl: Duration,
}

/// Each write sets the deadline anew, as rkv's do.
struct ByValue;

impl Expiry<ByteKey, Mortal> for ByValue {
    fn expire_after_create(&self, _: &ByteKey, value: &Mortal, _: Instant) -> Option<Duration> {
        Some(value.ttl)
    }

    fn expire_after_update(
        &self,
        _: &ByteKey,
        value: &Mortal,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(value.ttl)
    }
}

impl Timed for Moka {
    const NAME: &'static str = "moka";

    fn empty() -> Self {
        Moka(Cache::builder().expire_after(ByValue).build_with_hasher(hasher()))
    }

    fn set(&self, index: u64, ttl: Duration) {
        self.0.insert(ByteKey::at(index), Mortal { _value: ByteValue::of(index, 0), ttl });
    }

    fn count(&self) {
        self.0.run_pending_tasks();
    }

    fn held(&self) -> u64 {
        self.0.entry_count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts_all_keys<T: Timed>() {
        let filled = T::filled(1_000);
        filled.set(7, HOUR);
        filled.count();
        assert_eq!(filled.held(), 1_000, "{}", T::NAME);
    }

    #[test]
    fn every_key_is_counted_once() {
        counts_all_keys::<Store>();
        counts_all_keys::<Moka>();
    }

    #[test]
    fn keys_that_are_not_due_have_between_one_hour_and_two() {
        let ttls = [0, 1, 3_599_999, 3_600_000, u64::from(u32::MAX)].map(spread);
        assert!(ttls.iter().all(|&ttl| ttl >= HOUR && ttl < 2 * HOUR) && ttls[0] != ttls[1]);
    }
}
