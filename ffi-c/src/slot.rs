//! A place that holds one value at a time, which calls enter and leave without a lock.
//!
//! Each value that moves in gets the next generation. A call *enters* with the generation it
//! expects, uses the value and *leaves*. When the last reference is given up, the generation ends:
//! nobody can enter it any more, and whoever leaves last takes the value out.
//!
//! ```text
//! FREE(g) -claim-> BUSY(g+1) -publish-> OPEN(g+1) -last release-> DRAINING(g+1)
//!    ^                                                                 |
//!    +--------------------- value moved out ---- BUSY(g+1) <---take----+
//! ```
//!
//! # Invariants
//!
//! 1. The value is written, moved or dropped only by the thread that made the state BUSY.
//! 2. The value is read only between a successful `enter` and its `leave`, and the state goes from
//!    DRAINING to BUSY only when no such call stands in the slot.
//! 3. A call counts itself on one stripe and uncounts itself on the same.
//! 4. All bytes zero are a free slot that has held nothing: tables come from the system like that.
//!
//! That nobody is overlooked is the affair of `calls.rs`.

use std::mem::MaybeUninit;
use std::ops::Deref;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::calls::Calls;
use crate::sync::{AtomicU64, RaceCell};

const FREE: u64 = 0;
const BUSY: u64 = 1;
const OPEN: u64 = 2;
const DRAINING: u64 = 3;
const PHASE_BITS: u32 = 2;

/// A place for one value at a time; see the head of this file.
pub(crate) struct Slot<T, C> {
    /// Generation and phase.
    state: AtomicU64,
    /// References to the value: from 1 at `publish` down to 0 at the last `release`.
    references: AtomicU64,
    /// There from `publish` until `take`.
    value: RaceCell<MaybeUninit<T>>,
    /// Calls in the slot.
    calls: C,
}

// SAFETY: the value is shared by the calls in the slot (T: Sync) and may be taken out by another
// thread than the one that put it in (T: Send); invariants 1 and 2 keep these two apart.
unsafe impl<T: Send + Sync, C: Sync> Sync for Slot<T, C> {}

/// The right to fill a slot; without `publish` the slot is free again.
pub(crate) struct Claim<'s, T, C> {
    slot: &'s Slot<T, C>,
    generation: u64,
}

/// A call in a slot: the value stays until `leave`.
#[must_use = "who enters has to leave"]
pub(crate) struct Entered<'s, T, C> {
    slot: &'s Slot<T, C>,
    stripe: usize,
}

/// What `release` did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Released {
    /// Other references stand.
    Shared,
    /// It was the last one: the generation is over.
    Last,
    /// Another call gave up the last reference before.
    Closed,
}

impl<T, C: Calls> Slot<T, C> {
    /// A free slot. Loom's types are not made of zeros.
    #[cfg(rkv_loom)]
    pub(crate) fn new(calls: C) -> Self {
        Slot {
            state: AtomicU64::new(word(0, FREE)),
            references: AtomicU64::new(0),
            value: RaceCell::new(MaybeUninit::uninit()),
            calls,
        }
    }

