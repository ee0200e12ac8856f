//! Handles, keys and values, most of them good.

use std::ffi::c_void;
use std::ptr;

use arbitrary::Arbitrary;
use kv::{KV_ERR_INVALID_ARGUMENT, kv_slice_t};

/// Which handle to pass: a live one, one that has ended, zero, or one with a bit changed.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) struct Handle {
    index: u8,
    fault: u8,
}

impl Handle {
    /// The first live handle.
    pub(super) fn good() -> Self {
        Handle { index: 0, fault: 0 }
    }

    pub(super) fn index(self) -> usize {
        usize::from(self.index)
    }
}

/// The number that a handle means, where `live` and `ended` are; it may be live by accident.
pub(super) fn choose(handle: Handle, live: &[u64], ended: &[u64]) -> u64 {
    let one_of = |numbers: &[u64]| match numbers.len() {
        0 => 0,
        len => numbers[handle.index() % len],
    };
    match handle.fault {
        0..=199 => one_of(live),
        200..=224 => one_of(ended),
        225..=227 => 0,
        bit => one_of(live) ^ 1 << (bit as u32 * 7 % 64),
    }
}

/// A key of few different ones, of which some begin with others.
#[derive(Arbitrary, Clone, Debug)]
pub(super) struct KeyArg {
    name: u8,
    fault: u8,
}

impl KeyArg {
    pub(super) fn empty() -> Self {
        KeyArg { name: 0, fault: 0 }
    }

    /// The argument for a key that another one made.
    pub(super) fn good(key: &[u8]) -> Self {
        let letter = key.first().copied().unwrap_or(0);
        KeyArg { name: letter * 8 + key.len() as u8 / 5, fault: 0 }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        vec![self.name / 8 % 4; usize::from(self.name % 8) * 5]
    }

    /// What is passed for the bytes, which must stay, and what is wrong with it.
    pub(super) fn raw(&self, bytes: &[u8]) -> (*const c_void, usize, Vec<i32>) {
        raw(self.fault, bytes)
    }
}

#[derive(Arbitrary, Clone, Debug)]
pub(super) enum ValueArg {
    Bytes(Vec<u8>, u8),
    Number(i64),
}

impl ValueArg {
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            ValueArg::Bytes(bytes, _) => bytes.clone(),
            ValueArg::Number(number) => number.to_string().into_bytes(),
        }
    }

    pub(super) fn raw(&self, bytes: &[u8]) -> (*const c_void, usize, Vec<i32>) {
        match self {
            ValueArg::Bytes(_, fault) => raw(*fault, bytes),
            ValueArg::Number(_) => raw(0, bytes),
        }
    }
}

/// How large a buffer is.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Room {
    None,
    OneLess,
    Exact,
    Any(u8),
}

impl Room {
    /// Its size for something of some length.
    pub(super) fn size(self, len: usize) -> usize {
        match self {
            Room::None => 0,
            Room::OneLess => len.saturating_sub(1),
            Room::Exact => len,
            Room::Any(size) => usize::from(size),
        }
    }
}

fn raw(fault: u8, bytes: &[u8]) -> (*const c_void, usize, Vec<i32>) {
    let wrong = vec![KV_ERR_INVALID_ARGUMENT];
    let data = bytes.as_ptr().cast();
    match fault {
        252 => (ptr::null(), bytes.len() + 1, wrong),
        253 => (ptr::null(), usize::MAX, wrong),
        254 => (data, usize::MAX, wrong),
        255 => (data, isize::MAX as usize + 1, wrong),
        128.. if bytes.is_empty() => (ptr::null(), 0, Vec::new()),
        _ => (data, bytes.len(), Vec::new()),
    }
}

/// A slice of an argument.
pub(super) fn slice((data, len, _): &(*const c_void, usize, Vec<i32>)) -> kv_slice_t {
    kv_slice_t { data: *data, len: *len }
}

/// The bytes of a slice that the library gave.
///
/// # Safety
/// - They are there.
pub(super) unsafe fn read(slice: kv_slice_t) -> Vec<u8> {
    assert!(!slice.data.is_null());
    // SAFETY: the caller says that the bytes are there.
    unsafe { std::slice::from_raw_parts(slice.data.cast::<u8>(), slice.len) }.to_vec()
}
