//! `rkv.Store`: the engine behind Python's names and the dict protocol.
//!
//! Closing sets a flag and empties the engine, which itself dies with the Python object. So a
//! call costs one load more than the engine's own, and no call ever waits for another.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::Borrowed;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use rkv::{Error, Ttl};

use crate::clock;
use crate::error::{exception, not_found};
use crate::figures;
use crate::iterate::{Items, Keys};
use crate::lifetime;
use crate::octets::{self, Octets, Prefix, to_bytes};
use crate::options::{self, Policy, integer};

/// LIMIT: up to here a batch takes some tens of microseconds. Releasing the interpreter costs as
/// much as a key or two, and taking it back may cost milliseconds while another thread is busy.
const KEYS_ATTACHED_MAX: usize = 512;

/// A concurrent key/value store in this process's memory.
///
/// Keys and values are str (stored as UTF-8) or bytes-like; reads return bytes. Any number of
/// threads may use one store. `shards` is a power of two from 1 to 64, `capacity` the number of
/// entries to make room for at once; both have good defaults.
///
/// With `max_entries` or `max_bytes`, the store never holds more. An entry counts the bytes of its
/// key and value, and rkv.ENTRY_BYTES. A full store removes what is least worth keeping, expired
/// keys first: a key that was used again since it came stays longer than one that was not. With
/// `eviction="reject"`, it removes expired keys only, else raises Full and changes nothing.
///
/// `default_ttl` is how long a key lives that is set without a word about it, as float seconds or
/// timedelta; None for ever. From its deadline on, a key does not exist for any call. Its memory
/// is given back by whoever meets it next, by advance and purge_expired, and bit by bit by calls
/// that give keys a time to live. With `maintenance`, a thread of the process does it when it is
/// due; Python 3.12 and later warn of any thread at os.fork. `clock` is a ManualClock, for tests.
#[pyclass(frozen, weakref, module = "rkv")]
pub(crate) struct Store {
    engine: rkv::Store,
    closed: AtomicBool,
}

impl Store {
    /// Runs one short engine call; the interpreter stays attached.
    ///
    /// # Errors
    ///
    /// `Closed`, `Forked`, `Panic`, and those of the call.
    #[inline]
    pub(crate) fn call<'s, R>(
        &'s self,
        work: impl FnOnce(&'s rkv::Store) -> rkv::Result<R>,
    ) -> PyResult<R> {
        self.guarded(work).map_err(|error| exception(&error))
    }

    /// Runs one engine call that may take long, with the interpreter released.
    ///
    /// # Errors
    ///
    /// As `call`.
    fn call_detached<R: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&rkv::Store) -> rkv::Result<R> + Send,
    ) -> PyResult<R> {
        py.detach(|| self.guarded(work)).map_err(|error| exception(&error))
    }

    /// Runs one engine call and answers in the engine's terms: no Python object is made.
    ///
    /// # Errors
    ///
    /// As `call`.
    #[inline]
    pub(crate) fn guarded<'s, R>(
        &'s self,
        work: impl FnOnce(&'s rkv::Store) -> rkv::Result<R>,
    ) -> rkv::Result<R> {
        guarded(|| {
            self.check()?;
            work(&self.engine)
        })
    }

    /// Whether the store is open, and this process's own.
    #[inline]
    fn check(&self) -> rkv::Result<()> {
        // Relaxed: the flag guards no memory; a call that misses it is one in flight at close.
        if self.closed.load(Ordering::Relaxed) { Err(Error::Closed) } else { self.engine.check() }
    }
}

/// Turns a panic of the engine into an error, so that no unwinding enters Python.
#[inline]
fn guarded<R>(work: impl FnOnce() -> rkv::Result<R>) -> rkv::Result<R> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Error::Panic))
}

#[pymethods]
impl Store {
    #[new]
    #[pyo3(
        signature = (
            *, shards=None, capacity=None, max_entries=None, max_bytes=None,
            eviction=Policy::DEFAULT, default_ttl=None, maintenance=false, clock=None
        ),
        text_signature = "(*, shards=None, capacity=None, max_entries=None, max_bytes=None, \
                          eviction='s3fifo', default_ttl=None, maintenance=False, clock=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "each option is an argument of its own")]
    fn new(
        shards: Option<&Bound<'_, PyAny>>,
        capacity: Option<&Bound<'_, PyAny>>,
        max_entries: Option<&Bound<'_, PyAny>>,
        max_bytes: Option<&Bound<'_, PyAny>>,
        eviction: Policy,
        default_ttl: Option<&Bound<'_, PyAny>>,
        maintenance: bool,
        clock: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut builder = rkv::Store::builder().maintenance(maintenance).eviction(eviction.0);
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
        let engine = guarded(|| builder.build()).map_err(|error| exception(&error))?;
        Ok(Store { engine, closed: AtomicBool::new(false) })
    }

