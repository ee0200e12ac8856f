//! Places where a test can stop a thread in the middle of an operation, for ever if it likes.
//!
//! Outside of the crate's own tests these are empty functions.

/// A moment inside of an operation that other threads must be able to outlive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Point {
    /// A get has loaded a matching slot word and not yet validated it.
    ReadMatched,
    /// An insert has claimed a slot and not yet published it.
    Claimed,
    /// A migration has frozen its bucket's header, not yet its slots.
    HeaderFrozen,
    /// A migration has filled the children and not yet marked the parent as moved.
    ChildrenFilled,
    /// A helper has verified a chunk and not yet said so.
    ChunkVerified,
}

#[cfg(not(test))]
#[inline(always)]
pub(crate) const fn reached(_: Point) {}

#[cfg(test)]
pub(crate) use hook::{on_reached, reached};

#[cfg(test)]
mod hook {
    use super::Point;
    use std::cell::RefCell;

    type Hook = Box<dyn FnMut(Point)>;

    thread_local! {
        static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
    }

    /// Calls this thread's hook, if it has one.
    pub(crate) fn reached(point: Point) {
        let hook = HOOK.with(|hook| hook.borrow_mut().take());
        if let Some(mut hook) = hook {
            hook(point);
            HOOK.with(|place| *place.borrow_mut() = Some(hook));
        }
    }

    /// Sets this thread's hook.
    pub(crate) fn on_reached(hook: impl FnMut(Point) + 'static) {
        HOOK.with(|place| *place.borrow_mut() = Some(Box::new(hook)));
    }
}
