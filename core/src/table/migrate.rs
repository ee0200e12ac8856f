//! Moving one bucket, or one pair of buckets, to the next array.
//!
//! ```text
//!   NORMAL --freeze header--> FROZEN --freeze slots, fill children--> MOVED
//! ```
//!
//! Any thread may do any step, any number of threads at once, and a thread may stop for ever after
//! any of them. Once header and slots are frozen the content cannot change, so all helpers compute
//! the same children. A child's slot is filled by an exchange that expects a slot that was never
//! used, and its header by one that expects a header that was never used: a helper that comes late
//! changes nothing. Readers read frozen buckets as if nothing happened.

use std::cmp::Ordering;
use std::ptr::NonNull;

use super::array::Array;
use super::collision::Collision;
use super::word::{Header, PUBLISHED_MAX, Word};
use super::{Record, Refused, Table};
use crate::hash::{child_bit, tag_after_halving, tag_of, window_moves_on_doubling};
use crate::sync::planted::{Bug, planted};
use crate::sync::stop::{self, Point};
use crate::sync::{AcqRel, Acquire, Relaxed, Release};

/// The frozen entries of a bucket, or of two that are merged, in the order of their slots.
struct Frozen {
    words: [Word; 2 * PUBLISHED_MAX],
    /// Entries of the first bucket; the rest belongs to the second.
    split: usize,
    len: usize,
}

impl Frozen {
    fn push(&mut self, word: Word) {
        self.words[self.len] = word;
        self.len += 1;
    }

    /// The entries with the bucket, 0 or 1, that each comes from.
    fn entries(&self) -> impl Iterator<Item = (usize, Word)> {
        let split = self.split;
        let words = self.words[..self.len].iter().copied().enumerate();
        words.map(move |(position, word)| (usize::from(position >= split), word))
    }
}

impl<R: Record, const S: usize, const L: usize> Table<R, S, L> {
    /// Moves a bucket, after its parents, to the next array, which exists or is made.
    ///
    /// # Errors
    ///
    /// `NoMemory`: the bucket stays as it is, perhaps frozen; reads go on, and the next writer
    /// tries again.
    pub(super) fn migrate(
        &self,
        hasher: &R::Hasher,
        array: Array<S, L>,
        index: usize,
    ) -> Result<(), Refused> {
        let next = self.next_of(array, array.log2() + 1)?;
        let (first, last) = match next.log2() < array.log2() {
            true if planted(Bug::MergeOneParent) => (index, index),
            true => (index & !1, index | 1),
            false => (index, index),
        };
        if !self.move_parents(hasher, array, first, last)? {
            return Ok(());
        }
        let mut frozen = Frozen { words: [Word::UNUSED; _], split: 0, len: 0 };
        for index in first..=last {
            frozen.split = frozen.len;
            Self::freeze(array, index);
            Self::collect(array, index, &mut frozen);
        }
        if first == last {
            frozen.split = frozen.len;
        }
        self.fill_children(hasher, array, next, first, &frozen)?;
        for index in first..=last {
            stop::reached(Point::ChildrenFilled);
            let header = &array.bucket(index).header;
            let now = array.bucket(index).load();
            if now.is_frozen() {
                // Release: edge T4, the children are filled. A failure means that it is moved.
                let _ = header.compare_exchange(now.0, now.moving().0, AcqRel, Relaxed);
            }
        }
        Ok(())
    }

    /// Moves what the array before still holds of these buckets. False when `array` is not in the
    /// chain any more: then all of it is moved already.
    fn move_parents(
        &self,
        hasher: &R::Hasher,
        array: Array<S, L>,
        first: usize,
        last: usize,
    ) -> Result<bool, Refused> {
        if planted(Bug::NoParentsFirst) {
            return Ok(true);
        }
        let mut before = self.root();
        if before == array {
            return Ok(true);
        }
        loop {
            match before.next() {
                None => return Ok(false),
                Some(next) if next == array => break,
                Some(next) => before = next,
            }
        }
        let (first, last) = match before.log2().cmp(&array.log2()) {
            Ordering::Less => (first >> 1, last >> 1),
            Ordering::Equal => (first, last),
            Ordering::Greater => (first << 1, last << 1 | 1),
        };
        for parent in first..=last {
            if !before.bucket(parent).load().is_moved() {
                self.migrate(hasher, before, parent)?;
            }
        }
        Ok(true)
    }

    /// Freezes the header, then every entry.
    pub(super) fn freeze(array: Array<S, L>, index: usize) {
        let bucket = array.bucket(index);
        let mut header = bucket.load();
        while header.is_normal() {
            // AcqRel: edge T4. From here on nothing is published or cleared in this bucket.
            let frozen = header.freezing().0;
            match bucket.header.compare_exchange(header.0, frozen, AcqRel, Acquire) {
                Ok(_) => header = Header(frozen),
                Err(now) => header = Header(now),
            }
        }
        stop::reached(Point::HeaderFrozen);
        if header.is_moved() || planted(Bug::NoSlotFreeze) {
            return;
        }
        for index in (0..Array::<S, L>::CAPACITY).filter(|&index| header.has(index)) {
            let Some(slot) = array.slot(bucket, index) else { continue };
            // Acquire: edges T1 and T3.
            let mut word = Word(slot.load(Acquire));
            // An emptied slot of a frozen bucket stays empty: claims need a cleared bit.
            while !word.is_empty() && !word.is_frozen() {
                match slot.compare_exchange(word.0, word.frozen().0, AcqRel, Acquire) {
                    Ok(_) => break,
                    Err(now) => word = Word(now),
                }
            }
        }
    }

