//! Keys and values that Python hands over: the bytes of `str` and of what is bytes-like.

use pyo3::Borrowed;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView, PyString};

use crate::error::instead;
use crate::memory::copied;
use crate::value::Value;

/// What a key or value is, as errors say it.
const STR_OR_BYTES: &str = "str or bytes-like";

/// The bytes of one argument: borrowed where Python cannot change them, else a copy.
pub(crate) enum Octets<'a, 'py> {
    Borrowed(&'a [u8]),
    Copied(Bound<'py, PyBytes>),
}

impl<'a, 'py> Octets<'a, 'py> {
    /// Reads the argument `key`; errors as `read`.
    #[inline]
    pub(crate) fn key(argument: &'a Bound<'py, PyAny>) -> PyResult<Self> {
        Self::read("key", STR_OR_BYTES, argument)
    }

    /// Reads the argument `value`; errors as `read`.
    #[inline]
    pub(crate) fn value(argument: &'a Bound<'py, PyAny>) -> PyResult<Self> {
        Self::read("value", STR_OR_BYTES, argument)
    }

    /// Reads the argument `name`; errors as `read`.
    pub(crate) fn named(name: &str, argument: &'a Bound<'py, PyAny>) -> PyResult<Self> {
        Self::read(name, STR_OR_BYTES, argument)
    }

    /// Reads what the function of compute returned; errors as `read`.
    pub(crate) fn result(result: &'a Bound<'py, PyAny>) -> PyResult<Self> {
        let wanted = "str, bytes-like, rkv.DELETE or rkv.KEEP";
        Self::read("what fn returns", wanted, result)
    }

    /// Reads a `str` as UTF-8, or any object with the buffer protocol as its bytes.
    ///
    /// # Errors
    ///
    /// `TypeError` naming the argument for any other type; `UnicodeEncodeError` for a `str` that
    /// holds lone surrogates; what the object's own buffer raises.
    #[inline]
    fn read(name: &str, wanted: &str, argument: &'a Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(text) = argument.cast::<PyString>() {
            return Ok(Octets::Borrowed(text.to_str()?.as_bytes()));
        }
        if let Ok(bytes) = argument.cast::<PyBytes>() {
            return Ok(Octets::Borrowed(bytes.as_bytes()));
        }
        if let Ok(value) = argument.cast::<Value>() {
            return Ok(Octets::Borrowed(value.get().octets()));
        }
        Self::copy(name, wanted, argument)
    }

    /// Copies a buffer that may be mutable, strided, or of wider items.
    #[cold]
    fn copy(name: &str, wanted: &str, argument: &Bound<'py, PyAny>) -> PyResult<Self> {
        let view = PyMemoryView::from(argument);
        let view = view.map_err(|error| instead(error, name, wanted, argument))?;
        Ok(Octets::Copied(view.call_method0("tobytes")?.cast_into()?))
    }
}

impl AsRef<[u8]> for Octets<'_, '_> {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        match self {
            Octets::Borrowed(bytes) => bytes,
            Octets::Copied(bytes) => bytes.as_bytes(),
        }
    }
}

/// The argument `prefix`: what a listed key starts with.
pub(crate) struct Prefix(Vec<u8>);

impl Prefix {
    /// The prefix of every key.
    pub(crate) const ALL: Self = Prefix(Vec::new());
}

impl FromPyObject<'_, '_> for Prefix {
    type Error = PyErr;

    fn extract(argument: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        copied(Octets::named("prefix", &argument)?.as_ref()).map(Prefix)
    }
}

impl AsRef<[u8]> for Prefix {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
