//! Bringing the two lines that a get waits for, the bucket and the record, close before they are
//! needed: one key's while its operation still pins, and many keys' at once in a batch.
//!
//! These are hints: nothing that is read here decides anything.

use super::find::Begun;
use super::word::Word;
use super::{Record, Table};
use crate::hash::bucket_of;
use crate::memory::{LINE, prefetch};
use crate::sync::Relaxed;

impl<R: Record, const S: usize, const L: usize> Table<R, S, L> {
    /// Asks for the bucket of a hash. Needs no guard, since only an address is computed.
    #[inline(always)]
    pub(super) fn prefetch_bucket(&self, hash: u64) {
        let array = self.root();
        prefetch(array.address_of(bucket_of(hash, array.log2())));
    }

    /// Asks for the records that may be the one of a get.
    #[inline(always)]
    pub(super) fn prefetch_records(begun: &Begun<'_, S, L>) {
        let mut candidates = begun.candidates;
        while candidates != 0 {
            let (_, slot) = begun.place.bucket.first_of(candidates);
            candidates &= candidates - 1;
            // Relaxed: nothing follows the pointer but a prefetch.
            let record = Word(slot.load(Relaxed)).pointer().cast::<u8>();
            for line in 0..R::LINES {
                prefetch(record.wrapping_add(line * LINE));
            }
        }
    }
}
