//! scc's `HashIndex`: lock-free reads, with a guard per call and with a guard held.

use super::hasher;
use crate::engine::{Card, Engine, Handle, HeldPin};
use crate::keys::{Key, Value};
use ahash::RandomState;
use scc::hash_index::Entry;
use scc::{Guard, HashIndex};

/// Each read takes a guard for itself.
pub(super) struct PerCall<K: 'static, V: 'static>(HashIndex<K, V, RandomState>);

/// A thread renews its guard every so many operations.
pub(super) struct Session<K: 'static, V: 'static>(HashIndex<K, V, RandomState>);

/// See [`Session`].
pub(super) struct SessionHandle<'m, K: 'static, V: 'static> {
    map: &'m HashIndex<K, V, RandomState>,
    guard: HeldPin<Guard>,
}

impl<K: Key, V: Value> Engine<K, V> for PerCall<K, V> {
    const CARD: Card = Card::rival("scc-index");
    type Handle<'e> = &'e HashIndex<K, V, RandomState>;

    fn with_room(entries: usize) -> Self {
        PerCall(HashIndex::with_capacity_and_hasher(entries, hasher()))
    }

    fn handle(&self) -> Self::Handle<'_> {
        &self.0
    }
}

impl<K: Key, V: Value> Engine<K, V> for Session<K, V> {
    const CARD: Card = Card::rival("scc-index-session").session();
    type Handle<'e> = SessionHandle<'e, K, V>;

    fn with_room(entries: usize) -> Self {
        Session(HashIndex::with_capacity_and_hasher(entries, hasher()))
    }

    fn handle(&self) -> Self::Handle<'_> {
        SessionHandle { map: &self.0, guard: HeldPin::new() }
    }
}

impl<K: Key, V: Value> Handle<K, V> for &HashIndex<K, V, RandomState> {
    #[inline]
    fn get(&mut self, key: &K, out: &mut V) -> bool {
        self.peek_with(key, |_, value| *out = *value).is_some()
    }

    #[inline]
    fn set(&mut self, key: &K, value: &V) {
        match self.entry_sync(*key) {
            Entry::Occupied(mut entry) => entry.update(*value),
            Entry::Vacant(entry) => drop(entry.insert_entry(*value)),
        }
    }

    #[inline]
    fn remove(&mut self, key: &K) -> bool {
        self.remove_sync(key)
    }

    #[inline]
    fn update(&mut self, key: &K, change: impl Fn(&V) -> V) -> bool {
        self.get_sync(key).map(|mut entry| entry.update(change(entry.get()))).is_some()
    }
}

impl<K: Key, V: Value> Handle<K, V> for SessionHandle<'_, K, V> {
    #[inline]
    fn get(&mut self, key: &K, out: &mut V) -> bool {
        let guard = self.guard.current(Guard::new);
        self.map.peek(key, guard).map(|value| *out = *value).is_some()
    }

    #[inline]
    fn set(&mut self, key: &K, value: &V) {
        self.guard.current(Guard::new);
        (&mut &*self.map).set(key, value);
    }

    #[inline]
    fn remove(&mut self, key: &K) -> bool {
        self.guard.current(Guard::new);
        (&mut &*self.map).remove(key)
    }

    #[inline]
    fn update(&mut self, key: &K, change: impl Fn(&V) -> V) -> bool {
        self.guard.current(Guard::new);
        (&mut &*self.map).update(key, change)
    }
}
