//! Deadlines: refused ones, passed ones, and many threads that set, refresh, expire and read.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::thread;
use std::time::{Duration, SystemTime};

use rkv::{Error, ManualClock, Op, Remaining, SetResult, Store, Ttl};

use crate::dice::Dice;
use crate::stress::preempt::Preempted;

const MS: Duration = Duration::from_millis(1);

fn store() -> (Store, ManualClock) {
    let clock = ManualClock::new();
    let store = Store::builder().clock(&clock).build().expect("memory");
    (store, clock)
}

#[test]
fn a_time_to_live_of_zero_is_refused_and_changes_nothing() {
    let (store, _) = store();
    store.set("k", "v").expect("set");
    let zero = Ttl::After(Duration::ZERO);
    assert_eq!(store.set_with("k", "w", zero), Err(Error::InvalidTtl));
    assert_eq!(store.set_if_absent_with("new", "w", zero), Err(Error::InvalidTtl));
    assert_eq!(store.set_many_with(&[("new", "w")], zero), Err(Error::InvalidTtl.into()));
    let put = store.compute("k", |_| rkv::Result::Ok(Op::PutFor(vec![], zero)));
    assert_eq!(put.err(), Some(Error::InvalidTtl));
    assert_eq!(store.expire("k", zero), Err(Error::InvalidTtl));
    assert_eq!(store.expire("k", Ttl::Keep), Err(Error::InvalidTtl));
    assert_eq!(store.touch("k", Duration::ZERO), Err(Error::InvalidTtl));
    let built = Store::builder().default_ttl(Duration::ZERO).build();
    assert_eq!(built.err(), Some(Error::InvalidTtl));
    assert_eq!(store.get("k").as_deref(), Some(&b"v"[..]));
    assert_eq!(store.ttl("k"), Some(Remaining::Never));
}

#[test]
fn a_deadline_that_has_passed_removes_the_key_and_stores_nothing() {
    let (store, clock) = store();
    clock.advance(Duration::from_secs(10));
    store.set("k", "v").expect("set");
    let past = Ttl::At(SystemTime::UNIX_EPOCH + Duration::from_secs(10));
    assert_eq!(store.set_with("k", "w", past), Ok(SetResult::Expired));
    assert_eq!((store.get("k"), store.count()), (None, 0));
    store.set("k", "v").expect("set");
    assert_eq!(store.expire("k", past), Ok(true));
    assert_eq!(store.expire("k", past), Ok(false));
    assert!(!store.contains("k"));
}

#[test]
fn versions_grow_across_an_end_that_nobody_met() {
    let (store, clock) = store();
    store.set_with("k", "v", Ttl::After(MS)).expect("set");
    let before = store.get("k").expect("live").version();
    clock.advance(MS);
    assert_eq!(store.set("k", "w"), Ok(SetResult::Created));
    let after = store.get("k").expect("live").version();
    assert!(after > before + 1, "the end itself took the version after {before}, not {after}");
}

#[test]
fn a_deadline_that_is_moved_on_and_on_parks_one_timer() {
    let (store, clock) = store();
    for _ in 0..10_000 {
        store.set_with("k", "v", Ttl::After(Duration::from_secs(3600))).expect("set");
        clock.advance(MS);
        store.advance().expect("advance");
    }
    assert_eq!(store.stats().timers, 1);
    clock.advance(Duration::from_secs(3600));
    store.advance().expect("advance");
    assert_eq!((store.stats().entries, store.stats().expired_actively), (0, 1));
}

#[test]
fn advance_says_when_it_is_to_be_called_again() {
    let (store, clock) = store();
    assert_eq!(store.advance(), Ok(None));
    store.set_with("k", "v", Ttl::After(50 * MS)).expect("set");
    let mut waited = Duration::ZERO;
    while let Some(wait) = store.advance().expect("advance") {
        assert!(waited + wait <= 50 * MS, "it would come too late: {waited:?} and {wait:?}");
        clock.advance(wait);
        waited += wait;
    }
    assert_eq!((waited, store.stats().entries), (50 * MS, 0));
}

/// Values say when they end; `u64::MAX` is never.
fn value(end: u64, number: u64) -> Vec<u8> {
    [end.to_le_bytes(), number.to_le_bytes()].concat()
}

fn end_of(value: &[u8]) -> u64 {
    u64::from_le_bytes(value[..8].try_into().expect("16 bytes"))
}

fn now(clock: &ManualClock) -> u64 {
    clock.elapsed().as_millis() as u64
}

