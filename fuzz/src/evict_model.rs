//! The eviction queues as a bounded cache of one thread uses them. They are no part of rkv's
//! surface, so they are compiled in from their source, together with the model that their own tests
//! use.

use arbitrary::Arbitrary;

#[path = "../../core/src/evict/mod.rs"]
mod evict;
#[path = "../../core/src/evict/model.rs"]
mod model;

use self::evict::{Evict, Handle, Progress, Room, SLACK, Trial, Visit};
use self::model::Model;

/// The bounds of a cache, and the calls to make.
#[derive(Arbitrary, Debug)]
pub struct EvictProgram {
    entries: Bound,
    bytes: Bound,
    /// Visits for one write, at most.
    budget: u8,
    calls: Vec<Call>,
}

#[derive(Arbitrary, Debug)]
enum Bound {
    None,
    Tiny(u8),
    Some(u16),
}

impl Bound {
    fn get(&self) -> u64 {
        match *self {
            Self::None => u64::MAX,
            Self::Tiny(bound) => bound.into(),
            Self::Some(bound) => bound.into(),
        }
    }
}

#[derive(Arbitrary, Debug)]
enum Call {
    Get(u16),
    /// The same entry for so many times.
    Use(u8, u8),
    Set(u16, u16),
    SetMany(u16, u8, u16),
    Delete(u16),
    DeleteMany(u16, u8),
    Expire(u16),
    Compact(u16),
    Disturb(u8),
}

/// Runs a program; the model checks each answer.
pub fn run_evict(program: EvictProgram) {
    let limit = Room { entries: program.entries.get() as usize, bytes: program.bytes.get() };
    let (mut model, budget) = (Model::new(limit), usize::from(program.budget));
    for call in program.calls {
        match call {
            Call::Get(key) => _ = model.get(key.into()),
            Call::Use(key, uses) => (0..uses).for_each(|_| _ = model.get(key.into())),
            Call::Set(key, bytes) => _ = model.set(key.into(), bytes.into(), budget),
            Call::SetMany(first, count, bytes) => {
                let keys = u64::from(first)..u64::from(first) + u64::from(count);
                keys.for_each(|key| _ = model.set(key, bytes.into(), budget));
            }
            Call::Delete(key) => model.delete(key.into()),
            Call::DeleteMany(first, count) => {
                let keys = u64::from(first)..u64::from(first) + u64::from(count);
                keys.for_each(|key| model.delete(key));
            }
            Call::Expire(key) => model.expire(key.into()),
            Call::Compact(budget) => _ = model.compact(budget.into()),
            // If all visits met a writer, nobody would ever go.
            Call::Disturb(busy) => model.disturb(if busy == 1 { 0 } else { busy.into() }),
        }
    }
    model.finish();
}
