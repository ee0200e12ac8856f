//! The options of `kv_open`: a structure that can grow without a new function.
//!
//! The rule is that of the system call openat2: a structure that is shorter than the library's is
//! filled up with zeros, which mean the default everywhere; one that is longer is accepted when
//! the part that the library does not know is zero.

use std::mem::{offset_of, size_of};
use std::ptr;
use std::time::Duration;

use rkv::{Eviction, ManualClock, Ttl};

use crate::boundary::{Out, boundary, check_struct_size};
use crate::failure::Failure;
use crate::handle::Opened;
use crate::lifetime::{KV_TTL_NEVER, meaning};
use crate::status::{KV_OK, kv_status_t};

/// For tests, a flag of kv_options_t: the store takes the time from a clock of its own, which
/// stands still until kv_clock_advance moves it. KV_NO_MAINTENANCE is implied.
pub const KV_MANUAL_CLOCK: u32 = 1;

/// A flag of kv_options_t: no thread removes keys whose deadline has passed; the program calls
/// kv_advance. Otherwise one thread of the process does, for all stores: it starts with the first
/// key that has a deadline, sleeps until one is due, and ends with the last such store.
pub const KV_NO_MAINTENANCE: u32 = 2;

/// A policy of eviction: a full store makes room by removing what is least worth keeping, expired
/// keys first, by S3-FIFO: a key that was used again since it came stays longer than one that was
/// not.
pub const KV_EVICT_S3FIFO: u32 = 0;

/// A policy of eviction: a full store makes room by removing expired keys only, and otherwise
/// refuses with KV_ERR_FULL to take more.
pub const KV_EVICT_REJECT: u32 = 1;

/// What an entry counts in bytes beside its key and its value. See max_bytes of kv_options_t.
pub const KV_ENTRY_BYTES: u64 = 80;
const _: () = assert!(KV_ENTRY_BYTES == rkv::ENTRY_BYTES, "not the engine's number");

/// How to open a store. Fill it with kv_options_init, then change what you need.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct kv_options_t {
    /// sizeof(kv_options_t) of the program, set by kv_options_init.
    pub struct_size: usize,
    /// Number of keys to make room for at once; the store grows above that, and does not shrink
    /// below it. Default: 0.
    pub capacity: u64,
    /// Number of independent tables, a power of two from 1 to 64. 0 for the default: four for each
    /// processor, rounded up to a power of two, at most 64; fewer in a store with small bounds.
    pub shards: u32,
    /// The sum of KV_NO_MAINTENANCE and KV_MANUAL_CLOCK, or one of them, or 0. Default: 0.
    pub flags: u32,
    /// How many milliseconds a key lives that is set without a word about it; KV_TTL_NEVER for
    /// ever. Default: KV_TTL_NEVER.
    pub default_ttl_ms: u64,
    /// The store never has more keys than this. 0 for no bound. Default: 0.
    pub max_entries: u64,
    /// The entries of the store never count more than this together: the bytes of their keys and
    /// values, and KV_ENTRY_BYTES for each. An entry that counts more by itself is
    /// KV_ERR_TOO_LARGE. 0 for no bound, else at least KV_ENTRY_BYTES. Default: 0.
    ///
    /// What was removed and waits for readers does not count.
    pub max_bytes: u64,
    /// What a store does when it is full: KV_EVICT_S3FIFO or KV_EVICT_REJECT. Default:
    /// KV_EVICT_S3FIFO.
    pub eviction: u32,
    /// Must be zero.
    pub reserved_: [u32; 3],
}

/// The part of the structure that every program has.
const SIZE_MIN: usize = offset_of!(kv_options_t, default_ttl_ms);

/// Sets every field to its default and struct_size to `struct_size`, which is
/// sizeof(kv_options_t).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_options_init(
    options: *mut kv_options_t,
    struct_size: usize,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 6.
        unsafe { Out::new("options", options)? };
        check_struct_size("struct_size", struct_size, SIZE_MIN)?;
        // SAFETY: convention 8, `struct_size` bytes are the program's structure.
        unsafe { ptr::write_bytes(options.cast::<u8>(), 0, struct_size) };
        // SAFETY: as above; the size holds at least this field.
        unsafe { (&raw mut (*options).struct_size).write(struct_size) };
        Ok(KV_OK)
    })
}

