//! A bounded store never holds more than its bound, keeps what is used, and loses nothing that it
//! need not.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use rkv::{ENTRY_BYTES, Error, Eviction, ManualClock, SetResult, Store, StoreBuilder, Ttl};

use crate::dice::Dice;

const MS: Duration = Duration::from_millis(1);

fn build(builder: StoreBuilder) -> Store {
    builder.build().expect("memory")
}

fn name(key: u32) -> [u8; 4] {
    key.to_le_bytes()
}

/// What the entries count, by looking at each.
fn counted(store: &Store) -> u64 {
    store.scan("").map(|entry| (entry.key().len() + entry.len()) as u64 + ENTRY_BYTES).sum()
}

#[test]
fn a_store_takes_exactly_as_many_entries_as_its_bound_says() {
    for (bound, shards) in [(1, 1), (7, 1), (1000, 8), (5000, 64)] {
        let store = build(Store::builder().max_entries(bound).shards(shards));
        for key in 0..bound as u32 {
            store.set(name(key), "v").expect("set");
        }
        assert_eq!((store.count(), store.stats().evicted), (bound, 0), "nothing had to go");
        for key in 0..3 * bound as u32 {
            store.set(name(key + 10_000), "v").expect("set");
            assert!(store.contains(name(key + 10_000)), "what is set is there");
        }
        assert_eq!((store.count(), store.stats().evicted), (bound, 3 * bound));
    }
}

#[test]
fn entries_never_count_more_bytes_than_the_bound_says() {
    let bound = 100_000;
    let store = build(Store::builder().max_bytes(bound).shards(4));
    let mut dice = Dice::new(5);
    for key in 0..5000_u32 {
        let value = vec![7; dice.below(3000) as usize];
        store.set(name(key % 300), &value).expect("set");
        assert_eq!(store.get(name(key % 300)).as_deref(), Some(&value[..]));
        assert!(store.stats().bytes <= bound);
    }
    assert_eq!(store.stats().bytes, counted(&store));
    assert!(counted(&store) > bound - 10_000, "room was wasted");
}

#[test]
fn no_more_goes_than_has_to() {
    let (entries, bytes) = (100, 100_000);
    let store = build(Store::builder().max_entries(entries).max_bytes(bytes).shards(1));
    for key in 0..100 {
        store.set(name(key), "v").expect("set");
    }
    // There is no place, but there are bytes enough.
    store.set(name(100), vec![0; 5000]).expect("set");
    assert_eq!((store.count(), store.stats().evicted), (100, 1));
    // There is no place, and fewer bytes are missing than an entry counts.
    let left = bytes - store.stats().bytes;
    let len = left + 50 - ENTRY_BYTES - 4;
    store.set(name(101), vec![0; len as usize]).expect("set");
    assert_eq!((store.count(), store.stats().evicted), (100, 2));
}

#[test]
fn an_entry_as_large_as_the_store_takes_the_place_of_all_and_a_larger_one_is_refused() {
    let bound = 10_000;
    let store = build(Store::builder().max_bytes(bound).shards(8));
    for key in 0..100 {
        store.set(name(key), "v").expect("set");
    }
    store.set("k", "stands").expect("set");
    let most = (bound - ENTRY_BYTES) as usize - 1;
    let max = bound as usize;
    let refused = Err(Error::TooLarge { name: "entry", len: max + 1, max });
    assert_eq!(store.set("k", vec![0; most + 1]), refused);
    assert_eq!(store.get("k").as_deref(), Some(&b"stands"[..]));
    assert_eq!(store.set("l", vec![0; most]), Ok(SetResult::Created));
    assert_eq!((store.count(), store.stats().bytes), (1, bound));
}

#[test]
fn what_is_as_large_as_thousands_takes_the_place_of_all_of_them() {
    let bound = 3000 * (ENTRY_BYTES + 5);
    let store = build(Store::builder().max_bytes(bound).shards(2));
    for key in 0..3000 {
        store.set(name(key), "v").expect("set");
    }
    let large = vec![0; (bound - ENTRY_BYTES) as usize - 5];
    assert_eq!(store.set("large", large), Ok(SetResult::Created));
    assert!(store.contains("large"), "it found no room");
    assert_eq!((store.count(), store.stats().bytes, store.stats().evicted), (1, bound, 3000));
}

