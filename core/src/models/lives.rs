//! A world whose records end: the protocol of `store/mortal.rs` on one key of a table, with a clock
//! and the tokens that are parked. What a store does around it is done here in short: a writer
//! makes a record of a version and a deadline, and parks a token for it.

use std::cell::RefCell;
use std::ptr::NonNull;
use std::rc::Rc;

use super::deadline::Deadline;
use super::explore::{Tidy, fails, holds, holds_less};
use super::history::{Event, NEVER, Op, Values, assert_explained};
use super::mortal::{EndedBy, Mortal, Mortals, Seen, Shown, Written};
use super::program::{A, in_parallel};
use super::record::{Record, hash_of, read, set, set_deadline};
use super::version::Floors;
use super::world::{World, give_up};
use crate::clock::Moment;
use crate::sync::inbox::{Inbox, Parcel};
use crate::sync::planted::{Bug, planted};
use crate::sync::{AtomicU64, Relaxed};
use crate::table::{Change, Decision, Refused};
use crate::wheel::Token;

/// A step of a thread. Times are in milliseconds, and less than 255.
#[derive(Clone, Copy)]
pub(super) enum Act {
    /// Look the key up.
    Get,
    /// Set the key, to live until then or for ever.
    Set(Option<u64>),
    /// Let the key live until then, if it is there.
    Refresh(u64),
    /// Remove the key.
    Del,
    /// Move the clock on to this time.
    Tick(u64),
    /// Begin to resize the table, and freeze the bucket of the key, so that who writes moves it.
    Freeze,
    /// Do what the tokens are for that are due. Not on two threads at once.
    Advance,
}

/// What happens to the key before, on each thread, and at the end, when it is looked up.
#[derive(Clone, Copy)]
pub(super) struct Life {
    pub(super) name: &'static str,
    pub(super) before: &'static [Act],
    pub(super) threads: &'static [&'static [Act]],
}

impl Life {
    /// Checks it.
    #[track_caller]
    pub(super) fn holds(self) {
        holds(self.name, move || self.run());
    }

    /// Checks it with one preemption less than others: it is too long for more.
    #[track_caller]
    pub(super) fn holds_with_one_less(self) {
        holds_less(self.name, 1, move || self.run());
    }

    /// Checks that loom finds `bug` in it, with `bound` preemptions, for this reason.
    #[track_caller]
    pub(super) fn fails(self, bug: Bug, bound: usize, reason: &str) {
        fails(self.name, bug, bound, reason, move || self.run());
    }

    fn run(self) {
        let lives = Rc::new(Tidy::new(Lives::new()));
        let before = lives.act_all(self.before);
        let threads = in_parallel(self.threads.iter().map(|&acts| {
            let lives = Rc::clone(&lives);
            move |_| lives.act_all(acts)
        }));
        lives.assert_served();
        let after = lives.act_all(&[Act::Get]);
        assert_explained(&before, &threads, &after, Values::GrowAndEnd);
        lives.world.finish();
    }
}

/// A token on its way, with the time at which it is due.
#[derive(Clone, Copy)]
struct Parked {
    token: Token,
    ms: u64,
}

struct Lives {
    world: World<1, 1>,
    floors: Floors,
    clock: AtomicU64,
    inbox: Inbox<Parked>,
    /// What was taken out of the inbox and is not due.
    wheel: RefCell<Vec<Parked>>,
}

type Entry = NonNull<Record>;

impl Lives {
    fn new() -> Self {
        let (world, wheel) = (World::new(0), RefCell::default());
        Self { world, floors: Floors::new(), clock: AtomicU64::new(0), inbox: Inbox::new(), wheel }
    }

    fn act_all(&self, acts: &[Act]) -> Vec<Event> {
        acts.iter().filter_map(|&act| self.act(act)).collect()
    }

    fn act(&self, act: Act) -> Option<Event> {
        match act {
            Act::Get => Some(got(self.get())),
            Act::Set(until) => Some(self.write(until.unwrap_or(u64::MAX), |_| true)),
            Act::Refresh(ms) => Some(self.write(ms, |seen| seen.live().is_some())),
            Act::Del => Some(self.delete()),
            Act::Tick(now) => {
                // Relaxed: no clock orders what its readers do.
                self.clock.store(now, Relaxed);
                Some(Event { op: Op::Tick { key: A, now }, old: None, new: None })
            }
            Act::Freeze => {
                for op in [Op::Resize { nth: 0, log2: 1 }, Op::Freeze { nth: 0, bucket: 0 }] {
                    self.world.apply(&self.world, op, 0);
                }
                None
            }
            Act::Advance => {
                self.advance();
                None
            }
        }
    }

    fn get(&self) -> Option<Entry> {
        let entry = self.look(&self.world, hash_of(A), is_key)?;
        self.live_or_gone(&self.world, hash_of(A), entry)
    }

