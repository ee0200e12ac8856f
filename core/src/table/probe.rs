//! Doors for the models: single steps of a resize, and the end of a table.

use super::array::Array;
use super::{Record, Refused, Table};
use crate::sync::Relaxed;

impl<R: Record, const S: usize, const L: usize> Table<R, S, L> {
    /// The `nth` array from the root, which exists.
    fn nth(&self, nth: usize) -> Array<S, L> {
        (0..nth).fold(self.root(), |array, _| array.next().expect("a resize began"))
    }

    /// Makes an array of `2^log2` buckets that the `nth` is to be moved to, if it has none.
    pub(crate) fn begin_resize(&self, nth: usize, log2: u32) -> Result<(), Refused> {
        self.next_of(self.nth(nth), log2).map(drop)
    }

    /// Moves one bucket of the `nth` array from the root.
    pub(crate) fn move_bucket(
        &self,
        hasher: &R::Hasher,
        nth: usize,
        bucket: usize,
    ) -> Result<(), Refused> {
        self.migrate(hasher, self.nth(nth), bucket)
    }

    /// Freezes one bucket of the `nth` array from the root.
    pub(crate) fn freeze_bucket(&self, nth: usize, bucket: usize) {
        Self::freeze(self.nth(nth), bucket);
    }

    /// Takes the next chunk of a resize, as a helper does that then stops for ever.
    pub(crate) fn abandon_chunk(&self) {
        self.root().head().cursor.fetch_add(1, Relaxed);
    }

    /// Whether the root's array is being moved to another.
    pub(crate) fn is_resizing(&self) -> bool {
        self.root().next().is_some()
    }

    /// The root's array, as a number.
    pub(crate) fn root_address(&self) -> usize {
        self.root().pack().addr()
    }

    /// Frees all arrays and lists, and releases all records.
    ///
    /// # Safety
    ///
    /// Nobody else uses the table, now or later.
    pub(crate) unsafe fn free_all(&self, hasher: &R::Hasher) {
        // SAFETY: the caller's promise.
        if let Err(panic) = unsafe { self.free(hasher) } {
            std::panic::resume_unwind(panic);
        }
    }
}
