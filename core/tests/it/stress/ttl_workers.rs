//! A worker on keys with a time to live: every call that gives, asks, changes or meets an end, each
//! one recorded with what the clock showed before and after; and steps of the clock itself.

use std::time::{Duration, SystemTime};

use rkv::{Error, ManualClock, Remaining, Session, SetResult, Store, Ttl, Value};

use super::Place;
use super::ttl_runs::Timed;
use crate::dice::Dice;
use crate::history::timed::{Call, Did, Saw, Span, Until};
use crate::history::{Clock, Lane, Seen};
use crate::payload;

/// Common prefix of the hot keys; no churner's key starts so.
pub(super) const HOT: &str = "timed/";

/// One in so many calls is a scan, which costs as much as the whole table.
const SCAN_ODDS: u64 = 3000;

/// One in so many calls leaves the worker's session idle: else it would hold back all reclamation.
const IDLE_ODDS: u64 = 16;

/// One in so many calls comes after a step of the clock, one in so many after one of the wheel.
const CLOCK_ODDS: u64 = 8;
const WHEEL_ODDS: u64 = 16;

/// Makes the calls of one round; the calls of one thread, and its scans as a second lane.
pub(super) fn work<'r>(timed: &Timed, place: &Place<'r>) -> Vec<Lane<'r, Call>> {
    let mut worker = Worker {
        store: &timed.store,
        session: timed.store.session(),
        hands: Hands { ticks: place.clock, clock: &timed.clock },
        calls: Lane::new(place.clock, place.run.calls + 1),
        scans: Lane::new(place.clock, 0),
        dice: Dice::new(place.seed),
        names: (0..place.run.keys).map(|key| format!("{HOT}{key}").into_bytes()).collect(),
    };
    while worker.calls.len() < place.run.calls {
        worker.one_call();
    }
    vec![worker.calls, worker.scans]
}

struct Worker<'r, 's> {
    store: &'s Store,
    session: Session<'s>,
    hands: Hands<'r, 's>,
    calls: Lane<'r, Call>,
    scans: Lane<'r, Call>,
    dice: Dice,
    names: Vec<Vec<u8>>,
}

/// What tells when a call began and ended.
#[derive(Clone, Copy)]
struct Hands<'r, 's> {
    ticks: &'r Clock,
    clock: &'s ManualClock,
}

/// A tick of the recorder, and what the store's clock showed then.
type Moment = (u64, u64);

impl Hands<'_, '_> {
    /// Taken before a call. The tick comes first and in `end` last, so that where one call returned
    /// before another began, the readings are in order, too.
    fn begin(&self) -> Moment {
        (self.ticks.begin(), self.now())
    }

    /// Taken after a call.
    fn end(&self) -> Moment {
        let now = self.now();
        (self.ticks.end(), now)
    }

    fn now(&self) -> u64 {
        self.clock.elapsed().as_millis() as u64
    }
}

/// Notes a call between two moments.
fn note(
    lane: &mut Lane<'_, Call>,
    key: u32,
    (began, first): Moment,
    (ended, last): Moment,
    (saw, did): (Saw, Did),
) {
    lane.note(key, began, ended, Call { clock: Span { first, last }, saw, did });
}

fn seen(value: &Value) -> Seen {
    Seen::at(payload::number_id(value), value.version())
}

fn bare(bytes: &[u8]) -> Seen {
    Seen::value(payload::number_id(bytes))
}

/// The meaning of a read that answered `found`.
fn read(found: Option<Seen>) -> (Saw, Did) {
    (found.map_or(Saw::Absent, Saw::Value), Did::Nothing)
}

fn presence(there: bool) -> Saw {
    if there { Saw::Present } else { Saw::Absent }
}

/// The meaning of a change that answered whether the key was there.
fn change(there: bool, did: Did) -> (Saw, Did) {
    (presence(there), if there { did } else { Did::Nothing })
}

impl Worker<'_, '_> {
    fn one_call(&mut self) {
        let key = self.dice.below(self.names.len() as u64) as u32;
        self.now_and_then();
        match self.dice.below(32) {
            0..=7 => self.read_call(key),
            8..=9 => self.ask(key),
            10..=15 => self.set_with(key),
            16 => self.set(key),
            17 => self.set_if_absent(key),
            18..=20 => self.expire(key),
            21 => {
                self.change_call(key, Did::Retime(Until::Never), |store, name| store.persist(name))
            }
            22..=24 => self.touch(key),
            25..=26 => self.delete(key),
            27..=28 => self.compare_and_swap(key),
            _ => self.incr(key),
        }
    }

