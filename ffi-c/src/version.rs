//! The version of the library that runs, to compare with the macros of the header.

use std::ffi::{CStr, c_char};

/// The version as text, such as "0.1.0"; static.
///
/// KV_VERSION_STRING is the version of the header that a program was compiled with.
#[unsafe(no_mangle)]
pub extern "C" fn kv_version_string() -> *const c_char {
    TEXT.as_ptr()
}

/// The version as one number that grows: major * 1000000 + minor * 1000 + patch.
///
/// KV_VERSION_NUMBER is the version of the header that a program was compiled with.
#[unsafe(no_mangle)]
pub extern "C" fn kv_version_number() -> u32 {
    NUMBER
}

const TEXT: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("the version holds a NUL byte"),
    };

const NUMBER: u32 = part(env!("CARGO_PKG_VERSION_MAJOR")) * 1_000_000
    + part(env!("CARGO_PKG_VERSION_MINOR")) * 1_000
    + part(env!("CARGO_PKG_VERSION_PATCH"));

const fn part(digits: &str) -> u32 {
    match u32::from_str_radix(digits, 10) {
        Ok(number) => number,
        Err(_) => panic!("the version is not three numbers"),
    }
}
