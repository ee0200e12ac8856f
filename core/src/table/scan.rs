//! Walking all entries, interval by interval of the hash space.
//!
//! Buckets are in hash order in every array, so "the rest" is one number, whatever resizes happen
//! between two steps. A step covers the hashes from that number to the end of the narrowest bucket
//! on the way to the authority, and takes only entries whose hash lies in it: an entry that is
//! present throughout comes exactly once, also when its bucket is split or merged between two
//! steps.

use std::ptr::NonNull;

use super::array::Array;
use super::collision::Collision;
use super::word::{PUBLISHED_MAX, Word};
use super::{Record, Table};
use crate::hash::{bucket_of, interval_of};
use crate::sync::Acquire;

/// The entries of one step.
pub(super) struct Step<const S: usize, const L: usize> {
    /// The bucket that has authority.
    pub(super) array: Array<S, L>,
    pub(super) index: usize,
    /// The slot and the word of each entry.
    entries: [(usize, Word); PUBLISHED_MAX],
    len: usize,
    /// The last hash that the step covers.
    pub(super) last: u64,
}

impl<const S: usize, const L: usize> Step<S, L> {
    pub(super) fn entries(&self) -> &[(usize, Word)] {
        &self.entries[..self.len]
    }
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
        for (_, word) in step.entries() {
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
    pub(super) fn step(&self, hasher: &R::Hasher, from: u64) -> Step<S, L> {
        loop {
            let mut last = u64::MAX;
            let mut array = self.root();
            let (index, bucket, whole, header) = loop {
                let index = bucket_of(from, array.log2());
                let interval = interval_of(index, array.log2());
                let whole = interval.0 == from && interval.1 <= last;
                last = last.min(interval.1);
                let bucket = array.bucket(index);
                let header = bucket.load();
                match array.next() {
                    Some(next) if header.is_moved() => array = next,
                    _ => break (index, bucket, whole, header),
                }
            };
            let entries = [(0, Word::UNUSED); _];
            let mut step = Step { array, index, entries, len: 0, last };
            for position in (0..Array::<S, L>::CAPACITY).filter(|&slot| header.has(slot)) {
                let Some(slot) = array.slot(bucket, position) else { continue };
                // Acquire: edge T1.
                let word = Word(slot.load(Acquire));
                if !word.is_empty() {
                    step.entries[step.len] = (position, word);
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

    fn keep_interval(hasher: &R::Hasher, from: u64, step: &mut Step<S, L>) {
        let mut kept = 0;
        for index in 0..step.len {
            // SAFETY: the step validated the word; the guard keeps what it points to.
            let hash = unsafe { Self::hash_of(step.entries[index].1, hasher) };
            if (from..=step.last).contains(&hash) {
                step.entries[kept] = step.entries[index];
                kept += 1;
            }
        }
        step.len = kept;
    }
}
