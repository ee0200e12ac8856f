//! The table of a store with its clock: finding entries, listing them, changing them.

use super::engine::Engine;
use super::key::Key;
use super::mortal::{EndedBy, Mortals, Seen, Written};
use super::outgoing::Attempt;
use super::record::{self, Entry, Record};
use super::version::Floors;
use crate::clock::Moment;
use crate::epoch::Guard;
use crate::error::Result;
use crate::sync::Relaxed;
use crate::table::{Change, Cursor, Decision, Refused};
use crate::wheel::Token;

impl Mortals for Engine {
    type Record = Record;
    type Guard = Guard;

    #[inline(always)]
    fn look<'g>(
        &'g self,
        guard: &'g Guard,
        hash: u64,
        is_key: impl Fn(Entry<'g>) -> bool + Copy,
    ) -> Option<Entry<'g>> {
        self.shards.get(hash, guard, is_key)
    }

    fn look_for<'g>(
        &'g self,
        guard: &'g Guard,
        shard: usize,
        token: Token,
        is_meant: impl Fn(Entry<'g>) -> bool + Copy,
    ) -> Option<Entry<'g>> {
        self.shards.get_in(shard, token.hash(), guard, is_meant)
    }

    #[inline(always)]
    fn exchange<'g>(
        &'g self,
        guard: &'g Guard,
        hash: u64,
        is_key: impl Fn(Entry<'g>) -> bool + Copy,
        decide: impl FnMut(Option<Entry<'g>>) -> Decision<Record>,
    ) -> Result<Change<Entry<'g>>, Refused> {
        self.shards.write(hash, guard, is_key, decide)
    }

    fn hash_of(&self, entry: Entry<'_>) -> u64 {
        record::hash(self.shards.hasher(), entry.key())
    }

    #[inline(always)]
    fn floors(&self) -> &Floors {
        &self.floors
    }

    // Out of the way of those who need no clock.
    #[inline(never)]
    fn now(&self) -> Moment {
        self.clock.now()
    }

    fn ended(&self, hash: u64, entry: Entry<'_>, by: EndedBy) {
        self.timers.count(self.shards.shard_of(hash), -1);
        self.count_ended(entry, by);
        if let Some(capacity) = &self.capacity {
            capacity.give_back(entry);
        }
    }
}

