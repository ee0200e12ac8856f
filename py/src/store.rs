//! `rkv.Store`: the engine behind Python's names and the dict protocol.
//!
//! Closing sets a flag and empties the engine, which itself dies with the Python object. So a
//! call costs one load more than the engine's own, and no call ever waits for another.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use rkv::Error;

use crate::encoding::Encoding;
use crate::error::exception;
use crate::octets::Octets;

/// A concurrent key/value store in this process's memory.
///
/// Keys and values are str (stored as UTF-8) or bytes-like; reads return bytes, or str with
/// `encoding="utf-8"`. A read of what is no UTF-8 raises UnicodeDecodeError then, and changes
/// nothing. Any number of threads may use one store. `shards` is a power of two from 1 to 64,
/// `capacity` the number of entries to make room for at once; both have good defaults.
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
#[pyclass(frozen, generic, weakref, module = "rkv")]
pub(crate) struct Store {
    engine: rkv::Store,
    closed: AtomicBool,
    /// What reads give.
    pub(crate) encoding: Encoding,
}

impl Store {
    /// Opens a store.
    ///
    /// # Errors
    ///
    /// `InvalidArgument`, `InvalidTtl`, `NoMemory`.
    pub(crate) fn open(options: rkv::StoreBuilder, encoding: Encoding) -> PyResult<Self> {
        let engine = guarded(|| options.build()).map_err(|error| exception(&error))?;
        Ok(Store { engine, closed: AtomicBool::new(false), encoding })
    }

    /// Closes the store and frees what it holds, once.
    ///
    /// # Errors
    ///
    /// `Panic`
    pub(crate) fn shut(&self, py: Python<'_>) -> PyResult<()> {
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

    /// What repr gives.
    pub(crate) fn shown(&self) -> String {
        match self.check() {
            Ok(()) => format!("<rkv.Store keys={}>", self.engine.count()),
            Err(Error::Closed) => "<rkv.Store closed>".to_owned(),
            Err(_) => "<rkv.Store forked>".to_owned(),
        }
    }

    /// The value at `key`.
    ///
    /// # Errors
    ///
    /// `TypeError`, `UnicodeDecodeError`, `MemoryError`; as `call`.
    #[inline]
    pub(crate) fn read<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (py, key) = (key.py(), Octets::key(key)?);
        let found =
            self.call(|engine| Ok(engine.get_with(&key, |value| self.encoding.object(py, value))))?;
        found.transpose().map_err(|unreadable| unreadable.at(key.as_ref()))
    }

    /// What a read gives for `octets`.
    ///
    /// # Errors
    ///
    /// `UnicodeDecodeError`, `MemoryError`.
    #[inline]
    pub(crate) fn object<'py>(
        &self,
        py: Python<'py>,
        octets: &[u8],
    ) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.encoding.object(py, octets)?)
    }

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
    pub(crate) fn call_detached<R: Send>(
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
        guarded(|| work(self.engine()?))
    }

    /// The engine, if the store is open, and this process's own.
    ///
    /// # Errors
    ///
    /// `Closed`, `Forked`.
    #[inline]
    pub(crate) fn engine(&self) -> rkv::Result<&rkv::Store> {
        self.check()?;
        Ok(&self.engine)
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
pub(crate) fn guarded<R, E: From<Error>>(work: impl FnOnce() -> Result<R, E>) -> Result<R, E> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Error::Panic.into()))
}
