//! `Map` against `HashMap`, with good and hopeless hashers, and every drop counted.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arbitrary::Arbitrary;
use rkv::{Compute, Map, Operation};

/// A hasher's quality, and the calls to make.
#[derive(Arbitrary, Debug)]
pub struct MapProgram {
    hasher: Mask,
    calls: Vec<Call>,
}

/// Which bits of a key the hasher keeps.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Mask {
    All,
    Few,
    None,
}

#[derive(Arbitrary, Debug)]
enum Call {
    Get(u8),
    Insert(u8, u32),
    TryInsert(u8, u32),
    TryInsertWith(u8, u32),
    Update(u8, u32),
    UpdateOrInsertWith(u8, u32),
    Compute(u8, Wish),
    GetOrInsertWith(u8, u32),
    Remove(u8),
    RemoveIf(u8, u32),
    Retain(u32),
    Iterate,
    Clear,
    Reserve(u16),
    /// Inserts and removes this many keys beside the others, so that the table is resized.
    Churn(u8),
}

#[derive(Arbitrary, Debug)]
enum Wish {
    Insert(u32),
    Remove,
    Abort,
}

#[derive(Clone, Copy)]
struct Masked(u64);

impl BuildHasher for Masked {
    type Hasher = MaskedHasher;

    fn build_hasher(&self) -> MaskedHasher {
        MaskedHasher { mask: self.0, last: 0 }
    }
}

struct MaskedHasher {
    mask: u64,
    last: u64,
}

impl Hasher for MaskedHasher {
    fn finish(&self) -> u64 {
        self.last & self.mask
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.last = (self.last << 8) | u64::from(byte));
    }
}

/// A number that counts how many of its kind are alive.
struct Counted {
    number: u32,
    alive: Arc<AtomicI64>,
}

