//! Operations on many keys under one pin.

use super::record::Draft;
use super::{Store, Value};
use crate::epoch::{self, Retire};
use crate::error::Result;

impl Store {
    /// The values of `keys`, in their order. Each is as at some moment of the call.
    #[must_use]
    pub fn get_many<K: AsRef<[u8]>>(&self, keys: &[K]) -> Vec<Option<Value>> {
        let guard = epoch::pin();
        keys.iter().map(|key| self.find(&guard, key.as_ref()).map(Value::of)).collect()
    }

    /// Sets many keys, in order. Readers may see a part of it.
    ///
    /// # Errors
    ///
    /// `TooLarge` and `NoMemory` for an entry, with nothing changed: all are made before the first
    /// is set. `NoMemory` or `Full` from a table leaves the entries before it set. `Forked`.
    pub fn set_many<K: AsRef<[u8]>, V: AsRef<[u8]>>(&self, entries: &[(K, V)]) -> Result<()> {
        self.check()?;
        let make = |(key, value): &(K, V)| Draft::new(key.as_ref(), value.as_ref());
        let drafts = entries.iter().map(make).collect::<Result<Vec<_>>>()?;
        let guard = epoch::pin();
        for draft in drafts {
            self.put(&guard, draft)?;
        }
        Ok(())
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
        for key in keys {
            removed += u64::from(self.unlink(&guard, key.as_ref(), |_| true)?.is_some());
        }
        guard.hand_over();
        Ok(removed)
    }
}
