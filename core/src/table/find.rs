//! Finding a key: from the root to the bucket that has authority, to a validated match.

use std::iter;
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

/// A get that has looked into its bucket.
///
/// It is like any other, which may take its time between two steps: what it saw of the bucket is
/// trusted only after the header was read again.
#[derive(Clone, Copy)]
pub(crate) struct Begun<'g, const S: usize = 6> {
    bucket: &'g Bucket<S>,
    header: Header,
    /// The word of the first slot with the tag; [`Word::UNUSED`] where there is none.
    word: Word,
}

impl<const S: usize> Begun<'_, S> {
    /// Whether the bucket has links and nothing in itself that could be the key.
    #[inline(always)]
    pub(crate) fn needs_links(&self) -> bool {
        self.word == Word::UNUSED && self.header.has_linked::<S>()
    }

    /// The record that may be the key's: an address, and nothing that may be read.
    #[inline(always)]
    pub(super) fn candidate(&self) -> Option<*mut u8> {
        (self.word != Word::UNUSED).then(|| self.word.pointer().cast())
    }
}

impl<const S: usize> Bucket<S> {
    /// The first published slot that has the tag. The slots are looked at with `order`.
    #[inline(always)]
    fn first_tagged(&self, header: Header, tag: u16, order: Ordering) -> Option<(usize, Word)> {
        let candidates = self.tagged(tag, order) & header.published();
        if candidates == 0 {
            return None;
        }
        let (index, slot) = self.first_of(candidates);
        // Acquire: edge T1, the record is initialised.
        Some((index, Word(slot.load(Acquire))))
    }

    /// The record of a slot's word, if all is plain: the bucket has not moved or changed since the
    /// header was loaded, and the record is the key's. Where it is not, nothing is known.
    #[inline(always)]
    fn plain_record<R>(
        &self,
        header: Header,
        word: Word,
        is_key: impl Fn(NonNull<R>) -> bool,
        unvalidated: Bug,
    ) -> Option<NonNull<R>> {
        stop::reached(Point::ReadMatched);
        if header.is_moved() || self.load() != header && !planted(unvalidated) {
            return None;
        }
        word.bare_record().filter(|&record| is_key(record))
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

    /// Begins a get: looks once into the bucket of the root's array.
    #[inline(always)]
    pub(super) fn begin_get<'g>(&self, hash: u64) -> Begun<'g, S> {
        let Place { array, bucket, header, .. } = self.root_place(hash);
        // Relaxed: a candidate is loaded again.
        let first = bucket.first_tagged(header, tag_of(hash, array.log2()), Relaxed);
        Begun { bucket, header, word: first.map_or(Word::UNUSED, |(_, word)| word) }
    }

    /// Begins a get with a look into the bucket and its links.
    pub(super) fn begin_anywhere<'g>(&self, hash: u64) -> Begun<'g, S> {
        let place = self.root_place(hash);
        let Place { array, bucket, header, .. } = place;
        let tag = tag_of(hash, array.log2());
        let own = bucket.first_tagged(header, tag, Relaxed);
        let first = own.or_else(|| Self::linked(&place).find(|(_, word)| word.tag() == tag));
        Begun { bucket, header, word: first.map_or(Word::UNUSED, |(_, word)| word) }
    }

    /// Ends a get that was begun under the same guard.
    ///
    /// Nearly all end here: at the first slot with the tag, or at a bucket without one. Whatever is
    /// out of the ordinary, a bucket that moves among it, is left to a search from the start.
    #[inline(always)]
    pub(crate) fn finish<E>(
        &self,
        hasher: &R::Hasher,
        hash: u64,
        begun: Begun<'_, S>,
        is_key: E,
    ) -> Option<NonNull<R>>
    where
        E: Fn(NonNull<R>) -> bool + Copy,
    {
        let Begun { bucket, header, word } = begun;
        if word == Word::UNUSED {
            if header.is_whole::<S>() {
                return None;
            }
        } else if let Some(record) = bucket.plain_record(header, word, is_key, Bug::NoRecheckOnRead)
        {
            return Some(record);
        }
        self.get_anywhere(hasher, hash, is_key)
    }

    /// The entry of a key for a writer, if its bucket is at rest and the first slot with the tag
    /// holds the key, or none has the tag. `Err` means that nothing is known.
    #[inline(always)]
    pub(super) fn plain_entry<E>(
        &self,
        place: &Place<'_, S, L>,
        wanted: Wanted<'_, R, E>,
    ) -> Result<Option<Entry<R>>, Changed>
    where
        E: Fn(NonNull<R>) -> bool + Copy,
    {
        let Place { array, bucket, header, .. } = *place;
        let tag = tag_of(wanted.hash, array.log2());
        match bucket.first_tagged(header, tag, before_a_write()) {
            Some((index, word)) => bucket
                .plain_record(header, word, wanted.is_key, wanted.unvalidated)
                .map(|record| Some(Entry { index, word, record: Some(record) }))
                .ok_or(Changed),
            None if header.is_whole::<S>() => Ok(None),
            None => Err(Changed),
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

    /// The bucket of `hash` in the root's array, whether it has moved or not.
    #[inline(always)]
    pub(super) fn root_place<'g>(&self, hash: u64) -> Place<'g, S, L> {
        let array = self.root();
        let index = bucket_of(hash, array.log2());
        let bucket = array.bucket(index);
        Place { array, index, bucket, header: bucket.load() }
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
        for (index, word) in Self::linked(&place).filter(|(_, word)| word.tag() == tag) {
            if let Some(entry) = Self::compare(&place, wanted, index, word)? {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// The words of the published slots in links.
    fn linked(place: &Place<'_, S, L>) -> impl Iterator<Item = (usize, Word)> {
        let Place { array, bucket, .. } = *place;
        let mut published = place.header.published() >> S << S;
        iter::from_fn(move || {
            while published != 0 {
                let index = published.trailing_zeros() as usize;
                published &= published - 1;
                // A link is attached before any of its slots is published (edges T2, T6).
                if let Some(slot) = array.slot(bucket, index) {
                    // Acquire: edge T1.
                    return Some((index, Word(slot.load(Acquire))));
                }
            }
            None
        })
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
            if wanted.collisions && list.hash != wanted.hash {
                return Ok(None);
            }
            let record = list.members.iter().copied().find(|&record| (wanted.is_key)(record));
            let known = wanted.collisions || record.is_some();
            return Ok(known.then_some(Entry { index, word, record }));
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
