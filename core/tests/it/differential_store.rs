//! A `Store` used by one thread answers as a `std::collections::HashMap` with versions would.

use std::collections::HashMap;

use proptest::collection::vec;
use proptest::prelude::*;
use rkv::{Computed, Error, Op, Pin, SetResult, Store, Value};

use crate::cases::cases;

/// Keys come from a small set, so that calls meet; the empty key is one of them.
fn key() -> impl Strategy<Value = Vec<u8>> {
    (0_u8..40).prop_map(|n| vec![n; usize::from(n % 7)])
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<i64>().prop_map(|n| n.to_string().into_bytes()),
        vec(any::<u8>(), 0..40),
        Just(i64::MAX.to_string().into_bytes()),
    ]
}

#[derive(Clone, Debug)]
enum Call {
    Get(Vec<u8>),
    Set(Vec<u8>, Vec<u8>),
    SetIfAbsent(Vec<u8>, Vec<u8>),
    Delete(Vec<u8>),
    Incr(Vec<u8>, i64),
    /// Swaps at the current version plus this much.
    CompareAndSwap(Vec<u8>, u64, Vec<u8>),
    /// Puts, or removes when the value is empty, or keeps.
    Compute(Vec<u8>, Option<Vec<u8>>),
    /// A closure that fails: nothing changes.
    ComputeError(Vec<u8>),
    SetMany(Vec<(Vec<u8>, Vec<u8>)>),
    GetMany(Vec<Vec<u8>>),
    DeleteMany(Vec<Vec<u8>>),
    Keys(Vec<u8>),
    Scan(Vec<u8>),
    Clear,
    /// Sets and deletes this many other keys: the table grows and shrinks.
    Churn(u16),
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        8 => key().prop_map(Call::Get),
        10 => (key(), value()).prop_map(|(k, v)| Call::Set(k, v)),
        4 => (key(), value()).prop_map(|(k, v)| Call::SetIfAbsent(k, v)),
        6 => key().prop_map(Call::Delete),
        6 => (key(), any::<i64>()).prop_map(|(k, by)| Call::Incr(k, by)),
        4 => (key(), 0_u64..2, value()).prop_map(|(k, off, v)| Call::CompareAndSwap(k, off, v)),
        6 => (key(), any::<Option<Vec<u8>>>()).prop_map(|(k, v)| Call::Compute(k, v)),
        1 => key().prop_map(Call::ComputeError),
        2 => vec((key(), value()), 0..20).prop_map(Call::SetMany),
        2 => vec(key(), 0..20).prop_map(Call::GetMany),
        2 => vec(key(), 0..20).prop_map(Call::DeleteMany),
        1 => key().prop_map(|k| Call::Keys(k.into_iter().take(2).collect())),
        1 => key().prop_map(|k| Call::Scan(k.into_iter().take(2).collect())),
        1 => Just(Call::Clear),
        1 => (0_u16..300).prop_map(Call::Churn),
    ]
}

/// What the store must hold: value and version of each key.
#[derive(Default)]
struct Model {
    entries: HashMap<Vec<u8>, (Vec<u8>, u64)>,
    /// The highest version that each key ever had; versions grow also across a removal.
    versions: HashMap<Vec<u8>, u64>,
}

impl Model {
    fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.entries.get(key).map(|(value, _)| value.as_slice())
    }

    fn version(&self, key: &[u8]) -> Option<u64> {
        self.entries.get(key).map(|&(_, version)| version)
    }

    /// Takes over a write, and checks that the store gave it a version above all before.
    fn put(&mut self, store: &Store, key: &[u8], value: &[u8]) {
        let stored = store.get(key).expect("the write before");
        assert_eq!((stored.key(), &*stored), (key, value));
        let highest = self.versions.entry(key.to_vec()).or_default();
        assert!(stored.version() > *highest, "{} after {highest}", stored.version());
        *highest = stored.version();
        self.entries.insert(key.to_vec(), (value.to_vec(), stored.version()));
    }

    fn remove(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        self.entries.remove(key).map(|(value, _)| value)
    }

    fn keys(&self, prefix: &[u8]) -> Vec<Vec<u8>> {
        let mut keys: Vec<_> =
            self.entries.keys().filter(|key| key.starts_with(prefix)).cloned().collect();
        keys.sort();
        keys
    }
}

