//! Reads of many keys in one call, whose waits for memory overlap.

use std::marker::PhantomData;
use std::mem::size_of;
use std::ptr;
use std::slice;

use rkv::Value;

use crate::boundary::{Out, boundary, bytes};
use crate::entry::kv_slice_t;
use crate::failure::Failure;
use crate::guard::{self, kv_guard_t};
use crate::handle::kv_store_t;
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
        out_values.write(copied(&values)?);
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
        if count == 0 {
            return Ok(&[]);
        }
        if keys.is_null() {
            return Err(Failure::invalid("keys", "NULL with a count above 0"));
        }
        if count > isize::MAX as usize / size_of::<Self>() {
            return Err(Failure::invalid("count", "longer than any array"));
        }
        // SAFETY: not NULL, the caller vouches for `count` slices, and the size is in range; a
        // `Key` has the layout of a slice.
        let keys: &[Self] = unsafe { slice::from_raw_parts(keys.cast(), count) };
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

/// A block of `malloc`: a slice for each value, then the bytes of all.
fn copied(values: &[Option<Value>]) -> Result<*mut kv_slice_t, Failure> {
    let head = values.len() * size_of::<kv_slice_t>();
    let add = |size: usize, value: &Value| size.checked_add(value.len());
    let size = values.iter().flatten().try_fold(head, add).ok_or(rkv::Error::NoMemory)?;
    // SAFETY: any size above 0 may be asked for.
    let block = unsafe { libc::malloc(size.max(1)) }.cast::<kv_slice_t>();
    if block.is_null() {
        return Err(rkv::Error::NoMemory.into());
    }
    let mut place = block.wrapping_add(values.len()).cast::<u8>();
    for (index, value) in values.iter().enumerate() {
        let slice = value
            .as_ref()
            .map_or(kv_slice_t::NONE, |value| kv_slice_t { data: place.cast(), len: value.len() });
        // SAFETY: the block has room for all slices, and behind them for the bytes of all values.
        unsafe {
            block.add(index).write(slice);
            if let Some(value) = value {
                ptr::copy_nonoverlapping(value.as_ptr(), place, value.len());
                place = place.add(value.len());
            }
        }
    }
    Ok(block)
}
