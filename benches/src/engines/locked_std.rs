//! The standard library's map under one reader-writer lock: what everybody tries first.

use super::hasher;
use crate::engine::{Card, Engine, Handle};
use crate::keys::{Key, Value};
use ahash::RandomState;
use parking_lot::RwLock;
use std::collections::HashMap;

/// `RwLock<HashMap>`, with the lock of parking_lot.
pub(super) struct LockedStd<K, V>(RwLock<HashMap<K, V, RandomState>>);

impl<K: Key, V: Value> Engine<K, V> for LockedStd<K, V> {
    const CARD: Card = Card::rival("rwlock-std");
    type Handle<'e> = &'e Self;

    fn with_room(entries: usize) -> Self {
        LockedStd(RwLock::new(HashMap::with_capacity_and_hasher(entries, hasher())))
    }

    fn handle(&self) -> &Self {
        self
    }
}

impl<K: Key, V: Value> Handle<K, V> for &LockedStd<K, V> {
    #[inline]
    fn get(&mut self, key: &K, out: &mut V) -> bool {
        self.0.read().get(key).map(|value| *out = *value).is_some()
    }

    #[inline]
    fn set(&mut self, key: &K, value: &V) {
        self.0.write().insert(*key, *value);
    }

    #[inline]
    fn remove(&mut self, key: &K) -> bool {
        self.0.write().remove(key).is_some()
    }

    #[inline]
    fn update(&mut self, key: &K, change: impl Fn(&V) -> V) -> bool {
        self.0.write().get_mut(key).map(|value| *value = change(value)).is_some()
    }
}
