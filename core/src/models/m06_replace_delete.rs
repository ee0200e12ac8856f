//! Replace against delete: one exchange of the slot word decides, and what each returns is what it
//! took out. In the second program the deleter holds the header of a former entry, and meets a
//! claim.

use super::history::Op::{Add, Del, Get, Put};
use super::program::{A, B, C, Program, nothing};
use crate::sync::planted::Bug;

const PROGRAM: Program<1, 1> = Program {
    name: "m06_replace_delete",
    log2: 0,
    before: &[Put(A)],
    threads: &[&[Put(A), Get(A)], &[Del(A), Put(A)]],
    after: &[Get(A)],
    at_the_end: nothing,
};

const STALE: Program<2, 1> = Program {
    name: "m06_stale_deleter",
    log2: 0,
    before: &[Put(A)],
    threads: &[&[Del(A), Add(B)], &[Del(B), Put(C)]],
    after: &[Get(A), Get(B), Get(C)],
    at_the_end: nothing,
};

#[test]
fn each_value_is_taken_out_once() {
    PROGRAM.holds();
}

#[test]
fn a_stale_deleter_removes_no_claim() {
    STALE.holds();
}

#[test]
fn twin_deleting_what_was_not_validated() {
    STALE.fails(Bug::NoRecheckOnWrite, 1, "no order explains");
}
