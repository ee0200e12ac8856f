//! Gets of a batch are begun together and finished one after the other, while a slot is emptied and
//! used again in between: what was seen at the beginning must not be trusted at the end.

use std::rc::Rc;

use super::explore::{fails, holds};
use super::history::Op::{Add, Del, Get};
use super::history::{Event, Values, assert_explained};
use super::program::{A, B, in_parallel};
use super::world::World;
use crate::sync::planted::Bug;

const NAME: &str = "m26_batch_of_gets";

fn model() {
    let world = Rc::new(World::<1, 1>::new(0));
    let before = [world.apply(&*world, Add(A), 1)];
    let threads = in_parallel([true, false].map(|changing| {
        let world = Rc::clone(&world);
        move |_| match changing {
            true => vec![world.apply(&*world, Del(A), 2), world.apply(&*world, Add(B), 3)],
            false => {
                let keys = [B, A];
                let found = keys.into_iter().zip(world.get_many(keys));
                let found = found.map(|(key, old)| Event { op: Get(key), old, new: None });
                found.chain([world.apply(&*world, Get(B), 4)]).collect()
            }
        }
    }));
    let after = [A, B].map(|key| world.apply(&*world, Get(key), 5));
    assert_explained(&before, &threads, &after, Values::Any);
    world.finish();
}

#[test]
fn a_batch_finds_what_single_gets_may_find() {
    holds(NAME, model);
}

#[test]
fn twin_finishing_without_a_second_look() {
    fails(NAME, Bug::NoRecheckOnRead, 0, "no order explains", model);
}
