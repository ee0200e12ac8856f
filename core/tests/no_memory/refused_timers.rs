//! A key that gets no memory for its timer is not set; timers that get none in the wheel are kept.

use std::time::Duration;

use rkv::{Error, ManualClock, Remaining, Store, Ttl};

use crate::allocator::without_blocks;

/// What a timer takes on its way to the wheel.
const TIMER_BYTES: usize = 32;

/// What the wheel takes for some timers lies between these, and nothing else of an advance does.
const WHEEL_BYTES: (usize, usize) = (241, 256);

const MS: Duration = Duration::from_millis(1);

fn store() -> (Store, ManualClock) {
    let clock = ManualClock::new();
    let store = Store::builder().shards(1).clock(&clock).build().expect("memory");
    (store, clock)
}

#[test]
fn a_key_whose_timer_is_refused_stands_as_it_stood() {
    let (store, clock) = store();
    store.set("k", "stands").expect("set");
    let version = store.get("k").expect("set").version();
    let after = Ttl::After(MS);
    // Looked at afterwards: to say what is wrong takes memory.
    let answers = without_blocks(TIMER_BYTES, TIMER_BYTES, || {
        let set = [store.set_with("k", "v", after), store.set_with("new", "v", after)];
        (set, store.expire("k", after), store.persist("k"))
    });
    let refused = [Err(Error::NoMemory), Err(Error::NoMemory)];
    assert_eq!(answers, (refused, Err(Error::NoMemory), Ok(true)));
    clock.advance(MS);
    assert_eq!(store.purge_expired(), Ok(0));
    let stands = store.get("k").expect("nothing removed it");
    assert_eq!((&*stands, stands.version()), (&b"stands"[..], version));
    assert_eq!((store.count(), store.ttl("k")), (1, Some(Remaining::Never)));
}

#[test]
fn timers_that_the_wheel_has_no_memory_for_are_kept_until_it_has() {
    let (store, clock) = store();
    for key in 0..40_u32 {
        let ttl = Ttl::After(MS * (1 + key));
        store.set_with(key.to_le_bytes(), "v", ttl).expect("set");
    }
    let (least, most) = WHEEL_BYTES;
    let again = without_blocks(least, most, || {
        let again = store.advance();
        clock.advance(MS * 20);
        assert!((20..=40).contains(&store.count()), "what is due may stay, what is not must");
        (again, store.advance())
    });
    let soon = Ok(Some(10 * MS));
    assert_eq!(again, (soon.clone(), soon));
    assert!(!store.contains(0_u32.to_le_bytes()) && store.contains(20_u32.to_le_bytes()));
    while store.advance() == Ok(Some(Duration::ZERO)) {}
    assert_eq!(store.stats().entries, 20);
    clock.advance(MS * 20);
    store.purge_expired().expect("purge");
    assert_eq!((store.stats().entries, store.stats().timers), (0, 0));
}

#[test]
fn a_batch_with_a_refused_timer_is_not_applied_at_all() {
    let store = Store::builder().default_ttl(MS).build().expect("memory");
    // The first use of a thread takes memory of its own.
    assert!(!store.contains("a"));
    // Three, so that what the batch makes of them is of other sizes.
    let entries = [("a", "1"), ("b", "2"), ("c", "3")];
    let refused = without_blocks(TIMER_BYTES, TIMER_BYTES, || store.set_many(&entries));
    assert_eq!(refused, Err(Error::NoMemory.into()));
    assert_eq!(store.stats().entries, 0);
}
