//! The two kinds of words of a bucket, and what their bits mean.
//!
//! ```text
//! slot    63..48 tag | 47..4 pointer | 3 DOOMED | 2 COLLISION | 1 FROZEN | 0 = 0    live
//!         63..48 0   | 47..8 generation                                  | 0 = 1    emptied
//!         0                                                                         unused
//! header  63..24 version | 23..22 state | 21..0 published
//! ```

use std::ptr::{self, NonNull};

use crate::memory::fits_in_word;

const EMPTY: usize = 1;
const FROZEN: usize = 2;
const COLLISION: usize = 4;
const DOOMED: usize = 8;
const TAG_SHIFT: u32 = 48;
const POINTER: usize = ((1 << TAG_SHIFT) - 1) & !15;
const GENERATION_SHIFT: u32 = 8;

/// A slot word: one loaded value, a plain copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Word(pub(super) *mut ());

impl Word {
    /// The word of a slot that was never used.
    pub(super) const UNUSED: Self = Self(ptr::null_mut());

    /// A live word that points to one record.
    pub(super) fn record(pointer: *mut (), tag: u16) -> Self {
        debug_assert!(fits_in_word(pointer));
        Self(pointer.map_addr(|addr| addr | (tag as usize) << TAG_SHIFT))
    }

    /// A live word that points to a collision list.
    pub(super) fn collision(pointer: *mut (), tag: u16) -> Self {
        Self(Self::record(pointer, tag).0.map_addr(|addr| addr | COLLISION))
    }

    /// The word of a slot whose entry was deleted while the header stood at `version`.
    pub(super) fn emptied(version: u64) -> Self {
        let generation = (version as usize) << GENERATION_SHIFT & POINTER;
        Self(ptr::without_provenance_mut(generation | EMPTY))
    }

    /// Holds no entry, whether it was used before or not.
    #[inline(always)]
    pub(super) fn is_empty(self) -> bool {
        self.0.addr() & EMPTY != 0 || self.0.addr() & POINTER == 0
    }

    #[inline(always)]
    pub(super) fn is_frozen(self) -> bool {
        self.0.addr() & FROZEN != 0
    }

    #[inline(always)]
    pub(super) fn is_collision(self) -> bool {
        self.0.addr() & (COLLISION | EMPTY) == COLLISION
    }

    #[inline(always)]
    pub(super) fn tag(self) -> u16 {
        (self.0.addr() >> TAG_SHIFT) as u16
    }

    /// The record or the collision list.
    #[inline(always)]
    pub(super) fn pointer(self) -> *mut () {
        self.0.map_addr(|addr| addr & POINTER)
    }

    /// The record of a word that holds one and no list.
    #[inline(always)]
    pub(super) fn bare_record<R>(self) -> Option<NonNull<R>> {
        match self.0.addr() & (EMPTY | COLLISION) {
            0 => NonNull::new(self.pointer().cast()),
            _ => None,
        }
    }

    /// The word, marked as the one by which its entry is released when the table ends.
    pub(super) fn doomed(self) -> Self {
        Self(self.0.map_addr(|addr| addr | DOOMED))
    }

    pub(super) fn is_doomed(self) -> bool {
        self.0.addr() & (DOOMED | EMPTY) == DOOMED
    }

    pub(super) fn frozen(self) -> Self {
        Self(self.0.map_addr(|addr| addr | FROZEN))
    }

    /// The same entry, not frozen, under another tag.
    pub(super) fn moved(self, tag: u16) -> Self {
        let kept = POINTER | COLLISION;
        Self(self.0.map_addr(|addr| addr & kept | (tag as usize) << TAG_SHIFT))
    }
}

const VERSION_SHIFT: u32 = 24;
const VERSION_MASK: u64 = (1 << 40) - 1;
const STATE_SHIFT: u32 = 22;
const STATE_MASK: u64 = 3 << STATE_SHIFT;
const STATE_FROZEN: u64 = 1 << STATE_SHIFT;
const STATE_MOVED: u64 = 2 << STATE_SHIFT;

/// Slots that a header can publish: a bucket and its links together.
pub(crate) const PUBLISHED_MAX: usize = STATE_SHIFT as usize;

/// A header word: one loaded value, a plain copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header(pub(super) u64);

