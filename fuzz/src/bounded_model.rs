//! A bounded `Store` against `HashMap`.
//!
//! Which entries a store evicts is its own affair: the model asks for each whether it is still
//! there, and forgets it if not. All else must be as in the model: what is there has the last value
//! that was set, nothing comes back, nothing goes that the store does not count as evicted, and
//! nothing goes where there was room. A store that rejects must do exactly as the model.

use std::collections::HashMap;
use std::rc::Rc;

use rkv::{Computed, ENTRY_BYTES, Error, Eviction, Op, Pin, SetResult, Store, StoreBuilder};

use crate::store_model::{Call, Key, Wish};

/// The bounds of a store, and what it does when they are reached.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    entries: Option<u64>,
    bytes: Option<u64>,
    eviction: Eviction,
}

impl Bounds {
    /// Those that six bits stand for; `None` if there are none.
    pub(crate) fn new(bits: u8) -> Option<Self> {
        let size = bits >> 3 & 7;
        let entries = (bits & 1 != 0).then_some(1 + 3 * u64::from(size));
        let bytes = (bits & 2 != 0).then_some(200 + 600 * u64::from(size));
        let eviction = if bits & 4 != 0 { Eviction::Reject } else { Eviction::S3Fifo };
        (bits & 3 != 0).then_some(Self { entries, bytes, eviction })
    }

    fn of(self, mut builder: StoreBuilder) -> Store {
        if let Some(entries) = self.entries {
            builder = builder.max_entries(entries);
        }
        if let Some(bytes) = self.bytes {
            builder = builder.max_bytes(bytes);
        }
        builder.eviction(self.eviction).build().expect("bounds that an entry fits into")
    }
}

/// Runs a program on both and compares after each call.
pub(crate) fn run_bounded(builder: StoreBuilder, bounds: Bounds, calls: Vec<Call>) {
    let store = Rc::new(bounds.of(builder));
    let mut pair = Pair { store, bounds, model: HashMap::new(), evicted: 0 };
    for call in calls {
        pair.step(call);
        pair.check();
    }
    let keys: Vec<_> = pair.model.keys().cloned().collect();
    keys.iter().for_each(|key| pair.get(key));
    assert_eq!(pair.store.clear(), Ok(keys.len() as u64));
    pair.model.clear();
    pair.check();
}

struct Pair {
    store: Rc<Store>,
    bounds: Bounds,
    model: HashMap<Vec<u8>, Vec<u8>>,
    /// Entries that the store has evicted, as the model knows.
    evicted: u64,
}

/// What an entry counts.
fn cost(key: &[u8], value: &[u8]) -> u64 {
    (key.len() + value.len()) as u64 + ENTRY_BYTES
}

impl Pair {
    fn bytes(&self) -> u64 {
        self.model.iter().map(|(key, value)| cost(key, value)).sum()
    }

    /// Whether the store has room for a value of a key as it stands.
    fn has_room_for(&self, key: &[u8], value: &[u8]) -> bool {
        let old = self.model.get(key).map(|old| cost(key, old));
        let entries = self.model.len() as u64 + u64::from(old.is_none());
        let bytes = self.bytes() - old.unwrap_or(0) + cost(key, value);
        let is_shorter = old.is_some_and(|old| old >= cost(key, value));
        is_shorter
            || entries <= self.bounds.entries.unwrap_or(u64::MAX)
                && bytes <= self.bounds.bytes.unwrap_or(u64::MAX)
    }

    /// The error that a write must answer, if any.
    fn refusal(&self, key: &[u8], value: &[u8]) -> Option<Error> {
        let (cost, max) = (cost(key, value), self.bounds.bytes.unwrap_or(u64::MAX));
        if cost > max {
            return Some(Error::TooLarge { name: "entry", len: cost as usize, max: max as usize });
        }
        let rejects = self.bounds.eviction == Eviction::Reject;
        (rejects && !self.has_room_for(key, value)).then_some(Error::Full)
    }

    /// Writes to one key as `write` does, and keeps the model in step.
    fn write(&mut self, key: &[u8], value: &[u8], write: impl FnOnce(&Store) -> Result<(), Error>) {
        let (refusal, had_room) = (self.refusal(key, value), self.has_room_for(key, value));
        assert_eq!(write(&self.store).err(), refusal);
        if refusal.is_none() {
            self.model.insert(key.to_vec(), value.to_vec());
        }
        let evicted = self.forget_what_went();
        assert!(evicted == 0 || refusal.is_none() && !had_room, "nothing had to go");
    }

