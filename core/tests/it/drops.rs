//! Every key and every value that a map was given is dropped exactly once.

use std::sync::{Arc, Barrier, Weak};

use crate::census::{Census, Like, Tracked};
use crate::hashers::Masked;
use crate::maps::{self, Compute, Map, Operation, TrackedMap};

/// Enough entries for several resizes.
const MANY: u32 = if cfg!(miri) { 100 } else { 20_000 };

fn fill<S: std::hash::BuildHasher>(map: &TrackedMap<S>, census: &Census, count: u32) {
    for key in 0..count {
        map.pin().insert(census.bear(key), census.bear(0));
    }
}

fn tracked_map() -> TrackedMap<ahash::RandomState> {
    maps::tiny(ahash::RandomState::new())
}

#[test]
fn dropping_a_map_drops_all_that_it_holds() {
    let (map, census) = (tracked_map(), Census::default());
    fill(&map, &census, MANY);
    assert_eq!(map.pin().len(), MANY as usize);
    drop(map);
    census.settle();
}

#[test]
fn a_map_holds_one_key_and_one_value_per_entry() {
    let (map, census) = (tracked_map(), Census::default());
    for _ in 0..3 {
        fill(&map, &census, MANY);
    }
    census.settle_at(2 * i64::from(MANY));
    (0..MANY).step_by(2).for_each(|key| assert!(map.pin().remove(&Like(key)).is_some()));
    census.settle_at(i64::from(MANY));
    map.pin().retain(|key, _| key.is_multiple_of(3));
    let len = map.pin().len();
    census.settle_at(2 * len as i64);
    map.pin().clear();
    census.settle_at(0);
    drop(map);
    census.settle();
}

#[test]
fn refused_and_unused_arguments_are_dropped() {
    let (map, census) = (tracked_map(), Census::default());
    fill(&map, &census, 1);
    let pinned = map.pin();
    let name = || census.bear(0);
    assert!(pinned.try_insert(name(), census.bear(1)).is_err());
    assert!(pinned.try_insert_with(name(), || census.bear(2)).is_err());
    assert_eq!(**pinned.get_or_insert(name(), census.bear(3)), 0);
    assert_eq!(**pinned.update_or_insert(name(), |_| census.bear(4), census.bear(5)), 4);
    assert!(pinned.update(census.bear(7), |_| census.bear(6)).is_none());
    let aborted = pinned.compute(name(), |_| Operation::Abort(census.bear(8)));
    assert!(matches!(&aborted, Compute::Aborted(with) if **with == 8));
    drop(aborted);
    drop(pinned);
    census.settle_at(2);
    drop(map);
    census.settle();
}

#[test]
fn collision_lists_drop_their_members_once() {
    let census = Census::default();
    let map = maps::tiny(Masked::CONSTANT);
    for round in 0..20 {
        fill(&map, &census, 40);
        (round..40).for_each(|key| assert!(map.pin().remove(&Like(key)).is_some()));
    }
    let len = map.pin().len();
    census.settle_at(2 * len as i64);
    drop(map);
    census.settle();
}

#[test]
fn removed_value_stays_readable_while_the_remover_is_pinned() {
    let (map, census) = (tracked_map(), Census::default());
    fill(&map, &census, 10);
    let pinned = map.pin();
    let removed = pinned.remove(&Like(3)).expect("it was inserted");
    let replaced = pinned.insert(census.bear(4), census.bear(9)).expect("it was inserted");
    for _ in 0..100 {
        rkv::flush();
    }
    assert_eq!((**removed, **replaced), (0, 0));
    assert_eq!(census.alive(), 22);
    drop(pinned);
    census.settle_at(18);
    drop(map);
    census.settle();
}

#[test]
fn garbage_outlives_its_map_while_another_map_is_pinned() {
    let (map, other, census) = (tracked_map(), tracked_map(), Census::default());
    fill(&map, &census, 100);
    let pinned = other.pin();
    map.pin().clear();
    drop(map);
    pinned.insert(census.bear(0), census.bear(0));
    drop(pinned);
    census.settle_at(2);
    drop(other);
    census.settle();
}

#[test]
fn a_thread_that_ends_leaves_nothing_behind() {
    let (map, census) = (tracked_map(), Census::default());
    for round in 0..4 {
        let worker = || {
            // Fewer than a batch on purpose: the rest must leave with the thread.
            fill(&map, &census, 30 + round);
            (0..30).for_each(|key| assert!(map.pin().remove(&Like(key)).is_some()));
        };
        std::thread::scope(|scope| scope.spawn(worker).join()).expect("the thread ends");
    }
    drop(map);
    census.settle();
}

#[test]
fn a_map_dropped_by_the_last_of_many_threads_drops_everything() {
    let census = Census::default();
    let barrier = &Barrier::new(4);
    for _ in 0..if cfg!(miri) { 2 } else { 50 } {
        let map = Arc::new(tracked_map());
        std::thread::scope(|scope| {
            for index in 0..4 {
                let (map, census) = (Arc::clone(&map), census.clone());
                scope.spawn(move || {
                    barrier.wait();
                    for key in 0..100 {
                        map.pin().insert(census.bear(key), census.bear(index));
                        map.pin().remove(&Like(key / 2));
                    }
                });
            }
            drop(map);
        });
    }
    census.settle();
}

/// A value whose `Drop` uses the map that it lived in.
struct Reentrant {
    map: Weak<Map<u32, Reentrant, ahash::RandomState>>,
    key: u32,
    _life: Tracked<()>,
}

impl Drop for Reentrant {
    fn drop(&mut self) {
        let Some(map) = self.map.upgrade() else { return };
        // Removes a neighbour, whose own `Drop` will come here in turn.
        map.pin().remove(&(self.key + 1));
    }
}

#[test]
fn drop_of_a_value_may_use_the_map() {
    let census = Census::default();
    let map = Arc::new(maps::tiny::<u32, Reentrant, _>(ahash::RandomState::new()));
    let make = |key| Reentrant { map: Arc::downgrade(&map), key, _life: census.bear(()) };
    (0..100).for_each(|key| {
        map.pin().insert(key, make(key));
    });
    (0..100).step_by(10).for_each(|key| {
        map.pin().insert(key, make(key));
    });
    (0..100).step_by(7).for_each(|key| {
        map.pin().remove(&key);
    });
    // What was removed drags its neighbours along, one by one, until nothing is left.
    census.settle_at(0);
    assert!(map.pin().is_empty());
    drop(map);
    census.settle();
}
