use std::time::Duration;

use super::ENTRY_BYTES;
use crate::evict::Room;
use crate::sync::lock;
use crate::{Computed, ManualClock, Op, SetResult, Store, Ttl};

/// A store of one shard for four entries, which are in it.
fn full() -> Store {
    let store = Store::builder().shards(1).max_entries(4).build().expect("memory");
    for key in ["a", "b", "c", "d"] {
        store.set(key, "1").expect("set");
    }
    store
}

/// Runs `body` while the eviction queues are in the hands of somebody who does not move on.
fn while_the_queues_are_busy<T>(store: &Store, body: impl FnOnce(&Store) -> T) -> T {
    let capacity = store.engine.capacity.as_ref().expect("it is bounded");
    let _house = lock(&capacity.queues[0].house);
    body(store)
}

/// What the entries count, by looking at each.
fn counted(store: &Store) -> u64 {
    store.scan("").map(|entry| (entry.key().len() + entry.len()) as u64 + ENTRY_BYTES).sum()
}

#[test]
fn where_the_queues_are_busy_the_least_used_of_some_entries_goes() {
    let store = full();
    for key in ["a", "b", "d"] {
        store.get(key).expect("set");
    }
    while_the_queues_are_busy(&store, |store| {
        assert_eq!(store.set("new", "1"), Ok(SetResult::Created));
        assert_eq!(store.get("new").as_deref(), Some(&b"1"[..]));
    });
    assert_eq!(store.keys(""), [&b"a"[..], b"b", b"d", b"new"]);
    assert_eq!((store.stats().evicted, store.stats().bytes), (1, counted(&store)));
}

/// Runs `body` while other writers hold all room that is left for what they are about to put.
fn while_others_hold_the_room<T>(store: &Store, body: impl FnOnce(&Store) -> T) -> T {
    let budget = &store.engine.capacity.as_ref().expect("it is bounded").budget;
    let (max, taken) = (budget.max(), budget.taken());
    let left = Room { entries: max.entries - taken.entries, bytes: max.bytes - taken.bytes };
    assert_eq!(budget.take(left), left);
    let result = body(store);
    budget.give(left);
    result
}

#[test]
fn what_finds_no_room_counts_as_set_and_is_gone() {
    let store = Store::builder().shards(1).max_entries(4).build().expect("memory");
    while_others_hold_the_room(&store, |store| {
        assert_eq!(store.set("new", "1"), Ok(SetResult::Created));
        assert_eq!(store.set_if_absent("new", "1"), Ok(true));
        assert_eq!(store.incr("new", 5), Ok(5));
        let put = store.compute("new", |_| Ok::<_, crate::Error>(Op::Put(b"1".to_vec())));
        assert!(matches!(put, Ok(Computed::Created(new)) if new == "1"));
        assert_eq!(store.set_many(&[("new", "1"), ("newer", "1")]), Ok(()));
        assert_eq!(store.get("new"), None);
    });
    assert_eq!((store.count(), store.stats().evicted, store.stats().bytes), (0, 6, 0));
    assert_eq!(store.set("new", "1"), Ok(SetResult::Created));
    assert!(store.contains("new"));
}

#[test]
fn what_finds_no_room_for_a_longer_value_is_gone_and_not_left_as_it_was() {
    let store = Store::builder().shards(1).max_bytes(1000).build().expect("memory");
    for (key, longer) in [("a", "longer"), ("b", "a longer one")] {
        store.set(key, "1").expect("set");
        let version = store.get(key).expect("set").version();
        while_others_hold_the_room(&store, |store| match key {
            "a" => assert_eq!(store.set(key, longer), Ok(SetResult::Updated)),
            _ => assert_eq!(store.compare_and_swap(key, version, longer), Ok(version + 1)),
        });
        assert_eq!(store.get(key), None);
    }
    assert_eq!((store.count(), store.stats().evicted, store.stats().bytes), (0, 2, 0));
}

