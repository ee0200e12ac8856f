//! The table of cases that all faces must agree on, run against the functions of kv.h.

use std::ffi::c_void;
use std::{fs, mem, ptr, slice};

use kv::*;
use serde_json::{Value, json};

#[path = "../../../conformance/table.rs"]
#[expect(dead_code, reason = "nobody reads the fields of the operations that C lacks")]
mod table;

use table::{Bytes, Face, Figure, Memory, Op, Options, Policy, Ttl, TtlWord, shown};

use crate::symbols::declared;
use crate::toolchain::repository;

#[test]
fn c_face_answers_as_the_table_says() {
    let ran = table::run::<C>();
    assert!(ran.cases > 140, "cases got lost: {ran:?}");
}

#[test]
fn case_that_is_wrong_is_seen_by_the_c_face() {
    assert_eq!(table::wrong_and_not_seen::<C>(), [""; 0]);
}

#[test]
fn what_is_left_out_of_the_table_is_not_in_the_header() {
    let header = declared(&fs::read_to_string(repository().join("include/kv.h")).unwrap());
    assert!(header.contains("kv_get"), "{header:?}");
    for name in C::LACKS.iter().map(|name| format!("kv_{name}")) {
        assert!(!header.contains(&name), "{name} is there: run its cases");
    }
}

struct C {
    store: kv_store_t,
}

impl Face for C {
    const NAME: &'static str = "c";
    const LACKS: &'static [&'static str] = &[
        "set_if_absent",
        "contains",
        "compare_and_swap",
        "take",
        "compute",
        "keys",
        "set_many",
        "delete_many",
        "clear",
    ];

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

    fn run(&self, op: &Op, _: &Memory) -> Result<Value, i32> {
        match op {
            Op::Set { .. } | Op::Delete { .. } | Op::Incr { .. } => self.write(op),
            Op::Get { key } => self.get(key.as_ref()),
            Op::Version { key } => Ok(self.version(key.as_ref())),
            Op::Ttl { .. } | Op::Expire { .. } | Op::Persist { .. } | Op::Touch { .. } => {
                self.lifetime(op)
            }
            Op::PurgeExpired {} => {
                // SAFETY: convention 6.
                number(|out| unsafe { kv_purge_expired(self.store, out) })
            }
            Op::Advance {} => {
                // SAFETY: convention 6.
                let wait = number(|out| unsafe { kv_advance(self.store, out) })?;
                Ok(if wait == json!(KV_NOTHING_DUE) { Value::Null } else { json!("later") })
            }
            Op::ClockAdvance { ms } => ok(kv_clock_advance(self.store, *ms)),
            // SAFETY: convention 6.
            Op::Count {} => number(|out| unsafe { kv_count(self.store, out) }),
            Op::Scan { prefix } => Ok(self.scan(prefix.as_ref()).iter().map(Found::pair).collect()),
            Op::GetMany { keys } => self.get_many(keys),
            Op::Figure { name } => self.figure(*name),
            Op::Fill { .. } => unreachable!("it is made of sets"),
            Op::SetIfAbsent { .. }
            | Op::Contains { .. }
            | Op::CompareAndSwap { .. }
            | Op::Take { .. }
            | Op::Compute { .. }
            | Op::Keys { .. }
            | Op::SetMany { .. }
            | Op::DeleteMany { .. }
            | Op::Clear {} => unreachable!("{op:?} is left out"),
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

    /// As a scan shows it.
    fn version(&self, key: &[u8]) -> Value {
        let found = self.scan(key);
        json!(found.iter().find(|entry| entry.key == key).map(|entry| entry.version))
    }

    /// The entries below a prefix, sorted.
    fn scan(&self, prefix: &[u8]) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        let (data, user_data) = (prefix.as_ptr().cast(), (&raw mut found).cast());
        // SAFETY: convention 5; `take` is given the vector that it wants.
        let status = unsafe { kv_scan(self.store, data, prefix.len(), Some(take), user_data) };
        assert_eq!(status, KV_OK);
        found.sort_by(|a, b| a.key.cmp(&b.key));
        found
    }

    fn get_many(&self, keys: &[Bytes]) -> Result<Value, i32> {
        let slices: Vec<_> =
            keys.iter().map(raw).map(|(data, len)| kv_slice_t { data, len }).collect();
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

/// An entry that a scan came to.
struct Found {
    key: Vec<u8>,
    value: Vec<u8>,
    version: u64,
}

impl Found {
    fn pair(&self) -> Value {
        json!([shown(&self.key), shown(&self.value)])
    }
}

/// A callback for kv_scan that adds the entry to a vector.
///
/// # Safety
///
/// `user_data` points to a `Vec<Found>` that nobody else uses meanwhile, `entry` to an entry.
unsafe extern "C" fn take(user_data: *mut c_void, entry: *const kv_entry_t) -> i32 {
    // SAFETY: the caller's promise.
    let (found, entry) = unsafe { (&mut *user_data.cast::<Vec<Found>>(), &*entry) };
    // SAFETY: they are valid until this returns.
    let (key, value) = unsafe { (copy(&entry.key), copy(&entry.value)) };
    found.push(Found { key, value, version: entry.version });
    0
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
