//! What the queues promise, each promise by itself; all of them together as a bounded cache.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::block::refusal;
use super::ghost::Ghost;
use super::model::{Model, hash};
use super::{Evict, Handle, NoMemory, Progress, Room, SLACK, Trial, Visit};

/// Budget for everything.
const ENOUGH: usize = 1 << 20;

/// Entries by number, all of one size, each with its counter.
struct Owner {
    evict: Evict,
    uses: BTreeMap<u64, u8>,
    visits: usize,
}

const SIZE: u64 = 100;

impl Owner {
    fn new() -> Self {
        Self { evict: Evict::new(), uses: BTreeMap::new(), visits: 0 }
    }

    /// Entries with these numbers, in this order, not used.
    fn with(numbers: impl IntoIterator<Item = u64>) -> Self {
        let mut owner = Self::new();
        numbers.into_iter().for_each(|number| owner.add(number));
        owner
    }

    fn add(&mut self, number: u64) {
        self.uses.insert(number, 0);
        self.evict.admit(handle(number, SIZE)).expect("there is memory");
    }

    /// An entry that has moved to main.
    fn add_to_main(&mut self, number: u64) {
        self.uses.insert(number, 0);
        self.evict.main.push(handle(number, SIZE)).expect("there is memory");
    }

    /// Evicts so many; their numbers in the order of their leaving.
    fn evict(&mut self, entries: usize) -> Vec<u64> {
        self.make_room(Room { entries, bytes: 0 }, ENOUGH).1
    }

    fn make_room(&mut self, room: Room, budget: usize) -> (Progress, Vec<u64>) {
        let (mut gone, Self { evict, uses, visits }) = (Vec::new(), self);
        let progress = evict.make_room(room, budget, |handle, trial| {
            *visits += 1;
            visit(uses, &mut gone, handle, trial)
        });
        (progress, gone)
    }

    fn compact(&mut self, budget: usize) -> Progress {
        let Self { evict, uses, visits } = self;
        evict.compact(uses.len(), budget, |handle, trial| {
            assert_eq!(trial, Trial::Sweep);
            *visits += 1;
            visit(uses, &mut Vec::new(), handle, trial)
        })
    }

    fn blocks(&self) -> usize {
        self.evict.small.blocks() + self.evict.main.blocks()
    }
}

fn visit(
    entries: &mut BTreeMap<u64, u8>,
    gone: &mut Vec<u64>,
    handle: Handle,
    trial: Trial,
) -> Visit {
    let (number, bytes) = (handle.hash() >> 16, SIZE);
    let Some(uses) = entries.get_mut(&number) else { return Visit::Gone };
    if let Some(left) = trial.counter_after(*uses) {
        *uses = left;
        return Visit::Kept { bytes };
    }
    entries.remove(&number);
    gone.push(number);
    Visit::Evicted { bytes }
}

fn handle(number: u64, bytes: u64) -> Handle {
    Handle::new(number << 16, 0, 0, bytes)
}

const fn entries(entries: usize) -> Room {
    Room { entries, bytes: u64::MAX }
}

#[test]
fn a_handle_is_16_bytes_and_says_what_it_was_given() {
    const { assert!(size_of::<Handle>() == 16) };
    let (lineage, group) = ((1 << Handle::LINEAGE_BITS) - 1, (1 << Handle::GROUP_BITS) - 1);
    let most = (1 << 38) - 1;
    let some = [(1 << 16, 0x1001, 5, 77), (u64::MAX, 0, 0, 0), (0, 0, 0, most + 1)];
    let full = [(0, lineage, 0, 0), (0, 0, group, 0), (0, 0, 0, most)];
    for (hash, lineage, group, bytes) in some.into_iter().chain(full) {
        let fresh = Handle::new(hash, lineage, group, 3);
        for handle in [Handle::new(hash, lineage, group, bytes), fresh.with_bytes(bytes)] {
            assert_eq!((handle.hash(), handle.lineage()), (hash & !0xffff, lineage));
            assert_eq!((handle.group(), handle.bytes()), (group, bytes.min(most)));
            assert_ne!(handle.fingerprint(), 0);
        }
    }
}

