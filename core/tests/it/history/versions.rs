//! Which version belongs to which value, gathered from everything that the calls reported.
//!
//! A version names one state of one key: a value seen with two versions, or a version seen with
//! two values, is a fault by itself. The order of versions is checked by the checker, which uses
//! this table to know the version of a write that did not report one.

use std::collections::HashMap;

use super::checker::Violation;
use super::event::{Effect, Event, Expect, Seen};

/// The pairs of value and version of one key.
#[derive(Default)]
pub(crate) struct Versions {
    of_value: HashMap<u64, u64>,
    at_version: HashMap<u64, u64>,
}

impl Versions {
    /// Gathers the pairs that occur in a history.
    pub(crate) fn of(lanes: &[Vec<Event>]) -> Result<Versions, Violation> {
        let mut versions = Versions::default();
        for event in lanes.iter().flatten() {
            if let Expect::Is(seen) = event.step.0 {
                versions.learn(seen)?;
            }
            if let Effect::Put(seen) = event.step.1 {
                versions.learn(seen)?;
            }
        }
        Ok(versions)
    }

    fn learn(&mut self, seen: Seen) -> Result<(), Violation> {
        let Seen { value, version: Some(version) } = seen else { return Ok(()) };
        let known = *self.of_value.entry(value).or_insert(version);
        if known != version {
            return Err(Violation::TwoVersions { value, versions: [known, version] });
        }
        let named = *self.at_version.entry(version).or_insert(value);
        if named != value {
            return Err(Violation::TwoValues { version, values: [named, value] });
        }
        Ok(())
    }

    /// The version of `value`, if any call reported it.
    pub(crate) fn of_value(&self, value: u64) -> Option<u64> {
        self.of_value.get(&value).copied()
    }

    /// Whether `value` may have stood at `version`.
    pub(crate) fn agree(&self, value: u64, version: u64) -> bool {
        match self.of_value(value) {
            Some(known) => known == version,
            None => !self.at_version.contains_key(&version),
        }
    }
}
