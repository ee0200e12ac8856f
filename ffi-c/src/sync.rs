//! What `slot.rs`, `calls.rs` and `free.rs` need beside themselves, in the form in which loom
//! offers it too.
//!
//! The models in `tests/` put loom's types in the place of this module.

use std::cell::UnsafeCell;
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64};

pub(crate) use crate::barrier::{heavy_fence, light_fence};

/// `UnsafeCell` with loom's interface, which marks where an access begins and ends.
pub(crate) struct RaceCell<T>(UnsafeCell<T>);

impl<T> RaceCell<T> {
    /// Gives `read` a pointer that is only read through.
    pub(crate) fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        read(self.0.get())
    }

    /// Gives `write` a pointer for exclusive use.
    pub(crate) fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        write(self.0.get())
    }
}
