//! What a writer is about to put: a draft, the end it is to have, the room it needs.

use std::time::Duration;

use super::berth::Berth;
use super::capacity::{Capacity, Newcomer, cost};
use super::deadline::{Deadline, Ttl};
use super::engine::Engine;
use super::mortal::{Mortals, Seen};
use super::record::{Draft, Entry, Record, Share};
use super::timers::Timer;
use crate::clock::Moment;
use crate::epoch::Guard;
use crate::error::{Error, Result};
use crate::table::Decision;

/// When what a writer puts will end.
#[derive(Clone, Copy)]
pub(super) enum Until {
    Never,
    /// As what stands there; else by default.
    Keep {
        default: Option<Duration>,
    },
    /// When this has passed.
    After(Duration),
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

    /// Its draft, for a store that has neither deadlines nor bounds.
    pub(super) fn into_draft(self) -> Draft {
        self.draft
    }

    /// A counted reference to the record that it will be.
    pub(super) fn share(&self) -> Share {
        self.draft.share()
    }

    /// Gives it the end that it has in the place of `old`, and a timer if it needs one.
    fn time(
        &mut self,
        old: Option<Deadline>,
        version: u64,
        now: impl FnOnce() -> Moment,
    ) -> Result<Deadline> {
        let ms = match (self.until, old) {
            (Until::Never, _) => u64::MAX,
            (Until::At(ms), _) => ms,
            (Until::Keep { .. }, Some(old)) => old.ms(),
            (Until::Keep { default: Some(ttl) }, None) | (Until::After(ttl), _) => {
                now().ms_after(ttl)
            }
            (Until::Keep { default: None }, None) => u64::MAX,
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
    /// The moment of the last try, if the clock was read.
    now: Option<Moment>,
    /// In a bounded store.
    berth: Option<Berth<'e>>,
}

/// What came of the last try, as far as `put` knows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Plain,
    /// What was put has a deadline.
    Timed,
    /// Nothing was put: the system refused memory.
    NoMemory,
}

impl<'e> Attempt<'e> {
    #[inline(always)]
    pub(super) fn new(capacity: Option<&'e Capacity>, hash: u64) -> Self {
        let berth = capacity.map(|capacity| Berth::new(capacity, hash));
        Self { outcome: Outcome::Plain, now: None, berth }
    }

    /// Another try begins.
    #[inline(always)]
    pub(super) fn begin(&mut self, now: Option<Moment>) {
        (self.outcome, self.now) = (Outcome::Plain, now);
        if let Some(berth) = &mut self.berth {
            berth.begin();
        }
    }

    /// Whether what was put, if something was, has a deadline.
    #[inline]
    pub(super) fn is_timed(&self) -> bool {
        self.outcome == Outcome::Timed
    }

    /// # Errors
    ///
    /// `NoMemory` if nothing was put for that reason.
    #[inline]
    pub(super) fn check(&self) -> Result<()> {
        if self.outcome == Outcome::NoMemory { Err(Error::NoMemory) } else { Ok(()) }
    }

    pub(super) fn berth(&mut self) -> Option<&mut Berth<'e>> {
        self.berth.as_mut()
    }
}

impl Engine {
    /// What a draft needs is made ahead, the timer that it may need, for who has no way back later.
    ///
    /// # Errors
    ///
    /// `NoMemory`; `TooLarge` if the draft is larger than the store may be.
    pub(super) fn prepared(&self, draft: Draft, until: Until) -> Result<Outgoing> {
        if let Some(capacity) = &self.capacity {
            capacity.admits(cost(draft.bytes()))?;
        }
        let mut outgoing = Outgoing::new(draft, until);
        if !matches!(until, Until::Never | Until::Keep { default: None }) {
            outgoing.timer = Some(Timer::new()?);
        }
        Ok(outgoing)
    }

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
        let now = || attempt.now.unwrap_or_else(|| self.clock.now());
        let Ok(deadline) = outgoing.time(live.map(Entry::deadline), version, now) else {
            attempt.outcome = Outcome::NoMemory;
            return Decision::Keep;
        };
        if let Some(berth) = &mut attempt.berth {
            if !berth.has_room_for(&outgoing.draft, seen) {
                outgoing.is_evicted = berth.is_evicted();
                let removes = outgoing.is_evicted && live.is_some();
                return if removes { Decision::Remove } else { Decision::Keep };
            }
            outgoing.draft.set_lineage(berth.lineage(live, version));
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
            Ttl::After(after) => Until::After(after),
            Ttl::At(time) => return Ok(self.clock.ms_at(time).map(Until::At)),
        }))
    }

    /// The end of a key that is set without a word about it.
    #[inline]
    pub(super) fn until_default(&self) -> Until {
        self.default_ttl.map_or(Until::Never, Until::After)
    }

    /// The end of a key that keeps the one it has.
    #[inline]
    pub(super) fn until_kept(&self) -> Until {
        Until::Keep { default: self.default_ttl }
    }
}
