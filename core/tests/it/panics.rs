//! User code that panics leaves a map or a store consistent, and loses and doubles nothing.
//!
//! Method: each call is repeated with a panic in the first, second, third ... piece of user code
//! that it runs, until it runs to its end. After each attempt the map must hold exactly what it
//! held before or what the whole call would have made of it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rkv::{Op, Store, Value};

use crate::census::{Census, Tracked};
use crate::hashers::Masked;
use crate::maps::{self, Map, Operation};

thread_local! {
    /// Pieces of user code that may still run before one panics; `None` when all may.
    static FUSE: Cell<Option<u32>> = const { Cell::new(None) };
}

/// More pieces of user code than any call of these tests runs.
const FUSES: u32 = 1_000;

/// A piece of user code: panics when the fuse has burnt down.
fn spark() {
    let left = FUSE.get();
    assert!(left != Some(0), "user code panics");
    FUSE.set(left.map(|left| left - 1));
}

/// A key whose `Hash` and `Eq` may panic.
struct Touchy(Tracked<u32>);

impl Hash for Touchy {
    fn hash<H: Hasher>(&self, state: &mut H) {
        spark();
        self.0.hash(state);
    }
}

impl PartialEq for Touchy {
    fn eq(&self, other: &Self) -> bool {
        spark();
        self.0 == other.0
    }
}

impl Eq for Touchy {}

type TouchyMap = Map<Touchy, Tracked<u64>, Masked>;

/// The entries of `map`, read with an unlit fuse.
fn contents(map: &TouchyMap) -> BTreeMap<u32, u64> {
    let pinned = map.pin();
    let entries: BTreeMap<_, _> = pinned.iter().map(|(key, value)| (*key.0, **value)).collect();
    assert_eq!((entries.len(), pinned.iter().count()), (pinned.len(), pinned.len()));
    entries
}

/// Repeats `call` with ever later panics on maps of `size` entries.
fn survive(hasher: Masked, size: u32, call: impl Fn(&TouchyMap, &Census)) {
    let census = Census::default();
    let key = |n| Touchy(census.bear(n));
    let mut after_whole_call = None;
    let mut between = Vec::new();
    for fuse in 0..FUSES {
        let map = maps::tiny(hasher);
        (0..size).for_each(|n| {
            map.pin().insert(key(n), census.bear(u64::from(n)));
        });
        let before = contents(&map);
        FUSE.set(Some(fuse));
        let outcome = catch_unwind(AssertUnwindSafe(|| call(&map, &census)));
        FUSE.set(None);
        between.push((before, contents(&map)));
        // The map is as usable as before: every key answers, and the next write goes through.
        assert!(contents(&map).keys().all(|n| map.pin().get(&key(*n)).is_some()));
        assert!(map.pin().insert(key(9999), census.bear(0)).is_none());
        assert!(map.pin().remove(&key(9999)).is_some());
        drop(map);
        if outcome.is_ok() {
            after_whole_call = between.pop().map(|(_, after)| after);
            break;
        }
    }
    let whole = after_whole_call.expect("some attempt runs to its end");
    assert!(!between.is_empty(), "the call ran no user code");
    for (fuse, (before, after)) in between.iter().enumerate() {
        assert!(after == before || *after == whole, "half a call after {fuse} pieces of code");
    }
    census.settle();
}

/// Runs `call` on an empty map, on a few keys, and on keys that share a hash.
fn survive_everywhere(call: impl Fn(&TouchyMap, &Census)) {
    survive(Masked::IDENTITY, 5, &call);
    survive(Masked::CONSTANT, 5, &call);
    survive(Masked::CONSTANT, 1, &call);
    survive(Masked::FEW_BITS, 30, &call);
}

fn name(census: &Census, key: u32) -> Touchy {
    Touchy(census.bear(key))
}

#[test]
fn reads_survive_panics_in_hash_and_eq() {
    survive_everywhere(|map, census| {
        assert!(map.pin().get(&name(census, 0)).is_some());
        assert!(!map.pin().contains_key(&name(census, 100)));
    });
}

#[test]
fn insert_survives_panics_in_hash_and_eq() {
    survive_everywhere(|map, census| {
        map.pin().insert(name(census, 0), census.bear(50));
    });
    survive_everywhere(|map, census| {
        map.pin().insert(name(census, 100), census.bear(50));
    });
}

#[test]
fn remove_survives_panics_in_hash_and_eq() {
    survive_everywhere(|map, census| {
        map.pin().remove(&name(census, 0));
    });
}

