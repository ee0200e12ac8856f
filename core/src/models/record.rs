//! The record of the models: a key and a value in a cell in which loom sees races.

use std::alloc::Layout;
use std::cell;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use loom::cell::UnsafeCell;

use super::deadline::Deadline;
use crate::memory::Cache;
use crate::table;

/// What a record says. Its hash is the key without the low 4 bits: keys that differ in these only
/// share one slot.
#[derive(Clone, Copy)]
pub(super) struct Content {
    pub(super) key: u64,
    pub(super) value: u64,
    pub(super) deadline: Deadline,
}

impl Content {
    fn new(key: u64, value: u64) -> Self {
        Self { key, value, deadline: Deadline::NEVER }
    }
}

/// The hash of a key.
pub(super) fn hash_of(key: u64) -> u64 {
    key & !15
}

/// A record whose memory lasts as long as its world, whatever happens to it: a twin must not end in
/// undefined behaviour before loom has seen what is wrong.
#[repr(C, align(16))]
pub(super) struct Record {
    /// Where a cache that keeps the block writes. To loom that is part of giving the record up.
    link: cell::UnsafeCell<usize>,
    content: UnsafeCell<Content>,
    /// How often it was given up in this life; not part of the model.
    released: AtomicUsize,
    /// Whether its block has another life after that.
    reused: bool,
}

loom::thread_local! {
    /// The blocks that a thread of a model keeps. They are the world's, so nothing drains it.
    static CACHE: ManuallyDrop<Cache> = ManuallyDrop::new(Cache::new());
}

impl Record {
    /// A record; if `reused`, the thread that gives it up keeps its block for `again`.
    pub(super) fn make(key: u64, value: u64, reused: bool) -> NonNull<Self> {
        let content = UnsafeCell::new(Content::new(key, value));
        let (link, released) = (cell::UnsafeCell::new(0), AtomicUsize::new(0));
        let record = crate::memory::try_box(Self { link, content, released, reused });
        let record = record.unwrap_or_else(|_| {
            std::alloc::handle_alloc_error(Layout::new::<Self>());
        });
        // Loom does not count the creation of a cell as a write.
        set(record, value);
        record
    }

    /// A record at the address of the one whose block this thread has kept last.
    pub(super) fn again(key: u64, value: u64) -> Option<NonNull<Self>> {
        let record = CACHE.with(|cache| cache.take(size_of::<Self>()))?.cast::<Self>();
        // SAFETY: the memory lasts as long as the world, and loom reports a race before it happens.
        unsafe {
            assert_eq!(record.as_ref().released.swap(0, SeqCst), 1, "of its former life");
            record.as_ref().content.with_mut(|content| *content = Content::new(key, value));
        }
        Some(record)
    }
}

/// What a record says now.
pub(super) fn read(record: NonNull<Record>) -> Content {
    // SAFETY: the memory lasts as long as the world, and loom reports a race before it happens.
    unsafe { record.as_ref().content.with(|content| *content) }
}

/// Gives a record that is not published another value.
pub(super) fn set(record: NonNull<Record>, value: u64) {
    // SAFETY: as in `read`.
    unsafe { record.as_ref().content.with_mut(|content| (*content).value = value) }
}

/// Gives a record that is not published a deadline.
pub(super) fn set_deadline(record: NonNull<Record>, deadline: Deadline) {
    // SAFETY: as in `read`.
    unsafe { record.as_ref().content.with_mut(|content| (*content).deadline = deadline) }
}

/// How often a record was given up.
pub(super) fn released(record: NonNull<Record>) -> usize {
    // SAFETY: as in `read`.
    unsafe { record.as_ref() }.released.load(SeqCst)
}

/// Frees the memory of a record.
///
/// # Safety
///
/// It comes from `make`, and this is the end of its world.
pub(super) unsafe fn free(record: NonNull<Record>) {
    // SAFETY: `make` made it as a box would, and nobody else has it any more.
    unsafe { crate::memory::drop_boxed(record) };
}

// SAFETY: records are boxes that stay where they are until the end of the model.
unsafe impl table::Record for Record {
    type Hasher = ();
    type Shown<'g> = NonNull<Self>;

    unsafe fn show<'g>(record: NonNull<Self>) -> NonNull<Self>
    where
        Self: 'g,
    {
        record
    }

    unsafe fn hash(record: NonNull<Self>, (): &()) -> u64 {
        hash_of(read(record).key)
    }

    /// A write, as freeing would be: whoever still reads the record races with it.
    unsafe fn release(record: NonNull<Self>) {
        set(record, u64::MAX);
        // SAFETY: as in `read`. Nobody uses the block, which has room for a link.
        unsafe {
            record.as_ref().released.fetch_add(1, SeqCst);
            if record.as_ref().reused {
                let kept = CACHE.with(|cache| cache.put(record.cast(), size_of::<Self>()));
                assert!(kept, "the cache is full");
            }
        }
    }

    unsafe fn bytes(_: NonNull<Self>) -> usize {
        size_of::<Self>()
    }
}
