//! Feeds arbitrary programs of calls to a `Store` and to a `std::collections::HashMap`.
#![no_main]

libfuzzer_sys::fuzz_target!(|program: rkv_fuzz::StoreProgram| rkv_fuzz::run_store(program));
