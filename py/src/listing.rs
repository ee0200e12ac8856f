//! Lists of what a store holds, sorted by key.

use pyo3::prelude::*;
use pyo3::types::PyList;
use rkv::Value;

use crate::memory::list;
use crate::store::Store;

impl Store {
    /// The keys that start with `prefix`.
    ///
    /// # Errors
    ///
    /// `UnicodeDecodeError`, `MemoryError`; as `Store::call`.
    pub(crate) fn key_list<'py>(
        &self,
        py: Python<'py>,
        prefix: &[u8],
    ) -> PyResult<Bound<'py, PyList>> {
        let keys = self.call_detached(py, |engine| Ok(engine.keys(prefix)))?;
        list(py, keys.iter().map(|key| self.object(py, key)))
    }

    /// The values of the keys that start with `prefix`, in the order of the keys.
    ///
    /// # Errors
    ///
    /// As `key_list`.
    pub(crate) fn value_list<'py>(
        &self,
        py: Python<'py>,
        prefix: &[u8],
    ) -> PyResult<Bound<'py, PyList>> {
        let entries = self.sorted(py, prefix)?;
        list(py, entries.iter().map(|entry| self.encoding.value(py, entry)))
    }

    /// The pairs of the keys that start with `prefix`, in the order of the keys.
    ///
    /// # Errors
    ///
    /// As `key_list`.
    pub(crate) fn item_list<'py>(
        &self,
        py: Python<'py>,
        prefix: &[u8],
    ) -> PyResult<Bound<'py, PyList>> {
        let entries = self.sorted(py, prefix)?;
        list(py, entries.iter().map(|entry| self.encoding.item(py, entry)))
    }

    fn sorted(&self, py: Python<'_>, prefix: &[u8]) -> PyResult<Vec<Value>> {
        self.call_detached(py, |engine| {
            let mut entries: Vec<Value> = engine.scan(prefix).collect();
            entries.sort_unstable_by(|one, other| one.key().cmp(other.key()));
            Ok(entries)
        })
    }
}
