//! Loom models of `src/slot.rs` and `src/calls.rs`: calls, references, the last close and the reuse
//! of a slot, in every interleaving and with every value that the memory model lets an atomic read.
//!
//! Run with `RUSTFLAGS="--cfg rkv_loom" cargo test -p rkv-ffi-c --test slot_model`.
//! Loom's cell reports a read of the value that races with its removal. The light fence is a whole
//! one here: that a heavy one makes up for it is what the system promises.

#![cfg(rkv_loom)]

use calls::{Calls, Striped};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use loom::thread;
use slot::{Released, Slot};

#[path = "../src/calls.rs"]
mod calls;
#[path = "../src/slot.rs"]
mod slot;

/// Loom's forms of what `src/sync.rs` gives the library.
mod sync {
    use std::cell::Cell;

    pub(crate) use loom::cell::UnsafeCell as RaceCell;
    pub(crate) use loom::sync::atomic::AtomicU64;
    use loom::sync::atomic::{Ordering::SeqCst, fence};

    thread_local! {
        /// A planted bug: calls pass no fence. Loom runs all threads of a model on one.
        pub(crate) static UNFENCED: Cell<bool> = const { Cell::new(false) };
    }

    pub(crate) fn light_fence() {
        if !UNFENCED.get() {
            fence(SeqCst);
        }
    }

    pub(crate) fn heavy_fence() -> bool {
        fence(SeqCst);
        true
    }
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

/// What can be modelled.
trait Kind: Calls + Default + Send + Sync + 'static {}
impl<C: Calls + Default + Send + Sync + 'static> Kind for C {}

type Shared<C> = Arc<Slot<Counted, C>>;

/// Two stripes that belong to a thread, 0 and 1, and one that all share, 2.
type Stripes = Striped<3>;

fn fresh<C: Calls + Default>() -> Shared<C> {
    Arc::new(Slot::new(C::default()))
}

/// Fills a free slot; the generation, and the counter of drops.
fn fill<C: Calls>(slot: &Shared<C>) -> Option<(u64, Arc<AtomicUsize>)> {
    let drops = Arc::new(AtomicUsize::new(0));
    let generation = slot.claim(LAST)?.publish(Counted(drops.clone()));
    Some((generation, drops))
}

/// An open slot, its generation, and the counter of drops.
fn open<C: Calls + Default>() -> (Shared<C>, u64, Arc<AtomicUsize>) {
    let slot = fresh();
    let (generation, drops) = fill(&slot).expect("a fresh slot is free");
    (slot, generation, drops)
}

/// Uses the value if it is there, and leaves.
fn call<C: Calls>(slot: &Shared<C>, generation: u64, stripe: usize) {
    if let Ok(entered) = slot.enter(generation, stripe) {
        assert_eq!(entered.0.load(Relaxed), 0, "the value is gone while a call uses it");
        drop(entered.leave());
    }
}

/// Gives up a reference and leaves; whether it was the last.
fn close<C: Calls>(slot: &Shared<C>, generation: u64, stripe: usize) -> bool {
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

/// Each model, for both ways to count.
macro_rules! models {
    ($($name:ident),+) => {$(
        #[test]
        fn $name() {
            check(model::$name::<Stripes>);
            check(model::$name::<AtomicU64>);
        }
    )+};
}

models!(
    value_is_dropped_once_and_never_under_a_call,
    guessed_handle_finds_a_whole_value_or_none,
    one_of_two_closes_wins,
    retained_value_outlives_the_first_close,
    call_of_an_old_generation_never_meets_the_next_value,
    slot_whose_generations_are_used_up_stays_empty,
    call_and_close,
    end_and_close
);

/// The twin of the first model: the fence is what makes it hold.
#[test]
#[should_panic = "Concurrent read and write accesses"]
fn call_without_a_fence_is_overlooked() {
    sync::UNFENCED.set(true);
    check(model::call_and_close::<Stripes>);
}

/// The same at the end of a call.
#[test]
#[should_panic = "the last to leave drops the value"]
fn end_without_a_fence_is_overlooked() {
    sync::UNFENCED.set(true);
    check(model::end_and_close::<Stripes>);
}

mod model {
    use super::*;

    pub(crate) fn value_is_dropped_once_and_never_under_a_call<C: Kind>() {
        let (slot, generation, drops) = open::<C>();
        let callers: Vec<_> = [0, 1]
            .into_iter()
            .map(|stripe| {
                let slot = slot.clone();
                thread::spawn(move || call(&slot, generation, stripe))
            })
            .collect();
        assert!(close(&slot, generation, C::SHARED));
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        assert_eq!(drops.load(Relaxed), 1, "the last to leave drops the value");
        assert!(slot.enter(generation, 0).is_err());
        let (next, _) = fill(&slot).expect("the slot is free again");
        assert!(close(&slot, next, 0));
    }

    pub(crate) fn guessed_handle_finds_a_whole_value_or_none<C: Kind>() {
        let slot = fresh::<C>();
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
    }

    pub(crate) fn one_of_two_closes_wins<C: Kind>() {
        let (slot, generation, drops) = open::<C>();
        let other = {
            let slot = slot.clone();
            thread::spawn(move || close(&slot, generation, 0))
        };
        let won = close(&slot, generation, 1);
        assert!(won != other.join().unwrap());
        assert_eq!(drops.load(Relaxed), 1);
    }

    pub(crate) fn retained_value_outlives_the_first_close<C: Kind>() {
        let (slot, generation, drops) = open::<C>();
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
    }

    pub(crate) fn call_of_an_old_generation_never_meets_the_next_value<C: Kind>() {
        let (slot, old, drops) = open::<C>();
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
    }

    pub(crate) fn slot_whose_generations_are_used_up_stays_empty<C: Kind>() {
        let (slot, generation, drops) = open::<C>();
        assert!(close(&slot, generation, 0));
        assert!(slot.claim(generation).is_none() && slot.claim(generation + 1).is_some());
        assert_eq!(drops.load(Relaxed), 1);
    }

    /// A call that begins while the value's last reference is given up.
    pub(crate) fn call_and_close<C: Kind>() {
        let (slot, generation, drops) = open::<C>();
        let caller = {
            let slot = slot.clone();
            thread::spawn(move || call(&slot, generation, 0))
        };
        assert!(close(&slot, generation, 1));
        caller.join().unwrap();
        assert_eq!(drops.load(Relaxed), 1);
    }

    /// A call that ends while the value's last reference is given up.
    pub(crate) fn end_and_close<C: Kind>() {
        let slot: &Slot<Counted, C> = Box::leak(Box::new(Slot::new(C::default())));
        let drops = Arc::new(AtomicUsize::new(0));
        let generation = slot.claim(LAST).unwrap().publish(Counted(drops.clone()));
        let (Ok(call), Ok(last)) = (slot.enter(generation, 0), slot.enter(generation, 1)) else {
            unreachable!("the slot is open");
        };
        let caller = thread::spawn(move || drop(call.leave()));
        assert_eq!(last.release(), Released::Last);
        drop(last.leave());
        caller.join().unwrap();
        assert_eq!(drops.load(Relaxed), 1, "the last to leave drops the value");
    }
}
