//! Bounds on a store, and how room is made: by eviction, or not at all.
//!
//! Each shard has eviction queues (see `evict`), which one thread at a time works on. Who creates
//! an entry hands its handle in; where another thread is at the queues, it leaves the handle in an
//! inbox. Who needs room evicts entries of its own shard, and has their room for itself. Nobody
//! waits: where the queues of a shard are in the hands of a thread that was stopped there, others
//! take the least used of some entries that they come across.

// Tools that make threads slow would measure their own slowness.
#[cfg(all(test, not(any(miri, rkv_watched))))]
mod hit_ratio;
mod queues;
// Safe code, in stores too large for Miri.
#[cfg(all(test, not(miri)))]
mod tests;
mod victims;

pub(super) use self::queues::Newcomer;
use self::queues::Queues;
use super::Eviction;
use super::berth::Berth;
use super::budget::Budget;
use super::engine::Engine;
use super::lineage::Lineage;
use super::record::{Entry, HEADER};
use crate::epoch::Guard;
use crate::error::{Error, Result};
use crate::evict::Room;
use crate::sync::figures::AtomicU64;
use crate::sync::{CachePadded, Relaxed};
use crate::table::Change;

/// What an entry counts in bytes beside its key and value: what its header, its place in the table
/// and its handle take, more or less.
pub const ENTRY_BYTES: u64 = 80;

/// Entries that a writer looks at for room. Nearly always one or two are enough; where many have
/// been used since they were looked at last, each look uses up one of their uses.
const VISITS: usize = 512;

/// Entries that it looks at in the end, to take the least used of some.
const SAMPLED: usize = 64;

/// For so many bytes of what it puts, it looks at one more: as copying them, this is work in
/// proportion to the size.
const BYTES_PER_VISIT: u64 = 32;

/// Steps of timer wheels that a writer does for room. More than one in a shard are needed only
/// where many timers serve nothing any more.
const EXPIRING_STEPS: usize = 256;

/// The bounds of a store.
pub(super) struct Capacity {
    pub(super) budget: Budget,
    queues: Box<[CachePadded<Queues>]>,
    /// Whether entries are evicted.
    evicts: bool,
    pub(super) evicted: AtomicU64,
}

/// What an entry counts whose record has `bytes`.
pub(super) fn cost(bytes: usize) -> u64 {
    (bytes - HEADER) as u64 + ENTRY_BYTES
}

impl Capacity {
    pub(super) fn new(max: Room, eviction: Eviction, shards: usize) -> Self {
        let queues = (0..shards).map(|_| CachePadded::new(Queues::new())).collect();
        let evicts = eviction == Eviction::S3Fifo;
        Self { budget: Budget::new(max), queues, evicts, evicted: AtomicU64::default() }
    }

    /// The lineage of what takes the place of `live`, or is created.
    pub(super) fn lineage(&self, live: Option<Entry<'_>>, version: u64) -> Lineage {
        match live.map(Entry::lineage) {
            _ if !self.evicts => Lineage::NONE,
            // To be overwritten is a use.
            Some(old) => old.used().unwrap_or(old),
            None => Lineage::new(version),
        }
    }

    /// Whether what counts `cost` may be put at all.
    ///
    /// # Errors
    ///
    /// `TooLarge`.
    pub(super) fn admits(&self, cost: u64) -> Result<()> {
        let max = self.budget.max().bytes;
        if cost <= max {
            return Ok(());
        }
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        Err(Error::TooLarge { name: "entry", len: cost as usize, max })
    }

    /// The room of an entry that was taken out.
    pub(super) fn give_back(&self, entry: Entry<'_>) {
        self.budget.give(Room { entries: 1, bytes: cost(entry.bytes()) });
    }

    /// Entries of one shard, more or less.
    fn entries_of_shard(&self) -> usize {
        self.budget.taken().entries / self.queues.len()
    }

    /// Gives up the queues without touching them: what they hold is never freed.
    pub(super) fn abandon(&mut self) {
        std::mem::forget(std::mem::take(&mut self.queues));
    }
}

impl Engine {
    /// Ends a write to a bounded store, or a try of it; `None` if it is to be tried again.
    pub(super) fn settle_room<'g>(
        &'g self,
        capacity: &Capacity,
        guard: &'g Guard,
        hash: u64,
        change: Change<Entry<'g>>,
        berth: &mut Berth<'_>,
    ) -> Result<Option<Change<Entry<'g>>>> {
        berth.check()?;
        if berth.needs_room() {
            if !self.make_room(capacity, guard, hash, berth)? {
                berth.give_up();
            }
            return Ok(None);
        }
        if berth.is_evicted() {
            capacity.evicted.fetch_add(1, Relaxed);
            return Ok(Some(match change {
                Change::Removed(old) => Change::Replaced(old),
                _ => Change::Created,
            }));
        }
        if matches!(change, Change::Removed(_)) {
            self.sweep_sometimes(capacity, guard, hash);
        }
        Ok(Some(change))
    }

    /// Takes back the room of an entry that was removed.
    #[inline(never)]
    pub(super) fn give_back(
        &self,
        capacity: &Capacity,
        guard: &Guard,
        hash: u64,
        entry: Entry<'_>,
    ) {
        capacity.give_back(entry);
        self.sweep_sometimes(capacity, guard, hash);
    }

    /// Removes what has expired until a write has its room; whether it has. Where the keeper does
    /// so anyway, the write's own shard is enough, unless it would be refused.
    fn expire_for_room(&self, capacity: &Capacity, home: usize, berth: &mut Berth<'_>) -> bool {
        let shards = self.shards.len();
        if self.timers.are_used() {
            let last = if capacity.evicts && self.is_kept { home + 1 } else { home + shards };
            let (mut shard, now) = (home, self.clock.now_ms());
            for _ in 0..EXPIRING_STEPS {
                if shard == last || berth.take_room() {
                    break;
                }
                if !self.advance_if_due(shard % shards, now) {
                    shard += 1;
                }
            }
        }
        berth.take_room()
    }

    /// Makes the room that a write needs. What has expired goes first. Bounded work, and no
    /// waiting; whether there is room now.
    ///
    /// # Errors
    ///
    /// `Full` if entries are not to be evicted.
    fn make_room(
        &self,
        capacity: &Capacity,
        guard: &Guard,
        hash: u64,
        berth: &mut Berth<'_>,
    ) -> Result<bool> {
        let (home, shards) = (self.shards.shard_of(hash), self.shards.len());
        if self.expire_for_room(capacity, home, berth) {
            return Ok(true);
        }
        if !capacity.evicts {
            return Err(Error::Full);
        }
        let mut visits = VISITS + (berth.missing().bytes / BYTES_PER_VISIT) as usize;
        for shard in (home..shards).chain(0..home) {
            if !self.evict_by_queues(capacity, guard, shard, berth, &mut visits) {
                self.evict_by_sample(capacity, guard, (shard, hash), berth, &mut visits);
            }
            if berth.take_room() {
                return Ok(true);
            }
            if visits == 0 {
                break;
            }
        }
        // All that was looked at has been used of late. Or the queues do not know what is left, for
        // lack of memory.
        let mut visits = SAMPLED;
        self.evict_by_sample(capacity, guard, (home, hash), berth, &mut visits);
        Ok(berth.take_room())
    }
}