    /// The value at key, or default.
    #[pyo3(signature = (key, default=None, /))]
    fn get<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.read(key)?.map(Bound::into_any).or(default))
    }

    /// The values at keys, in their order; None where a key does not exist.
    ///
    /// keys is any iterable of them. Costs less than as many calls of get, and each value is as at
    /// some moment of the call.
    #[pyo3(signature = (keys, /))]
    fn get_many<'py>(&self, keys: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let py = keys.py();
        let keys = octets::keys(keys)?;
        let keys = keys.iter().map(Octets::key).collect::<PyResult<Vec<_>>>()?;
        let keys: Vec<&[u8]> = keys.iter().map(AsRef::as_ref).collect();
        let read = |engine: &rkv::Store| Ok(engine.get_many(&keys));
        let values = match keys.len() {
            ..=KEYS_ATTACHED_MAX => self.call(read)?,
            _ => self.call_detached(py, read)?,
        };
        let list = PyList::empty(py);
        for value in &values {
            list.append(value.as_deref().map(|value| to_bytes(py, value)).transpose()?)?;
        }
        Ok(list)
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
        let ttl = ttl.map(lifetime::ttl).transpose()?;
        let (key, value) = (Octets::key(key)?, Octets::value(value)?);
        let done = self.call(|engine| match ttl {
            None => engine.set(key, value),
            Some(ttl) => engine.set_with(key, value, ttl),
        });
        done.map(drop)
    }

    /// Stores value at key if the key does not exist; True if it stored.
    #[pyo3(signature = (key, value, /))]
    fn set_if_absent(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        let (key, value) = (Octets::key(key)?, Octets::value(value)?);
        self.call(|engine| engine.set_if_absent(key, value))
    }

    /// Stores value at key if the key does not exist; True if it stored. Same as set_if_absent.
    #[pyo3(signature = (key, value, /))]
    fn add(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.set_if_absent(key, value)
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

    /// The keys that start with prefix, sorted bytewise.
    #[pyo3(signature = (prefix=Prefix::ALL, /), text_signature = "($self, prefix=b'', /)")]
    fn keys<'py>(&self, py: Python<'py>, prefix: Prefix<'_, 'py>) -> PyResult<Bound<'py, PyList>> {
        let prefix = prefix.as_ref();
        let keys = self.call_detached(py, |engine| Ok(engine.keys(prefix)))?;
        let list = PyList::empty(py);
        for key in &keys {
            list.append(to_bytes(py, key)?)?;
        }
        Ok(list)
    }

    /// Iterates over the (key, value) pairs whose key starts with prefix, in no order.
    ///
    /// Weakly consistent: a key that exists throughout comes exactly once, and the loop may
    /// change the store.
    #[pyo3(signature = (prefix=Prefix::ALL, /), text_signature = "($self, prefix=b'', /)")]
    fn scan(slf: Bound<'_, Self>, prefix: Prefix<'_, '_>) -> PyResult<Items> {
        Items::new(slf, prefix.as_ref())
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
        if self.closed.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let emptied = py.detach(|| guarded(|| self.engine.clear().map(drop)));
        match emptied {
            // What a child process inherited is not its own to free.
            Err(Error::Forked) => Ok(()),
            other => other.map_err(|error| exception(&error)),
        }
    }

    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
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
        match self.check() {
            Ok(()) => format!("<rkv.Store keys={}>", self.engine.count()),
            Err(Error::Closed) => "<rkv.Store closed>".to_owned(),
            Err(_) => "<rkv.Store forked>".to_owned(),
        }
    }

    fn __reduce__(&self) -> PyResult<()> {
        let reason = "cannot pickle rkv.Store: it lives in the memory of one process; \
                      pickle dict(store.scan()) instead";
        Err(PyTypeError::new_err(reason))
    }
}

impl Store {
    #[inline]
    fn read<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let py = key.py();
        let key = Octets::key(key)?;
        self.call(|engine| Ok(engine.get_with(key, |value| to_bytes(py, value))))?.transpose()
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
