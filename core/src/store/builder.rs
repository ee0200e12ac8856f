//! Options of a store.

use std::time::Duration;

use super::Store;
use super::capacity::ENTRY_BYTES;
use super::record::Record;
use crate::clock::{Clock, ManualClock};
use crate::error::{Error, Result};
use crate::evict::Room;
use crate::table::{SHARDS_MAX, Shards};

/// Fewer entries of a bounded store are not worth a shard of their own: in short queues it is more
/// a matter of chance what is evicted.
const ENTRIES_PER_SHARD: u64 = 2048;

/// What an entry of usual size counts, in bytes.
const USUAL_ENTRY: u64 = 2 * ENTRY_BYTES;

/// Makes a [`Store`] with options. See [`Store::builder`].
#[derive(Debug, Clone)]
pub struct StoreBuilder {
    pub(super) shards: Option<usize>,
    pub(super) capacity: usize,
    pub(super) default_ttl: Option<Duration>,
    pub(super) clock: Clock,
    pub(super) maintenance: bool,
    pub(super) max_entries: Option<u64>,
    pub(super) max_bytes: Option<u64>,
    pub(super) eviction: Eviction,
}

/// What a bounded store does when it is full and something is to be put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Eviction {
    /// It removes what is least worth keeping, expired entries first, by S3-FIFO: an entry that was
    /// used again since it came stays longer than one that was not.
    ///
    /// In short moments, when what other threads are about to put takes all the room that is left,
    /// what is set may be evicted at once: the call answers as if it stood there, and the value
    /// that it took the place of is gone too.
    #[default]
    S3Fifo,
    /// It removes what has expired, and else answers [`Error::Full`].
    Reject,
}

impl Default for StoreBuilder {
    fn default() -> Self {
        Self {
            shards: None,
            capacity: 0,
            default_ttl: None,
            clock: Clock::default(),
            maintenance: true,
            max_entries: None,
            max_bytes: None,
            eviction: Eviction::default(),
        }
    }
}

impl StoreBuilder {
    /// Splits the store into so many tables: a power of two from 1 to 64. Default: the power of two
    /// from four times the number of processors; fewer where a bound leaves each less than 2,048
    /// entries, since each has eviction queues of its own.
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

    /// The store never has more than `entries` entries. Default: no bound. What it does when it has
    /// so many, [`eviction`](Self::eviction) says.
    #[must_use]
    pub fn max_entries(mut self, entries: u64) -> Self {
        self.max_entries = Some(entries);
        self
    }

    /// The entries of the store never count more than `bytes` together. Default: no bound.
    ///
    /// An entry counts the bytes of its key and value and [`ENTRY_BYTES`](crate::ENTRY_BYTES)
    /// more. A value that takes much of the room of the store makes one call remove many others, in
    /// time that grows with its size. Memory that was removed and waits for readers does not count,
    /// and neither does what [`Value`](crate::Value)s hold.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// What the store does when it is full. Default: [`Eviction::S3Fifo`].
    #[must_use]
    pub fn eviction(mut self, eviction: Eviction) -> Self {
        self.eviction = eviction;
        self
    }

    /// The store.
    ///
    /// # Errors
    ///
    /// `InvalidTtl` for a default of zero; `InvalidArgument` for a number of shards that is no
    /// power of two from 1 to 64, for a bound of no entries, and for one of fewer bytes than an
    /// empty entry counts; `NoMemory`.
    pub fn build(self) -> Result<Store> {
        if self.shards.is_some_and(|shards| !shards.is_power_of_two() || shards > SHARDS_MAX) {
            let reason = "must be a power of two from 1 to 64";
            return Err(Error::InvalidArgument { name: "shards", reason });
        }
        if self.default_ttl.is_some_and(|ttl| ttl.is_zero()) {
            return Err(Error::InvalidTtl);
        }
        if self.max_entries == Some(0) {
            let reason = "must be at least 1";
            return Err(Error::InvalidArgument { name: "max_entries", reason });
        }
        const { assert!(ENTRY_BYTES == 80, "the next text says so") };
        if self.max_bytes.is_some_and(|bytes| bytes < ENTRY_BYTES) {
            let reason = "must be at least 80, which an empty entry counts";
            return Err(Error::InvalidArgument { name: "max_bytes", reason });
        }
        Store::with_options(self)
    }

    /// The bounds, if there are any.
    pub(super) fn room(&self) -> Option<Room> {
        let (entries, bytes) = (self.max_entries, self.max_bytes);
        let entries_max = usize::try_from(entries.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        let room = Room { entries: entries_max, bytes: bytes.unwrap_or(u64::MAX) };
        (entries.is_some() || bytes.is_some()).then_some(room)
    }

    /// How many shards a store has that was not told.
    pub(super) fn usual_shards(&self) -> usize {
        let usual = Shards::<Record>::default_len();
        let Some(room) = self.room() else { return usual };
        let entries = (room.entries as u64).min(room.bytes / USUAL_ENTRY);
        let shards = usize::try_from(entries / ENTRIES_PER_SHARD).unwrap_or(usize::MAX);
        // The power of two below.
        1 << shards.clamp(1, usual).ilog2()
    }
}
