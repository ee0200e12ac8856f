//! Options of a store.

use super::Store;
use crate::error::{Error, Result};
use crate::table::SHARDS_MAX;

/// Makes a [`Store`] with options. See [`Store::builder`].
#[derive(Debug, Clone, Default)]
pub struct StoreBuilder {
    pub(super) shards: Option<usize>,
    pub(super) capacity: usize,
}

impl StoreBuilder {
    /// Splits the store into so many tables: a power of two from 1 to 64. Default: the power of two
    /// from four times the number of processors.
    #[must_use]
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = Some(shards);
        self
    }

    /// Makes room for `entries` at once; the store does not shrink below that. Default: 0.
    #[must_use]
    pub fn capacity(mut self, entries: usize) -> Self {
        self.capacity = entries;
        self
    }

    /// The store.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for a number of shards that is no power of two from 1 to 64; `NoMemory`.
    pub fn build(self) -> Result<Store> {
        if self.shards.is_some_and(|shards| !shards.is_power_of_two() || shards > SHARDS_MAX) {
            let reason = "must be a power of two from 1 to 64";
            return Err(Error::InvalidArgument { name: "shards", reason });
        }
        Store::with_options(self)
    }
}
