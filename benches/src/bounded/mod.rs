//! Caches with a bound, filled from a trace: how often they hit, and how fast they are.
//!
//! Each request is a get; where it misses, a set follows, as a program does that keeps what is slow
//! to make. `trace` draws the requests, `caches` are the engines, `drive` runs a trace through a
//! cache, `contest` runs all caches side by side, and `table` and `chart` show what came out.

pub mod trace;
pub mod caches;
pub mod drive;
pub mod contest;
pub mod table;
pub mod chart;
