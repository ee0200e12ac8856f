//! Guards, and what was read under them.

use kv::*;

use super::arguments::{Handle, KeyArg, choose, read};
use super::batches::batch;
use super::{World, refused};

/// A live guard of this thread.
pub(super) struct Guard {
    guard: kv_guard_t,
    /// The store that it is of.
    serial: u32,
    /// What was read, and must be readable until it ends or is renewed.
    reads: Vec<(kv_slice_t, Vec<u8>)>,
}

impl Guard {
    fn keeps(&self) {
        for (slice, bytes) in &self.reads {
            // SAFETY: the guard is live.
            assert_eq!(&unsafe { read(*slice) }, bytes);
        }
    }
}

/// Guards held at once, by far fewer than there can be.
const GUARDS_MAX: usize = 20;

impl World {
    pub(super) fn pin(&mut self, handle: Handle) {
        if self.guards.len() == GUARDS_MAX {
            return;
        }
        let (store, faults) = self.pick(handle);
        let mut guard = kv_guard_t { thread: 99, id: 99 };
        // SAFETY: convention 6.
        let status = unsafe { kv_pin(store, &mut guard) };
        if refused(status, &faults) {
            return assert_eq!((guard.thread, guard.id), (0, 0));
        }
        assert_eq!(status, KV_OK);
        self.guards.push(Guard { guard, serial: self.serial, reads: Vec::new() });
    }

    pub(super) fn repin(&mut self, handle: Handle) {
        let (guard, at, faults) = self.pick_guard(handle);
        at.inspect(|at| self.guards[*at].keeps());
        if refused(kv_repin(guard), &faults) {
            return;
        }
        self.guards[at.expect("a live guard")].reads.clear();
    }

    pub(super) fn unpin(&mut self, handle: Handle) {
        let (guard, at, _) = self.pick_guard(handle);
        at.inspect(|at| self.guards[*at].keeps());
        let status = kv_unpin(guard);
        let Some(at) = at else { return assert_eq!(status, KV_ERR_INVALID_ARGUMENT) };
        assert_eq!(status, KV_OK);
        self.ended_guards.push(self.guards.swap_remove(at).guard.id);
    }

    pub(super) fn get_ref(&mut self, handle: Handle, key: &KeyArg) {
        let ((guard, at, mut faults), name) = (self.pick_guard(handle), key.bytes());
        let (key, key_len, wrong) = key.raw(&name);
        faults.extend(wrong);
        let mut value = kv_slice_t { data: std::ptr::dangling(), len: 99 };
        // SAFETY: convention 5, or a pointer or length that is refused; convention 6.
        let status = unsafe { kv_get_ref(guard, key, key_len, &mut value) };
        if refused(status, &faults) {
            return assert!(value.data.is_null() && value.len == 0);
        }
        self.is_value(&name, value);
        assert_eq!(status, if value.data.is_null() { KV_NOT_FOUND } else { KV_OK });
        self.holds(at.expect("a live guard"), &[value]);
    }

    pub(super) fn get_many_ref(&mut self, handle: Handle, keys: &[KeyArg]) {
        let (guard, at, mut faults) = self.pick_guard(handle);
        let (names, slices, wrong) = batch(keys);
        faults.extend(wrong);
        let untouched = kv_slice_t { data: std::ptr::null(), len: 99 };
        let mut values = vec![untouched; names.len()];
        // SAFETY: as in `get_ref`.
        let status =
            unsafe { kv_get_many_ref(guard, slices.as_ptr(), slices.len(), values.as_mut_ptr()) };
        if refused(status, &faults) {
            return assert!(values.iter().all(|value| value.len == 99));
        }
        assert_eq!(status, KV_OK);
        names.iter().zip(&values).for_each(|(name, value)| self.is_value(name, *value));
        self.holds(at.expect("a live guard"), &values);
    }

    /// Notes what was read under a guard.
    fn holds(&mut self, at: usize, values: &[kv_slice_t]) {
        let there = values.iter().filter(|value| !value.data.is_null());
        // SAFETY: the guard is live.
        let there = there.map(|value| (*value, unsafe { read(*value) }));
        self.guards[at].reads.extend(there);
    }

    /// A guard, which one it is if it is live, and what is wrong with it.
    fn pick_guard(&self, handle: Handle) -> (kv_guard_t, Option<usize>, Vec<i32>) {
        let live: Vec<_> = self.guards.iter().map(|guard| guard.guard.id).collect();
        let id = choose(handle, &live, &self.ended_guards);
        // All guards are of this thread.
        let thread = self.guards.first().map_or(0, |guard| guard.guard.thread);
        let at = live.iter().position(|live| *live == id);
        let faults = match at {
            None => vec![KV_ERR_INVALID_ARGUMENT],
            Some(at) if self.guards[at].serial != self.serial => vec![KV_ERR_CLOSED],
            Some(_) => Vec::new(),
        };
        (kv_guard_t { thread, id }, at, faults)
    }
}
