//! The table of cases that all faces must agree on, run against the functions of kv.h.

use std::ffi::c_void;
use std::{mem, ptr, slice};

use kv::*;
use serde_json::{Value, json};

#[path = "../../../conformance/table.rs"]
mod table;

use table::{Bytes, Face, Figure, Memory, Op, Options, Policy, Ttl, TtlWord, Wish, shown};

#[test]
fn c_face_answers_as_the_table_says() {
    let ran = table::run::<C>();
    assert!(ran.cases > 220 && ran.left_out == 0, "cases got lost: {ran:?}");
}

#[test]
fn case_that_is_wrong_is_seen_by_the_c_face() {
    assert_eq!(table::wrong_and_not_seen::<C>(), [""; 0]);
}

struct C {
    store: kv_store_t,
}

impl Face for C {
    const NAME: &'static str = "c";
    const LACKS: &'static [&'static str] = &[];

    fn open(wanted: &Options) -> Result<Self, i32> {
        let mut options = mem::MaybeUninit::<kv_options_t>::uninit();
        // SAFETY: convention 6; the size is that of the structure.
        ok(unsafe { kv_options_init(options.as_mut_ptr(), size_of::<kv_options_t>()) })?;
        // SAFETY: every field was set.
        let mut options = unsafe { options.assume_init() };
        options.flags = KV_MANUAL_CLOCK;
        options.shards = wanted.shards.unwrap_or(options.shards);
        options.default_ttl_ms = wanted.default_ttl_ms.unwrap_or(options.default_ttl_ms);
        options.max_entries = wanted.max_entries.unwrap_or(options.max_entries);
        options.max_bytes = wanted.max_bytes.unwrap_or(options.max_bytes);
        options.eviction = match wanted.eviction {
            Policy::S3fifo => KV_EVICT_S3FIFO,
            Policy::Reject => KV_EVICT_REJECT,
        };
        let mut store = kv_store_t { id: 0 };
        // SAFETY: conventions 6 and 8.
        ok(unsafe { kv_open(&options, &mut store) })?;
        Ok(C { store })
    }

    fn run(&self, op: &Op, memory: &Memory) -> Result<Value, i32> {
        let store = self.store;
        match op {
            Op::Set { .. } | Op::Delete { .. } | Op::Incr { .. } => self.write(op),
            Op::SetIfAbsent { .. } | Op::CompareAndSwap { .. } | Op::Compute { .. } => {
                self.decide(op, memory)
            }
            Op::Get { key } => self.get(key.as_ref()),
            Op::Contains { key } => {
                let (key, key_len) = raw(key);
                // SAFETY: convention 5.
                found(unsafe { kv_contains(store, key, key_len) })
            }
            Op::Take { key } => self.take(key),
            Op::Version { key } => Ok(self.version(key)),
            Op::Ttl { .. } | Op::Expire { .. } | Op::Persist { .. } | Op::Touch { .. } => {
                self.lifetime(op)
            }
            // SAFETY: convention 6.
            Op::PurgeExpired {} => number(|out| unsafe { kv_purge_expired(store, out) }),
            Op::Advance {} => {
                // SAFETY: convention 6.
                let wait = number(|out| unsafe { kv_advance(store, out) })?;
                Ok(if wait == json!(KV_NOTHING_DUE) { Value::Null } else { json!("later") })
            }
            Op::ClockAdvance { ms } => ok(kv_clock_advance(store, *ms)),
            // SAFETY: convention 6.
            Op::Count {} => number(|out| unsafe { kv_count(store, out) }),
            Op::Keys { prefix } => self.keys(prefix),
            Op::Scan { prefix } => self.scan(prefix),
            Op::GetMany { keys } => self.get_many(keys),
            Op::SetMany { entries, ttl } => self.set_many(entries, *ttl),
            Op::DeleteMany { keys } => {
                let keys = slices(keys);
                // SAFETY: conventions 5 and 6.
                number(|out| unsafe { kv_delete_many(store, keys.as_ptr(), keys.len(), out) })
            }
            // SAFETY: convention 6.
            Op::Clear {} => number(|out| unsafe { kv_clear(store, out) }),
            Op::Figure { name } => self.figure(*name),
            Op::Fill { .. } => unreachable!("it is made of sets"),
        }
    }
}

