//! scc's `HashMap`: locked buckets, values changed in place.

use super::hasher;
use crate::engine::{Card, Engine, Handle};
use crate::keys::{Key, Value};
use ahash::RandomState;

/// The synchronous interface of scc's `HashMap`.
pub(super) struct SccMap<K, V>(scc::HashMap<K, V, RandomState>);

impl<K: Key, V: Value> Engine<K, V> for SccMap<K, V> {
    const CARD: Card = Card::rival("scc-map");
    type Handle<'e> = &'e Self;

    fn with_room(entries: usize) -> Self {
        SccMap(scc::HashMap::with_capacity_and_hasher(entries, hasher()))
    }

    fn handle(&self) -> &Self {
        self
    }
}

impl<K: Key, V: Value> Handle<K, V> for &SccMap<K, V> {
    #[inline]
    fn get(&mut self, key: &K, out: &mut V) -> bool {
        self.0.read_sync(key, |_, value| *out = *value).is_some()
    }

    #[inline]
    fn set(&mut self, key: &K, value: &V) {
        self.0.upsert_sync(*key, *value);
    }

    #[inline]
    fn remove(&mut self, key: &K) -> bool {
        self.0.remove_sync(key).is_some()
    }

    #[inline]
    fn update(&mut self, key: &K, change: impl Fn(&V) -> V) -> bool {
        self.0.update_sync(key, |_, value| *value = change(value)).is_some()
    }
}
