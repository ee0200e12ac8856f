//! Opening, closing, and the operations on one key.

use std::ffi::c_void;
use std::ptr;

use crate::boundary::{Out, boundary, bytes, write_unless_null};
use crate::failure::Failure;
use crate::handle::{self, NO_STORE, Opened, kv_store_t};
use crate::options::kv_options_t;
use crate::slot::Released;
use crate::status::{KV_BUFFER_TOO_SMALL, KV_NOT_FOUND, KV_OK, kv_status_t};
use crate::table::{Held, Kept};

/// Opens a store in memory and writes its handle to `out_store`; NULL for `options` means the
/// defaults. On failure `out_store` becomes the zero handle.
///
/// The handle holds one reference, which kv_close gives up.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_open(
    options: *const kv_options_t,
    out_store: *mut kv_store_t,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 6.
        let out_store = unsafe { Out::new("out_store", out_store)? };
        out_store.write(NO_STORE);
        // SAFETY: convention 8.
        let options = unsafe { kv_options_t::read(options)? };
        out_store.write(handle::open(options.open()?)?);
        Ok(KV_OK)
    })
}

/// Adds a reference: the store needs one kv_close more.
///
/// Give each part of a program that closes the store on its own a reference of its own.
#[unsafe(no_mangle)]
pub extern "C" fn kv_retain(store: kv_store_t) -> kv_status_t {
    boundary(|| if enter(store)?.retain() { Ok(KV_OK) } else { Err(rkv::Error::Closed.into()) })
}

/// Gives up a reference; the last one closes the store, and its handle is never valid again.
///
/// Calls that other threads have begun end normally, what was read under a guard stays readable,
/// and the memory is freed when the last call returns and the last guard is unpinned; this function
/// does not wait for them. Closing the zero handle does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn kv_close(store: kv_store_t) -> kv_status_t {
    boundary(|| {
        if store == NO_STORE {
            return Ok(KV_OK);
        }
        let entered = enter(store)?;
        match entered.release() {
            Released::Shared => return Ok(KV_OK),
            Released::Closed => return Err(rkv::Error::Closed.into()),
            Released::Last => {}
        }
        entered.leave().map_or(Ok(()), Opened::close)?;
        Ok(KV_OK)
    })
}

/// Copies the value of `key` into `buffer`, which has `buffer_size` bytes, and writes its length
/// to `out_len`.
///
/// Returns KV_OK, KV_NOT_FOUND (nothing is written), or KV_BUFFER_TOO_SMALL: then `buffer` is
/// untouched and `out_len` holds the size needed. NULL with size 0 asks for the length. Another
/// thread may store a longer value between two calls, so ask in a loop, or use kv_get_dup.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_get(
    store: kv_store_t,
    key: *const c_void,
    key_len: usize,
    buffer: *mut c_void,
    buffer_size: usize,
    out_len: *mut usize,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 5.
        let key = unsafe { bytes("key", key, key_len)? };
        // SAFETY: convention 6.
        let out_len = unsafe { Out::new("out_len", out_len)? };
        if buffer.is_null() && buffer_size != 0 {
            return Err(Failure::invalid("buffer", "NULL with a size above 0"));
        }
        let copy = |value: &[u8]| {
            out_len.write(value.len());
            if value.len() > buffer_size {
                return KV_BUFFER_TOO_SMALL;
            }
            if !value.is_empty() {
                // SAFETY: convention 6: `buffer` has room for as much as this, and it is the
                // program's own memory, where no value of the engine lies.
                unsafe { ptr::copy_nonoverlapping(value.as_ptr(), buffer.cast(), value.len()) };
            }
            KV_OK
        };
        Ok(enter(store)?.get_with(key, copy).unwrap_or(KV_NOT_FOUND))
    })
}

/// Asks whether `key` exists: KV_OK or KV_NOT_FOUND.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_contains(
    store: kv_store_t,
    key: *const c_void,
    key_len: usize,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 5.
        let key = unsafe { bytes("key", key, key_len)? };
        found(enter(store)?.contains(key))
    })
}

