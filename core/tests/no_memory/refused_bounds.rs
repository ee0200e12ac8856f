//! Where memory is refused, a bounded store keeps its bound and its accounts, and loses nothing
//! that it need not.

use std::thread;
use std::time::Duration;

use rkv::{ENTRY_BYTES, Error, ManualClock, SetResult, Store, StoreBuilder, Ttl};

use crate::allocator::{
    RECORD_BYTES_MIN, blocks_refused, with_arrays, without_blocks, without_records,
};

/// What the eviction queues take at a time.
const QUEUE_BYTES: usize = 1024;

/// What the handle of an entry takes that waits for the queues.
const PARCEL_BYTES: usize = 24;

/// What a timer takes on its way to the wheel.
const TIMER_BYTES: usize = 32;

/// What the wheel takes for some timers lies between these.
const WHEEL_BYTES: (usize, usize) = (241, 256);

const MS: Duration = Duration::from_millis(1);

fn one_shard(builder: StoreBuilder) -> Store {
    builder.shards(1).build().expect("one shard")
}

fn name(key: u32) -> [u8; 4] {
    key.to_le_bytes()
}

/// Whether a key that is new is there when it was set; it counts as set in any case.
fn comes(store: &Store, key: u32) -> bool {
    assert_eq!(store.set(name(key), "v"), Ok(SetResult::Created));
    store.contains(name(key))
}

#[track_caller]
fn assert_accounts_are_right(store: &Store, bound: u64) {
    let counted = |entry: rkv::Value| (entry.key().len() + entry.len()) as u64 + ENTRY_BYTES;
    assert_eq!(store.stats().bytes, store.scan("").map(counted).sum::<u64>());
    assert_eq!(store.count(), store.scan("").count() as u64);
    assert!(store.count() <= bound, "{} entries", store.count());
}

/// A call that writes a large value, which needs room or takes the place of another.
type Write = fn(&Store, &[u8]) -> rkv::Result<()>;

const WRITES: [(&str, Write); 6] = [
    ("set", |store, large| store.set("new", large).map(drop)),
    ("set on a key", |store, large| store.set(name(7), large).map(drop)),
    ("set_if_absent", |store, large| store.set_if_absent("new", large).map(drop)),
    ("set_with", |store, large| store.set_with("new", large, Ttl::After(MS)).map(drop)),
    ("set_many", |store, large| Ok(store.set_many(&[(&b"new"[..], large)])?)),
    ("session", |store, large| store.session().set("new", large).map(drop)),
];

#[test]
fn a_write_to_a_full_store_whose_record_or_timer_is_refused_evicts_nothing() {
    let bytes = 50 * (ENTRY_BYTES + 5) + RECORD_BYTES_MIN as u64;
    let store = one_shard(Store::builder().max_entries(50).max_bytes(bytes));
    (0..50).for_each(|key| assert!(comes(&store, key)));
    let large = vec![0; RECORD_BYTES_MIN];
    let is_untouched = || {
        assert_accounts_are_right(&store, 50);
        let stands = (0..50).all(|key| store.get(name(key)).as_deref() == Some(b"v"));
        stands && store.stats().evicted == 0
    };
    for (call, write) in WRITES {
        assert_eq!(without_records(|| write(&store, &large)), Err(Error::NoMemory), "{call}");
        assert!(is_untouched(), "{call}");
    }
    let timed = without_blocks(TIMER_BYTES, TIMER_BYTES, || {
        let ttl = Ttl::After(MS);
        (store.set_with("new", "v", ttl), store.set_with(name(7), "longer", ttl))
    });
    assert_eq!(timed, (Err(Error::NoMemory), Err(Error::NoMemory)));
    assert!(is_untouched(), "timers");
    assert_eq!(store.set("new", &large), Ok(SetResult::Created));
    assert_accounts_are_right(&store, 50);
}

