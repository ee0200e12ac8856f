//! What a program sees of a key: structures that borrow the engine's bytes.

use std::ffi::c_void;
use std::mem::size_of;
use std::ptr;

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

/// A key with its value, valid until the callback that it was passed to returns.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct kv_entry_t {
    /// Size of this structure in the library, which may be larger than in the program.
    pub struct_size: usize,
    /// The key.
    pub key: kv_slice_t,
    /// The value.
    pub value: kv_slice_t,
    /// A number that grows with each write of the key.
    pub version: u64,
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
