//! What hashing a key costs, by criterion: ahash beside other hashers with random seeds.
//!
//! ahash chooses its algorithm when it is compiled: with `-C target-feature=+aes` it uses the
//! processor's AES rounds, without them it multiplies. `make hashes` runs both.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use std::hash::BuildHasher;
use std::hint::black_box;

/// Lengths of keys in bytes.
const LENGTHS: [usize; 4] = [8, 16, 32, 64];

const AHASH: &str = if cfg!(target_feature = "aes") { "ahash (aes)" } else { "ahash (fallback)" };

fn measure<S: BuildHasher>(criterion: &mut Criterion, name: &str, hasher: &S) {
    let mut group = criterion.benchmark_group(name);
    for length in LENGTHS {
        let key = vec![0x5a_u8; length];
        // A slice of unknown length, as the keys of a store are.
        group.bench_with_input(BenchmarkId::from_parameter(length), &key, |bench, key| {
            bench.iter(|| hasher.hash_one(black_box(key.as_slice())));
        });
    }
    group.finish();
}

fn hashes(criterion: &mut Criterion) {
    measure(criterion, AHASH, &ahash::RandomState::new());
    measure(criterion, "foldhash (quality)", &foldhash::quality::RandomState::default());
    measure(criterion, "rapidhash (quality)", &rapidhash::quality::RandomState::default());
}

criterion_group!(all, hashes);
criterion_main!(all);
