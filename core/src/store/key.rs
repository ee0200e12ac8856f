//! A key with its hash.

use super::{Store, record};

/// A key that was hashed: once for an operation, before it pins.
#[derive(Clone, Copy)]
pub(super) struct Key<'k> {
    pub(super) bytes: &'k [u8],
    pub(super) hash: u64,
}

impl Store {
    /// Hashes a key, and asks for the memory of its bucket: it is on its way while the operation
    /// allocates and pins. Those that pin are waited for by the processor before any later load.
    #[inline(always)]
    pub(super) fn key<'k>(&self, bytes: &'k [u8]) -> Key<'k> {
        let hash = record::hash(self.shards.hasher(), bytes);
        self.shards.prefetch_bucket(hash);
        Key { bytes, hash }
    }
}
