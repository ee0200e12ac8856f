//! Programs of calls, and the models that say what each call must answer.
//!
//! The model is always `std::collections::HashMap`, used by one thread. A program ends with a sweep
//! that compares everything, and with an account of all drops. The model of the timer wheel is
//! `std::collections::BinaryHeap`; its programs end when all deadlines have passed.

mod map_model;
mod store_model;
mod wheel_model;

pub use map_model::{MapProgram, run_map};
pub use store_model::{StoreProgram, run_store};
pub use wheel_model::{WheelProgram, run_wheel};
