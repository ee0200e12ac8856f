//! How much a bounded store may hold, and how much is taken. Never more than there is.

use crate::evict::Room;
use crate::sync::planted::{Bug, planted};
use crate::sync::{AcqRel, AtomicU64, CachePadded, Relaxed, Release};

/// What is taken of a bound in entries and one in bytes.
///
/// Room is taken before a record is published, and given back after one was unlinked (edge B1): so
/// what is in the table and what is on its way there together are never more than the bound.
pub(crate) struct Budget {
    max: Room,
    entries: CachePadded<AtomicU64>,
    bytes: CachePadded<AtomicU64>,
}

impl Budget {
    pub(crate) fn new(max: Room) -> Self {
        let nothing = || CachePadded::new(AtomicU64::new(0));
        Self { max, entries: nothing(), bytes: nothing() }
    }

    pub(crate) fn max(&self) -> Room {
        self.max
    }

    /// What is taken.
    pub(crate) fn taken(&self) -> Room {
        // Relaxed: figures.
        let (entries, bytes) = (self.entries.load(Relaxed), self.bytes.load(Relaxed));
        Room { entries: entries as usize, bytes }
    }

    /// Takes room, or as much of it as there is; what it took.
    pub(crate) fn take(&self, room: Room) -> Room {
        let entries = take(&self.entries, room.entries as u64, self.max.entries as u64);
        Room { entries: entries as usize, bytes: take(&self.bytes, room.bytes, self.max.bytes) }
    }

    /// Gives room back.
    pub(crate) fn give(&self, room: Room) {
        give(&self.entries, room.entries as u64);
        give(&self.bytes, room.bytes);
    }
}

fn take(taken: &AtomicU64, more: u64, max: u64) -> u64 {
    let mut now = taken.load(Relaxed);
    loop {
        let more = if planted(Bug::UncheckedRoom) { more } else { more.min(max - now) };
        if more == 0 {
            return 0;
        }
        // AcqRel: edge B1.
        match taken.compare_exchange(now, now + more, AcqRel, Relaxed) {
            Ok(_) => return more,
            Err(later) => now = later,
        }
    }
}

fn give(taken: &AtomicU64, less: u64) {
    if less > 0 {
        let order = if planted(Bug::RelaxedRoom) { Relaxed } else { Release };
        // Release: edge B1.
        taken.fetch_sub(less, order);
    }
}
