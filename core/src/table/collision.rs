//! Collision lists: keys whose 64-bit hashes are equal share one slot.
//!
//! A list is immutable. Every change of a member builds a new list and is decided by the same
//! single exchange of the slot word as any other change. A list never turns back into a bare
//! record, also when it shrinks to one member: a record whose word left a slot must not come back
//! to it.

use std::ptr::NonNull;

use super::{Record, Refused};
use crate::epoch::Garbage;
use crate::memory;

/// The records of one hash.
#[repr(align(16))]
pub(super) struct Collision<R> {
    /// The hash that all members have.
    pub(super) hash: u64,
    pub(super) members: Vec<NonNull<R>>,
}

impl<R: Record> Collision<R> {
    /// A new list, in memory of its own.
    pub(super) fn new(hash: u64, members: Vec<NonNull<R>>) -> Result<NonNull<Self>, Refused> {
        memory::try_box(Self { hash, members }).map_err(|_| Refused::NoMemory)
    }

    /// The members and `more` after them.
    pub(super) fn with(
        members: &[NonNull<R>],
        more: NonNull<R>,
    ) -> Result<Vec<NonNull<R>>, Refused> {
        let mut longer = Self::room(members.len() + 1)?;
        longer.extend_from_slice(members);
        longer.push(more);
        Ok(longer)
    }

    /// The members with `new` in the place of `old`, or without `old`.
    pub(super) fn changed(
        &self,
        old: NonNull<R>,
        new: Option<NonNull<R>>,
    ) -> Result<Vec<NonNull<R>>, Refused> {
        let mut members = Self::room(self.members.len())?;
        for &member in &self.members {
            if member != old {
                members.push(member);
            } else if let Some(new) = new {
                members.push(new);
            }
        }
        Ok(members)
    }

    fn room(members: usize) -> Result<Vec<NonNull<R>>, Refused> {
        let mut room = Vec::new();
        room.try_reserve_exact(members).map_err(|_| Refused::NoMemory)?;
        Ok(room)
    }

    /// Frees a list, not its members.
    ///
    /// # Safety
    ///
    /// `list` comes from `new`, and nobody uses it any more.
    pub(super) unsafe fn free(list: NonNull<Self>) {
        // SAFETY: `new` made it, and nobody uses it any more.
        unsafe { memory::drop_boxed(list) };
    }

    /// The list as garbage; its members live on.
    ///
    /// # Safety
    ///
    /// The list is in no slot any more.
    pub(super) unsafe fn into_garbage(list: NonNull<Self>) -> Garbage {
        unsafe fn free<R: Record>(list: *mut ()) {
            if let Some(list) = NonNull::new(list.cast::<Collision<R>>()) {
                // SAFETY: the grace period is over.
                unsafe { Collision::free(list) }
            }
        }
        // SAFETY: the list belongs to nobody else, and holds its members as plain pointers.
        unsafe {
            let members = list.as_ref().members.capacity() * size_of::<NonNull<R>>();
            Garbage::new(list.as_ptr().cast(), size_of::<Self>() + members, free::<R>)
        }
    }
}
