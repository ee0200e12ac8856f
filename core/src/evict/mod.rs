//! S3-FIFO: which entries a bounded cache gives up, while readers do no more than count.
//!
//! The algorithm is that of J. Yang, Y. Zhang, Z. Qiu, Y. Yue and R. Vinayak, "FIFO queues are all
//! you need for cache eviction" (SOSP 2023). What is used once and never again passes through a
//! small queue; what has proved its worth goes round in the main one.
//!
//! ```text
//!                       used:
//!                       counter set to 0
//!   new ──────> small ────────────────────> main <───┐ used: counter less 1
//!    │ known    one in 33 (*)                │  └────┘
//!    │            │ else                     │ not used
//!    │            v                          v
//!    │         evicted ──> ghost          evicted
//!    └─────────────────────────────────────> main
//! ```
//!
//! (*) One in ten if the cache is small. In the paper, a tenth; and what goes to main was used
//! twice.
//!
//! The queues hold [`Handle`]s of 16 bytes. The counters are in the records, and so is what is
//! true: the owner is asked about each handle when its turn comes, and answers by one look-up in
//! which it also does what the [`Trial`] says. An entry that was removed or created anew leaves a
//! *stale* handle, which is dropped when it is met, or by [`Evict::compact`].
//!
//! # Invariants
//!
//! 1. A handle is in one queue. It leaves when the owner says that the entry is gone, or took it
//!    out, and in no other way: an entry that is alive stays within reach.
//! 2. The size of a queue is the sum of what its handles say; a handle says what the owner said
//!    last. So overwrites do not disturb it, and the owner's own counters alone decide about room.
//!
//! # Promises
//!
//! Room is made also where memory is refused, and by no more look-ups than the budget. Each look-up
//! takes an entry out, drops a stale handle, or uses up what readers have counted: 1.1 to 1.3 for
//! each entry that leaves where requests are skewed, and 5 where all of main is used in turn.
//!
//! Memory is 16.2 bytes for each handle, and 4 to 8 for each key that the ghost knows, which are as
//! many as main holds. It comes and goes in blocks of 1 KiB.
//!
//! The layer knows no table, no threads and no limits; it does what its one owner calls for.

mod block;
mod fifo;
mod ghost;
mod handle;
#[cfg(test)]
mod model;
mod queue;
#[cfg(test)]
pub(crate) mod reference;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod traces;

use self::ghost::Ghost;
pub(crate) use self::handle::Handle;
use self::queue::Queue;

/// One entry in so many belongs in small, in a cache of so many.
///
/// LIMIT: the paper has a tenth there, and moves to main what was used twice. With one in 33 and
/// one use, main has more room for what was used before. Measured on skewed requests, with scans
/// between them and without: up to 1.2 points more hits (docs/benchmarks.md, "Bounds"). A small
/// queue of a few entries would be too short for what is used again soon: up to nine points fewer.
const fn share(entries: usize) -> usize {
    if entries < FEW { 10 } else { 33 }
}

/// So few entries are a small cache.
const FEW: usize = 256;

/// Stale handles that are not worth a sweep.
///
/// LIMIT: a block of them, and fewer would have small caches swept all the time.
pub(crate) const SLACK: usize = 64;

/// The system refused memory. No handle was added, none was lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NoMemory;

/// How far a call came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Progress {
    /// All that was asked for is done.
    Done,
    /// The budget is used up, and there is more to do.
    Behind,
    /// There is more to do, and no budget would help now: there is no handle left, or a sweep was
    /// refused memory.
    Stuck,
}

/// What has to go. `bytes` are as the owner counts them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Room {
    pub(crate) entries: usize,
    pub(crate) bytes: u64,
}

/// What the owner is to do with an entry that is alive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trial {
    /// It is the oldest of small, and goes to main if it was used.
    Small,
    /// It is the oldest of main.
    Main,
    /// A sweep passes by.
    Sweep,
}

impl Trial {
    /// Of an entry whose counter is `uses`, the counter that it goes on with; `None` if it has to
    /// be taken out.
    pub(crate) const fn counter_after(self, uses: u8) -> Option<u8> {
        match self {
            // Not one less: it begins anew in main.
            Self::Small if uses > 0 => Some(0),
            Self::Main if uses > 0 => Some(uses - 1),
            Self::Sweep => Some(uses),
            Self::Small | Self::Main => None,
        }
    }
}

/// What has become of a handle's entry. `bytes` are its size now, as the owner counts it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Visit {
    /// There is no such entry: the handle is stale.
    Gone,
    /// It was dead, and the owner took it out. It counts as room, and is not remembered.
    Expired { bytes: u64 },
    /// It failed its trial, and the owner took it out.
    Evicted { bytes: u64 },
    /// It stays: it passed its trial, or somebody is changing it just now.
    Kept { bytes: u64 },
}

/// The three queues of one shard. They cost no memory until the first handle comes.
#[derive(Default)]
pub(crate) struct Evict {
    small: Queue,
    main: Queue,
    ghost: Ghost,
    sweep: Option<Turn>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Small,
    Main,
}

impl Evict {
    /// Nothing is in it.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Handles, those of entries that are gone included.
    pub(crate) const fn len(&self) -> usize {
        self.small.len() + self.main.len()
    }

