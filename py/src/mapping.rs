//! What a dict can do and a store cannot: `popitem`, `update`, and arguments that may be missing.

use pyo3::Borrowed;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use rkv::{Computed, Error, Op, Ttl};

use crate::batch::pairs;
use crate::error::exception;
use crate::store::Store;

/// An argument that may be left out, where None would be one.
pub(crate) struct Given<'py>(pub(crate) Option<Bound<'py, PyAny>>);

impl Given<'_> {
    pub(crate) const NOT: Self = Given(None);
}

impl<'py> FromPyObject<'_, 'py> for Given<'py> {
    type Error = PyErr;

    fn extract(argument: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Given(Some(argument.to_owned())))
    }
}

impl Store {
    /// Removes some entry and gives it; `None` if the store is empty. What a read cannot give is
    /// not removed.
    ///
    /// # Errors
    ///
    /// `UnicodeDecodeError`, `MemoryError`; as `Store::call`.
    pub(crate) fn take_any<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        while let Some(found) = self.call(|engine| Ok(engine.any()))? {
            let item = self.encoding.item(py, &found)?;
            let removed = self.call(|engine| {
                engine.compute(found.key(), |now| {
                    let same = now.is_some_and(|now| now.version() == found.version());
                    Ok::<_, Error>(if same { Op::Remove } else { Op::Keep })
                })
            })?;
            if matches!(removed, Computed::Removed(_)) {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    /// Sets what a mapping or an iterable of pairs says, and then what keywords say.
    ///
    /// # Errors
    ///
    /// As `pairs` and `write_many`.
    pub(crate) fn set_all(
        &self,
        py: Python<'_>,
        other: Given<'_>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let mut all = match other {
            Given(Some(other)) => pairs("other", &other)?,
            Given(None) => Vec::new(),
        };
        if let Some(keywords) = keywords {
            let mut last = pairs("kw", keywords)?;
            all.try_reserve_exact(last.len()).map_err(|_| exception(&Error::NoMemory))?;
            all.append(&mut last);
        }
        self.write_many(py, &all, Ttl::Default)
    }
}
