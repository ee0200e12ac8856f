//! The stripe of the calling thread, in which nobody else counts calls at the same time.

use std::cell::Cell;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// Number of stripes: of threads that have one of their own, and one that all others share.
// LIMIT: 16 counters of 128 bytes are 2 KiB for each store that is open at once. Threads beyond the
// fifteenth pay two locked instructions a call, and nothing breaks. In the child of a fork, the
// stripes of the threads that it does not have stay taken.
pub(crate) const STRIPES: usize = 16;

const SHARED: usize = STRIPES - 1;
const NONE: usize = usize::MAX;

/// The stripes that a thread has, as bits.
static TAKEN: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// What `OWNED` keeps; the shared one when the thread is ending. Without a `Drop`, so that it
    /// also serves calls from other thread-local destructors.
    static CURRENT: Cell<usize> = const { Cell::new(NONE) };

    static OWNED: Owned = const { Owned(Cell::new(SHARED)) };
}

/// Gives a stripe back when its thread ends.
struct Owned(Cell<usize>);

impl Drop for Owned {
    fn drop(&mut self) {
        CURRENT.set(SHARED);
        let stripe = self.0.get();
        if stripe != SHARED {
            // Release: pairs with the Acquire in `take`, so that the next thread goes on from the
            // counts that this one left.
            TAKEN.fetch_and(!(1 << stripe), Release);
        }
    }
}

/// A stripe for calls that begin and end on this thread, while it runs.
#[inline]
pub(crate) fn own() -> usize {
    match CURRENT.get() {
        NONE => first(),
        stripe => stripe,
    }
}

/// Finds a stripe for this thread.
#[cold]
fn first() -> usize {
    let take = |owned: &Owned| {
        let stripe = take();
        owned.0.set(stripe);
        stripe
    };
    // When the thread is ending, none could be given back.
    CURRENT.set(OWNED.try_with(take).unwrap_or(SHARED));
    CURRENT.get()
}

/// Takes a stripe that no thread has; the shared one if all are taken.
fn take() -> usize {
    // Relaxed: a guess; the compare-and-swap decides.
    let mut taken = TAKEN.load(Relaxed);
    loop {
        let stripe = taken.trailing_ones() as usize;
        if stripe >= SHARED {
            return SHARED;
        }
        // Acquire: pairs with the Release in `drop`.
        match TAKEN.compare_exchange_weak(taken, taken | 1 << stripe, Acquire, Relaxed) {
            Ok(_) => return stripe,
            Err(now) => taken = now,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    #[test]
    fn threads_that_run_at_once_have_different_stripes_or_the_shared_one() {
        // Twice, so that stripes come back when threads end; more threads than stripes.
        for _ in 0..2 {
            const THREADS: usize = 2 * STRIPES;
            let all_have_one = Barrier::new(THREADS);
            let mut stripes = thread::scope(|scope| {
                let begin = |_| {
                    scope.spawn(|| {
                        let stripe = own();
                        all_have_one.wait();
                        assert_eq!(own(), stripe);
                        stripe
                    })
                };
                let threads: Vec<_> = (0..THREADS).map(begin).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
            });
            stripes.sort_unstable();
            let owned = stripes.iter().take_while(|stripe| **stripe != SHARED).count();
            assert!(stripes[..owned].windows(2).all(|pair| pair[0] < pair[1]), "{stripes:?}");
            // Other tests of this process run at the same time and have some.
            assert!(owned > 0 && stripes[owned..].iter().all(|stripe| *stripe == SHARED));
        }
    }
}
