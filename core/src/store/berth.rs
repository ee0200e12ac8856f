//! The room that one write takes in a bounded store.

use super::capacity::{Capacity, cost};
use super::lineage::Lineage;
use super::mortal::Seen;
use super::record::{Draft, Entry};
use crate::error::Error;
use crate::evict::Room;

/// Room that is held, for what is put by one call. What is left of it goes back in the end.
pub(super) struct Berth<'e> {
    capacity: &'e Capacity,
    /// The hash of its key, which is not evicted for itself.
    hash: u64,
    held: Room,
    /// What is to be put counts so much.
    cost: u64,
    /// Room that the last try needed.
    need: Room,
    state: State,
    /// Whether the search for room was given up.
    is_given_up: bool,
}

/// What came of the last try.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// There was room, or no need for it.
    Fits,
    /// Nothing was put: there is no room.
    NoRoom,
    /// Nothing was put: there will be no room, so it counts as put, and as evicted at once.
    Evicted,
    /// Nothing was put: it is larger than the store may be.
    TooLarge,
}

impl<'e> Berth<'e> {
    pub(super) fn new(capacity: &'e Capacity, hash: u64) -> Self {
        let (held, need) = Default::default();
        Self { capacity, hash, held, cost: 0, need, state: State::Fits, is_given_up: false }
    }

    /// Another try begins.
    pub(super) fn begin(&mut self) {
        self.state = State::Fits;
    }

    /// Whether nothing was put for lack of room, and the search for it is still to come.
    pub(super) fn needs_room(&self) -> bool {
        self.state == State::NoRoom
    }

    /// Whether nothing was put and it counts as put.
    pub(super) fn is_evicted(&self) -> bool {
        self.state == State::Evicted
    }

    /// # Errors
    ///
    /// `TooLarge` if nothing was put for that reason.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.state == State::TooLarge { self.capacity.admits(self.cost) } else { Ok(()) }
    }

    /// Whether it is for an entry with this hash.
    pub(super) fn is_for(&self, hash: u64) -> bool {
        self.hash == hash
    }

    /// There is no room, and none will be looked for any more.
    pub(super) fn give_up(&mut self) {
        self.is_given_up = true;
    }

    /// The lineage of what takes the place of `live`, or is created.
    pub(super) fn lineage(&self, live: Option<Entry<'_>>, version: u64) -> Lineage {
        self.capacity.lineage(live, version)
    }

    /// The table has changed: what was put took room, and what is out of it made some.
    pub(super) fn has_changed(&mut self, puts: bool, old: Option<Entry<'_>>) {
        if let Some(old) = old {
            self.gain(cost(old.bytes()));
        }
        if puts {
            self.held.entries -= 1;
            self.held.bytes -= self.cost;
        }
    }

    /// An entry that counted so much made room for what is put.
    pub(super) fn gain(&mut self, bytes: u64) {
        self.held.entries += 1;
        self.held.bytes += bytes;
    }

    /// Room that is still to be taken.
    pub(super) fn missing(&self) -> Room {
        let entries = self.need.entries.saturating_sub(self.held.entries);
        Room { entries, bytes: self.need.bytes.saturating_sub(self.held.bytes) }
    }

    /// Takes what there is of the room that it needs; whether that is all.
    pub(super) fn take_room(&mut self) -> bool {
        let missing = self.missing();
        if missing == Room::default() {
            return true;
        }
        let taken = self.capacity.budget.take(missing);
        self.held.entries += taken.entries;
        self.held.bytes += taken.bytes;
        taken == missing
    }

    /// Whether there is room for a draft in the place of `seen`.
    pub(super) fn has_room_for(&mut self, draft: &Draft, seen: Seen<Entry<'_>>) -> bool {
        let old = match seen {
            Seen::Nothing => None,
            Seen::Live(old) | Seen::Dead(old) => Some(cost(old.bytes())),
        };
        self.cost = cost(draft.bytes());
        let bytes = self.cost.saturating_sub(old.unwrap_or(0));
        self.need = Room { entries: usize::from(old.is_none()), bytes };
        self.state = if self.capacity.admits(self.cost).is_err() {
            State::TooLarge
        } else if self.take_room() {
            State::Fits
        } else if self.is_given_up {
            State::Evicted
        } else {
            State::NoRoom
        };
        self.state == State::Fits
    }
}

impl Drop for Berth<'_> {
    fn drop(&mut self) {
        self.capacity.budget.give(self.held);
    }
}
