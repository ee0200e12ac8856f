//! What rkv promises, tested through its public face: one module per promise.

mod cases;
mod census;
mod dice;
mod hashers;
mod history;
mod maps;
mod payload;

mod bounds;
mod differential_map;
mod differential_store;
mod differential_ttl;
mod drops;
mod limits;
mod map;
mod panicking_drops;
mod panics;
mod scan;
mod seeds;
mod store;
mod stress;
mod ttl;
