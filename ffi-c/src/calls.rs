//! How the calls in a slot are counted, so that who takes the value out overlooks none.
//!
//! A call `begin`s and then loads the state of the slot. A taker sees or makes the state DRAINING
//! and then asks whether there `are_none`. Two things must hold:
//!
//! 1. A call that does not see DRAINING is seen by the taker.
//! 2. Of calls that `end` while the state is DRAINING, and then load the state, the last sees that
//!    all others have ended.
//!
//! Both are the same: each side writes, passes a fence and reads what the other writes, so not
//! both can miss the other's write. `tests/slot_model.rs` checks this with loom.
//!
//! Values that are few and that every call of a program goes to are counted in stripes. Each
//! stripe but the last belongs to one thread (`stripe.rs`), which writes it without a locked
//! instruction; and the fence of the calls costs nothing, as that of the taker costs so much more
//! (`barrier.rs`). Values that are many have one counter, whose additions are the fences.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use crossbeam_utils::CachePadded;

use crate::sync::{AtomicU64, heavy_fence, light_fence};

/// The counters of a slot.
pub(crate) trait Calls {
    /// The stripe that all threads may use at once; a stripe below it is one thread's at a time.
    const SHARED: usize;

    /// Counts a call. The call must `end` on the same stripe.
    fn begin(&self, stripe: usize);

    /// Uncounts a call. All that it did comes before what a taker does that sees this.
    fn end(&self, stripe: usize);

    /// Whether no call is in the slot.
    fn are_none(&self) -> bool;
}

/// Counters of a cache line each, one for each of some threads and one for all others.
pub(crate) struct Striped<const STRIPES: usize>([CachePadded<AtomicU64>; STRIPES]);

/// Loom's types are not made of zeros.
#[cfg(rkv_loom)]
impl<const STRIPES: usize> Default for Striped<STRIPES> {
    fn default() -> Self {
        Striped(std::array::from_fn(|_| CachePadded::new(AtomicU64::new(0))))
    }
}

impl<const STRIPES: usize> Calls for Striped<STRIPES> {
    const SHARED: usize = STRIPES - 1;

    #[inline]
    fn begin(&self, stripe: usize) {
        let calls = &self.0[stripe];
        // Relaxed: the fence puts the count before what follows.
        if stripe == Self::SHARED {
            calls.fetch_add(1, Relaxed);
        } else {
            calls.store(calls.load(Relaxed) + 1, Relaxed);
        }
        light_fence();
    }

    #[inline]
    fn end(&self, stripe: usize) {
        let calls = &self.0[stripe];
        // Release: pairs with the Acquire in `are_none`. Relaxed: nobody else writes to it.
        if stripe == Self::SHARED {
            calls.fetch_sub(1, Release);
        } else {
            calls.store(calls.load(Relaxed) - 1, Release);
        }
        light_fence();
    }

    fn are_none(&self) -> bool {
        // Acquire: pairs with the Release in `end`. Where the system refuses the fence, nobody
        // takes anything any more: that is a leak, and never a use after free.
        heavy_fence() && self.0.iter().all(|calls| calls.load(Acquire) == 0)
    }
}

/// One counter. If the addition of zero comes after that of a call, it sees the call. If it comes
/// before, the call's addition acquires from it, so that the call sees DRAINING.
impl Calls for AtomicU64 {
    const SHARED: usize = 0;

    #[inline]
    fn begin(&self, _: usize) {
        self.fetch_add(1, AcqRel);
    }

    #[inline]
    fn end(&self, _: usize) {
        self.fetch_sub(1, AcqRel);
    }

    fn are_none(&self) -> bool {
        self.fetch_add(0, AcqRel) == 0
    }
}