impl Header {
    /// A bucket that nothing was ever written to: normal in the first table, not yet filled in a
    /// table that a migration fills.
    pub(super) const UNUSED: Self = Self(0);

    /// The header of a child that a migration has filled with `count` entries.
    pub(super) fn filled(count: usize) -> Self {
        Self(1 << VERSION_SHIFT | ((1 << count) - 1))
    }

    /// The header of a child whose entries went to its own children.
    pub(super) fn born_moved() -> Self {
        Self(1 << VERSION_SHIFT | STATE_MOVED)
    }

    pub(super) fn version(self) -> u64 {
        self.0 >> VERSION_SHIFT
    }

    #[inline(always)]
    pub(super) fn is_moved(self) -> bool {
        self.0 & STATE_MOVED != 0
    }

    pub(super) fn is_frozen(self) -> bool {
        self.0 & STATE_FROZEN != 0
    }

    pub(super) fn is_normal(self) -> bool {
        self.0 & STATE_MASK == 0
    }

    /// The slots whose entries count, one bit each.
    #[inline(always)]
    pub(super) fn published(self) -> u32 {
        (self.0 & ((1 << STATE_SHIFT) - 1)) as u32
    }

    /// Whether an entry in a link counts, where the bucket itself has `S` slots.
    #[inline(always)]
    pub(super) fn has_linked<const S: usize>(self) -> bool {
        self.published() >> S != 0
    }

    /// Whether the bucket of `S` slots has not moved, and has all of its entries in them.
    #[inline(always)]
    pub(super) fn is_whole<const S: usize>(self) -> bool {
        !self.is_moved() && !self.has_linked::<S>()
    }

    pub(super) fn has(self, slot: usize) -> bool {
        self.0 >> slot & 1 != 0
    }

    /// The next header after any change. Versions skip 0, so that a used bucket never looks unused.
    fn next(self, state: u64, published: u64) -> Self {
        let version = match (self.version() + 1) & VERSION_MASK {
            0 => 1,
            version => version,
        };
        Self(version << VERSION_SHIFT | state | published)
    }

    pub(super) fn publishing(self, slot: usize) -> Self {
        self.next(self.0 & STATE_MASK, u64::from(self.published()) | 1 << slot)
    }

    pub(super) fn clearing(self, slot: usize) -> Self {
        self.next(self.0 & STATE_MASK, u64::from(self.published()) & !(1 << slot))
    }

    pub(super) fn freezing(self) -> Self {
        self.next(STATE_FROZEN, u64::from(self.published()))
    }

    pub(super) fn moving(self) -> Self {
        self.next(STATE_MOVED, u64::from(self.published()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_words_give_back_pointer_and_tag_through_every_mark() {
        let pointer = ptr::without_provenance_mut::<()>(0x7fff_1234_5670);
        for tag in [0, 1, 0x8000, 0xffff] {
            for word in [Word::record(pointer, tag), Word::collision(pointer, tag)] {
                for word in [word, word.frozen()] {
                    assert_eq!(word.pointer(), pointer);
                    assert_eq!(word.tag(), tag);
                    assert!(!word.is_empty());
                }
                assert_eq!(word.frozen().moved(tag), word);
                assert_eq!(word.moved(7).tag(), 7);
            }
        }
    }

    #[test]
    fn emptied_words_are_empty_differ_by_generation_and_are_never_unused() {
        assert!(Word::UNUSED.is_empty());
        assert!(Word::emptied(1).is_empty());
        assert!(!Word::emptied(4).is_collision());
        assert_ne!(Word::emptied(1), Word::emptied(2));
        assert_ne!(Word::emptied(VERSION_MASK), Word::UNUSED);
        assert_eq!(Word::emptied(1).tag(), 0);
    }

    #[test]
    fn header_versions_grow_and_skip_zero() {
        let header = Header::filled(3);
        assert_eq!(header.published(), 7);
        assert_eq!(header.publishing(5).published(), 7 | 1 << 5);
        assert_eq!(header.clearing(0).published(), 6);
        assert!(header.freezing().is_frozen() && !header.freezing().is_normal());
        assert!(header.freezing().moving().is_moved());
        assert!(header.publishing(4).version() > header.version());
        let last = Header(VERSION_MASK << VERSION_SHIFT);
        assert_eq!(last.publishing(0).version(), 1);
    }
}