#[test]
fn small_bounds_are_not_split_into_shards() {
    let shards = |builder: StoreBuilder| build(builder).stats().shards;
    assert_eq!(shards(Store::builder().max_entries(1)), 1);
    assert_eq!(shards(Store::builder().max_entries(4095)), 1);
    // Any machine has one processor, and so four shards at least, if there is no bound.
    assert_eq!(shards(Store::builder().max_entries(2 * 2048)), 2);
    assert_eq!(shards(Store::builder().max_entries(4 * 2048 - 1)), 2);
    assert_eq!(shards(Store::builder().max_bytes(4095 * 2 * ENTRY_BYTES)), 1);
    assert_eq!(shards(Store::builder().max_bytes(2 * 2048 * 2 * ENTRY_BYTES)), 2);
    let most = shards(Store::builder());
    assert_eq!(shards(Store::builder().max_entries(u64::MAX)), most);
    assert_eq!(shards(Store::builder().max_entries(1).shards(8)), 8, "who says it gets it");
}

#[test]
fn what_is_used_stays_and_what_is_used_once_goes() {
    for bound in [20, 1000] {
        let by_bytes = Store::builder().max_bytes(bound * (ENTRY_BYTES + 8));
        for builder in [Store::builder().max_entries(bound), by_bytes] {
            let store = build(builder.shards(1));
            let hot = bound as u32 / 4;
            for key in 0..hot {
                store.set(name(key), "used").expect("set");
            }
            for round in 0..20 * bound as u32 {
                assert!(store.get(name(round % hot)).is_some(), "{} went", round % hot);
                store.set(name(100_000 + round), "once").expect("set");
            }
            assert_eq!(store.count(), bound);
        }
    }
}

#[test]
fn what_is_set_into_a_full_store_is_there_also_when_all_others_were_used() {
    for (bound, shards) in [(1000, 1), (20_000, 8)] {
        let store = build(Store::builder().max_entries(bound).shards(shards));
        for key in 0..bound as u32 {
            store.set(name(key), "used").expect("set");
            (0..3).for_each(|_| drop(store.get(name(key))));
        }
        for key in 0..1000 {
            store.set(name(100_000 + key), "new").expect("set");
            assert!(store.contains(name(100_000 + key)), "{key} found no room");
        }
        assert_eq!(store.count(), bound);
    }
}

#[test]
fn an_entry_of_a_batch_that_is_too_large_leaves_all_as_it_was() {
    let store = build(Store::builder().max_bytes(1000));
    let entries = [("a", vec![0; 10]), ("b", vec![0; 2000])];
    let refused = store.set_many(&entries).map_err(Error::from);
    assert!(matches!(refused, Err(Error::TooLarge { name: "entry", .. })));
    assert_eq!((store.count(), store.stats().bytes), (0, 0));
}

#[test]
fn a_store_that_rejects_finds_what_has_expired_behind_any_number_of_other_timers() {
    let clock = ManualClock::new();
    let builder = Store::builder().max_entries(2001).eviction(Eviction::Reject).clock(&clock);
    let store = build(builder.shards(1));
    for key in 0..2000 {
        store.set_with(name(key), "v", Ttl::After(MS)).expect("room");
        store.persist(name(key)).expect("persist");
    }
    store.set_with("ends", "v", Ttl::After(MS)).expect("room");
    assert_eq!(store.set("new", "v"), Err(Error::Full));
    clock.advance(MS);
    assert_eq!(store.set("new", "v"), Ok(SetResult::Created));
}

/// A way to use a key.
type Use = fn(&Store, [u8; 4]) -> bool;

#[test]
fn every_way_to_read_or_change_a_key_counts_as_use_and_to_ask_whether_it_is_there_does_not() {
    let ways: [(&str, Use, bool); 9] = [
        ("get", |store, key| store.get(key).is_some(), true),
        ("get_with", |store, key| store.get_with(key, |_| ()).is_some(), true),
        ("get_many", |store, key| store.get_many(&[key])[0].is_some(), true),
        ("session", |store, key| store.session().get(key).is_some(), true),
        ("get_ref", |store, key| store.get_ref(&rkv::Pin::new(), key).is_some(), true),
        ("set", |store, key| store.set(key, "1") == Ok(SetResult::Updated), true),
        ("incr", |store, key| store.incr(key, 1).is_ok_and(|sum| sum > 1), true),
        ("contains", |store, key| store.contains(key), false),
        ("ttl", |store, key| store.ttl(key).is_some(), false),
    ];
    for (way, use_it, counts) in ways {
        let store = build(Store::builder().max_entries(100).shards(1));
        let stays = (0..1000).all(|round| {
            if round == 0 {
                store.set(name(0), "1").expect("set");
            }
            store.set(name(1 + round), "1").expect("set");
            use_it(&store, name(0))
        });
        assert_eq!(stays, counts, "{way}");
    }
}

