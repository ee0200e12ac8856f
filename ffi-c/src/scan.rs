//! Visiting entries by a callback: one, or all.

use std::ffi::c_void;

use crate::boundary::{boundary, bytes};
use crate::entry::kv_entry_t;
use crate::failure::Failure;
use crate::handle::kv_store_t;
use crate::status::{KV_NOT_FOUND, KV_OK, KV_STOPPED, kv_status_t};
use crate::store::keep;

/// Called with an entry; 0 means that all is well, any other number makes the call KV_STOPPED.
///
/// Convention 10 holds: it may use the store freely, and must not throw or keep pointers.
pub type kv_read_fn =
    Option<unsafe extern "C" fn(user_data: *mut c_void, entry: *const kv_entry_t) -> i32>;

/// Called once for each entry; 0 goes on, any other number ends the scan.
///
/// Convention 10 holds: it may use the store freely, and must not throw or keep pointers.
pub type kv_scan_fn =
    Option<unsafe extern "C" fn(user_data: *mut c_void, entry: *const kv_entry_t) -> i32>;

/// Calls `callback` once with `user_data` and the entry of `key`, without a copy of it.
///
/// The entry stays as it is while the callback runs, whatever others do to the key or the store.
/// Nothing is pinned or locked meanwhile: the callback may take its time, and use the store.
///
/// Returns KV_OK, KV_NOT_FOUND (the callback does not run), or KV_STOPPED if the callback returned
/// another number than 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_read(
    store: kv_store_t,
    key: *const c_void,
    key_len: usize,
    callback: kv_read_fn,
    user_data: *mut c_void,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 5.
        let key = unsafe { bytes("key", key, key_len)? };
        let callback = callback.ok_or(Failure::invalid("callback", "NULL"))?;
        let store = keep(store)?;
        let Some(value) = store.get(key) else { return Ok(KV_NOT_FOUND) };
        // SAFETY: convention 10; `value` keeps the bytes of the entry alive during the call.
        let is_fine = unsafe { callback(user_data, &kv_entry_t::new(&value)) } == 0;
        // The callback may have forked: in the child the store ends here.
        store.check()?;
        Ok(if is_fine { KV_OK } else { KV_STOPPED })
    })
}

/// Calls `callback` with `user_data` for each key that begins with `prefix`, in no order; a prefix
/// of length 0 means all keys.
///
/// Every key that is in the store from beginning to end is visited exactly once; a key that is
/// written or deleted meanwhile may be visited or not. No lock is held and nothing else waits
/// while the callback runs. The time grows with the whole store, not with the number of matches.
///
/// Returns KV_OK after the last key, KV_STOPPED if the callback ended the scan.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_scan(
    store: kv_store_t,
    prefix: *const c_void,
    prefix_len: usize,
    callback: kv_scan_fn,
    user_data: *mut c_void,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 5.
        let prefix = unsafe { bytes("prefix", prefix, prefix_len)? };
        let callback = callback.ok_or(Failure::invalid("callback", "NULL"))?;
        let store = keep(store)?;
        for value in store.scan(prefix) {
            let entry = kv_entry_t::new(&value);
            // SAFETY: convention 10; `value` keeps the bytes of the entry alive during the call.
            let goes_on = unsafe { callback(user_data, &entry) } == 0;
            // As in kv_read.
            store.check()?;
            if !goes_on {
                return Ok(KV_STOPPED);
            }
        }
        Ok(KV_OK)
    })
}
