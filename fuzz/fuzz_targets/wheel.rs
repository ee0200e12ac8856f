//! Feeds arbitrary programs of calls to the timer wheel and to a `std::collections::BinaryHeap`.
#![no_main]

libfuzzer_sys::fuzz_target!(|program: rkv_fuzz::WheelProgram| rkv_fuzz::run_wheel(program));