#[test]
fn a_store_that_rejects_says_full_and_changes_nothing() {
    let clock = ManualClock::new();
    let builder = Store::builder().max_entries(3).eviction(Eviction::Reject).clock(&clock);
    let store = build(builder.shards(1));
    for key in ["a", "b"] {
        store.set(key, "1").expect("room");
    }
    store.set_with("c", "1", Ttl::After(MS)).expect("room");
    assert_eq!(store.set("d", "1"), Err(Error::Full));
    assert_eq!(store.set_if_absent("d", "1"), Err(Error::Full));
    assert_eq!(store.incr("d", 1), Err(Error::Full));
    let put = store.compute("d", |_| Ok::<_, Error>(rkv::Op::Put(vec![1])));
    assert_eq!(put.err(), Some(Error::Full));
    assert_eq!(store.set("a", "2"), Ok(SetResult::Updated), "that needs no room");
    assert_eq!(store.incr("b", 1), Ok(2));
    assert_eq!(store.keys(""), [b"a", b"b", b"c"]);
    clock.advance(MS);
    assert_eq!(store.set("d", "1"), Ok(SetResult::Created), "c has made room");
    assert_eq!(store.set("e", "1"), Err(Error::Full));
    store.delete("a").expect("delete");
    assert_eq!(store.set("e", "1"), Ok(SetResult::Created));
    assert_eq!((store.count(), store.stats().evicted), (3, 0));
}

#[test]
fn a_store_that_rejects_has_room_wherever_something_has_expired() {
    let clock = ManualClock::new();
    let builder = Store::builder().max_entries(20).eviction(Eviction::Reject).clock(&clock);
    let store = build(builder.shards(16));
    for key in 0..20 {
        store.set_with(name(key), "ends", Ttl::After(MS)).expect("room");
    }
    assert_eq!(store.set("new", "1"), Err(Error::Full));
    clock.advance(MS);
    for key in 20..40 {
        assert_eq!(store.set(name(key), "new"), Ok(SetResult::Created));
    }
    assert_eq!(store.set("new", "1"), Err(Error::Full));
}

#[test]
fn what_has_expired_gives_its_room_to_the_next_of_its_key() {
    for eviction in [Eviction::S3Fifo, Eviction::Reject] {
        let clock = ManualClock::new();
        let builder = Store::builder().max_entries(3).eviction(eviction).clock(&clock);
        let store = build(builder.shards(1));
        for key in ["a", "b", "c"] {
            store.set_with(key, "ends", Ttl::After(MS)).expect("room");
        }
        clock.advance(MS);
        assert_eq!(store.set("a", "new"), Ok(SetResult::Created));
        assert_eq!(store.incr("b", 1), Ok(1));
        let stats = store.stats();
        assert_eq!((stats.entries, stats.expired_lazily, stats.evicted), (3, 2, 0), "c is there");
        assert_eq!(store.delete("c"), Ok(None));
        assert_eq!(
            (store.stats().bytes, counted(&store)),
            (2 * ENTRY_BYTES + 6, 2 * ENTRY_BYTES + 6)
        );
    }
}

#[test]
fn a_store_that_rejects_takes_the_last_byte() {
    let builder = Store::builder().max_bytes(3 * (ENTRY_BYTES + 10));
    let store = build(builder.eviction(Eviction::Reject));
    for key in ["a", "b", "c"] {
        store.set(key, "123456789").expect("room");
    }
    assert_eq!(store.set("a", "1234567890"), Err(Error::Full));
    assert_eq!(store.get("a").as_deref(), Some(&b"123456789"[..]));
    store.set("b", "12345678").expect("room");
    assert_eq!(store.set("a", "1234567890"), Ok(SetResult::Updated));
    assert_eq!(store.stats().bytes, 3 * (ENTRY_BYTES + 10));
}

