//! Time to live: setting, asking, changing and ending it.

use std::ffi::c_void;
use std::time::Duration;

use rkv::{Remaining, Ttl};

use crate::boundary::{Out, boundary, bytes, write_unless_null};
use crate::failure::Failure;
use crate::handle::kv_store_t;
use crate::lifetime::{KV_TTL_KEEP, KV_TTL_NEVER, meaning};
use crate::status::{KV_NOT_FOUND, KV_OK, kv_status_t};
use crate::store::{enter, found};

/// What kv_advance tells when no key has a deadline.
pub const KV_NOTHING_DUE: u64 = u64::MAX;

/// Stores a copy of `value` under a copy of `key`, to live for `ttl_ms` milliseconds from now on,
/// or as KV_TTL_NEVER, KV_TTL_DEFAULT or KV_TTL_KEEP say. More than 139 years are for ever.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_set_ttl(
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
        enter(store)?.set_with(key, value, meaning(ttl_ms))?;
        Ok(KV_OK)
    })
}

/// Writes to `out_ttl_ms` how many milliseconds `key` has still to live, rounded up, so at least 1;
/// KV_TTL_NEVER if it lives for ever. Returns KV_OK or KV_NOT_FOUND.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_ttl(
    store: kv_store_t,
    key: *const c_void,
    key_len: usize,
    out_ttl_ms: *mut u64,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 5.
        let key = unsafe { bytes("key", key, key_len)? };
        // SAFETY: convention 6.
        let out_ttl_ms = unsafe { Out::new("out_ttl_ms", out_ttl_ms)? };
        match enter(store)?.ttl(key) {
            None => return Ok(KV_NOT_FOUND),
            Some(Remaining::Never) => out_ttl_ms.write(KV_TTL_NEVER),
            Some(Remaining::For(left)) => out_ttl_ms.write(whole_ms(left)),
        }
        Ok(KV_OK)
    })
}

/// Lets `key` live for `ttl_ms` milliseconds from now on, its value as it stands; KV_TTL_NEVER and
/// KV_TTL_DEFAULT are taken too, KV_TTL_KEEP is KV_ERR_INVALID_TTL. Costs as much as to set the
/// value anew. Returns KV_OK or KV_NOT_FOUND.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_expire(
    store: kv_store_t,
    key: *const c_void,
    key_len: usize,
    ttl_ms: u64,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 5.
        let key = unsafe { bytes("key", key, key_len)? };
        if ttl_ms == KV_TTL_KEEP {
            return Err(Failure::invalid_ttl("ttl_ms", "KV_TTL_KEEP changes nothing here"));
        }
        found(enter(store)?.expire(key, meaning(ttl_ms))?)
    })
}

/// Lets `key` live for ever; costs nothing if it does already. Returns KV_OK or KV_NOT_FOUND.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_persist(
    store: kv_store_t,
    key: *const c_void,
    key_len: usize,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 5.
        let key = unsafe { bytes("key", key, key_len)? };
        found(enter(store)?.persist(key)?)
    })
}

/// Lets `key` live for `ttl_ms` milliseconds from now on, for keys that live as long as they are
/// used: it changes nothing, and costs little, while more than seven eighths of `ttl_ms` are left
/// or the key lives for ever. Returns KV_OK or KV_NOT_FOUND.
///
/// KV_TTL_NEVER, KV_TTL_DEFAULT and KV_TTL_KEEP are KV_ERR_INVALID_TTL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_touch(
    store: kv_store_t,
    key: *const c_void,
    key_len: usize,
    ttl_ms: u64,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 5.
        let key = unsafe { bytes("key", key, key_len)? };
        let Ttl::After(ttl) = meaning(ttl_ms) else {
            return Err(Failure::invalid_ttl("ttl_ms", "must be a number of milliseconds"));
        };
        found(enter(store)?.touch(key, ttl)?)
    })
}

/// Removes all keys whose deadline has passed, and writes how many this call removed to
/// `out_count`, which may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_purge_expired(store: kv_store_t, out_count: *mut u64) -> kv_status_t {
    boundary(|| {
        let count = enter(store)?.purge_expired()?;
        // SAFETY: convention 6.
        unsafe { write_unless_null(out_count, count) };
        Ok(KV_OK)
    })
}

/// For stores with KV_NO_MAINTENANCE: removes keys whose deadline has passed, a bounded number of
/// them, so that it takes some milliseconds at most; and writes to `out_wait_ms`, which may be
/// NULL, in how many milliseconds to call it again: 0 if more is due now, KV_NOTHING_DUE if there
/// is no need before another key is given a deadline.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_advance(store: kv_store_t, out_wait_ms: *mut u64) -> kv_status_t {
    boundary(|| {
        let wait = enter(store)?.advance()?;
        // SAFETY: convention 6.
        unsafe { write_unless_null(out_wait_ms, wait.map_or(KV_NOTHING_DUE, whole_ms)) };
        Ok(KV_OK)
    })
}

/// The engine's spans are whole milliseconds, of 42 bits.
pub(crate) fn whole_ms(span: Duration) -> u64 {
    span.as_millis() as u64
}