#[test]
fn overwriting_and_removing_need_no_queues() {
    let store = full();
    while_the_queues_are_busy(&store, |store| {
        assert_eq!(store.set("a", "2"), Ok(SetResult::Updated));
        assert_eq!(store.incr("b", 1), Ok(2));
        assert_eq!(store.expire("c", Ttl::After(Duration::from_secs(9))), Ok(true));
        assert_eq!(store.delete("d").expect("delete").as_deref(), Some(&b"1"[..]));
        assert_eq!(store.set("e", "1"), Ok(SetResult::Created));
    });
    assert_eq!((store.count(), store.stats().evicted), (4, 0));
}

#[test]
fn entries_that_came_while_the_queues_were_busy_can_be_evicted() {
    let store = Store::builder().shards(1).max_entries(100).build().expect("memory");
    while_the_queues_are_busy(&store, |store| {
        for key in 0..100_u32 {
            store.set(key.to_le_bytes(), "v").expect("set");
        }
    });
    for key in 100..1000_u32 {
        store.set(key.to_le_bytes(), "v").expect("set");
        assert!(store.contains(key.to_le_bytes()), "{key} found no room");
    }
    assert_eq!((store.count(), store.stats().evicted), (100, 900));
}

/// Handles in the queues.
fn handles(store: &Store) -> usize {
    let capacity = store.engine.capacity.as_ref().expect("it is bounded");
    capacity.queues.iter().map(|queues| lock(&queues.house).evict.len()).sum()
}

#[test]
fn keys_that_come_and_go_leave_few_handles_behind() {
    let store = Store::builder().shards(1).max_entries(50).build().expect("memory");
    for round in 0..if cfg!(miri) { 300_u32 } else { 20_000 } {
        store.set((round % 10).to_le_bytes(), "v").expect("set");
        store.delete((round % 10).to_le_bytes()).expect("delete");
        assert!(handles(&store) < 3 * 50 + 64, "{} handles", handles(&store));
    }
}

#[test]
fn a_store_that_was_emptied_gives_its_handles_back() {
    let keys = if cfg!(miri) { 500_u32 } else { 20_000 };
    let store = Store::builder().shards(1).max_entries(keys.into()).build().expect("memory");
    for key in 0..keys {
        store.set(key.to_le_bytes(), "v").expect("set");
    }
    assert_eq!(handles(&store), keys as usize);
    for key in 0..keys {
        store.delete(key.to_le_bytes()).expect("delete");
    }
    assert!(handles(&store) < keys as usize / 4, "{} handles of {keys}", handles(&store));
}

#[test]
fn a_store_whose_entries_have_ended_gives_its_handles_back() {
    let keys = if cfg!(miri) { 300_u32 } else { 5000 };
    for is_read in [false, true] {
        let clock = ManualClock::new();
        let builder = Store::builder().shards(1).max_entries(keys.into()).clock(&clock);
        let store = builder.build().expect("memory");
        for key in 0..keys {
            let ttl = Ttl::After(Duration::from_millis(9));
            store.set_with(key.to_le_bytes(), "v", ttl).expect("set");
        }
        clock.advance(Duration::from_millis(9));
        (0..keys).filter(|_| is_read).for_each(|key| drop(store.get(key.to_le_bytes())));
        store.purge_expired().expect("purge");
        assert!(handles(&store) < keys as usize / 4, "{} handles", handles(&store));
    }
}

#[test]
fn timers_and_bytes_are_counted_however_entries_go() {
    let clock = ManualClock::new();
    let builder = Store::builder().shards(1).max_entries(20).clock(&clock);
    let store = builder.build().expect("memory");
    for round in 0..200_u32 {
        let ttl = Ttl::After(Duration::from_millis(1 + u64::from(round % 40)));
        store.set_with((round % 37).to_le_bytes(), vec![0; round as usize % 9], ttl).expect("set");
        clock.advance(Duration::from_micros(500));
        // The look at each removes what has ended.
        assert_eq!(counted(&store), store.stats().bytes);
    }
    clock.advance(Duration::from_secs(1));
    store.purge_expired().expect("purge");
    let stats = store.stats();
    assert_eq!((stats.entries, stats.bytes, stats.timers), (0, 0, 0), "{stats:?}");
}
