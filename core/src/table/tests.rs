//! The table alone, with tiny buckets and a reclaimer that keeps everything until the end: what
//! Miri can check with strict provenance, and what maps reach only by chance.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::ptr::NonNull;
use std::thread;

use super::{Change, Decision, Record, Shards, Table};
use crate::epoch::{Garbage, Retire};
use crate::hash::Finalizer;
use crate::sync::figures::AtomicI64;
use crate::sync::stop::{self, Point};
use crate::sync::{Arc, Mutex, Relaxed, lock};

/// A record of a test: its hash is what the test says, its life is counted.
#[repr(align(16))]
struct Item {
    hash: u64,
    key: u64,
    value: u64,
    alive: Arc<AtomicI64>,
}

// SAFETY: an item is a box that never moves.
unsafe impl Record for Item {
    type Hasher = ();
    type Shown<'g> = &'g Self;

    unsafe fn show<'g>(record: NonNull<Self>) -> &'g Self {
        // SAFETY: the caller vouches for the lifetime.
        unsafe { record.as_ref() }
    }

    unsafe fn hash(record: NonNull<Self>, (): &()) -> u64 {
        // SAFETY: readable, says the caller.
        unsafe { record.as_ref() }.hash
    }

    unsafe fn release(record: NonNull<Self>) {
        // SAFETY: the caller gives up the only share of the box.
        unsafe { crate::memory::drop_boxed(record) };
    }

    unsafe fn bytes(_: NonNull<Self>) -> usize {
        size_of::<Self>()
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Relaxed);
    }
}

/// Keeps garbage until it is dropped, when no thread uses the table any more.
#[derive(Default)]
struct Keep {
    garbage: Mutex<Vec<Garbage>>,
}

impl Retire for Keep {
    fn retire(&self, garbage: Garbage) {
        lock(&self.garbage).push(garbage);
    }
}

impl Drop for Keep {
    fn drop(&mut self) {
        for garbage in lock(&self.garbage).drain(..) {
            // SAFETY: all threads of the test have ended.
            unsafe { garbage.free() };
        }
    }
}

/// A table, its garbage, and how many items live.
struct Rig<const S: usize, const L: usize> {
    table: Table<Item, S, L>,
    keep: Keep,
    alive: Arc<AtomicI64>,
    hash: fn(u64) -> u64,
}

/// A good hash, a hash whose upper bits choose few buckets, and one that is always the same.
fn spread(key: u64) -> u64 {
    Finalizer::new(7).scramble(key)
}

fn crowded(key: u64) -> u64 {
    key << 61 | key & 0xffff
}

fn constant(_: u64) -> u64 {
    42
}

impl<const S: usize, const L: usize> Rig<S, L> {
    fn new(log2: u32, hash: fn(u64) -> u64) -> Self {
        let table = Table::new(log2).expect("memory");
        Self { table, keep: Keep::default(), alive: Arc::default(), hash }
    }

    /// Sets a key; the value that it had.
    fn put(&self, key: u64, value: u64) -> Option<u64> {
        let item = self.item((self.hash)(key), key, value);
        self.write(key, |_| Decision::Put(item))
    }

    /// Removes a key; the value that it had.
    fn remove(&self, key: u64) -> Option<u64> {
        let old = self.write(key, |found| match found {
            Some(_) => Decision::Remove,
            None => Decision::Keep,
        });
        self.table.consider_shrinking((self.hash)(key), 0);
        old
    }

    fn write(
        &self,
        key: u64,
        decide: impl FnMut(Option<NonNull<Item>>) -> Decision<Item>,
    ) -> Option<u64> {
        // SAFETY: validated by the table; the rig frees garbage at the end only.
        let is_key = |item: NonNull<Item>| unsafe { item.as_ref() }.key == key;
        let change = self.table.write(&(), (self.hash)(key), &self.keep, is_key, decide);
        self.table.help(&(), &self.keep);
        match change.expect("memory") {
            Change::Replaced(item) | Change::Removed(item) => Some(value_of(item)),
            Change::Kept(found) => found.map(value_of),
            Change::Created => None,
        }
    }

