//! Comparing the tags of a bucket's slots.

use super::array::Bucket;
use super::word::Word;
use crate::sync::Ordering;

impl<const S: usize> Bucket<S> {
    /// The slots whose words have the tag, one bit each. Loads each word once, with `order`.
    #[inline(always)]
    pub(super) fn tagged(&self, tag: u16, order: Ordering) -> u32 {
        #[cfg(all(target_arch = "x86_64", not(any(miri, rkv_loom))))]
        if S == 6 {
            return vector::tagged(self, tag);
        }
        let mut tagged = 0;
        for (index, slot) in self.slots.iter().enumerate() {
            tagged |= u32::from(Word(slot.load(order)).tag() == tag) << index;
        }
        tagged
    }
}

#[cfg(all(target_arch = "x86_64", not(any(miri, rkv_loom))))]
mod vector {
    use std::arch::asm;
    use std::arch::x86_64::{
        __m128, _mm_castps_si128, _mm_castsi128_ps, _mm_cmpeq_epi32, _mm_movemask_ps,
        _mm_set1_epi32, _mm_shuffle_ps, _mm_srli_epi32,
    };

    use super::Bucket;

    /// As [`Bucket::tagged`], with three loads of two words each.
    #[inline(always)]
    pub(super) fn tagged<const S: usize>(bucket: &Bucket<S>, tag: u16) -> u32 {
        const { assert!(size_of::<Bucket<S>>() == 64 || S != 6) };
        let (a, b, c): (__m128, __m128, __m128);
        // Rust has no atomic load of two words. The processor's, aligned to 16, is one of each
        // half, and every load of it is an acquire; the compiler moves no access across the block,
        // which it takes for one that may write.
        // SAFETY: the six slots lie in these 48 bytes of the bucket, which is aligned to 64.
        unsafe {
            asm!(
                "movaps {a}, xmmword ptr [{slots}]",
                "movaps {b}, xmmword ptr [{slots} + 16]",
                "movaps {c}, xmmword ptr [{slots} + 32]",
                slots = in(reg) bucket.slots.as_ptr(),
                a = out(xmm_reg) a,
                b = out(xmm_reg) b,
                c = out(xmm_reg) c,
                options(nostack, preserves_flags),
            );
        }
        // SAFETY: SSE2 is part of x86-64.
        unsafe {
            let wanted = _mm_set1_epi32(i32::from(tag));
            // The upper halves of four words, and of the last two; the tag is in their upper half.
            let first = _mm_castps_si128(_mm_shuffle_ps::<0b11_01_11_01>(a, b));
            let last = _mm_castps_si128(_mm_shuffle_ps::<0b11_01_11_01>(c, c));
            let first = _mm_cmpeq_epi32(_mm_srli_epi32::<16>(first), wanted);
            let last = _mm_cmpeq_epi32(_mm_srli_epi32::<16>(last), wanted);
            let first = _mm_movemask_ps(_mm_castsi128_ps(first)) as u32;
            let last = _mm_movemask_ps(_mm_castsi128_ps(last)) as u32;
            first | (last & 0b11) << 4
        }
    }
}

#[cfg(all(test, not(rkv_loom)))]
mod tests {
    use super::*;
    use crate::sync::Relaxed;
    use crate::table::array::Array;
    use std::ptr;

    #[test]
    fn tagged_slots_are_those_whose_upper_bits_are_the_tag() {
        let array = Array::<6, 8>::allocate(0, false).expect("memory");
        let bucket = array.bucket(0);
        assert_eq!(bucket.tagged(0, Relaxed), 0b11_1111);
        let tags = [0xffff, 7, 0x8000, 7, 0, 0xffff];
        for (slot, tag) in bucket.slots.iter().zip(tags) {
            let rest = ptr::without_provenance_mut(0x7fff_ffff_fff0);
            slot.store(Word::record(rest, tag).0, Relaxed);
        }
        for tag in [0xffff, 7, 0x8000, 0, 8, 0x7fff] {
            let slots = tags.iter().enumerate().filter(|&(_, &other)| other == tag);
            assert_eq!(bucket.tagged(tag, Relaxed), slots.map(|(slot, _)| 1 << slot).sum());
        }
        // SAFETY: not shared.
        unsafe { array.free() };
    }
}