fn bytes(value: Option<Value>) -> Option<Vec<u8>> {
    value.map(|value| value.to_vec())
}

/// Makes one call on both and compares the answers.
fn step(store: &Store, model: &mut Model, call: Call) {
    match call {
        Call::Get(key) => get(store, model, &key),
        Call::Set(key, value) => set(store, model, &key, &value),
        Call::SetIfAbsent(key, value) => {
            let stored = store.set_if_absent(&key, &value).expect("set_if_absent");
            assert_eq!(stored, model.get(&key).is_none());
            if stored {
                model.put(store, &key, &value);
            }
        }
        Call::Delete(key) => {
            assert_eq!(bytes(store.delete(&key).expect("delete")), model.remove(&key));
        }
        Call::Incr(key, by) => incr(store, model, &key, by),
        Call::CompareAndSwap(key, off, value) => compare_and_swap(store, model, &key, off, &value),
        Call::Compute(key, value) => compute(store, model, &key, value),
        Call::ComputeError(key) => {
            let answer = store.compute(&key, |_| Err(Error::NotFound));
            assert_eq!(answer.err(), Some(Error::NotFound));
        }
        Call::SetMany(entries) => set_many(store, model, &entries),
        Call::GetMany(keys) => get_many(store, model, &keys),
        Call::DeleteMany(keys) => {
            let removed = store.delete_many(&keys).expect("delete_many");
            assert_eq!(removed, keys.iter().filter_map(|key| model.remove(key)).count() as u64);
        }
        Call::Keys(prefix) => assert_eq!(store.keys(&prefix), model.keys(&prefix)),
        Call::Scan(prefix) => scan(store, model, &prefix),
        Call::Clear => {
            assert_eq!(store.clear().expect("clear"), model.entries.len() as u64);
            model.entries.clear();
        }
        Call::Churn(keys) => churn(store, keys),
    }
}

fn get(store: &Store, model: &Model, key: &[u8]) {
    let expected = model.get(key).map(<[u8]>::to_vec);
    let found = store.get(key);
    assert_eq!(found.as_ref().map(Value::version), model.version(key));
    assert_eq!(bytes(found), expected);
    assert_eq!(store.get_with(key, <[u8]>::to_vec), expected);
    assert_eq!(store.session().get(key).map(<[u8]>::to_vec), expected);
    assert_eq!(store.get_ref(&Pin::new(), key).map(<[u8]>::to_vec), expected);
    assert_eq!(store.contains(key), expected.is_some());
}

fn set(store: &Store, model: &mut Model, key: &[u8], value: &[u8]) {
    let answer = store.set(key, value).expect("set");
    assert_eq!(answer == SetResult::Created, model.get(key).is_none());
    model.put(store, key, value);
}

fn incr(store: &Store, model: &mut Model, key: &[u8], by: i64) {
    let text = model.get(key).map_or(Some("0"), |value| std::str::from_utf8(value).ok());
    let number = text.and_then(|text| text.parse::<i64>().ok());
    let expected = match number {
        None => Err(Error::NotANumber),
        Some(number) => number.checked_add(by).ok_or(Error::Overflow),
    };
    assert_eq!(store.incr(key, by), expected);
    if let Ok(sum) = expected {
        model.put(store, key, sum.to_string().as_bytes());
    }
}

fn compare_and_swap(store: &Store, model: &mut Model, key: &[u8], off: u64, value: &[u8]) {
    let current = model.version(key);
    let answer = store.compare_and_swap(key, current.unwrap_or(1) + off, value);
    if current.is_some() && off == 0 {
        model.put(store, key, value);
        assert_eq!(answer, Ok(model.version(key).expect("it was swapped")));
    } else {
        assert_eq!(answer, Err(Error::Conflict { current }));
    }
}

