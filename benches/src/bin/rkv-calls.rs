//! `rkv-calls`: what a call of the C face costs over the same call in Rust.
//!
//! One thread, 16-byte keys and 64-byte values, all keys present, uniform. The C functions are
//! called as a C program calls a shared library: through a pointer, so that nothing of them is
//! compiled into the loop. All rows of a round run one after the other, odd rounds in the opposite
//! order. Where the entries of a store come to lie costs or saves as much as a call, so there are
//! several pairs of stores, and in every other one the C store is filled first. A figure is the
//! median of all rounds, a difference the median of all rounds' differences.

use clap::Parser;
use kv::{kv_get, kv_get_many, kv_get_many_ref, kv_get_ref, kv_guard_t, kv_slice_t, kv_store_t};
use rkv::Store;
use rkv_benches::keys::{ByteKey, ByteValue, Key, Value};
use rkv_benches::{document, record};
use std::ffi::c_void;
use std::hint::black_box;
use std::io;
use std::path::PathBuf;
use std::ptr;
use std::time::Instant;

/// The allocator of the benchmarks.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Entries, as powers of two: of stores that the cache holds, and of others.
const SIZES: [u32; 2] = [12, 16];
/// Pairs of stores.
const FIELDS: usize = 8;
/// Keys in a batch.
const BATCH: usize = 16;

/// Times calls of the C face beside those of Rust.
#[derive(Parser)]
struct CommandLine {
    /// Rounds for each pair of stores
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Keys that each row reads in a round
    #[arg(long, default_value_t = 200_000)]
    keys: usize,
    /// Put the table into the section for figures called `calls` of this document
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
}

/// One store in Rust and one in C with the same entries, and what reads of them need.
struct Field {
    store: Store,
    handle: kv_store_t,
    guard: kv_guard_t,
    keys: Vec<ByteKey>,
}

/// A way to read, and the row of Rust that it is compared with.
struct Row {
    name: &'static str,
    run: fn(&Field),
    beside: usize,
}

const ROWS: [Row; 7] = [
    Row { name: "Rust get_with", run: get_with, beside: 0 },
    Row { name: "C    kv_get", run: get_in_c, beside: 0 },
    Row { name: "Rust Session::get", run: session_get, beside: 2 },
    Row { name: "C    kv_get_ref", run: get_ref_in_c, beside: 2 },
    Row { name: "Rust get_many_with, 16 keys", run: get_many_with, beside: 4 },
    Row { name: "C    kv_get_many_ref, 16 keys", run: get_many_ref_in_c, beside: 4 },
    Row { name: "C    kv_get_many, 16 keys", run: get_many_in_c, beside: 4 },
];

fn main() -> io::Result<()> {
    let command_line = CommandLine::parse();
    let mut text = record::circumstances("rkv-calls").join("\n");
    for log2 in SIZES {
        text += &table(log2, &command_line);
    }
    println!("{text}");
    command_line.document.map_or(Ok(()), |file| document::write_figures(&file, "calls", &text))
}

/// The figures of stores of one size.
fn table(log2: u32, command_line: &CommandLine) -> String {
    let mut seconds = Vec::new();
    for number in 0..FIELDS {
        let field = Field::new(log2, command_line.keys, number % 2 == 1);
        seconds.extend((0..command_line.rounds.max(1)).map(|round| run(&field, round)));
    }
    let (entries, rounds) = (1 << log2, seconds.len());
    let mut text = format!(
        "\n\n{entries} entries, one thread: ns a key, median of {rounds} rounds\n{:32}{:>8}{:>16}",
        "", "ns", "over Rust, ns"
    );
    let per_key = 1e9 / (command_line.keys / BATCH * BATCH) as f64;
    for (at, row) in ROWS.iter().enumerate() {
        let ns = median(seconds.iter().map(|round| round[at]).collect()) * per_key;
        let over = seconds.iter().map(|round| round[at] - round[row.beside]).collect();
        let over = median(over) * per_key;
        let over = if row.beside == at { String::new() } else { format!("{over:.1}") };
        text += &format!("\n{:32}{ns:>8.1}{over:>16}", row.name);
    }
    text
}

