//! From a key to 64 bits, and how these bits divide into shard, bucket and tag.
//!
//! ```text
//!  63            63-k                                                       0
//!   [ bucket: k bits ][ rest of the tag ................. ]      [ shard bits ]
//!   [ tag window: 16 bits from bit 63 - 8 * (k / 8) ]
//! ```
//!
//! The bucket is chosen by the top bits, so that a bucket's children lie side by side and hash
//! order survives every resize. The tag window moves by 8 bits when the table grows by a factor of
//! 256: in between, the bit that decides between two children lies inside of the tag, and a
//! migration moves slot words without touching the records. The shard is chosen by the low bits,
//! which neither meets.

/// Scrambles the output of any hasher into 64 bits that are all equally good.
///
/// A bijection, keyed per map: equal inputs and only equal inputs collide, so identity hashers and
/// weak ones spread over the buckets as well as strong ones. The steps are the finalizer of
/// MurmurHash3 (Austin Appleby, public domain).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finalizer {
    key: u64,
}

impl Finalizer {
    /// A finalizer with its own key.
    pub(crate) const fn new(key: u64) -> Self {
        Self { key }
    }

    /// The scrambled hash.
    #[inline]
    pub(crate) const fn scramble(self, hash: u64) -> u64 {
        let mut x = hash ^ self.key;
        x = (x ^ (x >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        x = (x ^ (x >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        x ^ (x >> 33)
    }
}

/// The bucket of `hash` in a table of `2^log2` buckets.
#[inline(always)]
pub(crate) const fn bucket_of(hash: u64, log2: u32) -> usize {
    // Two shifts: a single one by 64 is not defined, and log2 may be 0.
    ((hash >> 1) >> (63 - log2)) as usize
}

/// The first and the last hash that belong to `bucket` in a table of `2^log2` buckets.
pub(crate) const fn interval_of(bucket: usize, log2: u32) -> (u64, u64) {
    let first = if log2 == 0 { 0 } else { (bucket as u64) << (64 - log2) };
    let rest = if log2 == 0 { u64::MAX } else { u64::MAX >> log2 };
    (first, first | rest)
}

/// The tag of `hash` in a table of `2^log2` buckets.
#[inline(always)]
pub(crate) const fn tag_of(hash: u64, log2: u32) -> u16 {
    (hash >> (48 - (log2 & !7))) as u16
}

/// Which child a tag goes to when a table of `2^log2` buckets doubles: 0 or 1.
#[inline(always)]
pub(crate) const fn child_bit(tag: u16, log2: u32) -> usize {
    (tag >> (15 - (log2 & 7)) & 1) as usize
}

/// The tag in a table of half the size, found without the hash: the window may move up by 8 bits,
/// and those bits are index bits of the parent.
pub(crate) const fn tag_after_halving(tag: u16, bucket: usize, log2: u32) -> u16 {
    if log2 & 7 == 0 { (bucket as u16) << 8 | tag >> 8 } else { tag }
}

/// Whether the tag must be computed anew from the hash when a table of `2^log2` buckets doubles.
#[inline(always)]
pub(crate) const fn window_moves_on_doubling(log2: u32) -> bool {
    log2 & 7 == 7
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLES: u64 = if cfg!(miri) { 20 } else { 2000 };

    fn samples() -> impl Iterator<Item = u64> {
        let finalizer = Finalizer::new(0x1234_5678);
        (0..SAMPLES).map(move |n| finalizer.scramble(n)).chain([0, 1, u64::MAX, u64::MAX << 32])
    }

    #[test]
    fn child_bit_read_from_the_tag_is_the_next_index_bit() {
        for hash in samples() {
            for log2 in 0..40 {
                let parent = bucket_of(hash, log2);
                let child = bucket_of(hash, log2 + 1);
                assert_eq!(child, parent * 2 + child_bit(tag_of(hash, log2), log2));
            }
        }
    }

    #[test]
    fn tag_changes_on_doubling_only_where_it_says_so() {
        for hash in samples() {
            for log2 in 0..40 {
                if !window_moves_on_doubling(log2) {
                    assert_eq!(tag_of(hash, log2), tag_of(hash, log2 + 1));
                }
            }
        }
    }

    #[test]
    fn halving_finds_the_tag_without_the_hash() {
        for hash in samples() {
            for log2 in 1..40 {
                let tag = tag_after_halving(tag_of(hash, log2), bucket_of(hash, log2), log2);
                assert_eq!(tag, tag_of(hash, log2 - 1));
            }
        }
    }

    #[test]
    fn intervals_tile_the_hash_space_and_hold_their_hashes() {
        for log2 in [0, 1, 2, 7, 8] {
            let mut next = 0u64;
            for bucket in 0..1usize << log2 {
                let (first, last) = interval_of(bucket, log2);
                assert_eq!(first, next);
                assert_eq!(bucket_of(first, log2), bucket);
                assert_eq!(bucket_of(last, log2), bucket);
                next = last.wrapping_add(1);
            }
            assert_eq!(next, 0);
        }
    }

    #[test]
    fn finalizer_is_a_bijection_on_samples_and_keyed() {
        let one = Finalizer::new(1);
        let mut seen: Vec<u64> = (0..SAMPLES * 5).map(|n| one.scramble(n)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len() as u64, SAMPLES * 5);
        assert_ne!(Finalizer::new(2).scramble(7), one.scramble(7));
    }
}
