//! A `Map` used by one thread answers as a `std::collections::HashMap` would, with any hasher.

use std::collections::HashMap;
use std::hash::BuildHasher;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::cases::cases;
use crate::census::{Census, Like, Tracked};
use crate::hashers::Masked;
use crate::maps::{self, Compute, Operation, TrackedMap};

#[derive(Clone, Debug)]
enum Call {
    Get(u32),
    Insert(u32, u64),
    TryInsert(u32, u64),
    TryInsertWith(u32, u64),
    Update(u32, u64),
    UpdateOrInsert(u32, u64),
    UpdateOrInsertWith(u32, u64),
    Compute(u32, u64),
    GetOrInsert(u32, u64),
    GetOrInsertWith(u32, u64),
    Remove(u32),
    /// Removes when the value is a multiple of this.
    RemoveIf(u32, u64),
    /// Keeps values that are no multiple of this.
    Retain(u64),
    Iterate,
    Clear,
    Reserve(usize),
    /// Inserts and removes this many other keys.
    Churn(u32),
}

fn call() -> impl Strategy<Value = Call> {
    let key = || 0_u32..48;
    let entry = || (key(), 0_u64..100);
    prop_oneof![
        6 => key().prop_map(Call::Get),
        6 => entry().prop_map(|(k, v)| Call::Insert(k, v)),
        3 => entry().prop_map(|(k, v)| Call::TryInsert(k, v)),
        3 => entry().prop_map(|(k, v)| Call::TryInsertWith(k, v)),
        3 => entry().prop_map(|(k, v)| Call::Update(k, v)),
        3 => entry().prop_map(|(k, v)| Call::UpdateOrInsert(k, v)),
        3 => entry().prop_map(|(k, v)| Call::UpdateOrInsertWith(k, v)),
        5 => entry().prop_map(|(k, v)| Call::Compute(k, v)),
        3 => entry().prop_map(|(k, v)| Call::GetOrInsert(k, v)),
        3 => entry().prop_map(|(k, v)| Call::GetOrInsertWith(k, v)),
        8 => key().prop_map(Call::Remove),
        4 => (key(), 1_u64..4).prop_map(|(k, m)| Call::RemoveIf(k, m)),
        1 => (1_u64..5).prop_map(Call::Retain),
        1 => Just(Call::Iterate),
        1 => Just(Call::Clear),
        1 => (0_usize..500).prop_map(Call::Reserve),
        1 => (0_u32..200).prop_map(Call::Churn),
    ]
}

/// A map, its model, and the census of what the map was given.
struct Pair<S> {
    map: TrackedMap<S>,
    model: HashMap<u32, u64>,
    census: Census,
}

impl<S: BuildHasher> Pair<S> {
    fn step(&mut self, call: Call) {
        match call {
            Call::Get(key) => self.get(key),
            Call::Insert(key, value) => self.insert(key, value),
            Call::TryInsert(key, value) => self.try_insert(key, value),
            Call::TryInsertWith(key, value) => self.try_insert_with(key, value),
            Call::Update(key, by) => self.update(key, by),
            Call::UpdateOrInsert(key, value) => self.update_or_insert(key, value, false),
            Call::UpdateOrInsertWith(key, value) => self.update_or_insert(key, value, true),
            Call::Compute(key, value) => self.compute(key, value),
            Call::GetOrInsert(key, value) => self.get_or_insert(key, value, false),
            Call::GetOrInsertWith(key, value) => self.get_or_insert(key, value, true),
            Call::Remove(key) => self.remove(key),
            Call::RemoveIf(key, multiple) => self.remove_if(key, multiple),
            Call::Retain(multiple) => self.retain(multiple),
            Call::Iterate => self.iterate(),
            Call::Clear => {
                self.map.pin().clear();
                self.model.clear();
            }
            Call::Reserve(additional) => self.map.pin().reserve(additional),
            Call::Churn(keys) => self.churn(keys),
        }
    }

    fn name(&self, key: u32) -> Tracked<u32> {
        self.census.bear(key)
    }

    fn get_many(&self) {
        let pinned = self.map.pin();
        let names: Vec<_> = (0..48).map(Like).collect();
        let mut found = Vec::new();
        pinned.get_many(&names, |index, value| found.push((index as u32, value.map(|v| **v))));
        found.sort();
        let expected: Vec<_> = (0..48).map(|key| (key, self.model.get(&key).copied())).collect();
        assert_eq!(found, expected);
    }

