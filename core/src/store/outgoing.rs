//! What a writer is about to put: a draft, the end it is to have, the room it needs.

use super::capacity::{Capacity, Newcomer, cost};
use super::deadline::{Deadline, Ttl};
use super::engine::Engine;
use super::mortal::{Mortals, Seen};
use super::record::{Draft, Entry, Record};
use super::timers::Timer;
use crate::epoch::Guard;
use crate::error::{Error, Result};
use crate::evict::Room;
use crate::table::Decision;

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
    /// Whether there is no room for it: it counts as put, and as evicted at once.
    is_evicted: bool,
}

impl Outgoing {
    pub(super) fn new(draft: Draft, until: Until) -> Self {
        let (timer, deadline) = (None, Deadline::NEVER);
        Self { draft, until, timer, deadline, runs: false, is_evicted: false }
    }

    /// The same with the timer that it may need, for who will have no way back.
    ///
    /// # Errors
    ///
    /// `NoMemory`.
    pub(super) fn with_timer(draft: Draft, until: Until) -> Result<Self> {
        let mut outgoing = Self::new(draft, until);
        if !matches!(until, Until::Never | Until::Keep { default: None }) {
            outgoing.timer = Some(Timer::new()?);
        }
        Ok(outgoing)
    }

    /// Gives it the end that it has in the place of `old`, and a timer if it needs one.
    fn time(&mut self, old: Option<Deadline>, version: u64) -> Result<Deadline> {
        let ms = match (self.until, old) {
            (Until::Never, _) => u64::MAX,
            (Until::At(ms), _) => ms,
            (Until::Keep { .. }, Some(old)) => old.ms(),
            (Until::Keep { default }, None) => default.unwrap_or(u64::MAX),
        };
        (self.deadline, self.runs) = Deadline::following(old, ms, version);
        if !self.deadline.is_never() && !self.runs && self.timer.is_none() {
            self.timer = Some(Timer::new()?);
        }
        Ok(self.deadline)
    }
}

/// One call of [`Engine::write`]: what came of its last try, and the room that it has taken.
pub(super) struct Attempt<'e> {
    outcome: Outcome,
    capacity: Option<&'e Capacity>,
    /// Room that is taken for what is put.
    held: Room,
    /// What is to be put counts so much.
    cost: u64,
    /// Room that the last try needed.
    need: Room,
    /// Whether the search for room was given up.
    is_given_up: bool,
}

/// What came of the last try, as far as `put` knows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Plain,
    /// What was put has a deadline.
    Timed,
    /// Nothing was put: there is no room.
    NoRoom,
    /// Nothing was put: there will be no room, so it counts as put and evicted.
    Evicted,
    /// Nothing was put: it is larger than the store may be.
    TooLarge,
    /// Nothing was put: the system refused memory.
    NoMemory,
}

impl<'e> Attempt<'e> {
    #[inline(always)]
    pub(super) fn new(capacity: Option<&'e Capacity>) -> Self {
        let (held, need) = Default::default();
        Self { outcome: Outcome::Plain, capacity, held, cost: 0, need, is_given_up: false }
    }

    /// Another try begins.
    #[inline(always)]
    pub(super) fn begin(&mut self) {
        self.outcome = Outcome::Plain;
    }

    /// Whether what was put, if something was, has a deadline.
    pub(super) fn is_timed(&self) -> bool {
        self.outcome == Outcome::Timed
    }

    /// Whether nothing was put for lack of room, and the search for it is still to come.
    pub(super) fn needs_room(&self) -> bool {
        self.outcome == Outcome::NoRoom
    }

    /// Whether nothing was put and it counts as put.
    pub(super) fn is_evicted(&self) -> bool {
        self.outcome == Outcome::Evicted
    }

    /// # Errors
    ///
    /// Why nothing was put, if no other try will change that.
    pub(super) fn check(&self) -> Result<()> {
        match (self.outcome, self.capacity) {
            (Outcome::NoMemory, _) => Err(Error::NoMemory),
            (Outcome::TooLarge, Some(capacity)) => Err(capacity.too_large(self.cost)),
            _ => Ok(()),
        }
    }

    /// There is no room, and none will be looked for any more.
    pub(super) fn give_up(&mut self) {
        self.is_given_up = true;
    }

