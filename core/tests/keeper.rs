//! The keeper: it comes with the first deadline, removes what has expired, and goes with the last
//! store. A process of its own, so that no other test's stores keep it.

#![cfg(target_os = "linux")]

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, thread};

use rkv::{ManualClock, Store, Ttl};

/// How long the keeper may take on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// One test at a time: they count the keeper's threads.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    keepers_become(0);
    turn
}

/// Threads of this process that are keepers.
fn keepers() -> usize {
    let tasks = fs::read_dir("/proc/self/task").expect("the process has threads");
    let names = tasks.flatten().map(|task| fs::read_to_string(task.path().join("comm")));
    names.flatten().filter(|name| name.trim() == "rkv-keeper").count()
}

/// The system lists a thread under its name a moment after it began, and a moment after it ended.
fn keepers_become(number: usize) {
    until("the number of keepers should change", || keepers() == number);
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "{what}, in vain");
        thread::yield_now();
    }
}

fn millis(ms: u64) -> Ttl {
    Ttl::After(Duration::from_millis(ms))
}

const HOUR: Ttl = Ttl::After(Duration::from_secs(3600));

#[test]
fn what_has_expired_goes_while_nobody_uses_the_store() {
    let _turn = turn();
    let store = Store::new();
    store.set("stays", "v").expect("set");
    for key in 0..2000_u64 {
        store.set_with(key.to_le_bytes(), "v", millis(5 + key % 50)).expect("set");
    }
    until("the keeper should remove 2000 keys", || store.stats().entries == 1);
    until("no timer should be left", || store.stats().timers == 0);
    keepers_become(1);
}

#[test]
fn an_earlier_deadline_wakes_it() {
    let _turn = turn();
    let (store, other) = (Store::new(), Store::new());
    store.set_with("late", "v", HOUR).expect("set");
    for _ in 0..100 {
        for (store, left) in [(&store, 1), (&other, 0)] {
            store.set_with("soon", "v", millis(1)).expect("set");
            until("the keeper should wake", || store.stats().entries == left);
        }
    }
    assert!(store.contains("late"));
}

#[test]
fn it_comes_with_the_first_deadline_and_goes_with_the_last_store() {
    let _turn = turn();
    let (one, two, never) = (Store::new(), Store::new(), Store::new());
    one.set("k", "v").expect("set");
    assert_eq!(keepers(), 0);
    one.set_with("k", "v", HOUR).expect("set");
    two.set_with("k", "v", HOUR).expect("set");
    keepers_become(1);
    drop(one);
    assert_eq!(keepers(), 1);
    drop(two);
    keepers_become(0);
    drop(never);
}

#[test]
fn stores_may_begin_and_end_on_many_threads_at_once() {
    let _turn = turn();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..100_u64 {
                    let store = Store::new();
                    store.set_with("k", "v", millis(1 + round % 3)).expect("set");
                    if round % 4 == 0 {
                        until("each store has a keeper", || store.stats().entries == 0);
                    }
                }
            });
        }
    });
    keepers_become(0);
}

#[test]
fn stores_that_are_told_not_to_have_none() {
    let _turn = turn();
    let manual = Store::builder().maintenance(false).build().expect("memory");
    manual.set_with("k", "v", HOUR).expect("set");
    let tested = Store::builder().clock(&ManualClock::new()).build().expect("memory");
    tested.set_with("k", "v", HOUR).expect("set");
    assert_eq!(keepers(), 0);
}
