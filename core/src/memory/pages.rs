//! Big zeroed memory straight from the system, in huge pages where it grants them.
//!
//! An allocator clears memory that it hands out a second time: milliseconds for the writer that
//! starts to double a big array. The system clears pages when they are first touched, one by one.

use std::ptr::{self, NonNull};

/// Memory of so many bytes and more comes from here, where the system is one that we know. Tools
/// that look for leaks follow pointers through the allocator's memory only.
pub(super) const FROM: usize =
    match cfg!(all(target_os = "linux", not(any(miri, rkv_watched, fuzzing)))) {
        true => 2 << 20,
        false => usize::MAX,
    };

/// The size of a huge page of x86-64, and the alignment that lets memory have them.
const HUGE: usize = 2 << 20;

/// Zeroed memory of `bytes` bytes, aligned to a huge page; `None` when the system refuses.
pub(super) fn map(bytes: usize) -> Option<NonNull<u8>> {
    let bytes = bytes.checked_next_multiple_of(HUGE)?;
    let reserved = bytes.checked_add(HUGE)?;
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: new memory at an address of the system's choice touches nobody else's.
    let start = unsafe { libc::mmap(ptr::null_mut(), reserved, access, kind, -1, 0) };
    if start == libc::MAP_FAILED {
        return None;
    }
    let start = start.cast::<u8>();
    let before = start.addr().next_multiple_of(HUGE) - start.addr();
    // SAFETY: `before` is below HUGE, so that `bytes` bytes follow it. What lies around them is
    // whole pages that nobody uses. The advice may be refused, and changes no content.
    unsafe {
        let memory = start.add(before);
        if before > 0 {
            libc::munmap(start.cast(), before);
        }
        libc::munmap(memory.add(bytes).cast(), HUGE - before);
        libc::madvise(memory.cast(), bytes, libc::MADV_HUGEPAGE);
        NonNull::new(memory)
    }
}

/// Gives back what `map(bytes)` returned.
///
/// # Safety
///
/// `memory` comes from `map` with the same `bytes`, and nobody uses it any more.
pub(super) unsafe fn unmap(memory: NonNull<u8>, bytes: usize) {
    // SAFETY: `map` took so many bytes, and the caller gives up all of them.
    unsafe { libc::munmap(memory.as_ptr().cast(), bytes.next_multiple_of(HUGE)) };
}
