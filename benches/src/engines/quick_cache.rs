//! quick_cache, with a bound that is never reached.

use super::hasher;
use crate::engine::{Card, Engine, Handle};
use crate::keys::{Key, Value};
use ::quick_cache::UnitWeighter;
use ::quick_cache::sync::{Cache, DefaultLifecycle};
use ahash::RandomState;

/// A cache that counts accesses for its eviction policy, as it would in use.
pub(super) struct QuickCache<K, V>(Cache<K, V, UnitWeighter, RandomState>);

/// LIMIT: more entries than any run inserts, so that the bound of a shard is never reached.
const ENTRIES_MAX: u64 = 1 << 32;

impl<K: Key, V: Value> Engine<K, V> for QuickCache<K, V> {
    const CARD: Card = Card::rival("quick_cache");
    type Handle<'e> = &'e Self;

    fn with_room(entries: usize) -> Self {
        let lifecycle = DefaultLifecycle::default();
        QuickCache(Cache::with(entries, ENTRIES_MAX, UnitWeighter, hasher(), lifecycle))
    }

    fn handle(&self) -> &Self {
        self
    }
}

impl<K: Key, V: Value> Handle<K, V> for &QuickCache<K, V> {
    #[inline]
    fn get(&mut self, key: &K, out: &mut V) -> bool {
        self.0.get(key).map(|value| *out = value).is_some()
    }

    #[inline]
    fn set(&mut self, key: &K, value: &V) {
        self.0.insert(*key, *value);
    }

    #[inline]
    fn remove(&mut self, key: &K) -> bool {
        self.0.remove(key).is_some()
    }

    /// Reads, then writes: the cache has no update in place.
    #[inline]
    fn update(&mut self, key: &K, change: impl Fn(&V) -> V) -> bool {
        self.0.get(key).map(|value| self.0.insert(*key, change(&value))).is_some()
    }
}
