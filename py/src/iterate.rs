//! Iterators over a store: the engine's own scan, beside the Python store that it reads.
//!
//! Nothing is pinned between two items, so a loop may take all day and change the store.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::PyTuple;
use rkv::{Scan, Value};
use self_cell::self_cell;

use crate::encoding::Encoding;
use crate::error::exception;
use crate::store::Store;

self_cell!(
    /// A scan, and the store that it reads.
    struct OwnedScan {
        owner: Py<Store>,
        #[covariant]
        dependent: Scan,
    }
);

/// Where an iteration stands. Threads may share one: each item goes to one of them.
struct Cursor {
    /// `None` when the iteration has ended.
    scan: Mutex<Option<OwnedScan>>,
    encoding: Encoding,
}

impl Cursor {
    fn new(store: Bound<'_, Store>, prefix: &[u8]) -> PyResult<Self> {
        let encoding = store.get().encoding;
        let scan = OwnedScan::try_new(store.unbind(), |store| {
            store.get().call(|engine| Ok(engine.scan(prefix)))
        })?;
        Ok(Cursor { scan: Mutex::new(Some(scan)), encoding })
    }

    /// The next entry, or `None` at the end.
    ///
    /// # Errors
    ///
    /// As `Store::call`.
    fn next(&self, py: Python<'_>) -> PyResult<Option<Value>> {
        let mut slot = self.scan.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        let Some(scan) = slot.as_mut() else {
            return Ok(None);
        };
        let next = scan.with_dependent_mut(|store, scan| store.get().guarded(|_| Ok(scan.next())));
        // An iterator that is kept after its end keeps no store.
        let ended = if matches!(next, Ok(None)) { slot.take() } else { None };
        // Both dropping a store and making an exception may run Python code, which may ask this
        // very iterator: not under the lock.
        drop(slot);
        drop(ended);
        next.map_err(|error| exception(&error))
    }
}

/// Iterator over the keys of a store.
#[pyclass(frozen, module = "rkv")]
pub(crate) struct Keys(Cursor);

impl Keys {
    pub(crate) fn new(store: Bound<'_, Store>) -> PyResult<Self> {
        Cursor::new(store, b"").map(Keys)
    }
}

#[pymethods]
impl Keys {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(entry) = self.0.next(py)? else {
            return Ok(None);
        };
        Ok(Some(self.0.encoding.object(py, entry.key())?))
    }
}

/// Iterator over the (key, value) pairs of a store.
#[pyclass(frozen, module = "rkv")]
pub(crate) struct Items(Cursor);

impl Items {
    pub(crate) fn new(store: Bound<'_, Store>, prefix: &[u8]) -> PyResult<Self> {
        Cursor::new(store, prefix).map(Items)
    }
}

#[pymethods]
impl Items {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        self.0.next(py)?.map(|entry| self.0.encoding.item(py, &entry)).transpose()
    }
}
