//! Histories of concurrent calls, and the decision whether each of them is linearizable.
//!
//! A worker records every call in a [`Lane`]; [`check`] sorts the events of all lanes by key and
//! looks for one order of each key's events that respects real time and that a plain variable
//! could have produced. A store is a set of independent variables, so a history is linearizable
//! exactly when the history of each key is (Herlihy and Wing call this locality).
//!
//! Every write of a run carries a value of its own, so each read names the write that it saw.

pub(crate) mod checker;
pub(crate) mod event;
pub(crate) mod recorder;
pub(crate) mod versions;

mod checker_agrees_with_brute_force;
mod checker_rejects_planted_faults;

pub(crate) use event::{Effect, Expect, Seen, Step};
pub(crate) use recorder::{Clock, Lane};

/// Checks every key that occurs in `lanes`; the number of events that were checked.
///
/// # Panics
///
/// When the history of a key has no legal order; the message shows where the search got stuck.
pub(crate) fn check(lanes: Vec<Lane<'_>>) -> usize {
    let mut events = 0;
    for (key, history) in recorder::by_key(lanes) {
        events += history.iter().map(Vec::len).sum::<usize>();
        if let Err(violation) = checker::check_key(history) {
            panic!("the history of key {key} is not linearizable: {violation}");
        }
    }
    events
}
