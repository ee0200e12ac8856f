//! quick_cache with a bound, told how many entries to expect, as its shards and ghosts need.

use super::{Bound, Cache, RIVALS, Stored, copied};
use crate::engines::hasher;
use crate::keys::ByteKey;
use ::quick_cache::Weighter;
use ::quick_cache::sync::DefaultLifecycle;
use ahash::RandomState;

/// A cache that weighs its entries where its bound is in bytes.
pub(super) struct QuickCache<V: Stored>(
    ::quick_cache::sync::Cache<ByteKey, V, Weight, RandomState>,
);

/// What an entry weighs; known to the compiler where all weigh the same.
#[derive(Clone)]
pub(super) struct Weight;

impl<V: Stored> Weighter<ByteKey, V> for Weight {
    #[inline]
    fn weight(&self, _: &ByteKey, value: &V) -> u64 {
        value.weight()
    }
}

impl<V: Stored> Cache for QuickCache<V> {
    const NAME: &'static str = RIVALS[1];

    fn bounded(bound: Bound, entries: u64) -> Self {
        let (Bound::Entries(most) | Bound::Bytes(most)) = bound;
        let lifecycle = DefaultLifecycle::default();
        let entries = entries as usize;
        QuickCache(::quick_cache::sync::Cache::with(entries, most, Weight, hasher(), lifecycle))
    }

    #[inline]
    fn get(&self, key: &ByteKey, out: &mut [u8]) -> Option<usize> {
        self.0.get(key).map(|value| copied(value.bytes(), out))
    }

    #[inline]
    fn set(&self, key: &ByteKey, value: &[u8]) {
        self.0.insert(*key, V::of(value));
    }

    fn held(&self) -> u64 {
        self.0.weight()
    }
}