impl kv_options_t {
    const DEFAULT: Self = kv_options_t {
        struct_size: size_of::<Self>(),
        capacity: 0,
        shards: 0,
        flags: 0,
        default_ttl_ms: KV_TTL_NEVER,
        max_entries: 0,
        max_bytes: 0,
        eviction: KV_EVICT_S3FIFO,
        reserved_: [0; 3],
    };

    /// The options that a program passed, in this library's size; NULL means the defaults.
    ///
    /// # Errors
    /// InvalidArgument for a size that no version has; Unsupported for anything that this version
    /// does not know and that is not zero.
    ///
    /// # Safety
    /// - `options` is NULL or points to as many bytes as its first field says.
    pub(crate) unsafe fn read(options: *const Self) -> Result<Self, Failure> {
        if options.is_null() {
            return Ok(Self::DEFAULT);
        }
        // SAFETY: the caller vouches for the structure, and all versions begin with this field.
        let size = unsafe { (&raw const (*options).struct_size).read() };
        check_struct_size("options.struct_size", size, SIZE_MIN)?;
        let known = size.min(size_of::<Self>());
        let mut copy = Self::DEFAULT;
        // SAFETY: `known` bytes are within both structures, and any bytes make valid fields.
        unsafe { ptr::copy_nonoverlapping(options.cast(), (&raw mut copy).cast::<u8>(), known) };
        // SAFETY: `known` to `size` is within the caller's structure.
        let tail =
            unsafe { std::slice::from_raw_parts(options.cast::<u8>().add(known), size - known) };
        if copy.reserved_ != [0; 3] || tail.iter().any(|byte| *byte != 0) {
            return Err(unsupported("options", "a field that this version does not have is set"));
        }
        if copy.flags & !(KV_MANUAL_CLOCK | KV_NO_MAINTENANCE) != 0 {
            return Err(unsupported("options.flags", "a flag that this version does not have"));
        }
        Ok(copy)
    }

    /// A store with these options.
    ///
    /// # Errors
    /// InvalidTtl for a default that is none, InvalidArgument for a policy that is none; those of
    /// the engine.
    pub(crate) fn open(&self) -> Result<Opened, Failure> {
        let clock = (self.flags & KV_MANUAL_CLOCK != 0).then(ManualClock::new);
        let maintenance = self.flags & KV_NO_MAINTENANCE == 0;
        let mut builder = rkv::Store::builder().maintenance(maintenance).eviction(self.eviction()?);
        if self.capacity != 0 {
            builder = builder.capacity(self.capacity as usize);
        }
        if self.shards != 0 {
            builder = builder.shards(self.shards as usize);
        }
        if let Some(ttl) = self.default_ttl()? {
            builder = builder.default_ttl(ttl);
        }
        if self.max_entries != 0 {
            builder = builder.max_entries(self.max_entries);
        }
        if self.max_bytes != 0 {
            builder = builder.max_bytes(self.max_bytes);
        }
        if let Some(clock) = &clock {
            builder = builder.clock(clock);
        }
        Ok(Opened::new(builder.build()?, clock))
    }

    fn default_ttl(&self) -> Result<Option<Duration>, Failure> {
        match meaning(self.default_ttl_ms) {
            Ttl::Never => Ok(None),
            Ttl::After(ttl) => Ok(Some(ttl)),
            _ => {
                let reason = "must be a number of milliseconds, or KV_TTL_NEVER";
                Err(Failure::invalid_ttl("options.default_ttl_ms", reason))
            }
        }
    }

    fn eviction(&self) -> Result<Eviction, Failure> {
        match self.eviction {
            KV_EVICT_S3FIFO => Ok(Eviction::S3Fifo),
            KV_EVICT_REJECT => Ok(Eviction::Reject),
            _ => {
                let reason = "must be KV_EVICT_S3FIFO or KV_EVICT_REJECT";
                Err(Failure::invalid("options.eviction", reason))
            }
        }
    }
}

const fn unsupported(name: &'static str, reason: &'static str) -> Failure {
    Failure::Unsupported { name, reason }
}
