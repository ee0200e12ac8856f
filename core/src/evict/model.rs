//! A bounded cache of one thread, as a store is one of many, which checks what it is shown. The
//! tests and the fuzz target bring the calls.

use std::collections::HashMap;

use super::{Evict, Handle, Progress, Room, SLACK, Trial, Visit};

/// A cache that never holds more than its limit.
pub(crate) struct Model {
    evict: Evict,
    limit: Room,
    entries: Entries,
    lineages: u16,
}

/// What is alive, and how many handles are not.
struct Entries {
    by_hash: HashMap<u64, Entry>,
    bytes: u64,
    stale: usize,
    visits: usize,
    /// One visit in so many meets a writer; 0 is none.
    busy: usize,
}

#[derive(Clone, Copy)]
struct Entry {
    lineage: u16,
    group: u32,
    uses: u8,
    bytes: u64,
    dead: bool,
}

impl Model {
    /// An empty cache.
    pub(crate) fn new(limit: Room) -> Self {
        let by_hash = HashMap::new();
        let entries = Entries { by_hash, bytes: 0, stale: 0, visits: 0, busy: 0 };
        Self { evict: Evict::new(), limit, entries, lineages: 0 }
    }

    /// From now on, one visit in `busy` meets a writer and changes nothing; 0 for none.
    pub(crate) fn disturb(&mut self, busy: usize) {
        self.entries.busy = busy;
    }

    /// Uses an entry; whether there is one.
    pub(crate) fn get(&mut self, key: u64) -> bool {
        let Some(entry) = self.entries.by_hash.get_mut(&hash(key)) else { return false };
        if entry.dead {
            self.delete(key);
            return false;
        }
        if entry.uses < 3 {
            entry.uses += 1;
        }
        true
    }

    /// Creates or overwrites an entry; whether it stays. No room is made by more than `budget`
    /// visits at a time: then the entry is evicted at once.
    pub(crate) fn set(&mut self, key: u64, bytes: u64, budget: usize) -> bool {
        let fits = self.limit.entries > 0 && bytes <= self.limit.bytes;
        let stays = fits && self.make_room(key, bytes, budget) && self.store(key, bytes);
        if !stays {
            self.delete(key);
        }
        self.check();
        stays
    }

    /// Removes an entry, if there is one.
    pub(crate) fn delete(&mut self, key: u64) {
        if self.entries.remove(hash(key)).is_some() {
            self.entries.stale += 1;
        }
        self.check();
    }

    /// Lets an entry's time come, if there is one: it is no longer found, and still takes room.
    pub(crate) fn expire(&mut self, key: u64) {
        if let Some(entry) = self.entries.by_hash.get_mut(&hash(key)) {
            entry.dead = true;
        }
    }

    /// Drops stale handles if there are many.
    pub(crate) fn compact(&mut self, budget: usize) -> Progress {
        let (live, visits) = (self.entries.by_hash.len(), self.entries.visits);
        let entries = &mut self.entries;
        let progress =
            self.evict.compact(live, budget, |handle, trial| entries.visit(handle, trial));
        assert!(self.entries.visits - visits <= budget, "more visits than the budget allows");
        self.check();
        progress
    }

    /// Takes everything out: each entry has a handle, and none has two.
    pub(crate) fn finish(mut self) {
        self.entries.busy = 0;
        // The first may be the rest of a sweep.
        (0..2).for_each(|_| while self.compact(64) != Progress::Done {});
        assert!(self.handles() <= 2 * self.len() + SLACK, "too many are stale");
        let all = Room { entries: usize::MAX, bytes: u64::MAX };
        let entries = &mut self.entries;
        let rounds = 4 * (self.evict.len() + 1);
        let progress =
            self.evict.make_room(all, rounds, |handle, trial| entries.visit(handle, trial));
        assert_eq!(progress, Progress::Stuck, "a few visits of each take everything out");
        self.check();
        assert_eq!((self.entries.by_hash.len(), self.entries.stale), (0, 0), "out of reach");
    }

    /// Handles, stale ones too.
    pub(crate) fn handles(&self) -> usize {
        self.evict.len()
    }

