//! One bucket array: its layout in memory, its links, and the word that names it.
//!
//! ```text
//! [ Head, padded to lines ][ bucket 0 ][ bucket 1 ] ...      one allocation
//!                          ^
//!                          a packed word: this address | log2 of the number of buckets
//! ```
//!
//! The root of a table and the `next` of an array are packed words, so a reader has the base and
//! the shift after one load, and finds the head, when it needs it, at a fixed distance before the
//! base.

use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use super::word::{Header, PUBLISHED_MAX};
use crate::epoch::Garbage;
use crate::memory::{LINE, array as memory};
use crate::sync::planted::{Bug, planted};
use crate::sync::{AcqRel, Acquire, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Relaxed};

/// A cache line: a header, a link word, and the first `S` slots.
#[repr(C, align(64))]
pub(super) struct Bucket<const S: usize> {
    pub(super) header: AtomicU64,
    /// Two numbers of links, each plus one, 32 bits each; 0 where none is attached.
    pub(super) link: AtomicU64,
    pub(super) slots: [AtomicPtr<()>; S],
}

/// `L` more slots of a bucket that needs them.
#[repr(C, align(64))]
pub(super) struct Link<const L: usize> {
    pub(super) slots: [AtomicPtr<()>; L],
}

#[cfg(rkv_loom)]
impl<const L: usize> Link<L> {
    fn new() -> Self {
        Self { slots: [(); L].map(|()| AtomicPtr::new(ptr::null_mut())) }
    }
}

impl<const S: usize> Bucket<S> {
    #[cfg(rkv_loom)]
    fn new() -> Self {
        Self {
            header: AtomicU64::new(0),
            link: AtomicU64::new(0),
            slots: [(); S].map(|()| AtomicPtr::new(ptr::null_mut())),
        }
    }

    pub(super) fn load(&self) -> Header {
        // Acquire: edge T2. What was published in this bucket before this header is visible.
        Header(self.header.load(Acquire))
    }

    /// The slot of the lowest of some bits, each of which stands for a slot of this bucket.
    #[inline(always)]
    pub(super) fn first_of(&self, slots: u32) -> (usize, &AtomicPtr<()>) {
        let index = slots.trailing_zeros() as usize;
        assert!(index < S, "a bit of a link, or none");
        (index, &self.slots[index])
    }
}

/// What is known of an array besides its buckets.
pub(super) struct Head<const S: usize, const L: usize> {
    /// The array that this one is being moved to: a packed word, null before the resize.
    pub(super) next: AtomicPtr<()>,
    /// The next chunk to move: a hint that spreads helpers over the array.
    pub(super) cursor: AtomicUsize,
    /// Chunks from the start that somebody has seen to be moved, all of them.
    pub(super) swept: AtomicUsize,
    /// Made to hold the entries of an array of twice the size.
    halved: bool,
    links: Links<L>,
    bytes: usize,
}

/// A reference to an array: the unpacked word. Valid as long as its reader is pinned.
pub(super) struct Array<const S: usize, const L: usize> {
    buckets: NonNull<Bucket<S>>,
    log2: u32,
}

impl<const S: usize, const L: usize> Clone for Array<S, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<const S: usize, const L: usize> Copy for Array<S, L> {}

impl<const S: usize, const L: usize> PartialEq for Array<S, L> {
    fn eq(&self, other: &Self) -> bool {
        self.buckets == other.buckets
    }
}

/// The largest array: 2^30 buckets, whose links still have 32-bit numbers.
pub(super) const LOG2_MAX: u32 = 30;

const LOG2_BITS: usize = LINE - 1;

impl<const S: usize, const L: usize> Array<S, L> {
    /// Slots of a bucket with both of its links.
    pub(super) const CAPACITY: usize = {
        assert!(S + 2 * L <= PUBLISHED_MAX && S > 0 && L > 0);
        S + 2 * L
    };
    const HEAD_BYTES: usize = size_of::<Head<S, L>>().next_multiple_of(LINE);

