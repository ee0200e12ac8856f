//! Reads and writes of many keys in one call, whose waits for memory overlap.

use std::marker::PhantomData;
use std::ptr;
use std::slice;

use crate::block::block;
use crate::boundary::{Out, array, boundary, bytes, write_unless_null};
use crate::entry::kv_slice_t;
use crate::failure::Failure;
use crate::guard::{self, kv_guard_t};
use crate::handle::kv_store_t;
use crate::lifetime::meaning;
use crate::status::{KV_OK, kv_status_t};
use crate::store::enter;

/// Copies the values of `count` keys into fresh memory, to be freed by one kv_free, and writes its
/// address to `out_values`: an array of `count` slices in the order of `keys`, and behind it the
/// bytes that they point to.
///
/// The slice of a key that does not exist has NULL for an address; that of an empty value has not.
/// Each value is as at some moment of the call. Many keys cost less here than one by one, since
/// their waits for memory overlap. On failure `out_values` becomes NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_get_many(
    store: kv_store_t,
    keys: *const kv_slice_t,
    count: usize,
    out_values: *mut *mut kv_slice_t,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 6.
        let out_values = unsafe { Out::new("out_values", out_values)? };
        out_values.write(ptr::null_mut());
        // SAFETY: convention 5.
        let keys = unsafe { Key::array(keys, count)? };
        // Counted references, so that nothing is pinned while memory is allocated.
        let values = enter(store)?.get_many(keys);
        out_values.write(block(values.iter().map(Option::as_deref))?);
        Ok(KV_OK)
    })
}

/// Writes to `out_values`, an array of `count` slices, where the values of `count` keys lie, in the
/// order of `keys`: as kv_get_ref does for one key, and with NULL for the address where a key does
/// not exist.
///
/// Costs less than one call for each key, since their waits for memory overlap. The arrays must not
/// overlap. On failure nothing is written.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_get_many_ref(
    guard: kv_guard_t,
    keys: *const kv_slice_t,
    count: usize,
    out_values: *mut kv_slice_t,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 5.
        let keys = unsafe { Key::array(keys, count)? };
        if out_values.is_null() && count != 0 {
            return Err(Failure::invalid("out_values", "NULL with a count above 0"));
        }
        let (from, to) = (keys.as_ptr().addr(), out_values.addr());
        if count != 0 && from.abs_diff(to) < size_of_val(keys) {
            return Err(Failure::invalid("out_values", "overlaps `keys`"));
        }
        guard::with(guard, |pinned| {
            pinned.store.get_many_ref(&pinned.pin, keys, |index, value| {
                // SAFETY: convention 6: `out_values` has room for `count` slices, and `index` is
                // below. It lies apart from `keys`, which are borrowed.
                unsafe { out_values.add(index).write(kv_slice_t::of(value)) };
            });
            Ok(KV_OK)
        })
    })
}

/// A key with the value that it is to have.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct kv_pair_t {
    /// The key.
    pub key: kv_slice_t,
    /// The value.
    pub value: kv_slice_t,
}

/// Stores copies of `count` values under copies of their keys, in order, each to live as kv_set_ttl
/// says. Not one atomic step: others may see some of them stored. Many cost less here than one by
/// one, since their waits for memory overlap.
///
/// Writes to `out_done`, which may be NULL, how many of the first pairs are stored: `count` on
/// KV_OK. If a pair is refused, those before it may be stored, and the rest is as it was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_set_many(
    store: kv_store_t,
    pairs: *const kv_pair_t,
    count: usize,
    ttl_ms: u64,
    out_done: *mut usize,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 6.
        let tell = |done| unsafe { write_unless_null(out_done, done) };
        tell(0);
        // SAFETY: convention 5.
        let pairs = unsafe { pairs_of(pairs, count)? };
        match enter(store)?.set_many_with(&pairs, meaning(ttl_ms)) {
            Ok(()) => tell(count),
            Err(stopped) => {
                tell(stopped.done);
                return Err(stopped.error.into());
            }
        }
        Ok(KV_OK)
    })
}

/// Removes `count` keys, in order, and writes how many of them this call removed to `out_removed`,
/// which may be NULL. Not one atomic step: on KV_ERR_NO_MEMORY, which writes nothing, the first of
/// them may be gone. Many cost less here than one by one, since their waits for memory overlap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_delete_many(
    store: kv_store_t,
    keys: *const kv_slice_t,
    count: usize,
    out_removed: *mut u64,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 5.
        let keys = unsafe { Key::array(keys, count)? };
        let removed = enter(store)?.delete_many(keys).map_err(rkv::Error::from)?;
        // SAFETY: convention 6.
        unsafe { write_unless_null(out_removed, removed) };
        Ok(KV_OK)
    })
}

/// A key and a value.
type Pair<'a> = (&'a [u8], &'a [u8]);

/// The keys and values that a caller passed as `pairs` and `count`.
///
/// # Errors
/// InvalidArgument as for `Key::array`; NoMemory.
///
/// # Safety
/// - As for `Key::array`, with pairs.
unsafe fn pairs_of<'a>(pairs: *const kv_pair_t, count: usize) -> Result<Vec<Pair<'a>>, Failure> {
    // SAFETY: the caller vouches for the array.
    let pairs = unsafe { array("pairs", pairs, count)? };
    let mut checked = Vec::new();
    checked.try_reserve_exact(count).map_err(|_| rkv::Error::NoMemory)?;
    for kv_pair_t { key, value } in pairs {
        // SAFETY: the caller vouches for the bytes.
        let key = unsafe { bytes("pairs", key.data, key.len)? };
        // SAFETY: as above.
        let value = unsafe { bytes("pairs", value.data, value.len)? };
        checked.push((key, value));
    }
    Ok(checked)
}

/// A key of a batch: a slice of the program that was checked.
#[repr(transparent)]
struct Key<'a> {
    slice: kv_slice_t,
    bytes: PhantomData<&'a [u8]>,
}

impl<'a> Key<'a> {
    /// The keys that a caller passed as `keys` and `count`.
    ///
    /// # Errors
    /// InvalidArgument for NULL with a count or a length, and for what no object can have.
    ///
    /// # Safety
    /// - `keys` is NULL or points to `count` slices, which point to bytes as `bytes` wants them;
    ///   nobody writes to either during `'a`.
    unsafe fn array(keys: *const kv_slice_t, count: usize) -> Result<&'a [Self], Failure> {
        // SAFETY: the caller vouches for the array; a `Key` has the layout of a slice.
        let keys: &[Self] = unsafe { array("keys", keys.cast(), count)? };
        for Key { slice, .. } in keys {
            // SAFETY: the caller vouches for the bytes.
            unsafe { bytes("keys", slice.data, slice.len)? };
        }
        Ok(keys)
    }
}

impl AsRef<[u8]> for Key<'_> {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        match self.slice.len {
            0 => &[],
            // SAFETY: `array` has checked the slice, and its caller vouched for it.
            len => unsafe { slice::from_raw_parts(self.slice.data.cast(), len) },
        }
    }
}
