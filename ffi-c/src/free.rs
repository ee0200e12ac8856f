//! Which places of a table are free: a stack of their numbers, without a lock.
//!
//! The stack is linked through the places themselves. Its head is one word: the number on top, and
//! a tag that grows with each pop.
//!
//! # Why there is a tag
//!
//! A thread that pops reads the number on top, 1, and what lies below it, 2, and is stopped. Others
//! pop 1, pop 2 and push 1 again. The top is 1 as before, but 2 is in use now, and without the tag
//! the thread would put it on top. `tests/free_model.rs` checks this with loom.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::sync::{AtomicU32, AtomicU64};

/// The bits of the head that hold 1 + the number on top, or 0.
const TOP_BITS: u32 = 25;
const TOP: u64 = (1 << TOP_BITS) - 1;

/// One step of the tag.
// LIMIT: 39 bits. A thread has to be stopped for exactly so many pops, an hour of nothing else,
// to find the tag of before.
pub(crate) const TAG: u64 = 1 << TOP_BITS;

/// A stack of numbers below 2^24; a head of 0 is empty. `STEP` is `TAG`, but in a model.
pub(crate) struct Free<const STEP: u64>(pub(crate) AtomicU64);

impl<const STEP: u64> Free<STEP> {
    /// Pushes a number, whose link is `below`.
    pub(crate) fn push(&self, number: u32, below: &AtomicU32) {
        // Relaxed: a guess; the compare-and-swap decides.
        let mut head = self.0.load(Relaxed);
        loop {
            // Relaxed: the exchange publishes it. The other reader is a thread in `pop` whose
            // exchange will fail.
            below.store((head & TOP) as u32, Relaxed);
            let pushed = head & !TOP | u64::from(number + 1);
            // Release: pairs with the Acquire in `pop`, so that the link is seen.
            match self.0.compare_exchange_weak(head, pushed, Release, Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Pops a number, if there is one; `below` finds the link of each that was pushed.
    pub(crate) fn pop<'a>(&self, below: impl Fn(u32) -> &'a AtomicU32) -> Option<u32> {
        // Acquire: pairs with the Release in `push`: all changes of the head are exchanges, so what
        // an earlier push published is seen too.
        let mut head = self.0.load(Acquire);
        loop {
            let number = (head & TOP).checked_sub(1)? as u32;
            // Relaxed: if it is not the link that was pushed, the tag has changed.
            let rest = u64::from(below(number).load(Relaxed));
            let popped = (head & !TOP).wrapping_add(STEP) | rest;
            // Acquire: as above, for the next try.
            match self.0.compare_exchange_weak(head, popped, Relaxed, Acquire) {
                Ok(_) => return Some(number),
                Err(now) => head = now,
            }
        }
    }
}
