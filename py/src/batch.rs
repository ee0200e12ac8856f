//! Many keys in one call: what Python hands over, as the engine takes it.
//!
//! Everything is converted before the engine is asked, so that a wrong item changes nothing. Keys
//! and values are borrowed from Python objects that cannot change, or copied: a long batch releases
//! the interpreter, and others may run meanwhile.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use rkv::{BatchError, Error, Ttl};

use crate::error::{exception, instead, stopped, wrong_type};
use crate::memory::{list, vector};
use crate::octets::Octets;
use crate::store::{Store, guarded};

/// LIMIT: up to here a batch takes some tens of microseconds. Releasing the interpreter costs as
/// much as a key or two, and taking it back may cost milliseconds while another thread is busy.
const ATTACHED_MAX: usize = 512;

const PAIR: &str = "a pair of key and value";

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
        let owner = keys(argument)?;
        let keys = octets(&owner)?;
        if keys.len() <= ATTACHED_MAX {
            return self.read_few(argument.py(), &keys);
        }
        let (py, keys) = (argument.py(), slices(&keys)?);
        let found = self.call_detached(py, |engine| Ok(engine.get_many(&keys)))?;
        let objects = found.iter().zip(&keys).map(|(value, key)| {
            let object = value.as_deref().map(|value| self.encoding.object(py, value));
            object.transpose().map_err(|unreadable| unreadable.at(key))
        });
        list(py, objects)
    }

    /// The values at no more than `ATTACHED_MAX` keys.
    ///
    /// # Errors
    ///
    /// As `read_many`.
    fn read_few<'py>(
        &self,
        py: Python<'py>,
        keys: &[Octets<'_, 'py>],
    ) -> PyResult<Bound<'py, PyList>> {
        let (mut values, mut failure) = (vector(keys.len())?, None);
        self.call(|engine| {
            engine.get_many_with(keys, |index, value| {
                let object = value.map(|value| self.encoding.object(py, value)).transpose();
                values.push(object.unwrap_or_else(|unreadable| {
                    failure.get_or_insert((index, unreadable));
                    None
                }));
            });
            Ok(())
        })?;
        match failure {
            Some((index, unreadable)) => Err(unreadable.at(keys[index].as_ref())),
            None => PyList::new(py, values),
        }
    }

    /// Sets the keys of `pairs` to their values.
    ///
    /// # Errors
    ///
    /// As `Octets::key`, `Octets::value` and `change`.
    pub(crate) fn write_many(&self, py: Python<'_>, pairs: &[Pair<'_>], ttl: Ttl) -> PyResult<()> {
        let mut octets = vector(pairs.len())?;
        for (key, value) in pairs {
            octets.push((Octets::key(key)?, Octets::value(value)?));
        }
        let mut entries: Vec<(&[u8], &[u8])> = vector(octets.len())?;
        entries.extend(octets.iter().map(|(key, value)| (key.as_ref(), value.as_ref())));
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
        let keys = slices(&keys)?;
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
    let list = elements(argument, "keys", "an iterable of str or bytes-like")?;
    let mut keys = vector(list.len())?;
    // Somebody else may make it longer meanwhile.
    keys.extend(list.iter().take(keys.capacity()));
    Ok(keys)
}

/// The bytes of keys.
///
/// # Errors
///
/// As `Octets::key`.
fn octets<'a, 'py>(keys: &'a [Bound<'py, PyAny>]) -> PyResult<Vec<Octets<'a, 'py>>> {
    let mut octets = vector(keys.len())?;
    for key in keys {
        octets.push(Octets::key(key)?);
    }
    Ok(octets)
}

fn slices<'a>(octets: &'a [Octets<'_, '_>]) -> PyResult<Vec<&'a [u8]>> {
    let mut slices = vector(octets.len())?;
    slices.extend(octets.iter().map(AsRef::as_ref));
    Ok(slices)
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
    if let Ok(dict) = argument.cast_exact::<PyDict>() {
        // Nobody else can change the copy, which is made in one step.
        let dict = dict.copy()?;
        let mut pairs = vector(dict.len())?;
        pairs.extend(dict.iter());
        return Ok(pairs);
    }
    let is_mapping = argument.getattr_opt("keys")?;
    let items = match &is_mapping {
        Some(keys) => collected(&keys.call0()?)?,
        None => elements(argument, name, "a mapping or an iterable of pairs")?,
    };
    let mut pairs = vector(items.len())?;
    for item in items.iter().take(pairs.capacity()) {
        pairs.push(match is_mapping {
            Some(_) => (item.clone(), argument.get_item(item)?),
            None => pair(name, &item)?,
        });
    }
    Ok(pairs)
}

fn pair<'py>(name: &'static str, item: &Bound<'py, PyAny>) -> PyResult<Pair<'py>> {
    if let Ok(tuple) = item.cast_exact::<PyTuple>()
        && tuple.len() == 2
    {
        return Ok((tuple.get_item(0)?, tuple.get_item(1)?));
    }
    if item.is_instance_of::<PyString>() {
        return Err(wrong_type(&format!("each of {name}"), PAIR, item));
    }
    let parts = item.try_iter();
    let mut parts =
        parts.map_err(|error| instead(error, &format!("each of {name}"), PAIR, item))?;
    match (parts.next().transpose()?, parts.next().transpose()?, parts.next().transpose()?) {
        (Some(key), Some(value), None) => Ok((key, value)),
        _ => {
            let reason = "each must be a pair of key and value";
            Err(exception(&Error::InvalidArgument { name, reason }))
        }
    }
}

/// The elements of an argument that is any iterable but a `str`; a list is given as it is.
///
/// # Errors
///
/// `TypeError`, `MemoryError`, and what the argument raises.
fn elements<'py>(
    argument: &Bound<'py, PyAny>,
    name: &str,
    wanted: &str,
) -> PyResult<Bound<'py, PyList>> {
    if let Ok(list) = argument.cast_exact::<PyList>() {
        return Ok(list.clone());
    }
    if argument.is_instance_of::<PyString>() {
        return Err(wrong_type(name, wanted, argument));
    }
    collected(argument).map_err(|error| {
        let is_iterable = argument.try_iter().is_ok();
        if is_iterable { error } else { instead(error, name, wanted, argument) }
    })
}

/// A list of what iterating gives, which Python itself makes: it may have no end.
///
/// # Errors
///
/// `MemoryError`, and what iterating raises.
fn collected<'py>(iterable: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    Ok(iterable.py().get_type::<PyList>().call1((iterable,))?.cast_into()?)
}
