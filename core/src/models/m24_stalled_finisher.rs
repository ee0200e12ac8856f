//! A helper took a chunk of a resize and stopped for ever: the others finish it all the same. Two
//! of them come to the end at once; one moves the root on.

use super::history::Op::{Abandon, Get, Help, Put, Resize};
use super::program::{A, Program};
use super::world::World;
use crate::sync::planted::Bug;

const PROGRAM: Program<1, 1> = Program {
    name: "m24_stalled_finisher",
    log2: 0,
    before: &[Put(A), Resize { nth: 0, log2: 1 }, Abandon],
    threads: &[&[Help, Get(A)], &[Help]],
    after: &[Get(A)],
    at_the_end: finished,
};

fn finished(world: &World<1, 1>) {
    assert!(!world.table.is_resizing(), "the resize waits for a helper that stopped");
}

#[test]
fn a_resize_ends_without_the_helper_that_stopped() {
    PROGRAM.holds();
}

#[test]
fn twin_counting_helpers() {
    PROGRAM.fails(Bug::CountedCompletion, 0, "waits for a helper");
}
