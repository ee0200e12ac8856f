//! Guards: the pins of a thread, by number.
//!
//! A guard names the thread that made it, an index into that thread's table of pins (low 10 bits of
//! `id`), and the generation of the pin there (54 bits). The table lies in thread-local memory, and
//! every call looks the guard up in it; so any bytes at all can be passed for a guard, and those
//! that name no live pin of the calling thread find none.
//!
//! A pin stands in its store as a call does (`slot.rs`): whoever closes the store ends it for
//! everybody, and the memory stays until the pin ends too. When a thread ends, so do its pins.

use std::cell::RefCell;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use rkv::Pin;

use crate::failure::Failure;
use crate::handle::Opened;
use crate::table::Kept;

/// A pin of one thread, by number. The zero guard, { 0, 0 }, names none.
///
/// Passed by value; copies are equal, and end together. Do not look into it.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct kv_guard_t {
    /// Private.
    pub thread: u64,
    /// Private.
    pub id: u64,
}

/// The guard that names no pin.
pub(crate) const NO_GUARD: kv_guard_t = kv_guard_t { thread: 0, id: 0 };

const INDEX_BITS: u32 = 10;
// LIMIT: 1,024 pins of one thread at once. Each takes 2 KiB, and lengthens the list that the
// reclamation goes through; who has more has forgotten to unpin.
const PINS_MAX: usize = 1 << INDEX_BITS;

/// What stands behind a live guard. The pin comes first, so that it ends before the store does.
pub(crate) struct Pinned {
    pub(crate) pin: Pin,
    pub(crate) store: Kept<Opened>,
}

/// A place for one pin at a time; the generation is that of the pin now or last in it.
struct Place {
    generation: u64,
    pinned: Option<Pinned>,
}

/// The pins of a thread.
struct Guards {
    /// The number of the thread; 0 before its first pin.
    thread: u64,
    places: Vec<Place>,
}

thread_local! {
    static GUARDS: RefCell<Guards> =
        const { RefCell::new(Guards { thread: 0, places: Vec::new() }) };
}

/// Pins the calling thread for reads of `store`.
///
/// # Errors
/// TooMany when the thread has as many pins as there can be; NoMemory; Unsupported when the thread
/// is ending, and would leave the pin behind.
pub(crate) fn begin(store: Kept<Opened>) -> Result<kv_guard_t, Failure> {
    let begin = |guards: &RefCell<Guards>| guards.borrow_mut().begin(store);
    GUARDS
        .try_with(begin)
        .unwrap_or(Err(Failure::Unsupported { name: "kv_pin", reason: "this thread is ending" }))
}

/// Runs one call on a live guard.
///
/// # Errors
/// InvalidArgument for a guard that names no pin, WrongThread for one of another thread, Forked and
/// Closed for one whose store has come to that; and those of the call.
#[inline]
pub(crate) fn with<R>(
    guard: kv_guard_t,
    call: impl FnOnce(&mut Pinned) -> Result<R, Failure>,
) -> Result<R, Failure> {
    let with = |guards: &RefCell<Guards>| {
        let mut guards = guards.borrow_mut();
        let pinned = guards.place(guard)?.pinned.as_mut().ok_or(NOT_PINNED)?;
        pinned.store.check()?;
        if pinned.store.is_open() { call(pinned) } else { Err(rkv::Error::Closed.into()) }
    };
    GUARDS.try_with(with).unwrap_or(Err(NOT_PINNED))
}

/// Ends the pin of a guard. The result, when dropped, lets go of the store.
///
/// # Errors
/// As for `with`, except that the store may be closed.
pub(crate) fn end(guard: kv_guard_t) -> Result<Pinned, Failure> {
    let end = |guards: &RefCell<Guards>| {
        let mut guards = guards.borrow_mut();
        let place = guards.place(guard)?;
        place.pinned.as_ref().ok_or(NOT_PINNED)?.store.check()?;
        place.pinned.take().ok_or(NOT_PINNED)
    };
    GUARDS.try_with(end).unwrap_or(Err(NOT_PINNED))
}

const NOT_PINNED: Failure = Failure::invalid("guard", "not pinned, or not any more");

impl Guards {
    fn begin(&mut self, store: Kept<Opened>) -> Result<kv_guard_t, Failure> {
        if self.thread == 0 {
            static LAST: AtomicU64 = AtomicU64::new(0);
            self.thread = LAST.fetch_add(1, Relaxed) + 1;
        }
        let free = self.places.iter().position(|place| place.pinned.is_none());
        let index = free.unwrap_or(self.places.len());
        if index == self.places.len() {
            if index == PINS_MAX {
                return Err(Failure::TooMany { things: "guards are pinned on this thread" });
            }
            self.places.try_reserve(1).map_err(|_| rkv::Error::NoMemory)?;
            self.places.push(Place { generation: 0, pinned: None });
        }
        let place = &mut self.places[index];
        place.generation += 1;
        place.pinned = Some(Pinned { pin: Pin::new(), store });
        let id = place.generation << INDEX_BITS | index as u64;
        Ok(kv_guard_t { thread: self.thread, id })
    }

    /// The place that a guard of this thread names.
    #[inline]
    fn place(&mut self, guard: kv_guard_t) -> Result<&mut Place, Failure> {
        if guard.thread != self.thread {
            return Err(self.stranger(guard));
        }
        let place = self.places.get_mut(guard.id as usize % PINS_MAX);
        place.filter(|place| place.generation == guard.id >> INDEX_BITS).ok_or(NOT_PINNED)
    }

    /// Why a guard that is not this thread's is refused.
    #[cold]
    fn stranger(&self, guard: kv_guard_t) -> Failure {
        if guard.thread == 0 { NOT_PINNED } else { rkv::Error::WrongThread.into() }
    }
}