impl Engine {
    /// The live entry of a key under a guard.
    #[inline(always)]
    pub(super) fn find<'g>(&'g self, guard: &'g Guard, key: Key<'_>) -> Option<Entry<'g>> {
        let entry = self.shards.get(key.hash, guard, |entry| entry.has_key(key.bytes))?;
        self.live(guard, key.hash, entry)
    }

    /// The same, for who uses what it finds: the eviction queues keep what is used.
    #[inline(always)]
    pub(super) fn find_used<'g>(&'g self, guard: &'g Guard, key: Key<'_>) -> Option<Entry<'g>> {
        let entry = self.find(guard, key)?;
        entry.count_use();
        Some(entry)
    }

    /// An entry that was found, if it is live.
    #[inline(always)]
    pub(super) fn live<'g>(
        &'g self,
        guard: &'g Guard,
        hash: u64,
        entry: Entry<'g>,
    ) -> Option<Entry<'g>> {
        if entry.deadline().is_never() { Some(entry) } else { self.if_live(guard, hash, entry) }
    }

    #[inline(never)]
    fn if_live<'g>(&'g self, guard: &'g Guard, hash: u64, entry: Entry<'g>) -> Option<Entry<'g>> {
        if !self.is_ours() {
            // Nobody writes to it in this process, and this must not either: guards of the parent
            // protect what they have shown.
            return Some(entry).filter(|&entry| !self.is_dead(entry));
        }
        self.live_or_gone(guard, hash, entry)
    }

    /// Visits the live entries of the next part of the hash space; `None` after the last.
    pub(super) fn scan<'g>(
        &'g self,
        at: Cursor,
        guard: &'g Guard,
        mut visit: impl FnMut(Entry<'g>),
    ) -> Option<Cursor> {
        let mut dead = Vec::new();
        let next = self.shards.scan(at, guard, |entry| match self.is_dead(entry) {
            true => dead.push(entry),
            false => visit(entry),
        });
        for entry in dead {
            self.if_live(guard, self.hash_of(entry), entry).into_iter().for_each(&mut visit);
        }
        next
    }

    /// The same as [`write`](Self::write), of what removes; and, in a store without bounds, of what
    /// puts something for ever.
    #[inline(always)]
    pub(super) fn write_plain<'g>(
        &'g self,
        guard: &'g Guard,
        key: Key<'_>,
        mut decide: impl FnMut(Seen<Entry<'g>>) -> Decision<Record>,
    ) -> Result<Change<Entry<'g>>> {
        let is_key = |entry: Entry<'g>| entry.has_key(key.bytes);
        let written = self.change(guard, key.hash, is_key, |seen, _| decide(seen))?;
        if written.met_a_deadline() {
            self.count_timed(key.hash, &written, false);
        }
        if let (Some(capacity), Some(old)) = (&self.capacity, written.taken_out()) {
            self.give_back(capacity, guard, key.hash, old);
        }
        Ok(written.change)
    }

    /// Changes the entry of a key by one atomic step, as `decide` answers, which may run several
    /// times. Dead records count as nothing, and are out of the way when this returns. In a bounded
    /// store, room is made for what is put.
    #[inline(always)]
    pub(super) fn write<'g>(
        &'g self,
        guard: &'g Guard,
        key: Key<'_>,
        mut decide: impl FnMut(Seen<Entry<'g>>, &mut Attempt<'g>) -> Decision<Record>,
    ) -> Result<Change<Entry<'g>>> {
        let is_key = |entry: Entry<'g>| entry.has_key(key.bytes);
        let mut attempt = Attempt::new(self.capacity.as_ref(), key.hash);
        loop {
            let written = self.change(guard, key.hash, is_key, |seen, now| {
                attempt.begin(now);
                decide(seen, &mut attempt)
            })?;
            if let Some(change) = self.settle(guard, key.hash, written, &mut attempt)? {
                return Ok(change);
            }
        }
    }

    /// Keeps the accounts of a write; what it did, or `None` if it is to be tried again.
    #[inline(never)]
    fn settle<'g>(
        &'g self,
        guard: &'g Guard,
        hash: u64,
        written: Written<Entry<'g>>,
        attempt: &mut Attempt<'_>,
    ) -> Result<Option<Change<Entry<'g>>>> {
        let puts = matches!(written.change, Change::Created | Change::Replaced(_));
        self.count_timed(hash, &written, puts && attempt.is_timed());
        if let Some(berth) = attempt.berth() {
            berth.has_changed(puts, written.taken_out());
        }
        attempt.check()?;
        match (&self.capacity, attempt.berth()) {
            (Some(capacity), Some(berth)) => {
                self.settle_room(capacity, guard, hash, written.change, berth)
            }
            _ => Ok(Some(written.change)),
        }
    }

    /// Keeps account of records with a deadline: what a write took out, and what it put.
    fn count_timed(&self, hash: u64, written: &Written<Entry<'_>>, is_timed: bool) {
        let was_timed = written.met_a_deadline();
        if was_timed != is_timed {
            self.timers.count(self.shards.shard_of(hash), if is_timed { 1 } else { -1 });
        }
        if let Some(ended) = written.ended {
            self.count_ended(ended, EndedBy::Reader);
        }
    }

    /// Keeps account of a dead record that this thread took out. Every end by time passes here
    /// once.
    pub(super) fn count_ended(&self, entry: Entry<'_>, by: EndedBy) {
        match by {
            EndedBy::Reader => self.timers.figures.expired_lazily.fetch_add(1, Relaxed),
            EndedBy::Timer { now } => {
                self.timers.figures.lag.count(now.saturating_sub(entry.deadline().ms()));
                self.timers.figures.expired_actively.fetch_add(1, Relaxed)
            }
        };
    }
}

impl<'g> Written<Entry<'g>> {
    /// The record that is not in the table any more.
    fn taken_out(&self) -> Option<Entry<'g>> {
        match self.change {
            Change::Replaced(old) | Change::Removed(old) => Some(old),
            Change::Created | Change::Kept(_) => self.ended,
        }
    }

    #[inline(always)]
    fn met_a_deadline(&self) -> bool {
        self.taken_out().is_some_and(|old| !old.deadline().is_never())
    }
}
