//! Statuses: the one result type of all fallible functions, and their constant texts.
//!
//! The numbers are those of `rkv::code`, written out because cbindgen cannot look into
//! another crate; a compile-time check compares them. Numbers from 16 up are outcomes that only C
//! knows. Numbers are never reused.

use std::ffi::{CStr, c_char};

use rkv::code;

/// The result of a call: 0 is success, a positive number is an outcome that a caller expects, a
/// negative number is an error, whose text kv_last_error_message gives.
pub type kv_status_t = i32;

/// Done.
pub const KV_OK: kv_status_t = 0;
/// The key does not exist.
pub const KV_NOT_FOUND: kv_status_t = 1;
/// The key exists already.
pub const KV_EXISTS: kv_status_t = 2;
/// Another version of the key stands than the caller expected.
pub const KV_CONFLICT: kv_status_t = 3;
/// The caller's buffer is too small; nothing was copied, and the size needed was told.
pub const KV_BUFFER_TOO_SMALL: kv_status_t = 16;
/// A callback asked to stop.
pub const KV_STOPPED: kv_status_t = 17;
/// The iterator has come to its end.
pub const KV_END: kv_status_t = 18;
/// An argument is outside of what the function accepts; the error text names it.
pub const KV_ERR_INVALID_ARGUMENT: kv_status_t = -1;
/// A time to live is outside of what the function accepts.
pub const KV_ERR_INVALID_TTL: kv_status_t = -2;
/// A name of a scope has forbidden characters.
pub const KV_ERR_INVALID_NAMESPACE: kv_status_t = -3;
/// A key is longer than 65,535 bytes or a value longer than 4 GiB - 1, or an entry counts more than
/// the option max_bytes.
pub const KV_ERR_TOO_LARGE: kv_status_t = -4;
/// The value is not the decimal text of a signed 64-bit number.
pub const KV_ERR_NOT_A_NUMBER: kv_status_t = -5;
/// The sum does not fit in a signed 64-bit number; the value is as it was.
pub const KV_ERR_OVERFLOW: kv_status_t = -6;
/// A quota is used up.
pub const KV_ERR_QUOTA: kv_status_t = -7;
/// There is no room, although memory is not short: the store has reached a bound and does not
/// evict, or there are as many stores, guards, values or iterators as there can be.
pub const KV_ERR_FULL: kv_status_t = -8;
/// A validation hook refused the value.
pub const KV_ERR_VALIDATION: kv_status_t = -9;
/// A template or a file cannot be parsed.
pub const KV_ERR_PARSE: kv_status_t = -10;
/// A template cannot be rendered.
pub const KV_ERR_RENDER: kv_status_t = -11;
/// A storage backend failed.
pub const KV_ERR_BACKEND: kv_status_t = -12;
/// The handle names no open store: closed, zero or never valid.
pub const KV_ERR_CLOSED: kv_status_t = -13;
/// The store was opened before a fork, by the parent process.
pub const KV_ERR_FORKED: kv_status_t = -14;
/// The object belongs to another thread.
pub const KV_ERR_WRONG_THREAD: kv_status_t = -15;
/// Another thread is using the object.
pub const KV_ERR_BUSY: kv_status_t = -16;
/// The time is over.
pub const KV_ERR_TIMEOUT: kv_status_t = -17;
/// Events were lost because the reader was too slow.
pub const KV_ERR_LAGGED: kv_status_t = -18;
/// The system reported an input or output error.
pub const KV_ERR_IO: kv_status_t = -19;
/// A file is damaged.
pub const KV_ERR_CORRUPT: kv_status_t = -20;
/// Another process holds the files.
pub const KV_ERR_LOCKED: kv_status_t = -21;
/// A value cannot be encoded or decoded.
pub const KV_ERR_CODEC: kv_status_t = -22;
/// The program asks for what this version of the library does not have.
pub const KV_ERR_UNSUPPORTED: kv_status_t = -23;
/// The system refused memory; nothing was written.
pub const KV_ERR_NO_MEMORY: kv_status_t = -24;
/// rkv failed inside. The store stays usable; please report it.
pub const KV_ERR_PANIC: kv_status_t = -25;

/// A short constant text for any status, such as "key not found"; never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn kv_strerror(status: kv_status_t) -> *const c_char {
    text(status).as_ptr()
}

/// The text for a status.
const fn text(status: kv_status_t) -> &'static CStr {
    let mut index = 0;
    while index < TABLE.len() {
        if TABLE[index].0 == status {
            return TABLE[index].1;
        }
        index += 1;
    }
    c"unknown status"
}

