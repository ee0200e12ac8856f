//! Bounds on a store, and how room is made: by eviction, or not at all.
//!
//! Each shard has eviction queues (see `evict`), which one thread at a time works on. Who creates
//! an entry hands its handle in; where another thread is at the queues, it leaves the handle in an
//! inbox. Who needs room evicts entries of its own shard, or of the next one whose queues nobody
//! is at, and has their room for itself. Nobody waits: a thread that stops at the queues of a shard
//! stops nobody else.

#[cfg(test)]
mod hit_ratio;
#[cfg(test)]
mod tests;

use super::Eviction;
use super::berth::Berth;
use super::budget::Budget;
use super::engine::Engine;
use super::lineage::Lineage;
use super::mortal::{EndedBy, Mortals};
use super::record::{Entry, HEADER};
use crate::epoch::Guard;
use crate::error::{Error, Result};
use crate::evict::{Evict, Handle, Room, Trial, Visit};
use crate::sync::figures::AtomicU64;
use crate::sync::inbox::{Arrived, Inbox, Parcel};
use crate::sync::{self, CachePadded, Mutex, MutexGuard, Relaxed, try_lock};
use crate::table::Change;

/// What an entry counts in bytes beside its key and value: what its header, its place in the table
/// and its handle take, more or less.
pub const ENTRY_BYTES: u64 = 80;

/// Entries that a writer looks at for room, and so many more for what it puts is large.
const VISITS: usize = 128;

/// Bytes to put for which a writer looks at one entry more.
const BYTES_PER_VISIT: u64 = 32;

/// How often a writer tries to have the queues of a shard before it goes to another one's.
///
/// Mostly they are free in a microsecond. Where they are not, their thread was stopped at them, and
/// the last tries let it run: the others would give up entries that are worth more.
const PATIENCE: usize = 36;

/// Of these, the last.
const YIELDS: usize = 4;

/// A shard has clearly more entries than another if it has one in so many more.
///
/// LIMIT: of two shards with 2,048 entries, where keys fall at random, one in a hundred pairs.
const CLEARLY: u64 = 12;

/// Handles that are taken out of an inbox at a time.
const TAKEN_IN: usize = 64;

/// Stale handles that are looked for with each handle that comes.
const SWEPT: usize = 4;

/// Of so many removed entries, one has their stale handles looked for.
const SWEEPS_ONE_IN: u64 = 16;

/// The bounds of a store.
pub(super) struct Capacity {
    pub(super) budget: Budget,
    queues: Box<[CachePadded<Queues>]>,
    /// Whether entries are evicted.
    evicts: bool,
    pub(super) evicted: AtomicU64,
}

/// An entry that was created.
pub(super) struct Newcomer {
    pub(super) lineage: Lineage,
    pub(super) cost: u64,
}

/// The eviction queues of one shard.
struct Queues {
    inbox: Inbox<Handle>,
    /// Handles in the inbox.
    waiting: AtomicU64,
    /// Handles in the queues when somebody left them last.
    len: AtomicU64,
    house: Mutex<House>,
}

/// What belongs to the thread that works on the queues.
struct House {
    evict: Evict,
    arrived: Arrived<Handle>,
}

/// What an entry counts whose record has `bytes`.
pub(super) fn cost(bytes: usize) -> u64 {
    (bytes - HEADER) as u64 + ENTRY_BYTES
}