    /// Puts a record that lives until `ms`, where `wanted` says so, and parks a token if none that
    /// is parked serves it.
    fn write(&self, ms: u64, wanted: impl Fn(Seen<Entry>) -> bool) -> Event {
        let draft = self.world.draft(A, 0);
        let (mut deadline, mut runs) = (Deadline::NEVER, false);
        let early = planted(Bug::ParkedEarly);
        let written = self.change(&self.world, hash_of(A), is_key, |seen, _| {
            if !wanted(seen) {
                return Decision::Keep;
            }
            let version = self.next_version(seen, hash_of(A));
            let old = seen.live().map(Record::deadline);
            (deadline, runs) = Deadline::following(old, ms, version);
            set(draft, version);
            set_deadline(draft, deadline);
            if early && !runs {
                self.park(deadline);
            }
            Decision::Put(draft)
        });
        let old = match done(written).change {
            Change::Created => None,
            Change::Replaced(old) | Change::Removed(old) => Some(old),
            Change::Kept(found) => {
                give_up(draft);
                return got(found);
            }
        };
        if !early && !runs {
            self.park(deadline);
        }
        Event { op: Op::Put(A), old: old.map(said), new: Some(said(draft)) }
    }

    fn delete(&self) -> Event {
        let written = self.change(&self.world, hash_of(A), is_key, |seen, _| match seen {
            Seen::Live(_) => Decision::Remove,
            Seen::Nothing | Seen::Dead(_) => Decision::Keep,
        });
        let old = match done(written).change {
            Change::Removed(old) => Some(said(old)),
            _ => None,
        };
        Event { op: Op::Del(A), old, new: None }
    }

    fn park(&self, deadline: Deadline) {
        if !deadline.is_never() {
            let token = Token::new(hash_of(A), deadline.id(), 0);
            self.inbox.put(Parcel::new(Parked { token, ms: deadline.ms() }).expect("memory"));
        }
    }

    /// Takes in what has arrived, and fires what is due.
    fn advance(&self) {
        let now = self.now().ms();
        let mut parked = self.wheel.take();
        parked.extend(self.inbox.take());
        for Parked { token, ms } in &mut parked {
            if *ms <= now {
                *ms = self.fire_at(*token, now).unwrap_or(NEVER);
            }
        }
        parked.retain(|parked| parked.ms < NEVER);
        self.wheel.replace(parked);
    }

    fn fire_at(&self, token: Token, now: u64) -> Option<u64> {
        self.fire(&self.world, 0, token, now, &mut 0).expect("room and memory")
    }

    /// # Panics
    ///
    /// When no parked token serves the record that stands there, or one that serves none would be
    /// parked again.
    fn assert_served(&self) {
        let mut parked = self.wheel.take();
        parked.extend(self.inbox.take());
        let entry = self.look(&self.world, hash_of(A), is_key);
        let deadline = entry.map_or(Deadline::NEVER, Record::deadline);
        let serves = |token: Token| !deadline.is_never() && token.id() == deadline.id();
        let in_time = |parked: &Parked| serves(parked.token) && parked.ms <= deadline.ms();
        assert!(deadline.is_never() || parked.iter().any(in_time), "no token serves {deadline:?}");
        for Parked { token, .. } in parked {
            let again = self.fire_at(token, 0).is_some();
            assert_eq!(again, serves(token), "a token that serves nothing is parked again");
        }
    }
}

fn is_key(entry: Entry) -> bool {
    read(entry).key == A
}

/// What a look at the key saw.
fn got(found: Option<Entry>) -> Event {
    Event { op: Op::Get(A), old: found.map(said), new: None }
}

/// A record as a value of a history: its version, and its end in the low byte.
fn said(entry: Entry) -> u64 {
    read(entry).value << 8 | read(entry).deadline.ms().min(NEVER)
}

fn done(written: Result<Written<Entry>, Refused>) -> Written<Entry> {
    written.expect("room and memory")
}

impl Mortal for Record {
    fn version(shown: Entry) -> u64 {
        read(shown).value
    }

    fn deadline(shown: Entry) -> Deadline {
        read(shown).deadline
    }

    fn is_same(one: Entry, other: Entry) -> bool {
        one == other
    }

    fn is_of_same_key(one: Entry, other: Entry) -> bool {
        read(one).key == read(other).key
    }
}

impl Mortals for Lives {
    type Record = Record;
    type Guard = World<1, 1>;

    fn look<'g>(
        &'g self,
        _: &'g World<1, 1>,
        hash: u64,
        is_key: impl Fn(Shown<'g, Self>) -> bool + Copy,
    ) -> Option<Shown<'g, Self>> {
        self.world.table.get(&(), hash, is_key)
    }

    fn look_for<'g>(
        &'g self,
        guard: &'g World<1, 1>,
        _: usize,
        token: Token,
        is_meant: impl Fn(Shown<'g, Self>) -> bool + Copy,
    ) -> Option<Shown<'g, Self>> {
        self.look(guard, token.hash(), is_meant)
    }

    fn exchange<'g>(
        &'g self,
        guard: &'g World<1, 1>,
        hash: u64,
        is_key: impl Fn(Shown<'g, Self>) -> bool + Copy,
        decide: impl FnMut(Option<Shown<'g, Self>>) -> Decision<Record>,
    ) -> Result<Change<Shown<'g, Self>>, Refused> {
        self.world.table.write(&(), hash, guard, is_key, decide)
    }

    fn hash_of(&self, entry: Entry) -> u64 {
        hash_of(read(entry).key)
    }

    fn floors(&self) -> &Floors {
        &self.floors
    }

    fn now(&self) -> Moment {
        // Relaxed: as `Act::Tick`.
        Moment::at_ms(self.clock.load(Relaxed))
    }

    fn ended(&self, hash: u64, entry: Entry, _: EndedBy) {
        if planted(Bug::FloorRaisedLate) {
            self.floors.raise(hash, read(entry).value);
        }
    }
}
