//! A worker on a `Map`: every call of the public face on the hot keys, each one recorded.

use std::cell::Cell;
use std::hash::BuildHasher;

use super::Place;
use crate::census::{Census, Like, Tracked};
use crate::dice::Dice;
use crate::history::event::{exchange, read, removal};
use crate::history::{Effect, Expect, Lane, Seen};
use crate::maps::{Compute, Operation, TrackedMap};

/// A map under stress, and the census of its keys and values.
pub(super) struct Subject<S> {
    pub(super) map: TrackedMap<S>,
    pub(super) census: Census,
}

/// Makes the calls of one round; the calls of one thread, and its iterations as a second lane.
pub(super) fn work<'r, S>(subject: &Subject<S>, place: &Place<'r>) -> Vec<Lane<'r>>
where
    S: BuildHasher + Sync,
{
    let mut worker = Worker {
        map: &subject.map,
        census: &subject.census,
        place,
        calls: Lane::new(place.clock, place.run.calls + 1),
        iterations: Lane::new(place.clock, 0),
        dice: Dice::new(place.seed),
    };
    while worker.calls.len() < place.run.calls {
        worker.one_call();
    }
    vec![worker.calls, worker.iterations]
}

/// One in so many calls is an iteration, which costs as much as the whole table.
const ITERATION_ODDS: u64 = 3000;

struct Worker<'r, 'm, S> {
    map: &'m TrackedMap<S>,
    census: &'m Census,
    place: &'m Place<'r>,
    calls: Lane<'r>,
    iterations: Lane<'r>,
    dice: Dice,
}

fn seen(value: &Tracked<u64>) -> Seen {
    Seen::value(**value)
}

impl<S: BuildHasher + Sync> Worker<'_, '_, S> {
    fn one_call(&mut self) {
        let key = self.dice.below(u64::from(self.place.run.keys)) as u32;
        if self.dice.below(ITERATION_ODDS) == 0 {
            self.iterate();
        }
        match self.dice.below(32) {
            0..=8 => self.read_call(key),
            9..=14 => self.insert(key),
            15..=17 => self.try_insert(key),
            18..=19 => self.get_or_insert(key),
            20..=23 => self.remove(key),
            24..=25 => self.remove_if(key),
            26..=28 => self.update(key),
            _ => self.compute(key),
        }
    }

    /// A value that no other write of the run has, but for luck.
    fn fresh(&mut self) -> Tracked<u64> {
        self.census.bear(1 + (self.dice.roll() >> 1))
    }

    fn name(&self, key: u32) -> Tracked<u32> {
        self.census.bear(key)
    }

    fn read_call(&mut self, key: u32) {
        let pinned = self.map.pin();
        match self.dice.below(5) {
            0 => self.calls.record(
                key,
                || pinned.contains_key(&Like(key)),
                |there| (if there { Expect::Present } else { Expect::Absent }, Effect::Keep),
            ),
            1 => self.calls.record(
                key,
                || pinned.get_key_value(&Like(key)),
                |found| {
                    read(found.map(|(name, value)| {
                        assert_eq!(**name, key, "the node of another key");
                        seen(value)
                    }))
                },
            ),
            2 => self.get_many(key),
            _ => self.calls.record(key, || pinned.get(&Like(key)), |found| read(found.map(seen))),
        }
    }

    /// A recorded batch of gets of up to 20 keys from `first` on: one call that stands for one of
    /// each key.
    fn get_many(&mut self, first: u32) {
        let keys = self.place.run.keys;
        let count = 1 + self.dice.below(u64::from(keys.min(20))) as u32;
        let batch: Vec<_> = (0..count).map(|offset| Like((first + offset) % keys)).collect();
        let mut found = vec![None; batch.len()];
        let pinned = self.map.pin();
        let began = self.place.clock.begin();
        pinned.get_many(&batch, |index, value| found[index] = value.map(seen));
        let ended = self.place.clock.end();
        for (key, found) in batch.iter().zip(found) {
            self.calls.note(key.0, began, ended, read(found));
        }
    }

    fn insert(&mut self, key: u32) {
        let (name, value) = (self.name(key), self.fresh());
        let new = seen(&value);
        let pinned = self.map.pin();
        self.calls.record(key, || pinned.insert(name, value), |old| exchange(old.map(seen), new));
    }

