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

/// An operation that has looked into its bucket.
///
/// It is like any other, which may take its time between two steps: what it saw of the bucket is
/// trusted only after the header was read again.
#[derive(Clone, Copy)]
pub(crate) struct Begun<'g, const S: usize = 6, const L: usize = 8> {
    pub(super) place: Place<'g, S, L>,
    /// The published slots of the bucket itself that have the tag, one bit each.
    pub(super) candidates: u32,
}

impl<const S: usize, const L: usize> Begun<'_, S, L> {
    /// Whether the key was absent when the header was loaded. Where it is not so, nothing is known.
    #[inline(always)]
    pub(super) fn plainly_absent(&self) -> bool {
        let header = self.place.header;
        self.candidates == 0 && !header.is_moved() && !header.has_linked::<S>()
    }

    /// The entry of the key, if all is plain: the bucket has not moved or changed,
    /// and the first slot with the tag holds the key's record. Where it is not, nothing is known.
    #[inline(always)]
    pub(super) fn plain_entry<R>(
        &self,
        is_key: impl Fn(NonNull<R>) -> bool,
        unvalidated: Bug,
    ) -> Option<Entry<R>> {
        let Place { bucket, header, .. } = self.place;
        if self.candidates == 0 || header.is_moved() {
            return None;
        }
        let (index, slot) = bucket.first_of(self.candidates);
        // Acquire: edge T1, the record is initialised.
        let word = Word(slot.load(Acquire));
        stop::reached(Point::ReadMatched);
        if bucket.load() != header && !planted(unvalidated) {
            return None;
        }
        let record = word.bare_record().filter(|&record| is_key(record))?;
        Some(Entry { index, word, record: Some(record) })
    }
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

impl<R: Record, E: Copy> Clone for Wanted<'_, R, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: Record, E: Copy> Copy for Wanted<'_, R, E> {}

impl<R: Record, const S: usize, const L: usize> Table<R, S, L> {
    /// The record of a key, or `None`. Lock-free; never writes.
    ///
    /// `is_key` may run user code. The answer is readable as long as the caller's guard lives.
    #[inline(always)]
    pub(crate) fn get<E>(&self, hasher: &R::Hasher, hash: u64, is_key: E) -> Option<NonNull<R>>
    where
        E: Fn(NonNull<R>) -> bool + Copy,
    {
        self.finish(hasher, hash, self.begin_get(hash), is_key)
    }

    /// Begins a get.
    #[inline(always)]
    pub(crate) fn begin_get<'g>(&self, hash: u64) -> Begun<'g, S, L> {
        // Relaxed: a candidate is loaded again.
        self.begin(hash, Relaxed)
    }

    /// Begins an operation: looks once into the bucket of the root's array, with `order`.
    #[inline(always)]
    pub(super) fn begin<'g>(&self, hash: u64, order: Ordering) -> Begun<'g, S, L> {
        let array = self.root();
        let index = bucket_of(hash, array.log2());
        let bucket = array.bucket(index);
        let header = bucket.load();
        let tagged = bucket.tagged(tag_of(hash, array.log2()), order);
        let candidates = tagged & header.published();
        Begun { place: Place { array, index, bucket, header }, candidates }
    }

    /// Ends a get that was begun under the same guard.
    ///
    /// Nearly all end here: at the only slot with the tag, or at a bucket without one. Whatever is
    /// out of the ordinary, a bucket that moves among it, is left to a search from the start.
    #[inline(always)]
    pub(crate) fn finish<E>(
        &self,
        hasher: &R::Hasher,
        hash: u64,
        begun: Begun<'_, S, L>,
        is_key: E,
    ) -> Option<NonNull<R>>
    where
        E: Fn(NonNull<R>) -> bool + Copy,
    {
        if begun.plainly_absent() {
            return None;
        }
        match begun.plain_entry(is_key, Bug::NoRecheckOnRead) {
            Some(entry) => entry.record,
            None => self.get_anywhere(hasher, hash, is_key),
        }
    }

    /// A get in all its cases.
    #[cold]
    #[inline(never)]
    fn get_anywhere<E>(&self, hasher: &R::Hasher, hash: u64, is_key: E) -> Option<NonNull<R>>
    where
        E: Fn(NonNull<R>) -> bool + Copy,
    {
        let unvalidated = Bug::NoRecheckOnRead;
        let wanted = Wanted { hash, hasher, is_key, collisions: false, unvalidated };
        loop {
            let place = self.place(hash);
            if let Ok(entry) = self.search(&place, wanted) {
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
        wanted: Wanted<'_, R, E>,
    ) -> Result<Option<Entry<R>>, Changed>
    where
        E: Fn(NonNull<R>) -> bool + Copy,
    {
        let tag = tag_of(wanted.hash, place.array.log2());
        let tagged = match wanted.collisions {
            true => place.bucket.tagged(tag, before_a_write()),
            // Relaxed: a candidate is loaded again.
            false => place.bucket.tagged(tag, Relaxed),
        };
        let mut candidates = tagged & place.header.published();
        while candidates != 0 {
            let (index, slot) = place.bucket.first_of(candidates);
            candidates &= candidates - 1;
            // Acquire: edge T1, the record is initialised.
            let word = Word(slot.load(Acquire));
            if let Some(entry) = Self::compare(place, wanted, index, word)? {
                return Ok(Some(entry));
            }
        }
        if place.header.has_linked::<S>() {
            return Self::search_links(*place, wanted, tag);
        }
        Ok(None)
    }

    /// By value, so that a search that needs no links keeps the place in registers.
    #[inline(never)]
    fn search_links<E>(
        place: Place<'_, S, L>,
        wanted: Wanted<'_, R, E>,
        tag: u16,
    ) -> Result<Option<Entry<R>>, Changed>
    where
        E: Fn(NonNull<R>) -> bool + Copy,
    {
        let mut published = place.header.published() >> S << S;
        while published != 0 {
            let index = published.trailing_zeros() as usize;
            published &= published - 1;
            // A link is attached before any of its slots is published (edges T2, T6).
            let Some(slot) = place.array.slot(place.bucket, index) else { continue };
            // Acquire: edge T1.
            let word = Word(slot.load(Acquire));
            if word.tag() == tag
                && let Some(entry) = Self::compare(&place, wanted, index, word)?
            {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// Whether a published slot's word holds the key, after validation.
    #[inline(always)]
    fn compare<E>(
        place: &Place<'_, S, L>,
        wanted: Wanted<'_, R, E>,
        index: usize,
        word: Word,
    ) -> Result<Option<Entry<R>>, Changed>
    where
        E: Fn(NonNull<R>) -> bool + Copy,
    {
        if word.is_empty() {
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

/// With what order a writer looks at slots.
///
/// Acquire: edge T3. That a removed key is absent may be known from its slot alone, while its bit
/// still stands, and who creates it again must see the floor that the removal raised.
#[inline(always)]
pub(super) fn before_a_write() -> Ordering {
    if planted(Bug::RelaxedAbsence) { Relaxed } else { Acquire }
}

/// The header changed during a search.
pub(super) struct Changed;
