//! Two buckets are merged into one, while an entry of the second is replaced.

use super::history::Op::{Get, Move, Put, Resize};
use super::program::{A, Program, Z, nothing};
use crate::sync::planted::Bug;

const PROGRAM: Program<2, 1> = Program {
    name: "m22_merge",
    log2: 1,
    before: &[Resize { nth: 0, log2: 0 }, Put(A), Put(Z)],
    threads: &[&[Move { nth: 0, bucket: 0 }], &[Put(Z)]],
    after: &[Move { nth: 0, bucket: 1 }, Get(A), Get(Z)],
    at_the_end: nothing,
};

#[test]
fn both_parents_arrive_in_the_child() {
    PROGRAM.holds();
}

#[test]
fn twin_merging_one_parent() {
    PROGRAM.fails(Bug::MergeOneParent, 0, "no order explains");
}
