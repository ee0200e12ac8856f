//! A draft was claimed, undone because the header changed, and is freed at once by its owner. That
//! is sound because nobody touches a record before the header is read again.

use super::epochs::Stage;
use super::explore::{fails, holds};
use super::history::Op::{Add, Del, Get, Put};
use super::program::{A, B};
use crate::sync::planted::Bug;

const NAME: &str = "m16_undone_draft";

fn model() {
    let stage = Stage::<2, 1>::new();
    stage.world.apply(&*stage.world, Put(A), 1);
    let (adder, looker) = (stage.enter(), stage.enter());
    stage.play(
        move |stage| {
            let guard = adder.pin();
            stage.world.apply(&*guard, Del(A), 0);
            stage.world.apply(&*guard, Add(B), 2);
            drop(guard);
            adder
        },
        move |stage| {
            let guard = looker.pin();
            // What it finds is of no interest here, only that it may look.
            stage.world.apply(&*guard, Get(B), 0);
            stage.world.apply(&*guard, Put(B), 3);
            drop(guard);
            looker
        },
    );
    stage.finish();
}

#[test]
fn an_undone_draft_is_its_owners_again() {
    holds(NAME, model);
}

#[test]
fn twin_looking_before_validating() {
    fails(NAME, Bug::NoRecheckOnRead, 2, "Causality violation", model);
}
