//! The only place that names std's, crossbeam's or loom's concurrency primitives.
//!
//! Everything else imports from here, so that `--cfg rkv_loom` puts the whole engine under loom's
//! model checker by one switch. Figures that no algorithm depends on use std's atomics always:
//! a model checker must not spend its time on them.

#[expect(unsafe_code, reason = "a list of its own nodes")]
pub(crate) mod inbox;
#[expect(unsafe_code, reason = "a value that is never freed")]
pub(crate) mod per_process;
#[cfg(rkv_loom)]
pub(crate) mod noted;
pub(crate) mod planted;
pub(crate) mod stop;

#[cfg(not(rkv_loom))]
pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU16, AtomicU32, AtomicU64, AtomicUsize};

#[cfg(rkv_loom)]
pub(crate) use noted::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize};

use std::io;
#[cfg(not(rkv_loom))]
use std::thread;
use std::time::Duration;

#[cfg(rkv_loom)]
use loom::thread;

pub(crate) use crossbeam_epoch as crossbeam;
pub(crate) use crossbeam_utils::CachePadded;
pub(crate) use std::sync::atomic::Ordering::SeqCst;
pub(crate) use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release};
#[cfg(not(rkv_loom))]
pub(crate) use std::sync::atomic::fence;
pub(crate) use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError, Weak};
pub(crate) use thread::{JoinHandle, Thread, current as current_thread};

#[cfg(rkv_loom)]
pub(crate) use loom::sync::atomic::fence;

/// Atomics for figures: read by people, never by an algorithm, and so outside of loom's view.
pub(crate) mod figures {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};
}

/// Atomics for words that a `const` static needs; not part of any loom model.
pub(crate) mod statics {
    pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU64};
}

/// How many threads the machine runs at once; 1 where the system does not say.
pub(crate) fn parallelism() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A number of this thread, for counters that are split so that few threads share a cache line:
/// threads are numbered in the order of their first call.
#[inline]
pub(crate) fn thread_number() -> usize {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(1);
    std::thread_local! {
        // Without a `Drop`: it also serves what runs while the thread ends. 0: none yet.
        static NUMBER: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }
    if NUMBER.get() == 0 {
        // Relaxed: only hands out numbers. 0 comes back after 2^64 threads at the earliest.
        NUMBER.set(NEXT.fetch_add(1, Relaxed));
    }
    NUMBER.get()
}

/// Whether this thread is unwinding from a panic.
pub(crate) fn panicking() -> bool {
    std::thread::panicking()
}

/// A pause in a loop that waits for a claim of another writer to be published or undone.
pub(crate) fn spin() {
    #[cfg(not(rkv_loom))]
    std::hint::spin_loop();
    #[cfg(rkv_loom)]
    loom::thread::yield_now();
}

/// Lets another thread have this processor, if one waits for it.
pub(crate) fn let_others_run() {
    std::thread::yield_now();
}

/// Locks a mutex whose data stays valid when a holder panics.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sleeps until another thread unparks this one, or for some time; it may return earlier. A model
/// knows no time: there, some time has passed when others have had their turn.
pub(crate) fn sleep(time: Option<Duration>) {
    match time {
        None => thread::park(),
        #[cfg(not(rkv_loom))]
        Some(time) => thread::park_timeout(time),
        #[cfg(rkv_loom)]
        Some(_) => thread::yield_now(),
    }
}

/// Starts a thread.
pub(crate) fn spawn(name: &str, f: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(f)
}

/// Locks a mutex if nobody holds it, as [`lock`].
pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}
