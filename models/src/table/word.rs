//! The words of a bucket, shrunk to 16 bits: header, slot, and the record a slot points to.
//!
//! ```text
//! header  version 15..8 | state 7..6 (NORMAL, FROZEN, MOVED) | published bits 5..0
//! slot    LIVE 15 | FROZEN 14 | record 13..8 | record's version, or generation of EMPTY, 7..0
//! ```
//!
//! Zero is "empty, generation 0" as a slot and "not yet filled" as a header, as in the engine,
//! where a fresh zero page is a valid table.

use std::fmt;

/// Keys of a scenario: K, M, N, O.
pub(crate) const KEYS: usize = 4;

const KEY_NAMES: &[u8; KEYS] = b"KMNO";

/// A record, known by its key and the letter of its value; stands for a pointer, unique while
/// pinned.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Record(u8);

impl Record {
    /// Reads "Ka": key K, value a; values run from a to p.
    pub(crate) fn parse(text: &str) -> Self {
        let [key, value] = text.as_bytes() else { panic!("a record is a key and a value: {text}") };
        assert!((b'a'..=b'p').contains(value), "values run from a to p: {text}");
        Self((key_number(*key) as u8) << 4 | (value - b'a'))
    }

    pub(crate) fn key(self) -> usize {
        (self.0 >> 4) as usize
    }
}

/// The number of the key of this name.
pub(crate) fn key_number(name: u8) -> usize {
    KEY_NAMES.iter().position(|known| *known == name).expect("keys are K, M, N and O")
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = KEY_NAMES[self.key()] as char;
        write!(f, "{key}{}", (b'a' + (self.0 & 15)) as char)
    }
}

const LIVE: u16 = 1 << 15;
const FROZEN: u16 = 1 << 14;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Slot(pub(crate) u16);

impl Slot {
    pub(crate) fn live(record: Record, version: u8) -> Self {
        Self(LIVE | (record.0 as u16) << 8 | version as u16)
    }

    pub(crate) fn empty(generation: u8) -> Self {
        Self(generation as u16)
    }

    pub(crate) fn is_live(self) -> bool {
        self.0 & LIVE != 0
    }

    pub(crate) fn is_frozen(self) -> bool {
        self.0 & FROZEN != 0
    }

    pub(crate) fn frozen(self) -> Self {
        Self(self.0 | FROZEN)
    }

    pub(crate) fn thawed(self) -> Self {
        Self(self.0 & !FROZEN)
    }

    pub(crate) fn record(self) -> Record {
        Record((self.0 >> 8) as u8 & 63)
    }

    pub(crate) fn version(self) -> u8 {
        self.0 as u8
    }

    /// The record of `key`, if the slot holds one.
    pub(crate) fn holds(self, key: usize) -> bool {
        self.is_live() && self.record().key() == key
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_live() {
            write!(f, "{:?}.{}", self.record(), self.version())?;
        } else {
            write!(f, "EMPTY({})", self.version())?;
        }
        f.write_str(if self.is_frozen() { " FROZEN" } else { "" })
    }
}

const NORMAL: u16 = 0;
const STATE_FROZEN: u16 = 1 << 6;
const STATE_MOVED: u16 = 2 << 6;
const STATE: u16 = 3 << 6;
const MASK: u16 = STATE_FROZEN - 1;
const VERSION_ONE: u16 = 1 << 8;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Header(pub(crate) u16);

impl Header {
    /// Of a bucket that was just filled with `count` records in its first slots.
    pub(crate) fn filled(count: usize) -> Self {
        Self(VERSION_ONE | ((1 << count) - 1))
    }

    /// Of a bucket that is MOVED from birth.
    pub(crate) fn born_moved() -> Self {
        Self(VERSION_ONE | STATE_MOVED)
    }

    pub(crate) fn is_normal(self) -> bool {
        self.0 & STATE == NORMAL
    }

    pub(crate) fn is_frozen(self) -> bool {
        self.0 & STATE == STATE_FROZEN
    }

    pub(crate) fn is_moved(self) -> bool {
        self.0 & STATE == STATE_MOVED
    }

    pub(crate) fn version(self) -> u8 {
        (self.0 >> 8) as u8
    }

    pub(crate) fn publishes(self, slot: u8) -> bool {
        self.0 & MASK & 1 << slot != 0
    }

    /// The first published slot from `start` on.
    pub(crate) fn next_published(self, start: u8) -> Option<u8> {
        let rest = (self.0 & MASK) >> start << start;
        (rest != 0).then(|| rest.trailing_zeros() as u8)
    }

    pub(crate) fn with(self, slot: u8) -> Self {
        Self(self.bumped() | 1 << slot)
    }

    pub(crate) fn without(self, slot: u8) -> Self {
        Self(self.bumped() & !(1 << slot))
    }

    pub(crate) fn frozen(self) -> Self {
        Self(self.bumped() & !STATE | STATE_FROZEN)
    }

    pub(crate) fn moved(self) -> Self {
        Self(self.bumped() & !STATE | STATE_MOVED)
    }

    fn bumped(self) -> u16 {
        self.0.checked_add(VERSION_ONE).expect("a scenario changes a header less than 256 times")
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.0 & STATE {
            NORMAL => "",
            STATE_FROZEN => " FROZEN",
            _ => " MOVED",
        };
        write!(f, "[v{} {:b}{state}]", self.version(), self.0 & MASK)
    }
}
