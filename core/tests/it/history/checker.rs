//! A key as a plain variable, and whether the events of one key have a legal order.
//!
//! The state is the value of the key and the highest version written so far. The latter makes
//! versions part of the question: they must grow along the order, also across a removal.

use std::fmt;

use super::event::{Effect, Event, Expect, Step};
use super::search::{Model, Stuck, search};
use super::versions::Versions;

/// Why a history is not linearizable.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// One write was seen with two versions.
    TwoVersions { value: u64, versions: [u64; 2] },
    /// One version was seen with two values.
    TwoValues { version: u64, values: [u64; 2] },
    /// No order of the events is legal.
    NoOrder(Stuck<Step, State>),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Violation::NoOrder(stuck) => stuck.fmt(f),
            violation => write!(f, "{violation:?}"),
        }
    }
}

/// The key between two events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct State {
    value: Option<u64>,
    /// The highest known version among the writes placed so far; 0 before the first.
    floor: u64,
}

/// The versions of a history decide what its values may be.
impl Model for Versions {
    type Step = Step;
    type State = State;
    const WAYS: usize = 1;

    fn after(&self, state: State, (expect, effect): Step, _: usize) -> Option<State> {
        let State { value, floor } = state;
        let legal = match expect {
            Expect::Anything => true,
            Expect::Absent => value.is_none(),
            Expect::Present => value.is_some(),
            Expect::Is(seen) => value == Some(seen.value),
            Expect::Nought => value.unwrap_or(0) == 0,
            Expect::Version(version) => {
                version >= floor && value.is_some_and(|value| self.agree(value, version))
            }
        };
        if !legal {
            return None;
        }
        match effect {
            Effect::Keep => Some(state),
            Effect::Remove => Some(State { value: None, floor }),
            Effect::Put(seen) => match self.of_value(seen.value) {
                Some(version) if version <= floor => None,
                known => Some(State { value: Some(seen.value), floor: known.unwrap_or(floor) }),
            },
        }
    }
}

/// Decides whether the events of one key, lane by lane, are linearizable.
pub(crate) fn check_key(lanes: Vec<Vec<Event>>) -> Result<(), Violation> {
    let versions = Versions::of(&lanes)?;
    search(&versions, lanes).map_err(Violation::NoOrder)
}
