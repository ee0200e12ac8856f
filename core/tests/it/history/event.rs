//! One recorded call, reduced to what it says about its key: what it found and what it left.

/// A value that a call saw or wrote, with its version where the call learnt it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The identity of the value: no two writes of a run share it.
    pub(crate) value: u64,
    /// The version; `None` when the call does not report it.
    pub(crate) version: Option<u64>,
}

impl Seen {
    /// A value whose version the call did not report.
    pub(crate) fn value(value: u64) -> Seen {
        Seen { value, version: None }
    }

    /// A value together with the version that the call reported.
    pub(crate) fn at(value: u64, version: u64) -> Seen {
        Seen { value, version: Some(version) }
    }
}

/// What a call's answer says about the key at the instant at which the call took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// Nothing.
    Anything,
    /// The key was absent.
    Absent,
    /// The key was there, with a value that the answer does not tell.
    Present,
    /// The key held this value.
    Is(Seen),
    /// The key held the value of this version.
    Version(u64),
    /// The key was absent or held the number 0, the two starting points of a sum.
    Nought,
}

/// What a call left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// What it found.
    Keep,
    /// This value.
    Put(Seen),
    /// Nothing: the key is absent.
    Remove,
}

/// The meaning of a call: what it found and what it left, in one instant.
pub(crate) type Step = (Expect, Effect);

/// One call: its meaning, and the ticks between which it ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event<S = Step> {
    /// Number of calls that had returned before this one began.
    pub(crate) began: u64,
    /// Rank of this call's return among all returns.
    pub(crate) ended: u64,
    /// What it found and what it left.
    pub(crate) step: S,
}

impl<S> Event<S> {
    /// True when this call had returned before `later` began.
    pub(crate) fn precedes(&self, later: &Event<S>) -> bool {
        self.ended < later.began
    }
}

/// The meaning of a read that answered `found`.
pub(crate) fn read(found: Option<Seen>) -> Step {
    (found.map_or(Expect::Absent, Expect::Is), Effect::Keep)
}

/// The meaning of a removal that returned `old`.
pub(crate) fn removal(old: Option<Seen>) -> Step {
    match old {
        Some(old) => (Expect::Is(old), Effect::Remove),
        None => (Expect::Absent, Effect::Keep),
    }
}

/// The meaning of a write of `new` that replaced `old`.
pub(crate) fn exchange(old: Option<Seen>, new: Seen) -> Step {
    (old.map_or(Expect::Absent, Expect::Is), Effect::Put(new))
}

/// The meaning of an addition of `by`, never 0, that answered `sum`.
pub(crate) fn sum(by: u64, sum: u64) -> Step {
    let old = sum - by;
    let expect = if old == 0 { Expect::Nought } else { Expect::Is(Seen::value(old)) };
    (expect, Effect::Put(Seen::value(sum)))
}
