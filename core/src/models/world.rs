//! One table with its records and garbage: what a single execution of a model works on.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ptr::NonNull;

use super::history::{Event, Op};
use super::record::{self, Record, hash_of, read};
use crate::epoch::{Garbage, Retire};
use crate::table::{Change, Decision, Refused, Table};

/// A table of buckets of `S` slots and two links of `L` slots.
///
/// As a reclaimer it keeps all garbage until the end. Loom's threads are coroutines of one thread
/// of the system, so a `RefCell` serves them all, as long as no step of loom comes between.
pub(super) struct World<const S: usize, const L: usize> {
    pub(super) table: Table<Record, S, L>,
    records: RefCell<Vec<NonNull<Record>>>,
    garbage: RefCell<Vec<Garbage>>,
    /// How many records stood at the address of a former one, where that may be.
    again: Option<Cell<usize>>,
}

impl<const S: usize, const L: usize> Retire for World<S, L> {
    fn retire(&self, garbage: Garbage) {
        self.garbage.borrow_mut().push(garbage);
    }
}

impl<const S: usize, const L: usize> World<S, L> {
    pub(super) fn new(log2: u32) -> Self {
        let table = Table::new(log2).expect("memory");
        Self { table, records: RefCell::default(), garbage: RefCell::default(), again: None }
    }

    /// A world in which the block of a record that was freed is the next that its thread allocates.
    pub(super) fn reusing(log2: u32) -> Self {
        Self { again: Some(Cell::default()), ..Self::new(log2) }
    }

    /// How many records stood at the address of a former one.
    pub(super) fn again(&self) -> usize {
        self.again.as_ref().map_or(0, Cell::get)
    }

    /// A record that belongs to the caller.
    pub(super) fn draft(&self, key: u64, value: u64) -> NonNull<Record> {
        if let Some(times) = &self.again
            && let Some(record) = Record::again(key, value)
        {
            times.set(times.get() + 1);
            return record;
        }
        let record = Record::make(key, value, self.again.is_some());
        self.records.borrow_mut().push(record);
        record
    }

    /// One step of a thread; `value` is what it puts, if it puts something.
    pub(super) fn apply(&self, guard: &impl Retire, op: Op, value: u64) -> Event {
        let mut new = None;
        let old = match op {
            Op::Get(key) => self.get(key),
            Op::Put(key) => {
                let draft = self.draft(key, value);
                new = Some(value);
                self.write(guard, key, |_| Decision::Put(draft))
            }
            Op::Add(key) => {
                let draft = self.draft(key, value);
                new = Some(value);
                let old = self.write(guard, key, |found| match found {
                    Some(_) => Decision::Keep,
                    None => Decision::Put(draft),
                });
                if old.is_some() {
                    // Nobody can read what was never published, so its owner frees it at once.
                    give_up(draft);
                }
                old
            }
            Op::Del(key) => self.write(guard, key, |_| Decision::Remove),
            Op::Resize { nth, log2 } => done(self.table.begin_resize(nth, log2)),
            Op::Move { nth, bucket } => done(self.table.move_bucket(&(), nth, bucket)),
            Op::Freeze { nth, bucket } => {
                self.table.freeze_bucket(nth, bucket);
                None
            }
            Op::Help => {
                self.table.help(&(), guard);
                None
            }
            Op::Abandon => {
                self.table.abandon_chunk();
                None
            }
            Op::Tick { .. } => unreachable!("a table has no clock"),
        };
        Event { op, old, new }
    }

    /// The value of a key.
    pub(super) fn get(&self, key: u64) -> Option<u64> {
        let found = self.table.get(&(), hash_of(key), |record| read(record).key == key);
        found.map(|record| read(record).value)
    }

    /// The values of some keys, looked up as a batch does: all are begun before one is finished.
    pub(super) fn get_many<const N: usize>(&self, keys: [u64; N]) -> [Option<u64>; N] {
        let begun = keys.map(|key| (key, self.table.begin_ahead(hash_of(key), 1)));
        let begun = begun.map(|(key, begun)| match begun.needs_links() {
            true => (key, self.table.begin_in_links(hash_of(key), 1)),
            false => (key, begun),
        });
        begun.map(|(key, begun)| {
            let is_key = |record| read(record).key == key;
            let found = self.table.finish(&(), hash_of(key), begun, is_key);
            found.map(|record| read(record).value)
        })
    }

    /// A write; the value that stood there.
    pub(super) fn write(
        &self,
        guard: &impl Retire,
        key: u64,
        decide: impl FnMut(Option<NonNull<Record>>) -> Decision<Record>,
    ) -> Option<u64> {
        let is_key = |record| read(record).key == key;
        match self.table.write(&(), hash_of(key), guard, is_key, decide).expect("room and memory") {
            Change::Created => None,
            Change::Replaced(old) | Change::Removed(old) => Some(read(old).value),
            Change::Kept(old) => old.map(|old| read(old).value),
        }
    }

    /// Ends the world: nobody uses the table any more, and the epoch has freed what it was given.
    ///
    /// # Panics
    ///
    /// When a key stands twice in the table, or a record was not given up exactly once.
    pub(super) fn finish(&self) {
        let mut keys = BTreeSet::new();
        let mut from = Some(0);
        while let Some(start) = from {
            from = self.table.scan(&(), start, |record| {
                let key = read(record).key;
                assert!(keys.insert(key), "key {key:#x} stands twice");
            });
        }
        for garbage in self.garbage.take() {
            // SAFETY: the threads have ended.
            unsafe { garbage.free() }
        }
        // SAFETY: nobody uses the table any more.
        unsafe { self.table.free_all(&()) };
        for record in self.records.take() {
            let (content, times) = (read(record), record::released(record));
            assert!(times == 1, "a record of {:#x} was given up {times} times", content.key);
            // SAFETY: nothing in the table refers to it.
            unsafe { record::free(record) };
        }
    }
}

/// What the owner of a draft does that was not published.
pub(super) fn give_up(draft: NonNull<Record>) {
    // SAFETY: the table does not hold it.
    unsafe { <Record as crate::table::Record>::release(draft) }
}

fn done(outcome: Result<(), Refused>) -> Option<u64> {
    outcome.expect("memory");
    None
}
