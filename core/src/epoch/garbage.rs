//! Garbage: retired memory on its way to being freed.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::ptr;

use crate::sync::figures::AtomicU64 as Figure;
use crate::sync::{AcqRel, Acquire, AtomicPtr, Relaxed, Release};

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Something that was unlinked: a pointer, and how to free what it points to.
#[derive(Debug)]
pub(crate) struct Garbage {
    pointer: *mut (),
    bytes: usize,
    free: unsafe fn(*mut ()),
}

// SAFETY: `new` demands that the memory may be freed on any thread.
unsafe impl Send for Garbage {}

impl Garbage {
    /// Garbage that `free(pointer)` frees; `bytes` is its size, for the figures.
    ///
    /// # Safety
    ///
    /// - `free(pointer)` is sound, once, on any thread, after the grace period.
    /// - Whoever pins from now on cannot reach `pointer` any more.
    pub(crate) unsafe fn new(pointer: *mut (), bytes: usize, free: unsafe fn(*mut ())) -> Self {
        Self { pointer, bytes, free }
    }

    /// The size in bytes that the figures count.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Frees it.
    ///
    /// # Safety
    ///
    /// The grace period is over, or nobody else can hold the pointer.
    pub(crate) unsafe fn free(self) {
        // SAFETY: `new` demands that this is sound once; `self` is consumed.
        unsafe { (self.free)(self.pointer) }
    }
}

/// Takes what was unlinked and frees it when nobody can read it any more.
///
/// The table is generic over this, so that its protocol can be checked with a reclaimer that
/// keeps everything.
pub(crate) trait Retire {
    /// Takes `garbage`, to be freed when all guards that are live now have ended.
    fn retire(&self, garbage: Garbage);

    /// Notes that the holder of this guard wrote: when its pin ends, it frees a portion of what is
    /// ready, its own or others'.
    fn owe(&self) {}

    /// Hands over at once what was retired so far; for garbage that is large by itself.
    fn hand_over(&self) {}
}

/// Retired garbage of one thread that goes through the epoch together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    garbage: Vec<Garbage>,
    bytes: usize,
}

/// Records in a batch, and its bytes, at which it is handed over.
const BATCH_RECORDS: usize = if cfg!(any(test, miri, rkv_loom)) { 4 } else { 128 };
const BATCH_BYTES: usize = 64 << 10;

impl Batch {
    #[inline]
    pub(crate) fn push(&mut self, garbage: Garbage) {
        if self.garbage.capacity() == 0 {
            self.garbage.reserve_exact(BATCH_RECORDS);
        }
        self.bytes += garbage.bytes();
        self.garbage.push(garbage);
    }

    pub(crate) fn is_full(&self) -> bool {
        self.garbage.len() >= BATCH_RECORDS || self.bytes >= BATCH_BYTES
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.garbage.is_empty()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Frees all of it. When a `Drop` panics, the rest is still freed and the first panic returned.
    ///
    /// # Safety
    ///
    /// The grace period of every piece is over.
    unsafe fn free(self) -> Result<(), Payload> {
        let mut outcome = Ok(());
        let mut garbage = self.garbage.into_iter();
        while !garbage.as_slice().is_empty() {
            let freed = panic::catch_unwind(AssertUnwindSafe(|| {
                for piece in garbage.by_ref() {
                    // SAFETY: the caller says that the grace period is over.
                    unsafe { piece.free() }
                }
            }));
            outcome = outcome.and(freed);
        }
        outcome
    }
}

/// Batches whose grace period is over, as a lock-free stack; anyone may free them.
#[derive(Debug)]
pub(crate) struct ReadyList {
    head: AtomicPtr<Ready>,
    bytes: Figure,
}

#[derive(Debug)]
struct Ready {
    batch: Batch,
    next: *mut Ready,
}

impl ReadyList {
    pub(crate) fn new() -> Self {
        Self { head: AtomicPtr::new(ptr::null_mut()), bytes: Figure::new(0) }
    }

    /// Bytes handed over and not freed yet.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Counts a batch that is handed over to the epoch.
    pub(crate) fn expect(&self, batch: &Batch) {
        self.bytes.fetch_add(batch.bytes() as u64, Relaxed);
    }

    /// Puts a batch on the list. Its grace period is over.
    pub(crate) fn push(&self, batch: Batch) {
        let node = Box::into_raw(Box::new(Ready { batch, next: ptr::null_mut() }));
        let mut head = self.head.load(Relaxed);
        loop {
            // SAFETY: the node is ours until the exchange succeeds.
            unsafe { (*node).next = head };
            // Release: edge R2, a batch becomes ready. Pairs with the swap in `free_some`.
            match self.head.compare_exchange(head, node, Release, Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Puts the rest of a chain back, behind what was pushed meanwhile. Walks only that, not the
    /// rest, which may be long.
    ///
    /// # Safety
    ///
    /// `rest` heads a chain that nobody else can reach.
    unsafe fn put_back(&self, mut rest: *mut Ready) {
        // Release: edge R2.
        while self.head.compare_exchange(ptr::null_mut(), rest, Release, Relaxed).is_err() {
            // AcqRel: edge R2.
            let newer = self.head.swap(ptr::null_mut(), AcqRel);
            if !newer.is_null() {
                // SAFETY: the swap took the newer chain, so both are ours.
                unsafe { (*last_of(newer)).next = rest };
                rest = newer;
            }
        }
    }

    /// Whether nothing is ready, as a hint.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        // Relaxed: only asks whether a visit is worth it.
        self.head.load(Relaxed).is_null()
    }

    /// Frees at most `batches` ready batches; whether more are left.
    ///
    /// # Errors
    ///
    /// The payload of the first panic of a `Drop`; everything taken is freed all the same.
    pub(crate) fn free_some(&self, batches: usize) -> Result<bool, Payload> {
        if self.is_empty() {
            return Ok(false);
        }
        // Acquire: edge R2. AcqRel, because the rest goes back by a later push.
        let mut node = self.head.swap(ptr::null_mut(), AcqRel);
        let mut outcome = Ok(());
        for _ in 0..batches {
            if node.is_null() {
                break;
            }
            // SAFETY: the swap took the whole chain, so it is ours alone; each node is a box.
            let ready = unsafe { Box::from_raw(node) };
            node = ready.next;
            self.bytes.fetch_sub(ready.batch.bytes() as u64, Relaxed);
            // SAFETY: batches are pushed when their grace period is over.
            let freed = unsafe { ready.batch.free() };
            if outcome.is_ok() {
                outcome = freed;
            }
        }
        let more = !node.is_null();
        if more {
            // SAFETY: the rest of the chain is still ours.
            unsafe { self.put_back(node) };
        }
        outcome.map(|()| more)
    }
}

/// The last node of a chain.
///
/// # Safety
///
/// `node` heads a chain that this thread owns.
unsafe fn last_of(mut node: *mut Ready) -> *mut Ready {
    loop {
        // SAFETY: the chain is ours.
        let next = unsafe { (*node).next };
        if next.is_null() {
            return node;
        }
        node = next;
    }
}

impl Drop for ReadyList {
    fn drop(&mut self) {
        // Acquire: edge R2, for a list that is dropped by another thread than its pushers.
        let mut node = self.head.load(Acquire);
        while !node.is_null() {
            // SAFETY: `&mut self`: nobody else can reach the chain.
            let ready = unsafe { Box::from_raw(node) };
            node = ready.next;
            // SAFETY: batches are pushed when their grace period is over. A panic of a `Drop` ends
            // here, since a destructor has nobody to hand it to.
            drop(unsafe { ready.batch.free() });
        }
    }
}
