//! All keys at once: listing them, and removing them.

use std::ffi::c_void;
use std::ptr;

use crate::block::block;
use crate::boundary::{Out, boundary, bytes, write_unless_null};
use crate::entry::kv_slice_t;
use crate::handle::kv_store_t;
use crate::status::{KV_OK, kv_status_t};
use crate::store::enter;

/// Copies the keys that begin with `prefix` into fresh memory, sorted bytewise, to be freed by one
/// kv_free; a prefix of length 0 means all keys. Writes the address to `out_keys`, an array of
/// slices with the bytes that they point to behind it, and the number of keys to `out_count`.
///
/// It finds what kv_scan would. On success the address is not NULL, also for no keys; otherwise it
/// becomes NULL and the number 0. kv_iter_open needs less memory.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_keys(
    store: kv_store_t,
    prefix: *const c_void,
    prefix_len: usize,
    out_keys: *mut *mut kv_slice_t,
    out_count: *mut usize,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 6.
        let out_keys = unsafe { Out::new("out_keys", out_keys)? };
        // SAFETY: convention 6.
        let out_count = unsafe { Out::new("out_count", out_count)? };
        out_keys.write(ptr::null_mut());
        out_count.write(0);
        // SAFETY: convention 5.
        let prefix = unsafe { bytes("prefix", prefix, prefix_len)? };
        let keys = enter(store)?.keys(prefix);
        out_keys.write(block(keys.iter().map(|key| Some(&**key)))?);
        out_count.write(keys.len());
        Ok(KV_OK)
    })
}

/// Removes every key, and writes how many this call removed to `out_removed`, which may be NULL.
/// Keys that are written meanwhile may stay.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_clear(store: kv_store_t, out_removed: *mut u64) -> kv_status_t {
    boundary(|| {
        let removed = enter(store)?.clear()?;
        // SAFETY: convention 6.
        unsafe { write_unless_null(out_removed, removed) };
        Ok(KV_OK)
    })
}
