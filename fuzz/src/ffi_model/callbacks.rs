//! Calls with a callback, which uses the store in its turn.

use std::collections::HashSet;
use std::ffi::c_void;

use arbitrary::Arbitrary;
use kv::*;

use super::arguments::{Handle, KeyArg, ValueArg, read};
use super::model::ttl_ms;
use super::{World, refused};

/// What a callback does to the store, once.
#[derive(Arbitrary, Debug)]
pub(super) enum Nested {
    Set(KeyArg, ValueArg),
    Delete(KeyArg),
    Take(KeyArg),
    Clear,
    Next,
    Pin,
    Close,
    Compute(KeyArg, Box<Wish>),
}

/// What a callback of kv_compute wants.
#[derive(Arbitrary, Debug)]
pub(super) enum Wish {
    Keep,
    Put(ValueArg, u16),
    /// A put whose value was never said, or said of a change that is none.
    PutNothing(bool),
    Remove,
    Abort,
    Strange(i32),
}

/// What a callback has at hand.
struct Run<'a> {
    world: &'a mut World,
    nested: Option<Nested>,
    calls: u32,
}

impl Run<'_> {
    /// Does what is to be done within the callback, if it was not done before.
    fn nest(&mut self) {
        self.calls += 1;
        let (world, good) = (&mut *self.world, Handle::good());
        match self.nested.take() {
            None => {}
            Some(Nested::Set(key, value)) => world.set(good, &key, &value),
            Some(Nested::Delete(key)) => world.delete(good, &key),
            Some(Nested::Take(key)) => world.get_value(good, &key, true),
            Some(Nested::Clear) => world.clear(good),
            Some(Nested::Next) => world.next(good, 0),
            Some(Nested::Pin) => world.pin(good),
            Some(Nested::Close) => world.close(good),
            Some(Nested::Compute(key, wish)) => world.compute(good, &key, *wish, None),
        }
    }
}

struct Scanning<'a> {
    run: Run<'a>,
    /// Visits until it ends.
    stop: u8,
    prefix: Vec<u8>,
    owes: HashSet<Vec<u8>>,
    serial: u32,
    /// Whether a callback has used the store: then what is shown may be older.
    changed: bool,
}

