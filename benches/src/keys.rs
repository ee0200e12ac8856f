//! Keys and values made from an index, so that no key array competes with the map for the cache.
//!
//! An index is mixed by a bijection, so keys are distinct and lie at random over the whole table.
//! Each value carries the index of its key: a read that finds the value of another key, or a torn
//! one, stops the run.

use std::hash::Hash;

/// A key of the byte workloads: 16 bytes.
pub type ByteKey = [u8; 16];
/// A value of the byte workloads: 64 bytes.
pub type ByteValue = [u8; 64];

/// A key that can be made from an index. Different indexes give different keys.
pub trait Key: Copy + Ord + Hash + Send + Sync + 'static {
    /// The key number `index`.
    fn at(index: u64) -> Self;
}

/// A value that remembers which key it belongs to. `index` must be below 2^32.
pub trait Value: Copy + Send + Sync + 'static {
    /// A value for key number `index`; `stamp` tells two writes apart.
    fn of(index: u64, stamp: u32) -> Self;
    /// True when this value, whole, was written for key number `index`.
    fn belongs_to(&self, index: u64) -> bool;
    /// What an update makes of this value; it belongs to the same key.
    fn stepped(&self) -> Self;
}

impl Key for ByteKey {
    fn at(index: u64) -> Self {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&mixed(index).to_le_bytes());
        key[8..].copy_from_slice(&mixed(!index).to_le_bytes());
        key
    }
}

impl Key for u64 {
    fn at(index: u64) -> Self {
        mixed(index)
    }
}

impl Value for ByteValue {
    fn of(index: u64, stamp: u32) -> Self {
        let word = <u64 as Value>::of(index, stamp).to_le_bytes();
        let mut value = [0; 64];
        // Both ends carry the word: a value that two writers tore apart differs.
        value[..8].copy_from_slice(&word);
        value[56..].copy_from_slice(&word);
        value
    }

    fn belongs_to(&self, index: u64) -> bool {
        let word = u64::from_le_bytes(self[..8].try_into().expect("8 bytes"));
        word.belongs_to(index) && self[..8] == self[56..]
    }

    fn stepped(&self) -> Self {
        let word = u64::from_le_bytes(self[..8].try_into().expect("8 bytes"));
        Self::of(word & u64::from(u32::MAX), ((word >> 32) as u32).wrapping_add(1))
    }
}

impl Value for u64 {
    fn of(index: u64, stamp: u32) -> Self {
        u64::from(stamp) << 32 | index
    }

    fn belongs_to(&self, index: u64) -> bool {
        self & u64::from(u32::MAX) == index
    }

    fn stepped(&self) -> Self {
        self.wrapping_add(1 << 32)
    }
}

/// The finalizer of SplitMix64: a bijection whose output looks random.
fn mixed(index: u64) -> u64 {
    let mut x = index.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn different_indexes_give_different_keys() {
        let bytes: HashSet<ByteKey> = (0..100_000).map(ByteKey::at).collect();
        let words: HashSet<u64> = (0..100_000).map(<u64 as Key>::at).collect();
        assert_eq!((bytes.len(), words.len()), (100_000, 100_000));
    }

    #[test]
    fn value_belongs_to_its_key_alone_also_after_steps() {
        let value = ByteValue::of(7, u32::MAX).stepped().stepped();
        assert!(value.belongs_to(7) && !value.belongs_to(8));
        let word = <u64 as Value>::of(7, u32::MAX).stepped().stepped();
        assert!(word.belongs_to(7) && !word.belongs_to(8));
    }

    #[test]
    fn torn_value_belongs_to_no_key() {
        let mut torn = ByteValue::of(7, 1);
        torn[32..].copy_from_slice(&ByteValue::of(7, 2)[32..]);
        assert!(!torn.belongs_to(7));
    }
}
