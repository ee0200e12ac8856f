//! Calls on one key, and on the clock.

use std::ptr;

use kv::*;

use super::arguments::{Handle, KeyArg, Room, ValueArg, read};
use super::model::ttl_ms;
use super::{World, refused};

impl World {
    pub(super) fn set(&mut self, handle: Handle, key: &KeyArg, value: &ValueArg) {
        let ((store, mut faults), name, bytes) = (self.pick(handle), key.bytes(), value.bytes());
        let (key, key_len, wrong_key) = key.raw(&name);
        let (value, value_len, wrong_value) = value.raw(&bytes);
        faults.extend(wrong_key.into_iter().chain(wrong_value));
        // SAFETY: convention 5, or a pointer or length that is refused.
        let status = unsafe { kv_set(store, key, key_len, value, value_len) };
        if !refused(status, &faults) {
            assert_eq!(status, KV_OK);
            self.wrote(&name, &bytes, KV_TTL_DEFAULT);
        }
    }

    pub(super) fn set_ttl(&mut self, handle: Handle, key: &KeyArg, value: &ValueArg, ttl: u16) {
        let ((store, mut faults), name, bytes) = (self.pick(handle), key.bytes(), value.bytes());
        let (key, key_len, wrong_key) = key.raw(&name);
        let (value, value_len, wrong_value) = value.raw(&bytes);
        faults.extend(wrong_key.into_iter().chain(wrong_value));
        // SAFETY: as in `set`.
        let status = unsafe { kv_set_ttl(store, key, key_len, value, value_len, ttl_ms(ttl)) };
        if !refused(status, &faults) {
            assert_eq!(status, KV_OK);
            self.wrote(&name, &bytes, ttl_ms(ttl));
        }
    }

    pub(super) fn set_if_absent(
        &mut self,
        handle: Handle,
        key: &KeyArg,
        value: &ValueArg,
        ttl: u16,
    ) {
        let ((store, mut faults), name, bytes) = (self.pick(handle), key.bytes(), value.bytes());
        let (key, key_len, wrong_key) = key.raw(&name);
        let (value, value_len, wrong_value) = value.raw(&bytes);
        faults.extend(wrong_key.into_iter().chain(wrong_value));
        let ttl = ttl_ms(ttl);
        // SAFETY: as in `set`.
        let status = unsafe { kv_set_if_absent(store, key, key_len, value, value_len, ttl) };
        if refused(status, &faults) {
            return;
        }
        let exists = self.model.get(&name).is_some();
        assert_eq!(status, if exists { KV_EXISTS } else { KV_OK });
        if !exists {
            self.wrote(&name, &bytes, ttl);
        }
    }

    pub(super) fn swap(&mut self, handle: Handle, key: &KeyArg, value: &ValueArg, right: bool) {
        let ((store, mut faults), name, bytes) = (self.pick(handle), key.bytes(), value.bytes());
        let stands = self.version(&name);
        let asked = stands + u64::from(!right);
        let (key, key_len, wrong_key) = key.raw(&name);
        let (value, value_len, wrong_value) = value.raw(&bytes);
        faults.extend(wrong_key.into_iter().chain(wrong_value));
        let mut told = 99;
        // SAFETY: as in `set`; convention 6.
        let status =
            unsafe { kv_compare_and_swap(store, key, key_len, asked, value, value_len, &mut told) };
        if refused(status, &faults) {
            return assert_eq!(told, 99);
        }
        if right {
            assert!(status == KV_OK && told > stands);
            self.wrote(&name, &bytes, KV_TTL_KEEP);
            assert_eq!(self.version(&name), told);
        } else {
            assert_eq!((status, told), (KV_CONFLICT, stands));
        }
    }

