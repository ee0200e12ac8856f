//! The figures of a store as Python dictionaries. `rkv/_stats.py` says what they mean.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use rkv::{ExpiryLag, Stats};

/// All figures.
///
/// # Errors
///
/// `MemoryError`
pub(crate) fn dict<'py>(py: Python<'py>, stats: &Stats) -> PyResult<Bound<'py, PyDict>> {
    let epoch = PyDict::new(py);
    epoch.set_item("pinned_guards", stats.epoch.pinned_guards)?;
    epoch.set_item("oldest_pin_ms", stats.epoch.oldest_pin_ms)?;
    epoch.set_item("retired_bytes", stats.epoch.retired_bytes)?;
    let all = PyDict::new(py);
    all.set_item("entries", stats.entries)?;
    all.set_item("bytes", stats.bytes)?;
    all.set_item("evicted", stats.evicted)?;
    all.set_item("expired_actively", stats.expired_actively)?;
    all.set_item("expired_lazily", stats.expired_lazily)?;
    all.set_item("expiry_lag", lag(py, stats.expiry_lag)?)?;
    all.set_item("timers", stats.timers)?;
    all.set_item("stale_timers", stats.stale_timers)?;
    all.set_item("shards", stats.shards)?;
    all.set_item("buckets", stats.buckets)?;
    all.set_item("links", stats.links)?;
    all.set_item("table_bytes", stats.table_bytes)?;
    all.set_item("epoch", epoch)?;
    Ok(all)
}

/// The engine's spans are whole milliseconds.
fn lag(py: Python<'_>, lag: ExpiryLag) -> PyResult<Bound<'_, PyDict>> {
    let all = PyDict::new(py);
    all.set_item("p50_ms", lag.p50.as_millis() as u64)?;
    all.set_item("p99_ms", lag.p99.as_millis() as u64)?;
    all.set_item("max_ms", lag.max.as_millis() as u64)?;
    Ok(all)
}
