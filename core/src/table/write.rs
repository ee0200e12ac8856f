//! Every change of an entry: find it, ask what is wanted, and decide by one exchange.
//!
//! | change | decided by |
//! |---|---|
//! | create | the exchange of the header that publishes a claimed slot |
//! | replace | the exchange of the slot word |
//! | remove | the exchange of the slot word; the header's bit is cleared afterwards, by anyone |
//!
//! No user code runs while a claim stands, and no step waits for another thread: a lost exchange
//! means that another operation on this bucket took effect.

use std::ptr::NonNull;

use super::array::Array;
use super::collision::Collision;
use super::find::{Entry, Place, Wanted};
use super::word::{Header, Word};
use super::{Record, Refused, Table};
use crate::epoch::Retire;
use crate::hash::tag_of;
use crate::sync::planted::{Bug, planted};
use crate::sync::stop::{self, Point};
use crate::sync::{self, AcqRel, Acquire, AtomicPtr, Relaxed, Release};

/// What a writer wants done, now that it knows what stands there.
pub(crate) enum Decision<R> {
    /// Put this record, which nobody else knows, in the key's place.
    Put(NonNull<R>),
    /// Remove what stands there.
    Remove,
    /// Change nothing.
    Keep,
}

/// What a write did, with the records as `T` shows them: readable as long as the guard lives.
pub(crate) enum Change<T> {
    /// The key was absent; the record that was put is its entry.
    Created,
    /// The record that was put took the place of this one, which is retired.
    Replaced(T),
    /// This record was removed and is retired.
    Removed(T),
    /// Nothing was changed; what stands there.
    Kept(Option<T>),
}

impl<T> Change<T> {
    pub(super) fn map<U>(self, mut show: impl FnMut(T) -> U) -> Change<U> {
        match self {
            Change::Created => Change::Created,
            Change::Replaced(record) => Change::Replaced(show(record)),
            Change::Removed(record) => Change::Removed(show(record)),
            Change::Kept(record) => Change::Kept(record.map(show)),
        }
    }
}

/// How often a writer looks again at a bucket that is full of claims of others.
const PATIENCE: usize = if cfg!(rkv_loom) { 1 } else { 32 };

impl<R: Record, const S: usize, const L: usize> Table<R, S, L> {
    /// Changes the entry of one key by one atomic step.
    ///
    /// `decide` is given the key's record, or `None`, and answers what is wanted. It may run again
    /// when another writer wins; a record it puts stays its own until the call returns `Created`
    /// or `Replaced`. `is_key` and `decide` may run user code and may panic.
    ///
    /// # Errors
    ///
    /// `NoMemory` and `Full`, with nothing changed.
    #[inline(always)]
    pub(crate) fn write<G: Retire>(
        &self,
        hasher: &R::Hasher,
        hash: u64,
        guard: &G,
        is_key: impl Fn(NonNull<R>) -> bool + Copy,
        mut decide: impl FnMut(Option<NonNull<R>>) -> Decision<R>,
    ) -> Result<Change<NonNull<R>>, Refused> {
        let unvalidated = Bug::NoRecheckOnWrite;
        let wanted = Wanted { hash, hasher, is_key, collisions: true, unvalidated };
        let place = self.root_place(hash);
        // What nearly all writes meet, with nothing kept for other cases: a bucket at rest.
        if (place.header.is_normal() || planted(Bug::PublishIntoFrozen))
            && let Ok(entry) = self.plain_entry(&place, wanted)
            && let Some(change) = self.change(&place, wanted, guard, entry, &mut decide, &mut 0)?
        {
            return Ok(change);
        }
        self.write_anywhere(wanted, guard, decide)
    }

