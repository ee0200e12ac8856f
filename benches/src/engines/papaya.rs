//! papaya: a pin per call, and a guard held over several calls, which its documentation advises.

use super::hasher;
use crate::engine::{Card, Engine, Handle, SESSION_OPERATIONS};
use crate::keys::{Key, Value};
use ::papaya::{Guard, HashMap, LocalGuard};
use ahash::RandomState;

/// Each call pins for itself.
pub(super) struct PerCall<K, V>(HashMap<K, V, RandomState>);

/// A thread refreshes its guard every so many operations.
pub(super) struct Session<K, V>(HashMap<K, V, RandomState>);

/// See [`Session`].
pub(super) struct SessionHandle<'m, K, V> {
    map: &'m HashMap<K, V, RandomState>,
    guard: LocalGuard<'m>,
    uses_left: u32,
}

impl<K: Key, V: Value> Engine<K, V> for PerCall<K, V> {
    const CARD: Card = Card::rival("papaya");
    type Handle<'e> = &'e HashMap<K, V, RandomState>;

    fn with_room(entries: usize) -> Self {
        PerCall(HashMap::with_capacity_and_hasher(entries, hasher()))
    }

    fn handle(&self) -> Self::Handle<'_> {
        &self.0
    }
}

impl<K: Key, V: Value> Engine<K, V> for Session<K, V> {
    const CARD: Card = Card::rival("papaya-session").session();
    type Handle<'e> = SessionHandle<'e, K, V>;

    fn with_room(entries: usize) -> Self {
        Session(HashMap::with_capacity_and_hasher(entries, hasher()))
    }

    fn handle(&self) -> Self::Handle<'_> {
        SessionHandle { map: &self.0, guard: self.0.guard(), uses_left: SESSION_OPERATIONS }
    }
}

impl<K: Key, V: Value> Handle<K, V> for &HashMap<K, V, RandomState> {
    #[inline]
    fn get(&mut self, key: &K, out: &mut V) -> bool {
        self.pin().get(key).map(|value| *out = *value).is_some()
    }

    #[inline]
    fn set(&mut self, key: &K, value: &V) {
        self.pin().insert(*key, *value);
    }

    #[inline]
    fn remove(&mut self, key: &K) -> bool {
        self.pin().remove(key).is_some()
    }

    #[inline]
    fn update(&mut self, key: &K, change: impl Fn(&V) -> V) -> bool {
        self.pin().update(*key, change).is_some()
    }
}

impl<'m, K, V> SessionHandle<'m, K, V> {
    #[inline]
    fn guard(&mut self) -> &LocalGuard<'m> {
        if self.uses_left == 0 {
            self.guard.refresh();
            self.uses_left = SESSION_OPERATIONS;
        }
        self.uses_left -= 1;
        &self.guard
    }
}

impl<K: Key, V: Value> Handle<K, V> for SessionHandle<'_, K, V> {
    #[inline]
    fn get(&mut self, key: &K, out: &mut V) -> bool {
        let map = self.map;
        map.get(key, self.guard()).map(|value| *out = *value).is_some()
    }

    #[inline]
    fn set(&mut self, key: &K, value: &V) {
        let map = self.map;
        map.insert(*key, *value, self.guard());
    }

    #[inline]
    fn remove(&mut self, key: &K) -> bool {
        let map = self.map;
        map.remove(key, self.guard()).is_some()
    }

    #[inline]
    fn update(&mut self, key: &K, change: impl Fn(&V) -> V) -> bool {
        let map = self.map;
        map.update(*key, change, self.guard()).is_some()
    }
}