impl Counted {
    fn new(number: u32, alive: &Arc<AtomicI64>) -> Counted {
        alive.fetch_add(1, Ordering::Relaxed);
        Counted { number, alive: Arc::clone(alive) }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Counted {}

impl Hash for Counted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

/// Runs a program on both and compares.
pub fn run_map(program: MapProgram) {
    let mask = match program.hasher {
        Mask::All => u64::MAX,
        Mask::Few => 0b101,
        Mask::None => 0,
    };
    let map = Map::builder().shards(1).hasher(Masked(mask)).build();
    let mut pair = Pair { map, model: HashMap::new(), alive: Arc::default() };
    for call in program.calls {
        pair.step(call);
        assert_eq!(pair.map.pin().len(), pair.model.len());
    }
    pair.sweep();
    let Pair { map, alive, .. } = pair;
    drop(map);
    // One thread and no guard: a few flushes free everything.
    for _ in 0..16 {
        rkv::flush();
    }
    assert_eq!(alive.load(Ordering::Relaxed), 0, "keys or values leaked, or dropped twice");
}

struct Pair {
    map: Map<Counted, Counted, Masked>,
    model: HashMap<u32, u32>,
    alive: Arc<AtomicI64>,
}

impl Pair {
    fn new(&self, number: impl Into<u32>) -> Counted {
        Counted::new(number.into(), &self.alive)
    }

    fn step(&mut self, call: Call) {
        match call {
            Call::Get(key) => self.get(u32::from(key)),
            Call::Insert(key, value) => self.insert(u32::from(key), value),
            Call::TryInsert(key, value) => self.try_insert(u32::from(key), value),
            Call::TryInsertWith(key, value) => self.try_insert_with(u32::from(key), value),
            Call::Update(key, by) => self.update(u32::from(key), by),
            Call::UpdateOrInsertWith(key, value) => self.upsert(u32::from(key), value),
            Call::Compute(key, wish) => self.compute(u32::from(key), wish),
            Call::GetOrInsertWith(key, value) => {
                let pinned = self.map.pin();
                let key = u32::from(key);
                let stored = pinned.get_or_insert_with(self.new(key), || self.new(value)).number;
                assert_eq!(stored, *self.model.entry(key).or_insert(value));
            }
            Call::Remove(key) => {
                let old = self.map.pin().remove(&self.new(key)).map(|old| old.number);
                assert_eq!(old, self.model.remove(&u32::from(key)));
            }
            Call::RemoveIf(key, below) => self.remove_if(u32::from(key), below),
            Call::Retain(below) => {
                self.map.pin().retain(|_, value| value.number >= below);
                self.model.retain(|_, value| *value >= below);
            }
            Call::Iterate => self.sweep(),
            Call::Clear => {
                self.map.pin().clear();
                self.model.clear();
            }
            Call::Reserve(additional) => self.map.pin().reserve(usize::from(additional)),
            Call::Churn(keys) => self.churn(u32::from(keys)),
        }
    }

    fn get(&self, key: u32) {
        let pinned = self.map.pin();
        let found = pinned.get_key_value(&self.new(key)).map(|(k, v)| (k.number, v.number));
        assert_eq!(found, self.model.get(&key).map(|value| (key, *value)));
        assert_eq!(pinned.contains_key(&self.new(key)), found.is_some());
    }

    fn insert(&mut self, key: u32, value: u32) {
        let pinned = self.map.pin();
        let old = pinned.insert(self.new(key), self.new(value)).map(|old| old.number);
        assert_eq!(old, self.model.insert(key, value));
    }

    fn try_insert(&mut self, key: u32, value: u32) {
        let pinned = self.map.pin();
        match pinned.try_insert(self.new(key), self.new(value)) {
            Ok(stored) => {
                assert_eq!(stored.number, value);
                assert_eq!(self.model.insert(key, value), None);
            }
            Err(occupied) => {
                assert_eq!(Some(&occupied.current.number), self.model.get(&key));
                assert_eq!(occupied.not_inserted.number, value);
            }
        }
    }

    fn try_insert_with(&mut self, key: u32, value: u32) {
        let pinned = self.map.pin();
        match pinned.try_insert_with(self.new(key), || self.new(value)) {
            Ok(stored) => {
                assert_eq!(stored.number, value);
                assert_eq!(self.model.insert(key, value), None);
            }
            Err(current) => assert_eq!(Some(&current.number), self.model.get(&key)),
        }
    }

    fn update(&mut self, key: u32, by: u32) {
        let pinned = self.map.pin();
        let change = |old: &Counted| self.new(old.number.wrapping_add(by));
        let stored = pinned.update(self.new(key), change).map(|stored| stored.number);
        let expected = self.model.get_mut(&key).map(|value| {
            *value = value.wrapping_add(by);
            *value
        });
        assert_eq!(stored, expected);
    }

    fn upsert(&mut self, key: u32, value: u32) {
        let pinned = self.map.pin();
        let change = |old: &Counted| self.new(!old.number);
        let stored = pinned.update_or_insert_with(self.new(key), change, || self.new(value)).number;
        let expected = self.model.entry(key).and_modify(|old| *old = !*old).or_insert(value);
        assert_eq!(stored, *expected);
    }

    fn compute(&mut self, key: u32, wish: Wish) {
        let (pinned, shown) = (self.map.pin(), Cell::new(None));
        let closure = |found: Option<(&Counted, &Counted)>| {
            shown.set(found.map(|(_, value)| value.number));
            match wish {
                Wish::Insert(value) => Operation::Insert(self.new(value)),
                Wish::Remove => Operation::Remove,
                Wish::Abort => Operation::Abort(()),
            }
        };
        let answer = pinned.compute(self.new(key), closure);
        let old = self.model.get(&key).copied();
        assert_eq!(shown.get(), old);
        match (wish, answer) {
            (Wish::Insert(value), Compute::Inserted(_, new)) => {
                assert_eq!((new.number, self.model.insert(key, value)), (value, None));
            }
            (Wish::Insert(value), Compute::Updated { old: (_, replaced), new: (_, new) }) => {
                assert_eq!((new.number, Some(replaced.number)), (value, old));
                self.model.insert(key, value);
            }
            (Wish::Remove, Compute::Removed(_, removed)) => {
                assert_eq!(Some(removed.number), self.model.remove(&key));
            }
            (Wish::Remove, Compute::Absent) => assert_eq!(old, None),
            (Wish::Abort, Compute::Aborted(())) => {}
            (wish, _) => panic!("another answer than {wish:?} allows"),
        }
    }

    fn remove_if(&mut self, key: u32, below: u32) {
        let pinned = self.map.pin();
        let answer = pinned.remove_if(&self.new(key), |_, value| value.number < below);
        match (answer, self.model.get(&key).copied()) {
            (Ok(None), None) => {}
            (Ok(Some((_, old))), Some(value)) if value < below => {
                assert_eq!((old.number, self.model.remove(&key)), (value, Some(value)));
            }
            (Err((_, kept)), Some(value)) if value >= below => assert_eq!(kept.number, value),
            (_, value) => panic!("another answer than {value:?} allows"),
        }
    }

    fn churn(&self, keys: u32) {
        let names = 1000..1000 + keys * 2;
        for key in names.clone() {
            assert!(self.map.pin().insert(self.new(key), self.new(key)).is_none());
        }
        for key in names {
            let removed = self.map.pin().remove(&self.new(key)).map(|value| value.number);
            assert_eq!(removed, Some(key));
        }
    }

    fn sweep(&self) {
        let pinned = self.map.pin();
        let entries: Vec<_> = pinned.iter().map(|(k, v)| (k.number, v.number)).collect();
        assert_eq!(entries.len(), self.model.len());
        assert!(entries.iter().all(|(key, value)| self.model.get(key) == Some(value)));
        self.model.keys().for_each(|&key| self.get(key));
    }
}
