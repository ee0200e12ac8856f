//! Loom models of `src/slot.rs`: calls, references, the last close and the reuse of a slot, in
//! every interleaving and with every value that the memory model lets an atomic read.
//!
//! Run with `RUSTFLAGS="--cfg rkv_loom" cargo test -p rkv-ffi-c --test slot_model`.
//! Loom's cell reports a read of the value that races with its removal.

#![cfg(rkv_loom)]

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;
use slot::{Released, Slot, Spread};

#[path = "../src/slot.rs"]
mod slot;

/// Loom's forms of what `src/sync.rs` gives the library.
mod sync {
    pub(crate) use loom::cell::UnsafeCell as RaceCell;
    pub(crate) use loom::sync::atomic::AtomicU64;
}

/// More generations than any model needs.
const LAST: u64 = 99;

/// A value that counts how often it was dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

type Shared = Arc<Slot<Counted, Spread<2>>>;

fn fresh() -> Shared {
    Arc::new(Slot::new(Default::default()))
}

/// Fills a free slot; the generation, and the counter of drops.
fn fill(slot: &Shared) -> Option<(u64, Arc<AtomicUsize>)> {
    let drops = Arc::new(AtomicUsize::new(0));
    let generation = slot.claim(LAST)?.publish(Counted(drops.clone()));
    Some((generation, drops))
}

/// An open slot, its generation, and the counter of drops.
fn open() -> (Shared, u64, Arc<AtomicUsize>) {
    let slot = fresh();
    let (generation, drops) = fill(&slot).expect("a fresh slot is free");
    (slot, generation, drops)
}

/// Uses the value if it is there, and leaves.
fn call(slot: &Shared, generation: u64, stripe: usize) {
    if let Ok(entered) = slot.enter(generation, stripe) {
        assert_eq!(entered.0.load(Relaxed), 0, "the value is gone while a call uses it");
        drop(entered.leave());
    }
}

/// Gives up a reference and leaves; whether it was the last.
fn close(slot: &Shared, generation: u64, stripe: usize) -> bool {
    let Ok(entered) = slot.enter(generation, stripe) else { return false };
    let released = entered.release();
    assert!(released != Released::Last || !entered.is_open(), "the last close is seen at once");
    drop(entered.leave());
    released == Released::Last
}

fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

#[test]
fn value_is_dropped_once_and_never_under_a_call() {
    check(|| {
        let (slot, generation, drops) = open();
        let callers: Vec<_> = [0, 1]
            .into_iter()
            .map(|stripe| {
                let slot = slot.clone();
                thread::spawn(move || call(&slot, generation, stripe))
            })
            .collect();
        assert!(close(&slot, generation, 1));
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        assert_eq!(drops.load(Relaxed), 1, "the last to leave drops the value");
        assert!(slot.enter(generation, 0).is_err());
        let (next, _) = fill(&slot).expect("the slot is free again");
        assert!(close(&slot, next, 0));
    });
}

#[test]
fn guessed_handle_finds_a_whole_value_or_none() {
    check(|| {
        let slot = fresh();
        let caller = {
            let slot = slot.clone();
            // The first generation, which nobody has told.
            thread::spawn(move || call(&slot, 1, 0))
        };
        let (generation, drops) = fill(&slot).unwrap();
        assert_eq!(generation, 1);
        caller.join().unwrap();
        assert!(close(&slot, generation, 1));
        assert_eq!(drops.load(Relaxed), 1);
    });
}

#[test]
fn one_of_two_closes_wins() {
    check(|| {
        let (slot, generation, drops) = open();
        let other = {
            let slot = slot.clone();
            thread::spawn(move || close(&slot, generation, 0))
        };
        let won = close(&slot, generation, 1);
        assert!(won != other.join().unwrap());
        assert_eq!(drops.load(Relaxed), 1);
    });
}

#[test]
fn retained_value_outlives_the_first_close() {
    check(|| {
        let (slot, generation, drops) = open();
        let other = {
            let slot = slot.clone();
            thread::spawn(move || close(&slot, generation, 0))
        };
        let retained = slot.enter(generation, 1).is_ok_and(|entered| {
            let retained = entered.retain();
            drop(entered.leave());
            retained
        });
        let last = other.join().unwrap();
        assert!(retained != last, "a reference is added before the last is gone, or not at all");
        assert_eq!(drops.load(Relaxed), usize::from(last));
        assert!(last || close(&slot, generation, 1));
        assert_eq!(drops.load(Relaxed), 1);
    });
}

#[test]
fn call_of_an_old_generation_never_meets_the_next_value() {
    check(|| {
        let (slot, old, drops) = open();
        let caller = {
            let slot = slot.clone();
            thread::spawn(move || call(&slot, old, 0))
        };
        assert!(close(&slot, old, 1));
        if let Some((generation, _)) = fill(&slot) {
            assert!(generation > old && slot.enter(old, 1).is_err());
            assert!(close(&slot, generation, 1));
        }
        caller.join().unwrap();
        assert_eq!(drops.load(Relaxed), 1);
    });
}

#[test]
fn slot_whose_generations_are_used_up_stays_empty() {
    check(|| {
        let (slot, generation, drops) = open();
        assert!(close(&slot, generation, 0));
        assert!(slot.claim(generation).is_none() && slot.claim(generation + 1).is_some());
        assert_eq!(drops.load(Relaxed), 1);
    });
}