    fn get(&self, key: u32) {
        let pinned = self.map.pin();
        let expected = self.model.get(&key).copied();
        assert_eq!(pinned.get(&Like(key)).map(|value| **value), expected);
        let pair = pinned.get_key_value(&Like(key));
        assert_eq!(pair.map(|(name, value)| (**name, **value)), expected.map(|v| (key, v)));
        assert_eq!(pinned.contains_key(&Like(key)), expected.is_some());
        // A lookup by the key type itself, not by a borrowed form.
        assert_eq!(pinned.contains_key(&self.name(key)), expected.is_some());
    }

    fn insert(&mut self, key: u32, value: u64) {
        let pinned = self.map.pin();
        let old = pinned.insert(self.name(key), self.census.bear(value)).map(|old| **old);
        assert_eq!(old, self.model.insert(key, value));
    }

    fn try_insert(&mut self, key: u32, value: u64) {
        let pinned = self.map.pin();
        let answer = pinned.try_insert(self.name(key), self.census.bear(value));
        match (answer, self.model.get(&key)) {
            (Ok(stored), None) => {
                assert_eq!(**stored, value);
                self.model.insert(key, value);
            }
            (Err(occupied), Some(current)) => {
                assert_eq!((**occupied.current, *occupied.not_inserted), (*current, value));
            }
            (answer, model) => panic!("{answer:?} where the model holds {model:?}"),
        }
    }

    fn try_insert_with(&mut self, key: u32, value: u64) {
        let pinned = self.map.pin();
        let mut made = 0;
        let make = || {
            made += 1;
            self.census.bear(value)
        };
        let answer = pinned.try_insert_with(self.name(key), make).map(|v| **v).map_err(|v| **v);
        match self.model.get(&key) {
            None => {
                assert_eq!((answer, made), (Ok(value), 1));
                self.model.insert(key, value);
            }
            Some(current) => assert_eq!((answer, made), (Err(*current), 0)),
        }
    }

    fn update(&mut self, key: u32, by: u64) {
        let pinned = self.map.pin();
        let stored = pinned.update(self.name(key), |old| self.census.bear(**old + by));
        let expected = self.model.get_mut(&key).map(|value| {
            *value += by;
            *value
        });
        assert_eq!(stored.map(|stored| **stored), expected);
    }

    fn update_or_insert(&mut self, key: u32, value: u64, lazy: bool) {
        let pinned = self.map.pin();
        let census = &self.census;
        let change = |old: &Tracked<u64>| census.bear(**old + 1);
        let stored = match lazy {
            true => pinned.update_or_insert_with(self.name(key), change, || census.bear(value)),
            false => pinned.update_or_insert(self.name(key), change, census.bear(value)),
        };
        let expected = self.model.entry(key).and_modify(|old| *old += 1).or_insert(value);
        assert_eq!(**stored, *expected);
    }

    fn compute(&mut self, key: u32, value: u64) {
        let (census, expected) = (&self.census, self.model.get(&key).copied());
        let pinned = self.map.pin();
        let closure = |found: Option<(&Tracked<u32>, &Tracked<u64>)>| {
            assert_eq!(found.map(|(name, old)| (**name, **old)), expected.map(|old| (key, old)));
            match value % 3 {
                0 => Operation::Insert(census.bear(value)),
                1 => Operation::Remove,
                _ => Operation::Abort(value),
            }
        };
        match pinned.compute(self.name(key), closure) {
            Compute::Inserted(name, stored) => {
                assert_eq!((**name, **stored, expected), (key, value, None));
                self.model.insert(key, value);
            }
            Compute::Updated { old: (_, old), new: (_, new) } => {
                assert_eq!((Some(**old), **new), (expected, value));
                self.model.insert(key, value);
            }
            Compute::Removed(name, old) => {
                assert_eq!((**name, Some(**old)), (key, self.model.remove(&key)));
            }
            Compute::Absent => assert_eq!((value % 3, expected), (1, None)),
            Compute::Aborted(with) => assert_eq!(with, value),
        }
    }