    /// As many entries of the model must be gone as the store has evicted since: how many.
    fn forget_what_went(&mut self) -> u64 {
        let evicted = self.store.stats().evicted - self.evicted;
        if evicted > 0 {
            let before = self.model.len();
            self.model.retain(|key, _| self.store.contains(key));
            assert_eq!((before - self.model.len()) as u64, evicted, "as many as it says");
            assert!(self.bounds.eviction == Eviction::S3Fifo);
            self.evicted += evicted;
        }
        evicted
    }

    /// The bounds hold, and the accounts are right.
    fn check(&self) {
        let stats = self.store.stats();
        assert_eq!((stats.entries, stats.bytes), (self.model.len() as u64, self.bytes()));
        assert!(stats.entries <= self.bounds.entries.unwrap_or(u64::MAX));
        assert!(stats.bytes <= self.bounds.bytes.unwrap_or(u64::MAX));
    }

    fn step(&mut self, call: Call) {
        match call {
            Call::Get(key) => self.get(&key.bytes()),
            Call::Set(key, value) => self.set(&key.bytes(), &value),
            Call::SetNumber(key, number) => self.set(&key.bytes(), number.to_string().as_bytes()),
            Call::SetIfAbsent(key, value) => self.set_if_absent(&key.bytes(), &value),
            Call::Delete(key) => self.delete(&key.bytes()),
            Call::Incr(key, by) => self.incr(&key.bytes(), by),
            Call::CompareAndSwap(key, current, value) => self.swap(&key.bytes(), current, &value),
            Call::Compute(key, wish) => self.compute(&key.bytes(), wish),
            Call::SetMany(entries) => self.set_many(&entries),
            Call::GetMany(keys) => self.get_many(&keys),
            Call::Hold(key, value) => self.hold(&key.bytes(), &value),
            Call::DeleteMany(keys) => {
                let keys: Vec<_> = keys.into_iter().take(64).map(Key::bytes).collect();
                let removed = self.store.delete_many(&keys);
                let expected = keys.iter().filter_map(|key| self.model.remove(key)).count();
                assert_eq!(removed, Ok(expected as u64));
            }
            Call::Keys(prefix) => self.keys(&prefix),
            Call::TooLong(value) => {
                let answer = self.store.set([0; 65_536], value);
                assert!(matches!(answer, Err(Error::TooLarge { name: "key", .. })));
            }
            Call::Clear => {
                assert_eq!(self.store.clear(), Ok(self.model.len() as u64));
                self.model.clear();
            }
            Call::TakeAny => match self.store.take_any().expect("take_any") {
                Some(taken) => assert_eq!(self.model.remove(taken.key()).as_deref(), Some(&*taken)),
                None => assert!(self.model.is_empty()),
            },
            Call::Churn(keys) => {
                let names = (0..keys).map(|key| format!("churn {key}").into_bytes());
                names.clone().for_each(|name| self.set(&name, &name));
                names.for_each(|name| self.delete(&name));
            }
        }
    }

    fn get(&self, key: &[u8]) {
        let expected = self.model.get(key).map(Vec::as_slice);
        assert_eq!(self.store.get(key).as_deref(), expected);
        assert_eq!(self.store.get_with(key, <[u8]>::to_vec).as_deref(), expected);
    }

    fn set(&mut self, key: &[u8], value: &[u8]) {
        let stands = self.model.contains_key(key);
        let result = if stands { SetResult::Updated } else { SetResult::Created };
        self.write(key, value, |store| {
            store.set(key, value).map(|answer| assert_eq!(answer, result))
        });
    }

    fn set_if_absent(&mut self, key: &[u8], value: &[u8]) {
        if self.model.contains_key(key) {
            assert_eq!(self.store.set_if_absent(key, value), Ok(false));
            return;
        }
        self.write(key, value, |store| {
            store.set_if_absent(key, value).map(|is_set| assert!(is_set))
        });
    }

    fn delete(&mut self, key: &[u8]) {
        let old = self.store.delete(key).expect("delete");
        assert_eq!(old.map(|old| old.to_vec()), self.model.remove(key));
    }

