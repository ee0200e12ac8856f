//! Blocks: the memory of one record each.
//!
//! With the feature `mimalloc` they come from mimalloc, whatever allocator the program has: a
//! library must not replace its host's allocator, and lives by its own. Otherwise they come from
//! the global allocator, which Miri, the sanitizers and tests that refuse memory can watch. Small
//! blocks that are freed wait in a cache of their thread.

use std::alloc::Layout;
use std::ptr::NonNull;

use super::cache::{BYTES_MAX, Cache};

/// What the addresses of all blocks are multiples of.
pub(crate) const ALIGN: usize = 16;

/// Bits of an address that a word may hold.
const ADDRESS_BITS: u32 = 48;

/// Whether `pointer` leaves the bits free that a slot word needs: aligned to 16, below 2^48.
#[inline]
pub(crate) fn fits_in_word(pointer: *mut ()) -> bool {
    pointer.addr() & (ALIGN - 1) == 0 && pointer.addr() >> ADDRESS_BITS == 0
}

thread_local! {
    static CACHE: Cache = const { Cache::new() };
}

/// Whether freed blocks are kept. Tools that watch memory must see each block go back.
pub(super) const KEEPS: bool = !cfg!(any(miri, rkv_loom, rkv_watched, fuzzing));

/// A block of at least `bytes` uninitialised bytes, at an address that a slot word can hold; `None`
/// when the system refuses.
#[inline]
pub(crate) fn allocate(bytes: usize) -> Option<NonNull<u8>> {
    let bytes = rounded(bytes)?;
    if KEEPS
        && bytes <= BYTES_MAX
        && let Ok(Some(block)) = CACHE.try_with(|cache| cache.take(bytes))
    {
        return Some(block);
    }
    system_allocate(bytes)
}

/// Gives back what `allocate(bytes)` returned.
///
/// # Safety
///
/// `block` comes from `allocate` with the same `bytes`, and nobody uses it any more.
#[inline]
pub(crate) unsafe fn free(block: NonNull<u8>, bytes: usize) {
    // SAFETY: `allocate` was given these bytes and did not refuse.
    let bytes = unsafe { rounded(bytes).unwrap_unchecked() };
    // SAFETY: the block is the caller's, and was allocated with so many bytes. At the end of a
    // thread, when its cache is gone, blocks go to the system.
    let put = |cache: &Cache| unsafe { cache.put(block, bytes) };
    if KEEPS && bytes <= BYTES_MAX && CACHE.try_with(put) == Ok(true) {
        return;
    }
    // SAFETY: as above, and the cache has not taken it.
    unsafe { system_free(block, bytes) }
}

/// Gives the blocks that this thread keeps back to the system.
pub(crate) fn drain_cache() {
    // At the end of a thread there is nothing left to drain.
    let _ = CACHE.try_with(Cache::drain);
}

/// Bytes as blocks have them: a multiple of [`ALIGN`], at least one.
#[inline]
fn rounded(bytes: usize) -> Option<usize> {
    bytes.max(1).checked_next_multiple_of(ALIGN)
}

/// A block of a rounded size from the system.
pub(super) fn system_allocate(bytes: usize) -> Option<NonNull<u8>> {
    allocate_layout(Layout::from_size_align(bytes, ALIGN).ok()?)
}

/// Gives a block back to the system.
///
/// # Safety
///
/// `block` comes from `system_allocate(bytes)`, and nobody uses it any more.
pub(super) unsafe fn system_free(block: NonNull<u8>, bytes: usize) {
    #[cfg(all(test, not(rkv_loom)))]
    super::returns::note(block);
    // SAFETY: `system_allocate` took this layout.
    unsafe { system::free(block, Layout::from_size_align_unchecked(bytes, ALIGN)) }
}

/// A box for `value` that a slot word can point to, or the value back when the system refuses one.
pub(crate) fn try_box<T>(value: T) -> Result<NonNull<T>, T> {
    const { assert!(align_of::<T>() >= ALIGN && size_of::<T>() > 0) };
    let place = match align_of::<T>() {
        ALIGN => allocate(size_of::<T>()),
        _ => allocate_layout(Layout::new::<T>()),
    };
    let Some(place) = place.map(NonNull::cast::<T>) else { return Err(value) };
    // SAFETY: fresh memory of the right size and alignment.
    unsafe { place.write(value) };
    Ok(place)
}

/// Drops what `try_box` made.
///
/// # Safety
///
/// `boxed` comes from `try_box`, perhaps as a type of the same layout, and nobody uses it any more.
pub(crate) unsafe fn drop_boxed<T>(boxed: NonNull<T>) {
    /// Gives the memory back also when the value's `Drop` panics.
    struct Freed<T>(NonNull<T>);
    impl<T> Drop for Freed<T> {
        fn drop(&mut self) {
            // SAFETY: as `try_box` took it.
            unsafe {
                match align_of::<T>() {
                    ALIGN => free(self.0.cast(), size_of::<T>()),
                    _ => system::free(self.0.cast(), Layout::new::<T>()),
                }
            }
        }
    }
    let freed = Freed(boxed);
    // SAFETY: the value is nobody else's, and is dropped once.
    unsafe { freed.0.drop_in_place() };
}

