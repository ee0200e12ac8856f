//! Hashers from good to hopeless: a map must be right with each, and fast with the good ones.

use std::hash::{BuildHasher, Hasher};

/// Builds a hasher that keeps the last number and shows `mask` of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Masked(u64);

impl Masked {
    /// The hash of an integer is the integer, as with the `nohash` crates.
    pub(crate) const IDENTITY: Masked = Masked(u64::MAX);
    /// Every key has the same hash.
    pub(crate) const CONSTANT: Masked = Masked(0);
    /// Keys have one of four hashes.
    pub(crate) const FEW_BITS: Masked = Masked(0b1001);
}

impl BuildHasher for Masked {
    type Hasher = MaskedHasher;

    fn build_hasher(&self) -> MaskedHasher {
        MaskedHasher { mask: self.0, last: 0 }
    }
}

/// Keeps the last number that was written.
pub(crate) struct MaskedHasher {
    mask: u64,
    last: u64,
}

impl Hasher for MaskedHasher {
    fn finish(&self) -> u64 {
        self.last & self.mask
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.last = (self.last << 8) | u64::from(byte);
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.last = u64::from(number);
    }

    fn write_u64(&mut self, number: u64) {
        self.last = number;
    }
}