    fn incr(&mut self, key: &[u8], by: i64) {
        let number = match self.model.get(key) {
            None => Ok(0),
            Some(text) => std::str::from_utf8(text).map_or(Err(Error::NotANumber), |text| {
                text.parse::<i64>().map_err(|_| Error::NotANumber)
            }),
        };
        match number.and_then(|number| number.checked_add(by).ok_or(Error::Overflow)) {
            Err(error) => assert_eq!(self.store.incr(key, by), Err(error)),
            Ok(sum) => self.write(key, sum.to_string().as_bytes(), |store| {
                store.incr(key, by).map(|answer| assert_eq!(answer, sum))
            }),
        }
    }

    fn swap(&mut self, key: &[u8], wants_current: bool, value: &[u8]) {
        let current = self.store.get(key).map(|value| value.version());
        assert_eq!(current.is_some(), self.model.contains_key(key));
        let version = current.unwrap_or(0) + u64::from(!wants_current);
        if wants_current {
            self.write(key, value, |store| {
                store.compare_and_swap(key, version, value).map(|new| assert!(new > version))
            });
        } else {
            let answer = self.store.compare_and_swap(key, version, value);
            assert_eq!(answer, Err(Error::Conflict { current }));
        }
    }

    fn compute(&mut self, key: &[u8], wish: Wish) {
        let stands = self.model.get(key).cloned();
        let run = |store: &Store, op: Result<Op, Error>| {
            store.compute(key, |old| {
                assert_eq!(old.map(|old| old.to_vec()), stands);
                op.clone()
            })
        };
        match wish {
            Wish::Put(value) => self.write(key, &value, |store| {
                match run(store, Ok(Op::Put(value.clone())))? {
                    Computed::Created(new) => assert!(stands.is_none() && *new == *value),
                    Computed::Updated { new, .. } => assert!(stands.is_some() && *new == *value),
                    other => panic!("{other:?}"),
                }
                Ok(())
            }),
            Wish::Remove => {
                let removed = run(&self.store, Ok(Op::Remove));
                assert_eq!(matches!(removed, Ok(Computed::Removed(_))), stands.is_some());
                self.model.remove(key);
            }
            Wish::Keep => assert!(matches!(run(&self.store, Ok(Op::Keep)), Ok(Computed::Kept(_)))),
            Wish::Fail => assert_eq!(run(&self.store, Err(Error::Busy)).err(), Some(Error::Busy)),
        }
    }

    /// An entry that is refused ends a batch; those before it are set. Of a key that comes twice,
    /// both entries may have been evicted, so this does not count them.
    fn set_many(&mut self, entries: &[(Key, Vec<u8>)]) {
        let entries: Vec<_> = entries.iter().take(64).map(|(k, v)| (k.bytes(), v)).collect();
        let (answer, mut refusal) = (self.store.set_many(&entries), None);
        for (key, value) in entries {
            refusal = self.refusal(&key, value);
            if refusal.is_some() {
                break;
            }
            self.model.insert(key, value.clone());
        }
        assert_eq!(answer.err().map(Error::from), refusal);
        self.model.retain(|key, _| self.store.contains(key));
        self.evicted = self.store.stats().evicted;
    }

    fn get_many(&self, keys: &[Key]) {
        let keys: Vec<_> = keys.iter().take(64).map(|key| key.bytes()).collect();
        let expected = |index: usize| self.model.get(&keys[index]).map(Vec::as_slice);
        let found = self.store.get_many(&keys);
        assert!(found.iter().enumerate().all(|(index, value)| value.as_deref() == expected(index)));
        self.store.session().get_many(&keys, |index, value| assert_eq!(value, expected(index)));
    }

    fn hold(&mut self, key: &[u8], value: &[u8]) {
        let (store, pin) = (Rc::clone(&self.store), Pin::new());
        let (held, expected) = (store.get_ref(&pin, key), self.model.get(key).cloned());
        self.set(key, value);
        self.delete(key);
        (0..8).for_each(|_| rkv::flush());
        assert_eq!(held, expected.as_deref());
    }

    fn keys(&self, prefix: &[u8]) {
        let keys = self.model.keys().filter(|key| key.starts_with(prefix));
        let mut expected: Vec<_> = keys.cloned().collect();
        expected.sort();
        assert_eq!(self.store.keys(prefix), expected);
    }
}
