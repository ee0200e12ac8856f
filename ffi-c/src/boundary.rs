//! The wall between C and Rust: panics end here, and pointers become references here.

use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::failure::{Failure, set_last_error};
use crate::status::{KV_ERR_PANIC, kv_status_t};

/// Runs the body of an exported function and turns its failure or panic into a status.
///
/// The engine keeps its promises when user code panics inside it, hence `AssertUnwindSafe`.
pub(crate) fn boundary(body: impl FnOnce() -> Result<kv_status_t, Failure>) -> kv_status_t {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(status)) => status,
        Ok(Err(failure)) => failure.report(),
        Err(payload) => {
            set_last_error(format_args!("rkv panicked: {}", panic_message(&*payload)));
            // Dropping a payload may panic again; a leak may not.
            std::mem::forget(payload);
            KV_ERR_PANIC
        }
    }
}

fn panic_message(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "no message"
    }
}

/// The bytes that a caller passed as the argument `name`, a pointer and a length.
///
/// # Errors
/// InvalidArgument for NULL with a length, and for a length that no object can have.
///
/// # Safety
/// - `data` is NULL or points to `len` bytes, which nobody writes to during `'a`.
pub(crate) unsafe fn bytes<'a>(
    name: &'static str,
    data: *const c_void,
    len: usize,
) -> Result<&'a [u8], Failure> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Failure::invalid(name, "NULL with a length above 0"));
    }
    if len > isize::MAX as usize {
        return Err(Failure::invalid(name, "longer than PTRDIFF_MAX"));
    }
    // SAFETY: not NULL, the caller vouches for `len` bytes, and the length is in range.
    Ok(unsafe { std::slice::from_raw_parts(data.cast(), len) })
}

/// The array that a caller passed as the argument `name`, a pointer and its `count`.
///
/// # Errors
/// InvalidArgument for NULL with a count, and for a count that no array can have.
///
/// # Safety
/// - `data` is NULL or points to `count` items, which nobody writes to during `'a`.
pub(crate) unsafe fn array<'a, T>(
    name: &'static str,
    data: *const T,
    count: usize,
) -> Result<&'a [T], Failure> {
    if count == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Failure::invalid(name, "NULL with a count above 0"));
    }
    if count > isize::MAX as usize / size_of::<T>() {
        return Err(Failure::invalid("count", "longer than any array"));
    }
    // SAFETY: not NULL, the caller vouches for `count` items, and the size is in range.
    Ok(unsafe { std::slice::from_raw_parts(data, count) })
}

/// A place to which a result will be written once everything else has succeeded.
pub(crate) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// The place that a caller passed as the argument `name`.
    ///
    /// # Errors
    /// InvalidArgument for NULL.
    ///
    /// # Safety
    /// - `place` is NULL, or aligned and writable until this value is gone.
    pub(crate) unsafe fn new(name: &'static str, place: *mut T) -> Result<Self, Failure> {
        if place.is_null() { Err(Failure::invalid(name, "NULL")) } else { Ok(Out(place)) }
    }

    pub(crate) fn write(&self, value: T) {
        // SAFETY: the caller of `new` vouched that the place is aligned and writable.
        unsafe { self.0.write(value) }
    }
}

/// Writes a result to a place that may be NULL, which means that the caller does not want it.
///
/// # Safety
/// - `place` is NULL, or aligned and writable.
pub(crate) unsafe fn write_unless_null<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: not NULL, and the caller vouches for the rest.
        unsafe { place.write(value) }
    }
}

// LIMIT: a page, as in openat2; a larger structure is a mistake and not a newer version.
const STRUCT_SIZE_MAX: usize = 4096;

/// Checks the size that a program says a structure has, which may grow in later versions; `min` is
/// the part that every version has.
///
/// # Errors
/// InvalidArgument for a size that no version has.
pub(crate) fn check_struct_size(
    name: &'static str,
    size: usize,
    min: usize,
) -> Result<(), Failure> {
    if (min..=STRUCT_SIZE_MAX).contains(&size) {
        Ok(())
    } else {
        Err(Failure::invalid(name, "no version of the structure has this size"))
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn panic_becomes_a_status_with_its_message() {
        let status = boundary(|| panic!("the message {}", 7));
        assert_eq!(status, KV_ERR_PANIC);
        // SAFETY: the function returns a string that stays until the next failure of this thread.
        let text = unsafe { CStr::from_ptr(crate::kv_last_error_message()) };
        assert_eq!(text, c"rkv panicked: the message 7");
    }

    #[test]
    fn panic_whose_payload_panics_on_drop_is_contained() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }
        assert_eq!(boundary(|| std::panic::panic_any(Bomb)), KV_ERR_PANIC);
    }

    #[test]
    fn null_is_no_bytes_and_never_some() {
        // SAFETY: NULL is allowed.
        let read = |len| unsafe { bytes("key", std::ptr::null(), len) };
        assert_eq!(read(0).unwrap(), b"");
        assert!(matches!(
            read(1),
            Err(Failure::Engine(rkv::Error::InvalidArgument { name: "key", .. }))
        ));
    }
}
