//! A key/value engine for programs of many threads: a concurrent map and a byte store on one
//! lock-free table.
//!
//! * [`Map`] is a concurrent hash map for any key and value, with the methods of papaya's.
//! * [`Store`] keeps byte strings by name, with atomic counters, compare-and-swap and listing.
//!
//! Reads, writes and resizes of both are lock-free: a thread that stops inside of one blocks no
//! other thread's. Reclamation of memory waits for stopped readers.
//!
//! `docs/rust.md` in the repository shows all of it in ten minutes.

#![deny(unsafe_code)]
#![cfg_attr(
    rkv_loom,
    allow(dead_code, unused_imports, reason = "loom sees the table and the epoch, not the faces")
)]

#[cfg(not(target_pointer_width = "64"))]
compile_error!("rkv packs tags into the upper bits of 64-bit pointers");

mod error;
mod sync;
mod clock;
mod hash;
#[expect(unsafe_code, reason = "raw memory")]
mod memory;
#[expect(unsafe_code, reason = "memory reclamation")]
mod epoch;
#[expect(unsafe_code, reason = "the lock-free table")]
mod table;
mod wheel;
mod evict;
#[cfg(not(rkv_loom))]
mod map;
#[cfg(not(rkv_loom))]
mod store;

#[cfg(all(test, rkv_loom))]
#[expect(unsafe_code, reason = "records and reclaimers for the models")]
mod models;

pub use clock::ManualClock;
pub use epoch::EpochStats;
#[cfg(not(rkv_loom))]
pub use epoch::flush;
pub use error::{BatchError, Error, Result, code};
#[cfg(not(rkv_loom))]
pub use map::{
    Compute, DefaultHashBuilder, Iter, Keys, Map, MapBuilder, OccupiedError, Operation, Pinned,
    Values,
};
#[cfg(not(rkv_loom))]
pub use store::{
    Computed, ENTRY_BYTES, Eviction, ExpiryLag, KEY_BYTES_MAX, Op, Pin, Remaining, Scan, Session,
    SetOptions, SetResult, Stats, Store, StoreBuilder, Ttl, VALUE_BYTES_MAX, Value,
};

/// The guide's code, which is compiled and run as that of this documentation is.
#[cfg(doctest)]
#[doc = include_str!("../../docs/rust.md")]
struct Guide;
