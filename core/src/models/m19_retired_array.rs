//! An array is moved, retired and freed while a reader is on its way through it.

use std::rc::Rc;

use loom::cell::UnsafeCell;

use super::epochs::Stage;
use super::explore::{fails, holds};
use super::history::Op::{Help, Put, Resize};
use super::program::A;
use super::world::World;
use crate::epoch::{Garbage, Guard, Retire};
use crate::sync::planted::Bug;

const NAME: &str = "m19_retired_array";

/// The life of the first array: read by who uses the array, written by who frees it.
type Life = Rc<UnsafeCell<()>>;

/// A guard that turns the freeing of the array into a write to its life. The memory itself lasts
/// until the end, so that a twin cannot touch what is gone.
struct Watched<'a> {
    guard: &'a Guard,
    world: Rc<World<1, 1>>,
    life: Life,
}

struct Watch {
    array: Garbage,
    world: Rc<World<1, 1>>,
    life: Life,
}

impl Retire for Watched<'_> {
    fn retire(&self, array: Garbage) {
        unsafe fn free(watch: *mut ()) {
            // SAFETY: the box that `retire` made; garbage is freed once.
            let watch = unsafe { Box::from_raw(watch.cast::<Watch>()) };
            watch.life.with_mut(|_| ());
            watch.world.retire(watch.array);
        }
        let (world, life) = (Rc::clone(&self.world), Rc::clone(&self.life));
        let watch = Box::into_raw(Box::new(Watch { array, world, life }));
        // SAFETY: `free` consumes the box once; loom's threads are one thread of the system.
        self.guard.retire(unsafe { Garbage::new(watch.cast(), size_of::<Watch>(), free) });
    }

    fn hand_over(&self) {
        self.guard.hand_over();
    }
}

fn model() {
    let stage = Stage::<1, 1>::new();
    stage.world.apply(&*stage.world, Put(A), 1);
    stage.world.apply(&*stage.world, Resize { nth: 0, log2: 0 }, 0);
    stage.world.apply(&*stage.world, Help, 0);
    let first = stage.world.table.root_address();
    let life = Life::default();
    let watched = Rc::clone(&life);
    let (reader, helper) = (stage.enter(), stage.enter());
    stage.play(
        move |stage| {
            let guard = helper.pin();
            let watched = Watched { guard: &guard, world: Rc::clone(&stage.world), life: watched };
            stage.world.apply(&watched, Help, 0);
            drop(watched);
            drop(guard);
            helper.flush();
            stage.free_ready();
            helper
        },
        move |stage| {
            let guard = reader.pin();
            let root = stage.world.table.root_address();
            assert_eq!(stage.world.get(A), Some(1));
            if root == first {
                life.with(|_| ());
            }
            drop(guard);
            reader
        },
    );
    assert_ne!(stage.world.table.root_address(), first, "the root did not move on");
    stage.finish();
}

#[test]
fn an_array_outlives_its_readers() {
    holds(NAME, model);
}

#[test]
fn twin_freeing_at_once() {
    fails(NAME, Bug::FreeAtOnce, 1, "Causality violation", model);
}