#[test]
fn what_has_expired_goes_before_what_is_alive() {
    let clock = ManualClock::new();
    let store = build(Store::builder().max_entries(100).shards(16).clock(&clock));
    for key in 0..50 {
        store.set(name(key), "stays").expect("set");
        store.set_with(name(100 + key), "ends", Ttl::After(MS)).expect("set");
    }
    clock.advance(MS);
    for key in 200..250 {
        store.set(name(key), "new").expect("set");
    }
    let alive = (0..50).chain(200..250).filter(|&key| store.contains(name(key))).count();
    assert_eq!((alive, store.stats().evicted, store.count()), (100, 0, 100));
}

#[test]
fn figures_tell_timers_that_entries_need_from_those_of_what_was_evicted() {
    let clock = ManualClock::new();
    let builder = Store::builder().max_entries(10).default_ttl(3600 * 1000 * MS).clock(&clock);
    let store = build(builder.shards(1));
    let timers = || {
        while store.advance() == Ok(Some(Duration::ZERO)) {}
        let stats = store.stats();
        (stats.timers, stats.stale_timers)
    };
    for _ in 0..5 {
        let entries: Vec<_> = (0..10).map(|key| (name(key), "v")).collect();
        store.set_many(&entries).expect("room");
        clock.advance(MS);
    }
    assert_eq!(timers(), (10, 0), "a batch that moves deadlines on parks no second timer");
    for key in 10..40 {
        store.set(name(key), "v").expect("set");
    }
    assert_eq!((timers(), store.stats().evicted), ((40, 30), 30));
}

#[test]
fn bounds_that_nothing_fits_into_are_refused_by_name() {
    let refused = |builder: StoreBuilder| match builder.build() {
        Err(Error::InvalidArgument { name, .. }) => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(Store::builder().max_entries(0)), "max_entries");
    assert_eq!(refused(Store::builder().max_bytes(ENTRY_BYTES - 1)), "max_bytes");
    let store = build(Store::builder().max_bytes(ENTRY_BYTES));
    assert_eq!(store.set("", ""), Ok(SetResult::Created));
}

#[test]
fn threads_never_pass_the_bounds_and_every_account_is_right_in_the_end() {
    const ENTRIES: u64 = 500;
    const BYTES: u64 = 100_000;
    let clock = ManualClock::new();
    let builder = Store::builder().max_entries(ENTRIES).max_bytes(BYTES).shards(4);
    let store = build(builder.clock(&clock));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|seed| {
                let (store, clock) = (&store, &clock);
                scope.spawn(move || {
                    let mut dice = Dice::new(seed);
                    for _ in 0..if cfg!(rkv_watched) { 4000 } else { 20_000 } {
                        any_call(store, &mut dice);
                        clock.advance(Duration::from_micros(50));
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !done.load(Relaxed) {
                assert!(store.stats().bytes <= BYTES);
            }
        });
        let outcomes: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        done.store(true, Relaxed);
        assert!(outcomes.iter().all(Result::is_ok));
    });
    assert_eq!(counted(&store), store.stats().bytes);
    assert_eq!(store.count(), store.scan("").count() as u64);
    assert!(store.count() <= ENTRIES && store.stats().evicted > 0);
    store.clear().expect("clear");
    assert_eq!((store.count(), store.stats().bytes), (0, 0));
}

/// A call that changes something, or not.
fn any_call(store: &Store, dice: &mut Dice) {
    let key = name(dice.below(1000) as u32);
    let value = vec![1; dice.below(400) as usize];
    let ttl = Ttl::After(MS * (1 + dice.below(30) as u32));
    match dice.below(12) {
        0..3 => drop(store.set(key, value).expect("set")),
        3 => drop(store.set_with(key, value, ttl).expect("set")),
        4 => drop(store.set_if_absent(key, value).expect("set")),
        5 => store.set_many(&[(key, value)]).expect("set"),
        6 => drop(store.delete(key).expect("delete")),
        7 => drop(store.expire(key, ttl).expect("expire")),
        8 => drop(store.persist(key).expect("persist")),
        9 => drop(store.compute(key, |_| Ok::<_, Error>(rkv::Op::Put(value.clone())))),
        10 => drop(store.advance().expect("advance")),
        _ => drop(store.get(key)),
    }
}
