//! What a program sees of a key: structures that borrow the engine's bytes.

use std::ffi::c_void;
use std::mem::{offset_of, size_of};
use std::ptr;

use crate::boundary::{Out, boundary, check_struct_size};
use crate::failure::Failure;
use crate::status::{KV_OK, kv_status_t};

/// Some bytes that somebody else owns, without a NUL at the end. When the library made it, `data`
/// is NULL only where a function says so, and not because `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct kv_slice_t {
    /// The first byte.
    pub data: *const c_void,
    /// Number of bytes.
    pub len: usize,
}

/// A key with its value. One that was passed to a callback is valid until that returns; for any
/// other, prepared by kv_entry_init, the function that filled it says how long its bytes are.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct kv_entry_t {
    /// In a callback, the size of this structure in the library, which may be larger than in the
    /// program. Elsewhere sizeof(kv_entry_t) of the program, set by kv_entry_init.
    pub struct_size: usize,
    /// The key.
    pub key: kv_slice_t,
    /// The value.
    pub value: kv_slice_t,
    /// A number that grows with each write of the key.
    pub version: u64,
}

/// The part of the structure that every program has.
const SIZE_MIN: usize = offset_of!(kv_entry_t, version) + size_of::<u64>();

/// Prepares a structure for kv_iter_next or kv_value_entry: sets struct_size to `struct_size`,
/// which is sizeof(kv_entry_t), and all else to zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_entry_init(entry: *mut kv_entry_t, struct_size: usize) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 6.
        unsafe { Out::new("entry", entry)? };
        check_struct_size("struct_size", struct_size, SIZE_MIN)?;
        EntryOut { place: entry, size: struct_size }.clear();
        Ok(KV_OK)
    })
}

/// A program's structure for an entry.
pub(crate) struct EntryOut {
    place: *mut kv_entry_t,
    size: usize,
}

impl EntryOut {
    /// The structure that a caller passed as `out_entry`.
    ///
    /// # Errors
    /// InvalidArgument for NULL, and for a size that no version has.
    ///
    /// # Safety
    /// - `place` is NULL, or points to as many writable bytes as its first field says until this
    ///   value is gone.
    pub(crate) unsafe fn new(place: *mut kv_entry_t) -> Result<Self, Failure> {
        // SAFETY: the caller vouches for the structure.
        unsafe { Out::new("out_entry", place)? };
        // SAFETY: as above, and all versions begin with this field.
        let size = unsafe { (&raw const (*place).struct_size).read() };
        check_struct_size("out_entry.struct_size", size, SIZE_MIN)?;
        Ok(EntryOut { place, size })
    }

    /// Makes all zero but struct_size.
    pub(crate) fn clear(&self) {
        // SAFETY: the caller of `new` vouched for the structure.
        unsafe { ptr::write_bytes(self.place.cast::<u8>(), 0, self.size) };
        // SAFETY: as above; the size holds at least this field.
        unsafe { (&raw mut (*self.place).struct_size).write(self.size) };
    }

    /// Fills the structure with what borrows from `value`.
    pub(crate) fn write(&self, value: &rkv::Value) {
        self.clear();
        let entry = kv_entry_t { struct_size: self.size, ..kv_entry_t::new(value) };
        let known = self.size.min(size_of::<kv_entry_t>());
        // SAFETY: `known` bytes are within both structures, and this one has no padding.
        unsafe {
            ptr::copy_nonoverlapping((&raw const entry).cast::<u8>(), self.place.cast(), known)
        };
    }
}

impl kv_slice_t {
    /// What stands for a value that is not there.
    pub(crate) const NONE: Self = kv_slice_t { data: ptr::null(), len: 0 };

    #[inline]
    pub(crate) fn new(bytes: &[u8]) -> Self {
        kv_slice_t { data: bytes.as_ptr().cast(), len: bytes.len() }
    }

    /// The slice of a value that may be there.
    #[inline]
    pub(crate) fn of(value: Option<&[u8]>) -> Self {
        value.map_or(Self::NONE, Self::new)
    }
}

impl kv_entry_t {
    /// The entry that borrows from `value`.
    pub(crate) fn new(value: &rkv::Value) -> Self {
        kv_entry_t {
            struct_size: size_of::<Self>(),
            key: kv_slice_t::new(value.key()),
            value: kv_slice_t::new(value),
            version: value.version(),
        }
    }
}
