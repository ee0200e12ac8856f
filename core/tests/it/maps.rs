//! How the tests make their maps.

use std::hash::BuildHasher;

pub(crate) use rkv::{Compute, Map, Operation};

use crate::census::Tracked;

/// Keys and values that a census counts.
pub(crate) type TrackedMap<S> = Map<Tracked<u32>, Tracked<u64>, S>;

/// An empty map of one shard, whose table starts as small as it can.
pub(crate) fn tiny<K, V, S>(hasher: S) -> Map<K, V, S>
where
    K: Send + 'static,
    V: Send + 'static,
    S: BuildHasher,
{
    Map::builder().shards(1).hasher(hasher).build()
}
