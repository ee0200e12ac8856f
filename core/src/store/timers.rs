//! Timers: one wheel for each shard, and how records come to it and go.
//!
//! A writer that gives a record a deadline parks a token for it, after it has published the record:
//! it puts the token into the inbox of the shard. Whoever advances the shard's wheel, one thread at
//! a time, moves what has arrived into the wheel, takes out what is due, and looks it up: a record
//! that is dead is unlinked, one that lives longer by now is parked again, one that is gone was
//! somebody else's affair. The wheel never writes to a record.

use std::mem;

use super::deadline::Deadline;
use super::engine::Engine;
use super::keeper;
use super::lag::Lag;
use super::mortal::Mortals;
use crate::epoch::{self, Guard};
use crate::error::{Error, Result};
use crate::memory::LINE;
use crate::sync::figures::{AtomicBool, AtomicI64, AtomicU64};
use crate::sync::inbox::{Arrived, Inbox, Parcel};
use crate::sync::{CachePadded, Mutex, Relaxed, try_lock};
use crate::wheel::{Progress, Token, Wheel};

/// Units of work under one pin.
const STEP: usize = 256;

/// After so many milliseconds, what the system refused memory for is tried again.
const REFUSED_MS: u64 = 10;

/// Of so many timers, one has its writer help the wheel along.
const HELPS_ONE_IN: u64 = 64;

/// Tokens between the one that is fired and the one whose memory is asked for; twice for two waits.
const AHEAD: usize = 6;

/// A token on its way, with the millisecond at which it was made.
#[derive(Clone, Copy)]
struct Parked {
    token: Token,
    deadline: u64,
}

/// Room for the timer that a record may need.
pub(super) struct Timer(Parcel<Parked>);

impl Timer {
    /// # Errors
    ///
    /// `NoMemory`.
    pub(super) fn new() -> Result<Self> {
        let nothing = Parked { token: Token::new(0, 0, 0), deadline: 0 };
        Parcel::new(nothing).map(Self).ok_or(Error::NoMemory)
    }
}

/// The timers of a store.
pub(super) struct Timers {
    shards: Box<[CachePadded<Shard>]>,
    /// From the first timer on.
    used: AtomicBool,
    pub(super) figures: Figures,
}

/// What became of deadlines, counted.
#[derive(Default)]
pub(super) struct Figures {
    pub(super) expired_actively: AtomicU64,
    pub(super) expired_lazily: AtomicU64,
    pub(super) lag: Lag,
}

struct Shard {
    inbox: Inbox<Parked>,
    /// When the wheel has something to do, in milliseconds.
    next: AtomicU64,
    /// Tokens in the wheel.
    parked: AtomicU64,
    /// Records with a deadline in the shard.
    records: AtomicI64,
    wheelhouse: Mutex<Wheelhouse>,
}

/// What belongs to the thread that advances the shard.
struct Wheelhouse {
    wheel: Wheel,
    arrived: Arrived<Parked>,
    due: Vec<Token>,
}

/// How far the wheels are.
#[derive(Clone, Copy)]
pub(super) struct Advanced {
    /// Records that were unlinked.
    pub(super) expired: u64,
    /// Whether more is due now.
    pub(super) behind: bool,
    /// Whether a wheel was in other hands.
    pub(super) busy: bool,
    /// When the next token is due, in milliseconds; `u64::MAX` if none is parked.
    pub(super) next: u64,
}

impl Timers {
    pub(super) fn new(shards: usize) -> Self {
        let shard = |_| {
            let wheel = Wheel::new(0);
            let wheelhouse = Wheelhouse { wheel, arrived: Arrived::NOTHING, due: Vec::new() };
            let wheelhouse = Mutex::new(wheelhouse);
            let (records, next) = (AtomicI64::default(), AtomicU64::new(u64::MAX));
            let (inbox, parked) = (Inbox::new(), AtomicU64::default());
            CachePadded::new(Shard { inbox, next, parked, records, wheelhouse })
        };
        let shards = (0..shards).map(shard).collect();
        Self { shards, used: AtomicBool::new(false), figures: Figures::default() }
    }

    /// Whether any timer was ever parked.
    pub(super) fn are_used(&self) -> bool {
        self.used.load(Relaxed)
    }

    /// The first timer calls the keeper.
    fn begin(&self, engine: &Engine) {
        if !self.used.load(Relaxed) && !self.used.swap(true, Relaxed) && engine.is_kept {
            keeper::keep(engine);
        }
    }

    /// Whether a wheel has something to do before `ms`, or tokens have come that none has taken in.
    pub(super) fn are_due_before(&self, ms: u64) -> bool {
        // Relaxed: edge W2.
        let is_due = |shard: &Shard| !shard.inbox.is_empty() || shard.next.load(Relaxed) < ms;
        self.shards.iter().any(|shard| is_due(shard))
    }

    /// Counts records with a deadline that came or went.
    pub(super) fn count(&self, shard: usize, by: i64) {
        // Relaxed: a figure.
        self.shards[shard].records.fetch_add(by, Relaxed);
    }

