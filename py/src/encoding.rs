//! The option `encoding` of a store: whether its reads give `bytes` or `str`.

use std::str;

use pyo3::Borrowed;
use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};
use rkv::{Error, Value};

use crate::error::{exception, wrong_type};
use crate::memory::to_bytes;

/// What reads give.
#[derive(Clone, Copy)]
pub(crate) enum Encoding {
    /// `bytes`.
    None,
    /// `str`.
    Utf8,
}

impl Encoding {
    /// The object that a read gives for `octets`.
    ///
    /// Runs no Python code and makes nothing that the garbage collector tracks, so it may stand
    /// inside of an engine call. The exception of a failure is made later, outside.
    #[inline]
    pub(crate) fn object<'py>(
        self,
        py: Python<'py>,
        octets: &[u8],
    ) -> Result<Bound<'py, PyAny>, Unreadable<'py>> {
        match self {
            Encoding::None => Ok(to_bytes(py, octets)?.into_any()),
            Encoding::Utf8 => text(py, octets),
        }
    }

    /// What a read gives for `octets`, which are those of `object`: itself, if it is of that type.
    ///
    /// # Errors
    ///
    /// `UnicodeDecodeError`, `MemoryError`.
    pub(crate) fn same<'py>(
        self,
        object: &Bound<'py, PyAny>,
        octets: &[u8],
    ) -> PyResult<Bound<'py, PyAny>> {
        let is_it = match self {
            Encoding::None => object.is_exact_instance_of::<PyBytes>(),
            Encoding::Utf8 => object.is_exact_instance_of::<PyString>(),
        };
        if is_it { Ok(object.clone()) } else { Ok(self.object(object.py(), octets)?) }
    }

    /// The pair that a read gives for an entry.
    ///
    /// # Errors
    ///
    /// `UnicodeDecodeError`, `MemoryError`.
    pub(crate) fn item<'py>(self, py: Python<'py>, entry: &Value) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, [self.object(py, entry.key())?, self.value(py, entry)?])
    }

    /// The value that a read gives for an entry.
    ///
    /// # Errors
    ///
    /// `UnicodeDecodeError` that names the key, `MemoryError`.
    pub(crate) fn value<'py>(self, py: Python<'py>, entry: &Value) -> PyResult<Bound<'py, PyAny>> {
        self.object(py, entry).map_err(|unreadable| unreadable.at(entry.key()))
    }
}

#[inline(never)]
fn text<'py>(py: Python<'py>, octets: &[u8]) -> Result<Bound<'py, PyAny>, Unreadable<'py>> {
    // Most text is ASCII, which is quicker to tell.
    if !octets.is_ascii() && str::from_utf8(octets).is_err() {
        return Err(Unreadable::NotUtf8(to_bytes(py, octets)?));
    }
    Ok(PyString::from_bytes(py, octets)?.into_any())
}

/// Why a read has no object.
pub(crate) enum Unreadable<'py> {
    /// `MemoryError`
    Raised(PyErr),
    /// These bytes are to be `str`, and are none.
    NotUtf8(Bound<'py, PyBytes>),
}

impl Unreadable<'_> {
    /// The exception of the value at `key`, with a note of that. Python 3.10 has no notes.
    #[cold]
    pub(crate) fn at(self, key: &[u8]) -> PyErr {
        let Unreadable::NotUtf8(octets) = &self else {
            return self.into();
        };
        let py = octets.py();
        let error = PyErr::from(self);
        let noted = to_bytes(py, key).and_then(|key| {
            let note = format!("the value of key {} is not UTF-8", key.repr()?);
            error.value(py).call_method1("add_note", (note,))
        });
        match noted {
            Err(failure) if failure.is_instance_of::<PyMemoryError>(py) => failure,
            _ => error,
        }
    }
}

impl From<PyErr> for Unreadable<'_> {
    fn from(error: PyErr) -> Self {
        Unreadable::Raised(error)
    }
}

impl From<Unreadable<'_>> for PyErr {
    #[cold]
    fn from(unreadable: Unreadable<'_>) -> Self {
        match unreadable {
            Unreadable::Raised(error) => error,
            // Python's own decoder says best what is wrong.
            Unreadable::NotUtf8(octets) => match octets.call_method0("decode") {
                Err(error) => error,
                Ok(_) => exception(&Error::Panic),
            },
        }
    }
}

impl FromPyObject<'_, '_> for Encoding {
    type Error = PyErr;

    fn extract(argument: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if argument.is_none() {
            return Ok(Encoding::None);
        }
        let name = argument
            .cast::<PyString>()
            .map_err(|_| wrong_type("encoding", "str or None", &argument))?;
        match name.extract::<&str>() {
            Ok(name) if ["utf-8", "utf8"].iter().any(|it| name.eq_ignore_ascii_case(it)) => {
                Ok(Encoding::Utf8)
            }
            _ => {
                let reason = "must be \"utf-8\" or None";
                Err(exception(&Error::InvalidArgument { name: "encoding", reason }))
            }
        }
    }
}