    /// Takes the handle of a new entry, whose counter is 0. An entry is admitted once.
    ///
    /// Constant time; allocates at most 1 KiB and what pointers to blocks need. An entry whose
    /// handle was refused cannot be evicted: take it out, or come again.
    pub(crate) fn admit(&mut self, handle: Handle) -> Result<(), NoMemory> {
        let known = self.ghost.take(handle.fingerprint());
        let queue = if known { &mut self.main } else { &mut self.small };
        queue.push(handle)
    }

    /// Asks `visit` about one handle after the other, `budget` of them at most, until what was
    /// taken out is as much as `room`.
    ///
    /// `Behind` says that no more victims were at hand, and `Stuck` that there are none. An entry
    /// that would not fit by itself is not worth the call: it would empty the cache for nothing.
    pub(crate) fn make_room(
        &mut self,
        mut room: Room,
        budget: usize,
        mut visit: impl FnMut(Handle, Trial) -> Visit,
    ) -> Progress {
        for _ in 0..budget {
            if room == Room::default() {
                return Progress::Done;
            }
            let Some(turn) = self.turn(room) else { return Progress::Stuck };
            self.step(turn, &mut room, &mut visit);
        }
        if room == Room::default() { Progress::Done } else { Progress::Behind }
    }

    /// Drops stale handles if they outnumber the entries that are alive, of which there are `live`.
    /// At most `budget` units of work are done, each in constant time: a handle asked about, or a
    /// part of the ghost given back.
    ///
    /// A sweep goes on until it has seen all handles, whatever happens in between. Call this as
    /// often as `admit`, with a budget of 4 or more, and handles are fewer than three times as many
    /// as there were entries, and 64 more.
    pub(crate) fn compact(
        &mut self,
        live: usize,
        budget: usize,
        mut visit: impl FnMut(Handle, Trial) -> Visit,
    ) -> Progress {
        if self.sweep.is_none() && self.len() > 2 * live + SLACK {
            self.sweep = Some(Turn::Small);
        }
        for _ in 0..budget {
            if let Some(turn) = self.sweep {
                if self.sweep_step(turn, &mut visit).is_err() {
                    return Progress::Stuck;
                }
            } else if !self.ghost.shrink(self.ghost_capacity()) {
                self.trim();
                return Progress::Done;
            }
        }
        Progress::Behind
    }

    /// Gives back the last blocks when all is empty. Sooner, they would be asked for again soon.
    fn trim(&mut self) {
        if self.len() == 0 {
            self.small.trim();
            self.main.trim();
        }
    }

    /// Whose oldest handle is next.
    fn turn(&self, room: Room) -> Option<Turn> {
        if self.len() == 0 {
            return None;
        }
        let by_bytes = room.bytes > 0;
        let size = |queue: &Queue| if by_bytes { queue.bytes() } else { queue.len() as u64 };
        let (small, main) = (size(&self.small), size(&self.main));
        let share = share(self.len()) as u64;
        let small_is_full = self.small.len() > 0 && small * share >= small + main;
        let turn = if small_is_full || self.main.len() == 0 { Turn::Small } else { Turn::Main };
        Some(turn)
    }

    /// Tries the oldest handle of a queue. If it has to move and there is no memory for that, it
    /// stays in front: the next steps use its counter up.
    fn step(
        &mut self,
        turn: Turn,
        room: &mut Room,
        visit: &mut impl FnMut(Handle, Trial) -> Visit,
    ) {
        let trial = match turn {
            Turn::Small => Trial::Small,
            Turn::Main => Trial::Main,
        };
        let Some(handle) = self.queue(turn).first() else { return };
        match visit(handle, trial) {
            Visit::Gone => {}
            Visit::Kept { bytes } => {
                if self.main.push(handle.with_bytes(bytes)).is_err() {
                    return;
                }
            }
            Visit::Expired { bytes } => room.take(bytes),
            Visit::Evicted { bytes } => {
                room.take(bytes);
                if turn == Turn::Small {
                    self.ghost.insert(handle.fingerprint(), self.ghost_capacity());
                }
            }
        }
        self.queue(turn).pop();
    }

    fn sweep_step(
        &mut self,
        turn: Turn,
        visit: &mut impl FnMut(Handle, Trial) -> Visit,
    ) -> Result<(), NoMemory> {
        let queue = self.queue(turn);
        let Some(handle) = queue.unswept() else {
            queue.end_sweep();
            self.sweep = if turn == Turn::Small { Some(Turn::Main) } else { None };
            return Ok(());
        };
        match visit(handle, Trial::Sweep) {
            Visit::Kept { bytes } => queue.sweep(Some(bytes)),
            Visit::Gone | Visit::Expired { .. } | Visit::Evicted { .. } => queue.sweep(None),
        }
    }

    const fn queue(&mut self, turn: Turn) -> &mut Queue {
        match turn {
            Turn::Small => &mut self.small,
            Turn::Main => &mut self.main,
        }
    }

    /// As many as main holds when the cache is full.
    const fn ghost_capacity(&self) -> usize {
        self.len() - self.len() / share(self.len())
    }
}

impl Room {
    fn take(&mut self, bytes: u64) {
        self.entries = self.entries.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}
