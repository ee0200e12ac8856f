//! Atomic changes that depend on what stands there.

use super::mortal::Mortals;
use super::outgoing::Outgoing;
use super::record::{Draft, Entry};
use super::{Store, Ttl, Value};
use crate::epoch;
use crate::error::{Error, Result};
use crate::table::{Change, Decision};

/// What a [`compute`](Store::compute) closure wants done with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Set the key to this value. It lives as long as it did, or by default if it is new.
    Put(Vec<u8>),
    /// Set the key to this value, with another time to live.
    PutFor(Vec<u8>, Ttl),
    /// Remove the key.
    Remove,
    /// Change nothing.
    Keep,
}

/// What a [`compute`](Store::compute) did.
#[derive(Debug, Clone)]
pub enum Computed {
    /// The key was absent and has this value.
    Created(Value),
    /// The key has another value.
    Updated {
        /// The value that was replaced.
        old: Value,
        /// The value that stands now.
        new: Value,
    },
    /// The key is gone; this was its value.
    Removed(Value),
    /// Nothing was changed; what stands there.
    Kept(Option<Value>),
}

impl Store {
    /// Adds `by` to the number that a key holds as decimal text; the sum. An absent key counts as
    /// 0.
    ///
    /// # Errors
    ///
    /// `NotANumber` when the value is not a decimal integer of 64 bits, `Overflow` when the sum is
    /// none; else as for [`set`](Self::set). Nothing was changed then.
    pub fn incr(&self, key: impl AsRef<[u8]>, by: i64) -> Result<i64> {
        self.check()?;
        let key = self.engine.key_ahead(key.as_ref());
        let guard = epoch::pin();
        let make = |sum| {
            let draft = Draft::new(key.bytes, itoa::Buffer::new().format(sum).as_bytes())?;
            Ok((sum, Outgoing::new(draft, self.engine.until_kept())))
        };
        let mut made = Err(Error::NoMemory);
        let change = self.engine.write(&guard, key, |seen, attempt| {
            made = add(seen.live(), by).and_then(make);
            match &mut made {
                Ok((_, outgoing)) => self.engine.put(outgoing, seen, key.hash, attempt),
                Err(_) => Decision::Keep,
            }
        })?;
        let (sum, outgoing) = made?;
        if !matches!(change, Change::Kept(_)) {
            let is_created = matches!(change, Change::Created);
            self.engine.published(&guard, outgoing, key.hash, is_created);
        }
        Ok(sum)
    }

    /// Sets a key to a value if it stands at exactly `version`, 0 for a key that is absent; the new
    /// version. It lives as long as it did, or by default if it is new.
    ///
    /// # Errors
    ///
    /// `Conflict` with the version that stands there, if another does; else as for
    /// [`set`](Self::set). Nothing was changed then.
    pub fn compare_and_swap(
        &self,
        key: impl AsRef<[u8]>,
        version: u64,
        value: impl AsRef<[u8]>,
    ) -> Result<u64> {
        self.check()?;
        let key = self.engine.key_ahead(key.as_ref());
        let draft = Draft::new(key.bytes, value.as_ref())?;
        let mut outgoing = Outgoing::new(draft, self.engine.until_kept());
        let guard = epoch::pin();
        let mut next = 0;
        let change = self.engine.write(&guard, key, |seen, attempt| {
            if seen.live().map_or(0, Entry::version) != version {
                return Decision::Keep;
            }
            next = self.engine.next_version(seen, key.hash);
            self.engine.put_as(&mut outgoing, seen, next, attempt)
        })?;
        match change {
            Change::Kept(found) => Err(Error::Conflict { current: found.map(Entry::version) }),
            Change::Created | Change::Replaced(_) | Change::Removed(_) => {
                self.engine.published(&guard, outgoing, key.hash, version == 0);
                Ok(next)
            }
        }
    }

