//! Finding a key: from the root to the bucket that has authority, to a validated match.

use std::ptr::NonNull;

use super::array::{Array, Bucket};
use super::collision::Collision;
use super::word::{Header, Word};
use super::{Record, Table};
use crate::hash::{bucket_of, tag_of};
use crate::sync::planted::{Bug, planted};
use crate::sync::stop::{self, Point};
use crate::sync::{Acquire, Ordering, Relaxed};

/// A live slot as it was found: while its word stands, the entry is published there.
pub(super) struct Entry<R> {
    /// The position in the bucket and its links.
    pub(super) index: usize,
    pub(super) word: Word,
    /// The record of the key; `None` when only its hash was found.
    pub(super) record: Option<NonNull<R>>,
}

impl<R> Clone for Entry<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Entry<R> {}

/// The authority over a hash at one moment.
#[derive(Clone, Copy)]
pub(super) struct Place<'g, const S: usize, const L: usize> {
    pub(super) array: Array<S, L>,
    pub(super) index: usize,
    pub(super) bucket: &'g Bucket<S>,
    pub(super) header: Header,
}

/// What a slot's candidates are compared with.
pub(super) struct Wanted<'a, R: Record, E> {
    pub(super) hash: u64,
    pub(super) hasher: &'a R::Hasher,
    pub(super) is_key: E,
    /// Also stop at another key of the same hash: only writers need to know.
    pub(super) collisions: bool,
    /// The step that a planted bug leaves out.
    pub(super) unvalidated: Bug,
}

impl<R: Record, const S: usize, const L: usize> Table<R, S, L> {
    /// The record of a key, or `None`. Lock-free; never writes.
    ///
    /// `is_key` may run user code. The answer is readable as long as the caller's guard lives.
    #[inline]
    pub(crate) fn get<E>(&self, hasher: &R::Hasher, hash: u64, is_key: E) -> Option<NonNull<R>>
    where
        E: FnMut(NonNull<R>) -> bool,
    {
        let unvalidated = Bug::NoRecheckOnRead;
        let mut wanted = Wanted { hash, hasher, is_key, collisions: false, unvalidated };
        loop {
            let place = self.place(hash);
            if let Ok(entry) = self.search(&place, &mut wanted) {
                return entry?.record;
            }
        }
    }

    /// The bucket that has authority over `hash`: the first on the way from the root that is not
    /// moved.
    #[inline(always)]
    pub(super) fn place<'g>(&self, hash: u64) -> Place<'g, S, L> {
        let mut array = self.root();
        loop {
            let index = bucket_of(hash, array.log2());
            let bucket = array.bucket(index);
            let header = bucket.load();
            if !header.is_moved() {
                return Place { array, index, bucket, header };
            }
            // A bucket is moved only after the next array was published (edges T4, T5).
            if let Some(next) = array.next() {
                array = next;
            }
        }
    }

