//! Options of a map.

use std::alloc::{self, Layout};
use std::marker::PhantomData;

use super::{DefaultHashBuilder, Map};
use crate::hash::Finalizer;
use crate::table::{SHARDS_MAX, Shards};

/// Makes a [`Map`] with options. See [`Map::builder`].
#[derive(Debug, Clone)]
pub struct MapBuilder<K, V, S = DefaultHashBuilder> {
    hasher: S,
    capacity: usize,
    shards: Option<usize>,
    entries: PhantomData<fn(K, V)>,
}

impl<K, V> MapBuilder<K, V> {
    pub(super) fn new() -> Self {
        let hasher = DefaultHashBuilder::default();
        Self { hasher, capacity: 0, shards: None, entries: PhantomData }
    }
}

impl<K, V, S> MapBuilder<K, V, S> {
    /// Hashes keys with hashers of `hasher`. Any hasher is correct; what it returns is scrambled,
    /// so also an identity hasher is fast.
    #[must_use]
    pub fn hasher<T>(self, hasher: T) -> MapBuilder<K, V, T> {
        let Self { capacity, shards, .. } = self;
        MapBuilder { hasher, capacity, shards, entries: PhantomData }
    }

    /// Makes room for `entries` at once; the map does not shrink below that. Default: 0.
    #[must_use]
    pub fn capacity(mut self, entries: usize) -> Self {
        self.capacity = entries;
        self
    }

    /// Splits the map into so many tables, rounded up to a power of two, 1 to 64. Default: four
    /// times the number of processors.
    #[must_use]
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = Some(shards.clamp(1, SHARDS_MAX).next_power_of_two());
        self
    }

    /// The map. Ends the process when memory for the capacity is refused, as std's maps do.
    #[must_use]
    pub fn build(self) -> Map<K, V, S> {
        let len = self.shards.unwrap_or_else(Shards::<super::Node<K, V>>::default_len);
        match Shards::new(len, self.capacity, ()) {
            Ok(shards) => {
                // The address of a fresh allocation is not a secret; it only tells maps apart.
                let key = DefaultHashBuilder::default().hash_one(self.capacity);
                Map { shards, hash_builder: self.hasher, finalizer: Finalizer::new(key) }
            }
            Err(_) => alloc::handle_alloc_error(Layout::new::<u8>()),
        }
    }
}
