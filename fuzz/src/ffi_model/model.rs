//! The content of a store: values with their deadlines.

use std::collections::HashMap;

use kv::{KV_TTL_DEFAULT, KV_TTL_KEEP, KV_TTL_NEVER};

#[derive(Default)]
pub(super) struct Model {
    entries: HashMap<Vec<u8>, Entry>,
    now: u64,
}

struct Entry {
    value: Vec<u8>,
    /// When it expires; `None` for never.
    deadline: Option<u64>,
}

/// A number of a program as a time to live in milliseconds, the constants among them.
pub(super) fn ttl_ms(number: u16) -> u64 {
    match number {
        0xffff => KV_TTL_DEFAULT,
        0xfffe => KV_TTL_KEEP,
        ms => u64::from(ms),
    }
}

impl Model {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.entries.get(key).map(|entry| &*entry.value)
    }

    /// Milliseconds that a key has left; the inner `None` for ever.
    pub(super) fn left(&self, key: &[u8]) -> Option<Option<u64>> {
        let entry = self.entries.get(key)?;
        Some(entry.deadline.map(|deadline| deadline - self.now))
    }

    pub(super) fn set(&mut self, key: &[u8], value: &[u8], ttl: u64) {
        let deadline = self.deadline(key, ttl);
        self.entries.insert(key.to_vec(), Entry { value: value.to_vec(), deadline });
    }

    pub(super) fn expire(&mut self, key: &[u8], ttl: u64) {
        let deadline = self.deadline(key, ttl);
        self.entries.get_mut(key).expect("a key to expire").deadline = deadline;
    }

    fn deadline(&self, key: &[u8], ttl: u64) -> Option<u64> {
        match ttl {
            // The store was opened with the default of never.
            KV_TTL_NEVER | KV_TTL_DEFAULT => None,
            KV_TTL_KEEP => self.entries.get(key).and_then(|entry| entry.deadline),
            ttl => Some(self.now + ttl),
        }
    }

    pub(super) fn remove(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        self.entries.remove(key).map(|entry| entry.value)
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Moves the clock; the keys that expire.
    pub(super) fn advance(&mut self, ms: u64) -> Vec<Vec<u8>> {
        self.now += ms;
        let over = |entry: &Entry| entry.deadline.is_some_and(|deadline| deadline <= self.now);
        let expired = self.entries.iter().filter(|(_, entry)| over(entry));
        let expired: Vec<_> = expired.map(|(key, _)| key.clone()).collect();
        for key in &expired {
            self.entries.remove(key);
        }
        expired
    }

    /// The keys with a prefix, sorted.
    pub(super) fn with_prefix(&self, prefix: &[u8]) -> Vec<Vec<u8>> {
        let keys = self.entries.keys().filter(|key| key.starts_with(prefix));
        let mut keys: Vec<_> = keys.cloned().collect();
        keys.sort();
        keys
    }

    pub(super) fn names(&self) -> Vec<Vec<u8>> {
        self.with_prefix(b"")
    }
}