impl Drop for C {
    fn drop(&mut self) {
        assert_eq!(kv_close(self.store), KV_OK);
    }
}

impl C {
    fn write(&self, op: &Op) -> Result<Value, i32> {
        let store = self.store;
        match op {
            Op::Set { key, value, ttl } => {
                let ((key, key_len), (value, value_len)) = (raw(key), raw(value));
                let status = match ttl {
                    // SAFETY: convention 5.
                    None => unsafe { kv_set(store, key, key_len, value, value_len) },
                    Some(ttl) => {
                        let ttl = meaning(*ttl);
                        // SAFETY: convention 5.
                        unsafe { kv_set_ttl(store, key, key_len, value, value_len, ttl) }
                    }
                };
                ok(status).map(|_| json!("stored"))
            }
            Op::Delete { key } => {
                let (key, key_len) = raw(key);
                // SAFETY: convention 5.
                found(unsafe { kv_delete(store, key, key_len) })
            }
            Op::Incr { key, by } => {
                let ((key, key_len), mut sum) = (raw(key), 0);
                // SAFETY: conventions 5 and 6.
                ok(unsafe { kv_incr(store, key, key_len, *by, &mut sum) })?;
                Ok(json!(sum))
            }
            _ => unreachable!("{op:?} writes no value"),
        }
    }

    fn decide(&self, op: &Op, memory: &Memory) -> Result<Value, i32> {
        let store = self.store;
        match op {
            Op::SetIfAbsent { key, value, ttl } => {
                let ((key, key_len), (value, value_len)) = (raw(key), raw(value));
                let ttl = ttl.map_or(KV_TTL_DEFAULT, meaning);
                // SAFETY: convention 5.
                match unsafe { kv_set_if_absent(store, key, key_len, value, value_len, ttl) } {
                    KV_EXISTS => Ok(json!(false)),
                    status => ok(status).map(|_| json!(true)),
                }
            }
            Op::CompareAndSwap { key, version, value } => {
                let ((key, key_len), (value, value_len)) = (raw(key), raw(value));
                let version = memory[version];
                // SAFETY: conventions 5 and 6.
                number(|out| unsafe {
                    kv_compare_and_swap(store, key, key_len, version, value, value_len, out)
                })
            }
            Op::Compute { key, wish, value, ttl } => {
                let mut plan = Plan {
                    wish: *wish,
                    value: value.as_ref().map_or(&[], AsRef::as_ref),
                    ttl: ttl.map_or(KV_TTL_KEEP, meaning),
                };
                let ((data, len), user_data) = (raw(key), (&raw mut plan).cast());
                let mut version = 0;
                // SAFETY: conventions 5 and 6; `compute` is given the plan that it wants.
                ok(unsafe {
                    kv_compute(store, data, len, Some(compute), user_data, &mut version)
                })?;
                assert_eq!(self.version(key), json!((version != 0).then_some(version)));
                self.get(key.as_ref())
            }
            _ => unreachable!("{op:?} does not depend on what is there"),
        }
    }

    /// By the buffer of a usual program, and if that is too small, by one of the size that is told.
    fn get(&self, key: &[u8]) -> Result<Value, i32> {
        let (mut buffer, mut len) = (vec![0_u8; 256], 0);
        loop {
            let (data, size) = (buffer.as_mut_ptr().cast(), buffer.len());
            // SAFETY: conventions 5 and 6.
            match unsafe {
                kv_get(self.store, key.as_ptr().cast(), key.len(), data, size, &mut len)
            } {
                KV_NOT_FOUND => return Ok(Value::Null),
                KV_BUFFER_TOO_SMALL if len > size => buffer = vec![0; len],
                status => return ok(status).map(|_| shown(&buffer[..len])),
            }
        }
    }

