//! What a process has one of, and a forked child makes anew: the child has none of its parent's
//! threads, and what they held when it was made is held for ever.

use std::ptr;

use super::statics::AtomicPtr;
use super::{AcqRel, Acquire};

/// One value for each process. What a parent made is left alone in its children; nothing is freed.
pub(crate) struct PerProcess<T> {
    value: AtomicPtr<T>,
}

impl<T: Sync> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self { value: AtomicPtr::new(ptr::null_mut()) }
    }

    /// The value that `is_ours`, made if there is none.
    pub(crate) fn get(&self, is_ours: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> &'static T {
        // Acquire: edge F1, the value is initialised.
        let found = self.value.load(Acquire);
        // SAFETY: null, or made below, and never freed.
        if let Some(value) = unsafe { found.as_ref() }
            && is_ours(value)
        {
            return value;
        }
        let made = Box::into_raw(Box::new(make()));
        // AcqRel: edge F1.
        match self.value.compare_exchange(found, made, AcqRel, Acquire) {
            // SAFETY: it is the static's now, and never freed.
            Ok(_) => unsafe { &*made },
            Err(theirs) => {
                // SAFETY: nobody else has seen ours. Theirs was made by another thread of this very
                // process, since the exchange met another value than the parent's.
                unsafe {
                    drop(Box::from_raw(made));
                    &*theirs
                }
            }
        }
    }
}
