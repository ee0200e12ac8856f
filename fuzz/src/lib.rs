//! Programs of calls, and the models that say what each call must answer.
//!
//! The model is always `std::collections::HashMap`, used by one thread. A program ends with a sweep
//! that compares everything, and with an account of all drops. The model of the timer wheel is
//! `std::collections::BinaryHeap`; its programs end when all deadlines have passed. The eviction
//! queues have none: a bounded cache checks what they do, and ends by taking everything out. The
//! model of a bounded store forgets what the store has evicted, which must be as much as it says.
//! The model of the C face knows beside the content which handles are live.

mod bounded_model;
mod evict_model;
mod ffi_model;
mod map_model;
mod store_model;
mod wheel_model;

pub use evict_model::{EvictProgram, run_evict};
pub use ffi_model::{FfiProgram, run_ffi};
pub use map_model::{MapProgram, run_map};
pub use store_model::{StoreProgram, run_store};
pub use wheel_model::{WheelProgram, run_wheel};
