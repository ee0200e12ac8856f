//! The record of the models: a key and a value in a cell in which loom sees races.

use std::alloc::Layout;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use loom::cell::UnsafeCell;

use crate::table;

/// What a record says. Its hash is the key without the low 4 bits: keys that differ in these only
/// share one slot.
#[derive(Clone, Copy)]
pub(super) struct Content {
    pub(super) key: u64,
    pub(super) value: u64,
}

/// The hash of a key.
pub(super) fn hash_of(key: u64) -> u64 {
    key & !15
}

/// A record whose memory lasts as long as its world, whatever happens to it: a twin must not end in
/// undefined behaviour before loom has seen what is wrong.
#[repr(align(16))]
pub(super) struct Record {
    content: UnsafeCell<Content>,
    /// How often it was given up; not part of the model.
    released: AtomicUsize,
}

impl Record {
    pub(super) fn make(key: u64, value: u64) -> NonNull<Self> {
        let content = UnsafeCell::new(Content { key, value });
        let record = crate::memory::try_box(Self { content, released: AtomicUsize::new(0) });
        let record = record.unwrap_or_else(|_| {
            std::alloc::handle_alloc_error(Layout::new::<Self>());
        });
        // Loom does not count the creation of a cell as a write.
        set(record, value);
        record
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
        // SAFETY: as in `read`.
        unsafe { record.as_ref() }.released.fetch_add(1, SeqCst);
    }

    unsafe fn bytes(_: NonNull<Self>) -> usize {
        size_of::<Self>()
    }
}
