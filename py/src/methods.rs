//! The methods of `rkv.Store`: Python's names, arguments and documentation.

use pyo3::Borrowed;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};
use rkv::{Error, Ttl};

use crate::batch;
use crate::clock;
use crate::encoding::Encoding;
use crate::error::{empty, not_found};
use crate::figures;
use crate::iterate::{Items, Keys};
use crate::lifetime;
use crate::mapping::Given;
use crate::octets::{Octets, Prefix};
use crate::options::{self, Maintenance, Policy, integer};
use crate::store::Store;
use crate::value::Value;

#[pymethods]
impl Store {
    #[new]
    #[pyo3(
        signature = (
            *, shards=None, capacity=None, max_entries=None, max_bytes=None,
            eviction=Policy::DEFAULT, default_ttl=None, maintenance=Maintenance(false), clock=None,
            encoding=Encoding::None
        ),
        text_signature = "(*, shards=None, capacity=None, max_entries=None, max_bytes=None, \
                          eviction='s3fifo', default_ttl=None, maintenance=False, clock=None, \
                          encoding=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "each option is an argument of its own")]
    fn new(
        shards: Option<&Bound<'_, PyAny>>,
        capacity: Option<&Bound<'_, PyAny>>,
        max_entries: Option<&Bound<'_, PyAny>>,
        max_bytes: Option<&Bound<'_, PyAny>>,
        eviction: Policy,
        default_ttl: Option<&Bound<'_, PyAny>>,
        maintenance: Maintenance,
        clock: Option<&Bound<'_, PyAny>>,
        encoding: Encoding,
    ) -> PyResult<Self> {
        let mut builder = rkv::Store::builder().maintenance(maintenance.0).eviction(eviction.0);
        if let Some(shards) = shards {
            builder = builder.shards(options::size("shards", shards)?);
        }
        if let Some(capacity) = capacity {
            builder = builder.capacity(options::size("capacity", capacity)?);
        }
        if let Some(entries) = max_entries {
            builder = builder.max_entries(options::bound("max_entries", entries)?);
        }
        if let Some(bytes) = max_bytes {
            builder = builder.max_bytes(options::bound("max_bytes", bytes)?);
        }
        if let Some(ttl) = default_ttl {
            builder = builder.default_ttl(lifetime::span("default_ttl", ttl)?);
        }
        if let Some(clock) = clock {
            builder = builder.clock(clock::option(clock)?);
        }
        Store::open(builder, encoding)
    }

