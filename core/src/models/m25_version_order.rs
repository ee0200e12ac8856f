//! Versions of one key grow, also when it is deleted and created again: the floor is raised before
//! the unlink, and loaded again for every attempt to create.

use std::ptr::NonNull;
use std::rc::Rc;

use super::explore::{fails, holds};
use super::history::{Event, Op, Values, assert_explained};
use super::program::{A, in_parallel};
use super::record::{Record, hash_of, read, set};
use super::version::Floors;
use super::world::World;
use crate::sync::planted::{Bug, planted};
use crate::table::Decision;

struct Versioned {
    world: World<2, 1>,
    floors: Floors,
}

impl Versioned {
    /// Sets the key as a store does.
    fn put(&self) -> Event {
        let draft = self.world.draft(A, 0);
        let mut version = None;
        let old = self.world.write(&self.world, A, |found| {
            let next = match version.filter(|_| planted(Bug::FloorLoadedOnce)) {
                Some(version) if found.is_none() => version,
                _ => self.next_version(found),
            };
            version = Some(next);
            set(draft, next);
            Decision::Put(draft)
        });
        Event { op: Op::Put(A), old, new: version }
    }

    fn next_version(&self, found: Option<NonNull<Record>>) -> u64 {
        found.map_or_else(|| self.floors.created(hash_of(A)), |old| read(old).value + 1)
    }

    /// Removes the key as a store does.
    fn delete(&self) -> Event {
        let old = self.world.write(&self.world, A, |found| match found {
            Some(record) => {
                self.floors.removing(hash_of(A), read(record).value);
                Decision::Remove
            }
            None => Decision::Keep,
        });
        if let Some(version) = old.filter(|_| planted(Bug::FloorRaisedLate)) {
            self.floors.raise(hash_of(A), version);
        }
        Event { op: Op::Del(A), old, new: None }
    }
}

/// One thread creates and removes, or removes and creates, the other sets.
fn model(begins_present: bool) {
    let here = Rc::new(Versioned { world: World::new(0), floors: Floors::new() });
    let before: Vec<_> = begins_present.then(|| here.put()).into_iter().collect();
    let threads = in_parallel([true, false].map(|changing| {
        let here = Rc::clone(&here);
        move |_| match (changing, begins_present) {
            (true, true) => vec![here.delete(), here.put()],
            (true, false) => vec![here.put(), here.delete()],
            (false, _) => vec![here.put()],
        }
    }));
    let after = Event { op: Op::Get(A), old: here.world.get(A), new: None };
    assert_explained(&before, &threads, &[after], Values::Grow);
    here.world.finish();
}

#[test]
fn versions_grow_across_removals() {
    holds("m25_version_order, from absent", || model(false));
    holds("m25_version_order, from present", || model(true));
}

#[test]
fn twin_raising_the_floor_after_the_unlink() {
    fails("m25_version_order", Bug::FloorRaisedLate, 1, "no order explains", || model(true));
}

#[test]
fn twin_loading_the_floor_once() {
    fails("m25_version_order", Bug::FloorLoadedOnce, 0, "no order explains", || model(false));
}

#[test]
fn twin_not_acquiring_the_removal() {
    fails("m25_version_order", Bug::RelaxedAbsence, 1, "no order explains", || model(false));
}
