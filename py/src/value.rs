//! `rkv.Value`: a value that Python reads where it lies, through the buffer protocol.
//!
//! The buffer protocol hands out pointers, which only `unsafe` code can; this is the one file of
//! the crate that has it. Whatever else bytes can do, a memoryview does.

use std::ffi::{c_int, c_void};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyIterator, PyMemoryView, PyType};

use crate::memory::to_bytes;

/// A value as it stood when it was read, with its key and version, without a copy.
///
/// It is bytes-like: whatever reads a buffer reads it, and nothing can write to it. An index gives
/// an int, a slice a memoryview of the same memory, bytes(value) a copy. It equals bytes, and
/// whatever a memoryview of it equals, and has the hash of bytes.
///
/// It holds the memory of its entry and no more, as does any memoryview of it, also when the key
/// has changed or the store is closed or gone. Comes from Store.view.
#[pyclass(frozen, weakref, module = "rkv")]
pub(crate) struct Value(rkv::Value);

impl Value {
    pub(crate) fn new(value: rkv::Value) -> Self {
        Value(value)
    }

    /// The value's bytes, which never change.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }

    fn bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        to_bytes(py, &self.0)
    }
}

#[pymethods]
impl Value {
    /// The key, as bytes.
    #[getter]
    fn key<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        to_bytes(py, self.0.key())
    }

    /// The version, for compare_and_swap: it grows with every change of the key, also when it is
    /// removed and comes again.
    #[getter]
    fn version(&self) -> u64 {
        self.0.version()
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __getitem__<'py>(
        slf: &Bound<'py, Self>,
        index: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        PyMemoryView::from(slf)?.get_item(index)
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyIterator>> {
        PyMemoryView::from(slf)?.try_iter()
    }

    fn __contains__(&self, part: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.bytes(part.py())?.contains(part)
    }

    fn __eq__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        PyMemoryView::from(slf)?.call_method1("__eq__", (other,))
    }

    // A memoryview asks its owner whether there is a hash at all.
    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.bytes(py)?.hash()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let this = slf.get();
        let key = this.key(slf.py())?.repr()?.to_string();
        Ok(format!("<rkv.Value key={key} version={} len={}>", this.version(), this.__len__()))
    }

    /// A copy and a pickle are bytes: the memory stays in its process.
    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyType>, (Bound<'py, PyBytes>,))> {
        Ok((py.get_type::<PyBytes>(), (self.bytes(py)?,)))
    }

    /// Fills in the struct of somebody who asks for the memory.
    ///
    /// # Safety
    ///
    /// `view` is the caller's own to write to, as the buffer protocol says.
    unsafe fn __getbuffer__(
        slf: &Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let octets: &[u8] = &slf.get().0;
        let (start, len) = (octets.as_ptr().cast_mut().cast::<c_void>(), octets.len() as isize);
        // SAFETY: the caller of this function vouches for `view`. It is given a new reference to
        // this object, which holds the record until the view is released; a record never moves
        // and never changes, and `1` says that nobody may write to it.
        let filled = unsafe { ffi::PyBuffer_FillInfo(view, slf.as_ptr(), start, len, 1, flags) };
        if filled == 0 { Ok(()) } else { Err(PyErr::fetch(slf.py())) }
    }
}
