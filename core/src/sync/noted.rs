//! Loom's atomics, with loads that its search takes note of.
//!
//! Loom 0.7 remembers one last access of each atomic. A thread that loads a word and then changes
//! it hides the loads of other threads behind its own, and loom never tries to change the word
//! before those (tokio-rs/loom issues 166 and 392). Code that loads before every exchange, like
//! ours, would hardly be explored. So each word has one more atomic for each thread, which that
//! thread touches before it loads the word, and the others before they change it: loom sees a
//! conflict between a load and a change, and none between two loads. The touches are relaxed
//! read-modify-writes, which order nothing in memory.

use std::cell::Cell;

use loom::sync::atomic::{self, Ordering};

/// Threads of a model besides the one that begins and ends it.
const THREADS: usize = 3;

loom::thread_local! {
    static NUMBER: Cell<usize> = Cell::new(0);
}

/// Tells which thread of the model this is, from 1. One that does not tell is taken to run alone.
#[cfg_attr(not(test), expect(dead_code, reason = "the models number their threads"))]
pub(crate) fn number_thread(number: usize) {
    assert!(number <= THREADS, "a model has at most {THREADS} threads besides the first");
    NUMBER.with(|place| place.set(number));
}

/// What the threads touch before they load one word.
#[derive(Debug)]
struct Notes([atomic::AtomicUsize; THREADS]);

impl Notes {
    fn new() -> Self {
        Self([(); THREADS].map(|()| atomic::AtomicUsize::new(0)))
    }

    fn touch(&self, touches: impl Fn(usize, usize) -> bool) {
        let own = NUMBER.with(Cell::get);
        for (number, note) in (1..).zip(&self.0) {
            if own != 0 && touches(number, own) {
                note.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn load(&self) {
        self.touch(|number, own| number == own);
    }

    fn change(&self) {
        self.touch(|number, own| number != own);
    }
}

macro_rules! noted {
    ($name:ident $(<$target:ident>)?, $value:ty) => {
        #[derive(Debug)]
        pub(crate) struct $name $(<$target>)? {
            word: atomic::$name $(<$target>)?,
            notes: Notes,
        }

        impl $(<$target>)? $name $(<$target>)? {
            pub(crate) fn new(value: $value) -> Self {
                Self { word: atomic::$name::new(value), notes: Notes::new() }
            }

            pub(crate) fn load(&self, order: Ordering) -> $value {
                self.notes.load();
                self.word.load(order)
            }

            pub(crate) fn store(&self, value: $value, order: Ordering) {
                self.notes.change();
                self.word.store(value, order);
            }

            pub(crate) fn swap(&self, value: $value, order: Ordering) -> $value {
                self.notes.change();
                self.word.swap(value, order)
            }

            pub(crate) fn compare_exchange(
                &self,
                now: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.notes.change();
                self.word.compare_exchange(now, new, success, failure)
            }
        }
    };
}

macro_rules! noted_number {
    ($name:ident, $value:ty) => {
        noted!($name, $value);

        impl $name {
            pub(crate) fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                self.notes.change();
                self.word.fetch_add(value, order)
            }

            pub(crate) fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                self.notes.change();
                self.word.fetch_sub(value, order)
            }

            pub(crate) fn fetch_max(&self, value: $value, order: Ordering) -> $value {
                self.notes.change();
                self.word.fetch_max(value, order)
            }
        }
    };
}

noted!(AtomicPtr<T>, *mut T);
noted_number!(AtomicU32, u32);
noted_number!(AtomicU64, u64);
noted_number!(AtomicUsize, usize);