    pub(super) fn get(&mut self, handle: Handle, key: &KeyArg, room: Room) {
        let ((store, mut faults), name) = (self.pick(handle), key.bytes());
        let (key, key_len, wrong) = key.raw(&name);
        faults.extend(wrong);
        let size = room.size(self.model.get(&name).map_or(0, <[u8]>::len));
        // Exactly as large as is said, so that a sanitizer sees who writes beyond.
        let (mut buffer, mut len) = (vec![0xa5_u8; size].into_boxed_slice(), 99);
        let data = if size == 0 { ptr::null_mut() } else { buffer.as_mut_ptr().cast() };
        // SAFETY: as in `set`; convention 6.
        let status = unsafe { kv_get(store, key, key_len, data, size, &mut len) };
        if refused(status, &faults) {
            return assert_eq!(len, 99);
        }
        match self.model.get(&name) {
            None => assert_eq!((status, len), (KV_NOT_FOUND, 99)),
            Some(value) if value.len() > size => {
                assert_eq!((status, len), (KV_BUFFER_TOO_SMALL, value.len()));
                assert!(buffer.iter().all(|byte| *byte == 0xa5));
            }
            Some(value) => {
                assert_eq!((status, &buffer[..len]), (KV_OK, value));
                assert!(buffer[len..].iter().all(|byte| *byte == 0xa5));
            }
        }
    }

    pub(super) fn get_dup(&mut self, handle: Handle, key: &KeyArg) {
        let ((store, mut faults), name) = (self.pick(handle), key.bytes());
        let (key, key_len, wrong) = key.raw(&name);
        faults.extend(wrong);
        let (mut data, mut len) = (ptr::dangling_mut(), 99);
        // SAFETY: as in `set`; convention 6.
        let status = unsafe { kv_get_dup(store, key, key_len, &mut data, &mut len) };
        let expected = self.model.get(&name).filter(|_| !refused(status, &faults));
        assert_eq!(expected.is_some(), status == KV_OK);
        match expected {
            None => assert!(data.is_null() && len == 0),
            // SAFETY: the copy is ours.
            Some(value) => assert_eq!(unsafe { read(kv_slice_t { data, len }) }, value),
        }
        // SAFETY: convention 7.
        unsafe { kv_free(data) };
    }

    pub(super) fn contains(&mut self, handle: Handle, key: &KeyArg) {
        let ((store, mut faults), name) = (self.pick(handle), key.bytes());
        let (key, key_len, wrong) = key.raw(&name);
        faults.extend(wrong);
        // SAFETY: as in `set`.
        let status = unsafe { kv_contains(store, key, key_len) };
        if !refused(status, &faults) {
            self.found(&name, status);
        }
    }

    pub(super) fn delete(&mut self, handle: Handle, key: &KeyArg) {
        let ((store, mut faults), name) = (self.pick(handle), key.bytes());
        let (key, key_len, wrong) = key.raw(&name);
        faults.extend(wrong);
        // SAFETY: as in `set`.
        let status = unsafe { kv_delete(store, key, key_len) };
        if !refused(status, &faults) {
            self.found(&name, status);
            self.removed(&name);
        }
    }

    pub(super) fn incr(&mut self, handle: Handle, key: &KeyArg, by: i64) {
        let ((store, mut faults), name) = (self.pick(handle), key.bytes());
        let (key, key_len, wrong) = key.raw(&name);
        faults.extend(wrong);
        let mut sum = 99;
        // SAFETY: as in `set`; convention 6.
        let status = unsafe { kv_incr(store, key, key_len, by, &mut sum) };
        if refused(status, &faults) {
            return assert_eq!(sum, 99);
        }
        let stands = self.model.get(&name);
        let number = stands.map_or(Some(0), |text| std::str::from_utf8(text).ok()?.parse().ok());
        // What counts as a decimal number beyond plain digits is the store's own affair.
        let plain = |number: i64| stands.is_none_or(|text| number.to_string().as_bytes() == text);
        match number {
            Some(number) if plain(number) => match number.checked_add(by) {
                Some(expected) => assert_eq!((status, sum), (KV_OK, expected)),
                None => assert_eq!((status, sum), (KV_ERR_OVERFLOW, 99)),
            },
            Some(_) => {}
            None => assert_eq!((status, sum), (KV_ERR_NOT_A_NUMBER, 99)),
        }
        if status == KV_OK {
            self.wrote(&name, sum.to_string().as_bytes(), KV_TTL_KEEP);
        }
    }

    pub(super) fn ttl(&mut self, handle: Handle, key: &KeyArg) {
        let ((store, mut faults), name) = (self.pick(handle), key.bytes());
        let (key, key_len, wrong) = key.raw(&name);
        faults.extend(wrong);
        let mut left = 99;
        // SAFETY: as in `set`; convention 6.
        let status = unsafe { kv_ttl(store, key, key_len, &mut left) };
        if refused(status, &faults) {
            return assert_eq!(left, 99);
        }
        match self.model.left(&name) {
            None => assert_eq!((status, left), (KV_NOT_FOUND, 99)),
            Some(expected) => {
                assert_eq!((status, left), (KV_OK, expected.unwrap_or(KV_TTL_NEVER)));
            }
        }
    }

