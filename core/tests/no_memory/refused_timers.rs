//! Timers that get no memory in the wheel are kept until there is some.

use std::time::Duration;

use rkv::{ManualClock, Store, Ttl};

use crate::allocator::without_blocks;

/// What the wheel takes for some timers lies between these, and nothing else of an advance does.
const WHEEL_BYTES: (usize, usize) = (241, 256);

const MS: Duration = Duration::from_millis(1);

fn store() -> (Store, ManualClock) {
    let clock = ManualClock::new();
    let store = Store::builder().shards(1).clock(&clock).build().expect("memory");
    (store, clock)
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