    fn item(&self, hash: u64, key: u64, value: u64) -> NonNull<Item> {
        self.alive.fetch_add(1, Relaxed);
        let item = Item { hash, key, value, alive: Arc::clone(&self.alive) };
        crate::memory::try_box(item).unwrap_or_else(|_| panic!("memory"))
    }

    fn get(&self, key: u64) -> Option<u64> {
        // SAFETY: as in `write`.
        let is_key = |item: NonNull<Item>| unsafe { item.as_ref() }.key == key;
        self.table.get(&(), (self.hash)(key), is_key).map(value_of)
    }

    /// All entries by a scan, during which `between` runs after each step.
    fn scan(&self, mut between: impl FnMut()) -> Vec<(u64, u64)> {
        let mut entries = Vec::new();
        let mut from = Some(0);
        while let Some(start) = from {
            from = self.table.scan(&(), start, |item| {
                // SAFETY: as in `write`.
                let item = unsafe { item.as_ref() };
                entries.push((item.key, item.value));
            });
            between();
        }
        entries
    }

    /// Checks the whole content in every way.
    fn holds(&self, model: &BTreeMap<u64, u64>) {
        let mut entries = self.scan(|| ());
        entries.sort_unstable();
        assert_eq!(entries, model.iter().map(|(&key, &value)| (key, value)).collect::<Vec<_>>());
        for (&key, &value) in model {
            assert_eq!(self.get(key), Some(value));
        }
    }

    /// Drops the table and the garbage; every item must die once.
    fn end(self) {
        let Self { table, keep, alive, .. } = self;
        // SAFETY: nobody uses the table any more.
        unsafe { table.free(&()) }.expect("no panic");
        drop(keep);
        assert_eq!(alive.load(Relaxed), 0, "items left, or dropped twice");
    }
}

fn value_of(item: NonNull<Item>) -> u64 {
    // SAFETY: found in a rig's table, whose garbage is freed at the end only.
    unsafe { item.as_ref() }.value
}

/// Fills, overwrites, empties and fills again, against a model.
fn fill_and_empty<const S: usize, const L: usize>(hash: fn(u64) -> u64, keys: u64) {
    let rig = Rig::<S, L>::new(0, hash);
    let mut model = BTreeMap::new();
    for round in 0..3 {
        for key in 0..keys {
            assert_eq!(rig.put(key, key + round), model.insert(key, key + round));
        }
        rig.holds(&model);
        for key in (0..keys).filter(|key| key % 4 != round % 4) {
            assert_eq!(rig.remove(key), model.remove(&key));
            assert_eq!(rig.remove(key), None);
        }
        rig.holds(&model);
    }
    for key in 0..keys {
        assert_eq!(rig.remove(key), model.remove(&key));
    }
    rig.holds(&model);
    rig.end();
}

const KEYS: u64 = if cfg!(miri) { 60 } else { 3000 };

#[test]
fn a_table_of_tiny_buckets_holds_what_was_put() {
    fill_and_empty::<1, 1>(spread, KEYS);
    fill_and_empty::<2, 1>(spread, KEYS);
    fill_and_empty::<6, 8>(spread, KEYS);
}

#[test]
fn keys_of_one_hash_share_a_slot_and_the_table_stays_small() {
    fill_and_empty::<2, 1>(constant, 40);
    let rig = Rig::<6, 8>::new(0, constant);
    for key in 0..200 {
        rig.put(key, key);
    }
    assert_eq!(rig.table.figures(&rig.keep).buckets, 1);
    rig.end();
}

/// Two shards, and all that lives in them.
struct TwoShards {
    shards: Shards<Item>,
    keep: Keep,
    alive: Arc<AtomicI64>,
}

impl TwoShards {
    fn new() -> Self {
        let shards = Shards::new(2, 0, ()).unwrap_or_else(|_| panic!("memory"));
        Self { shards, keep: Keep::default(), alive: Arc::default() }
    }

    fn put(&self, hash: u64, key: u64) {
        self.alive.fetch_add(1, Relaxed);
        let item = Item { hash, key, value: key, alive: Arc::clone(&self.alive) };
        let item = crate::memory::try_box(item).unwrap_or_else(|_| panic!("memory"));
        self.write(hash, key, |_| Decision::Put(item));
    }

    fn write(&self, hash: u64, key: u64, decide: impl FnMut(Option<&Item>) -> Decision<Item>) {
        let change = self.shards.write(hash, &self.keep, |item| item.key == key, decide);
        assert!(change.is_ok());
    }

