//! Values that the program keeps.

use kv::*;

use super::arguments::{Handle, KeyArg, choose, read};
use super::structures::{EntryRoom, SIZE_OF_ENTRY};
use super::{World, refused};

/// A value that is kept, with what it must hold as long as it is.
pub(super) struct Kept {
    id: u64,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl World {
    pub(super) fn get_value(&mut self, handle: Handle, key: &KeyArg, takes: bool) {
        let ((store, mut faults), name) = (self.pick(handle), key.bytes());
        let (key, key_len, wrong) = key.raw(&name);
        faults.extend(wrong);
        let mut kept = kv_value_t { id: 99 };
        let call = if takes { kv_take } else { kv_get_value };
        // SAFETY: convention 5, or a pointer or length that is refused; convention 6.
        let status = unsafe { call(store, key, key_len, &mut kept) };
        let expected = self.model.get(&name).filter(|_| !refused(status, &faults));
        let Some(value) = expected.map(<[u8]>::to_vec) else {
            return assert!(status != KV_OK && kept.id == 0);
        };
        assert_eq!(status, KV_OK);
        if takes {
            self.removed(&name);
        }
        self.values.push(Kept { id: kept.id, key: name, value });
    }

    /// Reads a value, into a structure of some size.
    pub(super) fn read_value(&mut self, handle: Handle, size: u16) {
        let (value, at) = self.pick_value(handle);
        let mut slice = kv_slice_t { data: std::ptr::null(), len: 99 };
        // SAFETY: convention 6.
        let status = unsafe { kv_value_slice(value, &mut slice) };
        let mut room = EntryRoom::new(size);
        // SAFETY: convention 8, the room is as large as any size that is accepted.
        let entry_status = unsafe { kv_value_entry(value, room.entry()) };
        let Some(at) = at else {
            assert_eq!((status, slice.len), (KV_ERR_INVALID_ARGUMENT, 99));
            return assert_eq!(entry_status, KV_ERR_INVALID_ARGUMENT);
        };
        let kept = &self.values[at];
        assert_eq!(status, KV_OK);
        // SAFETY: the value is kept.
        assert_eq!(unsafe { read(slice) }, kept.value);
        if room.is_refused(entry_status) {
            return;
        }
        assert_eq!(entry_status, KV_OK);
        let entry = room.filled();
        // SAFETY: the value is kept.
        assert_eq!(
            unsafe { (read(entry.key), read(entry.value)) },
            (kept.key.clone(), kept.value.clone())
        );
    }

    pub(super) fn free_value(&mut self, handle: Handle) {
        let (value, at) = self.pick_value(handle);
        let status = kv_value_free(value);
        let Some(at) = at else {
            let zero = value.id == 0;
            return assert_eq!(status, if zero { KV_OK } else { KV_ERR_INVALID_ARGUMENT });
        };
        assert_eq!(status, KV_OK);
        self.ended_values.push(self.values.swap_remove(at).id);
    }

    /// A value, and which one it is if it is live.
    fn pick_value(&self, handle: Handle) -> (kv_value_t, Option<usize>) {
        let live: Vec<_> = self.values.iter().map(|kept| kept.id).collect();
        let id = choose(handle, &live, &self.ended_values);
        (kv_value_t { id }, live.iter().position(|live| *live == id))
    }

    /// The version that stands under a key, 0 for none.
    pub(super) fn version(&self, key: &[u8]) -> u64 {
        let mut value = kv_value_t { id: 0 };
        // SAFETY: conventions 5 and 6.
        if unsafe { kv_get_value(self.store, key.as_ptr().cast(), key.len(), &mut value) } != KV_OK
        {
            return 0;
        }
        let mut room = EntryRoom::new(SIZE_OF_ENTRY);
        // SAFETY: convention 8.
        assert_eq!(unsafe { kv_value_entry(value, room.entry()) }, KV_OK);
        let version = room.filled().version;
        assert_eq!(kv_value_free(value), KV_OK);
        version
    }
}