    /// What no key's history tells: the clock moves, the wheel turns, the session rests.
    fn now_and_then(&mut self) {
        if self.dice.below(CLOCK_ODDS) == 0 {
            self.hands.clock.advance(Duration::from_millis(1));
        }
        match self.dice.below(WHEEL_ODDS) {
            0 => drop(self.store.advance().expect("advance")),
            1 => drop(self.store.purge_expired().expect("purge_expired")),
            _ => {}
        }
        if self.dice.below(SCAN_ODDS) == 0 {
            self.scan();
        }
        if self.dice.below(IDLE_ODDS) == 0 {
            self.session.idle();
        }
    }

    /// An identity that no other write of the run has, but for luck: 58 random bits.
    fn fresh(&mut self) -> u64 {
        1 + (self.dice.roll() >> 6)
    }

    /// A span of milliseconds in which a key is called a few times.
    fn span(&mut self) -> u64 {
        1 + self.dice.below(4 + 2 * self.names.len() as u64)
    }

    /// Runs `call` on `key` and notes what its answer means.
    fn record<R>(
        &mut self,
        key: u32,
        call: impl FnOnce(&Store, &[u8]) -> R,
        meaning: impl FnOnce(R) -> (Saw, Did),
    ) {
        let began = self.hands.begin();
        let answer = call(self.store, &self.names[key as usize]);
        let ended = self.hands.end();
        note(&mut self.calls, key, began, ended, meaning(answer));
    }

    fn read_call(&mut self, key: u32) {
        match self.dice.below(8) {
            0 => self.record(
                key,
                |store, name| store.get_with(name, |bytes| bytes.to_vec()),
                |found| read(found.map(|bytes| bare(&bytes))),
            ),
            1 => self.get_in_session(key),
            2 => self.get_many(key),
            3 => self.record(
                key,
                |store, name| store.contains(name),
                |there| (presence(there), Did::Nothing),
            ),
            _ => drop(self.get(key)),
        }
    }

    /// A recorded `get`.
    fn get(&mut self, key: u32) -> Option<Seen> {
        let mut found = None;
        self.record(
            key,
            |store, name| store.get(name),
            |value| {
                found = value.as_ref().map(seen);
                read(found)
            },
        );
        found
    }

    fn get_in_session(&mut self, key: u32) {
        let began = self.hands.begin();
        let found = self.session.get(&self.names[key as usize]).map(bare);
        let ended = self.hands.end();
        note(&mut self.calls, key, began, ended, read(found));
    }

    /// A batch of all keys is one call that stands for one of each.
    fn get_many(&mut self, first: u32) {
        let count = self.names.len();
        let batch: Vec<_> = (0..count).map(|offset| (first as usize + offset) % count).collect();
        let names: Vec<_> = batch.iter().map(|&key| &self.names[key]).collect();
        let mut found = vec![None; count];
        let each = |index, bytes: Option<&[u8]>| found[index] = bytes.map(<[u8]>::to_vec);
        let began = self.hands.begin();
        match self.dice.below(2) {
            0 => self.store.get_many_with(&names, each),
            _ => self.session.get_many(&names, each),
        }
        let ended = self.hands.end();
        for (key, bytes) in batch.into_iter().zip(found) {
            let step = read(bytes.map(|bytes| bare(&bytes)));
            note(&mut self.calls, key as u32, began, ended, step);
        }
    }

    fn ask(&mut self, key: u32) {
        self.record(
            key,
            |store, name| store.ttl(name),
            |left| match left {
                None => (Saw::Absent, Did::Nothing),
                Some(Remaining::Never) => (Saw::Endless, Did::Nothing),
                Some(Remaining::For(left)) => (Saw::Left(left.as_millis() as u64), Did::Nothing),
            },
        );
    }

    /// A time to live, as the store and as the checker understand it. Some have passed.
    fn ttl(&mut self) -> (Ttl, Until) {
        let span = self.span();
        match self.dice.below(8) {
            0 => (Ttl::Never, Until::Never),
            1 | 2 => {
                let at = self.hands.now() + span - 1;
                (Ttl::At(SystemTime::UNIX_EPOCH + Duration::from_millis(at)), Until::At(at))
            }
            _ => (Ttl::After(Duration::from_millis(span)), Until::After(span)),
        }
    }