/// Every status with its text.
const TABLE: &[(kv_status_t, &CStr)] = &[
    (KV_OK, c"done"),
    (KV_NOT_FOUND, c"key not found"),
    (KV_EXISTS, c"key exists"),
    (KV_CONFLICT, c"version conflict"),
    (KV_BUFFER_TOO_SMALL, c"buffer too small"),
    (KV_STOPPED, c"stopped by the callback"),
    (KV_END, c"end of the iteration"),
    (KV_ERR_INVALID_ARGUMENT, c"invalid argument"),
    (KV_ERR_INVALID_TTL, c"invalid time to live"),
    (KV_ERR_INVALID_NAMESPACE, c"invalid namespace"),
    (KV_ERR_TOO_LARGE, c"key, value or entry too large"),
    (KV_ERR_NOT_A_NUMBER, c"value is not a decimal 64-bit integer"),
    (KV_ERR_OVERFLOW, c"sum does not fit in 64 bits"),
    (KV_ERR_QUOTA, c"quota exceeded"),
    (KV_ERR_FULL, c"full"),
    (KV_ERR_VALIDATION, c"value refused by validation"),
    (KV_ERR_PARSE, c"parse error"),
    (KV_ERR_RENDER, c"render error"),
    (KV_ERR_BACKEND, c"backend error"),
    (KV_ERR_CLOSED, c"store is closed"),
    (KV_ERR_FORKED, c"store was inherited through fork"),
    (KV_ERR_WRONG_THREAD, c"wrong thread"),
    (KV_ERR_BUSY, c"busy"),
    (KV_ERR_TIMEOUT, c"timeout"),
    (KV_ERR_LAGGED, c"events were lost"),
    (KV_ERR_IO, c"input or output error"),
    (KV_ERR_CORRUPT, c"corrupt data"),
    (KV_ERR_LOCKED, c"locked by another process"),
    (KV_ERR_CODEC, c"codec error"),
    (KV_ERR_UNSUPPORTED, c"not supported by this version"),
    (KV_ERR_NO_MEMORY, c"out of memory"),
    (KV_ERR_PANIC, c"internal panic"),
];

/// Every status that the faces share, with its number in the engine.
const SHARED: &[(kv_status_t, i32)] = &[
    (KV_OK, code::OK),
    (KV_NOT_FOUND, code::NOT_FOUND),
    (KV_EXISTS, code::EXISTS),
    (KV_CONFLICT, code::CONFLICT),
    (KV_ERR_INVALID_ARGUMENT, code::INVALID_ARGUMENT),
    (KV_ERR_INVALID_TTL, code::INVALID_TTL),
    (KV_ERR_INVALID_NAMESPACE, code::INVALID_NAMESPACE),
    (KV_ERR_TOO_LARGE, code::TOO_LARGE),
    (KV_ERR_NOT_A_NUMBER, code::NOT_A_NUMBER),
    (KV_ERR_OVERFLOW, code::OVERFLOW),
    (KV_ERR_QUOTA, code::QUOTA),
    (KV_ERR_FULL, code::FULL),
    (KV_ERR_VALIDATION, code::VALIDATION),
    (KV_ERR_PARSE, code::PARSE),
    (KV_ERR_RENDER, code::RENDER),
    (KV_ERR_BACKEND, code::BACKEND),
    (KV_ERR_CLOSED, code::CLOSED),
    (KV_ERR_FORKED, code::FORKED),
    (KV_ERR_WRONG_THREAD, code::WRONG_THREAD),
    (KV_ERR_BUSY, code::BUSY),
    (KV_ERR_TIMEOUT, code::TIMEOUT),
    (KV_ERR_LAGGED, code::LAGGED),
    (KV_ERR_IO, code::IO),
    (KV_ERR_CORRUPT, code::CORRUPT),
    (KV_ERR_LOCKED, code::LOCKED),
    (KV_ERR_CODEC, code::CODEC),
    (KV_ERR_UNSUPPORTED, code::UNSUPPORTED),
    (KV_ERR_NO_MEMORY, code::NO_MEMORY),
    (KV_ERR_PANIC, code::PANIC),
];

const _: () = {
    let mut index = 0;
    while index < SHARED.len() {
        assert!(SHARED[index].0 == SHARED[index].1, "a status differs from the engine's number");
        index += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_number_and_a_text_of_its_own() {
        for (at, (status, text)) in TABLE.iter().enumerate() {
            assert!(TABLE[..at].iter().all(|row| row.0 != *status && row.1 != *text), "{text:?}");
        }
        assert_eq!(text(12_345), c"unknown status");
    }
}