#[test]
fn a_key_is_known_by_its_hash_and_its_group_whatever_its_lineage() {
    let known = Handle::new(hash(1), 0, 0, 0).fingerprint();
    assert_eq!(Handle::new(hash(1), 7, 0, 9).fingerprint(), known);
    assert_ne!(Handle::new(hash(1), 0, 1, 0).fingerprint(), known);
    assert_ne!(Handle::new(hash(2), 0, 0, 0).fingerprint(), known);
}

#[test]
fn what_is_never_used_leaves_in_the_order_it_came() {
    let mut owner = Owner::with(0..400);
    assert_eq!(owner.evict(40), Vec::from_iter(0..40));
    assert_eq!(owner.evict(100), Vec::from_iter(40..140));
}

#[test]
fn what_is_used_moves_to_main_and_begins_anew_there() {
    let mut owner = Owner::with(0..400);
    owner.uses.insert(3, 1);
    owner.uses.insert(7, 3);
    assert_eq!(owner.evict(398).len(), 398);
    assert_eq!(owner.uses, BTreeMap::from([(3, 0), (7, 0)]));
    assert_eq!((owner.evict.small.len(), owner.evict.main.len()), (0, 2));
    assert_eq!(owner.evict(2), [3, 7]);
}

#[test]
fn what_main_holds_stays_for_one_round_a_use() {
    let mut owner = Owner::new();
    (0..10).for_each(|number| owner.add_to_main(number));
    for (number, uses) in [(0, 1), (1, 3), (2, 2), (4, 3)] {
        owner.uses.insert(number, uses);
    }
    assert_eq!(owner.evict(10), [3, 5, 6, 7, 8, 9, 0, 2, 1, 4]);
}

#[test]
fn small_is_emptied_down_to_its_share_before_main_has_its_turn() {
    let mut owner = Owner::with(50..100);
    (0..50).for_each(|number| owner.add_to_main(number));
    // 50 of 100 to 6 of 56 are at least a tenth; then the two have their turns.
    assert_eq!(owner.evict(45), Vec::from_iter(50..95));
    assert_eq!(owner.evict(5), [0, 1, 2, 3, 4]);
    assert_eq!(owner.evict(2), [95, 5]);
    // In a large cache, one in 33.
    let mut owner = Owner::with(990..1000);
    (0..310).for_each(|number| owner.add_to_main(number));
    assert_eq!(owner.evict(3), [990, 0, 1]);
}

#[test]
fn a_key_that_comes_back_goes_to_main_once() {
    let mut owner = Owner::with((1..=100).map(hash_number));
    let first = hash_number(1);
    assert_eq!(owner.evict(1), [first]);
    owner.add(first);
    assert_eq!(owner.evict.main.len(), 1);
    owner.uses.remove(&first);
    owner.add(first);
    assert_eq!(owner.evict.main.len(), 1, "main and ghost have forgotten it");
}

#[test]
fn only_what_small_evicts_is_remembered() {
    let mut owner = Owner::new();
    (1..=20).for_each(|number| owner.add_to_main(hash_number(number)));
    assert_eq!(owner.evict(20).len(), 20);
    (1..=20).for_each(|number| owner.add(hash_number(number)));
    assert_eq!(owner.evict.main.len(), 0, "they were evicted from main");
    let all = Room { entries: 20, bytes: 0 };
    let expired = |_, _| Visit::Expired { bytes: SIZE };
    assert_eq!(owner.evict.make_room(all, 20, expired), Progress::Done, "this makes room too");
    (1..=20).for_each(|number| owner.add(hash_number(number)));
    assert_eq!(owner.evict.main.len(), 0, "their time had come");
}

/// Numbers that are spread as hashes are.
fn hash_number(number: u64) -> u64 {
    hash(number) >> 16
}