    /// Does with a key what `f` wants, atomically, whatever stands there.
    ///
    /// `f` is given the current value, or `None`, and may run again when another writer wins: it
    /// sees the value that its wish is applied to. It runs with no lock held and nothing pinned,
    /// and may use the store. When it panics, nothing was changed.
    ///
    /// ```
    /// use rkv::{Error, Op};
    /// let store = rkv::Store::new();
    /// store.compute("list", |old| {
    ///     let mut list = old.map_or(Vec::new(), |old| old.to_vec());
    ///     list.extend(b"x,");
    ///     Ok::<_, Error>(Op::Put(list))
    /// })?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What `f` returns as an error, untouched; else as for [`set`](Self::set). Nothing was
    /// changed.
    pub fn compute<E: From<Error>>(
        &self,
        key: impl AsRef<[u8]>,
        mut f: impl FnMut(Option<&Value>) -> Result<Op, E>,
    ) -> Result<Computed, E> {
        self.check()?;
        let key = key.as_ref();
        loop {
            let old = self.get(key);
            let put = match f(old.as_ref())? {
                Op::Keep => return Ok(Computed::Kept(old)),
                Op::Remove => None,
                Op::Put(value) => self.outgoing(key, &value, Ttl::Keep)?,
                Op::PutFor(value, ttl) => self.outgoing(key, &value, ttl)?,
            };
            if put.is_none() && old.is_none() {
                return Ok(Computed::Kept(None));
            }
            if let Some(computed) = self.apply(key, old, put)? {
                return Ok(computed);
            }
        }
    }

    /// Replaces the value of a key that exists by what `f` makes of it; the new value. `f` may run
    /// again, as in [`compute`](Self::compute).
    ///
    /// # Errors
    ///
    /// `NotFound` when the key is absent; else as for [`set`](Self::set).
    pub fn update(
        &self,
        key: impl AsRef<[u8]>,
        mut f: impl FnMut(&Value) -> Vec<u8>,
    ) -> Result<Value> {
        let computed = self.compute(key, |old| {
            let old = old.ok_or(Error::NotFound)?;
            Ok::<_, Error>(Op::Put(f(old)))
        })?;
        match computed {
            Computed::Created(new) | Computed::Updated { new, .. } => Ok(new),
            Computed::Removed(_) | Computed::Kept(_) => Err(Error::NotFound),
        }
    }

    /// What is to be put under a key; `None` if its time is over already.
    fn outgoing(&self, key: &[u8], value: &[u8], ttl: Ttl) -> Result<Option<Outgoing>> {
        let draft = Draft::new(key, value)?;
        Ok(self.engine.until(ttl)?.map(|until| Outgoing::new(draft, until)))
    }

    /// Puts what goes out, or nothing, in the place of exactly `old`; `None` when something else
    /// stands there. The value holds its record: no other can have its address meanwhile.
    fn apply(
        &self,
        key: &[u8],
        old: Option<Value>,
        mut outgoing: Option<Outgoing>,
    ) -> Result<Option<Computed>> {
        let new = outgoing.as_ref().map(|outgoing| Value::new(outgoing.share()));
        let key = self.engine.key_ahead(key);
        let guard = epoch::pin();
        let change = self.engine.write(&guard, key, |seen, attempt| {
            let same = match (&old, seen.live()) {
                (Some(old), Some(entry)) => old.is(entry),
                (old, found) => old.is_none() && found.is_none(),
            };
            match &mut outgoing {
                _ if !same => Decision::Keep,
                Some(outgoing) => self.engine.put(outgoing, seen, key.hash, attempt),
                None if old.is_some() => Decision::Remove,
                None => Decision::Keep,
            }
        })?;
        if matches!(change, Change::Kept(_)) {
            return Ok(None);
        }
        if let Some(outgoing) = outgoing {
            self.engine.published(&guard, outgoing, key.hash, old.is_none());
        }
        Ok(match (old, new) {
            (None, Some(new)) => Some(Computed::Created(new)),
            (Some(old), Some(new)) => Some(Computed::Updated { old, new }),
            (Some(old), None) => Some(Computed::Removed(old)),
            (None, None) => None,
        })
    }
}

/// The number of an entry plus `by`.
fn add(found: Option<Entry<'_>>, by: i64) -> Result<i64> {
    let number = match found {
        None => 0,
        Some(entry) => {
            let text = std::str::from_utf8(entry.value()).map_err(|_| Error::NotANumber)?;
            text.parse::<i64>().map_err(|_| Error::NotANumber)?
        }
    };
    number.checked_add(by).ok_or(Error::Overflow)
}
