//! A churner on a `Map`: bulk inserts and removals of keys that no other thread touches.
//!
//! The counterpart of the churner on a `Store`: one owner per key, so every answer is checked at
//! once; many keys force resizes, few keys reuse slots.

use std::hash::BuildHasher;

use super::map_workers::Subject;
use super::{Place, Resizes};
use crate::census::Like;

/// Room in the key space for each churner.
const SPACE: u32 = 1 << 16;

/// Inserts and removes until the workers are done.
pub(super) fn churn<S>(subject: &Subject<S>, place: &Place<'_>)
where
    S: BuildHasher + Sync,
{
    let first = place.run.keys + place.index * SPACE;
    let keys = first..first + place.bulk();
    let mut resizes = Resizes::default();
    let mut turn = 0;
    loop {
        turn += 1;
        let value = |key: u32| (turn << 32) | u64::from(key);
        for key in keys.clone() {
            let (name, new) = (subject.census.bear(key), subject.census.bear(value(key)));
            assert!(subject.map.pin().insert(name, new).is_none(), "key {key} was there");
        }
        resizes.full(subject.map.table_bytes() as u64);
        let pinned = subject.map.pin();
        for key in keys.clone() {
            assert_eq!(pinned.get(&Like(key)).map(|v| **v), Some(value(key)), "key {key}");
        }
        for key in keys.clone() {
            let pinned = subject.map.pin();
            let old = pinned.remove(&Like(key)).map(|v| **v);
            assert_eq!(old, Some(value(key)), "key {key}");
            assert!(!pinned.contains_key(&Like(key)), "key {key} came back");
        }
        resizes.empty(subject.map.table_bytes() as u64);
        if !place.work_goes_on() {
            break;
        }
    }
    resizes.check(place.bulk());
}
