//! moka with a bound: its default policy, TinyLFU, and room for all entries from the start.

use super::{Bound, Cache, RIVALS, Stored, copied};
use crate::engines::hasher;
use crate::keys::ByteKey;
use ahash::RandomState;

/// A cache that weighs its entries where its bound is in bytes.
pub(super) struct Moka<V>(::moka::sync::Cache<ByteKey, V, RandomState>);

impl<V: Stored> Cache for Moka<V> {
    const NAME: &'static str = RIVALS[0];

    fn bounded(bound: Bound, entries: u64) -> Self {
        let (Bound::Entries(most) | Bound::Bytes(most)) = bound;
        let builder = ::moka::sync::Cache::builder().max_capacity(most);
        let builder = builder.initial_capacity(entries as usize);
        let builder = match V::WEIGHED {
            true => builder.weigher(|_, value: &V| value.weight() as u32),
            false => builder,
        };
        Moka(builder.build_with_hasher(hasher()))
    }

    #[inline]
    fn get(&self, key: &ByteKey, out: &mut [u8]) -> Option<usize> {
        self.0.get(key).map(|value| copied(value.bytes(), out))
    }

    #[inline]
    fn set(&self, key: &ByteKey, value: &[u8]) {
        self.0.insert(*key, V::of(value));
    }

    /// After what waits in its channels has been done.
    fn held(&self) -> u64 {
        self.0.run_pending_tasks();
        self.0.weighted_size()
    }
}
