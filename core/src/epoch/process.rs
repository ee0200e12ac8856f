//! The process's one domain, each thread's participant in it, and what `fork` does to both.

use std::cell::Cell;
use std::mem::{self, ManuallyDrop};
use std::ptr;
use std::rc::Rc;

use super::EpochStats;
use super::participant::{Domain, Guard, Participant};
use crate::memory;
use crate::sync::statics::{AtomicPtr, AtomicU64};
use crate::sync::{AcqRel, Acquire, OnceLock, Relaxed};

/// How many forks lie between the first process and this one.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// The domain of this generation; null until somebody needs it. Never freed.
static DOMAIN: AtomicPtr<Domain> = AtomicPtr::new(ptr::null_mut());

thread_local! {
    /// What `OWNER` keeps; null before the first pin and once the thread is ending. Without a
    /// `Drop`, so that a pin costs one load of it.
    static CURRENT: Cell<*const Participant> = const { Cell::new(ptr::null()) };

    static OWNER: Owner = const { Owner(Cell::new(None)) };
}

/// Keeps this thread's participant until the thread ends.
struct Owner(Cell<Option<Rc<Participant>>>);

impl Drop for Owner {
    fn drop(&mut self) {
        CURRENT.set(ptr::null());
    }
}

/// The fork generation of this process. Whatever was made in another one belongs to the parent.
#[inline]
pub(crate) fn generation() -> u64 {
    // Relaxed: changes only inside of `fork`, in the child's one thread.
    GENERATION.load(Relaxed)
}

/// The generation for something that is made now, and that must tell when it came through a fork.
pub(crate) fn birth() -> u64 {
    watch_for_forks();
    generation()
}

/// Pins this thread.
#[inline]
pub(crate) fn pin() -> Guard {
    let current = CURRENT.get();
    if current.is_null() {
        return first_pin();
    }
    // SAFETY: `OWNER` keeps the participant until it clears `CURRENT`; the share that is made of
    // it here is never given up.
    let participant = ManuallyDrop::new(unsafe { Rc::from_raw(current) });
    if participant.generation() != generation() {
        return first_pin();
    }
    participant.pin()
}

/// Registers this thread and pins it.
#[cold]
fn first_pin() -> Guard {
    let participant = register();
    let guard = participant.pin();
    let owned = OWNER.try_with(|owner| owner.0.replace(Some(Rc::clone(&participant))));
    // When the thread is ending, the participant lasts as long as its guard.
    let Ok(old) = owned else { return guard };
    CURRENT.set(Rc::as_ptr(&participant));
    if let Some(old) = old {
        if old.is_pinned() {
            // A guard of this thread came through the fork and protects nothing here: the child
            // leaks instead of freeing what it may still show.
            mem::forget(participant.pin());
        }
        // A participant of the parent process: its collector knows threads that do not exist here,
        // so it is left alone for ever (invariant 4).
        mem::forget(old);
    }
    guard
}

/// A participant of its own, for a session or another long pin.
pub(crate) fn register() -> Rc<Participant> {
    domain().register(generation())
}

/// What memory reclamation is doing in this process.
pub(crate) fn figures() -> EpochStats {
    domain().figures()
}

/// Hands over what this thread has retired, moves the epoch on as far as live guards allow, and
/// frees all that is ready in the process.
///
/// Memory that other threads retired and have not handed over stays with them until they write
/// again, flush or end, and so do up to 2 MiB of small freed blocks that each thread keeps for
/// itself. Nothing has to call this: it is for tests, and for programs that want
/// memory back at a certain moment.
///
/// # Panics
///
/// With the panic of a `Drop` of a user's type, after everything else is freed.
pub fn flush() {
    let guard = pin();
    let participant = Rc::clone(guard.participant());
    participant.without_freeing(|| {
        drop(guard);
        // Garbage is ready two epochs after it was handed over; one round each, and one to collect.
        for _ in 0..4 {
            participant.flush();
        }
    });
    domain().free_ready();
    memory::drain_cache();
}

/// Runs `f`, during which the guards of this thread free nothing when they end.
pub(crate) fn without_freeing(f: impl FnOnce()) {
    let participant = Rc::clone(pin().participant());
    participant.without_freeing(f);
}

fn domain() -> &'static Domain {
    // Acquire: edge F1, the domain is initialised. Pairs with the exchange below.
    let domain = DOMAIN.load(Acquire);
    if domain.is_null() {
        return new_domain();
    }
    // SAFETY: a domain is never freed, so the reference is good for ever.
    unsafe { &*domain }
}

#[cold]
fn new_domain() -> &'static Domain {
    watch_for_forks();
    let fresh = Box::into_raw(Box::new(Domain::new()));
    // AcqRel: edge F1.
    match DOMAIN.compare_exchange(ptr::null_mut(), fresh, AcqRel, Acquire) {
        // SAFETY: as in `domain`.
        Ok(_) => unsafe { &*fresh },
        Err(theirs) => {
            // SAFETY: ours was not published.
            drop(unsafe { Box::from_raw(fresh) });
            // SAFETY: as in `domain`.
            unsafe { &*theirs }
        }
    }
}

/// Makes every `fork` of this process begin a new generation in the child.
fn watch_for_forks() {
    extern "C" fn in_child() {
        // Two stores, nothing else: the child may be the fork of a threaded process. The domain of
        // the parent is leaked, since threads that do not exist here may be pinned in it.
        DOMAIN.store(ptr::null_mut(), Relaxed);
        GENERATION.fetch_add(1, Relaxed);
    }
    static WATCHING: OnceLock<()> = OnceLock::new();
    if cfg!(miri) {
        // Miri has no processes to fork.
        return;
    }
    WATCHING.get_or_init(|| {
        // SAFETY: registers a handler that does two atomic stores, which any context allows. It
        // fails only without memory, and then forks go unnoticed, as before the call.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
}
