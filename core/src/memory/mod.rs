//! Where memory comes from: bucket arrays from the system, records from the allocator.
//!
//! All of it can be refused, and nothing here panics when it is.

pub(crate) mod array;
mod block;
mod pages;
mod cache;
mod prefetch;
#[cfg(all(test, not(rkv_loom)))]
mod returns;

pub(crate) use block::{allocate, drain_cache, drop_boxed, fits_in_word, free, try_box};
#[cfg(all(test, rkv_loom))]
pub(crate) use cache::Cache;
pub(crate) use prefetch::prefetch;

/// The size of a cache line.
pub(crate) const LINE: usize = 64;
