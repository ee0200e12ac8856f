//! Reads that copy nothing: under a pin that the program holds.

use std::ffi::c_void;

use crate::boundary::{Out, boundary, bytes};
use crate::entry::kv_slice_t;
use crate::guard::{self, NO_GUARD, kv_guard_t};
use crate::handle::kv_store_t;
use crate::status::{KV_OK, kv_status_t};
use crate::store::{found, keep};

/// Pins the calling thread for reads of `store` that copy nothing, and writes the guard to
/// `out_guard`; on failure it becomes the zero guard.
///
/// What kv_get_ref and kv_get_many_ref give under the guard stays readable until kv_unpin or
/// kv_repin, although others overwrite or delete the key or close the store. Until then, memory
/// that anybody removes from any store of the process waits. So do not hold a guard while you wait
/// for something, and renew one that you keep by kv_repin.
///
/// A guard belongs to its thread. A thread may hold up to 1,024 of them (more is KV_ERR_FULL), and
/// write to the store meanwhile; those that it still holds when it ends are unpinned.
///
/// If the store is closed under a guard, kv_get_ref, kv_get_many_ref and kv_repin return
/// KV_ERR_CLOSED; what was read stays readable, and kv_unpin frees the store if nobody else still
/// uses it.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_pin(store: kv_store_t, out_guard: *mut kv_guard_t) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 6.
        let out_guard = unsafe { Out::new("out_guard", out_guard)? };
        out_guard.write(NO_GUARD);
        out_guard.write(guard::begin(keep(store)?)?);
        Ok(KV_OK)
    })
}

/// Renews a guard, so that the freeing of memory goes on; what was read under it before is not
/// readable any more. It costs about what a read does: do it between two pieces of work.
#[unsafe(no_mangle)]
pub extern "C" fn kv_repin(guard: kv_guard_t) -> kv_status_t {
    boundary(|| {
        guard::with(guard, |pinned| {
            pinned.pin.repin();
            Ok(KV_OK)
        })
    })
}

/// Ends a guard; what was read under it is not readable any more.
#[unsafe(no_mangle)]
pub extern "C" fn kv_unpin(guard: kv_guard_t) -> kv_status_t {
    boundary(|| {
        drop(guard::end(guard)?);
        Ok(KV_OK)
    })
}

/// Writes to `out_value` where the value of `key` lies: bytes of the store that are not to be
/// written to, readable until kv_unpin or kv_repin. Takes no locked instruction.
///
/// Returns KV_OK or KV_NOT_FOUND. On success the address is not NULL, also for an empty value;
/// otherwise it becomes NULL and the length 0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_get_ref(
    guard: kv_guard_t,
    key: *const c_void,
    key_len: usize,
    out_value: *mut kv_slice_t,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 6.
        let out_value = unsafe { Out::new("out_value", out_value)? };
        out_value.write(kv_slice_t::NONE);
        // SAFETY: convention 5.
        let key = unsafe { bytes("key", key, key_len)? };
        guard::with(guard, |pinned| {
            let value = pinned.store.get_ref(&pinned.pin, key);
            out_value.write(kv_slice_t::of(value));
            found(value.is_some())
        })
    })
}