    /// The hash and the key that a token leads to.
    fn met(&self, shard: usize, token: u64, key: u64) -> Option<(u64, u64)> {
        let found = self.shards.get_in(shard, token, &self.keep, |item| item.key == key);
        found.map(|item| (item.hash, item.key))
    }
}

/// What tokens lead to in shard 0, whatever stands in the bits that they do not have.
fn all_are_met(two: &TwoShards, present: &[(u64, u64)], absent: &[(u64, u64)]) {
    for low in [0, 0x2, 0x4, 0x6, 0xffff] {
        for &(hash, key) in present {
            assert_eq!(two.met(0, hash & !0xffff | low, key), Some((hash, key)), "low bits {low}");
        }
        for &(hash, key) in absent {
            assert_eq!(two.met(0, hash & !0xffff | low, key), None, "low bits {low}");
        }
    }
}

#[test]
fn a_token_with_48_bits_of_a_hash_leads_to_each_key_that_has_them_and_to_no_other() {
    let two = TwoShards::new();
    let top = spread(1) & !0xffff;
    // Two lists of three and two bare records, which share all but the low bits; a list in the
    // other shard, which a token says by itself.
    let lists = [2, 4].map(|low| [0, 1, 2].map(|n| (top | low, 10 * low + n)));
    let bare = [(top | 6, 60), (top | 8, 80)];
    let other = [0, 1, 2].map(|n| (top | 3, 30 + n));
    let mut present: Vec<_> = lists.as_flattened().iter().chain(&bare).copied().collect();
    for &(hash, key) in present.iter().chain(&other) {
        two.put(hash, key);
    }
    let mut absent = vec![(top | 2, 29), (top ^ 1 << 63 | 2, 20)];
    absent.extend(other);
    all_are_met(&two, &present, &absent);
    assert_eq!(two.met(1, top, 31), Some(other[1]));
    // Where the table is larger, the tag is made of lower bits.
    for key in 1000..1000 + KEYS {
        two.put(spread(key), key);
    }
    all_are_met(&two, &present, &absent);
    // Lists that are shorter, and one that has no member left.
    for gone in [present[0], present[1], present[3], present[4], present[5]] {
        two.write(gone.0, gone.1, |_| Decision::Remove);
        absent.push(gone);
    }
    present.retain(|key| !absent.contains(key));
    all_are_met(&two, &present, &absent);
    let TwoShards { shards, keep, alive } = two;
    drop(shards);
    drop(keep);
    assert_eq!(alive.load(Relaxed), 0, "items left, or dropped twice");
}

#[test]
fn a_hash_that_fills_few_buckets_is_carried_by_links() {
    fill_and_empty::<6, 8>(crowded, 8 * 20);
}

#[test]
fn two_buckets_that_do_not_fit_in_one_are_passed_on() {
    // Halved while both halves are full: three entries each, and three places in the child.
    let rig = Rig::<1, 1>::new(1, |key| key << 32 | key.wrapping_mul(0x9e37_79b9));
    let (low, high) = (0..3u64, (1 << 31)..(1 << 31) + 3);
    let mut model = BTreeMap::new();
    let root = rig.table.root();
    let halved = rig.table.next_of(root, 0).expect("memory");
    for key in low.chain(high) {
        // Without the help that would move the buckets before they are full.
        let item = rig.item((rig.hash)(key), key, key);
        // SAFETY: as in `write`.
        let is_key = |item: NonNull<Item>| unsafe { item.as_ref() }.key == key;
        let put = |_: Option<_>| Decision::Put(item);
        assert!(rig.table.write(&(), (rig.hash)(key), &rig.keep, is_key, put).is_ok());
        model.insert(key, key);
    }
    assert!(root == rig.table.root());
    for index in 0..root.len() {
        rig.table.migrate(&(), root, index).expect("memory");
    }
    assert!(halved.next().is_some_and(|after| after.log2() == root.log2()));
    rig.holds(&model);
    while rig.table.root().next().is_some() {
        rig.table.help(&(), &rig.keep);
    }
    rig.holds(&model);
    rig.end();
}

