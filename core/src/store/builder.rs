//! Options of a store.

use std::time::Duration;

use super::Store;
use crate::clock::{Clock, ManualClock};
use crate::error::{Error, Result};
use crate::table::SHARDS_MAX;

/// Makes a [`Store`] with options. See [`Store::builder`].
#[derive(Debug, Clone)]
pub struct StoreBuilder {
    pub(super) shards: Option<usize>,
    pub(super) capacity: usize,
    pub(super) default_ttl: Option<Duration>,
    pub(super) clock: Clock,
    pub(super) maintenance: bool,
}

impl Default for StoreBuilder {
    fn default() -> Self {
        let (shards, default_ttl, clock) = Default::default();
        Self { shards, capacity: 0, default_ttl, clock, maintenance: true }
    }
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

    /// How long a key lives that is set without a word about it. Default: for ever.
    #[must_use]
    pub fn default_ttl(mut self, ttl: Duration) -> Self {
        self.default_ttl = Some(ttl);
        self
    }

    /// Whether a thread removes what has expired when it is due. Default: yes. The process has one
    /// for all stores; it starts with the first key that has a deadline, sleeps until one is due,
    /// and ends with the last such store. Without it, who embeds the store calls
    /// [`advance`](Store::advance); writers that set deadlines help in any case.
    #[must_use]
    pub fn maintenance(mut self, maintenance: bool) -> Self {
        self.maintenance = maintenance;
        self
    }

    /// Takes the time from a clock that is moved by hand: for tests of what depends on time. Such a
    /// store has no thread; call [`advance`](Store::advance).
    #[must_use]
    pub fn clock(mut self, clock: &ManualClock) -> Self {
        self.clock = Clock::Manual(clock.clone());
        self
    }

    /// The store.
    ///
    /// # Errors
    ///
    /// `InvalidTtl` for a default of zero; `InvalidArgument` for a number of shards that is no
    /// power of two from 1 to 64; `NoMemory`.
    pub fn build(self) -> Result<Store> {
        if self.shards.is_some_and(|shards| !shards.is_power_of_two() || shards > SHARDS_MAX) {
            let reason = "must be a power of two from 1 to 64";
            return Err(Error::InvalidArgument { name: "shards", reason });
        }
        if self.default_ttl.is_some_and(|ttl| ttl.is_zero()) {
            return Err(Error::InvalidTtl);
        }
        Store::with_options(self)
    }
}
