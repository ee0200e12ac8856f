//! Atomic changes that depend on what stands there: `compute`, `setdefault`, `pop`.

use std::mem;

use pyo3::prelude::*;
use rkv::{Error, Op, Ttl};

use crate::error::{exception, wrong_type};
use crate::lifetime::{self, Keep};
use crate::mapping::Given;
use crate::memory::copied;
use crate::octets::Octets;
use crate::store::{Store, guarded};

/// The type of rkv.DELETE, by which the function of compute removes its key.
#[pyclass(frozen, module = "rkv")]
pub(crate) struct Delete;

#[pymethods]
impl Delete {
    fn __repr__(&self) -> &'static str {
        "rkv.DELETE"
    }

    fn __reduce__(&self) -> &'static str {
        "DELETE"
    }
}

/// What ends a change before it is made.
enum Failure {
    Raised(PyErr),
    Refused(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Refused(error)
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Failure::Raised(error)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Raised(error) => error,
            Failure::Refused(error) => exception(&error),
        }
    }
}

impl Store {
    /// Does with `key` what `f` makes of the function of the user.
    ///
    /// # Errors
    ///
    /// What `function` raises; `TypeError` for what it may not return; as `decide`.
    pub(crate) fn compute_with<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        function: &Bound<'py, PyAny>,
        ttl: Given<'py>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        if !function.is_callable() {
            return Err(wrong_type("fn", "callable", function));
        }
        let ttl = match ttl.0 {
            Some(ttl) => lifetime::optional(Some(&ttl).filter(|ttl| !ttl.is_none()))?,
            None => Ttl::Keep,
        };
        self.decide(key, |old| {
            let made = function.call1((&old,))?;
            if made.is_instance_of::<Keep>() {
                return Ok((Op::Keep, old));
            }
            if made.is_instance_of::<Delete>() {
                return Ok((Op::Remove, None));
            }
            let octets = Octets::result(&made)?;
            let op = Op::PutFor(copied(octets.as_ref())?, ttl);
            Ok((op, Some(self.encoding.same(&made, octets.as_ref())?)))
        })
    }

    /// The value at `key`, or `default` after it was stored there.
    ///
    /// # Errors
    ///
    /// `TypeError`; as `decide`.
    pub(crate) fn set_default<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let octets = Octets::named("default", default)?;
        self.decide(key, |old| match old {
            Some(old) => Ok((Op::Keep, old)),
            None => {
                let op = Op::PutFor(copied(octets.as_ref())?, Ttl::Default);
                Ok((op, self.encoding.same(default, octets.as_ref())?))
            }
        })
    }

    /// Removes `key`; what its value was. What a read cannot give is not removed.
    ///
    /// # Errors
    ///
    /// As `decide`.
    pub(crate) fn take<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.decide(key, |old| Ok((Op::Remove, old)))
    }

    /// Does with `key` what `decide` says of the object that a read gives, and answers what it
    /// answers; it may run again when another writer wins. Nothing is pinned meanwhile, and Python
    /// code may run.
    ///
    /// # Errors
    ///
    /// What `decide` and the handler of a signal raise; `UnicodeDecodeError`, `MemoryError`; as
    /// `Store::call`. Nothing was changed then.
    fn decide<'py, R>(
        &self,
        key: &Bound<'py, PyAny>,
        mut decide: impl FnMut(Option<Bound<'py, PyAny>>) -> PyResult<(Op, R)>,
    ) -> PyResult<R> {
        let (py, key) = (key.py(), Octets::key(key)?);
        let (mut answer, mut is_again) = (None, false);
        guarded(|| {
            let engine = self.engine()?;
            engine.compute(&key, |old| {
                if mem::replace(&mut is_again, true) {
                    // It may never end, and be no Python code, which would look by itself.
                    py.check_signals()?;
                }
                let old = old.map(|old| self.encoding.object(py, old)).transpose();
                let old = old.map_err(|unreadable| unreadable.at(key.as_ref()))?;
                let (op, made) = decide(old)?;
                answer = Some(made);
                // It may have closed the store, or forked.
                self.engine()?;
                Ok::<_, Failure>(op)
            })
        })?;
        answer.ok_or_else(|| exception(&Error::Panic))
    }
}
