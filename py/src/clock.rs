//! `rkv.ManualClock`: time for tests.

use pyo3::prelude::*;
use rkv::Error;

use crate::error::{exception, wrong_type};
use crate::lifetime::{any_seconds, duration};

/// A clock for tests, which stands still until it is told to move: Store(clock=ManualClock()).
///
/// Any number of stores may share one.
#[pyclass(frozen, module = "rkv")]
pub(crate) struct ManualClock(rkv::ManualClock);

#[pymethods]
impl ManualClock {
    #[new]
    fn new() -> Self {
        ManualClock(rkv::ManualClock::new())
    }

    /// Moves the clock on by so many seconds, a float or a timedelta.
    #[pyo3(signature = (by, /))]
    fn advance(&self, by: &Bound<'_, PyAny>) -> PyResult<()> {
        let seconds = any_seconds("by", by)?;
        // Not a number is no less than anything either.
        if seconds >= 0.0 {
            self.0.advance(duration(seconds));
            Ok(())
        } else {
            Err(exception(&Error::InvalidArgument { name: "by", reason: "must be at least 0" }))
        }
    }

    /// The seconds that it has moved since it was made.
    fn elapsed(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }

    fn __repr__(&self) -> String {
        format!("<rkv.ManualClock at {} s>", self.elapsed())
    }
}

/// The option `clock` of a store.
///
/// # Errors
///
/// `TypeError`
pub(crate) fn option<'a>(argument: &'a Bound<'_, PyAny>) -> PyResult<&'a rkv::ManualClock> {
    let clock = argument.cast::<ManualClock>();
    clock.map(|clock| &clock.get().0).map_err(|_| wrong_type("clock", "ManualClock", argument))
}