/// Each thread writes keys of its own and reads all keys. What it reads was not dead before it
/// looked; what it wrote is there unless its time has come.
#[test]
fn nothing_is_served_too_late_or_removed_too_early_by_any_thread() {
    let clock = &ManualClock::new();
    let store = &Store::builder().shards(2).clock(clock).build().expect("memory");
    let threads = if cfg!(miri) { 2 } else { 4 };
    let rounds = if cfg!(miri) { 30 } else { 20_000 };
    let stop = &AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(move || {
            while !stop.load(Relaxed) {
                clock.advance(Duration::from_micros(300));
                store.advance().expect("advance");
                thread::yield_now();
            }
        });
        let writers: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || write_and_read(store, clock, thread, rounds)))
            .collect();
        let ended: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        stop.store(true, Relaxed);
        ended.into_iter().for_each(|writer| writer.expect("a writer"));
    });
    clock.advance(Duration::from_secs(10));
    store.purge_expired().expect("purge");
    let left = store.keys_unordered("");
    assert_eq!(store.stats().entries, left.len() as u64);
    assert_eq!(store.stats().timers, 0);
    for key in left {
        assert_eq!(end_of(&store.get(key).expect("without a deadline")), u64::MAX);
    }
}

fn write_and_read(store: &Store, clock: &ManualClock, thread: u64, rounds: u64) {
    let mut dice = Dice::new(thread);
    for number in 0..rounds {
        let key = [thread.to_le_bytes(), (dice.below(8)).to_le_bytes()].concat();
        let ttl = 1 + dice.below(6);
        // The end cannot come before this, and is stated no later.
        let end = now(clock) + ttl;
        match dice.below(6) {
            0 => drop(store.delete(&key).expect("delete")),
            1 => drop(store.set(&key, value(u64::MAX, number)).expect("set")),
            _ => {
                let value = value(end, number);
                let after = Ttl::At(SystemTime::UNIX_EPOCH + Duration::from_millis(end));
                let set = store.set_with(&key, &value, after).expect("set");
                let found = store.get(&key);
                if set != SetResult::Expired && now(clock) < end {
                    assert_eq!(found.as_deref(), Some(&value[..]), "removed before its end");
                }
            }
        }
        let other = [(dice.below(4)).to_le_bytes(), (dice.below(8)).to_le_bytes()].concat();
        let before = now(clock);
        if let Some(value) = store.get(&other) {
            assert!(end_of(&value) > before, "served {} ms after its end", before - end_of(&value));
        }
    }
}

/// One thread sets a value that nobody had before and waits until it is gone; others prolong it and
/// read. Who was told that it is gone never sees it again: nobody builds on what had ended.
#[test]
fn what_is_gone_for_one_is_gone_for_all() {
    let clock = &ManualClock::new();
    let store = &Store::builder().shards(1).clock(clock).build().expect("memory");
    // Sanitizers make each step many times slower.
    let rounds = if cfg!(any(miri, rkv_watched)) { 20_u64 } else { 500 };
    // The last value whose set has returned, and the last that somebody was told is gone.
    let (set, gone, stop) = (&AtomicU64::new(0), &AtomicU64::new(0), &AtomicBool::new(false));
    let read = move || {
        let (before, was_gone) = (set.load(SeqCst), gone.load(SeqCst));
        match store.get("k") {
            None => drop(gone.fetch_max(before, SeqCst)),
            Some(value) => {
                let number = u64::from_le_bytes((*value).try_into().expect("8 bytes"));
                assert!(number > was_gone, "{number} came back after {was_gone} was gone");
            }
        }
    };
    let until_stopped = move |work: &dyn Fn()| {
        let _preempted = Preempted::start();
        while !stop.load(SeqCst) {
            work();
        }
    };
    thread::scope(|scope| {
        let workers = [
            scope.spawn(move || until_stopped(&|| clock.advance(Duration::from_micros(1)))),
            scope.spawn(move || until_stopped(&|| assert!(store.touch("k", 2 * MS).is_ok()))),
            scope.spawn(move || {
                until_stopped(&|| assert!(store.expire("k", Ttl::After(MS)).is_ok()))
            }),
            scope.spawn(move || until_stopped(&read)),
        ];
        let setter = scope.spawn(move || {
            for number in 1..=rounds {
                store.set_with("k", number.to_le_bytes(), Ttl::After(MS)).expect("set");
                set.store(number, SeqCst);
                while gone.load(SeqCst) < number {
                    read();
                }
                // Who looked at its clock before the end may go on only now.
                for _ in 0..50 {
                    thread::yield_now();
                    read();
                }
            }
        });
        let ended = setter.join();
        stop.store(true, SeqCst);
        ended.expect("the setter");
        workers.into_iter().for_each(|worker| worker.join().expect("a worker"));
    });
}
