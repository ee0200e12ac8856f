//! Growing, shrinking and renewing an array: when, to what size, and how all threads share the
//! work.
//!
//! No resize depends on one thread. The cursor only spreads helpers over the chunks; that a chunk
//! is moved is read from its headers, by anyone, and noted in `swept`, which anyone may advance.
//! Any thread moves the root on while the root's array is swept, and the winner of that exchange
//! retires the array.

use super::array::{Array, Bucket, LOG2_MAX};
use super::find::Place;
use super::word::{Header, PUBLISHED_MAX};
use super::{Record, Refused, Table};
use crate::epoch::Retire;
use crate::hash::bucket_of;
use crate::sync::planted::{Bug, planted};
use crate::sync::stop::{self, Point};
use crate::sync::{AcqRel, Acquire, Relaxed};

/// Buckets that one write moves at most while a resize runs.
const CHUNK: usize = if cfg!(rkv_loom) { 1 } else { 16 };

/// Chunks that one write verifies at most when all are handed out.
const SWEEP: usize = if cfg!(rkv_loom) { 2 } else { 8 };

/// Buckets of a sample. At 4.5 entries a bucket, the mean of 512 is known to 2 %, so that hardly
/// any of the many samples of a large array is too high by a tenth.
const SAMPLE: usize = 512;

/// One of so many chances to sample is taken in a large array, fewer are left out in a small one.
const RARELY: u64 = 32;

/// Buckets for which every chance to sample is taken.
const SMALL: usize = 64;

/// Entries in a hundred primary slots at which an array doubles.
const FULL: usize = 75;

impl<R: Record, const S: usize, const L: usize> Table<R, S, L> {
    /// The array that follows; makes one of `2^log2` buckets if there is none.
    pub(super) fn next_of(&self, array: Array<S, L>, log2: u32) -> Result<Array<S, L>, Refused> {
        if let Some(next) = array.next() {
            return Ok(next);
        }
        // What a halving may have to pass on needs the former size until the halving is complete,
        // and only then is its array the root.
        let filling = array.is_halved() && self.root() != array;
        let log2 = if filling { array.log2() + 1 } else { log2 };
        let next = Array::allocate(log2, log2 < array.log2()).ok_or(Refused::NoMemory)?;
        let place = &array.head().next;
        // AcqRel: edge T5, the next array is initialised.
        match place.compare_exchange(std::ptr::null_mut(), next.pack(), AcqRel, Acquire) {
            Ok(_) => Ok(next),
            Err(theirs) => {
                // SAFETY: ours was not published.
                unsafe { next.free() };
                Array::unpack(theirs).ok_or(Refused::NoMemory)
            }
        }
    }

    /// Makes room for an entry whose bucket cannot take it, by moving that bucket. `full`: all its
    /// slots are published; otherwise claims of others stand in the way, and no growth is called
    /// for.
    pub(super) fn make_room<G: Retire>(
        &self,
        place: &Place<'_, S, L>,
        hasher: &R::Hasher,
        guard: &G,
        full: bool,
    ) -> Result<(), Refused> {
        let array = place.array;
        if full && array.next().is_none() {
            let root = self.root();
            if root != array && array.log2() > root.log2() + 1 {
                // Far ahead of the root: the resizes that run come first.
                return self.help_with(root, hasher, guard);
            }
            if array.log2() == LOG2_MAX || root == array && Self::is_nearly_empty(array, place) {
                return Err(Refused::Full);
            }
        }
        self.next_of(array, array.log2() + u32::from(full))?;
        self.migrate(hasher, array, place.index)
    }

    /// Whether doubling would not help a full bucket of this array: below one entry a bucket, so
    /// many hashes with the same upper bits do not come by chance behind a keyed finalizer. Tiny
    /// buckets, which only tests have, do fill by chance.
    fn is_nearly_empty(array: Array<S, L>, place: &Place<'_, S, L>) -> bool {
        let sample = Self::sample(array, place.index);
        let few = if Array::<S, L>::CAPACITY == PUBLISHED_MAX { sample.buckets } else { 0 };
        array.len() > SMALL && sample.entries < few
    }

    /// Grows or renews the array if it has become too full or too linked; asked when a bucket takes
    /// a link. That there is no memory for it is no error: the table goes on as it is.
    pub(super) fn consider_growing(&self, place: &Place<'_, S, L>, link: usize) {
        let array = place.array;
        if link == 0 && !Self::takes_chance(array, place.index, place.header) {
            return;
        }
        if self.root() != array || array.next().is_some() {
            return;
        }
        let sample = Self::sample(array, place.index);
        if sample.entries * 100 >= sample.slots::<S>() * FULL {
            let _ = self.next_of(array, array.log2() + 1);
        } else if sample.linked * 2 > sample.buckets {
            let _ = self.next_of(array, array.log2());
        }
    }

    /// Shrinks the array if it has become nearly empty; asked when a bucket of it has.
    pub(crate) fn consider_shrinking(&self, hash: u64, log2_min: u32) {
        let array = self.root();
        if array.log2() <= log2_min || array.next().is_some() {
            return;
        }
        let index = bucket_of(hash, array.log2());
        let header = array.bucket(index).load();
        if header.published() != 0 || !Self::takes_chance(array, index, header) {
            return;
        }
        if Self::sample(array, index).is_sparse::<S>() {
            let _ = self.next_of(array, array.log2() - 1);
        }
    }