    /// Takes a free slot for a new generation, which is at most `last`.
    pub(crate) fn claim(&self, last: u64) -> Option<Claim<'_, T, C>> {
        // Relaxed: a guess; the compare-and-swap decides.
        let state = self.state.load(Relaxed);
        let generation = (state >> PHASE_BITS) + 1;
        if phase(state) != FREE || generation > last {
            return None;
        }
        // Acquire: pairs with the Release in `take`, so that the old value is moved out.
        self.state.compare_exchange(state, word(generation, BUSY), Acquire, Relaxed).ok()?;
        Some(Claim { slot: self, generation })
    }

    /// Enters the value of `generation`.
    ///
    /// # Errors
    /// That generation is over or never was. If this call was the last in the slot, and the
    /// generation there is over, its value comes with it.
    #[inline(always)]
    pub(crate) fn enter(
        &self,
        generation: u64,
        stripe: usize,
    ) -> Result<Entered<'_, T, C>, Option<T>> {
        self.calls.begin(stripe);
        let entered = Entered { slot: self, stripe };
        // Acquire: pairs with the Release in `publish`, so that the value is seen.
        if self.state.load(Acquire) == word(generation, OPEN) {
            Ok(entered)
        } else {
            Err(entered.leave())
        }
    }

    /// Uncounts a call; the value, if its generation is over and this call was the last.
    #[inline(always)]
    fn leave(&self, stripe: usize) -> Option<T> {
        self.calls.end(stripe);
        // Relaxed: the counters carry the order.
        let state = self.state.load(Relaxed);
        if phase(state) == DRAINING { self.take(state) } else { None }
    }

    /// Takes the value out if no call stands in the slot.
    #[cold]
    fn take(&self, state: u64) -> Option<T> {
        if !self.calls.are_none() {
            return None;
        }
        let generation = state >> PHASE_BITS;
        // Relaxed: finds the one winner; the counters put it after all that the calls did.
        self.state.compare_exchange(state, word(generation, BUSY), Relaxed, Relaxed).ok()?;
        // SAFETY: invariant 1, the state is BUSY by the exchange above; no call reads the value by
        // invariant 2, because all counts were 0 when the state was DRAINING. It was there, and
        // nobody reads it after this.
        let value = self.value.with_mut(|value| unsafe { (*value).assume_init_read() });
        // Release: pairs with the Acquire in `claim`.
        self.state.store(word(generation, FREE), Release);
        Some(value)
    }
}

impl<T, C> Claim<'_, T, C> {
    /// Puts `value` in and opens the slot with one reference; the generation.
    pub(crate) fn publish(self, value: T) -> u64 {
        let Claim { slot, generation } = self;
        std::mem::forget(self);
        // SAFETY: invariant 1, the claim made the state BUSY and has not been dropped.
        slot.value.with_mut(|place| unsafe { (*place).write(value) });
        // Relaxed: the store below publishes it.
        slot.references.store(1, Relaxed);
        // Release: pairs with the Acquire in `enter`.
        slot.state.store(word(generation, OPEN), Release);
        generation
    }
}

impl<T, C> Drop for Claim<'_, T, C> {
    fn drop(&mut self) {
        // Release: pairs with the Acquire in `claim`.
        self.slot.state.store(word(self.generation, FREE), Release);
    }
}

impl<T, C: Calls> Entered<'_, T, C> {
    /// Whether the generation goes on: for calls that last, a hint of when to leave.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        // Relaxed: carries nothing. As long as this call stands in the slot, the generation is the
        // one that it entered.
        phase(self.slot.state.load(Relaxed)) == OPEN
    }

    /// Adds a reference; false when the last one is gone already.
    pub(crate) fn retain(&self) -> bool {
        // Relaxed: the count orders nothing.
        let step = |n: u64| (n > 0).then(|| n + 1);
        self.slot.references.fetch_update(Relaxed, Relaxed, step).is_ok()
    }

    /// Gives up a reference; the last one ends the generation.
    pub(crate) fn release(&self) -> Released {
        let step = |n: u64| n.checked_sub(1);
        // Relaxed: the count orders nothing.
        match self.slot.references.fetch_update(Relaxed, Relaxed, step) {
            Err(_) => Released::Closed,
            Ok(1) => {
                // Relaxed: only the holder of the last reference changes an open state, and this
                // call stands in the slot.
                let generation = self.slot.state.load(Relaxed) >> PHASE_BITS;
                // Relaxed: nobody takes the value before this call leaves, and `end` publishes
                // the state too.
                self.slot.state.store(word(generation, DRAINING), Relaxed);
                Released::Last
            }
            Ok(_) => Released::Shared,
        }
    }

    /// Leaves; the value, if its generation is over and this call was the last in the slot.
    #[inline(always)]
    pub(crate) fn leave(self) -> Option<T> {
        self.slot.leave(self.stripe)
    }
}

impl<T, C> Deref for Entered<'_, T, C> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.slot.value.with(|value| {
            // SAFETY: invariant 2: this call stands in the slot, which was open; so the value is
            // there and stays, and nobody writes to it.
            unsafe { (*value).assume_init_ref() }
        })
    }
}

/// The state word of a generation in a phase.
const fn word(generation: u64, phase: u64) -> u64 {
    generation << PHASE_BITS | phase
}

const fn phase(state: u64) -> u64 {
    state & ((1 << PHASE_BITS) - 1)
}
