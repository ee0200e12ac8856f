//! What a `Store` does when the system refuses memory, and that it gives back what it took.
//!
//! A test binary of its own, because it brings its own allocator, which records must come from.

#![cfg(not(feature = "mimalloc"))]

mod allocator;
mod given_back;
mod refused_arrays;
mod refused_bounds;
mod refused_records;
mod refused_timers;
