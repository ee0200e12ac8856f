//! Exhaustive models of rkv's protocols: every interleaving of a few threads, one atomic access at
//! a time, under sequential consistency.
//!
//! `explore` visits all states of a protocol, with `monitor` for linearizability; each further file
//! models one protocol as docs/concurrency.md describes it, with scenarios that must hold and
//! planted bugs that must be caught. `cargo run --release -p rkv-models` runs them all.

mod explore;
mod monitor;
mod scenario;
mod table;

mod steady;
mod link;
mod resize;
mod overflow;
mod version;
mod deadline;
mod token;
mod root;

pub mod suite;

pub use explore::{At, Protocol, Report, Role, STATES_MAX, Step, THREADS_MAX, Violation, explore};
pub use scenario::{Expect, Scenario};