    fn lifetime(&self, op: &Op) -> Result<Value, i32> {
        let store = self.store;
        match op {
            Op::Ttl { key } => {
                let ((key, key_len), mut left) = (raw(key), 0);
                // SAFETY: conventions 5 and 6.
                match unsafe { kv_ttl(store, key, key_len, &mut left) } {
                    KV_NOT_FOUND => Ok(Value::Null),
                    KV_OK if left == KV_TTL_NEVER => Ok(json!("never")),
                    status => ok(status).map(|_| json!(left)),
                }
            }
            Op::Expire { key, ttl } => {
                let ((key, key_len), ttl) = (raw(key), meaning(*ttl));
                // SAFETY: convention 5.
                found(unsafe { kv_expire(store, key, key_len, ttl) })
            }
            Op::Persist { key } => {
                let (key, key_len) = raw(key);
                // SAFETY: convention 5.
                found(unsafe { kv_persist(store, key, key_len) })
            }
            Op::Touch { key, ttl } => {
                let (key, key_len) = raw(key);
                // SAFETY: convention 5.
                found(unsafe { kv_touch(store, key, key_len, *ttl) })
            }
            _ => unreachable!("{op:?} is not about time"),
        }
    }

    /// As a value that is kept shows it.
    fn version(&self, key: &Bytes) -> Value {
        let ((key, key_len), mut value) = (raw(key), kv_value_t { id: 0 });
        // SAFETY: conventions 5 and 6.
        match unsafe { kv_get_value(self.store, key, key_len, &mut value) } {
            KV_NOT_FOUND => Value::Null,
            status => {
                assert_eq!(status, KV_OK);
                let mut entry = entry();
                // SAFETY: convention 8.
                assert_eq!(unsafe { kv_value_entry(value, &mut entry) }, KV_OK);
                assert_eq!(kv_value_free(value), KV_OK);
                json!(entry.version)
            }
        }
    }

    fn take(&self, key: &Bytes) -> Result<Value, i32> {
        let ((key, key_len), mut value) = (raw(key), kv_value_t { id: 0 });
        // SAFETY: conventions 5 and 6.
        let status = unsafe { kv_take(self.store, key, key_len, &mut value) };
        if status == KV_NOT_FOUND {
            return Ok(Value::Null);
        }
        ok(status)?;
        let mut bytes = kv_slice_t { data: ptr::null(), len: 0 };
        // SAFETY: convention 6.
        ok(unsafe { kv_value_slice(value, &mut bytes) })?;
        // SAFETY: it is readable until kv_value_free.
        let answer = shown(&unsafe { copy(&bytes) });
        ok(kv_value_free(value)).map(|_| answer)
    }

    fn keys(&self, prefix: &Bytes) -> Result<Value, i32> {
        let ((data, len), mut keys, mut count) = (raw(prefix), ptr::null_mut(), 0);
        // SAFETY: conventions 5 and 6.
        ok(unsafe { kv_keys(self.store, data, len, &mut keys, &mut count) })?;
        // SAFETY: on success it is an array of `count` slices.
        let found = unsafe { slice::from_raw_parts(keys, count) }.iter();
        // SAFETY: the bytes lie behind the array.
        let answer = found.map(|key| shown(&unsafe { copy(key) })).collect();
        // SAFETY: it came from kv_keys, and nothing refers to it any more.
        unsafe { kv_free(keys.cast()) };
        Ok(answer)
    }

