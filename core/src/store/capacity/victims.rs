//! Evicting entries: those whose turn it is, or the least used of some.

use super::super::berth::Berth;
use super::super::engine::Engine;
use super::super::mortal::{EndedBy, Mortals};
use super::super::record::Entry;
use super::{Capacity, cost};
use crate::epoch::Guard;
use crate::evict::{Handle, Trial, Visit};
use crate::sync::Relaxed;
use crate::table::Cursor;

/// Steps of a scan, of a bucket each, whose entries are compared where the queues do not help.
const SAMPLE: usize = 4;

impl Engine {
    /// Evicts entries of one shard until a write has its room, in the order of the queues; `false`
    /// if these stay in other hands.
    pub(super) fn evict_by_queues(
        &self,
        capacity: &Capacity,
        guard: &Guard,
        shard: usize,
        berth: &mut Berth<'_>,
        visits: &mut usize,
    ) -> bool {
        let Some(mut house) = capacity.queues[shard].enter_soon() else { return false };
        let budget = *visits;
        house.evict.make_room(berth.missing(), budget, |handle, trial| {
            *visits -= 1;
            self.visit(capacity, guard, shard, handle, trial, berth)
        });
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
        let (bytes, is_dead) = (cost(entry.bytes()), self.is_dead(entry));
        let lineage = entry.lineage();
        if !is_dead && let Some(uses) = trial.counter_after(lineage.uses()) {
            if uses != lineage.uses() {
                entry.set_lineage(lineage.with_uses(uses));
            }
            return Visit::Kept { bytes };
        }
        match self.evict(capacity, guard, entry, is_dead, berth) {
            // Room is made for it, somebody is changing it, or memory was refused for that.
            false => Visit::Kept { bytes },
            true if is_dead => Visit::Expired { bytes },
            true => Visit::Evicted { bytes },
        }
    }

    /// The entry of a handle.
    pub(super) fn holder<'g>(
        &'g self,
        guard: &'g Guard,
        shard: usize,
        handle: Handle,
    ) -> Option<Entry<'g>> {
        self.shards.get_in(shard, handle.hash(), guard, |entry| {
            entry.lineage().id() == handle.lineage() && handle.means(self.hash_of(entry))
        })
    }

    /// Evicts entries of one shard until a write has its room: of each few that it comes across,
    /// from `hash` on, the dead ones or the one that is used least.
    pub(super) fn evict_by_sample(
        &self,
        capacity: &Capacity,
        guard: &Guard,
        (shard, hash): (usize, u64),
        berth: &mut Berth<'_>,
        visits: &mut usize,
    ) {
        let mut next = Some(Cursor::at(shard, hash));
        while *visits > 0 && !berth.take_room() {
            let mut least: Option<(u8, Entry<'_>)> = None;
            for _ in 0..SAMPLE {
                *visits = visits.saturating_sub(1);
                let at = next.filter(|at| at.is_of(shard)).unwrap_or(Cursor::at(shard, 0));
                next = self.shards.scan(at, guard, |entry| {
                    *visits = visits.saturating_sub(1);
                    let uses = if self.is_dead(entry) { 0 } else { 1 + entry.lineage().uses() };
                    let is_itself = berth.is_for(self.hash_of(entry));
                    if !is_itself && least.is_none_or(|(fewest, _)| uses < fewest) {
                        least = Some((uses, entry));
                    }
                });
            }
            if let Some((uses, entry)) = least {
                self.evict(capacity, guard, entry, uses == 0, berth);
            }
        }
    }

    /// Takes an entry out, and has its room for a write; whether it was this call that did.
    fn evict(
        &self,
        capacity: &Capacity,
        guard: &Guard,
        entry: Entry<'_>,
        is_dead: bool,
        berth: &mut Berth<'_>,
    ) -> bool {
        let hash = self.hash_of(entry);
        if berth.is_for(hash) || self.take_out(guard, hash, entry) != Ok(true) {
            return false;
        }
        berth.gain(cost(entry.bytes()));
        if !entry.deadline().is_never() {
            self.timers.count(self.shards.shard_of(hash), -1);
        }
        if is_dead {
            self.count_ended(entry, EndedBy::Reader);
        } else {
            capacity.evicted.fetch_add(1, Relaxed);
        }
        true
    }
}
