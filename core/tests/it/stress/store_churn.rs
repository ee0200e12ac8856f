//! A churner on a `Store`: bulk inserts and deletes of keys that no other thread touches.
//!
//! A key with one owner has exactly one legal answer to each call, so every answer is checked on
//! the spot. The first churner moves enough keys to force the table up and down again; the others
//! move few keys fast, so that slots are deleted and claimed again without a resize.

use rkv::{SetResult, Store};

use super::{Place, Resizes};
use crate::payload;

/// Inserts and deletes until the workers are done.
pub(super) fn churn(store: &Store, place: &Place<'_>) {
    let keys = u64::from(place.bulk());
    let name = |key: u64| format!("churn/{}/{key}", place.index);
    let mut resizes = Resizes::default();
    let mut turn = 0;
    loop {
        insert_all(store, keys, turn, name);
        resizes.full(store.stats().table_bytes);
        read_all(store, keys, turn, name);
        delete_all(store, keys, turn, name);
        resizes.empty(store.stats().table_bytes);
        turn += 1;
        if !place.work_goes_on() {
            break;
        }
    }
    resizes.check(place.bulk());
}

/// The identity of the value that `key` bears in `turn`.
fn id(key: u64, turn: u64) -> u64 {
    (turn << 24) | key
}

fn insert_all(store: &Store, keys: u64, turn: u64, name: impl Fn(u64) -> String) {
    for key in 0..keys {
        let value = payload::blob(id(key, turn));
        assert_eq!(store.set(name(key), &value), Ok(SetResult::Created), "key {key}");
        if key.is_multiple_of(3) {
            assert_eq!(store.set(name(key), &value), Ok(SetResult::Updated), "key {key}");
        }
    }
}

fn read_all(store: &Store, keys: u64, turn: u64, name: impl Fn(u64) -> String) {
    let mut session = store.session();
    for key in 0..keys {
        let found = session.get(name(key)).map(payload::blob_id);
        assert_eq!(found, Some(id(key, turn)), "key {key}");
    }
}

fn delete_all(store: &Store, keys: u64, turn: u64, name: impl Fn(u64) -> String) {
    for key in 0..keys {
        let old = store.delete(name(key)).expect("delete").expect("the key was inserted");
        assert_eq!(payload::blob_id(&old), id(key, turn), "key {key}");
        assert!(!store.contains(name(key)), "key {key} came back");
    }
}