    /// By an iterator and by a callback, which find the same.
    fn scan(&self, prefix: &Bytes) -> Result<Value, i32> {
        let (data, len) = raw(prefix);
        let (mut iterated, mut visited): (Vec<Found>, Vec<Found>) = (Vec::new(), Vec::new());
        let (mut iter, mut entry) = (kv_iter_t { id: 0 }, entry());
        // SAFETY: conventions 5 and 6.
        ok(unsafe { kv_iter_open(self.store, data, len, &mut iter) })?;
        // SAFETY: convention 8.
        while unsafe { kv_iter_next(iter, &mut entry) } == KV_OK {
            // SAFETY: the bytes are readable until the next call.
            iterated.push(unsafe { Found::new(&entry) });
        }
        ok(kv_iter_close(iter))?;
        let user_data = (&raw mut visited).cast();
        // SAFETY: convention 5; `visit` is given the vector that it wants.
        ok(unsafe { kv_scan(self.store, data, len, Some(visit), user_data) })?;
        iterated.sort();
        visited.sort();
        assert_eq!(iterated, visited);
        Ok(visited.iter().map(Found::pair).collect())
    }

    fn set_many(&self, entries: &[(Bytes, Bytes)], ttl: Option<Ttl>) -> Result<Value, i32> {
        let slice = |(data, len)| kv_slice_t { data, len };
        let pair = |(key, value)| kv_pair_t { key: slice(raw(key)), value: slice(raw(value)) };
        let pairs: Vec<_> = entries.iter().map(|(key, value)| pair((key, value))).collect();
        let (ttl, mut done) = (ttl.map_or(KV_TTL_DEFAULT, meaning), 0);
        // SAFETY: conventions 5 and 6.
        ok(unsafe { kv_set_many(self.store, pairs.as_ptr(), pairs.len(), ttl, &mut done) })?;
        assert_eq!(done, pairs.len());
        Ok(Value::Null)
    }

    fn get_many(&self, keys: &[Bytes]) -> Result<Value, i32> {
        let slices = slices(keys);
        let mut values = ptr::null_mut();
        // SAFETY: conventions 5 and 6.
        ok(unsafe { kv_get_many(self.store, slices.as_ptr(), slices.len(), &mut values) })?;
        let show = |slice: &kv_slice_t| {
            // SAFETY: on success a slice lies in the memory behind the array, or has no address.
            (!slice.data.is_null()).then(|| unsafe { copy(slice) })
        };
        // SAFETY: on success it is an array of as many slices as there are keys.
        let answer = unsafe { slice::from_raw_parts(values, keys.len()) }.iter();
        let answer = answer.map(|slice| show(slice).map_or(Value::Null, |value| shown(&value)));
        let answer = answer.collect();
        // SAFETY: it came from kv_get_many, and nothing refers to it any more.
        unsafe { kv_free(values.cast()) };
        Ok(answer)
    }

    fn figure(&self, name: Figure) -> Result<Value, i32> {
        let mut stats = mem::MaybeUninit::<kv_stats_t>::uninit();
        // SAFETY: convention 6; the size is that of the structure.
        ok(unsafe { kv_stats(self.store, stats.as_mut_ptr(), size_of::<kv_stats_t>()) })?;
        // SAFETY: every field was set.
        let stats = unsafe { stats.assume_init() };
        Ok(json!(match name {
            Figure::Entries => stats.entries,
            Figure::Bytes => stats.bytes,
            Figure::Evicted => stats.evicted,
            Figure::ExpiredActively => stats.expired_actively,
            Figure::ExpiredLazily => stats.expired_lazily,
        }))
    }
}

/// An entry that a listing came to.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    key: Vec<u8>,
    value: Vec<u8>,
    version: u64,
}

impl Found {
    /// # Safety
    ///
    /// The bytes of the entry are readable.
    unsafe fn new(entry: &kv_entry_t) -> Self {
        // SAFETY: the caller's promise.
        let (key, value) = unsafe { (copy(&entry.key), copy(&entry.value)) };
        Found { key, value, version: entry.version }
    }

    fn pair(&self) -> Value {
        json!([shown(&self.key), shown(&self.value)])
    }
}

