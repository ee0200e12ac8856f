//! A reader renews its guard between two gets, while the record is removed, retired and freed: what
//! it finds after that is as safe as what it found before.

use super::epochs::Stage;
use super::explore::{fails, holds};
use super::history::Op::{Del, Put};
use super::program::A;
use crate::sync::planted::Bug;

const NAME: &str = "m18_renewed_guard";

fn model() {
    let stage = Stage::<1, 1>::new();
    stage.world.apply(&*stage.world, Put(A), 1);
    let (reader, remover) = (stage.enter(), stage.enter());
    let mut guard = reader.pin();
    assert_eq!(stage.world.get(A), Some(1));
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
            guard.renew();
            assert!(matches!(stage.world.get(A), None | Some(1)));
            drop(guard);
            reader
        },
    );
    stage.finish();
}

#[test]
fn a_renewed_guard_guards() {
    holds(NAME, model);
}

#[test]
fn twin_renewing_without_pinning() {
    fails(NAME, Bug::RenewUnpinned, 1, "Causality violation", model);
}
