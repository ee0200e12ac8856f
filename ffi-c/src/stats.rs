//! Figures of a store, in a structure that can grow.

use std::mem::{offset_of, size_of};
use std::ptr;

use rkv::Stats;

use crate::boundary::{Out, boundary, check_struct_size};
use crate::handle::kv_store_t;
use crate::status::{KV_OK, kv_status_t};
use crate::store::enter;
use crate::ttl::whole_ms;

/// The figures of a store at one moment.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct kv_stats_t {
    /// Size of this structure in the library, which may be larger than in the program; what the
    /// program's has beyond it is zero.
    pub struct_size: usize,
    /// Number of keys, expired ones that are still in memory among them.
    pub entries: u64,
    /// What the entries of a store with a bound count together, as max_bytes of kv_options_t says;
    /// 0 in a store without.
    pub bytes: u64,
    /// Keys that were removed to make room, or found none.
    pub evicted: u64,
    /// Keys whose deadline passed and that a timer removed.
    pub expired_actively: u64,
    /// Keys whose deadline passed and that a reader or writer met first.
    pub expired_lazily: u64,
    /// Half of the keys that a timer removed went so many milliseconds after their deadline, or
    /// sooner. To within an eighth, and rounded up.
    pub expiry_lag_p50_ms: u64,
    /// 99 of 100 went as soon as this, or sooner.
    pub expiry_lag_p99_ms: u64,
    /// None went later. Exact.
    pub expiry_lag_max_ms: u64,
    /// Timers that wait, those of deleted and overwritten keys among them.
    pub timers: u64,
    /// Of these, more or less, the ones that no key needs any more.
    pub stale_timers: u64,
    /// Number of tables that the keys are spread over.
    pub shards: u64,
    /// Number of buckets in all tables.
    pub buckets: u64,
    /// Number of overflow buckets in use.
    pub links: u64,
    /// Bytes of the tables, without keys and values.
    pub table_bytes: u64,
    /// Of the whole process: threads and guards that hold back the freeing of memory now.
    pub pinned_guards: u64,
    /// Of the whole process: age of the oldest guard in milliseconds, 0 if there is none.
    pub oldest_pin_ms: u64,
    /// Of the whole process: bytes that were removed and wait for readers to leave.
    pub retired_bytes: u64,
}

/// The part of the structure that every program has.
const SIZE_MIN: usize = offset_of!(kv_stats_t, bytes);

/// Writes the figures of a store to `out_stats`, whose size is `struct_size`, which is
/// sizeof(kv_stats_t). Costs a look at each table and thread, not at each key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_stats(
    store: kv_store_t,
    out_stats: *mut kv_stats_t,
    struct_size: usize,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 6.
        unsafe { Out::new("out_stats", out_stats)? };
        check_struct_size("struct_size", struct_size, SIZE_MIN)?;
        let stats = kv_stats_t::new(&enter(store)?.stats());
        let known = struct_size.min(size_of::<kv_stats_t>());
        // SAFETY: convention 8, `struct_size` bytes are the program's structure.
        unsafe { ptr::write_bytes(out_stats.cast::<u8>(), 0, struct_size) };
        // SAFETY: `known` bytes are within both structures, and this one has no padding.
        unsafe {
            ptr::copy_nonoverlapping((&raw const stats).cast::<u8>(), out_stats.cast(), known)
        };
        Ok(KV_OK)
    })
}

impl kv_stats_t {
    fn new(stats: &Stats) -> Self {
        kv_stats_t {
            struct_size: size_of::<Self>(),
            entries: stats.entries,
            bytes: stats.bytes,
            evicted: stats.evicted,
            expired_actively: stats.expired_actively,
            expired_lazily: stats.expired_lazily,
            expiry_lag_p50_ms: whole_ms(stats.expiry_lag.p50),
            expiry_lag_p99_ms: whole_ms(stats.expiry_lag.p99),
            expiry_lag_max_ms: whole_ms(stats.expiry_lag.max),
            timers: stats.timers,
            stale_timers: stats.stale_timers,
            shards: stats.shards,
            buckets: stats.buckets,
            links: stats.links,
            table_bytes: stats.table_bytes,
            pinned_guards: stats.epoch.pinned_guards,
            oldest_pin_ms: stats.epoch.oldest_pin_ms,
            retired_bytes: stats.epoch.retired_bytes,
        }
    }
}