/// A callback for kv_scan that adds the entry to a vector.
///
/// # Safety
///
/// `user_data` points to a `Vec<Found>` that nobody else uses meanwhile, `entry` to an entry.
unsafe extern "C" fn visit(user_data: *mut c_void, entry: *const kv_entry_t) -> i32 {
    // SAFETY: the caller's promise.
    let (found, entry) = unsafe { (&mut *user_data.cast::<Vec<Found>>(), &*entry) };
    // SAFETY: they are valid until this returns.
    found.push(unsafe { Found::new(entry) });
    0
}

/// What a compute is to do.
struct Plan<'a> {
    wish: Wish,
    value: &'a [u8],
    ttl: u64,
}

/// A callback for kv_compute that does what a plan says.
///
/// # Safety
///
/// `user_data` points to a `Plan`, `current` to an entry if it is not NULL.
unsafe extern "C" fn compute(
    user_data: *mut c_void,
    current: *const kv_entry_t,
    change: kv_change_t,
) -> i32 {
    // SAFETY: the caller's promise.
    let (plan, current) = unsafe { (&*user_data.cast::<Plan<'_>>(), current.as_ref()) };
    let mut value = match (plan.wish, current) {
        (Wish::Keep, _) => return KV_CHANGE_KEEP,
        (Wish::Remove, _) => return KV_CHANGE_REMOVE,
        // SAFETY: the bytes are readable until this returns.
        (Wish::Append, Some(entry)) => unsafe { copy(&entry.value) },
        (Wish::Append, None) | (Wish::Put, _) => Vec::new(),
    };
    value.extend_from_slice(plan.value);
    // SAFETY: convention 5.
    let put = unsafe { kv_change_put(change, value.as_ptr().cast(), value.len(), plan.ttl) };
    if put == KV_OK { KV_CHANGE_PUT } else { KV_CHANGE_ABORT }
}

/// A structure for an entry, prepared.
fn entry() -> kv_entry_t {
    let mut entry = mem::MaybeUninit::<kv_entry_t>::uninit();
    // SAFETY: convention 6; the size is that of the structure.
    assert_eq!(unsafe { kv_entry_init(entry.as_mut_ptr(), size_of::<kv_entry_t>()) }, KV_OK);
    // SAFETY: every field was set.
    unsafe { entry.assume_init() }
}

/// The bytes of a slice.
///
/// # Safety
///
/// It has an address, and its bytes are readable.
unsafe fn copy(bytes: &kv_slice_t) -> Vec<u8> {
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts(bytes.data.cast::<u8>(), bytes.len) }.to_vec()
}

/// Bytes as C passes them, NULL for none.
fn raw(bytes: &Bytes) -> (*const c_void, usize) {
    let bytes = bytes.as_ref();
    (if bytes.is_empty() { ptr::null() } else { bytes.as_ptr().cast() }, bytes.len())
}

fn slices(keys: &[Bytes]) -> Vec<kv_slice_t> {
    keys.iter().map(raw).map(|(data, len)| kv_slice_t { data, len }).collect()
}

fn meaning(ttl: Ttl) -> u64 {
    match ttl {
        Ttl::Ms(ms) => ms,
        Ttl::Word(TtlWord::Never) => KV_TTL_NEVER,
        Ttl::Word(TtlWord::Default) => KV_TTL_DEFAULT,
        Ttl::Word(TtlWord::Keep) => KV_TTL_KEEP,
    }
}

/// What a call writes to its last argument.
fn number(call: impl FnOnce(*mut u64) -> kv_status_t) -> Result<Value, i32> {
    let mut number = 0;
    ok(call(&mut number)).map(|_| json!(number))
}

fn ok(status: kv_status_t) -> Result<Value, i32> {
    if status == KV_OK { Ok(Value::Null) } else { Err(status) }
}

fn found(status: kv_status_t) -> Result<Value, i32> {
    if status == KV_NOT_FOUND { Ok(json!(false)) } else { ok(status).map(|_| json!(true)) }
}
