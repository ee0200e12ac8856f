//! A chain of three tables. Whoever moves a bucket of the second first moves what the first one
//! still holds of it.

use super::history::Op::{Get, Move, Put, Resize};
use super::program::{A, Program, nothing};
use crate::sync::planted::Bug;

const PROGRAM: Program<1, 1> = Program {
    name: "m21_parents_first",
    log2: 0,
    before: &[Put(A), Resize { nth: 0, log2: 1 }, Resize { nth: 1, log2: 2 }],
    threads: &[&[Move { nth: 0, bucket: 0 }], &[Move { nth: 1, bucket: 0 }, Get(A)]],
    after: &[Get(A)],
    at_the_end: nothing,
};

#[test]
fn entries_pass_through_three_tables() {
    PROGRAM.holds();
}

#[test]
fn twin_moving_a_bucket_before_its_parent() {
    PROGRAM.fails(Bug::NoParentsFirst, 1, "no order explains");
}
