//! Iterators, and what they must show: each key that stays as it is, exactly once.

use std::collections::HashSet;

use kv::*;

use super::arguments::{Handle, KeyArg, choose, read};
use super::structures::EntryRoom;
use super::{World, refused};

/// An open iterator.
pub(super) struct Iterator {
    id: u64,
    /// The store that it is of.
    serial: u32,
    prefix: Vec<u8>,
    /// What it has still to show.
    owes: HashSet<Vec<u8>>,
    /// What it gave last, readable until the next call on it.
    last: Option<(kv_entry_t, Vec<u8>, Vec<u8>)>,
}

impl Iterator {
    /// A key was written: it may be shown or not.
    pub(super) fn forgets(&mut self, key: &[u8]) {
        self.owes.remove(key);
    }

    /// What it gave last is still there.
    fn keeps(&self) {
        if let Some((entry, key, value)) = &self.last {
            // SAFETY: no call on the iterator was made since.
            let found = unsafe { (read(entry.key), read(entry.value)) };
            assert_eq!((&found.0, &found.1), (key, value));
        }
    }
}

impl World {
    pub(super) fn open_iterator(&mut self, handle: Handle, prefix: &KeyArg) {
        let ((store, mut faults), name) = (self.pick(handle), prefix.bytes());
        let (prefix, prefix_len, wrong) = prefix.raw(&name);
        faults.extend(wrong);
        let mut iterator = kv_iter_t { id: 99 };
        // SAFETY: convention 5, or a pointer or length that is refused; convention 6.
        let status = unsafe { kv_iter_open(store, prefix, prefix_len, &mut iterator) };
        if refused(status, &faults) {
            return assert_eq!(iterator.id, 0);
        }
        assert_eq!(status, KV_OK);
        let owes = self.model.with_prefix(&name).into_iter().collect();
        let (id, serial) = (iterator.id, self.serial);
        self.iterators.push(Iterator { id, serial, prefix: name, owes, last: None });
    }

    pub(super) fn next(&mut self, handle: Handle, size: u16) {
        let (iterator, at) = self.pick_iterator(handle);
        let mut room = EntryRoom::new(size);
        at.inspect(|at| self.iterators[*at].keeps());
        // SAFETY: convention 8, the room is as large as any size that is accepted.
        let status = unsafe { kv_iter_next(iterator, room.entry()) };
        if room.is_refused(status) {
            return;
        }
        let Some(at) = at else { return assert_eq!(status, KV_ERR_INVALID_ARGUMENT) };
        let open = &mut self.iterators[at];
        if open.serial != self.serial {
            return assert_eq!(status, KV_ERR_CLOSED);
        }
        if status == KV_END {
            assert!(open.owes.is_empty(), "not shown: {:?}", open.owes);
            assert!(room.filled().key.data.is_null());
            open.last = None;
            return;
        }
        assert_eq!(status, KV_OK);
        let entry = room.filled();
        // SAFETY: readable until the next call on the iterator.
        let (key, value) = unsafe { (read(entry.key), read(entry.value)) };
        assert!(key.starts_with(&open.prefix));
        if open.owes.remove(&key) {
            assert_eq!(self.model.get(&key), Some(&*value));
        }
        open.last = Some((entry, key, value));
    }

    pub(super) fn close_iterator(&mut self, handle: Handle) {
        let (iterator, at) = self.pick_iterator(handle);
        at.inspect(|at| self.iterators[*at].keeps());
        let status = kv_iter_close(iterator);
        let Some(at) = at else {
            let zero = iterator.id == 0;
            return assert_eq!(status, if zero { KV_OK } else { KV_ERR_INVALID_ARGUMENT });
        };
        assert_eq!(status, KV_OK);
        self.ended_iterators.push(self.iterators.swap_remove(at).id);
    }

    /// An iterator, and which one it is if it is live.
    fn pick_iterator(&self, handle: Handle) -> (kv_iter_t, Option<usize>) {
        let live: Vec<_> = self.iterators.iter().map(|iterator| iterator.id).collect();
        let id = choose(handle, &live, &self.ended_iterators);
        (kv_iter_t { id }, live.iter().position(|live| *live == id))
    }
}