impl Capacity {
    pub(super) fn new(max: Room, eviction: Eviction, shards: usize) -> Self {
        let queues = |_| {
            let house = House { evict: Evict::new(), arrived: Arrived::NOTHING };
            let (inbox, (waiting, len)) = (Inbox::new(), Default::default());
            CachePadded::new(Queues { inbox, waiting, len, house: Mutex::new(house) })
        };
        let queues = (0..shards).map(queues).collect();
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

    /// The room of an entry that was taken out.
    pub(super) fn give_back(&self, entry: Entry<'_>) {
        self.budget.give(Room { entries: 1, bytes: cost(entry.bytes()) });
    }

    pub(super) fn too_large(&self, cost: u64) -> Error {
        let max = usize::try_from(self.budget.max().bytes).unwrap_or(usize::MAX);
        Error::TooLarge { name: "entry", len: cost as usize, max }
    }

    /// Where to look for a victim first, for what is put into shard `home`: there, or in another
    /// one, chosen by hash, that has clearly more. Where the queues of a shard are busy for long,
    /// others give up entries for it, and this brings them level again.
    fn fuller(&self, home: usize, hash: u64) -> usize {
        // Relaxed: hints.
        let len = |index: usize| {
            let Queues { waiting, len, .. } = &*self.queues[index];
            waiting.load(Relaxed) + len.load(Relaxed)
        };
        let other = (hash >> 16) as usize & (self.queues.len() - 1);
        if len(other) > len(home) + len(home) / CLEARLY { other } else { home }
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

impl Queues {
    /// Begins to work on the queues, with what has arrived in them; `None` if another thread does.
    fn enter(&self) -> Option<MutexGuard<'_, House>> {
        let mut house = try_lock(&self.house)?;
        if house.arrived.peek().is_none() {
            house.arrived = self.inbox.take();
        }
        for _ in 0..TAKEN_IN {
            let Some(handle) = house.arrived.peek() else { break };
            // Where memory is refused, it waits.
            if house.evict.admit(handle).is_err() {
                break;
            }
            house.arrived.next();
            self.waiting.fetch_sub(1, Relaxed);
        }
        Some(house)
    }

    /// Ends the work on the queues.
    fn leave(&self, house: MutexGuard<'_, House>) {
        self.len.store(house.evict.len() as u64, Relaxed);
        drop(house);
    }

    /// Leaves a handle for who enters next; whether there was memory.
    fn put(&self, handle: Handle) -> bool {
        let Some(parcel) = Parcel::new(handle) else { return false };
        self.waiting.fetch_add(1, Relaxed);
        self.inbox.put(parcel);
        true
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
        let home = self.shards.shard_of(hash);
        if !capacity.evicts {
            self.advance_due(0..self.shards.len());
            return if berth.take_room() { Ok(true) } else { Err(Error::Full) };
        }
        self.advance_due(home..home + 1);
        if berth.take_room() {
            return Ok(true);
        }
        let mut visits = VISITS + (berth.missing().bytes / BYTES_PER_VISIT) as usize;
        let first = capacity.fuller(home, hash);
        for patience in (0..PATIENCE).rev() {
            let is_free = self.evict_from(capacity, guard, first, berth, &mut visits);
            if berth.take_room() {
                return Ok(true);
            }
            if is_free {
                break;
            }
            if patience < YIELDS { sync::let_others_run() } else { sync::spin() }
        }
        for index in (first + 1..self.shards.len()).chain(0..first) {
            self.evict_from(capacity, guard, index, berth, &mut visits);
            if berth.take_room() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Evicts entries of one shard until a write has its room; `false` if the queues are in
    /// other hands.
    fn evict_from(
        &self,
        capacity: &Capacity,
        guard: &Guard,
        index: usize,
        berth: &mut Berth<'_>,
        visits: &mut usize,
    ) -> bool {
        let queues = &capacity.queues[index];
        let Some(mut house) = queues.enter() else { return false };
        let budget = *visits;
        house.evict.make_room(berth.missing(), budget, |handle, trial| {
            *visits -= 1;
            self.visit(capacity, guard, index, handle, trial, berth)
        });
        queues.leave(house);
        true
    }

    /// Does with the entry of a handle what its trial says.
    fn visit(
        &self,
        capacity: &Capacity,
        guard: &Guard,
        shard: usize,
        handle: Handle,
        trial: Trial,
        berth: &mut Berth<'_>,
    ) -> Visit {
        let Some(entry) = self.holder(guard, shard, handle) else { return Visit::Gone };
        let (bytes, hash) = (cost(entry.bytes()), self.hash_of(entry));
        let is_dead = self.is_dead(entry);
        let lineage = entry.lineage();
        if !is_dead && let Some(uses) = trial.counter_after(lineage.uses()) {
            if uses != lineage.uses() {
                entry.set_lineage(lineage.with_uses(uses));
            }
            return Visit::Kept { bytes };
        }
        if self.take_out(guard, hash, entry) != Ok(true) {
            // Somebody is changing it, or memory was refused for that.
            return Visit::Kept { bytes };
        }
        berth.gain(bytes);
        if !entry.deadline().is_never() {
            self.timers.count(shard, -1);
        }
        if is_dead {
            self.count_ended(entry, EndedBy::Reader);
            return Visit::Expired { bytes };
        }
        capacity.evicted.fetch_add(1, Relaxed);
        Visit::Evicted { bytes }
    }

    /// The entry of a handle.
    fn holder<'g>(&'g self, guard: &'g Guard, shard: usize, handle: Handle) -> Option<Entry<'g>> {
        self.shards.get_in(shard, handle.hash(), guard, |entry| {
            entry.lineage().id() == handle.lineage() && handle.means(self.hash_of(entry))
        })
    }

    /// Makes the queues know an entry that was created.
    pub(super) fn admit(&self, capacity: &Capacity, guard: &Guard, hash: u64, newcomer: Newcomer) {
        if !capacity.evicts {
            return;
        }
        let index = self.shards.shard_of(hash);
        let queues = &capacity.queues[index];
        let handle = Handle::new(hash, newcomer.lineage.id(), 0, newcomer.cost);
        let is_admitted = match queues.enter() {
            Some(mut house) => {
                self.sweep(capacity, guard, index, &mut house, SWEPT);
                let is_admitted = house.evict.admit(handle).is_ok();
                queues.leave(house);
                is_admitted
            }
            None => queues.put(handle),
        };
        if !is_admitted {
            self.evict_now(capacity, guard, hash, handle);
        }
    }

    /// Evicts an entry of which the queues could not take the handle, for lack of memory: later,
    /// nobody would find it.
    #[cold]
    fn evict_now(&self, capacity: &Capacity, guard: &Guard, hash: u64, handle: Handle) {
        let shard = self.shards.shard_of(hash);
        while let Some(entry) = self.holder(guard, shard, handle) {
            match self.take_out(guard, self.hash_of(entry), entry) {
                Ok(true) => {
                    if !entry.deadline().is_never() {
                        self.timers.count(shard, -1);
                    }
                    capacity.give_back(entry);
                    capacity.evicted.fetch_add(1, Relaxed);
                }
                // It was changed: look again.
                Ok(false) => {}
                Err(_) => return,
            }
        }
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

    /// Looks for stale handles now and then, when entries are removed.
    fn sweep_sometimes(&self, capacity: &Capacity, guard: &Guard, hash: u64) {
        let index = self.shards.shard_of(hash);
        if !(capacity.evicts && (hash >> 16).is_multiple_of(SWEEPS_ONE_IN)) {
            return;
        }
        let queues = &capacity.queues[index];
        if let Some(mut house) = queues.enter() {
            let swept = SWEPT * SWEEPS_ONE_IN as usize;
            self.sweep(capacity, guard, index, &mut house, swept);
            queues.leave(house);
        }
    }

    fn sweep(
        &self,
        capacity: &Capacity,
        guard: &Guard,
        index: usize,
        house: &mut House,
        budget: usize,
    ) {
        let live = capacity.entries_of_shard();
        house.evict.compact(live, budget, |handle, _| match self.holder(guard, index, handle) {
            Some(entry) => Visit::Kept { bytes: cost(entry.bytes()) },
            None => Visit::Gone,
        });
    }
}