    /// A write in all its cases.
    #[inline(never)]
    fn write_anywhere<G: Retire>(
        &self,
        wanted: Wanted<'_, R, impl Fn(NonNull<R>) -> bool + Copy>,
        guard: &G,
        mut decide: impl FnMut(Option<NonNull<R>>) -> Decision<R>,
    ) -> Result<Change<NonNull<R>>, Refused> {
        let mut crowded = 0;
        loop {
            let place = self.place(wanted.hash);
            let Ok(entry) = self.search(&place, wanted) else { continue };
            let stuck = place.header.is_frozen() || entry.is_some_and(|e| e.word.is_frozen());
            if stuck && !planted(Bug::PublishIntoFrozen) {
                self.migrate(wanted.hasher, place.array, place.index)?;
                continue;
            }
            let done = self.change(&place, wanted, guard, entry, &mut decide, &mut crowded)?;
            if let Some(change) = done {
                return Ok(change);
            }
        }
    }

    /// Does what is decided of an entry, or of none; `None` when somebody else came first.
    #[inline(always)]
    fn change<G: Retire, E>(
        &self,
        place: &Place<'_, S, L>,
        wanted: Wanted<'_, R, E>,
        guard: &G,
        entry: Option<Entry<R>>,
        decide: &mut impl FnMut(Option<NonNull<R>>) -> Decision<R>,
        crowded: &mut usize,
    ) -> Result<Option<Change<NonNull<R>>>, Refused> {
        let Wanted { hash, hasher, .. } = wanted;
        let found = entry.and_then(|entry| entry.record);
        match (decide(found), entry) {
            (Decision::Keep, _) | (Decision::Remove, None) => Ok(Some(Change::Kept(found))),
            (Decision::Remove, Some(Entry { record: None, .. })) => Ok(Some(Change::Kept(None))),
            (Decision::Put(new), Some(entry)) => Self::replace(place, hash, entry, new, guard),
            (Decision::Remove, Some(entry)) => Self::remove(place, entry, guard),
            (Decision::Put(new), None) => self.create(place, hasher, (hash, new), guard, crowded),
        }
    }

    /// Puts `new` in the place of an entry, or beside the other keys of its hash.
    fn replace<G: Retire>(
        place: &Place<'_, S, L>,
        hash: u64,
        entry: Entry<R>,
        new: NonNull<R>,
        guard: &G,
    ) -> Result<Option<Change<NonNull<R>>>, Refused> {
        let tag = entry.word.tag();
        if entry.record.is_some() && !entry.word.is_collision() {
            if !Self::exchange(place, entry, Word::record(new.as_ptr().cast(), tag)) {
                return Ok(None);
            }
            // SAFETY: our exchange took the record out of its slot.
            return Ok(unsafe { Self::retired(entry, guard) }.map(Change::Replaced));
        }
        let members = match (Self::list_of(entry.word), entry.record) {
            (Some(list), Some(old)) => list.changed(old, Some(new))?,
            (Some(list), None) => Collision::with(&list.members, new)?,
            (None, _) => {
                // SAFETY: a validated live word points to a record.
                let bare = unsafe { NonNull::new_unchecked(entry.word.pointer().cast::<R>()) };
                Collision::with(&[bare], new)?
            }
        };
        if !Self::exchange_list(place, entry, hash, members)? {
            return Ok(None);
        }
        // SAFETY: our exchange took the list, and with it the member, out of the slot.
        let old = unsafe { Self::retired(entry, guard) };
        Ok(Some(old.map_or(Change::Created, Change::Replaced)))
    }

    /// Takes an entry out of its slot.
    fn remove<G: Retire>(
        place: &Place<'_, S, L>,
        entry: Entry<R>,
        guard: &G,
    ) -> Result<Option<Change<NonNull<R>>>, Refused> {
        if let (Some(list), Some(old)) = (Self::list_of(entry.word), entry.record) {
            let members = list.changed(old, None)?;
            if !members.is_empty() {
                let taken = Self::exchange_list(place, entry, list.hash, members)?;
                // SAFETY: our exchange took the list out of the slot.
                let removed = taken.then(|| unsafe { Self::retired(entry, guard) }).flatten();
                return Ok(removed.map(Change::Removed));
            }
        }
        let generation = if planted(Bug::NoGeneration) { 0 } else { place.header.version() };
        if !Self::exchange(place, entry, Word::emptied(generation)) {
            return Ok(None);
        }
        Self::clear(place, entry.index);
        // SAFETY: our exchange took the record out of its slot.
        Ok(unsafe { Self::retired(entry, guard) }.map(Change::Removed))
    }