    fn len(&self) -> usize {
        self.entries.by_hash.len()
    }

    /// Makes room until the entry fits, which may itself be the victim on the way.
    fn make_room(&mut self, key: u64, bytes: u64, budget: usize) -> bool {
        loop {
            let over = self.over(key, bytes);
            if over == Room::default() {
                return true;
            }
            let before = (self.len(), self.entries.bytes, self.entries.visits);
            let entries = &mut self.entries;
            let visit = |handle, trial| entries.visit(handle, trial);
            let progress = self.evict.make_room(over, budget, visit);
            assert!(self.entries.visits - before.2 <= budget, "more visits than allowed");
            if progress != Progress::Done {
                return false;
            }
            assert!(before.0 - self.len() >= over.entries, "done, and no room");
            assert!(before.1 - self.entries.bytes >= over.bytes, "done, and no room");
        }
    }

    /// By how much the cache would be over its limit.
    fn over(&self, key: u64, bytes: u64) -> Room {
        let old = self.entries.by_hash.get(&hash(key));
        let entries = self.len() + usize::from(old.is_none());
        let bytes = self.entries.bytes + bytes - old.map_or(0, |entry| entry.bytes);
        Room {
            entries: entries.saturating_sub(self.limit.entries),
            bytes: bytes.saturating_sub(self.limit.bytes),
        }
    }

    /// Puts the entry there; whether its handle was taken.
    fn store(&mut self, key: u64, bytes: u64) -> bool {
        let hash = hash(key);
        if let Some(entry) = self.entries.by_hash.get_mut(&hash) {
            self.entries.bytes += bytes;
            self.entries.bytes -= entry.bytes;
            (entry.bytes, entry.dead) = (bytes, false);
            return true;
        }
        self.lineages = (self.lineages + 1) % (1 << Handle::LINEAGE_BITS);
        let (lineage, group) = (self.lineages, group(key));
        self.entries.bytes += bytes;
        self.entries.by_hash.insert(hash, Entry { lineage, group, uses: 0, bytes, dead: false });
        let taken = self.evict.admit(Handle::new(hash, lineage, group, bytes)).is_ok();
        if !taken {
            self.entries.remove(hash);
        }
        taken
    }

    fn check(&self) {
        assert!(self.len() <= self.limit.entries, "too many entries");
        assert!(self.entries.bytes <= self.limit.bytes, "too many bytes");
        assert_eq!(self.evict.len(), self.len() + self.entries.stale, "a handle too many or few");
    }
}

impl Entries {
    fn remove(&mut self, hash: u64) -> Option<u64> {
        let entry = self.by_hash.remove(&hash)?;
        self.bytes -= entry.bytes;
        Some(entry.bytes)
    }

    /// What a store does when it is asked about a handle.
    fn visit(&mut self, handle: Handle, trial: Trial) -> Visit {
        self.visits += 1;
        let hash = handle.hash();
        let entry = self.by_hash.get_mut(&hash);
        let Some(entry) = entry.filter(|entry| entry.lineage == handle.lineage()) else {
            self.stale = self.stale.checked_sub(1).expect("a handle comes once");
            return Visit::Gone;
        };
        assert_eq!(entry.group, handle.group());
        let bytes = entry.bytes;
        if entry.dead {
            self.remove(hash);
            return Visit::Expired { bytes };
        }
        if self.busy > 0 && self.visits.is_multiple_of(self.busy) {
            return Visit::Kept { bytes };
        }
        match trial.counter_after(entry.uses) {
            Some(uses) => {
                entry.uses = uses;
                Visit::Kept { bytes }
            }
            None => {
                self.remove(hash);
                Visit::Evicted { bytes }
            }
        }
    }
}

/// A hash as good as the engine's. The steps are those of SplitMix64 (Sebastiano Vigna, public
/// domain).
pub(crate) const fn hash(key: u64) -> u64 {
    let x = key.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) & !0xffff
}

/// A group that says which key it is of, as far as it goes.
const fn group(key: u64) -> u32 {
    (key % (1 << Handle::GROUP_BITS)) as u32
}