    /// An array of `2^log2` unused buckets; `None` when the system refuses memory.
    pub(super) fn allocate(log2: u32, halved: bool) -> Option<Self> {
        if log2 > LOG2_MAX {
            return None;
        }
        let bytes = Self::HEAD_BYTES + (size_of::<Bucket<S>>() << log2);
        let memory = memory::zeroed(bytes)?;
        let head = Head {
            next: AtomicPtr::new(ptr::null_mut()),
            cursor: AtomicUsize::new(0),
            swept: AtomicUsize::new(0),
            halved,
            links: Links::new(),
            bytes,
        };
        // SAFETY: the block begins with room for a head, and the buckets follow it. All zero is a
        // valid bucket of std's atomics; loom's must be made.
        let buckets = unsafe {
            memory.cast::<Head<S, L>>().write(head);
            memory.add(Self::HEAD_BYTES).cast::<Bucket<S>>()
        };
        #[cfg(rkv_loom)]
        for index in 0..1usize << log2 {
            // SAFETY: inside of the block, which nobody else knows yet.
            unsafe { buckets.add(index).write(Bucket::new()) };
        }
        Some(Self { buckets, log2 })
    }

    /// The word that names this array.
    pub(super) fn pack(self) -> *mut () {
        self.buckets.as_ptr().map_addr(|addr| addr | self.log2 as usize).cast()
    }

    /// The array that a packed word names; `None` for null.
    #[inline(always)]
    pub(super) fn unpack(word: *mut ()) -> Option<Self> {
        let log2 = (word.addr() & LOG2_BITS) as u32;
        let buckets = word.map_addr(|addr| addr & !LOG2_BITS).cast::<Bucket<S>>();
        NonNull::new(buckets).map(|buckets| Self { buckets, log2 })
    }

    #[inline(always)]
    pub(super) fn log2(self) -> u32 {
        self.log2
    }

    pub(super) fn len(self) -> usize {
        1 << self.log2
    }

    /// The bucket at `index`, which is below `len`.
    #[inline(always)]
    pub(super) fn bucket<'g>(self, index: usize) -> &'g Bucket<S> {
        debug_assert!(index < self.len());
        // SAFETY: inside of the array, which lives as long as the guard of the operation that
        // uses it; every `Array` comes from a root or a `next` that was loaded under that guard.
        unsafe { self.buckets.add(index).as_ref() }
    }

    /// Where the bucket at `index` lies, or lay: the array need not be there any more.
    #[inline(always)]
    pub(super) fn address_of(self, index: usize) -> *const Bucket<S> {
        self.buckets.as_ptr().wrapping_add(index)
    }

    pub(super) fn head<'g>(self) -> &'g Head<S, L> {
        // SAFETY: `allocate` put the head at this distance; lifetime as in `bucket`.
        unsafe { self.buckets.byte_sub(Self::HEAD_BYTES).cast::<Head<S, L>>().as_ref() }
    }

    /// The array that this one is moved to, if a resize began.
    pub(super) fn next(self) -> Option<Self> {
        // Acquire: edge T5, the next array is initialised.
        Self::unpack(self.head().next.load(Acquire))
    }

    /// Whether it was made to hold the entries of an array of twice the size.
    pub(super) fn is_halved(self) -> bool {
        self.head().halved
    }

    /// The slot `index` of a bucket, or `None` if it lies in a link that is not attached.
    pub(super) fn slot(self, bucket: &Bucket<S>, index: usize) -> Option<&AtomicPtr<()>> {
        if index < S {
            return Some(&bucket.slots[index]);
        }
        let (which, index) = ((index - S) / L, (index - S) % L);
        let link = self.link(bucket, which)?;
        Some(&link.slots[index])
    }

    /// The first or second link of a bucket, if it is attached.
    pub(super) fn link(self, bucket: &Bucket<S>, which: usize) -> Option<&Link<L>> {
        // Acquire: edge T6, the link is initialised.
        let word = bucket.link.load(Acquire);
        let number = (word >> (32 * which)) as u32;
        (number != 0).then(|| self.head().links.get(number - 1))
    }

