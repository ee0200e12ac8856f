//! What a store is made of. The store itself is a handle on it, so that the keeper can hold it too.

use std::time::Duration;

use super::capacity::Capacity;
use super::keeper::Bell;
use super::record::Record;
use super::timers::Timers;
use super::version::Floors;
use crate::clock::Clock;
use crate::epoch;
use crate::sync::{AtomicU64, OnceLock, Weak};
use crate::table::Shards;

/// The table of a store, and all that its operations need besides.
pub(super) struct Engine {
    pub(super) shards: Shards<Record>,
    pub(super) floors: Floors,
    pub(super) timers: Timers,
    /// None if the store may grow as it likes.
    pub(super) capacity: Option<Capacity>,
    pub(super) clock: Clock,
    pub(super) default_ttl: Option<Duration>,
    /// Whether what is set lives for ever and needs no room.
    pub(super) is_plain: bool,
    /// Whether the keeper looks after it from the first timer on.
    pub(super) is_kept: bool,
    /// How to wake the thread that keeps it, from the first timer on.
    pub(super) bell: OnceLock<Bell>,
    /// Itself.
    pub(super) this: Weak<Engine>,
    /// Where an entry was last taken by `take_any`: a cursor's word.
    pub(super) finger: AtomicU64,
    /// The fork generation of the process that made the store.
    pub(super) generation: u64,
}

impl Engine {
    /// Whether it was made in this process, and not in one that this was forked from.
    #[inline]
    pub(super) fn is_ours(&self) -> bool {
        self.generation == epoch::generation()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if !self.is_ours() {
            // Threads of the parent may have stopped in the middle of anything.
            self.shards.abandon();
            self.timers.abandon();
            self.capacity.iter_mut().for_each(Capacity::abandon);
        }
    }
}
