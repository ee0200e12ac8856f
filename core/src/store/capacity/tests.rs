use std::time::Duration;

use super::ENTRY_BYTES;
use crate::epoch;
use crate::evict::{Evict, Room};
use crate::store::lineage::Lineage;
use crate::sync::lock;
use crate::{Computed, Error, Eviction, ManualClock, Op, SetResult, Store, Ttl};

const HOUR: Ttl = Ttl::After(Duration::from_secs(3600));

/// A store of one shard for four entries.
fn of_four() -> Store {
    Store::builder().shards(1).max_entries(4).build().expect("memory")
}

/// The same with four entries in it.
fn full() -> Store {
    let store = of_four();
    for key in ["a", "b", "c", "d"] {
        store.set(key, "1").expect("set");
    }
    store
}

/// Runs `body` while the eviction queues are in the hands of somebody who does not move on.
fn while_the_queues_are_busy<T>(store: &Store, body: impl FnOnce(&Store) -> T) -> T {
    let capacity = store.engine.capacity.as_ref().expect("it is bounded");
    let _houses: Vec<_> = capacity.queues.iter().map(|queues| lock(&queues.house)).collect();
    body(store)
}

/// Keys of which `wanted` says that it wants their hash.
fn keys_by_hash(store: &Store, wanted: impl Fn(u64) -> bool) -> impl Iterator<Item = [u8; 4]> {
    let hash = |key: &[u8; 4]| store.engine.key(key).hash;
    (0..u32::MAX).map(u32::to_le_bytes).filter(move |key| wanted(hash(key)))
}

/// Keys of one shard of two.
fn keys_of(store: &Store, shard: u64) -> impl Iterator<Item = [u8; 4]> {
    keys_by_hash(store, move |hash| hash % 2 == shard)
}

/// The lineage of a key that is there.
fn lineage_of(store: &Store, key: impl AsRef<[u8]>) -> Lineage {
    let guard = epoch::pin();
    store.engine.find(&guard, store.engine.key(key.as_ref())).expect("it is there").lineage()
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

#[test]
fn where_the_queues_are_busy_no_entry_goes_for_its_own_longer_value() {
    let bound = 4 * (ENTRY_BYTES + 2);
    let store = Store::builder().shards(1).max_bytes(bound).build().expect("memory");
    for key in ["a", "b", "c", "d"] {
        store.set(key, "1").expect("set");
    }
    for key in ["b", "c", "d"] {
        store.get(key).expect("set");
    }
    while_the_queues_are_busy(&store, |store| {
        assert_eq!(store.set("a", "longer"), Ok(SetResult::Updated));
    });
    assert_eq!(store.get("a").as_deref(), Some(&b"longer"[..]));
    assert_eq!((store.count(), store.stats().evicted), (3, 1));
}

#[test]
fn where_the_queues_are_busy_entries_are_looked_for_all_around_the_table() {
    let builder = Store::builder().shards(1).capacity(100).max_entries(2);
    let store = builder.build().expect("memory");
    let buckets = store.stats().buckets;
    assert!((16..=64).contains(&buckets), "{buckets}: more than are looked at at once");
    let first = keys_by_hash(&store, |hash| hash >> 58 == 0);
    first.take(2).for_each(|key| assert_eq!(store.set(key, "1"), Ok(SetResult::Created)));
    let last = keys_by_hash(&store, |hash| hash >> 58 == 63).next().expect("a key");
    while_the_queues_are_busy(&store, |store| {
        assert_eq!(store.set(last, "1"), Ok(SetResult::Created));
    });
    assert!(store.contains(last), "from the last bucket on, the first is the next");
    assert_eq!((store.count(), store.stats().evicted), (2, 1));
}

/// Two shards, and all that is in one of them has expired, but for a key that lives and was used
/// less. Its wheel was not advanced.
fn expired_elsewhere() -> Store {
    let clock = ManualClock::new();
    let store = Store::builder().shards(2).max_entries(3).clock(&clock).build().expect("memory");
    let [dead, mortal, alive]: [_; 3] = array_of(keys_of(&store, 1));
    store.set_with(dead, "1", Ttl::After(Duration::from_millis(1))).expect("set");
    store.set_with(mortal, "1", Ttl::After(Duration::from_millis(1))).expect("set");
    store.set(alive, "1").expect("set");
    [dead, mortal].iter().for_each(|key| assert!(store.get(key).is_some()));
    clock.advance(Duration::from_millis(1));
    store
}

fn array_of<T, const N: usize>(items: impl Iterator<Item = T>) -> [T; N] {
    let items: Vec<T> = items.take(N).collect();
    items.try_into().unwrap_or_else(|_| panic!("{N} items"))
}

#[test]
fn what_has_expired_in_another_shard_goes_before_what_lives_there() {
    for queues_are_busy in [false, true] {
        let store = expired_elsewhere();
        let new = keys_of(&store, 0).next().expect("a key");
        let set = |store: &Store| store.set(new, "1");
        let is_set =
            if queues_are_busy { while_the_queues_are_busy(&store, set) } else { set(&store) };
        let stats = store.stats();
        assert!(is_set == Ok(SetResult::Created) && store.contains(new));
        assert_eq!((stats.entries, stats.evicted, stats.expired_actively), (2, 0, 2));
        assert_eq!(stats.bytes, 2 * (ENTRY_BYTES + 5));
    }
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
        assert!(key < 102 || handles(&store) == 100, "{} handles", handles(&store));
    }
    assert_eq!((store.count(), store.stats().evicted), (100, 900));
}

