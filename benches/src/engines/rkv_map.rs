//! rkv's generic map, with a pin held over several operations.

use super::hasher;
use crate::engine::{Card, Engine, Handle, HeldPin};
use crate::keys::{Key, Value};
use ahash::RandomState;
use rkv::{Map, Pinned};

/// The map; a thread renews its pin every so many operations.
pub(super) struct MapSession<K, V>(Map<K, V, RandomState>);

/// See [`MapSession`].
pub(super) struct MapHandle<'m, K, V> {
    map: &'m Map<K, V, RandomState>,
    pin: HeldPin<Pinned<'m, K, V, RandomState>>,
}

impl<K: Key, V: Value> Engine<K, V> for MapSession<K, V> {
    const CARD: Card = Card::own("rkv-session").session();
    type Handle<'e> = MapHandle<'e, K, V>;

    fn with_room(entries: usize) -> Self {
        MapSession(Map::builder().hasher(hasher()).capacity(entries).build())
    }

    fn handle(&self) -> MapHandle<'_, K, V> {
        MapHandle { map: &self.0, pin: HeldPin::new() }
    }
}

impl<'m, K: Key, V: Value> MapHandle<'m, K, V> {
    #[inline]
    fn pinned(&mut self) -> &Pinned<'m, K, V, RandomState> {
        let map = self.map;
        self.pin.current(|| map.pin())
    }
}

impl<K: Key, V: Value> Handle<K, V> for MapHandle<'_, K, V> {
    #[inline]
    fn get(&mut self, key: &K, out: &mut V) -> bool {
        self.pinned().get(key).map(|value| *out = *value).is_some()
    }

    #[inline]
    fn set(&mut self, key: &K, value: &V) {
        self.pinned().insert(*key, *value);
    }

    #[inline]
    fn remove(&mut self, key: &K) -> bool {
        self.pinned().remove(key).is_some()
    }

    #[inline]
    fn update(&mut self, key: &K, change: impl Fn(&V) -> V) -> bool {
        self.pinned().update(*key, change).is_some()
    }
}
