//! Bringing the two lines that a get waits for, the bucket and the record, close before they are
//! needed: one key's while its operation still pins, and many keys' at once in a batch.
//!
//! These are hints: nothing that is read here decides anything.

use super::find::{Begun, Place};
use super::{Record, Table};
use crate::hash::bucket_of;
use crate::memory::{LINE, prefetch};

/// Bytes of a record that are asked for at most: a core waits for a few lines at a time.
const BYTES_MAX: usize = 8 * LINE;

impl<R: Record, const S: usize, const L: usize> Table<R, S, L> {
    /// Asks for the bucket of a hash. Needs no guard, since only an address is computed.
    #[inline(always)]
    pub(super) fn prefetch_bucket(&self, hash: u64) {
        let array = self.root();
        prefetch(array.address_of(bucket_of(hash, array.log2())));
    }

    /// Begins a get, and asks for what it needs next: `bytes` of the record that may be the key's,
    /// or the links of the bucket.
    #[inline(always)]
    pub(crate) fn begin_ahead<'g>(&self, hash: u64, bytes: usize) -> Begun<'g, S> {
        let begun = self.begin_get(hash);
        if begun.needs_links() {
            self.prefetch_links(hash);
        } else {
            begun.prefetch_record(bytes);
        }
        begun
    }

    /// Begins a get anew that needs links, with a look into them; asks for the record.
    #[cold]
    #[inline(never)]
    pub(crate) fn begin_in_links<'g>(&self, hash: u64, bytes: usize) -> Begun<'g, S> {
        let begun = self.begin_anywhere(hash);
        begun.prefetch_record(bytes);
        begun
    }

    #[cold]
    #[inline(never)]
    fn prefetch_links(&self, hash: u64) {
        let Place { array, bucket, .. } = self.root_place(hash);
        for link in (0..2).filter_map(|which| array.link(bucket, which)) {
            prefetch(link);
        }
    }
}

impl<const S: usize> Begun<'_, S> {
    /// Asks for the first `bytes` of the record that may be the key's.
    #[inline(always)]
    fn prefetch_record(&self, bytes: usize) {
        let Some(record) = self.candidate() else { return };
        let last = bytes.min(BYTES_MAX) - 1;
        let mut at = 0;
        while at < last {
            prefetch(record.wrapping_add(at));
            at += LINE;
        }
        prefetch(record.wrapping_add(last));
    }
}