#[test]
fn entries_that_the_queues_do_not_know_can_still_be_evicted() {
    let store = full();
    let capacity = store.engine.capacity.as_ref().expect("it is bounded");
    lock(&capacity.queues[0].house).evict = Evict::new();
    assert_eq!(store.set("new", "1"), Ok(SetResult::Created));
    assert!(store.contains("new"));
    assert_eq!((store.count(), store.stats().evicted), (4, 1));
}

#[test]
fn a_write_looks_at_no_more_entries_than_it_may_and_takes_the_least_used_of_some_then() {
    let store = Store::builder().shards(8).max_entries(2000).build().expect("memory");
    let names = || (0..2000_u32).map(u32::to_le_bytes);
    for name in names() {
        store.set(name, "v").expect("set");
        (0..3).for_each(|_| assert!(store.get(name).is_some()));
    }
    assert_eq!(store.set("new", "v"), Ok(SetResult::Created));
    let left = names().filter(|name| store.contains(name));
    let tried = left.filter(|name| lineage_of(&store, name).uses() < 3).count();
    assert!((1..=super::VISITS).contains(&tried), "{tried}");
    assert_eq!((store.contains("new"), store.stats().evicted, store.count()), (true, 1, 2000));
}

/// A way to create the key `k`, or to change it.
type Way = fn(&Store) -> bool;

fn put(store: &Store) -> bool {
    store.compute("k", |_| Ok::<_, Error>(Op::Put(b"1".to_vec()))).is_ok()
}

const TO_CREATE: [(&str, Way); 7] = [
    ("set", |store| store.set("k", "1").is_ok()),
    ("set_with", |store| store.set_with("k", "1", HOUR).is_ok()),
    ("set_if_absent", |store| store.set_if_absent("k", "1") == Ok(true)),
    ("set_many", |store| store.set_many(&[("k", "1")]).is_ok()),
    ("incr", |store| store.incr("k", 1).is_ok()),
    ("compute", put),
    ("session", |store| store.session().set("k", "1").is_ok()),
];

const TO_CHANGE: [(&str, Way); 7] = [
    ("set", |store| store.set("k", "1").is_ok()),
    ("set_many", |store| store.set_many(&[("k", "1")]).is_ok()),
    ("incr", |store| store.incr("k", 1).is_ok()),
    ("compute", put),
    ("expire", |store| store.expire("k", HOUR) == Ok(true)),
    ("touch", |store| store.touch("k", Duration::from_secs(7200)) == Ok(true)),
    ("persist", |store| store.persist("k") == Ok(true)),
];