fn compute(store: &Store, model: &mut Model, key: &[u8], value: Option<Vec<u8>>) {
    let old = model.get(key).map(<[u8]>::to_vec);
    let closure = |found: Option<&Value>| {
        assert_eq!(found.map(|found| found.to_vec()), old);
        Ok::<_, Error>(match &value {
            None => Op::Keep,
            Some(value) if value.is_empty() => Op::Remove,
            Some(value) => Op::Put(value.clone()),
        })
    };
    match store.compute(key, closure).expect("compute") {
        Computed::Created(new) => {
            assert_eq!((None, Some(new.to_vec())), (old, value.clone()));
            model.put(store, key, &new);
        }
        Computed::Updated { old: replaced, new } => {
            assert_eq!((Some(replaced.to_vec()), Some(new.to_vec())), (old, value.clone()));
            model.put(store, key, &new);
        }
        Computed::Removed(removed) => {
            assert_eq!(value, Some(Vec::new()));
            assert_eq!(Some(removed.to_vec()), model.remove(key));
        }
        Computed::Kept(kept) => {
            assert!(value.is_none() || (value == Some(Vec::new()) && old.is_none()));
            assert_eq!(bytes(kept), old);
        }
    }
}

fn set_many(store: &Store, model: &mut Model, entries: &[(Vec<u8>, Vec<u8>)]) {
    store.set_many(entries).expect("set_many");
    let last: HashMap<_, _> = entries.iter().cloned().collect();
    for (key, value) in last {
        model.put(store, &key, &value);
    }
}

fn get_many(store: &Store, model: &Model, keys: &[Vec<u8>]) {
    let expected: Vec<_> = keys.iter().map(|key| model.get(key).map(<[u8]>::to_vec)).collect();
    let found: Vec<_> = store.get_many(keys).into_iter().map(bytes).collect();
    assert_eq!(found, expected);
    let mut found = vec![None; keys.len()];
    let mut calls = 0;
    store.session().get_many(keys, |index, bytes| {
        found[index] = bytes.map(<[u8]>::to_vec);
        calls += 1;
    });
    assert_eq!((&found, calls), (&expected, keys.len()));
    let (pin, mut found) = (Pin::new(), vec![None; keys.len()]);
    store.get_many_ref(&pin, keys, |index, bytes| found[index] = bytes);
    assert!(found.iter().map(|bytes| bytes.map(<[u8]>::to_vec)).eq(expected));
}

fn scan(store: &Store, model: &Model, prefix: &[u8]) {
    let mut found: Vec<_> = store.scan(prefix).map(|v| (v.key().to_vec(), v.to_vec())).collect();
    found.sort();
    let keys = model.keys(prefix);
    let value = |key: &Vec<u8>| model.get(key).expect("listed").to_vec();
    let expected: Vec<_> = keys.iter().map(|key| (key.clone(), value(key))).collect();
    assert_eq!(found, expected);
}

fn churn(store: &Store, keys: u16) {
    let name = |key: u16| format!("churn {key}");
    for key in 0..keys {
        assert_eq!(store.set(name(key), b"x"), Ok(SetResult::Created));
    }
    for key in 0..keys {
        assert!(store.delete(name(key)).expect("delete").is_some());
    }
}

/// Replays `calls` and compares everything at the end.
fn replay(store: &Store, calls: Vec<Call>) {
    let mut model = Model::default();
    for call in calls {
        step(store, &mut model, call);
        assert_eq!(store.count(), model.entries.len() as u64);
        assert_eq!(store.is_empty(), model.entries.is_empty());
    }
    assert_eq!(store.keys(""), model.keys(b""));
    for key in model.keys(b"") {
        get(store, &model, &key);
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn one_shard_answers_as_a_hash_map(calls in vec(call(), 0..300)) {
        replay(&Store::builder().shards(1).build().expect("one shard"), calls);
    }

    #[test]
    fn many_shards_answer_as_a_hash_map(calls in vec(call(), 0..300)) {
        replay(&Store::new(), calls);
    }
}
