//! Single operations of rkv on one thread, timed by criterion.
//!
//! 65,536 entries, 16-byte keys and 64-byte values or `u64` to `u64`, all keys present, uniform.
//! Each figure includes the making of a key, about a nanosecond.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rkv::{Map, Store};
use rkv_benches::keys::{ByteKey, ByteValue, Key, Value};
use std::hint::black_box;

/// The allocator of the benchmarks.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Entries in each store and map, as a power of two.
const LOG2: u32 = 16;

/// Keys in a batch.
const BATCH: usize = 16;

/// Indexes of entries, uniform. Cheaper than a true generator of random numbers.
struct Indexes(u64);

impl Indexes {
    fn next(&mut self) -> u64 {
        // The steps of Knuth's MMIX; only the high bits are good.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.0 >> (64 - LOG2)
    }

    fn key(&mut self) -> ByteKey {
        ByteKey::at(self.next())
    }
}

fn filled_store() -> Store {
    let store = Store::new();
    for index in 0..1 << LOG2 {
        store.set(ByteKey::at(index), ByteValue::of(index, 0)).expect("memory for a record");
    }
    store
}

fn store_operations(criterion: &mut Criterion) {
    let store = filled_store();
    let mut indexes = Indexes(1);
    let mut out = ByteValue::of(0, 0);
    let mut group = criterion.benchmark_group("store");
    group.bench_function("get", |bench| {
        bench.iter(|| store.get_with(indexes.key(), |value| out.copy_from_slice(value)));
    });
    group.bench_function("get, session", |bench| {
        let mut session = store.session();
        bench.iter(|| session.get(indexes.key()).map(|value| out.copy_from_slice(value)));
    });
    group.bench_function("set", |bench| {
        bench.iter(|| {
            let index = indexes.next();
            store.set(ByteKey::at(index), ByteValue::of(index, 1))
        });
    });
    group.bench_function("delete and set", |bench| {
        bench.iter(|| {
            let index = indexes.next();
            black_box(store.delete(ByteKey::at(index)).expect("a delete succeeds"));
            store.set(ByteKey::at(index), ByteValue::of(index, 2))
        });
    });
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("get_many of 16", |bench| {
        let mut values = [out; BATCH];
        let keys = || [(); BATCH].map(|()| indexes.key());
        let get = |keys: [ByteKey; BATCH]| {
            store.get_many_with(&keys, |place, value| {
                values[place].copy_from_slice(value.expect("all keys are present"));
            });
        };
        bench.iter_batched(keys, get, BatchSize::SmallInput);
    });
    group.finish();
}

fn map_operations(criterion: &mut Criterion) {
    let map: Map<u64, u64> = Map::new();
    for index in 0..1 << LOG2 {
        map.pin().insert(u64::at(index), index);
    }
    let mut indexes = Indexes(1);
    let mut group = criterion.benchmark_group("map");
    group.bench_function("get", |bench| {
        bench.iter(|| map.pin().get(&u64::at(indexes.next())).copied());
    });
    group.bench_function("get, pinned", |bench| {
        let pinned = map.pin();
        bench.iter(|| pinned.get(&u64::at(indexes.next())).copied());
    });
    group.bench_function("insert", |bench| {
        bench.iter(|| {
            let index = indexes.next();
            map.pin().insert(u64::at(index), index).copied()
        });
    });
    group.finish();
}

criterion_group!(operations, store_operations, map_operations);
criterion_main!(operations);
