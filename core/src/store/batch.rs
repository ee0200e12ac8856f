//! Operations on many keys under one pin.

use std::convert::Infallible;

use super::key::Key;
use super::outgoing::Until;
use super::record::{Draft, Entry};
use super::{SetOptions, Store, Ttl, Value};
use crate::epoch::{self, Guard, Retire};
use crate::error::{BatchError, Result};
use crate::table::BYTES_AHEAD;

impl Store {
    /// The values of `keys`, in their order. Each is as at some moment of the call.
    #[must_use]
    pub fn get_many<K: AsRef<[u8]>>(&self, keys: &[K]) -> Vec<Option<Value>> {
        let mut values = Vec::with_capacity(keys.len());
        let guard = epoch::pin();
        self.find_many(&guard, keys, |_, entry| values.push(entry.map(Value::of)));
        values
    }

    /// Calls `f` with the position and the value of each of `keys`, in their order. Costs no
    /// reference counts, but while it runs this thread is pinned, as in
    /// [`get_with`](Self::get_with).
    pub fn get_many_with<K: AsRef<[u8]>>(
        &self,
        keys: &[K],
        mut f: impl FnMut(usize, Option<&[u8]>),
    ) {
        let guard = epoch::pin();
        self.find_many(&guard, keys, |index, entry| f(index, entry.map(Entry::value)));
    }

    /// Sets many keys, in order. Readers may see a part of it.
    ///
    /// # Errors
    ///
    /// `TooLarge` and `NoMemory` for an entry, and `Forked`, with nothing changed: all are made
    /// before the first is set. `NoMemory` from a table, and `Full`, leave the entries before it
    /// set, as many as [`BatchError::done`] says.
    pub fn set_many<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        entries: &[(K, V)],
    ) -> Result<(), BatchError> {
        self.set_many_with(entries, Ttl::Default)
    }

    /// Sets many keys with the same options, in order. Readers may see a part of it. With a
    /// [`Ttl::At`] that has passed, the keys are removed.
    ///
    /// # Errors
    ///
    /// `InvalidTtl` for a time to live of zero, with nothing changed; else as for
    /// [`set_many`](Self::set_many).
    pub fn set_many_with<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        entries: &[(K, V)],
        options: impl Into<SetOptions>,
    ) -> Result<(), BatchError> {
        self.check()?;
        // Asked for once: what is put stands under the hash of its own key.
        let keys: Vec<&[u8]> = entries.iter().map(|(key, _)| key.as_ref()).collect();
        let Some(until) = self.engine.until(options.into().ttl)? else {
            return self.delete_many(&keys).map(drop);
        };
        let values = entries.iter().map(|(_, value)| value.as_ref());
        let make =
            |(key, value): (&&[u8], &[u8])| self.engine.prepared(Draft::new(key, value)?, until);
        let made = keys.iter().zip(values).map(make).collect::<Result<Vec<_>>>()?;
        let mut made = made.into_iter();
        let is_plain = self.engine.is_plain && matches!(until, Until::Never);
        let guard = epoch::pin();
        self.change_many(&guard, &keys, |key| match made.next() {
            Some(outgoing) if is_plain => {
                self.set_draft(&guard, key, outgoing.into_draft()).map(drop)
            }
            Some(outgoing) => self.set_outgoing(&guard, key, outgoing).map(drop),
            None => Ok(()),
        })
    }

    /// Removes many keys; how many of them this call removed.
    ///
    /// # Errors
    ///
    /// As for [`delete`](Self::delete); the keys before the refused one are removed.
    pub fn delete_many<K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<u64, BatchError> {
        self.check()?;
        let keys: Vec<&[u8]> = keys.iter().map(AsRef::as_ref).collect();
        let guard = epoch::pin();
        let mut removed = 0;
        self.change_many(&guard, &keys, |key| {
            removed += u64::from(self.unlink(&guard, key, |_| true)?.is_some());
            Ok(())
        })?;
        guard.hand_over();
        Ok(removed)
    }

    /// Changes many keys under one guard, in order, as `change` does with each.
    fn change_many(
        &self,
        guard: &Guard,
        keys: &[&[u8]],
        mut change: impl FnMut(Key<'_>) -> Result<()>,
    ) -> Result<(), BatchError> {
        let hash = |key: &&[u8]| self.engine.key(key).hash;
        self.engine.shards.for_each(guard, keys, hash, |index, hash, _| {
            let changed = change(Key { bytes: keys[index], hash });
            changed.map(|()| BYTES_AHEAD).map_err(|error| BatchError { done: index, error })
        })
    }

    /// Finds many keys under one guard.
    #[inline]
    pub(super) fn find_many<'g, K: AsRef<[u8]>>(
        &'g self,
        guard: &'g Guard,
        keys: &[K],
        mut f: impl FnMut(usize, Option<Entry<'g>>),
    ) {
        let hash = |key: &K| self.engine.key(key.as_ref()).hash;
        let Ok(()) = self.engine.shards.for_each(guard, keys, hash, |index, hash, begun| {
            let key = keys[index].as_ref();
            let is_key = |entry: Entry<'g>| entry.has_key(key);
            let found = self.engine.shards.finish(hash, begun, is_key);
            let found = found.and_then(|entry| self.engine.live(guard, hash, entry));
            found.into_iter().for_each(Entry::count_use);
            f(index, found);
            Ok::<_, Infallible>(found.map_or(BYTES_AHEAD, Entry::bytes))
        });
    }
}
