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
    // Both are pinned all the time: whatever is not freed at once lives on.
    let (adder, looker) = (stage.enter(), stage.enter());
    let (adding, looking) = (adder.pin(), looker.pin());
    stage.play(
        move |stage| {
            stage.world.apply(&*adding, Del(A), 0);
            stage.world.apply(&*adding, Add(B), 2);
            adding
        },
        move |stage| {
            // What it finds is of no interest here, only that it may look.
            stage.world.apply(&*looking, Get(B), 0);
            stage.world.apply(&*looking, Put(B), 3);
            looking
        },
    );
    drop((adder, looker));
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