    pub(super) fn expire(&mut self, handle: Handle, key: &KeyArg, ttl: u16) {
        let ((store, mut faults), name) = (self.pick(handle), key.bytes());
        let (key, key_len, wrong) = key.raw(&name);
        let ttl = ttl_ms(ttl);
        faults.extend(wrong);
        faults.extend((ttl == KV_TTL_KEEP).then_some(KV_ERR_INVALID_TTL));
        // SAFETY: as in `set`.
        let status = unsafe { kv_expire(store, key, key_len, ttl) };
        if !refused(status, &faults) {
            self.found(&name, status);
            self.lives(&name, ttl);
        }
    }

    pub(super) fn persist(&mut self, handle: Handle, key: &KeyArg) {
        let ((store, mut faults), name) = (self.pick(handle), key.bytes());
        let (key, key_len, wrong) = key.raw(&name);
        faults.extend(wrong);
        // SAFETY: as in `set`.
        let status = unsafe { kv_persist(store, key, key_len) };
        if !refused(status, &faults) {
            self.found(&name, status);
            self.lives(&name, KV_TTL_NEVER);
        }
    }

    pub(super) fn touch(&mut self, handle: Handle, key: &KeyArg, ttl: u16) {
        let ((store, mut faults), name) = (self.pick(handle), key.bytes());
        let (key, key_len, wrong) = key.raw(&name);
        let ttl = ttl_ms(ttl);
        faults.extend(wrong);
        let no_number = [KV_TTL_NEVER, KV_TTL_DEFAULT, KV_TTL_KEEP].contains(&ttl);
        faults.extend(no_number.then_some(KV_ERR_INVALID_TTL));
        // SAFETY: as in `set`.
        let status = unsafe { kv_touch(store, key, key_len, ttl) };
        if refused(status, &faults) {
            return;
        }
        self.found(&name, status);
        if self.model.left(&name).flatten().is_some_and(|left| left * 8 <= ttl * 7) {
            self.lives(&name, ttl);
        }
    }

    /// Moves the clock and removes what has expired.
    pub(super) fn clock(&mut self, handle: Handle, ms: u16) {
        let (store, faults) = self.pick(handle);
        if refused(kv_clock_advance(store, u64::from(ms)), &faults) {
            return;
        }
        let expired = self.model.advance(u64::from(ms));
        expired.iter().for_each(|key| self.writes(key));
        let (mut purged, mut wait) = (99, 99);
        // SAFETY: convention 6.
        assert_eq!(unsafe { kv_purge_expired(store, &mut purged) }, KV_OK);
        assert_eq!(purged, expired.len() as u64);
        // SAFETY: convention 6.
        assert_eq!(unsafe { kv_advance(store, &mut wait) }, KV_OK);
    }

    pub(super) fn clear(&mut self, handle: Handle) {
        let (store, faults) = self.pick(handle);
        let mut removed = 99;
        // SAFETY: convention 6.
        let status = unsafe { kv_clear(store, &mut removed) };
        if refused(status, &faults) {
            return assert_eq!(removed, 99);
        }
        assert_eq!((status, removed), (KV_OK, self.model.len() as u64));
        self.model.names().iter().for_each(|key| self.writes(key));
        self.model.clear();
    }

    fn found(&self, key: &[u8], status: i32) {
        let exists = self.model.get(key).is_some();
        assert_eq!(status, if exists { KV_OK } else { KV_NOT_FOUND });
    }

    fn lives(&mut self, key: &[u8], ttl: u64) {
        if self.model.get(key).is_some() {
            self.writes(key);
            self.model.expire(key, ttl);
        }
    }

    pub(super) fn wrote(&mut self, key: &[u8], value: &[u8], ttl: u64) {
        self.writes(key);
        self.model.set(key, value, ttl);
    }

    pub(super) fn removed(&mut self, key: &[u8]) {
        self.writes(key);
        self.model.remove(key);
    }
}