#[test]
fn a_bounded_store_whose_table_gets_no_memory_keeps_its_accounts() {
    for granted in 0..6 {
        let store = one_shard(Store::builder().max_entries(200));
        let fill = || {
            let refused = |key: &u32| store.set(name(*key), "v") == Err(Error::NoMemory);
            (0..1000).filter(refused).count()
        };
        with_arrays(granted, u32::MAX, || {
            fill();
            assert_accounts_are_right(&store, 200);
        });
        assert_eq!(fill(), 0, "there is memory again");
        assert_accounts_are_right(&store, 200);
        assert_eq!(store.count(), 200);
    }
}

#[test]
fn entries_that_the_queues_get_no_memory_for_stay_and_are_evicted_by_chance() {
    let store = one_shard(Store::builder().max_entries(200));
    // The first use of a thread takes memory of its own.
    assert!(!store.contains("a"));
    let without_queues = |from: u32, to: u32| {
        let come = || (from..to).filter(|&key| comes(&store, key)).count();
        let come = without_blocks(QUEUE_BYTES, QUEUE_BYTES, come);
        assert!(blocks_refused() as usize >= come, "each handle asks for memory");
        assert_accounts_are_right(&store, 200);
        come
    };
    assert_eq!(without_queues(0, 200), 200);
    assert!((0..200).all(|key| store.contains(name(key))), "nothing had to go");
    assert_eq!(store.stats().evicted, 0);
    // Mostly there is an entry near a new one, which may go.
    assert!(without_queues(200, 1000) > 600);
    // There is memory again, for handles of new entries.
    let come = (1000..3000).filter(|&key| comes(&store, key)).count();
    assert!(come > 1800, "{come}");
    assert_accounts_are_right(&store, 200);
    assert_eq!(store.count(), 200);
    assert_eq!(store.clear(), Ok(200));
    assert_accounts_are_right(&store, 0);
}

#[test]
fn threads_that_get_no_memory_for_handles_lose_no_entry_and_pass_no_bound() {
    const EACH: u32 = 2500;
    let store = one_shard(Store::builder().max_entries(4 * u64::from(EACH)));
    let all_set = |from: u32| {
        thread::scope(|scope| {
            for (thread, refused) in (0..4).zip([PARCEL_BYTES, QUEUE_BYTES].repeat(2)) {
                let store = &store;
                let keys = move || (from..from + EACH).map(move |key| key * 4 + thread);
                scope.spawn(move || {
                    assert!(!store.contains("a"));
                    without_blocks(refused, refused, || {
                        keys().for_each(|key| _ = comes(store, key));
                    });
                });
            }
        });
        assert_accounts_are_right(&store, 4 * u64::from(EACH));
    };
    all_set(0);
    assert!((0..4 * EACH).all(|key| store.contains(name(key))));
    assert_eq!(store.stats().evicted, 0);
    all_set(EACH);
    assert!((8 * EACH..9 * EACH).filter(|&key| comes(&store, key)).count() > 2000);
    assert_accounts_are_right(&store, 4 * u64::from(EACH));
}

#[test]
fn what_has_expired_makes_room_where_its_timer_gets_no_memory() {
    let clock = ManualClock::new();
    let store = one_shard(Store::builder().max_entries(40).clock(&clock));
    let (least, most) = WHEEL_BYTES;
    let come = without_blocks(least, most, || {
        let set = |key: u32| store.set_with(name(key), "ends", Ttl::After(MS));
        (0..40).for_each(|key| assert_eq!(set(key), Ok(SetResult::Created)));
        clock.advance(MS);
        (40..60).filter(|&key| comes(&store, key)).count()
    });
    assert!(blocks_refused() > 0);
    let stats = store.stats();
    assert_eq!((come, stats.evicted), (20, 0));
    assert!(stats.expired_lazily > 0, "the queues met them");
    assert_eq!(stats.entries + stats.expired_lazily + stats.expired_actively, 60);
    store.purge_expired().expect("purge");
    assert_accounts_are_right(&store, 20);
}
