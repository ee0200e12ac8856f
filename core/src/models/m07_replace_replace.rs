//! Replace against replace, and a replace that holds the header of a former entry and meets a
//! claim.

use super::history::Op::{Add, Del, Get, Put};
use super::program::{A, B, C, Program, nothing};
use crate::sync::planted::Bug;

const PROGRAM: Program<1, 1> = Program {
    name: "m07_replace_replace",
    log2: 0,
    before: &[Put(A)],
    threads: &[&[Put(A)], &[Put(A)], &[Get(A), Get(A)]],
    after: &[Get(A)],
    at_the_end: nothing,
};

const STALE: Program<2, 1> = Program {
    name: "m07_stale_replacer",
    log2: 0,
    before: &[Put(A)],
    threads: &[&[Del(A), Add(B)], &[Put(B), Put(C)]],
    after: &[Get(A), Get(B), Get(C)],
    at_the_end: nothing,
};

#[test]
fn values_follow_each_other() {
    PROGRAM.holds();
}

#[test]
fn a_stale_replacer_takes_over_no_claim() {
    STALE.holds();
}

#[test]
fn twin_replacing_what_was_not_validated() {
    STALE.fails(Bug::NoRecheckOnWrite, 1, "no order explains");
}
