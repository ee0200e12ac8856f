//! A worker on a `Store`: every call of the public face on the hot keys, each one recorded.

use rkv::{Computed, Error, Op, Pin, Session, SetResult, Store, Value};

use super::Place;
use crate::dice::Dice;
use crate::history::event::{exchange, read, removal, sum};
use crate::history::{Clock, Effect, Expect, Lane, Seen, Step};
use crate::payload;

/// Common prefix of the hot keys; no churner's key starts so.
pub(super) const HOT: &str = "hot/";

/// One in so many calls is a scan, which costs as much as the whole table.
const SCAN_ODDS: u64 = 3000;

/// One in so many borrowed reads is held on to.
const HOLD_ODDS: u64 = 100;

/// Sets that a worker makes at most while it holds what it has read: often enough for the memory of
/// a record that is freed meanwhile to become another's.
const HELD_SETS: u64 = 600;

/// One in so many calls leaves the worker's session idle: else it would hold back all reclamation.
const IDLE_ODDS: u64 = 16;

/// Makes the calls of one round; the calls of one thread, and its scans as a second lane.
pub(super) fn work<'r>(store: &Store, place: &Place<'r>) -> Vec<Lane<'r>> {
    let mut worker = Worker {
        store,
        session: store.session(),
        clock: place.clock,
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
    clock: &'r Clock,
    calls: Lane<'r>,
    scans: Lane<'r>,
    dice: Dice,
    names: Vec<Vec<u8>>,
}

/// Keys with an even number hold decimal text, so that they can be added to.
fn is_number(key: u32) -> bool {
    key.is_multiple_of(2)
}

fn encode(key: u32, id: u64) -> Vec<u8> {
    if is_number(key) { payload::number(id) } else { payload::blob(id) }
}

fn decode(key: u32, bytes: &[u8]) -> u64 {
    if is_number(key) { payload::number_id(bytes) } else { payload::blob_id(bytes) }
}

fn seen(key: u32, value: &Value) -> Seen {
    Seen::at(decode(key, value), value.version())
}

fn set_meaning(answer: SetResult, id: u64) -> Step {
    let expect = match answer {
        SetResult::Created => Expect::Absent,
        SetResult::Updated => Expect::Present,
        SetResult::Expired => unreachable!("no deadline was given"),
    };
    (expect, Effect::Put(Seen::value(id)))
}

fn removed_meaning(removed: bool) -> Step {
    if removed { (Expect::Present, Effect::Remove) } else { (Expect::Absent, Effect::Keep) }
}

impl Worker<'_, '_> {
    fn one_call(&mut self) {
        let key = self.dice.below(self.names.len() as u64) as u32;
        if self.dice.below(SCAN_ODDS) == 0 {
            self.scan();
        }
        if self.dice.below(IDLE_ODDS) == 0 {
            self.session.idle();
        }
        match self.dice.below(32) {
            0..=9 => self.read_call(key),
            10..=15 => self.set_call(key),
            16..=17 => self.set_if_absent(key),
            18..=21 => self.delete_call(key),
            22..=25 => self.compare_and_swap(key),
            26..=27 if is_number(key) => self.incr(key),
            _ => self.compute(key),
        }
    }

    /// An identity that no other write of the run has, but for luck: 58 random bits.
    fn fresh(&mut self) -> u64 {
        1 + (self.dice.roll() >> 6)
    }

    fn read_call(&mut self, key: u32) {
        let (store, name) = (self.store, &self.names[key as usize]);
        let session = &mut self.session;
        let bare = |found: Option<u64>| read(found.map(Seen::value));
        match self.dice.below(8) {
            0 => self.calls.record(
                key,
                || store.get_with(name, |bytes| bytes.to_vec()),
                |found| bare(found.map(|bytes| decode(key, &bytes))),
            ),
            1 => self.calls.record(
                key,
                move || session.get(name),
                |found| bare(found.map(|bytes| decode(key, bytes))),
            ),
            2 => self.get_many(key),
            3 if self.dice.below(HOLD_ODDS) == 0 => self.read_and_hold(key),
            3 => self.get_ref(key),
            4 => self.calls.record(
                key,
                || store.contains(name),
                |there| (if there { Expect::Present } else { Expect::Absent }, Effect::Keep),
            ),
            _ => drop(self.get(key)),
        }
    }

    /// Up to 20 hot keys, each once, from `first` on: a batch of them is one call that stands for
    /// one of each key.
    fn batch(&mut self, first: u32) -> Vec<u32> {
        let keys = self.names.len() as u64;
        let count = 1 + self.dice.below(keys.min(20)) as u32;
        (0..count).map(|offset| (first + offset) % keys as u32).collect()
    }

