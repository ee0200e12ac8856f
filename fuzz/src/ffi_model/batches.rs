//! Calls on many keys.

use std::ptr;
use std::slice;

use kv::*;

use super::arguments::{Handle, KeyArg, ValueArg, read, slice as slice_of};
use super::model::ttl_ms;
use super::{World, refused};

/// The most keys of a batch.
pub(super) const MANY: usize = 40;

/// The names of keys, the slices that are passed for them, and what is wrong with those.
pub(super) fn batch(keys: &[KeyArg]) -> (Vec<Vec<u8>>, Vec<kv_slice_t>, Vec<i32>) {
    let keys = &keys[..keys.len().min(MANY)];
    let names: Vec<_> = keys.iter().map(KeyArg::bytes).collect();
    let raw: Vec<_> = keys.iter().zip(&names).map(|(key, name)| key.raw(name)).collect();
    let slices = raw.iter().map(slice_of).collect();
    (names, slices, raw.into_iter().flat_map(|(_, _, wrong)| wrong).collect())
}

impl World {
    pub(super) fn get_many(&mut self, handle: Handle, keys: &[KeyArg]) {
        let (store, mut faults) = self.pick(handle);
        let (names, slices, wrong) = batch(keys);
        faults.extend(wrong);
        let mut values = ptr::dangling_mut();
        // SAFETY: convention 5, or slices that are refused; convention 6.
        let status = unsafe { kv_get_many(store, slices.as_ptr(), slices.len(), &mut values) };
        if refused(status, &faults) {
            return assert!(values.is_null());
        }
        assert_eq!(status, KV_OK);
        // SAFETY: an array of as many slices as there were keys.
        for (name, value) in names.iter().zip(unsafe { slice::from_raw_parts(values, names.len()) })
        {
            self.is_value(name, *value);
        }
        // SAFETY: convention 7.
        unsafe { kv_free(values.cast()) };
    }

    pub(super) fn set_many(&mut self, handle: Handle, pairs: &[(KeyArg, ValueArg)], ttl: u16) {
        let (store, mut faults) = self.pick(handle);
        let pairs = &pairs[..pairs.len().min(MANY)];
        let bytes: Vec<_> = pairs.iter().map(|(key, value)| (key.bytes(), value.bytes())).collect();
        let mut raw = Vec::new();
        for ((key, value), (key_bytes, value_bytes)) in pairs.iter().zip(&bytes) {
            let (key, value) = (key.raw(key_bytes), value.raw(value_bytes));
            raw.push(kv_pair_t { key: slice_of(&key), value: slice_of(&value) });
            faults.extend(key.2.into_iter().chain(value.2));
        }
        let mut done = 99;
        // SAFETY: as in `get_many`.
        let status = unsafe { kv_set_many(store, raw.as_ptr(), raw.len(), ttl_ms(ttl), &mut done) };
        if refused(status, &faults) {
            return assert_eq!(done, 0);
        }
        assert_eq!((status, done), (KV_OK, raw.len()));
        bytes.iter().for_each(|(key, value)| self.wrote(key, value, ttl_ms(ttl)));
    }

    pub(super) fn delete_many(&mut self, handle: Handle, keys: &[KeyArg]) {
        let (store, mut faults) = self.pick(handle);
        let (names, slices, wrong) = batch(keys);
        faults.extend(wrong);
        let mut removed = 99;
        // SAFETY: as in `get_many`.
        let status = unsafe { kv_delete_many(store, slices.as_ptr(), slices.len(), &mut removed) };
        if refused(status, &faults) {
            return assert_eq!(removed, 99);
        }
        let before = self.model.len();
        names.iter().for_each(|name| self.removed(name));
        assert_eq!((status, removed), (KV_OK, (before - self.model.len()) as u64));
    }

    pub(super) fn keys(&mut self, handle: Handle, prefix: &KeyArg) {
        let ((store, mut faults), name) = (self.pick(handle), prefix.bytes());
        let (prefix, prefix_len, wrong) = prefix.raw(&name);
        faults.extend(wrong);
        let (mut keys, mut count) = (ptr::dangling_mut(), 99);
        // SAFETY: as in `get_many`.
        let status = unsafe { kv_keys(store, prefix, prefix_len, &mut keys, &mut count) };
        if refused(status, &faults) {
            return assert!(keys.is_null() && count == 0);
        }
        assert_eq!(status, KV_OK);
        // SAFETY: an array of that many slices.
        let found = unsafe { slice::from_raw_parts(keys, count) };
        // SAFETY: their bytes lie behind the array.
        let found: Vec<_> = found.iter().map(|key| unsafe { read(*key) }).collect();
        assert_eq!(found, self.model.with_prefix(&name));
        // SAFETY: convention 7.
        unsafe { kv_free(keys.cast()) };
    }

    /// What a slice must be for a key: its value, or NULL.
    pub(super) fn is_value(&self, key: &[u8], value: kv_slice_t) {
        match self.model.get(key) {
            None => assert!(value.data.is_null() && value.len == 0),
            // SAFETY: the library says that the bytes are there.
            Some(expected) => assert_eq!(unsafe { read(value) }, expected),
        }
    }
}
