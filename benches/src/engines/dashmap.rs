//! dashmap, with its default number of shards and hashbrown inlined.

use super::hasher;
use crate::engine::{Card, Engine, Handle};
use crate::keys::{Key, Value};
use ahash::RandomState;

/// Sharded reader-writer locks around hashbrown; overwrites and updates happen in place.
pub(crate) struct DashMap<K, V>(::dashmap::DashMap<K, V, RandomState>);

impl<K: Key, V: Value> Engine<K, V> for DashMap<K, V> {
    const CARD: Card = Card::rival("dashmap");
    type Handle<'e> = &'e Self;

    fn with_room(entries: usize) -> Self {
        DashMap(::dashmap::DashMap::with_capacity_and_hasher(entries, hasher()))
    }

    fn handle(&self) -> &Self {
        self
    }
}

impl<K: Key, V: Value> Handle<K, V> for &DashMap<K, V> {
    #[inline]
    fn get(&mut self, key: &K, out: &mut V) -> bool {
        self.0.get(key).map(|value| *out = *value).is_some()
    }

    #[inline]
    fn set(&mut self, key: &K, value: &V) {
        self.0.insert(*key, *value);
    }

    #[inline]
    fn remove(&mut self, key: &K) -> bool {
        self.0.remove(key).is_some()
    }

    #[inline]
    fn update(&mut self, key: &K, change: impl Fn(&V) -> V) -> bool {
        self.0.get_mut(key).map(|mut value| *value = change(&value)).is_some()
    }
}
