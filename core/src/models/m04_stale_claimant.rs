//! A claimant holds a header and a free slot while another key comes and goes there, and then its
//! own key is created.

use super::history::Op::{Del, Get, Put};
use super::program::{A, B, Program, nothing};
use crate::sync::planted::Bug;

const PROGRAM: Program<2, 1> = Program {
    name: "m04_stale_claimant",
    log2: 0,
    before: &[Put(B), Del(B)],
    threads: &[&[Put(A)], &[Put(B), Del(B), Put(A)]],
    after: &[Get(A), Get(B)],
    at_the_end: nothing,
};

#[test]
fn a_stale_claim_fails() {
    PROGRAM.holds();
}

#[test]
fn twin_claiming_on_an_old_header() {
    PROGRAM.fails(Bug::NoClaimValidation, 2, "no order explains");
}

#[test]
fn twin_emptied_slots_without_generation() {
    PROGRAM.fails(Bug::NoGeneration, 2, "no order explains");
}
