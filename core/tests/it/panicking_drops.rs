//! A `Drop` that panics surfaces in some thread that frees, and stops no other drop.
//!
//! Any thread of the process may be the one that frees, so these tests run in processes of their
//! own: the test calls its own binary and asks for itself alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use crate::census::{Census, Tracked};
use crate::maps::{self, Map};

/// Names the test that this process was started for.
const ALONE: &str = "RKV_TEST_ALONE";

/// More flushes than the few batches of these tests can take.
const FLUSHES: usize = 1_000;

/// Runs `body` in a process that runs nothing but `test`, which is where this is called.
fn alone(test: &str, body: impl FnOnce()) {
    // Miri knows no processes, and runs one test at a time anyway.
    if cfg!(miri) || std::env::var_os(ALONE).is_some_and(|name| name == test) {
        return body();
    }
    let path = format!("{}::{test}", module_path!().split_once("::").expect("a module").1);
    let binary = std::env::current_exe().expect("the path of this test binary");
    let mut command = Command::new(binary);
    let output = command.args(["--exact", &path]).env(ALONE, test).output().expect("a process");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}{}", String::from_utf8_lossy(&output.stderr));
    assert!(report.contains("1 passed"), "no test has the path {path}");
}

/// A value whose `Drop` panics if it is `explosive`, after it has counted.
struct Charge {
    explosive: bool,
    _life: Tracked<()>,
}

impl Drop for Charge {
    fn drop(&mut self) {
        assert!(!self.explosive, "user code panics");
    }
}

type ChargeMap = Map<u32, Charge, ahash::RandomState>;

/// Inserts `count` values, one in ten of them explosive.
fn fill(map: &ChargeMap, census: &Census, count: u32) {
    for key in 0..count {
        let charge = Charge { explosive: key.is_multiple_of(10), _life: census.bear(()) };
        let insert = || {
            map.pin().insert(key, charge);
        };
        // An insert may be what frees earlier values.
        drop(catch_unwind(AssertUnwindSafe(insert)));
    }
}

/// Flushes until nothing is alive, through all panics; how many there were.
fn flush_all(census: &Census) -> usize {
    let mut panics = 0;
    for _ in 0..FLUSHES {
        panics += usize::from(catch_unwind(rkv::flush).is_err());
    }
    census.settle();
    panics
}

#[test]
fn every_other_value_is_dropped_all_the_same() {
    alone("every_other_value_is_dropped_all_the_same", || {
        let (map, census) = (maps::tiny(ahash::RandomState::new()), Census::default());
        fill(&map, &census, 1_000);
        assert_eq!(map.pin().len(), 1_000);
        let mut panics = 0;
        for key in 0..1_000 {
            let remove = || assert!(map.pin().remove(&key).is_some());
            panics += usize::from(catch_unwind(AssertUnwindSafe(remove)).is_err());
        }
        assert!(map.pin().is_empty());
        panics += flush_all(&census);
        assert!(panics > 0, "the panics were swallowed");
        fill(&map, &census, 5);
        assert_eq!(map.pin().len(), 5);
        drop(catch_unwind(AssertUnwindSafe(|| drop(map))));
        flush_all(&census);
    });
}

#[test]
fn a_thread_that_ends_with_such_garbage_ends_quietly() {
    alone("a_thread_that_ends_with_such_garbage_ends_quietly", || {
        let (map, census) = (maps::tiny(ahash::RandomState::new()), Census::default());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                fill(&map, &census, 20);
                for key in 0..20 {
                    let remove = || assert!(map.pin().remove(&key).is_some());
                    drop(catch_unwind(AssertUnwindSafe(remove)));
                }
            });
        });
        flush_all(&census);
        assert!(map.pin().is_empty());
    });
}

#[test]
fn a_map_dropped_with_such_values_drops_the_others() {
    alone("a_map_dropped_with_such_values_drops_the_others", || {
        let (map, census) = (maps::tiny(ahash::RandomState::new()), Census::default());
        fill(&map, &census, 100);
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(map)));
        assert!(dropped.is_err(), "the panic was swallowed");
        flush_all(&census);
    });
}

#[test]
fn a_session_is_still_pinned_after_such_a_drop_in_its_renewal() {
    alone("a_session_is_still_pinned_after_such_a_drop_in_its_renewal", || {
        let (map, census) = (maps::tiny(ahash::RandomState::new()), Census::default());
        fill(&map, &census, 300);
        {
            // Nothing becomes ready under a pin, so that only the session can free it.
            let _held = map.pin();
            for key in 0..300 {
                assert!(map.pin().remove(&key).is_some());
            }
        }
        let store = rkv::Store::new();
        let mut session = store.session();
        let panicked = (0..10_000_u32).any(|n| {
            let set = || session.set("k", n.to_le_bytes()).is_ok();
            catch_unwind(AssertUnwindSafe(set)).is_err()
        });
        assert!(panicked, "the session freed nothing");
        // What is retired from here on must wait for the session.
        let (later, waiting) =
            (maps::tiny::<u32, _, _>(ahash::RandomState::new()), Census::default());
        let retire = || later.pin().insert(1, waiting.bear(())).is_none();
        drop(catch_unwind(AssertUnwindSafe(retire)));
        drop(catch_unwind(AssertUnwindSafe(|| later.pin().remove(&1).is_some())));
        for _ in 0..8 {
            drop(catch_unwind(rkv::flush));
        }
        assert_eq!((later.len(), waiting.alive()), (0, 1), "the session is not pinned");
        assert!(session.get("k").is_some());
        drop(session);
        flush_all(&census);
    });
}
