//! Structures that may grow, of all sizes.

use std::mem::offset_of;

use kv::*;

use super::arguments::Handle;
use super::{World, refused};

/// The largest structure that a program may have, and some more.
const ROOM: usize = 4200;
const LARGEST: usize = 4096;
pub(super) const SIZE_OF_ENTRY: u16 = size_of::<kv_entry_t>() as u16;
const MARK: u8 = 0xa5;

#[repr(C, align(8))]
struct Room([u8; ROOM]);

/// Options with their defaults.
pub(super) fn options() -> kv_options_t {
    let mut room = Room([MARK; ROOM]);
    // SAFETY: conventions 6 and 8.
    unsafe {
        let options = room.0.as_mut_ptr().cast::<kv_options_t>();
        assert_eq!(kv_options_init(options, size_of::<kv_options_t>()), KV_OK);
        options.read()
    }
}

/// Opens a store with options of `size` bytes, of which one is `byte`, and closes it.
pub(super) fn open(size: u16, at: u8, byte: u8) {
    let size = usize::from(size);
    let mut room = Room([MARK; ROOM]);
    // SAFETY: conventions 6 and 8, the room is as large as any size that is accepted.
    let status = unsafe { kv_options_init(room.0.as_mut_ptr().cast(), size) };
    let right = (offset_of!(kv_options_t, default_ttl_ms)..=LARGEST).contains(&size);
    assert_eq!(status, if right { KV_OK } else { KV_ERR_INVALID_ARGUMENT });
    assert!(room.0[if right { size } else { 0 }..].iter().all(|byte| *byte == MARK));
    if !right {
        return;
    }
    let at = size_of::<usize>() + usize::from(at) % (size - size_of::<usize>());
    // No room for very many keys: that takes a while, or there is no memory.
    let capacity = offset_of!(kv_options_t, capacity);
    if !(capacity + 1..capacity + 8).contains(&at) {
        room.0[at] = byte;
    }
    let mut store = kv_store_t { id: 99 };
    // SAFETY: as above.
    match unsafe { kv_open(room.0.as_ptr().cast(), &mut store) } {
        KV_OK => assert_eq!(kv_close(store), KV_OK),
        status => {
            assert!(NOT_OPTIONS.contains(&status), "{status}");
            assert_eq!(store.id, 0);
        }
    }
}

const NOT_OPTIONS: [i32; 3] = [KV_ERR_INVALID_ARGUMENT, KV_ERR_INVALID_TTL, KV_ERR_UNSUPPORTED];

impl World {
    pub(super) fn stats(&mut self, handle: Handle, size: u16) {
        let (store, mut faults) = self.pick(handle);
        let size = usize::from(size);
        let known = size_of::<kv_stats_t>();
        let right = (offset_of!(kv_stats_t, bytes)..=LARGEST).contains(&size);
        faults.extend((!right).then_some(KV_ERR_INVALID_ARGUMENT));
        let mut room = Room([MARK; ROOM]);
        // SAFETY: conventions 6 and 8, the room is as large as any size that is accepted.
        let status = unsafe { kv_stats(store, room.0.as_mut_ptr().cast(), size) };
        refused(status, &faults);
        let written = if status == KV_OK { size } else { 0 };
        assert!(room.0[written..].iter().all(|byte| *byte == MARK));
        if status == KV_OK && size > known {
            assert!(room.0[known..size].iter().all(|byte| *byte == 0));
        }
    }
}

/// A structure for an entry in a program of some version.
pub(super) struct EntryRoom {
    room: Box<Room>,
    size: usize,
}

impl EntryRoom {
    pub(super) fn new(size: u16) -> Self {
        let mut made = EntryRoom { room: Box::new(Room([MARK; ROOM])), size: usize::from(size) };
        if size == 0 {
            made.size = usize::from(SIZE_OF_ENTRY);
        }
        // SAFETY: conventions 6 and 8.
        let status = unsafe { kv_entry_init(made.entry(), made.size) };
        assert_eq!(status == KV_OK, made.is_right());
        // SAFETY: all versions begin with this field.
        unsafe { (&raw mut (*made.entry()).struct_size).write(made.size) };
        made
    }

    pub(super) fn entry(&mut self) -> *mut kv_entry_t {
        self.room.0.as_mut_ptr().cast()
    }

    fn is_right(&self) -> bool {
        (size_of::<kv_entry_t>()..=LARGEST).contains(&self.size)
    }

    /// Whether a call had to refuse the structure.
    pub(super) fn is_refused(&self, status: i32) -> bool {
        if !self.is_right() {
            assert_eq!(status, KV_ERR_INVALID_ARGUMENT);
        }
        !self.is_right()
    }

    /// The entry that was written, in its place and no further.
    pub(super) fn filled(&self) -> kv_entry_t {
        let known = size_of::<kv_entry_t>();
        assert!(self.room.0[known..self.size].iter().all(|byte| *byte == 0));
        assert!(self.room.0[self.size..].iter().all(|byte| *byte == MARK));
        // SAFETY: any bytes are an entry, and the room is aligned.
        let entry = unsafe { self.room.0.as_ptr().cast::<kv_entry_t>().read() };
        assert_eq!(entry.struct_size, self.size);
        entry
    }
}
