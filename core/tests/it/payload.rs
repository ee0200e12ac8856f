//! Byte values that carry an identity and betray every torn, mixed or freed byte.
//!
//! A *blob* is its identity in 8 bytes and then up to 199 bytes that follow from it. A *number*
//! is the identity as decimal text, so that `incr` can work on it.

use crate::dice::mix;

/// Longest tail of a blob in bytes.
const TAIL: u64 = 200;

/// The blob of `id`.
pub(crate) fn blob(id: u64) -> Vec<u8> {
    let mut bytes = id.to_le_bytes().to_vec();
    bytes.resize(8 + (mix(id) % TAIL) as usize, filler(id));
    bytes
}

/// The identity in a blob.
///
/// # Panics
///
/// When the bytes are not exactly one blob.
pub(crate) fn blob_id(bytes: &[u8]) -> u64 {
    let (head, tail) = bytes.split_first_chunk().expect("a blob holds at least its identity");
    let id = u64::from_le_bytes(*head);
    assert_eq!(tail.len() as u64, mix(id) % TAIL, "blob {id} has another blob's length");
    assert!(tail.iter().all(|&byte| byte == filler(id)), "blob {id} holds foreign bytes");
    id
}

/// The decimal text of `id`, which is at most `i64::MAX`.
pub(crate) fn number(id: u64) -> Vec<u8> {
    id.to_string().into_bytes()
}

/// The identity in a decimal text.
///
/// # Panics
///
/// When the bytes are not a decimal number.
pub(crate) fn number_id(bytes: &[u8]) -> u64 {
    std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()).expect("a decimal text")
}

fn filler(id: u64) -> u8 {
    (mix(id) >> 56) as u8
}
