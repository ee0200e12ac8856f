//! The system's allocator, but for refusals on demand and a count of big blocks.
//!
//! Refusals are per thread: a test arms its own threads, and the tests beside it and the test
//! runner get what they ask for.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

/// Zeroed blocks of this many bytes and more are the arrays and links of tables.
const ARRAY_BYTES_MIN: usize = 128;

/// Plain blocks of this many bytes and more are the records that tests here have refused.
pub(crate) const RECORD_BYTES_MIN: usize = 1 << 20;

thread_local! {
    /// Zeroed blocks that this thread may still get; `None` when all.
    static ARRAYS_LEFT: Cell<Option<u32>> = const { Cell::new(None) };
    /// Refusals still to come once none is left.
    static REFUSALS: Cell<u32> = const { Cell::new(0) };
    /// Zeroed blocks that this thread was refused.
    static REFUSED: Cell<u32> = const { Cell::new(0) };
    /// Whether this thread is refused records.
    static NO_RECORDS: Cell<bool> = const { Cell::new(false) };
    /// Bytes of plain blocks that this thread is refused, unless they are aligned to more than 8.
    static NO_BLOCKS: Cell<(usize, usize)> = const { Cell::new((1, 0)) };
    /// How often this thread was refused one of those.
    static BLOCKS_REFUSED: Cell<u32> = const { Cell::new(0) };
}

/// Bytes of a value whose records are counted: nothing else in this binary has their size.
pub(crate) const COUNTED_VALUE_BYTES: usize = 40_007;

/// Longest key of a counted record in bytes.
const COUNTED_KEY_BYTES_MAX: usize = 400;

static RECORDS_TAKEN: AtomicU64 = AtomicU64::new(0);
static RECORDS_GIVEN_BACK: AtomicU64 = AtomicU64::new(0);

fn is_counted(layout: Layout) -> bool {
    let beyond_value = layout.size().wrapping_sub(COUNTED_VALUE_BYTES);
    (1..COUNTED_KEY_BYTES_MAX).contains(&beyond_value)
}

struct Refusing;

#[global_allocator]
static ALLOCATOR: Refusing = Refusing;

// SAFETY: every call is the system's, or answers null, which stands for a refusal.
unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() >= RECORD_BYTES_MIN && NO_RECORDS.get() {
            return ptr::null_mut();
        }
        if refuses_block(layout) {
            return ptr::null_mut();
        }
        RECORDS_TAKEN.fetch_add(u64::from(is_counted(layout)), Ordering::SeqCst);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // The compiler also asks here for a block that its owner fills with zeros.
        if refuses_block(layout) || layout.size() >= ARRAY_BYTES_MIN && refuses_array() {
            return ptr::null_mut();
        }
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        RECORDS_GIVEN_BACK.fetch_add(u64::from(is_counted(layout)), Ordering::SeqCst);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(block, layout) }
    }
}

fn refuses_block(layout: Layout) -> bool {
    let (least, most) = NO_BLOCKS.get();
    let refuses = layout.align() <= 8 && (least..=most).contains(&layout.size());
    BLOCKS_REFUSED.set(BLOCKS_REFUSED.get() + u32::from(refuses));
    refuses
}

fn refuses_array() -> bool {
    match ARRAYS_LEFT.get() {
        None => false,
        Some(0) => {
            let refusals = REFUSALS.get();
            REFUSALS.set(refusals.saturating_sub(1));
            REFUSED.set(REFUSED.get() + u32::from(refusals > 0));
            refusals > 0
        }
        Some(left) => {
            ARRAYS_LEFT.set(Some(left - 1));
            false
        }
    }
}

/// Runs `work` on a thread that gets `granted` arrays and links, is then refused `refusals` times,
/// and gets all after that. What `work` returns, and how often it was refused.
pub(crate) fn with_arrays<R>(granted: u32, refusals: u32, work: impl FnOnce() -> R) -> (R, u32) {
    let _end = Disarm;
    ARRAYS_LEFT.set(Some(granted));
    REFUSALS.set(refusals);
    REFUSED.set(0);
    let result = work();
    (result, REFUSED.get())
}

/// Runs `work` on a thread that is refused every block as large as a record of these tests.
pub(crate) fn without_records<R>(work: impl FnOnce() -> R) -> R {
    let _end = Disarm;
    NO_RECORDS.set(true);
    work()
}

/// Runs `work` on a thread that is refused blocks of `least` to `most` bytes.
pub(crate) fn without_blocks<R>(least: usize, most: usize, work: impl FnOnce() -> R) -> R {
    let _end = Disarm;
    NO_BLOCKS.set((least, most));
    BLOCKS_REFUSED.set(0);
    work()
}

/// How often this thread was refused blocks in the last `without_blocks`.
pub(crate) fn blocks_refused() -> u32 {
    BLOCKS_REFUSED.get()
}

/// Grants everything again, also after a panic.
struct Disarm;

impl Drop for Disarm {
    fn drop(&mut self) {
        ARRAYS_LEFT.set(None);
        REFUSALS.set(0);
        NO_RECORDS.set(false);
        NO_BLOCKS.set((1, 0));
    }
}

/// Counted records that were taken, and those of them that were given back.
pub(crate) fn counted_records() -> (u64, u64) {
    let given_back = RECORDS_GIVEN_BACK.load(Ordering::SeqCst);
    (RECORDS_TAKEN.load(Ordering::SeqCst), given_back)
}
