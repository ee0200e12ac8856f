//! `Store` against `HashMap`, values and versions.

use std::collections::HashMap;

use arbitrary::Arbitrary;
use rkv::{Computed, Error, Op, Pin, SetResult, Store, Value};

use crate::bounded_model::{Bounds, run_bounded};

/// The shape of a store, and the calls to make.
#[derive(Arbitrary, Debug)]
pub struct StoreProgram {
    /// Two bits for the shards, as a power of two; six for [`Bounds`].
    shape: u8,
    calls: Vec<Call>,
}

/// A key of few different ones, and of very different lengths.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) struct Key(u8);

impl Key {
    pub(crate) fn bytes(self) -> Vec<u8> {
        let length = match self.0 {
            255 => 65_535,
            short => usize::from(short % 8) * 5,
        };
        vec![self.0; length]
    }
}

#[derive(Arbitrary, Debug)]
pub(crate) enum Call {
    Get(Key),
    Set(Key, Vec<u8>),
    SetNumber(Key, i64),
    SetIfAbsent(Key, Vec<u8>),
    Delete(Key),
    Incr(Key, i64),
    CompareAndSwap(Key, bool, Vec<u8>),
    Compute(Key, Wish),
    SetMany(Vec<(Key, Vec<u8>)>),
    GetMany(Vec<Key>),
    /// Holds what it reads while the key is set to this and removed.
    Hold(Key, Vec<u8>),
    DeleteMany(Vec<Key>),
    Keys(Vec<u8>),
    TooLong(Vec<u8>),
    Clear,
    TakeAny,
    /// Sets and deletes this many keys beside the others, so that the table is resized.
    Churn(u8),
}

#[derive(Arbitrary, Debug)]
pub(crate) enum Wish {
    Put(Vec<u8>),
    Remove,
    Keep,
    Fail,
}

/// Runs a program on both and compares.
pub fn run_store(program: StoreProgram) {
    let builder = Store::builder().shards(1 << (program.shape % 4));
    if let Some(bounds) = Bounds::new(program.shape >> 2) {
        return run_bounded(builder, bounds, program.calls);
    }
    let store = builder.build().expect("a power of two");
    let mut pair = Pair { store, model: HashMap::new(), versions: HashMap::new() };
    for call in program.calls {
        pair.step(call);
        assert_eq!(pair.store.count(), pair.model.len() as u64);
    }
    pair.sweep();
    let held: Vec<_> = pair.store.scan("").collect();
    drop(pair.store);
    rkv::flush();
    // Values outlive the store.
    for value in held {
        assert_eq!(pair.model.get(value.key()).map(Vec::as_slice), Some(&*value));
    }
}

struct Pair {
    store: Store,
    model: HashMap<Vec<u8>, Vec<u8>>,
    /// The highest version that each key ever had.
    versions: HashMap<Vec<u8>, u64>,
}

