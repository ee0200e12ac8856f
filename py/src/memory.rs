//! Vectors, bytes and lists of any length, whose memory may be refused: that is an error, and does
//! not end the process.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use rkv::Error;

use crate::error::exception;

/// An empty vector with room for `length` elements.
///
/// # Errors
///
/// `NoMemory`
pub(crate) fn vector<T>(length: usize) -> PyResult<Vec<T>> {
    let mut vector = Vec::new();
    vector.try_reserve_exact(length).map_err(|_| exception(&Error::NoMemory))?;
    Ok(vector)
}

/// A copy.
///
/// # Errors
///
/// `NoMemory`
pub(crate) fn copied(octets: &[u8]) -> PyResult<Vec<u8>> {
    let mut copy = vector(octets.len())?;
    copy.extend_from_slice(octets);
    Ok(copy)
}

/// A list of objects. PyO3 makes one quicker if it knows the length, but panics when its memory is
/// refused.
///
/// # Errors
///
/// The first among `objects`; `MemoryError`.
pub(crate) fn list<'py, T: IntoPyObject<'py>>(
    py: Python<'py>,
    objects: impl Iterator<Item = PyResult<T>>,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for object in objects {
        list.append(object?)?;
    }
    Ok(list)
}

/// LIMIT: up to here, a refused allocation is a panic in PyO3 and not a `MemoryError`. Above,
/// the bytes are zeroed before they are copied, which costs as much again as the copy.
const UNCHECKED_BYTES_MAX: usize = 1 << 20;

/// A `bytes` object with a copy of `octets`.
///
/// # Errors
///
/// `MemoryError`
#[inline]
pub(crate) fn to_bytes<'py>(py: Python<'py>, octets: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    if octets.len() <= UNCHECKED_BYTES_MAX {
        return Ok(PyBytes::new(py, octets));
    }
    PyBytes::new_with(py, octets.len(), |target| {
        target.copy_from_slice(octets);
        Ok(())
    })
}
