//! A pair of fences between two sides, of which one runs in every call and the other hardly ever.
//!
//! Two threads that each write, fence and then read what the other writes cannot both miss the
//! other's write. Such a fence is a locked instruction: it waits for all that came before, and all
//! that follows waits for it. Linux can put the whole price on one side: `membarrier` returns when
//! every running thread of the process has passed a fence somewhere between two of its
//! instructions; then the other side need only keep the compiler from swapping its two accesses.
//!
//! Where the system does not offer that, both sides fence.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicU8, compiler_fence, fence};

/// What `prepare` found; before that, both sides fence.
static FOUND: AtomicU8 = AtomicU8::new(UNKNOWN);

const UNKNOWN: u8 = 0;
const BOTH_FENCE: u8 = 1;
const ONE_SIDE: u8 = 2;

/// Finds out what the system offers, and does not forget it. Called before there is anything to
/// enter, so that the time that it takes, some milliseconds in a process of many threads, is spent
/// where the first store is opened.
pub(crate) fn prepare() -> u8 {
    // Relaxed: whatever is read was found once and for ever.
    let found = FOUND.load(Relaxed);
    if found != UNKNOWN {
        return found;
    }
    let found = if register() { ONE_SIDE } else { BOTH_FENCE };
    // Relaxed: the first answer stands. An exchange sees the newest value, so that who runs the
    // heavy fence knows all that a light one can have known.
    FOUND.compare_exchange(UNKNOWN, found, Relaxed, Relaxed).map_or_else(|now| now, |_| found)
}

/// The fence of the side that runs often.
#[inline]
pub(crate) fn light_fence() {
    // Relaxed: who does not know of the other side's fence yet has one of its own.
    if FOUND.load(Relaxed) == ONE_SIDE { compiler_fence(SeqCst) } else { fence(SeqCst) }
}

/// The fence of the other side; some microseconds. False if the system refused, which it does only
/// if it was forbidden since (by seccomp): then nothing is known of what other threads do.
pub(crate) fn heavy_fence() -> bool {
    if prepare() != ONE_SIDE {
        fence(SeqCst);
        return true;
    }
    // After a fork the child may have to register anew.
    membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED) || {
        register() && membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
    }
}

fn register() -> bool {
    membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
}

fn membarrier(command: libc::c_int) -> bool {
    // SAFETY: a system call that touches no memory of the program.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}
