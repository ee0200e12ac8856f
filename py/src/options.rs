//! Options and numbers between Python and the engine.

use pyo3::Borrowed;
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyString};
use rkv::{Error, Eviction};

use crate::error::{exception, instead, wrong_type};

/// The option `eviction`: what a full store does.
pub(crate) struct Policy(pub(crate) Eviction);

impl Policy {
    pub(crate) const DEFAULT: Self = Policy(Eviction::S3Fifo);
}

impl FromPyObject<'_, '_> for Policy {
    type Error = PyErr;

    fn extract(argument: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let name =
            argument.cast::<PyString>().map_err(|_| wrong_type("eviction", "str", &argument))?;
        match name.extract::<&str>() {
            Ok("s3fifo") => Ok(Policy(Eviction::S3Fifo)),
            Ok("reject") => Ok(Policy(Eviction::Reject)),
            _ => {
                let reason = "must be \"s3fifo\" or \"reject\"";
                Err(exception(&Error::InvalidArgument { name: "eviction", reason }))
            }
        }
    }
}

/// The option `maintenance`: whether a thread of the process does what time asks for.
pub(crate) struct Maintenance(pub(crate) bool);

impl FromPyObject<'_, '_> for Maintenance {
    type Error = PyErr;

    fn extract(argument: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let wanted = argument.cast::<PyBool>();
        let wanted = wanted.map_err(|_| wrong_type("maintenance", "bool", &argument))?;
        Ok(Maintenance(wanted.is_true()))
    }
}

/// An option that is a number of things.
///
/// # Errors
///
/// As `number`.
pub(crate) fn size(name: &'static str, argument: &Bound<'_, PyAny>) -> PyResult<usize> {
    number(name, "must be at least 0, and no more than memory can hold", argument)
}

/// An option that bounds a number of things.
///
/// # Errors
///
/// As `number`.
pub(crate) fn bound(name: &'static str, argument: &Bound<'_, PyAny>) -> PyResult<u64> {
    number(name, "must be at least 1, and fit in 64 bits", argument)
}

/// The argument `version` of `compare_and_swap`: None is 0, that of a key that does not exist.
///
/// # Errors
///
/// As `number`.
pub(crate) fn version(argument: &Bound<'_, PyAny>) -> PyResult<u64> {
    if argument.is_none() {
        return Ok(0);
    }
    number("version", "must be at least 0, and fit in 64 bits", argument)
}

/// An option that is a number; `reason` is what is wrong with one that its Rust type cannot hold.
///
/// # Errors
///
/// `InvalidArgument` for such a number; as `integer`.
fn number<'a, 'py, N>(
    name: &'static str,
    reason: &'static str,
    argument: &'a Bound<'py, PyAny>,
) -> PyResult<N>
where
    N: FromPyObject<'a, 'py, Error = PyErr>,
{
    integer(name, argument, || Error::InvalidArgument { name, reason })
}

/// An integer argument; `beyond` is the error for one that its Rust type cannot hold.
///
/// # Errors
///
/// That one; `TypeError` for another type, also for a `bool`, which would count as 0 or 1; what
/// the argument itself raises.
pub(crate) fn integer<'a, 'py, N>(
    name: &str,
    argument: &'a Bound<'py, PyAny>,
    beyond: impl FnOnce() -> Error,
) -> PyResult<N>
where
    N: FromPyObject<'a, 'py, Error = PyErr>,
{
    let py = argument.py();
    if argument.is_instance_of::<PyBool>() {
        return Err(wrong_type(name, "int", argument));
    }
    argument.extract().map_err(|error: PyErr| {
        if error.is_instance_of::<PyOverflowError>(py) {
            exception(&beyond())
        } else {
            instead(error, name, "int", argument)
        }
    })
}
