//! The eviction queues of a shard, and how handles come to them and go.

use super::super::engine::Engine;
use super::super::lineage::Lineage;
use super::{Capacity, cost};
use crate::epoch::Guard;
use crate::evict::{Evict, Handle, Visit};
use crate::sync::inbox::{Arrived, Inbox, Parcel};
use crate::sync::{self, Mutex, MutexGuard, try_lock};

/// How often a thread tries to have queues that another one is at.
///
/// Mostly they are free again in a microsecond. If not, that thread was stopped at them, and the
/// last tries let it go on, if it only waits for a processor: the queues choose better than chance.
const PATIENCE: usize = 36;

/// Of these, the last.
const YIELDS: usize = 4;

/// Handles that are taken out of an inbox at a time.
const TAKEN_IN: usize = 64;

/// Stale handles that are looked for with each handle that comes.
const SWEPT: usize = 4;

/// Of so many removed entries, one has their stale handles looked for.
const SWEEPS_ONE_IN: u64 = 16;

/// Handles that are looked at then, and with each step of the shard's timer wheel: four for each
/// entry that this may remove.
const SWEPT_AT_ONCE: usize = 1024;

/// The eviction queues of one shard.
pub(super) struct Queues {
    inbox: Inbox<Handle>,
    pub(super) house: Mutex<House>,
}

/// What belongs to the thread that works on the queues.
pub(super) struct House {
    pub(super) evict: Evict,
    arrived: Arrived<Handle>,
}

/// An entry that was created.
pub(in super::super) struct Newcomer {
    pub(in super::super) lineage: Lineage,
    pub(in super::super) cost: u64,
}

impl Queues {
    pub(super) fn new() -> Self {
        let house = House { evict: Evict::new(), arrived: Arrived::NOTHING };
        Self { inbox: Inbox::new(), house: Mutex::new(house) }
    }

    /// Begins to work on the queues, with what has arrived in them; `None` if another thread does.
    pub(super) fn enter(&self) -> Option<MutexGuard<'_, House>> {
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
        }
        Some(house)
    }

    /// The same, for who needs it.
    pub(super) fn enter_soon(&self) -> Option<MutexGuard<'_, House>> {
        (0..PATIENCE).rev().find_map(|left| {
            let house = self.enter();
            match house {
                Some(_) => {}
                None if left < YIELDS => sync::let_others_run(),
                None => sync::spin(),
            }
            house
        })
    }
}

impl Engine {
    /// Makes the queues know an entry that was created. Where memory is refused for that, it is
    /// found by chance only.
    pub(in super::super) fn admit(
        &self,
        capacity: &Capacity,
        guard: &Guard,
        hash: u64,
        newcomer: Newcomer,
    ) {
        if !capacity.evicts {
            return;
        }
        let shard = self.shards.shard_of(hash);
        let queues = &capacity.queues[shard];
        let handle = Handle::new(hash, newcomer.lineage.id(), 0, newcomer.cost);
        if let Some(mut house) = queues.enter() {
            self.sweep(capacity, guard, shard, &mut house, SWEPT);
            let _ = house.evict.admit(handle);
        } else if let Some(parcel) = Parcel::new(handle) {
            queues.inbox.put(parcel);
        }
    }

    /// Looks for stale handles now and then, when entries are removed.
    pub(super) fn sweep_sometimes(&self, capacity: &Capacity, guard: &Guard, hash: u64) {
        if !(capacity.evicts && (hash >> 16).is_multiple_of(SWEEPS_ONE_IN)) {
            return;
        }
        self.sweep_much(capacity, guard, self.shards.shard_of(hash));
    }

    /// Looks for stale handles of a shard, if they outnumber the others, for a while.
    pub(in super::super) fn sweep_much(&self, capacity: &Capacity, guard: &Guard, shard: usize) {
        if let (true, Some(mut house)) = (capacity.evicts, capacity.queues[shard].enter()) {
            self.sweep(capacity, guard, shard, &mut house, SWEPT_AT_ONCE);
        }
    }

    fn sweep(
        &self,
        capacity: &Capacity,
        guard: &Guard,
        shard: usize,
        house: &mut House,
        budget: usize,
    ) {
        let live = capacity.entries_of_shard();
        house.evict.compact(live, budget, |handle, _| match self.holder(guard, shard, handle) {
            Some(entry) => Visit::Kept { bytes: cost(entry.bytes()) },
            None => Visit::Gone,
        });
    }
}