impl Pair {
    fn step(&mut self, call: Call) {
        match call {
            Call::Get(key) => self.get(&key.bytes()),
            Call::Set(key, value) => self.set(&key.bytes(), &value),
            Call::SetNumber(key, number) => {
                self.set(&key.bytes(), number.to_string().as_bytes());
            }
            Call::SetIfAbsent(key, value) => self.set_if_absent(&key.bytes(), &value),
            Call::Delete(key) => {
                let old = self.store.delete(key.bytes()).expect("delete");
                assert_eq!(old.map(|old| old.to_vec()), self.model.remove(&key.bytes()));
            }
            Call::Incr(key, by) => self.incr(&key.bytes(), by),
            Call::CompareAndSwap(key, current, value) => self.swap(&key.bytes(), current, &value),
            Call::Compute(key, wish) => self.compute(&key.bytes(), wish),
            Call::SetMany(entries) => self.set_many(&entries),
            Call::GetMany(keys) => self.get_many(&keys),
            Call::Hold(key, value) => self.hold(&key.bytes(), &value),
            Call::DeleteMany(keys) => {
                let keys: Vec<_> = keys.into_iter().take(64).map(Key::bytes).collect();
                let removed = self.store.delete_many(&keys).expect("delete_many");
                let expected = keys.iter().filter_map(|key| self.model.remove(key)).count();
                assert_eq!(removed, expected as u64);
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
            Call::Churn(keys) => self.churn(keys),
        }
    }

    /// Notes a write, and checks that its version is above all earlier ones of the key.
    fn wrote(&mut self, key: &[u8], value: &[u8]) {
        let stored = self.store.get(key).expect("just written");
        assert_eq!((stored.key(), &*stored), (key, value));
        let highest = self.versions.entry(key.to_vec()).or_default();
        assert!(stored.version() > *highest, "version {} after {highest}", stored.version());
        *highest = stored.version();
        self.model.insert(key.to_vec(), value.to_vec());
    }

    fn get(&self, key: &[u8]) {
        let expected = self.model.get(key);
        assert_eq!(self.store.get(key).map(|value| value.to_vec()).as_ref(), expected);
        assert_eq!(self.store.get_with(key, <[u8]>::to_vec).as_ref(), expected);
        assert_eq!(self.store.session().get(key), expected.map(Vec::as_slice));
        assert_eq!(self.store.get_ref(&Pin::new(), key), expected.map(Vec::as_slice));
        assert_eq!(self.store.contains(key), expected.is_some());
    }

    fn set(&mut self, key: &[u8], value: &[u8]) {
        let created = self.store.set(key, value) == Ok(SetResult::Created);
        assert_eq!(created, !self.model.contains_key(key));
        self.wrote(key, value);
    }

    fn set_if_absent(&mut self, key: &[u8], value: &[u8]) {
        let absent = !self.model.contains_key(key);
        assert_eq!(self.store.set_if_absent(key, value), Ok(absent));
        if absent {
            self.wrote(key, value);
        }
    }

    fn incr(&mut self, key: &[u8], by: i64) {
        let stands = self.model.get(key);
        let answer = self.store.incr(key, by);
        // What counts as a decimal number beyond plain digits is the store's own affair.
        let number = stands.map_or(Some(0), |value| std::str::from_utf8(value).ok()?.parse().ok());
        let plain = stands.is_none_or(|value| {
            number.is_some_and(|number: i64| number.to_string().as_bytes() == value.as_slice())
        });
        match number {
            Some(number) if plain => {
                assert_eq!(answer, number.checked_add(by).ok_or(Error::Overflow));
            }
            Some(_) => {}
            None => assert_eq!(answer, Err(Error::NotANumber)),
        }
        if let Ok(sum) = answer {
            self.wrote(key, sum.to_string().as_bytes());
        }
    }

    fn swap(&mut self, key: &[u8], wants_current: bool, value: &[u8]) {
        let current = self.store.get(key).map(|value| value.version());
        let version = current.unwrap_or(0) + u64::from(!wants_current);
        let answer = self.store.compare_and_swap(key, version, value);
        if wants_current {
            assert!(answer.is_ok_and(|new| new > version));
            self.wrote(key, value);
        } else {
            assert_eq!(answer, Err(Error::Conflict { current }));
        }
    }

    fn compute(&mut self, key: &[u8], wish: Wish) {
        let stands = self.model.get(key).cloned();
        let answer = self.store.compute(key, |old| {
            assert_eq!(old.map(|old| old.to_vec()), stands);
            match &wish {
                Wish::Put(value) => Ok(Op::Put(value.clone())),
                Wish::Remove => Ok(Op::Remove),
                Wish::Keep => Ok(Op::Keep),
                Wish::Fail => Err(Error::Busy),
            }
        });
        let bytes = |value: &Value| value.to_vec();
        match (wish, answer) {
            (Wish::Put(value), Ok(Computed::Created(new))) => {
                assert_eq!((None, &value), (stands, &bytes(&new)));
                self.wrote(key, &value);
            }
            (Wish::Put(value), Ok(Computed::Updated { old, new })) => {
                assert_eq!((Some(bytes(&old)), &value), (stands, &bytes(&new)));
                self.wrote(key, &value);
            }
            (Wish::Remove, Ok(Computed::Removed(old))) => {
                assert_eq!(Some(bytes(&old)), self.model.remove(key));
            }
            (Wish::Remove, Ok(Computed::Kept(None))) => assert_eq!(stands, None),
            (Wish::Keep, Ok(Computed::Kept(kept))) => {
                assert_eq!(kept.as_ref().map(bytes), stands);
            }
            (Wish::Fail, Err(Error::Busy)) => {}
            (wish, _) => panic!("another answer than {wish:?} allows"),
        }
    }

    fn set_many(&mut self, entries: &[(Key, Vec<u8>)]) {
        let entries: Vec<_> = entries.iter().take(64).map(|(k, v)| (k.bytes(), v)).collect();
        self.store.set_many(&entries).expect("set_many");
        let last: HashMap<_, _> = entries.into_iter().collect();
        last.into_iter().for_each(|(key, value)| self.wrote(&key, value));
    }

    fn get_many(&self, keys: &[Key]) {
        let keys: Vec<_> = keys.iter().take(64).map(|key| key.bytes()).collect();
        let expected: Vec<_> = keys.iter().map(|key| self.model.get(key).cloned()).collect();
        let found = self.store.get_many(&keys);
        let found: Vec<_> = found.into_iter().map(|value| value.map(|v| v.to_vec())).collect();
        assert_eq!(found, expected);
        self.store.session().get_many(&keys, |index, value| {
            assert_eq!(value, expected[index].as_deref());
        });
        let (pin, mut found) = (Pin::new(), vec![None; keys.len()]);
        self.store.get_many_ref(&pin, &keys, |index, value| found[index] = value);
        assert!(found.into_iter().eq(expected.iter().map(Option::as_deref)));
    }

    fn hold(&mut self, key: &[u8], value: &[u8]) {
        let pin = Pin::new();
        let held = self.store.get_ref(&pin, key);
        self.store.set(key, value).expect("set");
        assert_eq!(self.store.delete(key).expect("delete").as_deref(), Some(value));
        // Without the pin, all that was removed would be free after a few of these.
        (0..8).for_each(|_| rkv::flush());
        assert_eq!(held, self.model.get(key).map(Vec::as_slice));
        self.model.remove(key);
    }

    fn keys(&self, prefix: &[u8]) {
        let keys = self.model.keys().filter(|key| key.starts_with(prefix));
        let mut expected: Vec<_> = keys.cloned().collect();
        expected.sort();
        assert_eq!(self.store.keys(prefix), expected);
    }

    fn churn(&self, keys: u8) {
        let names = (0..u32::from(keys) * 4).map(|key| format!("churn {key}"));
        names.clone().for_each(|name| {
            assert_eq!(self.store.set(&name, &name), Ok(SetResult::Created));
        });
        names.for_each(|name| {
            let old = self.store.delete(&name).expect("delete").expect("just set");
            assert_eq!(&*old, name.as_bytes());
        });
    }

    fn sweep(&self) {
        self.keys(b"");
        let entries: Vec<_> = self.store.scan("").map(|v| (v.key().to_vec(), v.to_vec())).collect();
        assert_eq!(entries.len(), self.model.len());
        assert!(entries.iter().all(|(key, value)| self.model.get(key) == Some(value)));
        self.model.keys().for_each(|key| self.get(key));
    }
}