#[test]
fn bytes_decide_whose_turn_it_is_where_bytes_are_short() {
    // Main has ten small ones, and small has one of their size together.
    let mut evict = Evict::new();
    (0..10).for_each(|number| evict.admit(handle(number, 10)).expect("there is memory"));
    evict.make_room(Room { entries: 1, bytes: 0 }, 10, |_, _| Visit::Kept { bytes: 10 });
    evict.admit(handle(10, 100)).expect("there is memory");
    let mut victim = |room| {
        let mut victims = Vec::new();
        evict.make_room(room, 1, |handle, _| {
            victims.push(handle.hash() >> 16);
            Visit::Evicted { bytes: handle.bytes() }
        });
        victims
    };
    assert_eq!(victim(entries(1)), [10]);
    assert_eq!(victim(Room { entries: 1, bytes: 0 }), [0]);
    assert_eq!(victim(Room { entries: 0, bytes: 1 }), [1]);
}

#[test]
fn an_entry_counts_with_the_size_that_it_was_last_seen_with() {
    let mut evict = Evict::new();
    (0..4).for_each(|number| evict.admit(handle(number, 10)).expect("there is memory"));
    assert_eq!((evict.small.bytes(), evict.main.bytes()), (40, 0));
    let room = Room { entries: 1, bytes: 0 };
    evict.make_room(room, 2, |_, _| Visit::Kept { bytes: 1000 });
    assert_eq!((evict.small.bytes(), evict.main.bytes()), (20, 2000));
    evict.compact(0, 2, |_, _| Visit::Kept { bytes: 5 });
    assert_eq!((evict.small.bytes(), evict.main.bytes()), (20, 2000), "too few for a sweep");
    (4..4 + SLACK as u64).for_each(|number| evict.admit(handle(number, 0)).expect("memory"));
    evict.compact(0, ENOUGH, |_, _| Visit::Kept { bytes: 5 });
    assert_eq!(evict.small.bytes(), 5 * (2 + SLACK as u64));
    assert_eq!(evict.main.bytes(), 10);
    let room = Room { entries: 0, bytes: 11 };
    let mut left = 0;
    evict.make_room(room, ENOUGH, |_, _| {
        left += 1;
        Visit::Evicted { bytes: 6 }
    });
    assert_eq!(left, 2, "the owner's word counts, not the handle's");
}

#[test]
fn no_call_asks_more_often_than_its_budget() {
    let mut owner = Owner::with(0..1000);
    owner.uses.values_mut().for_each(|uses| *uses = 3);
    for budget in [0, 1, 7, 100] {
        let before = owner.visits;
        assert_eq!(owner.make_room(entries(1), budget), (Progress::Behind, vec![]));
        assert_eq!(owner.visits - before, budget);
    }
    assert_eq!(owner.make_room(Room::default(), 0).0, Progress::Done);
    assert_eq!(owner.make_room(entries(1000), ENOUGH).0, Progress::Stuck, "bytes are missing");
    assert_eq!((owner.uses.len(), owner.evict.len()), (0, 0));
}

#[test]
fn an_entry_that_is_being_changed_stays_within_reach() {
    let mut owner = Owner::with(0..10);
    let room = Room { entries: 1, bytes: 0 };
    let changing = |_, _| Visit::Kept { bytes: SIZE };
    assert_eq!(owner.evict.make_room(room, 100, changing), Progress::Behind);
    assert_eq!(owner.evict.len(), 10);
    assert_eq!(owner.evict(10).len(), 10);
}

#[test]
fn a_handle_costs_16_bytes_and_what_is_empty_gives_all_blocks_back() {
    let many = 50_000;
    let mut owner = Owner::with((0..many).map(hash_number));
    assert!(owner.blocks() <= many as usize / 64 + 1);
    owner.uses.values_mut().step_by(2).for_each(|uses| *uses = 3);
    for left in (0..many as usize).rev().step_by(1000) {
        owner.evict(owner.uses.len() - left);
        assert!(owner.blocks() <= left / 64 + 4, "{} for {left}", owner.blocks());
        // Up to 512 bytes more than 8 for each of the most that there were to remember.
        assert!(owner.evict.ghost.blocks() <= many as usize / 128 + 1);
    }
    owner.evict(ENOUGH);
    assert_eq!(owner.evict.len(), 0);
    while owner.compact(10) == Progress::Behind {}
    assert_eq!((owner.blocks(), owner.evict.ghost.blocks()), (0, 0));
}

