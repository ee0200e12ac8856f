//! The root moves on twice under a reader that began before.

use super::history::Op::{Get, Help, Put, Resize};
use super::program::{A, Program};
use super::world::World;
use crate::sync::planted::Bug;

const PROGRAM: Program<1, 1> = Program {
    name: "m11_root_swaps",
    log2: 0,
    before: &[Put(A), Resize { nth: 0, log2: 0 }, Resize { nth: 1, log2: 0 }, Help],
    threads: &[&[Help, Help, Help], &[Get(A)]],
    after: &[Get(A)],
    at_the_end: swapped,
};

fn swapped(world: &World<1, 1>) {
    assert!(!world.table.is_resizing(), "the root did not move on");
}

#[test]
fn entries_are_found_across_two_swaps() {
    PROGRAM.holds();
}

#[test]
fn twin_moving_the_root_too_early() {
    PROGRAM.fails(Bug::RootEarly, 0, "no order explains");
}
