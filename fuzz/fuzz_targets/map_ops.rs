//! Feeds arbitrary programs of calls to a `Map` and to a `std::collections::HashMap`.
#![no_main]

libfuzzer_sys::fuzz_target!(|program: rkv_fuzz::MapProgram| rkv_fuzz::run_map(program));