#[test]
fn stale_handles_are_dropped_when_they_outnumber_the_living() {
    let mut owner = Owner::with(0..1000);
    owner.uses.values_mut().step_by(2).for_each(|uses| *uses = 2);
    owner.evict(100);
    owner.uses.retain(|number, _| number.is_multiple_of(5));
    let (living, before) = (owner.uses.clone(), owner.visits);
    assert_eq!(owner.compact(ENOUGH), Progress::Done);
    assert_eq!(owner.visits - before, 900);
    assert_eq!((owner.evict.len(), &owner.uses), (living.len(), &living));
    assert_eq!(owner.compact(ENOUGH), Progress::Done);
    assert_eq!(owner.visits - before, 900, "there is nothing to sweep");
}

#[test]
fn a_sweep_keeps_the_order() {
    for budget in [1, 64, 100, 250, ENOUGH] {
        let owners = [budget, 0].map(|budget| {
            let mut owner = Owner::with((0..300).map(hash_number));
            owner.uses.values_mut().step_by(3).for_each(|uses| *uses = 2);
            owner.evict(50);
            owner.uses.retain(|number, _| number % 16 < 5);
            let mut order = Vec::new();
            for number in 0..100 {
                owner.compact(budget);
                order.append(&mut owner.evict(usize::from(number % 3 == 0)));
                owner.add(hash_number(1000 + number));
            }
            (order, owner.evict(100), owner.uses)
        });
        assert_eq!(owners[0], owners[1], "budget {budget}");
    }
}

#[test]
fn a_cache_that_is_never_full_does_not_fill_with_stale_handles() {
    let mut model = Model::new(entries(2000));
    let mut most = 0;
    for number in 0..50_000 {
        assert!(model.set(number, 1, 0));
        model.delete(number.saturating_sub(1000));
        model.compact(4);
        most = most.max(model.handles());
    }
    assert!((2000..3000 + SLACK).contains(&most), "{most} handles for 1000 entries");
    model.finish();
}

#[test]
fn refused_memory_is_an_answer_and_room_is_made_without_it() {
    let mut owner = Owner::with(0..128);
    owner.uses.values_mut().for_each(|uses| *uses = 3);
    refusal::during(|| {
        assert_eq!(owner.evict.admit(handle(200, SIZE)), Err(NoMemory));
        assert_eq!(owner.evict.len(), 128);
        let room = Room { entries: 28, bytes: 0 };
        assert_eq!(owner.make_room(room, 56), (Progress::Done, Vec::from_iter(0..28)));
    });
    assert_eq!(owner.evict.len(), owner.uses.len());
    let mut unused = Evict::new();
    refusal::during(|| assert_eq!(unused.admit(handle(1, SIZE)), Err(NoMemory)));
    assert_eq!(unused.len(), 0);
}

#[test]
fn a_sweep_that_is_refused_memory_loses_nothing_and_goes_on_later() {
    let mut owner = Owner::with(0..300);
    owner.uses.retain(|number, _| number.is_multiple_of(7));
    let living = owner.uses.len();
    refusal::during(|| assert_eq!(owner.compact(ENOUGH), Progress::Stuck));
    assert_eq!(owner.compact(ENOUGH), Progress::Done);
    assert_eq!((owner.evict.len(), owner.evict(ENOUGH).len()), (living, living));
}

fn fingerprint(number: u64) -> u32 {
    Handle::new(hash(number), 0, 0, 0).fingerprint()
}

/// How many of these keys the ghost knows.
fn known(ghost: &mut Ghost, numbers: impl Iterator<Item = u64>) -> usize {
    numbers.filter(|&number| ghost.take(fingerprint(number))).count()
}

#[test]
fn a_ghost_knows_the_last_keys_as_many_as_it_is_told() {
    for capacity in [1, 9, 32] {
        let mut ghost = Ghost::default();
        (0..1000).for_each(|number| ghost.insert(fingerprint(number), capacity));
        let last = 1000 - capacity as u64;
        assert_eq!(known(&mut ghost, 0..last), 0, "of {capacity}");
        assert_eq!(known(&mut ghost, last..1000), capacity);
        assert_eq!(known(&mut ghost, last..1000), 0, "once");
    }
    for capacity in [33_usize, 1000, 1500, 20_000] {
        let (mut ghost, many) = (Ghost::default(), 10 * capacity as u64);
        (0..many).for_each(|number| ghost.insert(fingerprint(number), capacity));
        let newest = known(&mut ghost, many - capacity as u64 / 2..many);
        let others = known(&mut ghost, 0..many);
        assert!(newest as f64 > 0.46 * capacity as f64, "{newest} of {capacity}");
        let all = (newest + others) as f64 / capacity as f64;
        assert!((0.8..1.1).contains(&all), "{all} of {capacity}");
    }
}