    /// The value at key, or default.
    #[pyo3(signature = (key, default=None, /))]
    fn get<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.read(key)?.or_else(|| default.cloned()))
    }

    /// The values at keys, in their order; None where a key does not exist.
    ///
    /// keys is any iterable of them. Costs less than as many calls of get, and each value is as at
    /// some moment of the call.
    #[pyo3(signature = (keys, /))]
    fn get_many<'py>(&self, keys: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        self.read_many(keys)
    }

    /// Stores value at key, whether or not the key exists, to live for ttl from now on.
    ///
    /// ttl is float seconds (math.inf for ever), a timedelta, rkv.KEEP for what the key still has,
    /// or None for the store's default_ttl.
    #[pyo3(signature = (key, value, /, *, ttl=None))]
    fn set(
        &self,
        key: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
        ttl: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let ttl = lifetime::optional(ttl)?;
        let (key, value) = (Octets::key(key)?, Octets::value(value)?);
        let done = self.call(|engine| match ttl {
            Ttl::Default => engine.set(key, value),
            ttl => engine.set_with(key, value, ttl),
        });
        done.map(drop)
    }

    /// Stores value at key if the key does not exist; True if it stored. ttl as for set.
    ///
    /// With a ttl it is a lease: who stores it has it until the time is over.
    #[pyo3(signature = (key, value, /, *, ttl=None))]
    fn set_if_absent(
        &self,
        key: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
        ttl: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        let ttl = lifetime::optional(ttl)?;
        let (key, value) = (Octets::key(key)?, Octets::value(value)?);
        self.call(|engine| engine.set_if_absent_with(key, value, ttl))
    }

    /// Stores value at key if the key does not exist; True if it stored. Same as set_if_absent.
    #[pyo3(signature = (key, value, /, *, ttl=None))]
    fn add(
        &self,
        key: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
        ttl: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        self.set_if_absent(key, value, ttl)
    }

    /// Stores value at key if the key stands at exactly this version; the new version.
    ///
    /// None, or 0, is the version of a key that does not exist. Raises Conflict if another stands
    /// there: its attribute current is that version, None if the key does not exist. view gives
    /// versions. The key keeps the time to live that it has; a new one has the store's default_ttl.
    #[pyo3(signature = (key, version, value, /))]
    fn compare_and_swap(
        &self,
        key: &Bound<'_, PyAny>,
        version: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<u64> {
        let version = options::version(version)?;
        let (key, value) = (Octets::key(key)?, Octets::value(value)?);
        self.call(|engine| engine.compare_and_swap(key, version, value))
    }

    /// Does with key what fn says, atomically; the value that stands there then, None if none.
    ///
    /// fn is called with the value, None if the key does not exist. It returns the new one,
    /// rkv.DELETE to remove the key, or rkv.KEEP to change nothing. When another writer came first
    /// it is called again, with what stands there now. It may use the store, and nobody waits for
    /// it. If it changes key itself, it is called again too: for ever, if it does so each time.
    /// What it raises comes out of compute, and nothing is changed. ttl is how long a new value
    /// lives, as for set; rkv.KEEP if it is left out, which is the default for a new key.
    #[pyo3(
        signature = (key, r#fn, /, *, ttl=Given::NOT),
        text_signature = "($self, key, fn, /, *, ttl=...)"
    )]
    fn compute<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        r#fn: &Bound<'py, PyAny>,
        ttl: Given<'py>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.compute_with(key, r#fn, ttl)
    }

    /// Stores all values at their keys, in order, to live for ttl from now on, as for set.
    ///
    /// items is a mapping or an iterable of pairs. All are converted before the first is stored.
    /// Each key changes atomically, all together do not. If an error stops it half-way, its
    /// attribute done is how many of the first items were stored.
    #[pyo3(signature = (items, /, *, ttl=None))]
    fn set_many(&self, items: &Bound<'_, PyAny>, ttl: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let ttl = lifetime::optional(ttl)?;
        self.write_many(items.py(), &batch::pairs("items", items)?, ttl)
    }

    /// Removes keys, any iterable of them; how many of them this call removed.
    ///
    /// Each is removed atomically, all together are not.
    #[pyo3(signature = (keys, /))]
    fn delete_many(&self, keys: &Bound<'_, PyAny>) -> PyResult<u64> {
        self.remove_many(keys)
    }

    /// Removes key; True if it existed.
    #[pyo3(signature = (key, /))]
    fn delete(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let key = Octets::key(key)?;
        self.call(|engine| engine.delete(key)).map(|old| old.is_some())
    }

    /// True if key exists.
    #[pyo3(signature = (key, /))]
    fn contains(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let key = Octets::key(key)?;
        self.call(|engine| Ok(engine.contains(key)))
    }

    /// Adds by to the decimal text at key, atomically; the new number. A missing key counts as 0.
    #[pyo3(signature = (key, /, by=Step(1)), text_signature = "($self, key, /, by=1)")]
    fn incr(&self, key: &Bound<'_, PyAny>, by: Step) -> PyResult<i64> {
        let key = Octets::key(key)?;
        self.call(|engine| engine.incr(key, by.0))
    }

    /// How many seconds key has still to live: math.inf for ever, None if it does not exist.
    #[pyo3(signature = (key, /))]
    fn ttl(&self, key: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
        let key = Octets::key(key)?;
        self.call(|engine| Ok(engine.ttl(key).map(lifetime::left)))
    }

    /// Lets key live for ttl from now on, float seconds or a timedelta; True if it exists.
    ///
    /// Costs as much as to set the value anew.
    #[pyo3(signature = (key, ttl, /))]
    fn expire(&self, key: &Bound<'_, PyAny>, ttl: &Bound<'_, PyAny>) -> PyResult<bool> {
        let ttl = lifetime::span("ttl", ttl)?;
        let key = Octets::key(key)?;
        self.call(|engine| engine.expire(key, Ttl::After(ttl)))
    }

    /// Lets key live for ever; True if it exists.
    #[pyo3(signature = (key, /))]
    fn persist(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let key = Octets::key(key)?;
        self.call(|engine| engine.persist(key))
    }

    /// Lets key live for ttl from now on, if it is to live as long as it is used; True if it
    /// exists.
    ///
    /// Changes nothing, at little cost, while more than seven eighths of ttl are left, or the key
    /// lives for ever. ttl is float seconds or a timedelta.
    #[pyo3(signature = (key, ttl, /))]
    fn touch(&self, key: &Bound<'_, PyAny>, ttl: &Bound<'_, PyAny>) -> PyResult<bool> {
        let ttl = lifetime::span("ttl", ttl)?;
        let key = Octets::key(key)?;
        self.call(|engine| engine.touch(key, ttl))
    }

    /// Removes all keys whose deadline has passed; how many this call removed.
    fn purge_expired(&self, py: Python<'_>) -> PyResult<u64> {
        self.call_detached(py, rkv::Store::purge_expired)
    }

    /// Removes keys whose deadline has passed, for some milliseconds at most.
    ///
    /// In how many seconds to call it again: 0.0 if more is due now, None if there is no need
    /// before another key is given a time to live.
    fn advance(&self, py: Python<'_>) -> PyResult<Option<f64>> {
        let wait = self.call_detached(py, rkv::Store::advance)?;
        Ok(wait.map(|wait| wait.as_secs_f64()))
    }

    /// Number of keys; exact when no write is in flight. Same as len.
    fn count(&self) -> PyResult<u64> {
        self.call(|engine| Ok(engine.count()))
    }

    /// A list of the keys that start with prefix, sorted bytewise.
    ///
    /// Weakly consistent, as scan.
    #[pyo3(signature = (prefix=Prefix::ALL, /), text_signature = "($self, prefix=b'', /)")]
    fn keys<'py>(&self, py: Python<'py>, prefix: Prefix) -> PyResult<Bound<'py, PyList>> {
        self.key_list(py, prefix.as_ref())
    }

    /// A list of the values of the keys that start with prefix, in the order of keys.
    #[pyo3(signature = (prefix=Prefix::ALL, /), text_signature = "($self, prefix=b'', /)")]
    fn values<'py>(&self, py: Python<'py>, prefix: Prefix) -> PyResult<Bound<'py, PyList>> {
        self.value_list(py, prefix.as_ref())
    }

    /// A list of the (key, value) pairs whose key starts with prefix, sorted by key.
    #[pyo3(signature = (prefix=Prefix::ALL, /), text_signature = "($self, prefix=b'', /)")]
    fn items<'py>(&self, py: Python<'py>, prefix: Prefix) -> PyResult<Bound<'py, PyList>> {
        self.item_list(py, prefix.as_ref())
    }

    /// Iterates over the (key, value) pairs whose key starts with prefix, in no order.
    ///
    /// Weakly consistent: a key that exists throughout comes exactly once, and the loop may
    /// change the store.
    #[pyo3(signature = (prefix=Prefix::ALL, /), text_signature = "($self, prefix=b'', /)")]
    fn scan(slf: Bound<'_, Self>, prefix: Prefix) -> PyResult<Items> {
        Items::new(slf, prefix.as_ref())
    }

    /// Removes key and gives its value; default if it does not exist, else KeyError.
    ///
    /// Atomic: of several threads, one gets the value.
    #[pyo3(
        signature = (key, default=Given::NOT, /),
        text_signature = "($self, key, default=..., /)"
    )]
    fn pop<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: Given<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.take(key)?.or(default.0).ok_or_else(|| not_found(key))
    }

    /// Removes some key, whichever, and gives it with its value; KeyError if the store is empty.
    ///
    /// Atomic: of several threads, each gets another key. With an encoding, an entry that is no
    /// UTF-8 raises UnicodeDecodeError and stays, and may come again: delete its key, which a note
    /// of the error says, or which is the error's object if it is the key that is no UTF-8.
    fn popitem<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.take_any(py)?.ok_or_else(|| empty(py))
    }

    /// The value at key; if it does not exist, default is stored there, and is the value.
    ///
    /// Atomic: of several threads, one stores its default, and all get that.
    #[pyo3(signature = (key, default, /))]
    fn setdefault<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.set_default(key, default)
    }

    /// Stores what a mapping or an iterable of pairs says, then what keywords say, as set_many.
    #[pyo3(signature = (other=Given::NOT, /, **kw), text_signature = "($self, other=(), /, **kw)")]
    fn update<'py>(
        &self,
        py: Python<'py>,
        other: Given<'py>,
        kw: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<()> {
        self.set_all(py, other, kw)
    }

    /// The value at key as an rkv.Value: without a copy, and with its version; None if it does not
    /// exist.
    #[pyo3(signature = (key, /))]
    fn view(&self, key: &Bound<'_, PyAny>) -> PyResult<Option<Value>> {
        let key = Octets::key(key)?;
        self.call(|engine| Ok(engine.get(key).map(Value::new)))
    }

    /// Removes every key; how many this call removed.
    fn clear(&self, py: Python<'_>) -> PyResult<u64> {
        self.call_detached(py, rkv::Store::clear)
    }

    /// Figures of the entries, of what became of them, of the table and of memory reclamation.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = self.call(|engine| Ok(engine.stats()))?;
        figures::dict(py, &stats)
    }

    /// Closes the store and frees what it holds. Calls in flight finish, later ones raise Closed;
    /// closing again is fine.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.shut(py)
    }

    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.read(key)?.ok_or_else(|| not_found(key))
    }

    fn __setitem__(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.set(key, value, None)
    }

    fn __delitem__(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        if self.delete(key)? { Ok(()) } else { Err(not_found(key)) }
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.contains(key)
    }

    fn __len__(&self) -> PyResult<usize> {
        self.call(|engine| Ok(engine.count() as usize))
    }

    fn __bool__(&self) -> PyResult<bool> {
        self.call(|engine| Ok(!engine.is_empty()))
    }

    fn __iter__(slf: Bound<'_, Self>) -> PyResult<Keys> {
        Keys::new(slf)
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        slf.get().call(|_| Ok(()))?;
        Ok(slf)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) -> PyResult<()> {
        self.close(py)
    }

    fn __repr__(&self) -> String {
        self.shown()
    }

    fn __reduce__(&self) -> PyResult<()> {
        let reason = "cannot pickle rkv.Store: it lives in the memory of one process; \
                      pickle dict(store.scan()) instead";
        Err(PyTypeError::new_err(reason))
    }
}
/// The argument `by` of `incr`.
struct Step(i64);

impl FromPyObject<'_, '_> for Step {
    type Error = PyErr;

    fn extract(argument: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        integer("by", &argument, || Error::Overflow).map(Step)
    }
}
