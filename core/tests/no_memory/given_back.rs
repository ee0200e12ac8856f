//! Drop accounting for records: every one is given back, once, when nobody refers to it any more.
//!
//! The allocator counts records by their size, which nothing else in this binary has. One test
//! counts at a time: the turns are a lock.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rkv::{Error, Op, Store, Value};

use crate::allocator::{COUNTED_VALUE_BYTES, counted_records};

/// How long a record may stay with threads that are inside a call.
const PATIENCE: Duration = Duration::from_secs(60);

static TURN: Mutex<()> = Mutex::new(());

/// The records of one test.
struct Account {
    _turn: MutexGuard<'static, ()>,
    taken_before: u64,
    value: Vec<u8>,
}

impl Account {
    fn open() -> Account {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(left_at_most(0), 0, "the test before left records behind");
        let value = vec![b'x'; COUNTED_VALUE_BYTES];
        Account { _turn: turn, taken_before: counted_records().0, value }
    }

    /// Flushes until exactly `expected` records are left.
    fn settle_at(&self, expected: u64) {
        let taken = counted_records().0 - self.taken_before;
        assert!(taken > 0, "the test took no record of the counted size");
        assert_eq!(left_at_most(expected), expected, "records left, of {taken} taken");
    }
}

/// Flushes until no more than `expected` records are left; how many are.
fn left_at_most(expected: u64) -> u64 {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (taken, given_back) = counted_records();
        let left = taken.checked_sub(given_back).expect("a record was given back twice");
        if left <= expected || Instant::now() > deadline {
            return left;
        }
        rkv::flush();
        std::thread::yield_now();
    }
}

fn one_shard() -> Store {
    Store::builder().shards(1).build().expect("one shard")
}

#[test]
fn a_store_holds_one_record_per_key() {
    let (account, store) = (Account::open(), one_shard());
    for round in 0..21 {
        for key in 0..30 {
            store.set(format!("{key}"), &account.value).expect("set");
            if round % 3 == 1 {
                store.delete(format!("{key}")).expect("delete");
            }
        }
    }
    account.settle_at(30);
    store.clear().expect("clear");
    account.settle_at(0);
    store.set("k", &account.value).expect("set");
    drop(store);
    account.settle_at(0);
}

#[test]
fn a_value_holds_exactly_its_record_beyond_the_store() {
    let (account, store) = (Account::open(), one_shard());
    for key in 0..10 {
        store.set(format!("{key}"), &account.value).expect("set");
    }
    let held: Vec<Value> = store.scan("").take(4).collect();
    let copies = held.clone();
    let removed = store.delete("9").expect("delete").expect("it was set");
    drop(store);
    let distinct = 4 + u64::from(held.iter().all(|value| value.key() != b"9"));
    account.settle_at(distinct);
    drop(held);
    account.settle_at(distinct);
    assert!(copies.iter().all(|value| **value == *account.value));
    drop(copies);
    account.settle_at(1);
    assert!(*removed == *account.value);
    drop(removed);
    account.settle_at(0);
}

#[test]
fn values_dropped_by_other_threads_give_their_records_back() {
    let (account, store) = (Account::open(), one_shard());
    store.set("k", &account.value).expect("set");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let value = store.get("k").expect("it is never deleted");
                    assert_eq!(value.len(), COUNTED_VALUE_BYTES);
                    store.set("k", &account.value).expect("set");
                    drop(value.clone());
                }
            });
        }
    });
    account.settle_at(1);
    store.close().expect("close");
    account.settle_at(0);
}

#[test]
fn refused_calls_give_their_drafts_back() {
    let (account, store) = (Account::open(), one_shard());
    store.set("k", "old").expect("set");
    let value = &account.value;
    assert_eq!(store.set_if_absent("k", value), Ok(false));
    assert!(store.compare_and_swap("k", u64::MAX, value).is_err());
    assert!(store.set_many(&[(&b"fine"[..], value), (&[0; 70_000], value)]).is_err());
    let failed = store.compute("k", |_| Err::<Op, _>(Error::NotFound));
    assert!(failed.is_err());
    let mut runs = 0;
    let computed: rkv::Result<_> = store.compute("k", |_| {
        runs += 1;
        if runs < 4 {
            store.set("k", "another writer wins")?;
        }
        Ok(Op::Put(value.clone()))
    });
    drop(computed.expect("the fourth run wins"));
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.compute("k", |_| -> rkv::Result<Op> { panic!("by the user") }).map(drop)
    }));
    assert!(caught.is_err());
    account.settle_at(1);
    drop(store);
    account.settle_at(0);
}

#[test]
fn a_session_and_a_thread_that_end_leave_nothing_behind() {
    let (account, store) = (Account::open(), one_shard());
    for _ in 0..3 {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut session = store.session();
                for turn in 0..150 {
                    session.set(format!("{}", turn % 7), &account.value).expect("set");
                    assert!(session.get(format!("{}", turn % 7)).is_some());
                }
                (0..7).for_each(|key| assert_eq!(session.delete(format!("{key}")), Ok(true)));
            });
        });
        account.settle_at(0);
    }
}

#[test]
fn what_is_evicted_gives_its_record_back() {
    let account = Account::open();
    let store = Store::builder().shards(1).max_entries(300).build().expect("one shard");
    for key in 0..310 {
        store.set(format!("{key}"), &account.value).expect("set");
    }
    account.settle_at(300);
    store.clear().expect("clear");
    account.settle_at(0);
    assert_eq!(store.stats().evicted, 10);
}
