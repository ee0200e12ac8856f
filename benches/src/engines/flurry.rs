//! flurry, with a guard held over several operations.

use super::hasher;
use crate::engine::{Card, Engine, Handle, HeldPin};
use crate::keys::{Key, Value};
use ::flurry::{Guard, HashMap};
use ahash::RandomState;

/// A thread renews its guard every so many operations.
pub(super) struct Flurry<K, V>(HashMap<K, V, RandomState>);

/// See [`Flurry`].
pub(super) struct FlurryHandle<'m, K, V> {
    map: &'m HashMap<K, V, RandomState>,
    guard: HeldPin<Guard<'m>>,
}

impl<K: Key, V: Value> Engine<K, V> for Flurry<K, V> {
    const CARD: Card = Card::rival("flurry-session").session();
    type Handle<'e> = FlurryHandle<'e, K, V>;

    fn with_room(entries: usize) -> Self {
        Flurry(match entries {
            0 => HashMap::with_hasher(hasher()),
            entries => HashMap::with_capacity_and_hasher(entries, hasher()),
        })
    }

    fn handle(&self) -> FlurryHandle<'_, K, V> {
        FlurryHandle { map: &self.0, guard: HeldPin::new() }
    }
}

impl<K: Key, V: Value> Handle<K, V> for FlurryHandle<'_, K, V> {
    #[inline]
    fn get(&mut self, key: &K, out: &mut V) -> bool {
        let guard = self.guard.current(|| self.map.guard());
        self.map.get(key, guard).map(|value| *out = *value).is_some()
    }

    #[inline]
    fn set(&mut self, key: &K, value: &V) {
        let guard = self.guard.current(|| self.map.guard());
        self.map.insert(*key, *value, guard);
    }

    #[inline]
    fn remove(&mut self, key: &K) -> bool {
        let guard = self.guard.current(|| self.map.guard());
        self.map.remove(key, guard).is_some()
    }

    #[inline]
    fn update(&mut self, key: &K, change: impl Fn(&V) -> V) -> bool {
        let guard = self.guard.current(|| self.map.guard());
        self.map.compute_if_present(key, |_, value| Some(change(value)), guard).is_some()
    }
}
