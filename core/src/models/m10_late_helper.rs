//! Two threads move one bucket. One of them is late: the other has moved it and changed the child.

use super::history::Op::{Del, Get, Move, Put, Resize};
use super::program::{A, B, Program, nothing};
use crate::sync::planted::Bug;

const PROGRAM: Program<1, 1> = Program {
    name: "m10_late_helper",
    log2: 0,
    before: &[Put(A), Resize { nth: 0, log2: 1 }],
    threads: &[&[Move { nth: 0, bucket: 0 }], &[Move { nth: 0, bucket: 0 }, Del(A), Put(B)]],
    after: &[Get(A), Get(B)],
    at_the_end: nothing,
};

#[test]
fn a_late_helper_changes_nothing() {
    PROGRAM.holds();
}

#[test]
fn twin_filling_blindly() {
    PROGRAM.fails(Bug::BlindFill, 1, "no order explains");
}