#[test]
fn a_scan_shows_every_entry_once_while_the_table_grows_and_shrinks() {
    let rig = Rig::<2, 1>::new(0, spread);
    let stay = KEYS / 4;
    for key in 0..stay {
        rig.put(key, key);
    }
    let mut next = stay;
    let mut grown = rig.scan(|| {
        // More than a bucket of them, but not for ever: the scan would never catch up.
        for _ in 0..7 {
            if next < KEYS {
                rig.put(next, next);
                next += 1;
            }
        }
    });
    let mut gone = stay;
    let mut shrunk = rig.scan(|| {
        for _ in 0..9 {
            rig.remove(gone);
            gone += 1;
        }
    });
    for entries in [&mut grown, &mut shrunk] {
        entries.retain(|&(key, _)| key < stay);
        entries.sort_unstable();
        assert_eq!(*entries, (0..stay).map(|key| (key, key)).collect::<Vec<_>>());
    }
    rig.end();
}

#[test]
fn threads_that_share_tiny_buckets_lose_and_double_nothing() {
    let rig = Rig::<2, 1>::new(0, spread);
    let per_thread = if cfg!(miri) { 40 } else { 20_000 };
    thread::scope(|scope| {
        for thread in 0..3 {
            let rig = &rig;
            scope.spawn(move || {
                for key in (0..per_thread).map(|n| n * 3 + thread) {
                    assert_eq!(rig.put(key, key), None);
                    rig.put(u64::MAX, key);
                    assert_eq!(rig.get(key), Some(key));
                    if key % 5 != 0 {
                        assert_eq!(rig.remove(key), Some(key));
                    }
                }
            });
        }
    });
    let mut model: BTreeMap<_, _> =
        (0..per_thread * 3).filter(|key| key % 5 == 0).map(|key| (key, key)).collect();
    let last = rig.get(u64::MAX).expect("put by all");
    model.insert(u64::MAX, last);
    rig.holds(&model);
    rig.end();
}

#[test]
fn shrinking_goes_on_until_the_arrays_fit_and_stops_there() {
    let rig = Rig::<6, 8>::new(0, spread);
    let mut model = BTreeMap::new();
    for key in 0..KEYS {
        rig.put(key, key);
    }
    for key in 0..KEYS - 10 {
        rig.write(key, |_| Decision::Remove);
    }
    for key in KEYS - 10..KEYS {
        model.insert(key, key);
    }
    rig.table.shrink(&(), &rig.keep, 0);
    let buckets = rig.table.figures(&rig.keep).buckets;
    assert!((2..=16).contains(&buckets), "{buckets} buckets for 10 entries");
    rig.holds(&model);
    rig.end();
}

/// A table whose halving ended at the `nth` time that a parent was about to be marked as moved.
fn half_merged(nth: usize) -> (Rig<6, 8>, BTreeMap<u64, u64>) {
    let rig = Rig::<6, 8>::new(2, spread);
    let mut model = BTreeMap::new();
    let root = rig.table.root();
    let insert = |key, model: &mut BTreeMap<u64, u64>| {
        let item = rig.item((rig.hash)(key), key, key);
        // SAFETY: as in `write`.
        let is_key = |item: NonNull<Item>| unsafe { item.as_ref() }.key == key;
        let put = |_: Option<_>| Decision::Put(item);
        assert!(rig.table.write(&(), (rig.hash)(key), &rig.keep, is_key, put).is_ok());
        model.insert(key, key);
    };
    let halved = rig.table.next_of(root, 1).expect("memory");
    assert_eq!(halved.log2(), 1);
    (0..20).for_each(|key| insert(key, &mut model));
    let mut reached = 0;
    stop::on_reached(move |point| {
        reached += usize::from(point == Point::ChildrenFilled);
        assert!(reached < nth || point != Point::ChildrenFilled, "the planned end");
    });
    let ended = panic::catch_unwind(AssertUnwindSafe(|| rig.table.migrate(&(), root, 0)));
    stop::on_reached(|_| ());
    assert!(ended.is_err());
    (rig, model)
}

#[test]
fn a_table_that_ends_in_the_middle_of_a_merge_releases_everything_once() {
    for nth in 1..=2 {
        let (rig, model) = half_merged(nth);
        rig.holds(&model);
        rig.end();
    }
}
