//! A thread ends with a batch that is not full: the batch goes through the epoch like any other,
//! and is freed once, when no reader holds it back.

use super::epochs::Stage;
use super::explore::{fails, holds};
use super::history::Op::{Del, Put};
use super::program::A;
use crate::sync::planted::Bug;

const NAME: &str = "m17_batch_of_an_ending_thread";

fn model() {
    let stage = Stage::<1, 1>::new();
    stage.world.apply(&*stage.world, Put(A), 1);
    let (reader, ending) = (stage.enter(), stage.enter());
    stage.play(
        move |stage| {
            let guard = ending.pin();
            stage.world.apply(&*guard, Del(A), 0);
            drop(guard);
            drop(ending);
        },
        move |stage| {
            let guard = reader.pin();
            assert!(matches!(stage.world.get(A), None | Some(1)));
            drop(guard);
        },
    );
    stage.finish();
}

#[test]
fn nothing_of_an_ending_thread_is_lost() {
    holds(NAME, model);
}

#[test]
fn twin_losing_the_batch() {
    fails(NAME, Bug::LoseBatchAtExit, 0, "given up 0 times", model);
}
