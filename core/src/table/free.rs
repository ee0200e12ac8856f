//! The end of a table: every record released once, every list and array freed.
//!
//! A resize may have stopped half-way, so that two buckets hold the same entry. A scan tells which
//! of them has authority, but it may have to read the hashes of records. So it marks the entries
//! first, and only then is any record released: *mark, then release*. Claims that were never
//! published belong to their writers and are not touched.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::ptr::NonNull;

use super::array::Array;
use super::collision::Collision;
use super::word::Word;
use super::{Record, Table};
use crate::sync::{Acquire, Release};

/// What came of dropping user types: the first panic, if there was one.
pub(super) type Released = Result<(), Box<dyn Any + Send>>;

impl<R: Record, const S: usize, const L: usize> Table<R, S, L> {
    /// Releases every record and frees every list and array; the first panic of a `Drop`, with all
    /// the rest freed.
    ///
    /// # Safety
    ///
    /// Nobody else uses the table, now or later.
    pub(super) unsafe fn free(&self, hasher: &R::Hasher) -> Released {
        self.mark_all(hasher);
        let mut outcome = Ok(());
        let mut array = Some(self.root());
        while let Some(this) = array {
            array = this.next();
            for index in 0..this.len() {
                // SAFETY: nobody else uses the table; what is marked is marked once.
                outcome = outcome.and(unsafe { Self::release_marked(this, index) });
            }
            // SAFETY: nobody else uses the table, and `next` was read before.
            unsafe { this.free() };
        }
        outcome
    }

    /// Marks each entry where it has authority.
    fn mark_all(&self, hasher: &R::Hasher) {
        let mut from = Some(0);
        while let Some(start) = from {
            let step = self.step(hasher, start);
            let bucket = step.array.bucket(step.index);
            for &(position, word) in step.entries() {
                if let Some(slot) = step.array.slot(bucket, position) {
                    slot.store(word.doomed().0, Release);
                }
            }
            from = step.last.checked_add(1);
        }
    }

    /// Releases the marked entries of a bucket.
    ///
    /// # Safety
    ///
    /// Nobody else uses the table, and no other bucket has the same entry marked.
    unsafe fn release_marked(array: Array<S, L>, index: usize) -> Released {
        let bucket = array.bucket(index);
        let mut outcome = Ok(());
        for position in 0..Array::<S, L>::CAPACITY {
            let Some(slot) = array.slot(bucket, position) else { break };
            let word = Word(slot.load(Acquire));
            if word.is_doomed() {
                // SAFETY: as the caller says.
                outcome = outcome.and(unsafe { Self::release(word) });
            }
        }
        outcome
    }

    /// Releases the record of an entry, or all records of its list and the list.
    ///
    /// # Safety
    ///
    /// The word is that of an entry, which nobody reads and nobody else releases.
    unsafe fn release(word: Word) -> Released {
        let release = |record| {
            // SAFETY: a table holds each record once.
            panic::catch_unwind(AssertUnwindSafe(|| unsafe { R::release(record) }))
        };
        if !word.is_collision() {
            return NonNull::new(word.pointer().cast()).map_or(Ok(()), release);
        }
        let Some(list) = NonNull::new(word.pointer().cast::<Collision<R>>()) else { return Ok(()) };
        let mut outcome = Ok(());
        // SAFETY: a marked word points to a list, which is nobody else's.
        for &record in unsafe { &list.as_ref().members } {
            outcome = outcome.and(release(record));
        }
        // SAFETY: as above; its members are released.
        unsafe { Collision::free(list) };
        outcome
    }
}
