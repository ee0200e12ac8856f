//! Feeds arbitrary programs of calls to the eviction queues, as a bounded cache makes them.
#![no_main]

libfuzzer_sys::fuzz_target!(|program: rkv_fuzz::EvictProgram| rkv_fuzz::run_evict(program));
