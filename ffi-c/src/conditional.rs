//! Writes that depend on whether a key exists, or at which version.

use std::ffi::c_void;

use crate::boundary::{boundary, bytes, write_unless_null};
use crate::handle::kv_store_t;
use crate::lifetime::meaning;
use crate::status::{KV_CONFLICT, KV_EXISTS, KV_OK, kv_status_t};
use crate::store::enter;

/// Stores a copy of `value` under a copy of `key`, to live as kv_set_ttl says, unless the key
/// exists; in one atomic step. Returns KV_OK or KV_EXISTS, which has changed nothing.
///
/// With a time to live it makes a lease: who gets KV_OK has it until the time has passed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_set_if_absent(
    store: kv_store_t,
    key: *const c_void,
    key_len: usize,
    value: *const c_void,
    value_len: usize,
    ttl_ms: u64,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 5.
        let key = unsafe { bytes("key", key, key_len)? };
        // SAFETY: convention 5.
        let value = unsafe { bytes("value", value, value_len)? };
        let was_set = enter(store)?.set_if_absent_with(key, value, meaning(ttl_ms))?;
        Ok(if was_set { KV_OK } else { KV_EXISTS })
    })
}

/// Stores a copy of `value` under `key` if the key stands at `version`, which an entry or
/// `out_version` told before, or is 0 for a key that does not exist; in one atomic step. The key
/// lives as long as it did, or as the option default_ttl_ms says if it is new.
///
/// Returns KV_OK, and writes the new version to `out_version`, which may be NULL; or KV_CONFLICT,
/// which has changed nothing, and writes the version that stands there, 0 if the key does not
/// exist: call it again with that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_compare_and_swap(
    store: kv_store_t,
    key: *const c_void,
    key_len: usize,
    version: u64,
    value: *const c_void,
    value_len: usize,
    out_version: *mut u64,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 5.
        let key = unsafe { bytes("key", key, key_len)? };
        // SAFETY: convention 5.
        let value = unsafe { bytes("value", value, value_len)? };
        let (status, now) = match enter(store)?.compare_and_swap(key, version, value) {
            Ok(new) => (KV_OK, new),
            Err(rkv::Error::Conflict { current }) => (KV_CONFLICT, current.unwrap_or(0)),
            Err(error) => return Err(error.into()),
        };
        // SAFETY: convention 6.
        unsafe { write_unless_null(out_version, now) };
        Ok(status)
    })
}