    /// The table has changed: what was put took room, and what is out of it made some.
    pub(super) fn has_changed(&mut self, puts: bool, old: Option<Entry<'_>>) {
        if let Some(old) = old {
            self.gain(cost(old.bytes()));
        }
        if puts {
            self.held.entries -= 1;
            self.held.bytes -= self.cost;
        }
    }

    /// An entry of so many bytes made room for what is put.
    pub(super) fn gain(&mut self, bytes: u64) {
        self.held.entries += 1;
        self.held.bytes += bytes;
    }

    /// Room that is still to be taken.
    pub(super) fn missing(&self) -> Room {
        let entries = self.need.entries.saturating_sub(self.held.entries);
        Room { entries, bytes: self.need.bytes.saturating_sub(self.held.bytes) }
    }

    /// Takes what there is of the room that it needs; whether that is all.
    pub(super) fn take_room(&mut self) -> bool {
        let missing = self.missing();
        if missing == Room::default() {
            return true;
        }
        if let Some(capacity) = self.capacity {
            let taken = capacity.budget.take(missing);
            self.held.entries += taken.entries;
            self.held.bytes += taken.bytes;
        }
        self.missing() == Room::default()
    }

    /// Whether there is room for a draft in the place of `seen`.
    fn has_room_for(&mut self, capacity: &Capacity, draft: &Draft, seen: Seen<Entry<'_>>) -> bool {
        let old = match seen {
            Seen::Nothing => None,
            Seen::Live(old) | Seen::Dead(old) => Some(cost(old.bytes())),
        };
        self.cost = cost(draft.bytes());
        let bytes = self.cost.saturating_sub(old.unwrap_or(0));
        self.need = Room { entries: usize::from(old.is_none()), bytes };
        self.outcome = if self.cost > capacity.budget.max().bytes {
            Outcome::TooLarge
        } else if self.is_given_up {
            Outcome::Evicted
        } else if self.take_room() {
            return true;
        } else {
            Outcome::NoRoom
        };
        false
    }
}

impl Drop for Attempt<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(capacity) = self.capacity {
            capacity.budget.give(self.held);
        }
    }
}

impl Engine {
    /// Makes a draft what takes the place of `seen`.
    #[inline]
    pub(super) fn put(
        &self,
        outgoing: &mut Outgoing,
        seen: Seen<Entry<'_>>,
        hash: u64,
        attempt: &mut Attempt<'_>,
    ) -> Decision<Record> {
        self.put_as(outgoing, seen, self.next_version(seen, hash), attempt)
    }

    /// The same with a version.
    pub(super) fn put_as(
        &self,
        outgoing: &mut Outgoing,
        seen: Seen<Entry<'_>>,
        version: u64,
        attempt: &mut Attempt<'_>,
    ) -> Decision<Record> {
        let live = seen.live();
        outgoing.is_evicted = false;
        let Ok(deadline) = outgoing.time(live.map(Entry::deadline), version) else {
            attempt.outcome = Outcome::NoMemory;
            return Decision::Keep;
        };
        if let Some(capacity) = attempt.capacity {
            if !attempt.has_room_for(capacity, &outgoing.draft, seen) {
                outgoing.is_evicted = attempt.is_evicted();
                let removes = outgoing.is_evicted && live.is_some();
                return if removes { Decision::Remove } else { Decision::Keep };
            }
            outgoing.draft.set_lineage(capacity.lineage(live, version));
        }
        if !deadline.is_never() {
            attempt.outcome = Outcome::Timed;
        }
        Decision::Put(outgoing.draft.at(version, deadline))
    }

    /// What was put is in the table: the draft is the table's, its timer runs, and the eviction
    /// queues know it.
    #[inline]
    pub(super) fn published(&self, guard: &Guard, outgoing: Outgoing, hash: u64, is_created: bool) {
        let Outgoing { draft, timer, deadline, runs, is_evicted, .. } = outgoing;
        if is_evicted {
            return;
        }
        let (lineage, bytes) = (draft.lineage(), draft.bytes());
        draft.published();
        // Who keeps a deadline may have made a timer for another one, and needs none.
        if let (Some(timer), false, false) = (timer, runs, deadline.is_never()) {
            self.park(timer, deadline, hash);
        }
        if let (Some(capacity), true) = (&self.capacity, is_created) {
            let newcomer = Newcomer { lineage, cost: cost(bytes) };
            self.admit(capacity, guard, hash, newcomer);
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
