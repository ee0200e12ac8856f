//! A bucket is moved while its entry is removed: a removal before the freeze is carried over, one
//! after it fails and is done in the child. A reader meanwhile finds what stands there.

use super::history::Op::{Del, Get, Move, Put, Resize};
use super::program::{A, Program, nothing};
use crate::sync::planted::Bug;

const REMOVAL: Program<1, 1> = Program {
    name: "m09_migrate_delete",
    log2: 0,
    before: &[Put(A), Resize { nth: 0, log2: 1 }],
    threads: &[&[Move { nth: 0, bucket: 0 }], &[Del(A), Get(A)]],
    after: &[Get(A)],
    at_the_end: nothing,
};

const READER: Program<1, 1> = Program {
    name: "m09_migrate_delete_get",
    threads: &[&[Move { nth: 0, bucket: 0 }, Del(A)], &[Get(A), Get(A)]],
    ..REMOVAL
};

#[test]
fn what_is_removed_during_a_move_stays_removed() {
    REMOVAL.holds();
}

#[test]
fn a_reader_follows_a_move_and_a_removal() {
    READER.holds();
}

#[test]
fn twin_copying_slots_that_are_not_frozen() {
    REMOVAL.fails(Bug::NoSlotFreeze, 0, "no order explains");
}
