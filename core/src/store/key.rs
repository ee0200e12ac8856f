//! A key with its hash.

use super::engine::Engine;
use super::record;

/// A key that was hashed: once for an operation, before it pins.
#[derive(Clone, Copy)]
pub(super) struct Key<'k> {
    pub(super) bytes: &'k [u8],
    pub(super) hash: u64,
}

impl Engine {
    /// Hashes a key.
    #[inline(always)]
    pub(super) fn key<'k>(&self, bytes: &'k [u8]) -> Key<'k> {
        Key { bytes, hash: record::hash(self.shards.hasher(), bytes) }
    }

    /// Hashes a key and asks for the memory of its bucket, for operations that allocate or pin
    /// before they look into it: it is on its way meanwhile.
    #[inline(always)]
    pub(super) fn key_ahead<'k>(&self, bytes: &'k [u8]) -> Key<'k> {
        let key = self.key(bytes);
        self.shards.prefetch_bucket(key.hash);
        key
    }
}
