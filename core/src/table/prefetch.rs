//! Bringing the two lines that a get waits for, the bucket and the record, close before they are
//! needed: one key's while its operation still pins, and many keys' at once in a batch.

use std::ptr::NonNull;

use super::find::{Place, Wanted};
use super::{Record, Table};
use crate::hash::{bucket_of, tag_of};
use crate::memory::{LINE, prefetch};
use crate::sync::Relaxed;
use crate::sync::planted::Bug;

/// A get that has looked into its bucket, and whose records are on their way.
///
/// It is a get like any other that takes its time between two steps: what it saw of the bucket is
/// trusted only after the header was read again.
pub(crate) struct Begun<'g, const S: usize = 6, const L: usize = 8> {
    place: Place<'g, S, L>,
    candidates: u32,
}

impl<R: Record, const S: usize, const L: usize> Table<R, S, L> {
    /// Asks for the bucket of a hash: a hint. Needs no guard, since only an address is computed.
    #[inline(always)]
    pub(super) fn prefetch_bucket(&self, hash: u64) {
        let array = self.root();
        prefetch(array.address_of(bucket_of(hash, array.log2())));
    }

    /// Begins a get: looks into the bucket and asks for the records that may be the one.
    #[inline(always)]
    pub(super) fn begin<'g>(&self, hash: u64) -> Begun<'g, S, L> {
        let place = self.place(hash);
        // Relaxed: as in `search` for readers.
        let candidates = Self::candidates(&place, tag_of(hash, place.array.log2()), Relaxed);
        let mut rest = candidates;
        while rest != 0 {
            let word = place.bucket.word(rest.trailing_zeros() as usize);
            rest &= rest - 1;
            let record = word.pointer().cast::<u8>();
            for line in 0..R::LINES {
                prefetch(record.wrapping_add(line * LINE));
            }
        }
        if candidates == 0 && place.header.published() >> S != 0 {
            place.array.link(place.bucket, 0).into_iter().for_each(|link| prefetch(link));
        }
        Begun { place, candidates }
    }

    /// Ends a get that was begun under the same guard.
    #[inline(always)]
    pub(super) fn finish<E>(
        &self,
        hasher: &R::Hasher,
        hash: u64,
        begun: &Begun<'_, S, L>,
        is_key: E,
    ) -> Option<NonNull<R>>
    where
        E: FnMut(NonNull<R>) -> bool,
    {
        let unvalidated = Bug::NoRecheckOnRead;
        let mut wanted = Wanted { hash, hasher, is_key, collisions: false, unvalidated };
        let tag = tag_of(hash, begun.place.array.log2());
        match Self::search_among(&begun.place, &mut wanted, tag, begun.candidates) {
            Ok(entry) => entry?.record,
            Err(_) => self.get(hasher, hash, wanted.is_key),
        }
    }
}
