//! A reader of a published record sees what its writer wrote.

use super::history::Op::{Get, Put};
use super::program::{A, Program, nothing};
use crate::sync::planted::Bug;

const PROGRAM: Program<1, 1> = Program {
    name: "m14_publication",
    log2: 0,
    before: &[],
    threads: &[&[Put(A)], &[Get(A), Get(A)]],
    after: &[Get(A)],
    at_the_end: nothing,
};

#[test]
fn a_found_record_is_initialised() {
    PROGRAM.holds();
}

#[test]
fn twin_publishing_without_release() {
    PROGRAM.fails(Bug::RelaxedPublish, 0, "Causality violation");
}
