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
//! # Why nobody is overlooked
//!
//! A call adds itself to its stripe and then loads the state; the taker makes the state DRAINING
//! and then reads every stripe by an addition of zero, which sees the newest count. If it comes
//! after the call's addition, it sees the call. If it comes before, the call's addition acquires
//! from it, so that the call's load sees DRAINING and the call turns back. In the same way, of two
//! calls that leave at once the later one sees that the other has left. The edges are those of the
//! additions; no access is sequentially consistent. `tests/slot_model.rs` checks this with loom.

use std::mem::MaybeUninit;
use std::ops::Deref;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use crossbeam_utils::CachePadded;

use crate::sync::{AtomicU64, RaceCell};

const FREE: u64 = 0;
const BUSY: u64 = 1;
const OPEN: u64 = 2;
const DRAINING: u64 = 3;
const PHASE_BITS: u32 = 2;

/// The counters over which the calls into one slot are spread.
pub(crate) trait Stripes {
    /// Number of counters.
    const COUNT: usize;

    fn get(&self, stripe: usize) -> &AtomicU64;
}

/// For values that many threads use at once: each counter has a cache line of its own.
pub(crate) type Spread<const COUNT: usize> = [CachePadded<AtomicU64>; COUNT];

impl<const COUNT: usize> Stripes for Spread<COUNT> {
    const COUNT: usize = COUNT;

    #[inline]
    fn get(&self, stripe: usize) -> &AtomicU64 {
        &self[stripe]
    }
}

/// For values that are many and that few threads share.
impl Stripes for AtomicU64 {
    const COUNT: usize = 1;

    #[inline]
    fn get(&self, _: usize) -> &AtomicU64 {
        self
    }
}

/// A place for one value at a time; see the head of this file.
pub(crate) struct Slot<T, S> {
    /// Generation and phase.
    state: AtomicU64,
    /// References to the value: from 1 at `publish` down to 0 at the last `release`.
    references: AtomicU64,
    /// There from `publish` until `take`.
    value: RaceCell<MaybeUninit<T>>,
    /// Calls in the slot.
    calls: S,
}

// SAFETY: the value is shared by the calls in the slot (T: Sync) and may be taken out by another
// thread than the one that put it in (T: Send); invariants 1 and 2 keep these two apart.
unsafe impl<T: Send + Sync, S: Sync> Sync for Slot<T, S> {}

/// The right to fill a slot; without `publish` the slot is free again.
pub(crate) struct Claim<'s, T, S> {
    slot: &'s Slot<T, S>,
    generation: u64,
}

/// A call in a slot: the value stays until `leave`.
#[must_use = "who enters has to leave"]
pub(crate) struct Entered<'s, T, S> {
    slot: &'s Slot<T, S>,
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

impl<T, S: Stripes> Slot<T, S> {
    /// A free slot. Loom's types are not made of zeros.
    #[cfg(rkv_loom)]
    pub(crate) fn new(calls: S) -> Self {
        Slot {
            state: AtomicU64::new(word(0, FREE)),
            references: AtomicU64::new(0),
            value: RaceCell::new(MaybeUninit::uninit()),
            calls,
        }
    }

    /// Takes a free slot for a new generation, which is at most `last`.
    pub(crate) fn claim(&self, last: u64) -> Option<Claim<'_, T, S>> {
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
    pub(crate) fn enter(
        &self,
        generation: u64,
        stripe: usize,
    ) -> Result<Entered<'_, T, S>, Option<T>> {
        // AcqRel: the edge with the additions of zero in `take`; see the head of this file.
        self.calls.get(stripe).fetch_add(1, AcqRel);
        let entered = Entered { slot: self, stripe };
        // Acquire: pairs with the Release in `publish`, so that the value is seen.
        if self.state.load(Acquire) == word(generation, OPEN) {
            Ok(entered)
        } else {
            Err(entered.leave())
        }
    }

    /// Uncounts a call; the value, if its generation is over and this call was the last.
    fn leave(&self, stripe: usize) -> Option<T> {
        // AcqRel: Release, so that the taker comes after all that this call did; Acquire as in
        // `enter`.
        self.calls.get(stripe).fetch_sub(1, AcqRel);
        // Relaxed: the additions carry the order; see the head of this file.
        let state = self.state.load(Relaxed);
        if phase(state) == DRAINING { self.take(state) } else { None }
    }

    /// Takes the value out if no call stands in the slot.
    fn take(&self, state: u64) -> Option<T> {
        // AcqRel: see the head of this file.
        if (0..S::COUNT).any(|stripe| self.calls.get(stripe).fetch_add(0, AcqRel) != 0) {
            return None;
        }
        let generation = state >> PHASE_BITS;
        // Relaxed: finds the one winner; the additions above put it after all that the calls did.
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

impl<T, S> Claim<'_, T, S> {
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

impl<T, S> Drop for Claim<'_, T, S> {
    fn drop(&mut self) {
        // Release: pairs with the Acquire in `claim`.
        self.slot.state.store(word(self.generation, FREE), Release);
    }
}

impl<T, S: Stripes> Entered<'_, T, S> {
    /// Whether the generation goes on: for calls that last, a hint of when to leave.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        // Relaxed: carries nothing. As long as this call stands in the slot, the generation is the
        // one that it entered.
        phase(self.slot.state.load(Relaxed)) == OPEN
    }

    /// Adds a reference; false when the last one is gone already.
    pub(crate) fn retain(&self) -> bool {
        // Relaxed: the count orders nothing; the additions do.
        let step = |n: u64| (n > 0).then(|| n + 1);
        self.slot.references.fetch_update(Relaxed, Relaxed, step).is_ok()
    }

    /// Gives up a reference; the last one ends the generation.
    pub(crate) fn release(&self) -> Released {
        let step = |n: u64| n.checked_sub(1);
        // Relaxed: the count orders nothing; the additions do.
        match self.slot.references.fetch_update(Relaxed, Relaxed, step) {
            Err(_) => Released::Closed,
            Ok(1) => {
                // Relaxed: only the holder of the last reference changes an open state, and this
                // call stands in the slot.
                let generation = self.slot.state.load(Relaxed) >> PHASE_BITS;
                // Relaxed: nobody takes the value before this call leaves, and that addition
                // publishes the state too.
                self.slot.state.store(word(generation, DRAINING), Relaxed);
                Released::Last
            }
            Ok(_) => Released::Shared,
        }
    }

    /// Leaves; the value, if its generation is over and this call was the last in the slot.
    pub(crate) fn leave(self) -> Option<T> {
        self.slot.leave(self.stripe)
    }
}

impl<T, S> Deref for Entered<'_, T, S> {
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
