//! Blocks that a thread freed lately, kept by size, to be allocated again while they are still in
//! its processor's caches.
//!
//! An update frees a record for each that it allocates, a few hundred operations later, when the
//! grace period is over. An allocator gives such a block to whoever comes to its page next, long
//! after it has left the caches, and the writer waits for memory that it is about to overwrite.
//! From here it gets the block back that was freed last.

use std::cell::Cell;
use std::ptr::NonNull;

use super::block::{ALIGN, system_free};

/// Sizes that are kept: multiples of [`ALIGN`] up to this many bytes.
pub(super) const BYTES_MAX: usize = 512;

/// Bytes that one size may keep: two batches of garbage of usual records, well inside of a cache of
/// the second level. All sizes together keep 2 MiB at most.
const BYTES_PER_SIZE: usize = 64 << 10;

const SIZES: usize = BYTES_MAX / ALIGN;

/// The kept blocks of one thread.
pub(crate) struct Cache {
    sizes: [Kept; SIZES],
}

/// The kept blocks of one size: a stack through their first words.
struct Kept {
    top: Cell<Option<NonNull<Kin>>>,
    blocks: Cell<usize>,
}

/// A kept block.
struct Kin {
    below: Option<NonNull<Kin>>,
}

impl Cache {
    pub(crate) const fn new() -> Self {
        Self { sizes: [const { Kept { top: Cell::new(None), blocks: Cell::new(0) } }; SIZES] }
    }

    /// Takes the block of `bytes` that was put here last. `bytes` is a multiple of [`ALIGN`], at
    /// most [`BYTES_MAX`], not 0.
    #[inline]
    pub(crate) fn take(&self, bytes: usize) -> Option<NonNull<u8>> {
        let kept = self.sizes.get(bytes / ALIGN - 1)?;
        let top = kept.top.get()?;
        // SAFETY: `put` wrote it, and the block was nobody else's since.
        kept.top.set(unsafe { top.read() }.below);
        kept.blocks.set(kept.blocks.get() - 1);
        Some(top.cast())
    }

    /// Keeps a block of `bytes`, if there is room for it; whether it did.
    ///
    /// # Safety
    ///
    /// The block has `bytes` bytes as the system gave it, and nobody uses it any more.
    #[inline]
    pub(crate) unsafe fn put(&self, block: NonNull<u8>, bytes: usize) -> bool {
        let Some(kept) = self.sizes.get(bytes / ALIGN - 1) else { return false };
        if kept.blocks.get() * bytes >= BYTES_PER_SIZE {
            return false;
        }
        let kin = block.cast::<Kin>();
        // SAFETY: the block is ours and has room for a word: sizes are at least `ALIGN`.
        unsafe { kin.write(Kin { below: kept.top.get() }) };
        kept.top.set(Some(kin));
        kept.blocks.set(kept.blocks.get() + 1);
        true
    }
}

impl Cache {
    /// Gives all blocks back to the system.
    pub(super) fn drain(&self) {
        for size in 1..=SIZES {
            while let Some(block) = self.take(size * ALIGN) {
                // SAFETY: kept blocks are whole blocks of their size, and are taken once.
                unsafe { system_free(block, size * ALIGN) };
            }
        }
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        self.drain();
    }
}

#[cfg(test)]
mod tests {
    use super::super::block::system_allocate;
    use super::*;

    fn block(bytes: usize) -> NonNull<u8> {
        system_allocate(bytes).expect("memory")
    }

    #[test]
    fn the_block_that_was_put_last_comes_back_first_and_only_for_its_size() {
        let cache = Cache::new();
        let (first, second) = (block(112), block(112));
        assert!(cache.take(112).is_none());
        // SAFETY: the blocks are this test's.
        unsafe { assert!(cache.put(first, 112) && cache.put(second, 112)) };
        assert!(cache.take(96).is_none() && cache.take(128).is_none());
        assert_eq!(cache.take(112), Some(second));
        assert_eq!(cache.take(112), Some(first));
        assert!(cache.take(112).is_none());
        // SAFETY: as above, and the cache gave them back.
        unsafe { assert!(cache.put(first, 112) && cache.put(second, 112)) };
        // Dropping the cache frees them: LeakSanitizer and Miri see it.
    }

    #[test]
    fn a_size_keeps_no_more_than_its_share_and_large_blocks_not_at_all() {
        let cache = Cache::new();
        let room = BYTES_PER_SIZE / BYTES_MAX;
        for number in 0..=room {
            let block = block(BYTES_MAX);
            // SAFETY: the block is this test's.
            let kept = unsafe { cache.put(block, BYTES_MAX) };
            assert_eq!(kept, number < room);
            if !kept {
                // SAFETY: the cache has not taken it.
                unsafe { system_free(block, BYTES_MAX) };
            }
        }
        let large = block(BYTES_MAX + ALIGN);
        // SAFETY: the block is this test's, and the cache does not take it.
        unsafe {
            assert!(!cache.put(large, BYTES_MAX + ALIGN));
            system_free(large, BYTES_MAX + ALIGN);
        }
        assert!(cache.take(BYTES_MAX + ALIGN).is_none());
    }
}