    fn get_many(&mut self, first: u32) {
        let batch = self.batch(first);
        let names: Vec<_> = batch.iter().map(|&key| &self.names[key as usize]).collect();
        let mut found = vec![None; batch.len()];
        let each = |index, bytes: Option<&[u8]>| found[index] = bytes.map(<[u8]>::to_vec);
        let began = self.clock.begin();
        match self.dice.below(2) {
            0 => self.store.get_many_with(&names, each),
            _ => self.session.get_many(&names, each),
        }
        let ended = self.clock.end();
        for (key, bytes) in batch.into_iter().zip(found) {
            let seen = bytes.map(|bytes| Seen::value(decode(key, &bytes)));
            self.calls.note(key, began, ended, read(seen));
        }
    }

    fn get_ref(&mut self, key: u32) {
        let (store, name, pin) = (self.store, &self.names[key as usize], Pin::new());
        self.calls.record(
            key,
            || store.get_ref(&pin, name),
            |found| read(found.map(|bytes| Seen::value(decode(key, bytes)))),
        );
    }

    /// A recorded batch of reads under a pin that stands while this worker and the others go on.
    fn read_and_hold(&mut self, first: u32) {
        // The pin alone must protect.
        self.session.idle();
        let batch = self.batch(first);
        let (store, pin) = (self.store, Pin::new());
        let names: Vec<_> = batch.iter().map(|&key| &self.names[key as usize]).collect();
        let mut found = vec![None; batch.len()];
        let began = self.clock.begin();
        store.get_many_ref(&pin, &names, |index, bytes| found[index] = bytes);
        let ended = self.clock.end();
        let id = |(&key, bytes): (&u32, &Option<&[u8]>)| bytes.map(|bytes| decode(key, bytes));
        let ids: Vec<_> = batch.iter().zip(&found).map(id).collect();
        for (&key, &id) in batch.iter().zip(&ids) {
            self.calls.note(key, began, ended, read(id.map(Seen::value)));
        }
        for turn in 0..self.dice.below(HELD_SETS) as usize {
            self.set(batch[turn % batch.len()]);
        }
        let still: Vec<_> = batch.iter().zip(&found).map(id).collect();
        assert_eq!(still, ids, "what was read changed under its pin");
    }

    fn set_many(&mut self, first: u32) {
        let batch = self.batch(first);
        let ids: Vec<u64> = batch.iter().map(|_| self.fresh()).collect();
        let entry = |(&key, &id)| (&self.names[key as usize], encode(key, id));
        let entries: Vec<_> = batch.iter().zip(&ids).map(entry).collect();
        let began = self.clock.begin();
        self.store.set_many(&entries).expect("set_many");
        let ended = self.clock.end();
        for (key, id) in batch.into_iter().zip(ids) {
            let step = (Expect::Anything, Effect::Put(Seen::value(id)));
            self.calls.note(key, began, ended, step);
        }
    }

    /// A recorded batch of deletes. Its answer is a number: what it says of each key is known only
    /// where it says the same of all.
    fn delete_many(&mut self, first: u32) {
        let mut batch = self.batch(first);
        batch.truncate(1 + self.dice.below(2) as usize * batch.len());
        let names: Vec<_> = batch.iter().map(|&key| &self.names[key as usize]).collect();
        let began = self.clock.begin();
        let removed = self.store.delete_many(&names).expect("delete_many");
        let ended = self.clock.end();
        let all = batch.len() as u64;
        for key in batch {
            let expect = match removed {
                0 => Expect::Absent,
                removed if removed == all => Expect::Present,
                _ => Expect::Anything,
            };
            self.calls.note(key, began, ended, (expect, Effect::Remove));
        }
    }

    /// A recorded `get`.
    fn get(&mut self, key: u32) -> Option<Seen> {
        let (store, name) = (self.store, &self.names[key as usize]);
        let mut found = None;
        self.calls.record(
            key,
            || store.get(name),
            |value| {
                found = value.map(|value| {
                    assert_eq!(value.key(), name.as_slice(), "the record of another key");
                    seen(key, &value)
                });
                read(found)
            },
        );
        found
    }

    fn set_call(&mut self, key: u32) {
        match self.dice.below(4) {
            0 => self.set_in_session(key),
            1 => self.set_many(key),
            _ => self.set(key),
        }
    }

    fn set(&mut self, key: u32) {
        let id = self.fresh();
        let value = encode(key, id);
        let (store, name) = (self.store, &self.names[key as usize]);
        self.calls.record(
            key,
            || store.set(name, &value),
            |answer| set_meaning(answer.expect("set"), id),
        );
    }