#[inline]
fn allocate_layout(layout: Layout) -> Option<NonNull<u8>> {
    let block = NonNull::new(system::allocate(layout))?;
    if !fits_in_word(block.as_ptr().cast()) {
        // SAFETY: just allocated with this layout.
        unsafe { system::free(block, layout) };
        return None;
    }
    Some(block)
}

#[cfg(not(feature = "mimalloc"))]
mod system {
    use std::alloc::{self, Layout};
    use std::ptr::NonNull;

    #[inline]
    pub(super) fn allocate(layout: Layout) -> *mut u8 {
        // SAFETY: the layouts of this module have a size.
        unsafe { alloc::alloc(layout) }
    }

    /// # Safety
    ///
    /// `block` comes from `allocate(layout)`, and nobody uses it any more.
    #[inline]
    pub(super) unsafe fn free(block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise is the allocator's.
        unsafe { alloc::dealloc(block.as_ptr(), layout) }
    }
}

#[cfg(feature = "mimalloc")]
mod system {
    use std::alloc::Layout;
    use std::ptr::NonNull;

    #[inline]
    pub(super) fn allocate(layout: Layout) -> *mut u8 {
        // Blocks of 16 bytes and more are aligned to 16 anyway. To ask for it would cost another
        // size class: version 3 then takes 15 bytes more and aligns in them.
        // SAFETY: any size may be asked for.
        unsafe {
            match layout.align() {
                ..=super::ALIGN => libmimalloc_sys::mi_malloc(layout.size().max(super::ALIGN)),
                align => libmimalloc_sys::mi_malloc_aligned(layout.size(), align),
            }
            .cast()
        }
    }

    /// # Safety
    ///
    /// `block` comes from `allocate`, and nobody uses it any more.
    #[inline]
    pub(super) unsafe fn free(block: NonNull<u8>, _: Layout) {
        // SAFETY: the caller's promise is the allocator's.
        unsafe { libmimalloc_sys::mi_free(block.as_ptr().cast()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{self, AssertUnwindSafe};
    use std::ptr;

    #[test]
    fn addresses_that_do_not_fit_are_told_apart() {
        assert!(fits_in_word(ptr::without_provenance_mut(0x7fff_ffff_fff0)));
        assert!(!fits_in_word(ptr::without_provenance_mut(0x7fff_ffff_fff8)));
        assert!(!fits_in_word(ptr::without_provenance_mut(1 << 48)));
    }

    #[test]
    fn blocks_of_any_size_fit_in_a_word_and_hold_their_bytes() {
        for bytes in (0..300).chain([4096, 100_000]) {
            let block = allocate(bytes).expect("memory");
            assert!(fits_in_word(block.as_ptr().cast()));
            // SAFETY: the block has so many bytes, and goes back once.
            unsafe {
                block.write_bytes(0xa5, bytes);
                free(block, bytes);
            }
        }
        assert!(allocate(usize::MAX).is_none());
    }

    #[test]
    #[cfg(not(any(miri, rkv_loom, rkv_watched, fuzzing)))]
    fn the_block_that_a_thread_freed_last_is_the_next_of_its_size_wherever_it_came_from() {
        struct Sent(NonNull<u8>);
        // SAFETY: a block belongs to whoever holds it.
        unsafe impl Send for Sent {}
        let far = std::thread::spawn(|| Sent(allocate(200).expect("memory"))).join();
        let far = far.expect("no panic").0;
        let near = allocate(200).expect("memory");
        // SAFETY: the blocks are this test's, and go back once.
        unsafe {
            free(near, 200);
            free(far, 193);
        }
        assert_eq!((allocate(208), allocate(193)), (Some(far), Some(near)));
        // SAFETY: as above.
        unsafe {
            free(near, 193);
            free(far, 208);
        }
        drain_cache();
        assert!(CACHE.with(|cache| cache.take(208)).is_none(), "drained");
    }

    #[test]
    fn a_box_is_given_back_also_when_its_drop_panics() {
        #[repr(align(16))]
        struct Bad;
        #[repr(align(64))]
        struct Wide(#[expect(dead_code, reason = "gives the box a size")] u8, Bad);
        impl Drop for Bad {
            fn drop(&mut self) {
                panic!("as planned");
            }
        }
        let Ok(boxed) = try_box(Wide(1, Bad)) else { panic!("memory") };
        assert_eq!(boxed.as_ptr().addr() % 64, 0);
        // SAFETY: the box is this test's. LeakSanitizer and Miri see whether it went back.
        let dropped = panic::catch_unwind(AssertUnwindSafe(|| unsafe { drop_boxed(boxed) }));
        assert!(dropped.is_err());
    }
}
