//! Many keys in one call: what Python hands over, as the engine takes it.
//!
//! Everything is converted before the engine is asked, so that a wrong item changes nothing. Keys
//! and values are borrowed from Python objects that cannot change, or copied: a long batch releases
//! the interpreter, and others may run meanwhile.

use std::cell::RefCell;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyList, PyString, PyTuple};
use rkv::{BatchError, Error, Ttl};

use crate::error::{exception, stopped, wrong_type};
use crate::octets::Octets;
use crate::store::{Store, guarded};

/// LIMIT: up to here a batch takes some tens of microseconds. Releasing the interpreter costs as
/// much as a key or two, and taking it back may cost milliseconds while another thread is busy.
const ATTACHED_MAX: usize = 512;

/// A key and a value.
type Pair<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

impl Store {
    /// The values at the keys of `argument`; `None` where there is none.
    ///
    /// # Errors
    ///
    /// As `keys`, `octets` and `Store::call`; `UnicodeDecodeError`, `MemoryError`.
    pub(crate) fn read_many<'py>(
        &self,
        argument: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = argument.py();
        let owner = keys(argument)?;
        let keys = octets(&owner)?;
        let (mut values, mut failure) = (Vec::with_capacity(keys.len()), None);
        let mut add = |value: Option<&[u8]>| {
            let object = value.map(|value| self.encoding.object(py, value)).transpose();
            values.push(object.unwrap_or_else(|unreadable| {
                failure.get_or_insert(unreadable);
                None
            }));
        };
        if keys.len() <= ATTACHED_MAX {
            self.call(|engine| {
                engine.get_many_with(&keys, |_, value| add(value));
                Ok(())
            })?;
        } else {
            let keys = slices(&keys);
            let found = self.call_detached(py, |engine| Ok(engine.get_many(&keys)))?;
            found.iter().for_each(|value| add(value.as_deref()));
        }
        match failure {
            Some(unreadable) => Err(unreadable.into()),
            None => PyList::new(py, values),
        }
    }

    /// Sets the keys of `pairs` to their values.
    ///
    /// # Errors
    ///
    /// As `Octets::key`, `Octets::value` and `change`.
    pub(crate) fn write_many(&self, py: Python<'_>, pairs: &[Pair<'_>], ttl: Ttl) -> PyResult<()> {
        let mut octets = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            octets.push((Octets::key(key)?, Octets::value(value)?));
        }
        let entries: Vec<(&[u8], &[u8])> =
            octets.iter().map(|(key, value)| (key.as_ref(), value.as_ref())).collect();
        self.change(py, pairs.len(), |engine| engine.set_many_with(&entries, ttl))
    }

    /// Removes the keys of `argument`; how many this call removed.
    ///
    /// # Errors
    ///
    /// As `keys`, `octets` and `change`.
    pub(crate) fn remove_many(&self, argument: &Bound<'_, PyAny>) -> PyResult<u64> {
        let owner = keys(argument)?;
        let keys = octets(&owner)?;
        let keys = slices(&keys);
        self.change(argument.py(), keys.len(), |engine| engine.delete_many(&keys))
    }

    /// Runs a change of `length` keys, with the interpreter released if they are many.
    ///
    /// # Errors
    ///
    /// As `Store::call`, with the number of keys that were dealt with.
    fn change<R: Send>(
        &self,
        py: Python<'_>,
        length: usize,
        work: impl FnOnce(&rkv::Store) -> Result<R, BatchError> + Send,
    ) -> PyResult<R> {
        let run = || guarded(|| work(self.engine()?));
        let done = if length <= ATTACHED_MAX { run() } else { py.detach(run) };
        done.map_err(|error| stopped(&error))
    }
}

/// The argument `keys`: any iterable of keys but a `str`, which would be one of its characters.
///
/// # Errors
///
/// `TypeError` for what is no such iterable, and what iterating raises. The keys themselves are not
/// looked at yet.
fn keys<'py>(argument: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    if let Ok(list) = argument.cast_exact::<PyList>() {
        return Ok(list.iter().collect());
    }
    elements(argument, "keys", "an iterable of str or bytes-like")?.collect()
}

/// The bytes of keys.
///
/// # Errors
///
/// As `Octets::key`.
fn octets<'a, 'py>(keys: &'a [Bound<'py, PyAny>]) -> PyResult<Vec<Octets<'a, 'py>>> {
    let mut octets = Vec::with_capacity(keys.len());
    for key in keys {
        octets.push(Octets::key(key)?);
    }
    Ok(octets)
}

fn slices<'a>(octets: &'a [Octets<'_, '_>]) -> Vec<&'a [u8]> {
    octets.iter().map(AsRef::as_ref).collect()
}

/// The argument `name`: a mapping, or any iterable of pairs, as `dict` takes it.
///
/// # Errors
///
/// `TypeError` for what is neither, `InvalidArgument` for an item that is no pair, and what the
/// argument raises. Keys and values themselves are not looked at yet.
pub(crate) fn pairs<'py>(
    name: &'static str,
    argument: &Bound<'py, PyAny>,
) -> PyResult<Vec<Pair<'py>>> {
    let mut pairs = Vec::new();
    if let Ok(dict) = argument.cast_exact::<PyDict>() {
        let found = RefCell::new(Vec::with_capacity(dict.len()));
        dict.locked_for_each(|key, value| {
            found.borrow_mut().push((key, value));
            Ok(())
        })?;
        pairs = found.into_inner();
    } else if let Some(keys) = argument.getattr_opt("keys")? {
        for key in keys.call0()?.try_iter()? {
            let key = key?;
            let value = argument.get_item(&key)?;
            pairs.push((key, value));
        }
    } else {
        for item in elements(argument, name, "a mapping or an iterable of pairs")? {
            pairs.push(pair(name, &item?)?);
        }
    }
    Ok(pairs)
}

fn pair<'py>(name: &'static str, item: &Bound<'py, PyAny>) -> PyResult<Pair<'py>> {
    if let Ok(tuple) = item.cast_exact::<PyTuple>()
        && tuple.len() == 2
    {
        return Ok((tuple.get_item(0)?, tuple.get_item(1)?));
    }
    let mut parts = elements(item, &format!("each of {name}"), "a pair of key and value")?;
    match (parts.next().transpose()?, parts.next().transpose()?, parts.next().transpose()?) {
        (Some(key), Some(value), None) => Ok((key, value)),
        _ => {
            let reason = "each must be a pair of key and value";
            Err(exception(&Error::InvalidArgument { name, reason }))
        }
    }
}

/// The elements of an argument that is any iterable but a `str`.
///
/// # Errors
///
/// `TypeError`, and what the argument raises.
fn elements<'py>(
    argument: &Bound<'py, PyAny>,
    name: &str,
    wanted: &str,
) -> PyResult<Bound<'py, PyIterator>> {
    if argument.is_instance_of::<PyString>() {
        return Err(wrong_type(name, wanted, argument));
    }
    argument.try_iter().map_err(|error| {
        let is_none = error.is_instance_of::<PyTypeError>(argument.py());
        if is_none { wrong_type(name, wanted, argument) } else { error }
    })
}
