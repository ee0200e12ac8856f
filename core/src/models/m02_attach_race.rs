//! Two threads need the first link of a full bucket: one attaches it, both use it.

use super::history::Op::{Get, Put, Resize};
use super::program::{A, B, C, Program, nothing};
use crate::sync::planted::Bug;

const PROGRAM: Program<1, 1> = Program {
    name: "m02_attach_race",
    log2: 0,
    // While a resize runs, a bucket that takes a link begins none: that would be another model.
    before: &[Resize { nth: 0, log2: 0 }, Put(A)],
    threads: &[&[Put(B)], &[Put(C)]],
    after: &[Get(A), Get(B), Get(C)],
    at_the_end: nothing,
};

#[test]
fn an_attached_link_stays() {
    PROGRAM.holds();
}

#[test]
fn twin_attaching_blindly() {
    PROGRAM.fails(Bug::BlindAttach, 0, "no order explains");
}
