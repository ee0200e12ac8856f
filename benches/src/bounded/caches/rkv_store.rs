//! rkv's byte store with a bound; each call stands alone.

use super::{Bound, Cache, OWN, charge, copied};
use crate::keys::ByteKey;
use rkv::Store;

/// A store that evicts.
pub(super) struct Bounded {
    store: Store,
    bound: Bound,
}

impl Cache for Bounded {
    const NAME: &'static str = OWN;

    fn bounded(bound: Bound, _: u64) -> Self {
        let builder = match bound {
            Bound::Entries(most) => Store::builder().max_entries(most),
            Bound::Bytes(most) => Store::builder().max_bytes(most),
        };
        Bounded { store: builder.build().expect("memory for an empty store"), bound }
    }

    #[inline]
    fn get(&self, key: &ByteKey, out: &mut [u8]) -> Option<usize> {
        self.store.get_with(key, |value| copied(value, out))
    }

    #[inline]
    fn set(&self, key: &ByteKey, value: &[u8]) {
        self.store.set(key, value).expect("a store that evicts has room");
    }

    fn held(&self) -> u64 {
        match self.bound {
            Bound::Entries(_) => self.store.stats().entries,
            Bound::Bytes(_) => self.store.scan("").map(|value| charge(value.len())).sum(),
        }
    }
}