    fn set_in_session(&mut self, key: u32) {
        let id = self.fresh();
        let value = encode(key, id);
        let (session, name) = (&mut self.session, &self.names[key as usize]);
        self.calls.record(
            key,
            || session.set(name, &value),
            |answer| set_meaning(answer.expect("set"), id),
        );
    }

    fn set_if_absent(&mut self, key: u32) {
        let id = self.fresh();
        let value = encode(key, id);
        let (store, name) = (self.store, &self.names[key as usize]);
        self.calls.record(
            key,
            || store.set_if_absent(name, &value),
            |answer| match answer.expect("set_if_absent") {
                true => exchange(None, Seen::value(id)),
                false => (Expect::Present, Effect::Keep),
            },
        );
    }

    fn delete_call(&mut self, key: u32) {
        let (store, name) = (self.store, &self.names[key as usize]);
        let session = &mut self.session;
        match self.dice.below(4) {
            0 => self.calls.record(
                key,
                || session.delete(name),
                |answer| removed_meaning(answer.expect("delete")),
            ),
            1 => self.delete_many(key),
            _ => self.calls.record(
                key,
                || store.delete(name),
                |answer| removal(answer.expect("delete").map(|old| seen(key, &old))),
            ),
        }
    }

    fn compare_and_swap(&mut self, key: u32) {
        let Some(found) = self.get(key) else { return };
        let version = found.version.expect("a get reports the version");
        let id = self.fresh();
        let value = encode(key, id);
        if self.dice.below(4) == 0 {
            std::thread::yield_now();
        }
        let (store, name) = (self.store, &self.names[key as usize]);
        self.calls.record(
            key,
            || store.compare_and_swap(name, version, &value),
            |answer| match answer {
                Ok(version) => exchange(Some(found), Seen::at(id, version)),
                Err(Error::Conflict { current: None }) => (Expect::Absent, Effect::Keep),
                Err(Error::Conflict { current: Some(current) }) => {
                    assert_ne!(current, version, "a conflict with the expected version");
                    (Expect::Version(current), Effect::Keep)
                }
                Err(error) => panic!("compare_and_swap: {error}"),
            },
        );
    }

    fn incr(&mut self, key: u32) {
        let by = 1 + self.dice.below(1 << 40);
        let (store, name) = (self.store, &self.names[key as usize]);
        self.calls.record(
            key,
            || store.incr(name, by as i64),
            |answer| sum(by, answer.expect("incr") as u64),
        );
    }

    fn compute(&mut self, key: u32) {
        let id = self.fresh();
        let (kind, patience) = (self.dice.below(4), self.dice.below(8));
        let (store, name) = (self.store, &self.names[key as usize]);
        let mut shown = None;
        let closure = |old: Option<&Value>| {
            shown = old.map(|old| seen(key, old));
            if patience == 0 {
                std::thread::yield_now();
            }
            Ok::<_, Error>(match kind {
                0 | 1 => Op::Put(encode(key, id)),
                2 => Op::Remove,
                _ => Op::Keep,
            })
        };
        let began = self.clock.begin();
        let answer = store.compute(name, closure);
        let ended = self.clock.end();
        let (old, step) = computed_meaning(key, id, answer.expect("compute"));
        assert_eq!(old, shown, "the closure saw another value than the one that was replaced");
        self.calls.note(key, began, ended, step);
    }

    /// Scans the hot keys. Each item is a value that stood at some moment since the scan began.
    fn scan(&mut self) {
        let began = self.clock.begin();
        for value in self.store.scan(HOT) {
            let ended = self.clock.end();
            let name = value.key().strip_prefix(HOT.as_bytes()).expect("the prefix");
            let key = payload::number_id(name) as u32;
            self.scans.note(key, began, ended, read(Some(seen(key, &value))));
        }
    }
}

/// What `compute` found, and the meaning of its answer.
fn computed_meaning(key: u32, id: u64, answer: Computed) -> (Option<Seen>, Step) {
    let written = |new: &Value| {
        let new = seen(key, new);
        assert_eq!(new.value, id, "compute stored another value");
        new
    };
    match answer {
        Computed::Created(new) => (None, exchange(None, written(&new))),
        Computed::Updated { old, new } => {
            let old = Some(seen(key, &old));
            (old, exchange(old, written(&new)))
        }
        Computed::Removed(old) => {
            let old = Some(seen(key, &old));
            (old, removal(old))
        }
        Computed::Kept(old) => {
            let old = old.map(|old| seen(key, &old));
            (old, read(old))
        }
    }
}