    fn try_insert(&mut self, key: u32) {
        let (name, value) = (self.name(key), self.fresh());
        let new = seen(&value);
        let pinned = self.map.pin();
        self.calls.record(
            key,
            || pinned.try_insert(name, value),
            |answer| match answer {
                Ok(stored) => {
                    assert_eq!(seen(stored), new);
                    exchange(None, new)
                }
                Err(occupied) => {
                    assert_eq!(seen(&occupied.not_inserted), new);
                    read(Some(seen(occupied.current)))
                }
            },
        );
    }

    fn get_or_insert(&mut self, key: u32) {
        let (name, value) = (self.name(key), self.fresh());
        let new = seen(&value);
        let eager = self.dice.below(2) == 0;
        let pinned = self.map.pin();
        self.calls.record(
            key,
            || match eager {
                true => pinned.get_or_insert(name, value),
                false => pinned.get_or_insert_with(name, || value),
            },
            |stands| match seen(stands) {
                mine if mine == new => exchange(None, new),
                other => read(Some(other)),
            },
        );
    }

    fn remove(&mut self, key: u32) {
        let pinned = self.map.pin();
        self.calls.record(key, || pinned.remove(&Like(key)), |old| removal(old.map(seen)));
    }

    fn remove_if(&mut self, key: u32) {
        let pinned = self.map.pin();
        let odd = |_: &Tracked<u32>, value: &Tracked<u64>| !value.is_multiple_of(2);
        self.calls.record(
            key,
            || pinned.remove_if(&Like(key), odd),
            |answer| match answer {
                Ok(old) => removal(old.map(|(_, value)| {
                    assert!(!value.is_multiple_of(2), "removed against the closure's answer");
                    seen(value)
                })),
                Err((_, value)) => {
                    assert!(value.is_multiple_of(2), "kept against the closure's answer");
                    read(Some(seen(value)))
                }
            },
        );
    }

    fn update(&mut self, key: u32) {
        let (name, changed, made) = (self.name(key), self.dice.roll() >> 1, self.dice.roll() >> 1);
        let (shown, upsert, patience) = (Cell::new(None), self.dice.below(2), self.dice.below(8));
        let change = |old: &Tracked<u64>| {
            shown.set(Some(seen(old)));
            if patience == 0 {
                std::thread::yield_now();
            }
            self.census.bear(changed)
        };
        let pinned = self.map.pin();
        self.calls.record(
            key,
            || match upsert {
                0 => pinned.update(name, change),
                _ => Some(pinned.update_or_insert_with(name, change, || self.census.bear(made))),
            },
            |stored| match stored {
                Some(stored) if **stored == made => exchange(None, seen(stored)),
                Some(stored) => {
                    assert_eq!(**stored, changed);
                    exchange(shown.get(), seen(stored))
                }
                None => read(None),
            },
        );
    }

    fn compute(&mut self, key: u32) {
        let (name, new, kind) = (self.name(key), self.dice.roll() >> 1, self.dice.below(4));
        let census = self.census;
        let pinned = self.map.pin();
        let closure = |old: Option<(&Tracked<u32>, &Tracked<u64>)>| match (kind, old) {
            (0 | 1, _) => Operation::Insert(census.bear(new)),
            (2, _) => Operation::Remove,
            (_, old) => Operation::Abort(old.map(|(_, value)| seen(value))),
        };
        self.calls.record(
            key,
            || pinned.compute(name, closure),
            |answer| match answer {
                Compute::Inserted(_, value) => exchange(None, seen(value)),
                Compute::Updated { old: (_, old), new: (_, value) } => {
                    assert_eq!(**value, new);
                    exchange(Some(seen(old)), seen(value))
                }
                Compute::Removed(_, old) => removal(Some(seen(old))),
                Compute::Absent => removal(None),
                Compute::Aborted(found) => read(found),
            },
        );
    }

    /// Iterates over the map. Each item is a value that stood at some moment since the start.
    fn iterate(&mut self) {
        let began = self.place.clock.begin();
        let pinned = self.map.pin();
        for (name, value) in pinned.iter().filter(|(name, _)| ***name < self.place.run.keys) {
            let ended = self.place.clock.end();
            self.iterations.note(**name, began, ended, read(Some(seen(value))));
        }
    }
}
