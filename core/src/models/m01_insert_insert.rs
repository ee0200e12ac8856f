//! Two threads create one key in a bucket with two free slots: the header's exchange decides, and
//! the loser starts over.

use super::history::Op::{Get, Put};
use super::program::{A, Program, nothing};
use crate::sync::planted::Bug;

const PROGRAM: Program<2, 1> = Program {
    name: "m01_insert_insert",
    log2: 0,
    before: &[],
    threads: &[&[Put(A)], &[Put(A)]],
    after: &[Get(A)],
    at_the_end: nothing,
};

#[test]
fn two_creators_of_one_key_agree() {
    PROGRAM.holds();
}

#[test]
fn twin_publishing_blindly() {
    PROGRAM.fails(Bug::BlindPublish, 0, "no order explains");
}

#[test]
fn twin_publishing_without_starting_over() {
    PROGRAM.fails(Bug::NoRestart, 0, "no order explains");
}