/// The seconds of each row in one round.
fn run(field: &Field, round: usize) -> [f64; ROWS.len()] {
    let mut order: Vec<usize> = (0..ROWS.len()).collect();
    if round % 2 == 1 {
        order.reverse();
    }
    let mut seconds = [0.0; ROWS.len()];
    for row in order {
        let begun = Instant::now();
        (ROWS[row].run)(field);
        seconds[row] = begun.elapsed().as_secs_f64();
    }
    seconds
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

impl Field {
    /// Two stores of 2^`log2` entries, one filled after the other.
    fn new(log2: u32, keys: usize, c_first: bool) -> Field {
        let store = Store::new();
        let (mut handle, mut guard) = (kv_store_t { id: 0 }, kv_guard_t { thread: 0, id: 0 });
        // SAFETY: the place for the handle lives; no options are the default.
        assert_eq!(unsafe { kv::kv_open(ptr::null(), &mut handle) }, 0);
        for in_c in [c_first, !c_first] {
            for index in 0..1 << log2 {
                let (key, value) = (ByteKey::at(index), ByteValue::of(index, 0));
                if in_c {
                    set_in_c(handle, &key, &value);
                } else {
                    store.set(key, value).expect("memory for a record");
                }
            }
        }
        // SAFETY: the place for the guard lives.
        assert_eq!(unsafe { kv::kv_pin(handle, &mut guard) }, 0);
        // The steps of Knuth's MMIX; only the high bits are good.
        let step = |state: &mut u64| {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            Some(*state >> (64 - log2))
        };
        let indexes =
            std::iter::repeat_n((), keys / BATCH * BATCH).scan(1, |state, ()| step(state));
        Field { store, handle, guard, keys: indexes.map(ByteKey::at).collect() }
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        assert_eq!(kv::kv_unpin(self.guard), 0);
        assert_eq!(kv::kv_close(self.handle), 0);
    }
}

fn set_in_c(store: kv_store_t, key: &ByteKey, value: &ByteValue) {
    let (data, key_len) = (key.as_ptr().cast(), key.len());
    // SAFETY: both point to as many bytes as is said.
    let set = unsafe { kv::kv_set(store, data, key_len, value.as_ptr().cast(), value.len()) };
    assert_eq!(set, 0);
}

/// A key as a slice whose length the compiler does not know, as in C.
fn any_length(key: &ByteKey) -> &[u8] {
    black_box(key.as_slice())
}

fn get_with(field: &Field) {
    let mut out = [0_u8; 64];
    for key in &field.keys {
        let copy = |value: &[u8]| out[..value.len()].copy_from_slice(value);
        black_box(field.store.get_with(any_length(key), copy));
        black_box(&out);
    }
}

fn get_in_c(field: &Field) {
    let get: unsafe extern "C" fn(_, _, _, _, _, _) -> _ = black_box(kv_get);
    let (mut out, mut len) = ([0_u8; 64], 0);
    for key in &field.keys {
        let (data, buffer) = (key.as_ptr().cast::<c_void>(), out.as_mut_ptr().cast::<c_void>());
        // SAFETY: all pointers are to as many bytes as is said.
        assert_eq!(unsafe { get(field.handle, data, key.len(), buffer, out.len(), &mut len) }, 0);
        black_box(&out);
    }
}

fn session_get(field: &Field) {
    let mut session = field.store.session();
    for key in &field.keys {
        black_box(session.get(any_length(key)));
    }
}

fn get_ref_in_c(field: &Field) {
    let get: unsafe extern "C" fn(_, _, _, _) -> _ = black_box(kv_get_ref);
    let mut value = kv_slice_t { data: ptr::null(), len: 0 };
    for key in &field.keys {
        let data = key.as_ptr().cast::<c_void>();
        // SAFETY: the key has as many bytes as is said, and the place for the answer lives.
        assert_eq!(unsafe { get(field.guard, data, key.len(), &mut value) }, 0);
        black_box(&value);
    }
}

fn get_many_with(field: &Field) {
    for keys in field.keys.chunks(BATCH) {
        let keys: [&[u8]; BATCH] = std::array::from_fn(|at| any_length(&keys[at]));
        field.store.get_many_with(&keys, |_, value| {
            black_box(value);
        });
    }
}

fn slices(keys: &[ByteKey]) -> [kv_slice_t; BATCH] {
    std::array::from_fn(|at| kv_slice_t { data: keys[at].as_ptr().cast(), len: keys[at].len() })
}

fn get_many_ref_in_c(field: &Field) {
    let get: unsafe extern "C" fn(_, _, _, _) -> _ = black_box(kv_get_many_ref);
    let mut values = [kv_slice_t { data: ptr::null(), len: 0 }; BATCH];
    for keys in field.keys.chunks(BATCH) {
        let keys = slices(keys);
        // SAFETY: the slices are of keys that live, and there is a place for each answer.
        assert_eq!(unsafe { get(field.guard, keys.as_ptr(), BATCH, values.as_mut_ptr()) }, 0);
        black_box(&values);
    }
}

fn get_many_in_c(field: &Field) {
    let get: unsafe extern "C" fn(_, _, _, _) -> _ = black_box(kv_get_many);
    let mut values = ptr::null_mut();
    for keys in field.keys.chunks(BATCH) {
        let keys = slices(keys);
        // SAFETY: the slices are of keys that live, and the place for the answer lives.
        assert_eq!(unsafe { get(field.handle, keys.as_ptr(), BATCH, &mut values) }, 0);
        black_box(values);
        // SAFETY: it came from kv_get_many.
        unsafe { kv::kv_free(values.cast()) };
    }
}