    fn set_with(&mut self, key: u32) {
        let (ttl, until) = match self.dice.below(4) {
            0 => (Ttl::Keep, Until::Kept),
            _ => self.ttl(),
        };
        self.put(key, until, move |store, name, value| store.set_with(name, value, ttl));
    }

    fn set(&mut self, key: u32) {
        self.put(key, Until::Never, |store, name, value| store.set(name, value));
    }

    fn put(
        &mut self,
        key: u32,
        until: Until,
        call: impl FnOnce(&Store, &[u8], &[u8]) -> Result<SetResult, Error>,
    ) {
        let id = self.fresh();
        let value = payload::number(id);
        self.record(
            key,
            |store, name| call(store, name, &value),
            |answer| match (answer.expect("a set"), until) {
                (SetResult::Created, until) => (Saw::Absent, Did::Put(id, until)),
                (SetResult::Updated, until) => (Saw::Present, Did::Put(id, until)),
                (SetResult::Expired, Until::At(ms)) => (Saw::Passed(ms), Did::Remove),
                (SetResult::Expired, _) => panic!("no time was given that could have passed"),
            },
        );
    }

    fn set_if_absent(&mut self, key: u32) {
        let id = self.fresh();
        let value = payload::number(id);
        self.record(
            key,
            |store, name| store.set_if_absent(name, &value),
            |answer| match answer.expect("set_if_absent") {
                true => (Saw::Absent, Did::Put(id, Until::Never)),
                false => (Saw::Present, Did::Nothing),
            },
        );
    }

    fn change_call(
        &mut self,
        key: u32,
        did: Did,
        call: impl FnOnce(&Store, &[u8]) -> Result<bool, Error>,
    ) {
        self.record(key, call, |there| change(there.expect("a change"), did));
    }

    fn expire(&mut self, key: u32) {
        let (ttl, until) = self.ttl();
        self.change_call(key, Did::Retime(until), |store, name| store.expire(name, ttl));
    }

    fn touch(&mut self, key: u32) {
        let ms = self.span();
        self.change_call(key, Did::Touch(ms), |store, name| {
            store.touch(name, Duration::from_millis(ms))
        });
    }

    fn delete(&mut self, key: u32) {
        self.record(
            key,
            |store, name| store.delete(name),
            |answer| match answer.expect("delete") {
                Some(old) => (Saw::Value(seen(&old)), Did::Remove),
                None => (Saw::Absent, Did::Nothing),
            },
        );
    }

    fn compare_and_swap(&mut self, key: u32) {
        let Some(found) = self.get(key) else { return };
        let version = found.version.expect("a get reports the version");
        let id = self.fresh();
        let value = payload::number(id);
        self.record(
            key,
            |store, name| store.compare_and_swap(name, version, &value),
            |answer| match answer {
                Ok(_) => (Saw::Value(found), Did::Put(id, Until::Kept)),
                Err(Error::Conflict { current: None }) => (Saw::Absent, Did::Nothing),
                Err(Error::Conflict { current: Some(current) }) => {
                    assert_ne!(current, version, "a conflict with the expected version");
                    (Saw::Version(current), Did::Nothing)
                }
                Err(error) => panic!("compare_and_swap: {error}"),
            },
        );
    }

    fn incr(&mut self, key: u32) {
        let by = 1 + self.dice.below(1 << 40);
        self.record(
            key,
            |store, name| store.incr(name, by as i64),
            |answer| {
                let sum = answer.expect("incr") as u64;
                // No value is 0.
                let old = Some(sum - by).filter(|&old| old != 0).map(Seen::value);
                (old.map_or(Saw::Absent, Saw::Value), Did::Put(sum, Until::Kept))
            },
        );
    }

    /// Scans the hot keys. Each item is a value that stood at some moment since the scan began.
    fn scan(&mut self) {
        let began = self.hands.begin();
        for value in self.store.scan(HOT) {
            let ended = self.hands.end();
            let name = value.key().strip_prefix(HOT.as_bytes()).expect("the prefix");
            let key = payload::number_id(name) as u32;
            note(&mut self.scans, key, began, ended, read(Some(seen(&value))));
        }
    }
}
