//! A listing shows every key that is present throughout exactly once, whatever happens meanwhile.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rkv::{SetResult, Store};

use crate::maps;

/// Keys that stay for the whole test.
const STAY: u32 = if cfg!(miri) { 40 } else { 1_500 };
/// Keys that come and go in bulk beside them, and force the table up and down.
const GO: u32 = if cfg!(miri) { 120 } else { 12_000 };
/// Listings that are checked, at least.
const LISTINGS: usize = if cfg!(miri) { 3 } else { 150 };
/// Full turns of growing and shrinking that the listings must live through.
const TURNS: u64 = if cfg!(miri) { 1 } else { 6 };

/// Runs `list` beside `turn` until both were done often enough.
fn beside(turn: impl Fn() + Sync, list: impl Fn()) {
    let (turns, done) = (&AtomicU64::new(0), &AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) || turns.load(Ordering::Relaxed) < TURNS {
                turn();
                turns.fetch_add(1, Ordering::Relaxed);
            }
        });
        // Lets the other thread end also when a listing panics.
        let _done = SetOnDrop(done);
        for listing in 0.. {
            list();
            if listing >= LISTINGS && turns.load(Ordering::Relaxed) >= TURNS {
                return;
            }
        }
    });
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Checks that `names` holds each staying key once, and nothing twice.
fn check(names: impl Iterator<Item = u32>) {
    let mut seen = HashMap::new();
    for name in names {
        *seen.entry(name).or_insert(0) += 1;
    }
    for key in 0..STAY {
        assert_eq!(seen.remove(&key), Some(1), "key {key} was present throughout");
    }
    for (key, times) in seen {
        assert!(times == 1 && key < STAY + GO, "key {key} came {times} times");
    }
}

fn number(name: &[u8]) -> u32 {
    u32::from_be_bytes(name.try_into().expect("four bytes"))
}

/// A store with the staying keys.
fn settled_store(shards: usize) -> Store {
    let store = Store::builder().shards(shards).build().expect("a power of two");
    for key in 0..STAY {
        store.set(key.to_be_bytes(), "stays").expect("set");
    }
    store
}

fn come_and_go(store: &Store) {
    for key in STAY..STAY + GO {
        assert_eq!(store.set(key.to_be_bytes(), "goes"), Ok(SetResult::Created));
    }
    for key in STAY..STAY + GO {
        assert!(store.delete(key.to_be_bytes()).expect("delete").is_some());
    }
}

#[test]
fn scan_beside_resizes_shows_each_staying_key_once() {
    let store = settled_store(1);
    beside(|| come_and_go(&store), || check(store.scan("").map(|v| number(v.key()))));
}

#[test]
fn scan_over_many_shards_beside_resizes_shows_each_staying_key_once() {
    let store = settled_store(8);
    beside(|| come_and_go(&store), || check(store.scan("").map(|v| number(v.key()))));
}

#[test]
fn keys_beside_resizes_show_each_staying_key_once_in_order() {
    let store = settled_store(1);
    beside(
        || come_and_go(&store),
        || {
            let keys = store.keys("");
            assert!(keys.is_sorted());
            check(keys.iter().map(|key| number(key)));
        },
    );
}

#[test]
fn scan_beside_overwrites_shows_each_key_once() {
    let store = settled_store(1);
    let overwrite = || {
        for key in 0..STAY {
            assert_eq!(store.set(key.to_be_bytes(), "again"), Ok(SetResult::Updated));
        }
    };
    beside(overwrite, || check(store.scan("").map(|v| number(v.key()))));
}

#[test]
fn map_iteration_beside_resizes_shows_each_staying_key_once() {
    let map = maps::tiny::<u32, u32, _>(ahash::RandomState::new());
    (0..STAY).for_each(|key| assert!(map.pin().insert(key, key).is_none()));
    let turn = || {
        (STAY..STAY + GO).for_each(|key| assert!(map.pin().insert(key, key).is_none()));
        (STAY..STAY + GO).for_each(|key| assert!(map.pin().remove(&key).is_some()));
    };
    beside(turn, || {
        check(map.pin().iter().map(|(key, value)| {
            assert_eq!(key, value);
            *key
        }))
    });
}

#[test]
fn every_item_may_be_deleted_as_it_comes() {
    let store = settled_store(1);
    let mut names = Vec::new();
    for value in store.scan("") {
        assert!(store.delete(value.key()).expect("delete").is_some());
        names.push(number(value.key()));
    }
    check(names.into_iter());
    assert!(store.is_empty());
}

#[test]
fn inserting_inside_the_loop_ends_and_misses_nothing() {
    let store = settled_store(1);
    let mut names = Vec::new();
    let mut next = STAY;
    for value in store.scan("") {
        if number(value.key()) < STAY {
            names.push(number(value.key()));
            // Eight times as many keys in the end: the table grows under the scan.
            for _ in 0..8 {
                store.set(next.to_be_bytes(), "goes").expect("set");
                next += 1;
            }
        }
    }
    check(names.into_iter());
    assert_eq!(store.count(), u64::from(STAY) * 9);
}

#[test]
fn emptying_the_store_inside_the_loop_ends_it_soon() {
    let store = settled_store(1);
    let mut scan = store.scan("");
    assert!(scan.next().is_some());
    store.clear().expect("clear");
    // What was read ahead may still come; each is a record of its own that outlives the key.
    let rest: Vec<_> = scan.collect();
    assert!(rest.iter().all(|value| &**value == b"stays"));
    assert!(store.is_empty());
}

#[test]
fn two_scans_at_once_do_not_disturb_each_other() {
    let store = settled_store(2);
    let (mut first, mut second) = (store.scan(""), store.scan(""));
    let mut names = [Vec::new(), Vec::new()];
    loop {
        let items = [first.next(), second.next()];
        if items.iter().all(Option::is_none) {
            break;
        }
        for (names, item) in names.iter_mut().zip(items) {
            names.extend(item.map(|value| number(value.key())));
        }
    }
    names.into_iter().for_each(|names| check(names.into_iter()));
}

#[test]
fn map_may_be_changed_inside_an_iteration() {
    let map = maps::tiny::<u32, u32, _>(ahash::RandomState::new());
    (0..STAY).for_each(|key| assert!(map.pin().insert(key, key).is_none()));
    let mut names = Vec::new();
    let pinned = map.pin();
    for (key, value) in pinned.iter().filter(|(key, _)| **key < STAY) {
        names.push(*key);
        assert_eq!(pinned.remove(key), Some(value));
        pinned.insert(STAY + *key, 0);
    }
    check(names.into_iter());
    assert_eq!(pinned.len(), STAY as usize);
}
