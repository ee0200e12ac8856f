//! What `slot.rs` needs of the standard library, in the form in which loom offers it too.
//!
//! `tests/slot_model.rs` puts loom's types in the place of this module.

use std::cell::UnsafeCell;
pub(crate) use std::sync::atomic::AtomicU64;

/// Number of counters over which the calls into one slot are spread.
// LIMIT: 16 counters of 128 bytes are 2 KiB for each store that is open at once. More threads than
// that share counters, which is slower and never wrong.
pub(crate) const STRIPES: usize = 16;

/// `UnsafeCell` with loom's interface, which marks where an access begins and ends.
pub(crate) struct RaceCell<T>(UnsafeCell<T>);

impl<T> RaceCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        RaceCell(UnsafeCell::new(value))
    }

    /// Gives `read` a pointer that is only read through.
    pub(crate) fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        read(self.0.get())
    }

    /// Gives `write` a pointer for exclusive use.
    pub(crate) fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        write(self.0.get())
    }
}