    /// Tokens in the wheels; those that no wheel has taken in are not counted.
    pub(super) fn parked(&self) -> u64 {
        self.shards.iter().map(|shard| shard.parked.load(Relaxed)).sum()
    }

    /// Records with a deadline in a shard.
    fn records_of(&self, shard: usize) -> usize {
        self.shards[shard].records.load(Relaxed).max(0) as usize
    }

    /// Tokens in the wheels that no record needs any more.
    pub(super) fn stale(&self) -> u64 {
        let stale = |index: usize| {
            let parked = self.shards[index].parked.load(Relaxed);
            parked.saturating_sub(self.records_of(index) as u64)
        };
        (0..self.shards.len()).map(stale).sum()
    }

    /// Gives up the wheels without touching them: what they hold is never freed.
    pub(super) fn abandon(&mut self) {
        mem::forget(mem::take(&mut self.shards));
    }
}

impl Engine {
    /// Parks the token of a record that was published.
    pub(super) fn park(&self, timer: Timer, deadline: Deadline, hash: u64) {
        let Timer(mut parcel) = timer;
        let token = Token::new(hash, deadline.id(), 0);
        parcel.set(Parked { token, deadline: deadline.ms() });
        let index = self.shards.shard_of(hash);
        let shard = &self.timers.shards[index];
        shard.inbox.put(parcel);
        self.timers.begin(self);
        if self.is_kept {
            self.wake_keeper(deadline.ms());
        }
        if helps(hash, deadline.id()) {
            let _ = self.advance_shard(index, self.clock.now_ms());
        }
    }

    /// Brings all wheels up to now; how many records that removed. Shards that another thread is
    /// advancing are left to it.
    pub(super) fn expire_all(&self) -> u64 {
        let mut expired = 0;
        for index in 0..self.timers.shards.len() {
            while let Some(advanced) = self.advance_shard(index, self.clock.now_ms()) {
                expired += advanced.expired;
                if !advanced.behind {
                    break;
                }
            }
        }
        expired
    }

    /// Removes what is due before entries are counted.
    pub(super) fn expire_due(&self) {
        if self.timers.are_used() && self.is_ours() {
            self.expire_all();
        }
    }

    /// One step of a shard's wheel if it has something to do; whether it had.
    pub(super) fn advance_if_due(&self, index: usize, now: u64) -> bool {
        let Shard { inbox, next, .. } = &*self.timers.shards[index];
        // Relaxed: a hint.
        let is_due = !inbox.is_empty() || next.load(Relaxed) <= now;
        is_due && self.advance_shard(index, now).is_some()
    }

    /// One step of each wheel.
    pub(super) fn advance_all(&self) -> Advanced {
        let mut sum = Advanced { expired: 0, behind: false, busy: false, next: u64::MAX };
        for index in 0..self.timers.shards.len() {
            let Some(advanced) = self.advance_shard(index, self.clock.now_ms()) else {
                sum.busy = true;
                continue;
            };
            sum.expired += advanced.expired;
            sum.behind |= advanced.behind;
            sum.next = sum.next.min(advanced.next);
        }
        sum
    }

    /// One step of one shard's wheel; `None` where another thread is at it.
    fn advance_shard(&self, index: usize, now: u64) -> Option<Advanced> {
        let shard = &self.timers.shards[index];
        // Before the lock: when a guard ends, what users made may be dropped.
        let guard = epoch::pin();
        let mut house = try_lock(&shard.wheelhouse)?;
        let mut advanced = Advanced { expired: 0, behind: false, busy: false, next: u64::MAX };
        match self.step(index, &mut house, &guard, now, &mut advanced.expired) {
            Ok(progress) => {
                let waits = house.arrived.peek().is_some() || !shard.inbox.is_empty();
                advanced.behind = progress == Progress::Behind || waits;
                advanced.next = house.wheel.next_due().unwrap_or(u64::MAX);
            }
            Err(_) => advanced.next = now + REFUSED_MS,
        }
        shard.next.store(if advanced.behind { now } else { advanced.next }, Relaxed);
        shard.parked.store(house.wheel.len() as u64, Relaxed);
        drop(house);
        if self.is_kept {
            self.wake_keeper(advanced.next);
        }
        if let Some(capacity) = &self.capacity {
            self.sweep_much(capacity, &guard, index);
        }
        Some(advanced)
    }

    /// Asks for the memory that tokens need which are soon to be fired, the last first: for the
    /// bucket, and some steps later for the record.
    fn ask_for(&self, guard: &Guard, shard: usize, due: &[Token]) {
        if let Some(token) = due.len().checked_sub(1 + 2 * AHEAD).and_then(|at| due.get(at)) {
            self.shards.prefetch_in(shard, token.hash());
        }
        if let Some(token) = due.len().checked_sub(1 + AHEAD).and_then(|at| due.get(at)) {
            self.shards.prefetch_record_in(shard, token.hash(), LINE, guard);
        }
    }