#[test]
fn an_entry_has_one_handle_and_one_lineage_however_it_is_created_and_changed() {
    for (way, create) in TO_CREATE {
        let store = of_four();
        assert!(create(&store), "{way}");
        assert_eq!(handles(&store), 1, "{way}");
        let first = lineage_of(&store, "k");
        assert_eq!(first.uses(), 0, "{way}");
        for (change, change_it) in TO_CHANGE {
            assert!(change_it(&store), "{change}");
            assert_eq!(handles(&store), 1, "{change} after {way}");
            assert_eq!(lineage_of(&store, "k").id(), first.id(), "{change} after {way}");
        }
        assert_eq!(lineage_of(&store, "k").uses(), 3, "to be changed is a use");
        store.delete("k").expect("delete");
        assert!(create(&store), "{way}");
        assert_ne!(lineage_of(&store, "k").id(), first.id(), "{way} after delete");
    }
}

#[test]
fn a_store_that_rejects_keeps_no_handles_and_its_readers_count_nothing() {
    let builder = Store::builder().shards(1).max_entries(4).eviction(Eviction::Reject);
    let store = builder.build().expect("memory");
    for key in ["a", "b", "a"] {
        store.set(key, "1").expect("set");
        assert_eq!(lineage_of(&store, key), Lineage::NONE);
    }
    assert_eq!(handles(&store), 0);
}

#[test]
fn the_handle_of_an_entry_that_is_gone_does_not_stand_for_the_next_one_of_its_key() {
    let store = of_four();
    store.set("k", "1").expect("set");
    store.delete("k").expect("delete");
    for key in ["k", "a", "b", "c"] {
        store.set(key, "1").expect("set");
    }
    // So it passes its trial once. The old handle's turn comes before its own.
    store.get("k").expect("set");
    store.set("d", "1").expect("set");
    store.set("e", "1").expect("set");
    assert!(store.contains("k"), "it was tried for its old handle too");
}

/// Handles in the queues.
fn handles(store: &Store) -> usize {
    let capacity = store.engine.capacity.as_ref().expect("it is bounded");
    capacity.queues.iter().map(|queues| lock(&queues.house).evict.len()).sum()
}

#[test]
fn keys_that_come_and_go_leave_few_handles_behind() {
    let store = Store::builder().shards(1).max_entries(50).build().expect("memory");
    for round in 0..20_000_u32 {
        store.set((round % 10).to_le_bytes(), "v").expect("set");
        store.delete((round % 10).to_le_bytes()).expect("delete");
        assert!(handles(&store) < 3 * 50 + 64, "{} handles", handles(&store));
    }
}

#[test]
fn a_store_that_was_emptied_gives_its_handles_back() {
    let keys = 20_000_u32;
    let ways: [fn(&Store, [u8; 4]) -> bool; 2] = [
        |store, key| store.delete(key).is_ok_and(|old| old.is_some()),
        |store, key| {
            let removed = store.compute(key, |_| Ok::<_, Error>(Op::Remove));
            matches!(removed, Ok(Computed::Removed(_)))
        },
    ];
    for (shards, remove) in [(1, ways[0]), (1, ways[1]), (16, ways[0])] {
        let builder = Store::builder().shards(shards).max_entries(keys.into());
        let store = builder.build().expect("memory");
        for key in 0..keys {
            store.set(key.to_le_bytes(), "v").expect("set");
        }
        assert_eq!(handles(&store), keys as usize);
        for key in 0..keys {
            assert!(remove(&store, key.to_le_bytes()));
        }
        let left = handles(&store);
        assert!(left < keys as usize / 4, "{left} handles of {keys} in {shards} shards");
    }
}

#[test]
fn a_store_whose_entries_have_ended_gives_its_handles_back() {
    let keys = 5000_u32;
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
