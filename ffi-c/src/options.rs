//! The options of `kv_open`: a structure that can grow without a new function.
//!
//! The rule is that of the system call openat2: a structure that is shorter than the library's is
//! filled up with zeros, which mean the default everywhere; one that is longer is accepted when
//! the part that the library does not know is zero.

use std::mem::{offset_of, size_of};
use std::ptr;

use rkv::StoreBuilder;

use crate::boundary::{Out, boundary};
use crate::failure::Failure;
use crate::status::{KV_OK, kv_status_t};

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
    /// processor, rounded up to a power of two, at most 64.
    pub shards: u32,
    /// Must be zero.
    pub flags: u32,
    /// Must be zero.
    pub reserved_: [u64; 5],
}

/// The part of the structure that every program has.
const SIZE_MIN: usize = offset_of!(kv_options_t, reserved_);
// LIMIT: a page, as in openat2; a larger size is a mistake and not a newer version.
const SIZE_MAX: usize = 4096;

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
        check_size("struct_size", struct_size)?;
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
        reserved_: [0; 5],
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
        check_size("options.struct_size", size)?;
        let known = size.min(size_of::<Self>());
        let mut copy = Self::DEFAULT;
        // SAFETY: `known` bytes are within both structures, and any bytes make valid fields.
        unsafe { ptr::copy_nonoverlapping(options.cast(), (&raw mut copy).cast::<u8>(), known) };
        // SAFETY: `known` to `size` is within the caller's structure.
        let tail =
            unsafe { std::slice::from_raw_parts(options.cast::<u8>().add(known), size - known) };
        if copy.reserved_ != [0; 5] || tail.iter().any(|byte| *byte != 0) {
            return Err(unsupported("options", "a field that this version does not have is set"));
        }
        if copy.flags != 0 {
            return Err(unsupported("options.flags", "a flag that this version does not have"));
        }
        Ok(copy)
    }

    /// The builder of a store with these options.
    pub(crate) fn builder(&self) -> StoreBuilder {
        let mut builder = rkv::Store::builder();
        if self.capacity != 0 {
            builder = builder.capacity(self.capacity as usize);
        }
        if self.shards != 0 {
            builder = builder.shards(self.shards as usize);
        }
        builder
    }
}

fn check_size(name: &'static str, size: usize) -> Result<(), Failure> {
    if (SIZE_MIN..=SIZE_MAX).contains(&size) {
        Ok(())
    } else {
        Err(Failure::invalid(name, "no version of kv_options_t has this size"))
    }
}

const fn unsupported(name: &'static str, reason: &'static str) -> Failure {
    Failure::Unsupported { name, reason }
}
