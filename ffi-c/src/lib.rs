//! The C face of rkv: `libkv.so`, `libkv.a` and `include/kv.h`.
//!
//! Each exported function checks its arguments, enters the store that the handle names, calls the
//! engine and turns the result into a status. There is no logic of its own behind that, and no
//! panic leaves a function: every body runs inside `boundary`.
//!
//! The rules for callers are the numbered conventions at the head of `kv.h`; they stand in
//! `cbindgen.toml`, and the comments on unsafe code cite them. The exported functions are written
//! out one by one because cbindgen does not see those that a macro makes.

// The loom models compile `slot.rs` and `free.rs` alone.
#![cfg(not(rkv_loom))]
#![expect(
    clippy::missing_safety_doc,
    reason = "what a C caller owes is said once, in the conventions of kv.h"
)]
#![expect(non_camel_case_types, reason = "C types carry the names that C programs use")]

#[cfg(not(panic = "unwind"))]
compile_error!("libkv reports panics as KV_ERR_PANIC and needs panic = \"unwind\"");

#[cfg(not(target_pointer_width = "64"))]
compile_error!("rkv needs a 64-bit target");

mod barrier;
mod sync;
mod calls;
mod stripe;
mod version;
mod status;
mod failure;
mod boundary;
mod slot;
mod free;
mod table;
mod handle;
mod lifetime;
mod options;
mod entry;
mod store;
mod ttl;
mod clock;
mod scan;
mod value;
mod conditional;
mod compute;
mod block;
mod listing;
mod iterate;
mod guard;
mod pin;
mod batch;
mod stats;

pub use batch::*;
pub use clock::*;
pub use compute::*;
pub use conditional::*;
pub use entry::*;
pub use failure::kv_last_error_message;
pub use guard::kv_guard_t;
pub use handle::kv_store_t;
pub use iterate::*;
pub use lifetime::{KV_TTL_DEFAULT, KV_TTL_KEEP, KV_TTL_NEVER};
pub use listing::*;
pub use options::*;
pub use pin::*;
pub use scan::*;
pub use stats::*;
pub use status::*;
pub use store::*;
pub use ttl::*;
pub use value::*;
pub use version::*;