    /// Attaches the first or second link to a bucket, unless somebody already has; false when the
    /// system refuses memory. A loser's link stays unused until the array goes.
    pub(super) fn attach(self, bucket: &Bucket<S>, which: usize) -> bool {
        let mut word = bucket.link.load(Acquire);
        if word >> (32 * which) & u64::from(u32::MAX) != 0 {
            return true;
        }
        let Some(number) = self.head().links.take() else {
            return false;
        };
        let mine = u64::from(number + 1) << (32 * which);
        if planted(Bug::BlindAttach) {
            bucket.link.store(mine, crate::sync::Release);
            return true;
        }
        while word >> (32 * which) & u64::from(u32::MAX) == 0 {
            // AcqRel: edge T6.
            match bucket.link.compare_exchange(word, word | mine, AcqRel, Acquire) {
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        true
    }

    /// Links taken by this array's buckets.
    pub(super) fn links(self) -> usize {
        self.head().links.taken.load(Relaxed) as usize
    }

    /// Bytes of the array and its links.
    pub(super) fn bytes(self) -> usize {
        self.head().bytes + self.head().links.bytes()
    }

    /// The array as garbage. The root has moved on, so nobody who pins later can reach it.
    pub(super) fn into_garbage(self) -> Garbage {
        unsafe fn free<const S: usize, const L: usize>(word: *mut ()) {
            if let Some(array) = Array::<S, L>::unpack(word) {
                // SAFETY: the grace period is over, so the array is nobody's.
                unsafe { array.free() }
            }
        }
        // SAFETY: freeing touches the array's memory only; the winner of the root's exchange, who
        // alone calls this, made it unreachable.
        unsafe { Garbage::new(self.pack(), self.bytes(), free::<S, L>) }
    }

    /// Frees the array and its links, not the records.
    ///
    /// # Safety
    ///
    /// Nobody uses the array any more, and nobody can reach it.
    pub(super) unsafe fn free(self) {
        #[cfg(rkv_loom)]
        for index in 0..self.len() {
            // SAFETY: `allocate` made each bucket.
            unsafe { self.buckets.add(index).drop_in_place() };
        }
        let bytes = self.head().bytes;
        // SAFETY: the head is initialised, and this is the block that `allocate` took.
        unsafe {
            let memory = self.buckets.byte_sub(Self::HEAD_BYTES);
            memory.cast::<Head<S, L>>().drop_in_place();
            memory::free(memory.cast(), bytes);
        }
    }
}

/// Links in the first segment of an arena; each further segment has twice as many.
const FIRST_SEGMENT: usize = if cfg!(rkv_loom) { 1 } else { 16 };
const SEGMENTS: usize = if cfg!(rkv_loom) { 3 } else { 28 };

/// The links of one array: numbers given out once, in segments that come when they are needed.
struct Links<const L: usize> {
    taken: AtomicU32,
    segments: [AtomicPtr<Link<L>>; SEGMENTS],
    here: PhantomData<Box<Link<L>>>,
}

impl<const L: usize> Links<L> {
    fn new() -> Self {
        Self {
            taken: AtomicU32::new(0),
            segments: [(); SEGMENTS].map(|()| AtomicPtr::new(ptr::null_mut())),
            here: PhantomData,
        }
    }

    /// The segment and the place in it of a link.
    fn place(number: u32) -> (usize, usize) {
        let position = number as usize / FIRST_SEGMENT + 1;
        let segment = position.ilog2() as usize;
        let first = ((1 << segment) - 1) * FIRST_SEGMENT;
        (segment, number as usize - first)
    }

    fn len_of(segment: usize) -> usize {
        FIRST_SEGMENT << segment
    }

    /// An unused link's number; `None` when the system refuses memory or no number is left.
    fn take(&self) -> Option<u32> {
        let mut number = self.taken.load(Relaxed);
        loop {
            let (segment, _) = Self::place(number);
            if !self.has_segment(segment) {
                return None;
            }
            // Relaxed: only hands out numbers; the link word publishes the link (edge T6).
            match self.taken.compare_exchange(number, number + 1, Relaxed, Relaxed) {
                Ok(_) => return Some(number),
                Err(now) => number = now,
            }
        }
    }

    /// Makes sure that a segment exists; false when the system refuses memory.
    fn has_segment(&self, segment: usize) -> bool {
        let Some(place) = self.segments.get(segment) else {
            return false;
        };
        if !place.load(Acquire).is_null() {
            return true;
        }
        let bytes = Self::len_of(segment) * size_of::<Link<L>>();
        let Some(memory) = memory::zeroed(bytes) else {
            return false;
        };
        let links = memory.cast::<Link<L>>();
        #[cfg(rkv_loom)]
        for index in 0..Self::len_of(segment) {
            // SAFETY: inside of the block, which nobody else knows yet.
            unsafe { links.add(index).write(Link::new()) };
        }
        // AcqRel: edge T6, the segment is initialised.
        if place.compare_exchange(ptr::null_mut(), links.as_ptr(), AcqRel, Acquire).is_err() {
            // SAFETY: ours was not published.
            unsafe { Self::free_segment(links, segment) };
        }
        true
    }

    fn get<'g>(&self, number: u32) -> &'g Link<L> {
        let (segment, index) = Self::place(number);
        // Acquire: edge T6. A number in a link word was taken, so its segment exists.
        let links = self.segments[segment].load(Acquire);
        debug_assert!(!links.is_null());
        // SAFETY: inside of a segment, which lives as long as the array.
        unsafe { &*links.add(index) }
    }

    fn bytes(&self) -> usize {
        let made = self.segments.iter().take_while(|place| !place.load(Relaxed).is_null()).count();
        (0..made).map(|segment| Self::len_of(segment) * size_of::<Link<L>>()).sum()
    }

    /// # Safety
    ///
    /// `links` is a segment of that number that nobody can reach.
    unsafe fn free_segment(links: NonNull<Link<L>>, segment: usize) {
        #[cfg(rkv_loom)]
        for index in 0..Self::len_of(segment) {
            // SAFETY: each link was made when the segment was.
            unsafe { links.add(index).drop_in_place() };
        }
        // SAFETY: the block that `has_segment` took.
        unsafe { memory::free(links.cast(), Self::len_of(segment) * size_of::<Link<L>>()) };
    }
}

impl<const L: usize> Drop for Links<L> {
    fn drop(&mut self) {
        for (segment, place) in self.segments.iter().enumerate() {
            if let Some(links) = NonNull::new(place.load(Acquire)) {
                // SAFETY: `&mut self`: nobody can reach it.
                unsafe { Self::free_segment(links, segment) };
            }
        }
    }
}

#[cfg(all(test, not(rkv_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_and_a_link_fill_one_cache_line() {
        assert_eq!(size_of::<Bucket<6>>(), LINE);
        assert_eq!(size_of::<Link<8>>(), LINE);
    }

