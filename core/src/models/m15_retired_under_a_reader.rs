//! A record is removed, retired and freed while a reader holds it.

use super::epochs::Stage;
use super::explore::{fails, holds};
use super::history::Op::{Del, Put};
use super::program::A;
use crate::sync::planted::Bug;

const NAME: &str = "m15_retired_under_a_reader";

fn model() {
    let stage = Stage::<1, 1>::new();
    stage.world.apply(&*stage.world, Put(A), 1);
    let (reader, remover) = (stage.enter(), stage.enter());
    stage.play(
        move |stage| {
            let guard = remover.pin();
            stage.world.apply(&*guard, Del(A), 0);
            drop(guard);
            remover.flush();
            stage.free_ready();
            remover
        },
        move |stage| {
            let guard = reader.pin();
            assert!(matches!(stage.world.get(A), None | Some(1)));
            drop(guard);
            reader
        },
    );
    stage.finish();
}

#[test]
fn a_held_record_is_not_freed() {
    holds(NAME, model);
}

#[test]
fn twin_freeing_at_once() {
    fails(NAME, Bug::FreeAtOnce, 1, "Causality violation", model);
}
