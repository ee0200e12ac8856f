//! Feeds arbitrary programs of calls to the functions of kv.h and to a
//! `std::collections::HashMap`.
#![no_main]

libfuzzer_sys::fuzz_target!(|program: rkv_fuzz::FfiProgram| rkv_fuzz::run_ffi(program));
