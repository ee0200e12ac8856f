//! A slot is emptied and claimed for another key while a reader holds the header of before: the
//! claim must not pass for an entry.

use super::history::Op::{Add, Del, Get};
use super::program::{A, B, Program, nothing};
use crate::sync::planted::Bug;

const PROGRAM: Program<1, 1> = Program {
    name: "m03_reuse_under_a_reader",
    log2: 0,
    before: &[Add(A)],
    threads: &[&[Del(A), Add(B)], &[Get(B), Get(B)]],
    after: &[Get(A), Get(B)],
    at_the_end: nothing,
};

#[test]
fn what_was_found_stays_found() {
    PROGRAM.holds();
}

#[test]
fn twin_reading_the_header_once() {
    PROGRAM.fails(Bug::NoRecheckOnRead, 0, "no order explains");
}
