//! Spans of time between Python and the engine: `float` seconds or `timedelta` in, `float` out.

use std::time::Duration;

use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDelta};
use rkv::{Remaining, Ttl};

use crate::error::{instead, invalid_ttl, wrong_type};

const SECONDS: &str = "float seconds or timedelta";

/// The type of rkv.KEEP, which leaves a time to live, or a value, as it is.
#[pyclass(frozen, module = "rkv")]
pub(crate) struct Keep;

#[pymethods]
impl Keep {
    fn __repr__(&self) -> &'static str {
        "rkv.KEEP"
    }

    fn __reduce__(&self) -> &'static str {
        "KEEP"
    }
}

/// The argument `ttl` of `set`: a time to live, `rkv.KEEP`, or None for the store's default.
///
/// # Errors
///
/// As `span`.
#[inline]
pub(crate) fn optional(argument: Option<&Bound<'_, PyAny>>) -> PyResult<Ttl> {
    let Some(argument) = argument else {
        return Ok(Ttl::Default);
    };
    if argument.is_instance_of::<Keep>() {
        return Ok(Ttl::Keep);
    }
    let wanted = "float seconds, timedelta or rkv.KEEP";
    positive("ttl", seconds("ttl", wanted, argument)?, argument.py()).map(Ttl::After)
}

/// An argument that is a time to live.
///
/// # Errors
///
/// `InvalidTtl` for what is not longer than zero, `TypeError` for another type.
pub(crate) fn span(name: &str, argument: &Bound<'_, PyAny>) -> PyResult<Duration> {
    positive(name, seconds(name, SECONDS, argument)?, argument.py())
}

/// An argument that is a number of seconds.
///
/// # Errors
///
/// `TypeError`
pub(crate) fn any_seconds(name: &str, argument: &Bound<'_, PyAny>) -> PyResult<f64> {
    seconds(name, SECONDS, argument)
}

/// What is left to live, in seconds: infinity for ever.
pub(crate) fn left(remaining: Remaining) -> f64 {
    match remaining {
        Remaining::Never => f64::INFINITY,
        Remaining::For(left) => left.as_secs_f64(),
    }
}

/// The longest span for more seconds than it holds, which are for ever.
pub(crate) fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

fn positive(name: &str, seconds: f64, py: Python<'_>) -> PyResult<Duration> {
    // Not a number is no more than anything.
    if seconds > 0.0 {
        Ok(duration(seconds).max(Duration::from_nanos(1)))
    } else {
        Err(invalid_ttl(py, name))
    }
}

fn seconds(name: &str, wanted: &str, argument: &Bound<'_, PyAny>) -> PyResult<f64> {
    let py = argument.py();
    if argument.is_instance_of::<PyDelta>() {
        return argument.call_method0("total_seconds")?.extract();
    }
    // True would be one second.
    if argument.is_instance_of::<PyBool>() {
        return Err(wrong_type(name, wanted, argument));
    }
    argument.extract().or_else(|error: PyErr| {
        if error.is_instance_of::<PyOverflowError>(py) {
            Ok(if argument.gt(0)? { f64::INFINITY } else { f64::NEG_INFINITY })
        } else {
            Err(instead(error, name, wanted, argument))
        }
    })
}
