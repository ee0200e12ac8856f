//! A bucket is moved while a key is created in it: the entry is in the child exactly once.

use super::history::Op::{Get, Move, Put, Resize};
use super::program::{A, B, Program, nothing};
use crate::sync::planted::Bug;

const PROGRAM: Program<2, 1> = Program {
    name: "m08_migrate_insert",
    log2: 0,
    before: &[Put(A), Resize { nth: 0, log2: 1 }],
    threads: &[&[Move { nth: 0, bucket: 0 }], &[Put(B)]],
    after: &[Get(A), Get(B)],
    at_the_end: nothing,
};

#[test]
fn what_is_created_during_a_move_is_kept() {
    PROGRAM.holds();
}

#[test]
fn twin_publishing_into_a_frozen_bucket() {
    PROGRAM.fails(Bug::PublishIntoFrozen, 1, "no order explains");
}
