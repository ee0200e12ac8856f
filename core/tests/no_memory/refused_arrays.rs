//! A table that gets no bigger array goes on with the one that it has.

use std::collections::HashMap;
use std::sync::Barrier;

use rkv::{Error, SetResult, Store};

use crate::allocator::with_arrays;

fn one_shard() -> Store {
    Store::builder().shards(1).build().expect("memory is granted")
}

fn name(key: u32) -> String {
    format!("key {key}")
}

#[test]
fn a_store_that_gets_no_memory_is_an_error() {
    let (answer, refused) = with_arrays(0, u32::MAX, || Store::builder().shards(1).build());
    assert_eq!(answer.err(), Some(Error::NoMemory));
    assert!(refused > 0);
    for granted in 0..8 {
        let build = || Store::builder().shards(8).capacity(100_000).build();
        let (answer, refused) = with_arrays(granted, 1, build);
        assert_eq!(answer.err(), Some(Error::NoMemory), "{granted} arrays granted");
        assert_eq!(refused, 1);
    }
}

#[test]
fn a_full_table_without_memory_refuses_new_keys_and_serves_the_old() {
    let store = one_shard();
    let fill = || (0..100_000).find(|&key| store.set(name(key), "x") == Err(Error::NoMemory));
    let (full, refused) = with_arrays(0, u32::MAX, fill);
    let full = full.expect("a few buckets never hold so many keys");
    assert!(full > 0 && refused > 0);
    let serve = || {
        assert_eq!(store.count(), u64::from(full));
        assert!(!store.contains(name(full)));
        for key in 0..full {
            assert_eq!(store.set(name(key), "y"), Ok(SetResult::Updated), "key {key}");
            assert_eq!(store.get(name(key)).as_deref(), Some(&b"y"[..]), "key {key}");
        }
        assert_eq!(store.keys("").len(), full as usize);
        // Room that a delete makes is used again, without any new memory.
        for key in 0..full {
            assert!(store.delete(name(key)).expect("delete").is_some(), "key {key}");
            assert_eq!(store.set(name(key), "z"), Ok(SetResult::Created), "key {key}");
        }
    };
    with_arrays(0, u32::MAX, serve);
    // Memory is granted again: the table grows as if nothing had happened.
    for key in full..20_000 {
        assert_eq!(store.set(name(key), "z"), Ok(SetResult::Created), "key {key}");
    }
    assert!((0..20_000).all(|key| store.get(name(key)).as_deref() == Some(b"z")));
    assert_eq!(store.count(), 20_000);
}

/// Inserts and deletes through growth and shrinking; each refused call must have changed nothing.
fn script(store: &Store, model: &mut HashMap<u32, u32>) {
    let mut tries = 0;
    let mut retry = |call: &mut dyn FnMut() -> rkv::Result<bool>| {
        for _ in 0..100 {
            tries += 1;
            match call() {
                Err(Error::NoMemory) => {}
                answer => return answer.expect("nothing else goes wrong"),
            }
        }
        panic!("refused although memory is granted again");
    };
    for key in 0..1_500_u32 {
        let value = key.to_be_bytes();
        assert!(retry(&mut || Ok(store.set(name(key), value)? == SetResult::Created)));
        model.insert(key, key);
        if key.is_multiple_of(5) {
            assert!(
                retry(&mut || Ok(store.delete(name(key / 2))?.is_some()))
                    == model.remove(&(key / 2)).is_some()
            );
        }
        assert_eq!(store.count(), model.len() as u64);
    }
    for key in 0..1_400 {
        assert!(
            retry(&mut || Ok(store.delete(name(key))?.is_some())) == model.remove(&key).is_some()
        );
    }
}

fn check(store: &Store, model: &HashMap<u32, u32>) {
    for key in 0..1_500_u32 {
        let found = store.get(name(key)).map(|value| value.to_vec());
        assert_eq!(found, model.get(&key).map(|value| value.to_be_bytes().to_vec()), "key {key}");
    }
    assert_eq!(store.scan("").count(), model.len());
}

#[test]
fn no_single_refusal_at_any_place_loses_anything() {
    let mut granted = 0;
    loop {
        let (store, mut model) = (one_shard(), HashMap::new());
        let ((), refused) = with_arrays(granted, 1, || script(&store, &mut model));
        check(&store, &model);
        if refused == 0 {
            break;
        }
        granted += 1;
    }
    assert!(granted > 5, "the script resizes several times, but asked for {granted} arrays");
}

#[test]
fn no_row_of_refusals_at_any_place_loses_anything() {
    for refusals in [2, 3, 10, 50] {
        for granted in 0..12 {
            let (store, mut model) = (one_shard(), HashMap::new());
            let ((), refused) = with_arrays(granted, refusals, || script(&store, &mut model));
            assert!(refused > 0, "{granted} granted");
            check(&store, &model);
        }
    }
}

#[test]
fn threads_that_are_refused_lose_nothing_beside_threads_that_are_not() {
    let (store, barrier) = (&one_shard(), &Barrier::new(4));
    let stored: Vec<Vec<u32>> = std::thread::scope(|scope| {
        let worker = move |thread: u32| {
            barrier.wait();
            let insert = || {
                let keys = (0..8_000).map(|n| n * 4 + thread);
                let created = Ok(SetResult::Created);
                let stored: Vec<u32> =
                    keys.filter(|&key| store.set(name(key), name(key)) == created).collect();
                assert!(stored.iter().all(|&key| store.contains(name(key))));
                stored
            };
            // Every other thread gets no array at all; the rest grow the table for everyone.
            if thread.is_multiple_of(2) { insert() } else { with_arrays(0, u32::MAX, insert).0 }
        };
        let threads: Vec<_> = (0..4).map(|n| scope.spawn(move || worker(n))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a worker")).collect()
    });
    assert_eq!((stored[0].len(), stored[2].len()), (8_000, 8_000));
    let keys: Vec<u32> = stored.into_iter().flatten().collect();
    assert_eq!(store.count(), keys.len() as u64);
    for key in keys {
        assert_eq!(store.get(name(key)).as_deref(), Some(name(key).as_bytes()));
    }
}
