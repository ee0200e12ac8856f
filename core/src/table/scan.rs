//! Walking all entries, interval by interval of the hash space.
//!
//! Buckets are in hash order in every array, so "the rest" is one number, whatever resizes happen
//! between two steps. A step covers the hashes from that number to the end of the narrowest bucket
//! on the way to the authority, and takes only entries whose hash lies in it: an entry that is
//! present throughout comes exactly once, also when its bucket is split or merged between two
//! steps.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::ptr::NonNull;

use super::array::Array;
use super::collision::Collision;
use super::word::{PUBLISHED_MAX, Word};
use super::{Record, Table};
use crate::hash::{bucket_of, interval_of};
use crate::sync::Acquire;

/// What came of dropping user types: the first panic, if there was one.
pub(super) type Released = Result<(), Box<dyn Any + Send>>;

/// The entries of one step.
struct Step {
    words: [Word; PUBLISHED_MAX],
    len: usize,
    /// The last hash that the step covers.
    last: u64,
}

impl<R: Record, const S: usize, const L: usize> Table<R, S, L> {
    /// Calls `visit` with each record of a hash interval that begins at `from`; answers where the
    /// next interval begins, or `None` after the last.
    ///
    /// The records are readable as long as the guard of the caller lives. No lock, no claim:
    /// `visit` may use the table.
    pub(crate) fn scan(
        &self,
        hasher: &R::Hasher,
        from: u64,
        mut visit: impl FnMut(NonNull<R>),
    ) -> Option<u64> {
        let step = self.step(hasher, from);
        for word in &step.words[..step.len] {
            if word.is_collision() {
                // SAFETY: the step validated the word; the guard keeps the list.
                let list = unsafe { &*word.pointer().cast::<Collision<R>>() };
                list.members.iter().copied().for_each(&mut visit);
            } else if let Some(record) = NonNull::new(word.pointer().cast()) {
                visit(record);
            }
        }
        step.last.checked_add(1)
    }

    /// One step, from one consistent look at the bucket that has authority.
    fn step(&self, hasher: &R::Hasher, from: u64) -> Step {
        loop {
            let mut last = u64::MAX;
            let mut array = self.root();
            let (bucket, whole, header) = loop {
                let index = bucket_of(from, array.log2());
                let interval = interval_of(index, array.log2());
                let whole = interval.0 == from && interval.1 <= last;
                last = last.min(interval.1);
                let bucket = array.bucket(index);
                let header = bucket.load();
                match array.next() {
                    Some(next) if header.is_moved() => array = next,
                    _ => break (bucket, whole, header),
                }
            };
            let mut step = Step { words: [Word::UNUSED; _], len: 0, last };
            for slot in (0..Array::<S, L>::CAPACITY).filter(|&slot| header.has(slot)) {
                let Some(slot) = array.slot(bucket, slot) else { continue };
                // Acquire: edge T1.
                let word = Word(slot.load(Acquire));
                if !word.is_empty() {
                    step.words[step.len] = word;
                    step.len += 1;
                }
            }
            if bucket.load() != header {
                continue;
            }
            if !whole {
                Self::keep_interval(hasher, from, &mut step);
            }
            return step;
        }
    }

    fn keep_interval(hasher: &R::Hasher, from: u64, step: &mut Step) {
        let mut kept = 0;
        for index in 0..step.len {
            // SAFETY: the step validated the word; the guard keeps what it points to.
            let hash = unsafe { Self::hash_of(step.words[index], hasher) };
            if (from..=step.last).contains(&hash) {
                step.words[kept] = step.words[index];
                kept += 1;
            }
        }
        step.len = kept;
    }

    /// Releases every record and frees every list and array; the first panic of a `Drop`, with all
    /// the rest freed.
    ///
    /// A scan finds each entry where it has authority, once, also in a table whose resize stopped
    /// half-way; claims that were never published belong to their writers.
    ///
    /// # Safety
    ///
    /// Nobody else uses the table, now or later.
    pub(super) unsafe fn free(&self, hasher: &R::Hasher) -> Released {
        let mut outcome = Ok(());
        let mut from = Some(0);
        while let Some(start) = from {
            let step = self.step(hasher, start);
            for &word in &step.words[..step.len] {
                // SAFETY: nobody else uses the table, and each entry comes once.
                outcome = outcome.and(unsafe { Self::release(word) });
            }
            from = step.last.checked_add(1);
        }
        let mut array = Some(self.root());
        while let Some(this) = array {
            array = this.next();
            // SAFETY: nobody else uses the table.
            unsafe { this.free() };
        }
        outcome
    }

    /// Releases the record of an entry, or all records of its list and the list.
    ///
    /// # Safety
    ///
    /// The word is validated, and its table is nobody's.
    unsafe fn release(word: Word) -> Released {
        let release = |record| {
            // SAFETY: the caller's table holds each record once, and nobody reads it.
            panic::catch_unwind(AssertUnwindSafe(|| unsafe { R::release(record) }))
        };
        if !word.is_collision() {
            return NonNull::new(word.pointer().cast()).map_or(Ok(()), release);
        }
        let list = word.pointer().cast::<Collision<R>>();
        // SAFETY: a marked word points to a list, which is nobody else's.
        let list = unsafe { Box::from_raw(list) };
        let mut outcome = Ok(());
        for &record in &list.members {
            outcome = outcome.and(release(record));
        }
        outcome
    }
}
