//! Histories of concurrent calls, and the decision whether each of them is linearizable.
//!
//! A worker records every call in a [`Lane`]; [`check`] sorts the events of all lanes by key and
//! looks for one order of each key's events that respects real time and that a plain variable
//! could have produced. A store is a set of independent variables, so a history is linearizable
//! exactly when the history of each key is (Herlihy and Wing call this locality).
//!
//! Every write of a run carries a value of its own, so each read names the write that it saw.
//!
//! There are two kinds of variables: plain ones ([`checker`]), and such as end when their time has
//! come ([`timed`]). Both are judged by one [`search`].

pub(crate) mod checker;
pub(crate) mod event;
pub(crate) mod recorder;
pub(crate) mod search;
pub(crate) mod timed;
pub(crate) mod versions;

mod checker_agrees_with_brute_force;
mod checker_rejects_planted_faults;
mod timed_agrees_with_brute_force;
mod timed_rejects_planted_faults;

use std::fmt::Display;

pub(crate) use event::{Effect, Event, Expect, Seen, Step};
pub(crate) use recorder::{Clock, Lane};

/// What calls say of a key, with a checker that understands it.
pub(crate) trait Meaning: Sized {
    /// Why a history is not linearizable.
    type Violation: Display;

    /// Decides whether the events of one key, lane by lane, are linearizable.
    fn check_key(lanes: Vec<Vec<Event<Self>>>) -> Result<(), Self::Violation>;
}

impl Meaning for Step {
    type Violation = checker::Violation;

    fn check_key(lanes: Vec<Vec<Event>>) -> Result<(), Self::Violation> {
        checker::check_key(lanes)
    }
}

impl Meaning for timed::Call {
    type Violation = search::Stuck<timed::Call, timed::State>;

    fn check_key(lanes: Vec<Vec<Event<Self>>>) -> Result<(), Self::Violation> {
        timed::check_key(lanes)
    }
}

/// Checks every key that occurs in `lanes`; the number of events that were checked.
///
/// # Panics
///
/// When the history of a key has no legal order; the message shows where the search got stuck.
pub(crate) fn check<S: Meaning>(lanes: Vec<Lane<'_, S>>) -> usize {
    let mut events = 0;
    for (key, history) in recorder::by_key(lanes) {
        events += history.iter().map(Vec::len).sum::<usize>();
        if let Err(violation) = S::check_key(history) {
            panic!("the history of key {key} is not linearizable: {violation}");
        }
    }
    events
}