#[test]
fn a_ghost_that_grows_forgets_nothing_and_one_that_shrinks_keeps_the_newest() {
    let mut ghost = Ghost::default();
    (0..4000).for_each(|number| ghost.insert(fingerprint(number), 8 * (number as usize + 1)));
    assert!(ghost.blocks() <= 4000 / 8 + 1);
    assert_eq!(known(&mut ghost, 0..4000), 4000);
    let mut ghost = Ghost::default();
    (0..4000).for_each(|number| ghost.insert(fingerprint(number), 10_000));
    while ghost.shrink(1000) {}
    assert!(ghost.blocks() <= 8);
    assert!(known(&mut ghost, 3500..4000) > 450);
    while ghost.shrink(0) {}
    assert_eq!((ghost.blocks(), known(&mut ghost, 0..4000)), (0, 0));
}

#[test]
fn a_ghost_does_with_the_memory_it_gets() {
    let mut ghost = Ghost::default();
    let insert = |ghost: &mut Ghost, number| ghost.insert(fingerprint(number), 1000);
    refusal::during(|| (0..100).for_each(|number| insert(&mut ghost, number)));
    assert_eq!(known(&mut ghost, 0..100), 0);
    (0..8).for_each(|number| insert(&mut ghost, number));
    refusal::during(|| (8..200).for_each(|number| insert(&mut ghost, number)));
    assert!(known(&mut ghost, 100..200) > 90);
}

#[derive(Clone, Debug)]
enum Call {
    Get(u64),
    Set(u64, u64),
    Delete(u64),
    DeleteMany(u64, u64),
    Expire(u64),
    Compact(usize),
    Disturb(usize),
}

/// Some keys far more often than others.
fn key() -> impl Strategy<Value = u64> {
    (0_u32..9, any::<u64>()).prop_map(|(bits, number)| number & ((1 << bits) - 1))
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        8 => key().prop_map(Call::Get),
        8 => (key(), 1_u64..40).prop_map(|(key, bytes)| Call::Set(key, bytes)),
        1 => key().prop_map(Call::Delete),
        1 => (key(), key()).prop_map(|(key, count)| Call::DeleteMany(key, count)),
        1 => key().prop_map(Call::Expire),
        1 => (0_usize..300).prop_map(Call::Compact),
        1 => (0_usize..5).prop_map(Call::Disturb),
    ]
}

fn limit() -> impl Strategy<Value = Room> {
    let entries = prop_oneof![0_usize..4, 4_usize..100, Just(usize::MAX)];
    let bytes = prop_oneof![0_u64..50, 50_u64..2000, Just(u64::MAX)];
    (entries, bytes).prop_map(|(entries, bytes)| Room { entries, bytes })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_any_calls_the_limit_holds_and_each_entry_has_one_handle(
        limit in limit(),
        budget in prop_oneof![0_usize..8, Just(ENOUGH)],
        calls in vec((call(), proptest::bool::weighted(0.1)), 0..400),
    ) {
        let mut model = Model::new(limit);
        let mut step = |call| match call {
            Call::Get(key) => _ = model.get(key),
            Call::Set(key, bytes) => _ = model.set(key, bytes, budget),
            Call::Delete(key) => model.delete(key),
            Call::DeleteMany(key, count) => (key..key + count).for_each(|key| model.delete(key)),
            Call::Expire(key) => model.expire(key),
            Call::Compact(budget) => _ = model.compact(budget),
            // One visit in two would never let anybody go.
            Call::Disturb(busy) => model.disturb(if busy == 1 { 0 } else { busy }),
        };
        for (call, refused) in calls {
            if refused { refusal::during(|| step(call)) } else { step(call) }
        }
        model.finish();
    }
}
