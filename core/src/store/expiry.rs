//! Dead or alive: what a deadline means to those who read and write.
//!
//! A record with a deadline is live as long as the clock shows less. The order matters: the slot,
//! then the record's deadline, then the clock. Who finds a record dead and means to say that the
//! key is absent takes that very record out of its slot first; otherwise a writer that read its
//! clock earlier could still build on it, after others were told that it is gone. A writer that
//! puts something there needs no such step: its exchange takes the dead record out.

use super::deadline::{Deadline, Ttl};
use super::engine::Engine;
use super::key::Key;
use super::record::{Draft, Entry, Record};
use super::timers::Timer;
use crate::epoch::Guard;
use crate::error::{Error, Result};
use crate::sync::Relaxed;
use crate::table::{Change, Cursor, Decision};

/// What stands under a key, as a writer meets it.
#[derive(Clone, Copy)]
pub(super) enum Seen<'g> {
    Nothing,
    Live(Entry<'g>),
    Dead(Entry<'g>),
}

impl<'g> Seen<'g> {
    /// The entry that counts.
    #[inline(always)]
    pub(super) fn live(self) -> Option<Entry<'g>> {
        match self {
            Seen::Live(entry) => Some(entry),
            Seen::Nothing | Seen::Dead(_) => None,
        }
    }
}

/// What a writer met, as far as it matters afterwards.
#[derive(Clone, Copy)]
enum Met {
    /// Nothing with a deadline.
    Plain,
    /// A live record with a deadline.
    Timed,
    /// A dead one.
    Dead,
}

/// When what a writer puts will end.
#[derive(Clone, Copy)]
pub(super) enum Until {
    Never,
    /// As what stands there; else by default.
    Keep {
        default: Option<u64>,
    },
    /// At this millisecond.
    At(u64),
}

/// A draft on its way into the table, with the timer that it may need.
pub(super) struct Outgoing {
    draft: Draft,
    until: Until,
    timer: Option<Timer>,
    deadline: Deadline,
    /// Whether a token that is parked already serves the record.
    runs: bool,
}

impl Outgoing {
    /// # Errors
    ///
    /// `NoMemory` for the timer.
    #[inline]
    pub(super) fn new(draft: Draft, until: Until) -> Result<Self> {
        let timer = match until {
            Until::Never | Until::Keep { default: None } => None,
            Until::At(_) | Until::Keep { .. } => Some(Timer::new()?),
        };
        Ok(Self { draft, until, timer, deadline: Deadline::NEVER, runs: false })
    }
}