    fn get_or_insert(&mut self, key: u32, value: u64, lazy: bool) {
        let pinned = self.map.pin();
        let stored = match lazy {
            true => pinned.get_or_insert_with(self.name(key), || self.census.bear(value)),
            false => pinned.get_or_insert(self.name(key), self.census.bear(value)),
        };
        assert_eq!(**stored, *self.model.entry(key).or_insert(value));
    }

    fn remove(&mut self, key: u32) {
        let pinned = self.map.pin();
        let old = pinned.remove(&Like(key)).map(|old| **old);
        assert_eq!(old, self.model.remove(&key));
    }

    fn remove_if(&mut self, key: u32, multiple: u64) {
        let pinned = self.map.pin();
        let wanted = |_: &Tracked<u32>, value: &Tracked<u64>| value.is_multiple_of(multiple);
        let answer = pinned.remove_if(&Like(key), wanted);
        match self.model.get(&key).copied() {
            None => assert_eq!(answer, Ok(None)),
            Some(value) if value.is_multiple_of(multiple) => {
                assert_eq!(answer.expect("a match").map(|(_, old)| **old), Some(value));
                self.model.remove(&key);
            }
            Some(value) => assert_eq!(answer.map_err(|(_, kept)| **kept), Err(value)),
        }
    }

    fn retain(&mut self, multiple: u64) {
        self.map.pin().retain(|_, value| !value.is_multiple_of(multiple));
        self.model.retain(|_, value| !value.is_multiple_of(multiple));
    }

    fn iterate(&self) {
        self.get_many();
        let pinned = self.map.pin();
        let mut expected: Vec<_> = self.model.iter().map(|(key, value)| (*key, *value)).collect();
        let mut entries: Vec<_> = pinned.iter().map(|(key, value)| (**key, **value)).collect();
        let mut keys: Vec<_> = pinned.keys().map(|key| **key).collect();
        let mut values: Vec<_> = pinned.values().map(|value| **value).collect();
        expected.sort();
        entries.sort();
        keys.sort();
        values.sort();
        assert_eq!(entries, expected);
        assert_eq!(keys, expected.iter().map(|&(key, _)| key).collect::<Vec<_>>());
        let mut model_values: Vec<_> = expected.iter().map(|&(_, value)| value).collect();
        model_values.sort();
        assert_eq!(values, model_values);
    }

    fn churn(&self, keys: u32) {
        for key in 1000..1000 + keys {
            assert!(self.map.pin().insert(self.name(key), self.census.bear(0)).is_none());
        }
        for key in 1000..1000 + keys {
            assert!(self.map.pin().remove(&Like(key)).is_some());
        }
    }
}

/// Replays `calls`, compares everything at the end, and waits for every drop.
fn replay<S: BuildHasher>(hasher: S, calls: Vec<Call>) {
    let census = Census::default();
    let mut pair = Pair { map: maps::tiny(hasher), model: HashMap::new(), census: census.clone() };
    pair.step(Call::Insert(0, 0));
    for call in calls {
        pair.step(call);
        assert_eq!(pair.map.pin().len(), pair.model.len());
        assert_eq!(pair.map.pin().is_empty(), pair.model.is_empty());
    }
    pair.iterate();
    (0..48).for_each(|key| pair.get(key));
    drop(pair);
    census.settle();
}

proptest! {
    #![proptest_config(cases(120))]

    #[test]
    fn map_with_ahash_answers_as_a_hash_map(calls in vec(call(), 0..400)) {
        replay(ahash::RandomState::new(), calls);
    }

    #[test]
    fn map_with_std_hasher_answers_as_a_hash_map(calls in vec(call(), 0..400)) {
        replay(std::hash::RandomState::new(), calls);
    }

    #[test]
    fn map_with_identity_hasher_answers_as_a_hash_map(calls in vec(call(), 0..400)) {
        replay(Masked::IDENTITY, calls);
    }

    #[test]
    fn map_with_constant_hasher_answers_as_a_hash_map(calls in vec(call(), 0..400)) {
        replay(Masked::CONSTANT, calls);
    }

    #[test]
    fn map_with_few_hash_bits_answers_as_a_hash_map(calls in vec(call(), 0..400)) {
        replay(Masked::FEW_BITS, calls);
    }
}
