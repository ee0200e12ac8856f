//! The room of a bounded store: never more is taken than there is, none is lost, and who has taken
//! room that was given back does not see any more what had it.

use std::rc::Rc;
use std::sync::atomic::AtomicU64 as Figure;
use std::sync::atomic::Ordering::SeqCst;

use super::budget::Budget;
use super::explore::{fails, holds};
use super::history::Op::{Del, Put};
use super::program::{A, B, in_parallel};
use super::world::World;
use crate::evict::Room;
use crate::sync::planted::Bug;

const TAKEN: &str = "m33_room, taken";
const GIVEN: &str = "m33_room, given back";

/// What the first model's threads take. There are entries enough for two, and bytes for one and a
/// part of another: who finds too few takes what there is.
const PIECE: Room = Room { entries: 1, bytes: 6 };
const MAX: Room = Room { entries: 2, bytes: 10 };

/// The room of one entry, all that there is in the second model.
const ENTRY: Room = Room { entries: 1, bytes: 0 };

/// Two threads take while a third gives back what it had.
fn taken() {
    let budget = Rc::new(Budget::new(MAX));
    // Bytes that somebody has; not part of the model.
    let held = Rc::new(Figure::new(PIECE.bytes));
    assert_eq!(budget.take(PIECE), PIECE);
    let threads = in_parallel([true, false, false].map(|gives| {
        let (budget, held) = (Rc::clone(&budget), Rc::clone(&held));
        move |_| {
            if gives {
                held.fetch_sub(PIECE.bytes, SeqCst);
                budget.give(PIECE);
                return Room::default();
            }
            let taken = budget.take(PIECE);
            let sum = held.fetch_add(taken.bytes, SeqCst) + taken.bytes;
            assert!(sum <= MAX.bytes, "more was taken than there is");
            taken
        }
    }));
    let entries = threads.iter().map(|taken| taken.entries).sum();
    let bytes = threads.iter().map(|taken| taken.bytes).sum();
    assert_eq!(budget.taken(), Room { entries, bytes }, "room was lost");
}

/// One thread removes an entry and gives its room back, the other takes it for another entry.
fn given() {
    let world = Rc::new(World::<2, 1>::new(0));
    let budget = Rc::new(Budget::new(ENTRY));
    assert_eq!(budget.take(ENTRY), ENTRY);
    world.apply(&*world, Put(A), 1);
    in_parallel([true, false].map(|gives| {
        let (world, budget) = (Rc::clone(&world), Rc::clone(&budget));
        move |_| {
            if gives {
                world.apply(&*world, Del(A), 0);
                budget.give(ENTRY);
            } else if budget.take(ENTRY) == ENTRY {
                assert_eq!(world.get(A), None, "the room of a record that is seen");
                world.apply(&*world, Put(B), 2);
            }
        }
    }));
    world.finish();
}

#[test]
fn room_is_taken_once_and_none_is_lost() {
    holds(TAKEN, taken);
}

#[test]
fn who_has_room_sees_what_had_it_gone() {
    holds(GIVEN, given);
}

#[test]
fn twin_taking_without_looking() {
    fails(TAKEN, Bug::UncheckedRoom, 0, "more was taken than there is", taken);
}

#[test]
fn twin_giving_back_without_release() {
    fails(GIVEN, Bug::RelaxedRoom, 0, "the room of a record that is seen", given);
}
