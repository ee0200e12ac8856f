//! How fast rkv is beside other concurrent maps, measured so that anyone can repeat it.
//!
//! Every engine is one adapter in `engines`, every workload one row in `workload`; `drive` runs
//! one workload on one engine, `runner` runs all of them side by side in one process, and `score`,
//! `grid`, `chart`, `record` and `document` show what came out. `latency` times single operations
//! for `rkv-latency`, `memory` holds the endurance runs of `rkv-memory`, `expiry` those of
//! `rkv-expiry`, and `bounded` the caches of `rkv-bounded`.
//! Method and caveats: `docs/benchmarks.md`.

#![forbid(unsafe_code)]

pub mod keys;
pub mod zipf;
pub mod workload;
pub mod engine;
pub mod expiry;
pub mod engines;
pub mod drive;
pub mod latency;
pub mod entrant;
pub mod resident;
pub mod plan;
pub mod progress;
pub mod runner;
pub mod score;
pub mod grid;
pub mod bars;
pub mod chart;
pub mod record;
pub mod document;
pub mod memory;
pub mod bounded;