    /// Looks the key up in its place. `Err` means that the header changed: start over.
    ///
    /// A match is trusted only after the header was read again and had not changed: with the bit of
    /// a former entry in an old header, the word of a claim that is not published could pass for an
    /// entry. The check comes before the record is touched, so no claim is ever dereferenced. That
    /// the key is absent needs no check: it takes effect when the header was loaded.
    #[inline(always)]
    pub(super) fn search<'g, E>(
        &self,
        place: &Place<'g, S, L>,
        wanted: &mut Wanted<'_, R, E>,
    ) -> Result<Option<Entry<R>>, Changed>
    where
        E: FnMut(NonNull<R>) -> bool,
    {
        let tag = tag_of(wanted.hash, place.array.log2());
        // Relaxed: a candidate is loaded again. Acquire, for writers: edge T3. That a removed key
        // is absent may be known from its slot alone, while its bit still stands, and who creates
        // it again must see the floor that the removal raised.
        let writes = wanted.collisions && !planted(Bug::RelaxedAbsence);
        let candidates = match writes {
            true => Self::candidates(place, tag, Acquire),
            false => Self::candidates(place, tag, Relaxed),
        };
        Self::search_among(place, wanted, tag, candidates)
    }

    /// Looks the key up among some slots of its bucket, and in the links.
    #[inline(always)]
    pub(super) fn search_among<E>(
        place: &Place<'_, S, L>,
        wanted: &mut Wanted<'_, R, E>,
        tag: u16,
        mut candidates: u32,
    ) -> Result<Option<Entry<R>>, Changed>
    where
        E: FnMut(NonNull<R>) -> bool,
    {
        while candidates != 0 {
            let index = candidates.trailing_zeros() as usize;
            candidates &= candidates - 1;
            // Acquire: edge T1, the record is initialised.
            let word = Word(place.bucket.slots[index].load(Acquire));
            if let Some(entry) = Self::compare(place, wanted, index, word, tag)? {
                return Ok(Some(entry));
            }
        }
        if place.header.published() >> S != 0 {
            return Self::search_links(*place, wanted, tag);
        }
        Ok(None)
    }

    /// The published slots of the bucket itself that have the tag, one bit each.
    #[inline(always)]
    pub(super) fn candidates(place: &Place<'_, S, L>, tag: u16, order: Ordering) -> u32 {
        let mut candidates = 0;
        for (index, slot) in place.bucket.slots.iter().enumerate() {
            candidates |= u32::from(Word(slot.load(order)).tag() == tag) << index;
        }
        candidates & place.header.published()
    }

    /// By value, so that a search that needs no links keeps the place in registers.
    #[inline(never)]
    fn search_links<E>(
        place: Place<'_, S, L>,
        wanted: &mut Wanted<'_, R, E>,
        tag: u16,
    ) -> Result<Option<Entry<R>>, Changed>
    where
        E: FnMut(NonNull<R>) -> bool,
    {
        let mut published = place.header.published() >> S << S;
        while published != 0 {
            let index = published.trailing_zeros() as usize;
            published &= published - 1;
            // A link is attached before any of its slots is published (edges T2, T6).
            let Some(slot) = place.array.slot(place.bucket, index) else { continue };
            // Acquire: edge T1.
            let word = Word(slot.load(Acquire));
            if let Some(entry) = Self::compare(&place, wanted, index, word, tag)? {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// Whether a loaded word holds the key, after validation.
    #[inline(always)]
    fn compare<E>(
        place: &Place<'_, S, L>,
        wanted: &mut Wanted<'_, R, E>,
        index: usize,
        word: Word,
        tag: u16,
    ) -> Result<Option<Entry<R>>, Changed>
    where
        E: FnMut(NonNull<R>) -> bool,
    {
        if word.tag() != tag || word.is_empty() {
            return Ok(None);
        }
        stop::reached(Point::ReadMatched);
        if place.bucket.load() != place.header && !planted(wanted.unvalidated) {
            return Err(Changed);
        }
        if word.is_collision() {
            // SAFETY: a validated word that is marked points to a list, which lives as long as
            // the guard under which the word was loaded.
            let list = unsafe { &*word.pointer().cast::<Collision<R>>() };
            if list.hash != wanted.hash {
                return Ok(None);
            }
            let record = list.members.iter().copied().find(|&record| (wanted.is_key)(record));
            return Ok(Some(Entry { index, word, record }));
        }
        // SAFETY: a validated word points to a record, so it is not null.
        let record = unsafe { NonNull::new_unchecked(word.pointer().cast::<R>()) };
        if (wanted.is_key)(record) {
            return Ok(Some(Entry { index, word, record: Some(record) }));
        }
        // SAFETY: the record is published and the guard keeps it.
        if wanted.collisions && unsafe { R::hash(record, wanted.hasher) } == wanted.hash {
            return Ok(Some(Entry { index, word, record: None }));
        }
        Ok(None)
    }
}

/// The header changed during a search.
pub(super) struct Changed;
