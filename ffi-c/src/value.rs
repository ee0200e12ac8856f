//! Values that programs keep: counted references, by number.
//!
//! Of a handle, 24 bits are the index and 40 the generation (`table.rs`).

use std::ffi::c_void;
use std::sync::atomic::AtomicU64;

use rkv::Value;

use crate::boundary::{Out, boundary, bytes};
use crate::entry::{EntryOut, kv_entry_t, kv_slice_t};
use crate::failure::Failure;
use crate::handle::kv_store_t;
use crate::slot::Released;
use crate::status::{KV_NOT_FOUND, KV_OK, kv_status_t};
use crate::store::enter;
use crate::table::{Held, Kind, Table};

/// A value that the program keeps, by number. The zero handle, { 0 }, names none.
///
/// It is an entry as it stood at one moment, which never changes, and belongs to no thread. It
/// outlives the store, and holds back its own memory only. Passed by value; copies are equal, and
/// are freed together, once. Do not look into it.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct kv_value_t {
    /// Private.
    pub id: u64,
}

/// The handle that names no value.
const NO_VALUE: kv_value_t = kv_value_t { id: 0 };

static VALUES: Table<Value> = Table::new();

impl Kind for Value {
    type Calls = AtomicU64;

    // LIMIT: 16,777,216 values kept at once in a process, at 40 bytes each beside the entry.
    const INDEX_BITS: u32 = 24;
    const THINGS: &'static str = "values are kept";

    fn table() -> &'static Table<Self> {
        &VALUES
    }
}

/// Writes to `out_value` a reference to the value of `key`, to be freed by kv_value_free: nothing
/// is copied, and the value stays readable whatever others do to the key or the store.
///
/// Returns KV_OK or KV_NOT_FOUND; `out_value` becomes the zero handle unless it is KV_OK.
/// KV_ERR_FULL if the program keeps 16,777,216 values already.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_get_value(
    store: kv_store_t,
    key: *const c_void,
    key_len: usize,
    out_value: *mut kv_value_t,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 6.
        let out_value = unsafe { Out::new("out_value", out_value)? };
        out_value.write(NO_VALUE);
        // SAFETY: convention 5.
        let key = unsafe { bytes("key", key, key_len)? };
        let Some(value) = enter(store)?.get(key) else { return Ok(KV_NOT_FOUND) };
        out_value.write(kv_value_t { id: VALUES.insert(value)? });
        Ok(KV_OK)
    })
}

/// Removes `key`, and writes to `out_value` what its value was, as kv_get_value does; in one atomic
/// step, so that of several threads that take a key one gets the value.
///
/// Returns KV_OK or KV_NOT_FOUND. On any other status nothing was removed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_take(
    store: kv_store_t,
    key: *const c_void,
    key_len: usize,
    out_value: *mut kv_value_t,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 6.
        let out_value = unsafe { Out::new("out_value", out_value)? };
        out_value.write(NO_VALUE);
        // SAFETY: convention 5.
        let key = unsafe { bytes("key", key, key_len)? };
        let store = enter(store)?;
        // First a place: a value that was removed must not be lost for want of one.
        let place = VALUES.reserve()?;
        let Some(value) = store.take(key)? else { return Ok(KV_NOT_FOUND) };
        out_value.write(kv_value_t { id: place.fill(value) });
        Ok(KV_OK)
    })
}

/// Writes to `out_slice` where the bytes of a value lie, readable until kv_value_free. The address
/// is not NULL, also for an empty value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_value_slice(
    value: kv_value_t,
    out_slice: *mut kv_slice_t,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 6.
        let out_slice = unsafe { Out::new("out_slice", out_slice)? };
        out_slice.write(kv_slice_t::new(&kept(value)?));
        Ok(KV_OK)
    })
}

/// Writes to `out_entry`, which kv_entry_init has prepared, the value with its key and version. The
/// bytes are readable until kv_value_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_value_entry(
    value: kv_value_t,
    out_entry: *mut kv_entry_t,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 8.
        let out_entry = unsafe { EntryOut::new(out_entry)? };
        out_entry.write(&*kept(value)?);
        Ok(KV_OK)
    })
}

/// Gives a value up; its bytes are not readable any more. Does nothing for the zero handle; a value
/// that was freed before is KV_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub extern "C" fn kv_value_free(value: kv_value_t) -> kv_status_t {
    boundary(|| {
        if value == NO_VALUE {
            return Ok(KV_OK);
        }
        match kept(value)?.release() {
            Released::Last => Ok(KV_OK),
            Released::Shared | Released::Closed => Err(NOT_KEPT),
        }
    })
}

const NOT_KEPT: Failure = Failure::invalid("value", "not a value, or freed already");

/// The value that a handle names.
fn kept(value: kv_value_t) -> Result<Held<Value>, Failure> {
    VALUES.enter(value.id).ok_or(NOT_KEPT)
}