    /// Adds the entries of a frozen bucket.
    fn collect(array: Array<S, L>, index: usize, frozen: &mut Frozen) {
        let bucket = array.bucket(index);
        let header = bucket.load();
        for slot in (0..Array::<S, L>::CAPACITY).filter(|&slot| header.has(slot)) {
            let Some(slot) = array.slot(bucket, slot) else { continue };
            // Acquire: edge T1, passed on to who finds the entry in the child.
            let word = Word(slot.load(Acquire));
            if !word.is_empty() {
                frozen.push(word.moved(word.tag()));
            }
        }
    }

    /// Fills the children of the frozen buckets that begin at `first`.
    fn fill_children(
        &self,
        hasher: &R::Hasher,
        array: Array<S, L>,
        next: Array<S, L>,
        first: usize,
        frozen: &Frozen,
    ) -> Result<(), Refused> {
        let log2 = array.log2();
        match next.log2().cmp(&log2) {
            Ordering::Equal => Self::fill(next, first, frozen.entries().map(|(_, word)| word)),
            Ordering::Greater => {
                for bit in 0..2 {
                    let words = frozen.entries().map(|(_, word)| word);
                    let words = words.filter(|word| child_bit(word.tag(), log2) == bit);
                    let words = words.map(|word| Self::after_doubling(word, log2, hasher));
                    Self::fill(next, first * 2 + bit, words)?;
                }
                Ok(())
            }
            Ordering::Less if frozen.len <= Array::<S, L>::CAPACITY => {
                let words = frozen.entries().map(|(side, word)| {
                    word.moved(tag_after_halving(word.tag(), first + side, log2))
                });
                Self::fill(next, first / 2, words)
            }
            Ordering::Less => self.pass_on(array, next, first, frozen),
        }
    }

    /// The word of an entry in an array of twice the size.
    fn after_doubling(word: Word, log2: u32, hasher: &R::Hasher) -> Word {
        if !window_moves_on_doubling(log2) {
            return word;
        }
        // SAFETY: a frozen entry is retired only after its bucket is moved, and this thread is
        // pinned since before that.
        let hash = unsafe { Self::hash_of(word, hasher) };
        word.moved(tag_of(hash, log2 + 1))
    }

    /// Two buckets that do not fit in one: their entries go to the two grandchildren, in an array
    /// of the first one's size, and the child between is born moved.
    fn pass_on(
        &self,
        array: Array<S, L>,
        next: Array<S, L>,
        first: usize,
        frozen: &Frozen,
    ) -> Result<(), Refused> {
        let child = next.bucket(first / 2);
        if child.load() != Header::UNUSED {
            return Ok(());
        }
        let after = self.next_of(next, array.log2())?;
        if after.log2() != array.log2() {
            // Another size is chosen only once the halving is complete: this helper is late.
            return Ok(());
        }
        let moved = Header::born_moved().0;
        if planted(Bug::PassedOnEarly) {
            child.header.store(moved, Release);
        }
        for side in 0..2 {
            let entries = frozen.entries().filter(|&(from, _)| from == side);
            Self::fill(after, first + side, entries.map(|(_, word)| word))?;
        }
        // Release: edge T4, the grandchildren are filled.
        let _ = child.header.compare_exchange(Header::UNUSED.0, moved, Release, Relaxed);
        Ok(())
    }

    /// Fills one child bucket, unless that is done.
    fn fill(
        next: Array<S, L>,
        index: usize,
        words: impl Iterator<Item = Word>,
    ) -> Result<(), Refused> {
        let bucket = next.bucket(index);
        if bucket.load() != Header::UNUSED && !planted(Bug::BlindFill) {
            return Ok(());
        }
        let mut count = 0;
        for (position, word) in words.enumerate() {
            if position >= S && !next.attach(bucket, (position - S) / L) {
                return Err(Refused::NoMemory);
            }
            let Some(slot) = next.slot(bucket, position) else { continue };
            if planted(Bug::BlindFill) {
                slot.store(word.0, Release);
            }
            // Release: edge T1, passed on. A slot that was ever used is never `UNUSED` again.
            let _ = slot.compare_exchange(Word::UNUSED.0, word.0, Release, Relaxed);
            count = position + 1;
        }
        let filled = Header::filled(count).0;
        // Release: edge T2, the slots are filled.
        let _ = bucket.header.compare_exchange(Header::UNUSED.0, filled, Release, Relaxed);
        Ok(())
    }

    /// The hash of an entry, from its record or its list.
    ///
    /// # Safety
    ///
    /// The word was validated or frozen, and the caller's guard keeps what it points to.
    pub(super) unsafe fn hash_of(word: Word, hasher: &R::Hasher) -> u64 {
        if word.is_collision() {
            // SAFETY: a marked word points to a list.
            return unsafe { &*word.pointer().cast::<Collision<R>>() }.hash;
        }
        // SAFETY: a live word is not null and points to a record.
        unsafe { R::hash(NonNull::new_unchecked(word.pointer().cast()), hasher) }
    }
}