impl Engine {
    /// The live entry of a key under a guard.
    #[inline(always)]
    pub(super) fn find<'g>(&'g self, guard: &'g Guard, key: Key<'_>) -> Option<Entry<'g>> {
        let entry = self.shards.get(key.hash, guard, |entry| entry.has_key(key.bytes))?;
        if entry.deadline().is_never() {
            return Some(entry);
        }
        self.live_or_gone(guard, (key.bytes, key.hash), entry)
    }

    /// The entry if it is live; else it is taken out, and what stands there then is what counts.
    #[inline(never)]
    pub(super) fn live_or_gone<'g>(
        &'g self,
        guard: &'g Guard,
        (bytes, hash): (&[u8], u64),
        entry: Entry<'g>,
    ) -> Option<Entry<'g>> {
        let (mut entry, key) = (entry, Key { bytes, hash });
        if !self.is_ours() {
            // Nobody writes to it in this process, and this must not either: guards of the parent
            // protect what they have shown.
            return Some(entry).filter(|&entry| !self.is_dead(entry));
        }
        while self.is_dead(entry) {
            match self.unlink_dead(guard, key, entry) {
                Ok(true) => {
                    self.timers.figures.expired_lazily.fetch_add(1, Relaxed);
                    return None;
                }
                // To remove a record, memory is asked for only to move its bucket, whose slots are
                // frozen by then: who read the clock before cannot change this one any more, and
                // who moves it reads the clock anew. (Or for the rest of a list of keys with the
                // same 64 bits of hash, of which the answer may come too early.)
                Err(_) => return None,
                Ok(false) => {}
            }
            entry = self.shards.get(key.hash, guard, |entry| entry.has_key(key.bytes))?;
        }
        Some(entry)
    }

    /// Whether the deadline of an entry, which was loaded before this call, has passed.
    #[inline(always)]
    pub(super) fn is_dead(&self, entry: Entry<'_>) -> bool {
        let deadline = entry.deadline();
        !deadline.is_never() && self.has_passed(deadline)
    }

    #[inline(never)]
    fn has_passed(&self, deadline: Deadline) -> bool {
        self.clock.now_ms() >= deadline.ms()
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
            let key = self.key(entry.key());
            self.live_or_gone(guard, (key.bytes, key.hash), entry).into_iter().for_each(&mut visit);
        }
        next
    }

    /// Takes this very record out, which is dead; whether it was this call that did.
    pub(super) fn unlink_dead(&self, guard: &Guard, key: Key<'_>, dead: Entry<'_>) -> Result<bool> {
        let is_key = |entry: Entry<'_>| entry.has_key(key.bytes);
        let change = self.shards.write(key.hash, guard, is_key, |found| match found {
            Some(entry) if entry.is_same(dead) => {
                self.floors.removing(key.hash, entry.version());
                Decision::Remove
            }
            _ => Decision::Keep,
        })?;
        self.count_ended(key.hash, &change);
        Ok(matches!(change, Change::Removed(_)))
    }

    /// Changes the entry of a key by one atomic step, as `decide` answers. Dead records count as
    /// nothing, and are out of the way when this returns.
    #[inline(always)]
    pub(super) fn write<'g>(
        &'g self,
        guard: &'g Guard,
        key: Key<'_>,
        mut decide: impl FnMut(Seen<'g>) -> Decision<Record>,
    ) -> Result<Change<Entry<'g>>> {
        let mut met = Met::Plain;
        let is_key = |entry: Entry<'g>| entry.has_key(key.bytes);
        let change = self.shards.write(key.hash, guard, is_key, |found| {
            let seen = match found {
                None => Seen::Nothing,
                Some(entry) if self.is_dead(entry) => Seen::Dead(entry),
                Some(entry) => Seen::Live(entry),
            };
            met = match seen {
                Seen::Dead(_) => Met::Dead,
                Seen::Live(entry) if !entry.deadline().is_never() => Met::Timed,
                Seen::Live(_) | Seen::Nothing => Met::Plain,
            };
            match (decide(seen), seen) {
                (Decision::Keep | Decision::Remove, Seen::Dead(entry))
                | (Decision::Remove, Seen::Live(entry)) => {
                    self.floors.removing(key.hash, entry.version());
                    Decision::Remove
                }
                (decision, _) => decision,
            }
        })?;
        if let Met::Plain = met { Ok(change) } else { Ok(self.told(key.hash, met, change)) }
    }

    /// What a write did, with an eye to the deadline of the record that it met.
    #[cold]
    #[inline(never)]
    fn told<'g>(&self, hash: u64, met: Met, change: Change<Entry<'g>>) -> Change<Entry<'g>> {
        self.count_ended(hash, &change);
        if let Met::Timed = met {
            return change;
        }
        self.timers.figures.expired_lazily.fetch_add(1, Relaxed);
        match change {
            Change::Replaced(_) => Change::Created,
            Change::Removed(_) => Change::Kept(None),
            change => change,
        }
    }

    /// Keeps account of records with a deadline that were taken out.
    fn count_ended(&self, hash: u64, change: &Change<Entry<'_>>) {
        if let Change::Replaced(entry) | Change::Removed(entry) = change
            && !entry.deadline().is_never()
        {
            self.timers.count(self.shards.shard_of(hash), -1);
        }
    }

    /// Makes a draft what takes the place of `seen`.
    #[inline]
    pub(super) fn put(
        &self,
        outgoing: &mut Outgoing,
        seen: Seen<'_>,
        hash: u64,
    ) -> Decision<Record> {
        self.put_as(outgoing, seen, self.next_version(seen, hash))
    }

    /// The version of what takes the place of `seen`.
    #[inline(always)]
    pub(super) fn next_version(&self, seen: Seen<'_>, hash: u64) -> u64 {
        match seen {
            Seen::Nothing => self.floors.created(hash),
            Seen::Live(entry) => entry.version() + 1,
            // Its end took the version between.
            Seen::Dead(entry) => entry.version() + 2,
        }
    }

    /// The same with a version.
    #[inline]
    pub(super) fn put_as(
        &self,
        outgoing: &mut Outgoing,
        seen: Seen<'_>,
        version: u64,
    ) -> Decision<Record> {
        let old = seen.live().map(Entry::deadline);
        let ms = match (&outgoing.until, old) {
            (Until::Never, _) => u64::MAX,
            (Until::At(ms), _) => *ms,
            (Until::Keep { .. }, Some(old)) => old.ms(),
            (Until::Keep { default }, None) => default.unwrap_or(u64::MAX),
        };
        // A timer that runs fires too early for the later deadline, and is parked again then.
        let runs = old.filter(|old| !old.is_never() && ms >= old.ms());
        let deadline = runs.map_or(Deadline::new(ms, version), |old| old.later(ms));
        (outgoing.deadline, outgoing.runs) = (deadline, runs.is_some());
        Decision::Put(outgoing.draft.at(version, deadline))
    }

    /// What was put is in the table: the draft is the table's, and its timer runs.
    #[inline]
    pub(super) fn published(&self, outgoing: Outgoing, hash: u64) {
        let Outgoing { draft, timer, deadline, runs, .. } = outgoing;
        draft.published();
        if deadline.is_never() {
            return;
        }
        self.timers.count(self.shards.shard_of(hash), 1);
        // Who keeps a deadline has no room for a timer, and needs none.
        if let (Some(timer), false) = (timer, runs) {
            self.park(timer, deadline, hash);
        }
    }

    /// What a writer's `ttl` means now; `None` if it has passed.
    ///
    /// # Errors
    ///
    /// `InvalidTtl`.
    #[inline]
    pub(super) fn until(&self, ttl: Ttl) -> Result<Option<Until>> {
        Ok(Some(match ttl {
            Ttl::Never => Until::Never,
            Ttl::Default => self.until_default(),
            Ttl::Keep => self.until_kept(),
            Ttl::After(after) if after.is_zero() => return Err(Error::InvalidTtl),
            Ttl::After(after) => Until::At(self.clock.ms_after(after)),
            Ttl::At(time) => return Ok(self.clock.ms_at(time).map(Until::At)),
        }))
    }

    /// The end of a key that is set without a word about it.
    #[inline]
    pub(super) fn until_default(&self) -> Until {
        self.default_ttl.map_or(Until::Never, |ttl| Until::At(self.clock.ms_after(ttl)))
    }

    /// The end of a key that keeps the one it has.
    #[inline]
    pub(super) fn until_kept(&self) -> Until {
        Until::Keep { default: self.default_ttl.map(|ttl| self.clock.ms_after(ttl)) }
    }
}
