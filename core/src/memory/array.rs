//! Raw memory for arrays: zeroed by the system, aligned to cache lines.

use std::alloc::{self, Layout};
use std::ptr::NonNull;

use super::{LINE, pages};

/// Zeroed memory of `bytes` bytes, aligned to a cache line; `None` when the system refuses.
///
/// Of the allocator it asks for 16-byte alignment only and aligns by hand: for more, the standard
/// library would clear the memory itself instead of taking pages that the system hands out zeroed,
/// and the writer that starts a resize would touch all of the array.
pub(crate) fn zeroed(bytes: usize) -> Option<NonNull<u8>> {
    if bytes >= pages::FROM {
        return pages::map(bytes);
    }
    // SAFETY: the layout has a size of at least LINE.
    let start = unsafe { alloc::alloc_zeroed(layout(bytes)?) };
    if start.is_null() {
        return None;
    }
    let offset = LINE - start.addr() % LINE;
    // SAFETY: at most LINE bytes into a block of `bytes + LINE`; at least 16 of them lie before,
    // since blocks are aligned to 16, and hold how far the start is away.
    unsafe {
        let aligned = start.add(offset);
        aligned.sub(size_of::<usize>()).cast::<usize>().write(offset);
        Some(NonNull::new_unchecked(aligned))
    }
}

/// Gives back what `zeroed(bytes)` returned.
///
/// # Safety
///
/// `memory` comes from `zeroed` with the same `bytes`, and nobody uses it any more.
pub(crate) unsafe fn free(memory: NonNull<u8>, bytes: usize) {
    if bytes >= pages::FROM {
        // SAFETY: then `zeroed` took it from there.
        return unsafe { pages::unmap(memory, bytes) };
    }
    // SAFETY: `zeroed` wrote the offset just before the memory, and took this layout.
    unsafe {
        let offset = memory.as_ptr().sub(size_of::<usize>()).cast::<usize>().read();
        let layout = layout(bytes).unwrap_unchecked();
        alloc::dealloc(memory.as_ptr().sub(offset), layout);
    }
}

fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.checked_add(LINE)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_zero_aligned_and_given_back() {
        for bytes in [64, 128, if cfg!(miri) { 4096 } else { (3 << 20) + 1 }] {
            let memory = zeroed(bytes).expect("memory");
            assert_eq!(memory.as_ptr().addr() % LINE, 0);
            // SAFETY: `bytes` initialised bytes.
            let slice = unsafe { std::slice::from_raw_parts(memory.as_ptr(), bytes) };
            assert!(slice.iter().all(|&byte| byte == 0));
            // SAFETY: from `zeroed` with the same size.
            unsafe { free(memory, bytes) };
        }
    }

    #[test]
    fn absurd_sizes_are_refused() {
        assert!(zeroed(isize::MAX as usize).is_none());
        assert!(zeroed(usize::MAX).is_none());
    }
}