#[test]
fn growth_survives_panics_in_hash_and_eq() {
    // Nothing rehashes on a resize, but the inserts that help with it compare keys.
    let census = Census::default();
    let map = maps::tiny(Masked::FEW_BITS);
    let (mut stored, mut failed) = (0, 0);
    for turn in 0..400 {
        FUSE.set(Some(turn % 9));
        let insert = || map.pin().insert(name(&census, turn), census.bear(1)).is_none();
        match catch_unwind(AssertUnwindSafe(insert)) {
            Ok(created) => stored += usize::from(created),
            Err(_) => failed += 1,
        }
        FUSE.set(None);
    }
    assert!(stored > 0 && failed > 0, "{stored} stored, {failed} failed");
    assert_eq!(contents(&map).len(), stored);
    drop(map);
    census.settle();
}

#[test]
fn update_closures_may_panic() {
    survive_everywhere(|map, census| {
        let change = |old: &Tracked<u64>| {
            spark();
            census.bear(**old + 50)
        };
        map.pin().update(name(census, 0), change);
    });
    survive_everywhere(|map, census| {
        let change = |old: &Tracked<u64>| census.bear(**old);
        let make = || {
            spark();
            census.bear(50)
        };
        map.pin().update_or_insert_with(name(census, 100), change, make);
    });
}

#[test]
fn compute_closures_may_panic() {
    for wish in 0..3 {
        survive_everywhere(|map, census| {
            map.pin().compute(name(census, 0), |_| {
                spark();
                match wish {
                    0 => Operation::Insert(census.bear(50)),
                    1 => Operation::Remove,
                    _ => Operation::Abort(census.bear(0)),
                }
            });
        });
    }
}

#[test]
fn insertion_closures_may_panic() {
    survive_everywhere(|map, census| {
        map.pin().get_or_insert_with(name(census, 100), || {
            spark();
            census.bear(50)
        });
    });
    survive_everywhere(|map, census| {
        let make = || {
            spark();
            census.bear(50)
        };
        assert!(map.pin().try_insert_with(name(census, 100), make).is_ok());
    });
}

#[test]
fn removal_closures_may_panic() {
    survive_everywhere(|map, census| {
        let wanted = |_: &Touchy, _: &Tracked<u64>| {
            spark();
            true
        };
        assert!(map.pin().remove_if(&name(census, 0), wanted).is_ok());
    });
}

#[test]
fn retain_that_panics_keeps_what_it_did_not_reach() {
    let census = Census::default();
    let map = maps::tiny(Masked::IDENTITY);
    (0..100).for_each(|key| {
        map.pin().insert(name(&census, key), census.bear(0));
    });
    FUSE.set(Some(40));
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        map.pin().retain(|_, _| {
            spark();
            false
        });
    }));
    FUSE.set(None);
    assert!(outcome.is_err());
    assert_eq!(contents(&map).len(), 60);
    drop(map);
    census.settle();
}

#[test]
fn a_panicking_iteration_leaves_the_map_alone() {
    let census = Census::default();
    let map = maps::tiny(Masked::IDENTITY);
    (0..100).for_each(|key| {
        map.pin().insert(name(&census, key), census.bear(0));
    });
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        map.pin().iter().for_each(|(key, _)| assert_ne!(*key.0, 50, "user code panics"));
    }));
    assert!(outcome.is_err());
    assert_eq!(contents(&map).len(), 100);
    drop(map);
    census.settle();
}

#[test]
fn store_closures_may_panic() {
    let store = Store::builder().shards(1).build().expect("one shard");
    store.set("k", "v").expect("set");
    let version = store.get("k").expect("it was set").version();
    let panics = |call: &dyn Fn(&Store)| {
        assert!(catch_unwind(AssertUnwindSafe(|| call(&store))).is_err());
        let stands = store.get("k").expect("nothing removed it");
        assert_eq!((&*stands, stands.version()), (&b"v"[..], version));
        assert!(!store.contains("new"));
    };
    panics(&|store| {
        let bytes = store.get_with("k", |bytes| {
            assert!(bytes.is_empty(), "user code panics");
            bytes.len()
        });
        unreachable!("{bytes:?} although user code panicked");
    });
    for key in ["k", "new"] {
        panics(&|store| {
            let closure = |_: Option<&Value>| -> rkv::Result<Op> { panic!("user code panics") };
            drop(store.compute(key, closure));
        });
    }
    panics(&|store| {
        let mut session = store.session();
        session.get_many(&["new", "k"], |index, _| assert_ne!(index, 1, "user code panics"));
    });
    panics(&|store| store.scan("").for_each(|v| assert!(v.is_empty(), "user code panics")));
    assert_eq!(store.session().get("k"), Some(&b"v"[..]));
    assert_eq!(store.count(), 1);
}
