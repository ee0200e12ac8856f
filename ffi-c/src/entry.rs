//! What a callback sees of a key: structures that borrow the engine's bytes.

use std::ffi::c_void;
use std::mem::size_of;

/// Some bytes that somebody else owns. `data` is not NULL when the library made it, also for
/// `len` 0. There is no NUL at the end.
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
    fn new(bytes: &[u8]) -> Self {
        kv_slice_t { data: bytes.as_ptr().cast(), len: bytes.len() }
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
