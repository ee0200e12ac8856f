//! Loom models of `src/free.rs`: no number is given to two, and none is lost; and the stack without
//! its tag, in which loom must find the number that two threads have.
//!
//! Run with `RUSTFLAGS="--cfg rkv_loom" cargo test -p rkv-ffi-c --test free_model`.

#![cfg(rkv_loom)]

use free::{Free, TAG};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use loom::thread;

#[path = "../src/free.rs"]
mod free;

/// Loom's forms of what `src/sync.rs` gives the library.
mod sync {
    pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64};
}

const NUMBERS: u32 = 2;

/// A stack of numbers, and who has one of them.
struct Places<const STEP: u64> {
    free: Free<STEP>,
    below: Vec<AtomicU32>,
    taken: Vec<AtomicBool>,
}

impl<const STEP: u64> Places<STEP> {
    /// All numbers are free, 0 on top.
    fn new() -> Arc<Self> {
        let places = Places {
            free: Free(AtomicU64::new(0)),
            below: (0..NUMBERS).map(|_| AtomicU32::new(0)).collect(),
            taken: (0..NUMBERS).map(|_| AtomicBool::new(true)).collect(),
        };
        (0..NUMBERS).rev().for_each(|number| places.give(number));
        Arc::new(places)
    }

    fn take(&self) -> Option<u32> {
        let number = self.free.pop(|number| &self.below[number as usize])?;
        let was_taken = self.taken[number as usize].swap(true, Relaxed);
        assert!(!was_taken, "two have the same number");
        Some(number)
    }

    fn give(&self, number: u32) {
        self.taken[number as usize].store(false, Relaxed);
        self.free.push(number, &self.below[number as usize]);
    }

    /// All numbers are there again.
    fn is_whole(&self) -> bool {
        (0..NUMBERS).all(|_| self.take().is_some()) && self.take().is_none()
    }
}

fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// One thread takes a number while another takes both and gives the first back.
fn take_while_the_top_comes_back<const STEP: u64>() {
    check(|| {
        let places = Places::<STEP>::new();
        let other = {
            let places = places.clone();
            thread::spawn(move || places.take())
        };
        let (first, second) = (places.take(), places.take());
        first.into_iter().for_each(|number| places.give(number));
        let third = places.take();
        let taken = other.join().unwrap();
        let back = [second, third, taken];
        back.into_iter().flatten().for_each(|number| places.give(number));
        assert!(places.is_whole(), "a number is lost");
    });
}

#[test]
fn number_that_comes_back_is_not_taken_for_the_one_before() {
    take_while_the_top_comes_back::<TAG>();
}

#[test]
#[should_panic(expected = "two have the same number")]
fn loom_sees_what_the_tag_is_for() {
    take_while_the_top_comes_back::<0>();
}

#[test]
fn numbers_go_from_thread_to_thread() {
    check(|| {
        let places = Places::<TAG>::new();
        let threads = [(); 2].map(|()| {
            let places = places.clone();
            thread::spawn(move || places.take().into_iter().for_each(|number| places.give(number)))
        });
        places.take().into_iter().for_each(|number| places.give(number));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(places.is_whole(), "a number is lost");
    });
}
