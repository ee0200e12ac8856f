//! Faults of the systems that rkv replaces, one regression test each.
//!
//! Each test says in its comment what went wrong there. Faults of features that rkv does not have
//! yet (time to live, watchers, groups, quotas, files) are tested beside those features.

use std::sync::Barrier;

use rkv::{Computed, Error, Op, SetResult, Store, Value};

/// A closure's answer, with the error type of the crate.
type Wish = rkv::Result<Op>;

/// A read that finds a stale entry drops its lock and then deletes by key: a write in between is
/// lost. Here a decision about one record can only ever remove that record.
#[test]
fn deciding_on_an_old_value_never_destroys_a_fresh_write() {
    let store = Store::builder().shards(1).build().expect("one shard");
    let rounds = if cfg!(miri) { 10 } else { 3_000 };
    let barrier = &Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..rounds {
                store.set("k", "stale").expect("set");
                barrier.wait();
                store.set("k", "fresh").expect("set");
                barrier.wait();
                assert!(store.contains("k"), "the fresh write is gone");
                barrier.wait();
            }
        });
        for _ in 0..rounds {
            barrier.wait();
            let answer = store.compute("k", |old| {
                let stale = old.is_some_and(|old| old.as_ref() == b"stale");
                Wish::Ok(if stale { Op::Remove } else { Op::Keep })
            });
            answer.expect("compute");
            barrier.wait();
            barrier.wait();
        }
    });
}

/// Touching the store inside a loop over it waits for ever for the only connection.
#[test]
fn the_store_may_be_used_inside_a_loop_over_it() {
    let store = Store::builder().shards(1).build().expect("one shard");
    for key in 0..200 {
        store.set(format!("{key}"), "x").expect("set");
    }
    let mut seen = 0;
    for value in store.scan("") {
        seen += 1;
        store.set(value.key(), "y").expect("set");
        assert!(store.get(value.key()).is_some());
        store.delete(value.key()).expect("delete");
        assert_eq!(store.scan("").count(), 200 - seen);
    }
    assert_eq!(seen, 200);
}

/// Prefix queries ignore case and treat `%` and `_` as wildcards: one tenant purges another.
#[test]
fn prefixes_distinguish_case_and_know_no_wildcards() {
    let store = Store::new();
    for name in ["Tenant-A:g", "tenant-a:g", "tenantXa:g", "tenant_a:g", "tenant%:g"] {
        store.set(name, "").expect("set");
    }
    assert_eq!(store.keys("tenant-a:"), [b"tenant-a:g"]);
    assert_eq!(store.keys("tenant_"), [b"tenant_a:g"]);
    assert_eq!(store.keys("tenant%"), [b"tenant%:g"]);
}

/// Set reports "not created" for a key that it created, or "changed" is always false.
#[test]
fn results_tell_what_happened() {
    let store = Store::new();
    assert_eq!(store.set("k", ""), Ok(SetResult::Created));
    assert_eq!(store.set("k", ""), Ok(SetResult::Updated));
    let computed = store.compute("k", |_| Wish::Ok(Op::Put(Vec::new())));
    assert!(matches!(computed, Ok(Computed::Updated { .. })));
}

/// A failed write creates the kind that it was meant for; a deleted last key leaves it behind.
#[test]
fn failed_writes_and_misses_leave_no_trace() {
    let store = Store::new();
    let failed = store.compute("k", |_| Err(Error::NotANumber));
    assert!(failed.is_err());
    assert!(store.get("k").is_none());
    store.set_many::<&str, &str>(&[]).expect("nothing to do");
    assert!(store.delete("k").expect("delete").is_none());
    assert_eq!((store.count(), store.keys("")), (0, Vec::new()));
}

/// A closure that panics leaves the mutex of the store locked for ever.
#[test]
fn a_panicking_closure_locks_nobody_out() {
    let store = Store::builder().shards(1).build().expect("one shard");
    store.set("k", "1").expect("set");
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        drop(store.compute("k", |_| -> Wish { panic!("by the user") }));
    }));
    assert!(outcome.is_err());
    std::thread::scope(|scope| {
        scope.spawn(|| store.set("k", "2").expect("another thread"));
    });
    assert_eq!(store.incr("k", 1), Ok(3));
}

/// Update hands out the stored slice, Get aliases it and Set keeps the caller's: writing to any
/// of them changes the store.
#[test]
fn values_are_copied_in_and_immutable() {
    let store = Store::new();
    let mut mine = b"mine".to_vec();
    store.set("k", &mine).expect("set");
    mine.fill(b'x');
    let before = store.get("k").expect("it was set");
    let failed = store.compute("k", |old: Option<&Value>| {
        let mut copy = old.expect("it was set").to_vec();
        copy.fill(b'y');
        Err(Error::NotFound)
    });
    assert!(failed.is_err());
    store.set("k", "other").expect("set");
    assert_eq!(&*before, b"mine");
}

/// An update of a missing key locks nothing: two increments both start from nothing.
#[test]
fn concurrent_increments_of_a_missing_key_all_count() {
    let rounds = if cfg!(miri) { 5 } else { 500 };
    let store = Store::builder().shards(1).build().expect("one shard");
    let (threads, barrier) = (4_i64, &Barrier::new(4));
    std::thread::scope(|scope| {
        for index in 0..threads {
            let store = &store;
            scope.spawn(move || {
                for round in 0..rounds {
                    barrier.wait();
                    store.incr(format!("n {round}"), 1 << index).expect("incr");
                }
            });
        }
    });
    for round in 0..rounds {
        assert_eq!(store.incr(format!("n {round}"), 0), Ok((1 << threads) - 1));
    }
}

/// A batch above 16,383 entries breaks, and values that are not JSON are refused.
#[test]
fn large_batches_of_any_bytes_are_fine() {
    let store = Store::new();
    let count = if cfg!(miri) { 300 } else { 40_000_u32 };
    let entries: Vec<_> = (0..count).map(|n| (n.to_le_bytes(), [0xff, n as u8, 0])).collect();
    store.set_many(&entries).expect("set_many");
    assert_eq!(store.count(), u64::from(count));
    let names: Vec<_> = entries.iter().map(|(name, _)| name).collect();
    let found = store.get_many(&names);
    assert!(found.iter().zip(&entries).all(|(value, (_, bytes))| {
        value.as_ref().is_some_and(|value| value.as_ref() == bytes)
    }));
    assert_eq!(store.delete_many(&names), Ok(u64::from(count)));
    assert!(store.is_empty());
}

/// A store is closed twice and panics, or is used while it closes. Here closing consumes it, and
/// a store that is only dropped is closed as well.
#[test]
fn closing_is_final_and_dropping_is_enough() {
    let store = Store::new();
    store.set("k", "v").expect("set");
    let value = store.get("k").expect("it was set");
    assert_eq!(store.close(), Ok(()));
    assert_eq!(&*value, b"v");
    drop(Store::new());
}