/// Copies the value of `key` into fresh memory, to be freed by kv_free, and writes its address to
/// `out_data` and its length to `out_len`.
///
/// Returns KV_OK or KV_NOT_FOUND. On success the address is not NULL, also for an empty value;
/// otherwise it becomes NULL and the length 0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_get_dup(
    store: kv_store_t,
    key: *const c_void,
    key_len: usize,
    out_data: *mut *mut c_void,
    out_len: *mut usize,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 6.
        let out_data = unsafe { Out::new("out_data", out_data)? };
        // SAFETY: convention 6.
        let out_len = unsafe { Out::new("out_len", out_len)? };
        out_data.write(ptr::null_mut());
        out_len.write(0);
        // SAFETY: convention 5.
        let key = unsafe { bytes("key", key, key_len)? };
        let store = enter(store)?;
        // A counted reference, so that nothing is pinned while memory is allocated.
        let Some(value) = store.get(key) else { return Ok(KV_NOT_FOUND) };
        // SAFETY: any size above 0 may be asked for.
        let copy = unsafe { libc::malloc(value.len().max(1)) };
        if copy.is_null() {
            return Err(rkv::Error::NoMemory.into());
        }
        // SAFETY: the fresh memory has at least the length of the value.
        unsafe { ptr::copy_nonoverlapping(value.as_ptr(), copy.cast(), value.len()) };
        out_data.write(copy);
        out_len.write(value.len());
        Ok(KV_OK)
    })
}

/// Frees memory that kv_get_dup, kv_get_many or kv_keys returned; NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_free(data: *mut c_void) {
    // SAFETY: convention 7, `data` is NULL or comes from `malloc` in this library.
    unsafe { libc::free(data) }
}

/// Stores a copy of `value` under a copy of `key`, whether the key exists or not. The key lives as
/// long as the option default_ttl_ms says, whatever it had to live before.
///
/// In a store with bounds, others may be evicted for it (convention 14); KV_ERR_FULL with
/// KV_EVICT_REJECT, KV_ERR_TOO_LARGE if it alone counts more than max_bytes. In both cases nothing
/// has changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_set(
    store: kv_store_t,
    key: *const c_void,
    key_len: usize,
    value: *const c_void,
    value_len: usize,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 5.
        let key = unsafe { bytes("key", key, key_len)? };
        // SAFETY: convention 5.
        let value = unsafe { bytes("value", value, value_len)? };
        enter(store)?.set(key, value)?;
        Ok(KV_OK)
    })
}

/// Removes `key`. Returns KV_OK, or KV_NOT_FOUND when there was nothing to remove.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_delete(
    store: kv_store_t,
    key: *const c_void,
    key_len: usize,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 5.
        let key = unsafe { bytes("key", key, key_len)? };
        found(enter(store)?.delete(key)?.is_some())
    })
}

/// Adds `by` to the decimal number stored under `key` in one atomic step; a key that does not
/// exist counts as 0. The sum is stored as decimal text and written to `out_value`, which may be
/// NULL. The key lives as long as it did.
///
/// A value that is not a number gives KV_ERR_NOT_A_NUMBER, a sum outside of int64_t
/// KV_ERR_OVERFLOW; the value stays as it was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_incr(
    store: kv_store_t,
    key: *const c_void,
    key_len: usize,
    by: i64,
    out_value: *mut i64,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 5.
        let key = unsafe { bytes("key", key, key_len)? };
        let sum = enter(store)?.incr(key, by)?;
        // SAFETY: convention 6.
        unsafe { write_unless_null(out_value, sum) };
        Ok(KV_OK)
    })
}

/// Writes the number of keys to `out_count`. It is exact when no write is in flight.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_count(store: kv_store_t, out_count: *mut u64) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 6.
        let out_count = unsafe { Out::new("out_count", out_count)? };
        out_count.write(enter(store)?.count());
        Ok(KV_OK)
    })
}

/// Frees what can be freed of the memory of deleted and replaced values.
///
/// Writes do this as they go; call it when a thread has written much and will now be idle, or
/// before you measure memory.
#[unsafe(no_mangle)]
pub extern "C" fn kv_flush() -> kv_status_t {
    boundary(|| {
        rkv::flush();
        Ok(KV_OK)
    })
}

/// Enters the store that `handle` names.
///
/// # Errors
/// Closed when the handle names no open store, Forked when another process opened it.
#[inline(always)]
pub(crate) fn enter(handle: kv_store_t) -> Result<Held<Opened>, Failure> {
    let store = handle::enter(handle)?;
    store.check()?;
    Ok(store)
}

/// The same for a call that may last, or end on another thread.
///
/// # Errors
/// As for `enter`.
pub(crate) fn keep(handle: kv_store_t) -> Result<Kept<Opened>, Failure> {
    let store = handle::keep(handle)?;
    store.check()?;
    Ok(store)
}

/// The status of a call that a key has to exist for.
pub(crate) fn found(was_there: bool) -> Result<kv_status_t, Failure> {
    Ok(if was_there { KV_OK } else { KV_NOT_FOUND })
}
