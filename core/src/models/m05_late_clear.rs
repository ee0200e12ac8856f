//! A deleter clears the published bit late, when another thread has done it and the slot is taken
//! again.

use super::history::Op::{Del, Get, Put};
use super::program::{A, B, Program, nothing};
use crate::sync::planted::Bug;

const PROGRAM: Program<1, 1> = Program {
    name: "m05_late_clear",
    log2: 0,
    before: &[Put(A)],
    threads: &[&[Del(A)], &[Del(A), Put(B)]],
    after: &[Get(A), Get(B)],
    at_the_end: nothing,
};

#[test]
fn a_late_clear_takes_nothing_away() {
    PROGRAM.holds();
}

#[test]
fn twin_clearing_blindly() {
    PROGRAM.fails(Bug::BlindClear, 0, "no order explains");
}
