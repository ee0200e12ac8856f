//! When may an unlinked record be freed? A thin layer over crossbeam-epoch.
//!
//! A thread *pins* before it reads shared pointers. What it unlinks it *retires*: the garbage is
//! collected in batches, each batch is deferred to crossbeam as one closure, and that closure only
//! moves the batch to the *ready list* of its domain. Freeing, and with it the `Drop` of user
//! types, happens later, outside of any pin of ours: at the end of writes, in bounded portions, and
//! in `flush`. So no reader ever pays for somebody else's garbage inside of its pin.
//!
//! # Invariants
//!
//! 1. Garbage is freed only after every guard that was live when it was retired has ended.
//! 2. Each piece of garbage is freed exactly once.
//! 3. A participant belongs to one thread; guards keep their participant alive.
//! 4. Nothing of a domain that was inherited through `fork` is ever freed.

mod garbage;
mod participant;
#[cfg(not(rkv_loom))]
mod process;

pub(crate) use garbage::{Garbage, Retire};
#[cfg(all(test, rkv_loom))]
pub(crate) use participant::Domain;
pub(crate) use participant::{Guard, Participant};
#[cfg(not(rkv_loom))]
pub use process::flush;
#[cfg(not(rkv_loom))]
pub(crate) use process::{birth, figures, generation, pin, register, without_freeing};

/// Models do not fork.
#[cfg(rkv_loom)]
pub(crate) fn generation() -> u64 {
    0
}

/// What the process's memory reclamation is doing; part of the statistics of a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EpochStats {
    /// Threads and sessions that are pinned now. Each holds back the freeing of retired memory.
    pub pinned_guards: u64,
    /// Age in milliseconds of the oldest pin held by a session or a C guard; 0 when there is none.
    pub oldest_pin_ms: u64,
    /// Bytes handed over for freeing and not freed yet. Up to 64 KiB a thread more may wait in
    /// batches that are not handed over yet.
    pub retired_bytes: u64,
}