    /// Takes in, takes out, and does what tokens are for. Where memory is refused, what was not
    /// done stays to be done.
    fn step(
        &self,
        index: usize,
        house: &mut Wheelhouse,
        guard: &Guard,
        now: u64,
        expired: &mut u64,
    ) -> Result<Progress> {
        house.take_in(&self.timers.shards[index].inbox, now)?;
        house.due.try_reserve(STEP).map_err(|_| Error::NoMemory)?;
        let Wheelhouse { wheel, due, .. } = house;
        let progress = wheel.advance(now, STEP - due.len().min(STEP), |token| due.push(token));
        while let Some(&token) = due.last() {
            self.ask_for(guard, index, due);
            if let Some(later) = self.fire(guard, index, token, now, expired)? {
                let again = wheel.schedule(token.at(later, now), now);
                again.map_err(|_| Error::NoMemory)?;
            }
            due.pop();
        }
        let records = self.timers.records_of(index);
        if wheel.len() > 2 * records + STEP {
            let is_meant = |token| self.meant_by(guard, index, token, u64::MAX).is_some();
            let _ = wheel.compact(STEP, is_meant);
        }
        if progress == Progress::NoMemory { Err(Error::NoMemory) } else { Ok(progress) }
    }
}

/// Whether the writer that parks a timer helps: one in [`HELPS_ONE_IN`], by what tells timers
/// apart. (Ids of keys that come and go differ in their upper bits.)
fn helps(hash: u64, id: u32) -> bool {
    ((hash >> 16) ^ u64::from(id ^ id >> 10)).is_multiple_of(HELPS_ONE_IN)
}

impl Wheelhouse {
    /// Moves what has arrived into the wheel, a step's worth.
    fn take_in(&mut self, inbox: &Inbox<Parked>, now: u64) -> Result<()> {
        if self.arrived.peek().is_none() {
            self.arrived = inbox.take();
        }
        if self.wheel.len() == 0 {
            // The hand of an empty wheel stands where it was.
            self.wheel.advance(now, 1, |_| ());
        }
        for _ in 0..STEP {
            let Some(Parked { token, deadline }) = self.arrived.peek() else { break };
            let scheduled = self.wheel.schedule(token.at(deadline, now), now);
            scheduled.map_err(|_| Error::NoMemory)?;
            self.arrived.next();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::sync::Relaxed;
    use crate::{ManualClock, Store, Ttl};

    #[test]
    fn timers_of_deleted_keys_are_dropped_when_they_outnumber_the_others() {
        let clock = ManualClock::new();
        let store = Store::builder().shards(1).clock(&clock).build().expect("memory");
        let keys = if cfg!(miri) { 300_u32 } else { 5000 };
        let hour = Ttl::After(Duration::from_secs(3600));
        for key in 0..keys {
            store.set_with(key.to_le_bytes(), "v", hour).expect("set");
        }
        while store.advance() == Ok(Some(Duration::ZERO)) {}
        assert_eq!(store.stats().timers, u64::from(keys));
        for key in 10..keys {
            store.delete(key.to_le_bytes()).expect("delete");
        }
        for _ in 0..keys {
            store.advance().expect("advance");
        }
        assert!(store.stats().timers <= 300, "{:?}", store.stats());
        clock.advance(Duration::from_secs(3600));
        assert_eq!(store.purge_expired(), Ok(10));
        assert_eq!((store.stats().entries, store.stats().timers), (0, 0));
    }

    #[test]
    fn records_with_a_deadline_are_counted_however_they_come_and_go() {
        let clock = ManualClock::new();
        let store = Store::builder().shards(1).clock(&clock).build().expect("memory");
        let counted = || store.engine.timers.shards[0].records.load(Relaxed);
        let soon = Ttl::After(Duration::from_millis(9));
        for _ in 0..10 {
            store.set_with("a", "1", soon).expect("set");
            store.incr("a", 1).expect("incr");
            store.update("a", |old| old.to_vec()).expect("update");
            store.set_with("a", "1", Ttl::Keep).expect("set");
            let version = store.get("a").expect("live").version();
            store.compare_and_swap("a", version, "2").expect("swap");
            store.touch("a", Duration::from_millis(50)).expect("touch");
            assert_eq!(counted(), 1);
            store.persist("a").expect("persist");
            assert_eq!(counted(), 0);
            store.expire("a", soon).expect("expire");
            store.set_with("b", "1", soon).expect("set");
            assert_eq!(counted(), 2);
            store.delete("b").expect("delete");
            assert_eq!(counted(), 1);
            clock.advance(Duration::from_millis(9));
            assert!(!store.contains("a"));
            assert_eq!(counted(), 0);
        }
    }

    #[test]
    fn writers_alone_bring_back_the_memory_of_what_has_ended() {
        let clock = ManualClock::new();
        let store = Store::builder().shards(1).clock(&clock).build().expect("memory");
        for key in 0..if cfg!(miri) { 500_u32 } else { 20_000 } {
            let ttl = Ttl::After(Duration::from_millis(5));
            store.set_with(key.to_le_bytes(), "v", ttl).expect("set");
            clock.advance(Duration::from_micros(100));
        }
        let stats = store.stats();
        assert!(stats.entries < 400, "{} entries, 50 of them live", stats.entries);
    }
}
