//! The handles of open stores: numbers that are looked up, never addresses that are followed.
//!
//! A handle is the index of a slot (low 16 bits) and the generation of the store in it (48 bits).
//! The table of slots is static, and slots are reused but never freed; so any number at all can be
//! looked up, and one that does not name an open store finds another generation. A call pays for
//! the lookup with two additions on a counter that it shares with few other threads.
//!
//! Opening takes no lock either: a fork may happen while any thread is anywhere, and the child
//! must still be able to open stores.

use std::cell::Cell;
use std::ops::Deref;
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicPtr, AtomicUsize};

use rkv::{ManualClock, Store};

use crate::failure::Failure;
use crate::slot::{Claim, Entered, Slot};
use crate::sync::STRIPES;

/// A store, by number. The zero handle, { 0 }, names no store.
///
/// It is a structure, so that a compiler tells it from every other number, and passed by value. Do
/// not look into it and do not do arithmetic on it; copies are equal.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct kv_store_t {
    /// Private.
    pub id: u64,
}

/// What stands behind a handle: a store, with the clock that it was given.
pub(crate) struct Opened {
    store: Store,
    clock: Option<ManualClock>,
}

impl Opened {
    pub(crate) fn new(store: Store, clock: Option<ManualClock>) -> Self {
        Opened { store, clock }
    }

    /// The store's clock, if it is moved by hand.
    pub(crate) fn clock(&self) -> Option<&ManualClock> {
        self.clock.as_ref()
    }

    pub(crate) fn close(self) -> rkv::Result<()> {
        self.store.close()
    }
}

impl Deref for Opened {
    type Target = Store;

    #[inline]
    fn deref(&self) -> &Store {
        &self.store
    }
}

/// The handle that names no store.
pub(crate) const NO_STORE: kv_store_t = kv_store_t { id: 0 };

// LIMIT: 65,536 stores open at once in a process; the table is 512 KiB of zero pages.
const INDEX_BITS: u32 = 16;
const SLOTS_MAX: usize = 1 << INDEX_BITS;

static SLOTS: [AtomicPtr<Slot<Opened>>; SLOTS_MAX] =
    [const { AtomicPtr::new(ptr::null_mut()) }; SLOTS_MAX];

/// Where to begin the search for a free slot: none below it was free when last seen.
static FREE_HINT: AtomicUsize = AtomicUsize::new(0);

/// Gives `store` a handle with one reference.
///
/// # Errors
/// TooMany when every slot is taken; the store is dropped.
pub(crate) fn open(store: Opened) -> Result<kv_store_t, Failure> {
    // Relaxed: a hint; `claim` decides.
    let hint = FREE_HINT.load(Relaxed);
    for index in (hint..SLOTS_MAX).chain(0..hint) {
        if let Some(claim) = claim(index) {
            FREE_HINT.store(index + 1, Relaxed);
            let generation = claim.publish(store);
            return Ok(kv_store_t { id: generation << INDEX_BITS | index as u64 });
        }
    }
    Err(Failure::TooMany { things: "stores are open" })
}

/// Enters the store that `handle` names and keeps it alive until the call leaves.
///
/// # Errors
/// Closed when the handle names no open store.
pub(crate) fn enter(handle: kv_store_t) -> Result<Entered<'static, Opened>, Failure> {
    let index = (handle.id % SLOTS_MAX as u64) as usize;
    slot(index)
        .and_then(|slot| slot.enter(handle.id >> INDEX_BITS, stripe()))
        .ok_or(Failure::Engine(rkv::Error::Closed))
}

/// Says that the slot of `handle` has become free.
pub(crate) fn freed(handle: kv_store_t) {
    FREE_HINT.fetch_min((handle.id % SLOTS_MAX as u64) as usize, Relaxed);
}

fn slot(index: usize) -> Option<&'static Slot<Opened>> {
    // Acquire: pairs with the Release in `claim`, so that the slot is seen whole.
    let slot = SLOTS[index].load(Acquire);
    // SAFETY: NULL, or a slot from `Box::into_raw` in `claim`, which is never freed.
    unsafe { slot.as_ref() }
}

fn claim(index: usize) -> Option<Claim<'static, Opened>> {
    if let Some(slot) = slot(index) {
        return slot.claim();
    }
    let fresh = Box::into_raw(Box::new(Slot::new()));
    // AcqRel: Release publishes the fresh slot; Acquire shows the slot of another thread.
    let installed = SLOTS[index].compare_exchange(ptr::null_mut(), fresh, AcqRel, Acquire);
    if installed.is_err() {
        // SAFETY: `fresh` comes from `Box::into_raw` above and was given to nobody.
        drop(unsafe { Box::from_raw(fresh) });
    }
    slot(index)?.claim()
}

/// The stripe of the calling thread: threads take turns, so that few share one.
fn stripe() -> usize {
    const NONE: usize = usize::MAX;
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        // Constant and without `Drop`: it also serves calls from other thread-local destructors.
        static STRIPE: Cell<usize> = const { Cell::new(NONE) };
    }
    STRIPE.with(|stripe| {
        if stripe.get() == NONE {
            stripe.set(NEXT.fetch_add(1, Relaxed) % STRIPES);
        }
        stripe.get()
    })
}
