//! Many byte strings in one piece of memory, which a program frees by one kv_free.

use std::mem::size_of;
use std::ptr;

use crate::entry::kv_slice_t;
use crate::failure::Failure;

/// A block of `malloc`: a slice for each item, then the bytes of all. Items that are missing have
/// NULL for an address, and those that are empty have not.
///
/// # Errors
/// NoMemory.
pub(crate) fn block<'a>(
    items: impl ExactSizeIterator<Item = Option<&'a [u8]>> + Clone,
) -> Result<*mut kv_slice_t, Failure> {
    let count = items.len();
    let add = |size: usize, item: &[u8]| size.checked_add(item.len());
    let size = items.clone().flatten().try_fold(count * size_of::<kv_slice_t>(), add);
    // SAFETY: any size above 0 may be asked for.
    let block = unsafe { libc::malloc(size.ok_or(rkv::Error::NoMemory)?.max(1)) };
    let block = block.cast::<kv_slice_t>();
    if block.is_null() {
        return Err(rkv::Error::NoMemory.into());
    }
    let mut place = block.wrapping_add(count).cast::<u8>();
    for (index, item) in items.enumerate() {
        let len = item.map_or(0, <[u8]>::len);
        let data = if item.is_some() { place.cast_const().cast() } else { ptr::null() };
        // SAFETY: the block has room for all slices, and behind them for the bytes of all items.
        unsafe {
            block.add(index).write(kv_slice_t { data, len });
            if let Some(item) = item {
                ptr::copy_nonoverlapping(item.as_ptr(), place, len);
                place = place.add(len);
            }
        }
    }
    Ok(block)
}