    #[test]
    fn packed_words_name_their_array() {
        for log2 in [0, 1, 5] {
            let array = Array::<6, 8>::allocate(log2, false).expect("memory");
            let again = Array::<6, 8>::unpack(array.pack()).expect("not null");
            assert!(again == array && again.log2() == log2);
            assert!(array.bytes() >= 64 << log2);
            // SAFETY: not shared.
            unsafe { array.free() };
        }
        assert!(Array::<6, 8>::unpack(ptr::null_mut()).is_none());
        assert!(Array::<6, 8>::allocate(LOG2_MAX + 1, false).is_none());
    }

    #[test]
    fn links_are_distinct_across_segments_and_attached_once() {
        let array = Array::<1, 1>::allocate(6, false).expect("memory");
        let mut seen = Vec::new();
        for index in 0..64 {
            let bucket = array.bucket(index);
            for which in [1, 0] {
                assert!(array.link(bucket, which).is_none());
                assert!(array.attach(bucket, which));
                assert!(array.attach(bucket, which));
                seen.push(ptr::from_ref(array.link(bucket, which).expect("attached")).addr());
            }
            assert!(array.slot(bucket, 2).is_some());
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 128);
        assert_eq!(array.links(), 128);
        // SAFETY: not shared.
        unsafe { array.free() };
    }
}
