//! moka, with a time to live that no run outlasts and no bound.

use super::hasher;
use crate::engine::{Card, Engine, Handle};
use crate::keys::{Key, Value};
use ::moka::sync::Cache;
use ahash::RandomState;
use std::time::Duration;

/// A cache whose reads check a deadline.
pub(super) struct Moka<K, V>(Cache<K, V, RandomState>);

impl<K: Key, V: Value> Engine<K, V> for Moka<K, V> {
    const CARD: Card = Card::rival("moka-ttl").optional();
    type Handle<'e> = &'e Self;

    fn with_room(entries: usize) -> Self {
        let builder = Cache::builder().time_to_live(Duration::from_secs(24 * 3_600));
        Moka(builder.initial_capacity(entries).build_with_hasher(hasher()))
    }

    fn handle(&self) -> &Self {
        self
    }
}

impl<K: Key, V: Value> Handle<K, V> for &Moka<K, V> {
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

    /// Reads, then writes, which is cheaper than the cache's locked compute.
    #[inline]
    fn update(&mut self, key: &K, change: impl Fn(&V) -> V) -> bool {
        self.0.get(key).map(|value| self.0.insert(*key, change(&value))).is_some()
    }
}