    /// Claims a free slot and publishes `new` in it; `None` when somebody else came first.
    fn create<G: Retire>(
        &self,
        place: &Place<'_, S, L>,
        hasher: &R::Hasher,
        (hash, new): (u64, NonNull<R>),
        guard: &G,
        crowded: &mut usize,
    ) -> Result<Option<Change<NonNull<R>>>, Refused> {
        match self.free_slot(place) {
            Free::Slot { index, slot, empty } => {
                let word = Word::record(new.as_ptr().cast(), tag_of(hash, place.array.log2()));
                Ok(Self::publish(place, index, slot, empty, word).then_some(Change::Created))
            }
            Free::Retry => Ok(None),
            Free::Attach(which) => {
                if !place.array.attach(place.bucket, which) {
                    return Err(Refused::NoMemory);
                }
                self.consider_growing(place, which);
                Ok(None)
            }
            Free::Claimed if *crowded < PATIENCE => {
                *crowded += 1;
                sync::spin();
                Ok(None)
            }
            taken => {
                self.make_room(place, hasher, guard, matches!(taken, Free::Full))?;
                Ok(None)
            }
        }
    }

    /// A slot that a new entry can claim.
    fn free_slot<'g>(&self, place: &Place<'g, S, L>) -> Free<'g> {
        let published = place.header.published();
        let mut unpublished = !published & ((1 << Array::<S, L>::CAPACITY) - 1);
        while unpublished != 0 {
            let index = unpublished.trailing_zeros() as usize;
            unpublished &= unpublished - 1;
            let Some(slot) = place.array.slot(place.bucket, index) else {
                return match Self::clear_any(place, index) {
                    true => Free::Retry,
                    false => Free::Attach((index - S) / L),
                };
            };
            // Acquire: edge T3, the removal that emptied the slot.
            let empty = Word(slot.load(Acquire));
            if empty.is_empty() && !empty.is_frozen() {
                return Free::Slot { index, slot, empty };
            }
        }
        match Self::clear_any(place, Array::<S, L>::CAPACITY) {
            true => Free::Retry,
            false if published.count_ones() as usize == Array::<S, L>::CAPACITY => Free::Full,
            false => Free::Claimed,
        }
    }

    /// Helps deleters: clears published bits of emptied slots; whether it met any.
    fn clear_any(place: &Place<'_, S, L>, below: usize) -> bool {
        let mut met = false;
        for index in (0..below).filter(|&index| place.header.has(index)) {
            let slot = place.array.slot(place.bucket, index);
            // Acquire: edge T3.
            if slot.is_some_and(|slot| Word(slot.load(Acquire)).is_empty()) {
                Self::clear(place, index);
                met = true;
            }
        }
        met
    }

    /// Claim, then publish. The claim is good only if the header still stands after the slot was
    /// seen free; the publication only if it still stands then, or the key may have come meanwhile.
    fn publish(
        place: &Place<'_, S, L>,
        index: usize,
        slot: &AtomicPtr<()>,
        empty: Word,
        word: Word,
    ) -> bool {
        if place.bucket.load() != place.header && !planted(Bug::NoClaimValidation) {
            return false;
        }
        let order = if planted(Bug::RelaxedPublish) { Relaxed } else { Release };
        // Release: edge T1, the record is initialised.
        if slot.compare_exchange(empty.0, word.0, order, Relaxed).is_err() {
            return false;
        }
        stop::reached(Point::Claimed);
        let header = &place.bucket.header;
        let published = place.header.publishing(index).0;
        if planted(Bug::BlindPublish) {
            header.store(published, Release);
            return true;
        }
        // Release: edge T2, the claim and all that its claimer has seen.
        let mut now = match header.compare_exchange(place.header.0, published, order, Relaxed) {
            Ok(_) => return true,
            Err(now) => Header(now),
        };
        while planted(Bug::NoRestart) && now.is_normal() {
            match header.compare_exchange(now.0, now.publishing(index).0, AcqRel, Acquire) {
                Ok(_) => return true,
                Err(later) => now = Header(later),
            }
        }
        // The claim is ours alone: nobody else writes to a slot that is not published. It goes
        // back to the same generation, since it was never published.
        slot.store(empty.0, Release);
        false
    }

    /// Exchanges the word of a validated entry. It still being there means that it is published.
    fn exchange(place: &Place<'_, S, L>, entry: Entry<R>, word: Word) -> bool {
        let Some(slot) = place.array.slot(place.bucket, entry.index) else { return false };
        // AcqRel: edges T1 and T3.
        slot.compare_exchange(entry.word.0, word.0, AcqRel, Relaxed).is_ok()
    }

    /// Exchanges an entry for a list of the members of one hash.
    fn exchange_list(
        place: &Place<'_, S, L>,
        entry: Entry<R>,
        hash: u64,
        members: Vec<NonNull<R>>,
    ) -> Result<bool, Refused> {
        let list = Collision::new(hash, members)?;
        let word = Word::collision(list.as_ptr().cast(), entry.word.tag());
        let exchanged = Self::exchange(place, entry, word);
        if !exchanged {
            // SAFETY: the list was in no slot.
            unsafe { Collision::free(list) };
        }
        Ok(exchanged)
    }

    /// Clears the published bit of an emptied slot, unless somebody has or the bucket is frozen.
    fn clear(place: &Place<'_, S, L>, index: usize) {
        let Some(slot) = place.array.slot(place.bucket, index) else { return };
        let mut header = place.bucket.load();
        while header.has(index) && header.is_normal() {
            // Acquire: edge T3, so that this clear passes the removal on to who sees it.
            if !Word(slot.load(Acquire)).is_empty() && !planted(Bug::BlindClear) {
                return;
            }
            let cleared = header.clearing(index).0;
            if planted(Bug::BlindClear) {
                place.bucket.header.store(cleared, Release);
                return;
            }
            // Release: edge T2.
            match place.bucket.header.compare_exchange(header.0, cleared, AcqRel, Acquire) {
                Ok(_) => return,
                Err(now) => header = Header(now),
            }
        }
    }

    fn list_of<'g>(word: Word) -> Option<&'g Collision<R>> {
        // SAFETY: a validated word that is marked points to a list, which lives as long as the
        // guard under which the word was loaded.
        word.is_collision().then(|| unsafe { &*word.pointer().cast::<Collision<R>>() })
    }

    /// Retires what an exchange took out: the list, if it was one, and the record of the key.
    ///
    /// # Safety
    ///
    /// The caller's exchange took `entry` out of its slot, and the members that live on are in
    /// the list that took its place.
    unsafe fn retired<G: Retire>(entry: Entry<R>, guard: &G) -> Option<NonNull<R>> {
        let list = NonNull::new(entry.word.pointer().cast::<Collision<R>>());
        if let Some(list) = list.filter(|_| entry.word.is_collision()) {
            // SAFETY: the list is in no slot any more.
            guard.retire(unsafe { Collision::into_garbage(list) });
        }
        if let Some(record) = entry.record {
            // SAFETY: the record is in no slot and no list any more, and this is the only winner.
            guard.retire(unsafe { R::into_garbage(record) });
        }
        entry.record
    }
}

/// Where a new entry can go.
enum Free<'g> {
    /// This slot is free to claim.
    Slot { index: usize, slot: &'g AtomicPtr<()>, empty: Word },
    /// The bucket changed: look again.
    Retry,
    /// All attached slots are taken; the first or second link is not attached.
    Attach(usize),
    /// All slots are taken, some by claims that are not published yet.
    Claimed,
    /// All slots are published.
    Full,
}
