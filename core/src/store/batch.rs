//! Operations on many keys under one pin.
//!
//! A get waits for memory twice, for its bucket and then for its record. A batch goes through its
//! keys in groups and lets the waits of a group overlap: hash all keys of a group and ask for their
//! buckets; look into the buckets and ask for the records; compare the keys and ask for the rest of
//! the records; hand them out. While a group is worked on, the buckets of the next are on their
//! way. (Group prefetching: Chen et al., Improving Hash Join Performance through Prefetching,
//! ICDE 2004.)

use std::convert::Infallible;
use std::mem;

use super::key::Key;
use super::record::{Draft, Entry};
use super::{Store, Value};
use crate::epoch::{self, Guard, Retire};
use crate::error::{Error, Result};

/// Keys of a group: about as many lines as a core can wait for at once.
pub(super) const GROUP: usize = 16;

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
    /// `TooLarge` and `NoMemory` for an entry, with nothing changed: all are made before the first
    /// is set. `NoMemory` or `Full` from a table leaves the entries before it set. `Forked`.
    pub fn set_many<K: AsRef<[u8]>, V: AsRef<[u8]>>(&self, entries: &[(K, V)]) -> Result<()> {
        self.check()?;
        // Asked for once: what is put stands under the hash of its own key.
        let keys: Vec<&[u8]> = entries.iter().map(|(key, _)| key.as_ref()).collect();
        let values = entries.iter().map(|(_, value)| value.as_ref());
        let make = |(key, value): (&&[u8], &[u8])| Draft::new(key, value);
        let drafts = keys.iter().zip(values).map(make).collect::<Result<Vec<_>>>()?;
        let mut drafts = drafts.into_iter();
        let guard = epoch::pin();
        self.in_groups(
            &keys,
            |key| key,
            |_, keys| {
                keys.iter().for_each(|key| self.shards.prefetch_record(key.hash, &guard));
                for (&key, draft) in keys.iter().zip(&mut drafts) {
                    self.put(&guard, key, draft)?;
                }
                Ok(())
            },
        )
    }

    /// Removes many keys; how many of them this call removed.
    ///
    /// # Errors
    ///
    /// As for [`delete`](Self::delete); the keys before the refused one are removed.
    pub fn delete_many<K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<u64> {
        self.check()?;
        let guard = epoch::pin();
        let mut removed = 0;
        self.in_groups(keys, AsRef::as_ref, |_, keys| {
            keys.iter().for_each(|key| self.shards.prefetch_record(key.hash, &guard));
            for &key in keys {
                removed += u64::from(self.unlink(&guard, key, |_| true)?.is_some());
            }
            Ok::<_, Error>(())
        })?;
        guard.hand_over();
        Ok(removed)
    }

    /// Finds many keys under one guard.
    #[inline]
    pub(super) fn find_many<'g, K: AsRef<[u8]>>(
        &'g self,
        guard: &'g Guard,
        keys: &[K],
        mut f: impl FnMut(usize, Option<Entry<'g>>),
    ) {
        let mut begun = [const { None }; GROUP];
        let Ok(()) = self.in_groups(keys, AsRef::as_ref, |first, keys| {
            for (begun, key) in begun.iter_mut().zip(keys) {
                *begun = Some(self.shards.begin(key.hash, guard));
            }
            let mut found = [None; GROUP];
            for ((found, begun), key) in found.iter_mut().zip(&begun).zip(keys) {
                let Some(begun) = *begun else { break };
                let is_key = |entry: Entry<'g>| entry.has_key(key.bytes);
                *found = self.shards.finish(key.hash, begun, is_key);
                if let Some(entry) = *found {
                    entry.prefetch_rest();
                }
            }
            (first..).zip(&found[..keys.len()]).for_each(|(index, &found)| f(index, found));
            Ok::<_, Infallible>(())
        });
    }

    /// Hashes the keys of `items` group by group and asks for their buckets; calls `f` with the
    /// position and the keys of a group while the buckets of the next are on their way.
    #[inline]
    fn in_groups<'k, T, E>(
        &self,
        items: &'k [T],
        key: impl Fn(&'k T) -> &'k [u8],
        mut f: impl FnMut(usize, &[Key<'k>]) -> Result<(), E>,
    ) -> Result<(), E> {
        let hash_all = |items: &'k [T], keys: &mut [Key<'k>; GROUP]| {
            for (place, item) in keys.iter_mut().zip(items) {
                *place = self.key_ahead(key(item));
            }
        };
        let mut groups = items.chunks(GROUP);
        let mut keys = [[Key { bytes: &[], hash: 0 }; GROUP]; 2];
        let mut group = groups.next().unwrap_or_default();
        hash_all(group, &mut keys[0]);
        let mut first = 0;
        while !group.is_empty() {
            let [these, those] = &mut keys;
            let next = groups.next().unwrap_or_default();
            hash_all(next, those);
            f(first, &these[..group.len()])?;
            first += group.len();
            group = next;
            mem::swap(these, those);
        }
        Ok(())
    }
}
