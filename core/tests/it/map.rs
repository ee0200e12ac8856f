//! What a `Map` does, one call at a time.

use std::cell::Cell;
use std::sync::Arc;

use crate::census::{Census, Like};
use crate::hashers::Masked;
use crate::maps::{self, Compute, Map, Operation};

#[test]
fn map_crosses_threads() {
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<Map<u64, u64>>();
    let map = Arc::new(Map::new());
    let threads: Vec<_> = (0..4_u64)
        .map(|thread| {
            let map = Arc::clone(&map);
            std::thread::spawn(move || {
                (0..100).for_each(|key| {
                    map.pin().insert(thread * 100 + key, thread);
                });
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("a writer"));
    assert_eq!(map.pin().len(), 400);
    assert!((0..400).all(|key| map.pin().get(&key) == Some(&(key / 100))));
}

#[test]
fn text_keys_are_found_by_borrowed_text() {
    let map: Map<String, u32> = Map::new();
    let pinned = map.pin();
    assert_eq!(pinned.insert("one".into(), 1), None);
    assert_eq!(pinned.get("one"), Some(&1));
    assert_eq!(pinned.get_key_value("one").map(|(key, _)| key.as_str()), Some("one"));
    assert!(pinned.contains_key("one") && !pinned.contains_key("two"));
    assert_eq!(pinned.remove("one"), Some(&1));
    assert_eq!(pinned.remove("one"), None);
}

#[test]
fn insert_returns_the_old_value_and_try_insert_keeps_it() {
    let map: Map<u32, &str> = Map::new();
    let pinned = map.pin();
    assert_eq!(pinned.insert(1, "a"), None);
    assert_eq!(pinned.insert(1, "b"), Some(&"a"));
    let occupied = pinned.try_insert(1, "c").expect_err("the key is there");
    assert_eq!((occupied.current, occupied.not_inserted), (&"b", "c"));
    assert_eq!(pinned.try_insert(2, "d"), Ok(&"d"));
    assert_eq!(pinned.try_insert_with(1, || unreachable!("the key is there")), Err(&"b"));
    assert_eq!(pinned.get_or_insert_with(2, || unreachable!("the key is there")), &"d");
}

#[test]
fn references_stay_what_they_were_while_pinned() {
    let map: Map<u32, String> = Map::new();
    let pinned = map.pin();
    pinned.insert(1, "old".into());
    let old = pinned.get(&1).expect("it was inserted");
    for turn in 0..1000 {
        pinned.insert(1, turn.to_string());
    }
    let last = pinned.remove(&1).expect("it was inserted");
    rkv::flush();
    assert_eq!((old.as_str(), last.as_str()), ("old", "999"));
}

#[test]
fn update_runs_again_when_another_writer_wins() {
    let map: Map<u32, u32> = Map::new();
    map.pin().insert(1, 10);
    let runs = Cell::new(0);
    let pinned = map.pin();
    let stored = pinned.update(1, |old| {
        runs.set(runs.get() + 1);
        if runs.get() == 1 {
            map.pin().insert(1, 20);
        }
        old + 1
    });
    assert_eq!((stored, runs.get()), (Some(&21), 2));
}

#[test]
fn compute_runs_again_when_the_key_came_or_went() {
    let map: Map<u32, u32> = Map::new();
    let mut runs = 0;
    let pinned = map.pin();
    let answer = pinned.compute(1, |found| {
        runs += 1;
        match runs {
            1 => assert_eq!((found, map.pin().insert(1, 5)), (None, None)),
            2 => assert_eq!((found, map.pin().remove(&1)), (Some((&1, &5)), Some(&5))),
            _ => assert_eq!(found, None),
        }
        Operation::<u32, ()>::Insert(7)
    });
    assert_eq!(answer, Compute::Inserted(&1, &7));
    assert_eq!(runs, 3);
}

#[test]
fn a_conditional_removal_never_takes_a_newer_value() {
    let map: Map<u32, &str> = Map::new();
    map.pin().insert(1, "stale");
    let pinned = map.pin();
    let answer = pinned.remove_if(&1, |_, value| {
        let stale = *value == "stale";
        if stale {
            map.pin().insert(1, "fresh");
        }
        stale
    });
    assert_eq!(answer, Err((&1, &"fresh")));
    assert_eq!(pinned.get(&1), Some(&"fresh"));
}

#[test]
fn closures_may_use_the_map_in_any_way() {
    let map = maps::tiny::<u32, u32, _>(ahash::RandomState::new());
    let pinned = map.pin();
    pinned.insert(0, 0);
    pinned.update(0, |old| {
        (1..500).for_each(|key| {
            pinned.insert(key, key);
        });
        pinned.retain(|key, _| {
            pinned.contains_key(key);
            *key < 250
        });
        old + pinned.len() as u32
    });
    assert_eq!(pinned.get(&0), Some(&250));
    let stored = pinned.get_or_insert_with(1000, || {
        pinned.clear();
        pinned.len() as u32
    });
    assert_eq!((stored, pinned.len()), (&0, 1));
}

#[test]
fn keys_with_one_hash_stay_correct_and_do_not_grow_the_table() {
    let (census, map) = (Census::default(), maps::tiny(Masked::CONSTANT));
    for key in 0..200_u32 {
        assert!(map.pin().insert(census.bear(key), census.bear(u64::from(key))).is_none());
    }
    let pinned = map.pin();
    assert_eq!((pinned.len(), pinned.iter().count()), (200, 200));
    for key in 0..200 {
        assert_eq!(pinned.get(&Like(key)).map(|value| **value), Some(u64::from(key)));
        let found = pinned.remove(&Like(key)).map(|value| **value);
        assert_eq!(found, Some(u64::from(key)));
        assert!(!pinned.contains_key(&Like(key)));
    }
    assert!(pinned.is_empty());
    drop(pinned);
    drop(map);
    census.settle();
}

#[test]
fn capacity_is_a_hint_and_reserve_keeps_the_entries() {
    let map: Map<u32, u32> = Map::with_capacity(10_000);
    let pinned = map.pin();
    (0..100).for_each(|key| {
        pinned.insert(key, key);
    });
    pinned.reserve(50_000);
    assert_eq!(pinned.len(), 100);
    assert!((0..100).all(|key| pinned.get(&key) == Some(&key)));
}

#[test]
fn zero_sized_and_large_entries_are_ordinary() {
    let sets: Map<u32, ()> = Map::new();
    assert_eq!(sets.pin().insert(1, ()), None);
    assert_eq!(sets.pin().insert(1, ()), Some(&()));
    let unit: Map<(), u8> = Map::new();
    assert_eq!((unit.pin().insert((), 1), unit.pin().insert((), 2)), (None, Some(&1)));
    let large: Map<[u64; 8], [u64; 512]> = Map::new();
    (0..100).for_each(|n| {
        large.pin().insert([n; 8], [n; 512]);
    });
    assert!((0..100).all(|n| large.pin().get(&[n; 8]) == Some(&[n; 512])));
}
