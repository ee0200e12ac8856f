//! Listing: keys, and entries one by one.

use std::fmt;

use super::{Store, Value};
use crate::epoch;
use crate::error::Result;
use crate::sync::Relaxed;
use crate::table::Cursor;

/// Steps of a listing under one pin: it holds back the freeing of memory for microseconds only.
const STEPS_PER_PIN: usize = 64;

impl Store {
    /// The entries whose keys begin with `prefix`, in no order.
    ///
    /// Weakly consistent: an entry that is present throughout comes exactly once, also across a
    /// resize; one that is added or removed meanwhile may or may not come. Nothing is locked or
    /// pinned between two items, and the store may be used freely inside of the loop.
    pub fn scan(&self, prefix: impl AsRef<[u8]>) -> Scan<'_> {
        let prefix = prefix.as_ref().to_vec();
        Scan { store: self, prefix, next: Some(Cursor::START), found: Vec::new() }
    }

    /// The keys that begin with `prefix`, sorted bytewise. Any byte is itself: there are no
    /// wildcards. As consistent as [`scan`](Self::scan).
    #[must_use]
    pub fn keys(&self, prefix: impl AsRef<[u8]>) -> Vec<Vec<u8>> {
        let mut keys = self.keys_unordered(prefix);
        keys.sort_unstable();
        keys
    }

    /// The keys that begin with `prefix`, in no order.
    #[must_use]
    pub fn keys_unordered(&self, prefix: impl AsRef<[u8]>) -> Vec<Vec<u8>> {
        let prefix = prefix.as_ref();
        let mut keys = Vec::new();
        let mut next = Some(Cursor::START);
        while next.is_some() {
            let guard = epoch::pin();
            for _ in 0..STEPS_PER_PIN {
                let Some(at) = next else { break };
                next = self.engine.scan(at, &guard, |entry| {
                    if entry.key().starts_with(prefix) {
                        keys.push(entry.key().to_vec());
                    }
                });
            }
        }
        keys
    }

    /// Some entry, whichever; `None` if there is none. For who must know what it is before it goes;
    /// else as [`take_any`](Self::take_any).
    #[must_use]
    pub fn any(&self) -> Option<Value> {
        if self.engine.shards.count() == 0 {
            return None;
        }
        // Relaxed: a hint.
        let last = Cursor::from_word(self.engine.finger.load(Relaxed));
        self.any_from(last).or_else(|| self.any_from(Cursor::START))
    }

    /// An entry of the first bucket where a search meets one.
    fn any_from(&self, start: Cursor) -> Option<Value> {
        let mut next = Some(start);
        while let Some(at) = next {
            let guard = epoch::pin();
            let mut found = None;
            next = self.engine.scan(at, &guard, |entry| found = Some(entry));
            if let Some(entry) = found {
                self.engine.finger.store(at.to_word(), Relaxed);
                return Some(Value::of(entry));
            }
        }
        None
    }

    /// Removes some key, whichever; what it was, `None` if there is none, or if all that come do so
    /// behind the search's back. As atomic as [`delete`](Self::delete).
    ///
    /// A search begins where the last one ended, as that of `set.pop` in CPython does. So who
    /// empties a store by it pays for each entry and bucket once. Where a table was made for many
    /// keys and has few, each search may look at all its buckets.
    ///
    /// # Errors
    ///
    /// As for [`delete`](Self::delete).
    pub fn take_any(&self) -> Result<Option<Value>> {
        self.check()?;
        if self.engine.shards.count() == 0 {
            return Ok(None);
        }
        // Relaxed: a hint.
        let last = Cursor::from_word(self.engine.finger.load(Relaxed));
        match self.take_from(last)? {
            None => self.take_from(Cursor::START),
            taken => Ok(taken),
        }
    }

    /// Removes the first key that a search meets.
    fn take_from(&self, start: Cursor) -> Result<Option<Value>> {
        let mut next = Some(start);
        while let Some(at) = next {
            let guard = epoch::pin();
            let mut keys = Vec::new();
            next = self.engine.scan(at, &guard, |entry| keys.push(entry.key()));
            for key in keys {
                let key = self.engine.key_ahead(key);
                if let Some(taken) = self.unlink(&guard, key, |_| true)? {
                    self.engine.finger.store(at.to_word(), Relaxed);
                    return Ok(Some(Value::of(taken)));
                }
            }
        }
        Ok(None)
    }

    /// Removes every key; how many this call removed. Keys that are written meanwhile may stay.
    ///
    /// # Errors
    ///
    /// As for [`delete`](Self::delete); some keys are removed then.
    pub fn clear(&self) -> Result<u64> {
        self.check()?;
        let mut removed = 0;
        let mut next = Some(Cursor::START);
        while next.is_some() {
            let guard = epoch::pin();
            for _ in 0..STEPS_PER_PIN {
                let Some(at) = next else { break };
                let mut entries = Vec::new();
                next = self.engine.shards.scan(at, &guard, |entry| entries.push(entry));
                for entry in entries {
                    let key = self.engine.key_ahead(entry.key());
                    let unlinked = self.unlink(&guard, key, |found| found.is_same(entry))?;
                    removed += u64::from(unlinked.is_some());
                }
            }
        }
        self.engine.shards.shrink(&epoch::pin());
        epoch::flush();
        Ok(removed)
    }
}

/// The entries of a store, one by one. See [`Store::scan`].
pub struct Scan<'s> {
    store: &'s Store,
    prefix: Vec<u8>,
    next: Option<Cursor>,
    found: Vec<Value>,
}

impl Iterator for Scan<'_> {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        while self.found.is_empty() && self.next.is_some() {
            let guard = epoch::pin();
            for _ in 0..STEPS_PER_PIN {
                let Some(at) = self.next else { break };
                let (found, prefix) = (&mut self.found, &self.prefix);
                self.next = self.store.engine.scan(at, &guard, |entry| {
                    if entry.key().starts_with(prefix) {
                        found.push(Value::of(entry));
                    }
                });
                if !found.is_empty() {
                    break;
                }
            }
        }
        self.found.pop()
    }
}

impl fmt::Debug for Scan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan").field("prefix", &self.prefix.escape_ascii()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Miri: fewer.
    const KEYS: u32 = if cfg!(miri) { 100 } else { 5000 };

    #[test]
    fn a_search_for_any_entry_begins_where_the_last_one_ended() {
        let store = Store::builder().shards(1).build().expect("memory");
        for key in 0..KEYS {
            store.set(key.to_le_bytes(), "").expect("set");
        }
        let mut last = 0;
        while store.take_any().expect("take_any").is_some() {
            let place = store.engine.finger.load(Relaxed);
            assert!(place >= last, "back from {last} to {place}");
            last = place;
        }
        assert!(last > u64::MAX / 2, "the search stands at its beginning");
    }

    #[test]
    fn a_place_in_a_scan_is_one_number() {
        for (shard, hash) in [(0, 0), (5, 1 << 40), (63, u64::MAX)] {
            let place = Cursor::from_word(Cursor::at(shard, hash).to_word());
            assert!(place.is_of(shard));
            assert_eq!(place.to_word(), Cursor::at(shard, hash).to_word());
        }
    }
}
