//! Instructions per operation, counted by Valgrind through gungraun: no noise, so a regression of a
//! few instructions shows.
//!
//! Each benchmark does 10,000 operations, so an operation costs a ten-thousandth of what is
//! reported. A store has hash seeds of its own in each process: counts differ by a few in a
//! thousand between two runs. 65,536 entries, 16-byte keys, 64-byte values, one thread.

#![expect(missing_docs, reason = "the macros of gungraun make undocumented items")]

use gungraun::prelude::*;
use gungraun::{Callgrind, EventKind};
use rkv::Store;
use rkv_benches::keys::{ByteKey, ByteValue, Key, Value};
use std::hint::black_box;

/// The allocator of the benchmarks.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ENTRIES: u64 = 1 << 16;

/// The keys of one benchmark; a power of ten, so that a count is read by moving its point.
const OPERATIONS: u64 = 10_000;

/// A filled store and the keys of the operations, spread over it.
struct Field {
    store: Store,
    keys: Vec<ByteKey>,
}

/// A field whose keys are present.
fn hits() -> Field {
    field(0)
}

/// A field whose keys are absent.
fn misses() -> Field {
    field(ENTRIES)
}

/// A filled store of C, and the same keys.
struct CField {
    store: kv::kv_store_t,
    keys: Vec<ByteKey>,
}

fn c_hits() -> CField {
    let keys = hits().keys;
    let mut store = kv::kv_store_t { id: 0 };
    // SAFETY: the place for the handle lives; no options are the default.
    assert_eq!(unsafe { kv::kv_open(std::ptr::null(), &mut store) }, 0);
    for index in 0..ENTRIES {
        let (key, value) = (ByteKey::at(index), ByteValue::of(index, 0));
        let (key, key_len) = (key.as_ptr().cast(), key.len());
        // SAFETY: both point to as many bytes as is said.
        let set = unsafe { kv::kv_set(store, key, key_len, value.as_ptr().cast(), value.len()) };
        assert_eq!(set, 0);
    }
    rkv::flush();
    CField { store, keys }
}

fn field(first: u64) -> Field {
    let store = Store::new();
    for index in 0..ENTRIES {
        store.set(ByteKey::at(index), ByteValue::of(index, 0)).expect("memory for a record");
    }
    let spread = |step| first + step * (ENTRIES / OPERATIONS);
    let keys: Vec<ByteKey> = (0..OPERATIONS).map(spread).map(ByteKey::at).collect();
    // What a thread does once, and what is left over from filling, is not what is counted.
    for key in &keys {
        assert_eq!(store.contains(key), first == 0);
    }
    rkv::flush();
    Field { store, keys }
}

#[library_benchmark]
#[bench::hit(hits())]
#[bench::miss(misses())]
fn get_x10000(field: Field) -> Field {
    for key in &field.keys {
        black_box(field.store.get_with(key, |value| ByteValue::try_from(value)));
    }
    field
}

// As `get`, through the function that C programs call; the key's length is not known beforehand.
#[library_benchmark]
#[bench::hit(c_hits())]
fn kv_get_x10000(field: CField) -> CField {
    let get: unsafe extern "C" fn(_, _, _, _, _, _) -> _ = black_box(kv::kv_get);
    let (mut value, mut len) = ([0_u8; 64], 0);
    for key in &field.keys {
        let (data, buffer) = (key.as_ptr().cast(), value.as_mut_ptr().cast());
        // SAFETY: all pointers are to as many bytes as is said.
        black_box(unsafe { get(field.store, data, key.len(), buffer, value.len(), &mut len) });
    }
    field
}

// As `get`, of keys whose length is not known beforehand.
#[library_benchmark]
#[bench::hit(hits())]
fn get_of_any_length_x10000(field: Field) -> Field {
    for key in &field.keys {
        let key: &[u8] = black_box(key);
        black_box(field.store.get_with(key, |value| ByteValue::try_from(value)));
    }
    field
}

#[library_benchmark]
#[bench::hit(hits())]
#[bench::miss(misses())]
fn session_get_x10000(field: Field) -> Field {
    let mut session = field.store.session();
    for key in &field.keys {
        black_box(session.get(key).map(ByteValue::try_from));
    }
    drop(session);
    field
}

#[library_benchmark]
#[bench::hit(hits())]
fn get_many_of_16_x10000(field: Field) -> Field {
    for keys in field.keys.chunks(16) {
        field.store.get_many_with(keys, |_, value| {
            black_box(value.map(ByteValue::try_from));
        });
    }
    field
}

#[library_benchmark]
#[bench::overwrite(hits())]
fn set_x10000(field: Field) -> Field {
    for key in &field.keys {
        let set = field.store.set(key, [1; 64]);
        black_box(set).expect("memory for a record");
    }
    field
}

#[library_benchmark]
#[bench::hit(hits())]
fn delete_x10000(field: Field) -> Field {
    for key in &field.keys {
        black_box(field.store.delete(key)).expect("a delete succeeds");
    }
    field
}

library_benchmark_group!(
    name = operations,
    benchmarks = [
        get_x10000,
        get_of_any_length_x10000,
        kv_get_x10000,
        session_get_x10000,
        get_many_of_16_x10000,
        set_x10000,
        delete_x10000
    ]
);

main!(
    config = LibraryBenchmarkConfig::default()
        .tool(Callgrind::with_args(["--cache-sim=no"]).format([EventKind::Ir])),
    library_benchmark_groups = operations
);
