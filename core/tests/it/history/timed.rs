//! A key with a time to live: what calls say of it, and the model that judges them.
//!
//! Time belongs to all keys, and yet each key is checked alone. A step of the clock is no event of
//! any key; instead each call carries two readings of the store's clock, the last thing before it
//! and the first thing after it. It took effect at one moment, when the clock showed something
//! between the two, and the order of a key's events must be one in which the clock never goes
//! back. That loses nothing: where one call returned before another began, its second reading is
//! no later than the other's first, whatever keys they are about. So the orders of all keys can be
//! merged into one, sorted by what the clock showed, and among events of one millisecond by
//! locality as ever.
//!
//! A key is live as long as the clock shows less than its end. An end that a call counted from
//! "now" is known to a stretch only, if the clock moved meanwhile; each answer that depends on it
//! makes the stretch shorter. The clock of the model is moved as little as each answer allows: a
//! lesser time permits all that a greater one does, for it can still be moved on.

use super::event::{Event, Seen};
use super::search::{Model, Stuck, search};

/// A stretch of the store's clock in milliseconds, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Span {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

impl Span {
    /// The end of what lives for ever.
    const NEVER: Span = Span::at(u64::MAX);

    pub(crate) const fn at(ms: u64) -> Span {
        Span { first: ms, last: ms }
    }

    /// The stretch that begins `ms` later.
    fn plus(self, ms: u64) -> Span {
        Span { first: self.first + ms, last: self.last + ms }
    }

    /// What is in both stretches, if anything.
    fn within(self, first: u64, last: u64) -> Option<Span> {
        let (first, last) = (self.first.max(first), self.last.min(last));
        (first <= last).then_some(Span { first, last })
    }
}

/// What a call's answer says of the key at the instant at which the call took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saw {
    /// It was absent.
    Absent,
    /// It was there.
    Present,
    /// It was there with this value.
    Value(Seen),
    /// It was there at this version.
    Version(u64),
    /// It was there, with so many milliseconds to live.
    Left(u64),
    /// It was there, to live for ever.
    Endless,
    /// The clock had come to this time.
    Passed(u64),
}

/// When a key is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    Never,
    /// So many milliseconds from a moment of the call on.
    After(u64),
    At(u64),
    /// As what stood there; never, if nothing did.
    Kept,
}

/// What a call did to the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Did {
    Nothing,
    Remove,
    /// A value that no other call of the history put.
    Put(u64, Until),
    Retime(Until),
    /// Renewed a time to live of so many milliseconds, unless seven eighths of it were left.
    Touch(u64),
}

/// A call: what the clock showed meanwhile, what the call found, and what it left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) clock: Span,
    pub(crate) saw: Saw,
    pub(crate) did: Did,
}

/// The key between two events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// What the clock shows, at least.
    now: u64,
    /// The version of what stands there or stood there last, at least.
    version: u64,
    key: Option<Key>,
}

/// A value and when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    value: u64,
    end: Span,
}

/// The model of a key with a time to live.
pub(crate) struct Timed;

impl Model for Timed {
    type Step = Call;
    type State = State;
    /// A touch may have found enough left, or not.
    const WAYS: usize = 2;

    fn after(&self, state: State, call: Call, way: usize) -> Option<State> {
        let found = state.found(call.saw, call.clock)?;
        match call.did {
            Did::Touch(ms) => found.touched(ms, call.clock, way == 0),
            did if way == 0 => found.changed(did, call.clock),
            _ => None,
        }
    }
}

impl State {
    /// The state in which a call found what it says; `None` if this is not such a state.
    fn found(self, saw: Saw, clock: Span) -> Option<State> {
        let state = State { now: self.now.max(clock.first), ..self };
        let found = match saw {
            Saw::Absent => match state.key {
                // At its end, which takes a version.
                Some(Key { end, .. }) => {
                    State { now: state.now.max(end.first), ..state }.changed(Did::Remove, clock)
                }
                None => Some(state),
            },
            Saw::Passed(ms) => Some(State { now: state.now.max(ms), ..state }),
            saw => state.found_live(saw, clock),
        };
        found.filter(|found| found.now <= clock.last)
    }

    fn found_live(self, saw: Saw, clock: Span) -> Option<State> {
        let Key { value, end } = self.key?;
        let end = end.within(self.now + 1, u64::MAX)?;
        let state = State { key: Some(Key { value, end }), ..self };
        match saw {
            Saw::Value(seen) if seen.value != value => None,
            Saw::Value(Seen { version: Some(version), .. }) | Saw::Version(version) => {
                (version >= self.version).then_some(State { version, ..state })
            }
            Saw::Left(ms) => state.ending(clock.plus(ms)),
            Saw::Endless => state.ending(Span::NEVER),
            _ => Some(state),
        }
    }

    /// The state where the key ends within a stretch.
    fn ending(self, stretch: Span) -> Option<State> {
        let Key { value, end } = self.key?;
        let end = end.within(stretch.first, stretch.last)?;
        Some(State { key: Some(Key { value, end }), ..self })
    }

    fn changed(self, did: Did, clock: Span) -> Option<State> {
        let old = self.key.map_or(Span::NEVER, |key| key.end);
        let end = |until| match until {
            Until::Never => Span::NEVER,
            Until::After(ms) => clock.plus(ms),
            Until::At(ms) => Span::at(ms),
            Until::Kept => old,
        };
        let newer = State { version: self.version + 1, ..self };
        match did {
            Did::Remove if self.key.is_some() => Some(State { key: None, ..newer }),
            // Whose time had come before the call began is not to be put.
            Did::Put(_, Until::At(ms)) if ms <= clock.first => None,
            Did::Put(value, until) => {
                Some(State { key: Some(Key { value, end: end(until) }), ..newer })
            }
            Did::Retime(Until::Never) if old == Span::NEVER => Some(self),
            Did::Retime(until) => {
                let key = self.key.map(|key| Key { end: end(until), ..key });
                Some(State { key, ..newer })
            }
            Did::Nothing | Did::Remove | Did::Touch(_) => Some(self),
        }
    }

    /// The state after a touch that found enough left, or too little.
    fn touched(self, ms: u64, clock: Span, enough: bool) -> Option<State> {
        let most = ms - ms / 8;
        let Span { first, last } = clock.plus(most);
        if enough {
            return self.ending(Span { first, last: u64::MAX });
        }
        let short = self.ending(Span { first: 0, last: last - 1 })?;
        // The new end is counted from a later look at the clock than the one that found too little.
        let looked = (short.key?.end.first + 1).saturating_sub(most);
        let clock = Span { first: clock.first.max(looked), ..clock };
        short.changed(Did::Retime(Until::After(ms)), clock)
    }
}

/// Decides whether the events of one key, lane by lane, are linearizable.
pub(crate) fn check_key(lanes: Vec<Vec<Event<Call>>>) -> Result<(), Stuck<Call, State>> {
    search(&Timed, lanes)
}