    /// Halves the array as often as its load allows, and does all of the work, unless memory is
    /// refused. For callers that have just walked the whole table anyway.
    pub(crate) fn shrink<G: Retire>(&self, hasher: &R::Hasher, guard: &G, log2_min: u32) {
        loop {
            let array = self.root();
            if array.next().is_none() {
                if array.log2() <= log2_min || !Self::sample(array, 0).is_sparse::<S>() {
                    return;
                }
                if self.next_of(array, array.log2() - 1).is_err() {
                    return;
                }
            }
            while self.root() == array {
                if self.help_with(array, hasher, guard).is_err() {
                    return;
                }
            }
        }
    }

    /// Doubles the array until it has room for `entries`, and does all of the work.
    pub(crate) fn reserve<G: Retire>(
        &self,
        hasher: &R::Hasher,
        guard: &G,
        entries: usize,
    ) -> Result<(), Refused> {
        let log2 = Self::log2_for(entries);
        loop {
            let array = self.root();
            if array.log2() >= log2 {
                return Ok(());
            }
            self.next_of(array, array.log2() + 1)?;
            while self.root() == array {
                self.help_with(array, hasher, guard)?;
            }
        }
    }

    /// The size of an array that holds `entries` and does not double before, but by rare chance.
    pub(crate) fn log2_for(entries: usize) -> u32 {
        // A tenth less than full, since entries do not spread evenly over shards and samples.
        let buckets = entries.saturating_mul(100) / (S * (FULL - FULL / 10));
        (buckets.max(1).ilog2() + u32::from(!buckets.max(1).is_power_of_two())).min(LOG2_MAX)
    }

    /// Whether to look at a sample now: the larger the array, the rarer.
    fn takes_chance(array: Array<S, L>, index: usize, header: Header) -> bool {
        let one_in = ((array.len() / SMALL) as u64).clamp(1, RARELY);
        (header.version() ^ index as u64).is_multiple_of(one_in)
    }

    fn sample(array: Array<S, L>, around: usize) -> Sample {
        let buckets = array.len().min(SAMPLE);
        let first = around & !(SAMPLE - 1) & (array.len() - 1);
        let mut sample = Sample { buckets, entries: 0, linked: 0 };
        for index in first..first + buckets {
            let bucket: &Bucket<S> = array.bucket(index);
            sample.entries += bucket.load().published().count_ones() as usize;
            // Relaxed: a figure.
            sample.linked += usize::from(bucket.link.load(Relaxed) != 0);
        }
        sample
    }

    /// Takes a bounded part in a resize, if one runs. Called by every write.
    #[inline]
    pub(crate) fn help<G: Retire>(&self, hasher: &R::Hasher, guard: &G) {
        let array = self.root();
        if array.next().is_some() {
            // A refusal of memory concerns whoever needs that bucket; its writer will be told.
            let _ = self.help_with(array, hasher, guard);
        }
    }

    #[cold]
    fn help_with<G: Retire>(
        &self,
        array: Array<S, L>,
        hasher: &R::Hasher,
        guard: &G,
    ) -> Result<(), Refused> {
        let head = array.head();
        let chunks = array.len().div_ceil(CHUNK);
        // Relaxed: a hint that spreads the helpers.
        let chunk = match head.cursor.load(Relaxed) < chunks {
            true => head.cursor.fetch_add(1, Relaxed),
            false => chunks,
        };
        if chunk < chunks {
            self.move_chunk(array, chunk, hasher)?;
            if planted(Bug::CountedCompletion) {
                head.swept.fetch_add(1, AcqRel);
            }
        } else if !planted(Bug::CountedCompletion) {
            self.sweep(array, chunks, hasher)?;
        }
        self.advance_root(guard);
        Ok(())
    }

    fn move_chunk(
        &self,
        array: Array<S, L>,
        chunk: usize,
        hasher: &R::Hasher,
    ) -> Result<(), Refused> {
        let first = chunk * CHUNK;
        for index in first..array.len().min(first + CHUNK) {
            if !array.bucket(index).load().is_moved() {
                self.migrate(hasher, array, index)?;
            }
        }
        Ok(())
    }

    /// Sees to it that the next chunks which nobody has verified are moved, and says so.
    fn sweep(&self, array: Array<S, L>, chunks: usize, hasher: &R::Hasher) -> Result<(), Refused> {
        let swept = &array.head().swept;
        for _ in 0..SWEEP {
            let chunk = swept.load(Acquire);
            if chunk >= chunks {
                break;
            }
            self.move_chunk(array, chunk, hasher)?;
            stop::reached(Point::ChunkVerified);
            // AcqRel: edge T7, all chunks below are moved. A failure means that somebody said it.
            let _ = swept.compare_exchange(chunk, chunk + 1, AcqRel, Relaxed);
        }
        Ok(())
    }

    /// Moves the root on past all arrays that are swept. Whoever moves it retires the array.
    fn advance_root<G: Retire>(&self, guard: &G) {
        loop {
            let array = self.root();
            let Some(next) = array.next() else { return };
            // Acquire: edge T7.
            let swept = array.head().swept.load(Acquire) >= array.len().div_ceil(CHUNK);
            if !swept && !planted(Bug::RootEarly) {
                return;
            }
            // AcqRel: edge T8, what the array held is found in the next.
            let moved = self.root.compare_exchange(array.pack(), next.pack(), AcqRel, Relaxed);
            if moved.is_ok() {
                guard.retire(array.into_garbage());
                guard.hand_over();
            }
        }
    }
}

/// The headers of some neighbouring buckets, summed.
struct Sample {
    buckets: usize,
    entries: usize,
    linked: usize,
}

impl Sample {
    fn slots<const S: usize>(&self) -> usize {
        self.buckets * S
    }

    fn is_sparse<const S: usize>(&self) -> bool {
        self.entries * 10 < self.slots::<S>() * 2
    }
}