unsafe extern "C" fn on_scan(user_data: *mut c_void, entry: *const kv_entry_t) -> i32 {
    // SAFETY: what `scan` passes, and the entry until this returns.
    let (scanning, entry) = unsafe { (&mut *user_data.cast::<Scanning<'_>>(), &*entry) };
    // SAFETY: as above.
    let (key, value) = unsafe { (read(entry.key), read(entry.value)) };
    assert!(key.starts_with(&scanning.prefix));
    let world = &*scanning.run.world;
    if scanning.owes.remove(&key) && !scanning.changed {
        assert_eq!(world.model.get(&key), Some(&*value));
    }
    let changes = scanning.run.nested.is_some();
    scanning.run.nest();
    if changes {
        scanning.changed = true;
        let world = &*scanning.run.world;
        let still =
            |key: &Vec<u8>| world.serial == scanning.serial && world.model.get(key).is_some();
        scanning.owes.retain(still);
    }
    // SAFETY: as above, whatever was done to the store.
    assert_eq!(unsafe { (read(entry.key), read(entry.value)) }, (key, value));
    i32::from(scanning.run.calls == u32::from(scanning.stop))
}

struct Reading<'a> {
    run: Run<'a>,
    key: Vec<u8>,
    answer: i32,
}

unsafe extern "C" fn on_read(user_data: *mut c_void, entry: *const kv_entry_t) -> i32 {
    // SAFETY: what `read` passes, and the entry until this returns.
    let (reading, entry) = unsafe { (&mut *user_data.cast::<Reading<'_>>(), &*entry) };
    let expected = reading.run.world.model.get(&reading.key).expect("a key to read").to_vec();
    reading.run.nest();
    // SAFETY: as above, whatever was done to the store.
    let found = unsafe { (read(entry.key), read(entry.value)) };
    assert_eq!(found, (reading.key.clone(), expected));
    reading.answer
}

struct Computing<'a> {
    run: Run<'a>,
    key: Vec<u8>,
    wish: &'a Wish,
    /// The version that the callback saw last, 0 for none.
    saw: u64,
}

unsafe extern "C" fn on_compute(
    user_data: *mut c_void,
    current: *const kv_entry_t,
    change: kv_change_t,
) -> i32 {
    // SAFETY: what `compute` passes, and the entry until this returns.
    let (computing, current) =
        unsafe { (&mut *user_data.cast::<Computing<'_>>(), current.as_ref()) };
    // SAFETY: as above.
    let found = current.map(|entry| unsafe { (read(entry.key), read(entry.value)) });
    let stands = computing.run.world.model.get(&computing.key);
    assert_eq!(found, stands.map(|value| (computing.key.clone(), value.to_vec())));
    computing.saw = current.map_or(0, |entry| entry.version);
    computing.run.nest();
    match computing.wish {
        Wish::Keep => KV_CHANGE_KEEP,
        Wish::Put(value, ttl) => {
            let bytes = value.bytes();
            let (data, len, wrong) = value.raw(&bytes);
            // SAFETY: convention 5, or a pointer or length that is refused.
            let status = unsafe { kv_change_put(change, data, len, ttl_ms(*ttl)) };
            refused(status, &wrong);
            KV_CHANGE_PUT
        }
        Wish::PutNothing(of_no_change) => {
            let other = kv_change_t { id: change.id ^ 1 << 40 };
            if *of_no_change {
                // SAFETY: convention 5.
                let status = unsafe { kv_change_put(other, "v".as_ptr().cast(), 1, KV_TTL_KEEP) };
                assert_eq!(status, KV_ERR_INVALID_ARGUMENT);
            }
            KV_CHANGE_PUT
        }
        Wish::Remove => KV_CHANGE_REMOVE,
        Wish::Abort => KV_CHANGE_ABORT,
        Wish::Strange(answer) => *answer,
    }
}

impl World {
    pub(super) fn scan(
        &mut self,
        handle: Handle,
        prefix: &KeyArg,
        stop: u8,
        nested: Option<Nested>,
    ) {
        let ((store, mut faults), name) = (self.pick(handle), prefix.bytes());
        let (prefix, prefix_len, wrong) = prefix.raw(&name);
        faults.extend(wrong);
        let owes = self.model.with_prefix(&name).into_iter().collect();
        let serial = self.serial;
        let run = Run { world: self, nested, calls: 0 };
        let mut scanning = Scanning { run, stop, prefix: name, owes, serial, changed: false };
        let user_data = (&raw mut scanning).cast();
        // SAFETY: convention 5, or a pointer or length that is refused; convention 10.
        let status = unsafe { kv_scan(store, prefix, prefix_len, Some(on_scan), user_data) };
        let Scanning { run, owes, .. } = scanning;
        if refused(status, &faults) {
            return assert_eq!(run.calls, 0);
        }
        match run.calls != 0 && run.calls == u32::from(stop) {
            true => assert_eq!(status, KV_STOPPED),
            false => assert!(status == KV_OK && owes.is_empty(), "{status}, not shown: {owes:?}"),
        }
    }

    pub(super) fn read(
        &mut self,
        handle: Handle,
        key: &KeyArg,
        answer: i8,
        nested: Option<Nested>,
    ) {
        let ((store, mut faults), name) = (self.pick(handle), key.bytes());
        let (key, key_len, wrong) = key.raw(&name);
        faults.extend(wrong);
        let exists = self.model.get(&name).is_some();
        let run = Run { world: self, nested, calls: 0 };
        let mut reading = Reading { run, key: name, answer: i32::from(answer) };
        let user_data = (&raw mut reading).cast();
        // SAFETY: as in `scan`.
        let status = unsafe { kv_read(store, key, key_len, Some(on_read), user_data) };
        let calls = reading.run.calls;
        if refused(status, &faults) {
            return assert_eq!(calls, 0);
        }
        let expected = match (exists, answer) {
            (false, _) => (KV_NOT_FOUND, 0),
            (true, 0) => (KV_OK, 1),
            (true, _) => (KV_STOPPED, 1),
        };
        assert_eq!((status, calls), expected);
    }

    pub(super) fn compute(
        &mut self,
        handle: Handle,
        key: &KeyArg,
        wish: Wish,
        nested: Option<Nested>,
    ) {
        let ((store, mut faults), name) = (self.pick(handle), key.bytes());
        let (key, key_len, wrong) = key.raw(&name);
        faults.extend(wrong);
        let (serial, mut version) = (self.serial, 99);
        let run = Run { world: self, nested, calls: 0 };
        let mut computing = Computing { run, key: name, wish: &wish, saw: 0 };
        let user_data = (&raw mut computing).cast();
        // SAFETY: as in `scan`; convention 6.
        let status =
            unsafe { kv_compute(store, key, key_len, Some(on_compute), user_data, &mut version) };
        let Computing { run, key: name, saw, .. } = computing;
        let calls = run.calls;
        if !faults.is_empty() {
            assert!(refused(status, &faults));
            return assert_eq!((calls, version), (0, 99));
        }
        assert!(calls != 0);
        self.computed(&name, &wish, status, (saw, version), serial);
    }

    /// Does to the model what a wish has done to a store, which may be closed by now. A key that is
    /// kept, or was not there to be removed, is as the callback `saw` it, although that has written
    /// it since.
    fn computed(
        &mut self,
        key: &[u8],
        wish: &Wish,
        status: i32,
        (saw, version): (u64, u64),
        serial: u32,
    ) {
        let answer = match wish {
            Wish::Put(value, _) if !value.raw(&value.bytes()).2.is_empty() => -1,
            Wish::PutNothing(_) | Wish::Strange(KV_CHANGE_PUT) => -1,
            Wish::Strange(answer) => *answer,
            Wish::Keep => KV_CHANGE_KEEP,
            Wish::Put(..) => KV_CHANGE_PUT,
            Wish::Remove => KV_CHANGE_REMOVE,
            Wish::Abort => KV_CHANGE_ABORT,
        };
        match answer {
            KV_CHANGE_KEEP => assert_eq!((status, version), (KV_OK, saw)),
            KV_CHANGE_PUT => assert!(status == KV_OK && version > saw),
            KV_CHANGE_REMOVE => assert_eq!((status, version), (KV_OK, 0)),
            KV_CHANGE_ABORT => assert_eq!((status, version), (KV_STOPPED, 99)),
            _ => assert_eq!((status, version), (KV_ERR_INVALID_ARGUMENT, 99)),
        }
        match wish {
            _ if self.serial != serial || status != KV_OK => {}
            Wish::Put(value, ttl) => {
                self.wrote(key, &value.bytes(), ttl_ms(*ttl));
                assert_eq!(self.version(key), version);
            }
            _ if answer == KV_CHANGE_REMOVE && saw != 0 => self.removed(key),
            _ => {}
        }
    }
}
