//! The native half of the Python package `rkv`: imported as `rkv._rkv`, re-exported by `rkv`.
//!
//! This crate converts arguments, results and errors, and holds no logic of its own. Its rules:
//!
//! 1. No Python code runs, and no Python container is made, while the engine is inside a call. The
//!    function of `compute` runs where the engine has let go of everything.
//! 2. Calls of nanoseconds keep the interpreter; calls that grow with the store release it.
//! 3. An engine error becomes the exception class of its code; a panic becomes `rkv.Panic`.
//! 4. Importing starts no thread. Nothing is written with `unsafe` but the buffer of `value`, which
//!    Python reads by its address.
#![deny(unsafe_code)]

use pyo3::prelude::*;
use pyo3::types::PyDict;

mod error;
mod octets;
mod encoding;
mod lifetime;
mod clock;
mod options;
mod figures;
#[expect(unsafe_code, reason = "the buffer protocol")]
mod value;
mod store;
mod iterate;
mod batch;
mod listing;
mod compute;
mod mapping;
mod memory;
mod methods;

/// The native half of rkv; use the package `rkv`.
#[pymodule(gil_used = false)]
fn _rkv(module: &Bound<'_, PyModule>) -> PyResult<()> {
    error::add_to(module)?;
    module.add_class::<store::Store>()?;
    module.add_class::<value::Value>()?;
    module.add_class::<clock::ManualClock>()?;
    module.add_class::<lifetime::Keep>()?;
    module.add("KEEP", lifetime::Keep)?;
    module.add_class::<compute::Delete>()?;
    module.add("DELETE", compute::Delete)?;
    module.add("ENTRY_BYTES", rkv::ENTRY_BYTES)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("BUILD", build_facts(module.py())?)
}

/// How this extension was built, for `python -m rkv` and for bug reports.
fn build_facts(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let facts = PyDict::new(py);
    facts.set_item("version", env!("CARGO_PKG_VERSION"))?;
    facts.set_item("profile", if cfg!(debug_assertions) { "debug" } else { "release" })?;
    facts.set_item("target", format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS))?;
    facts.set_item("abi", if cfg!(feature = "abi3") { "abi3" } else { "version-specific" })?;
    Ok(facts)
}
