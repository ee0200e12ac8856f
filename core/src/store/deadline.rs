//! When a record ends: the word in its header, and how callers say it.

use std::time::{Duration, SystemTime};

use crate::sync::planted::{Bug, planted};

/// A record's deadline and timer: one word.
///
/// ```text
/// 63 .............................. 22 | 21 ......... 0
/// [ deadline in milliseconds: 42 bits  ][ timer id: 22  ]     all ones: lives for ever
/// ```
///
/// The id says which parked token is this record's. It is made of the low bits of the version at
/// which the timer was set; if two timers of a key share one, a token looks once too often.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Deadline(u64);

const ID_BITS: u32 = 22;
const ID: u64 = (1 << ID_BITS) - 1;

impl Deadline {
    pub(crate) const NEVER: Self = Self(u64::MAX);

    /// The deadline at `ms`, with a timer set at `version`. From the year 139 on it is never.
    pub(crate) const fn new(ms: u64, version: u64) -> Self {
        if ms >= u64::MAX >> ID_BITS {
            return Self::NEVER;
        }
        Self(ms << ID_BITS | version & ID)
    }

    /// The deadline at `ms` of a record that follows one with `old`, and whether the timer of that
    /// serves it: it does if it fires no later. (Too early, it is parked again then.)
    pub(crate) fn following(old: Option<Self>, ms: u64, version: u64) -> (Self, bool) {
        let serves = |old: Self| !old.is_never() && (ms >= old.ms() || planted(Bug::LateTimer));
        match old {
            Some(old) if serves(old) => (Self::new(ms, old.0), true),
            _ => (Self::new(ms, version), false),
        }
    }

    #[inline(always)]
    pub(crate) const fn is_never(self) -> bool {
        self.0 == u64::MAX
    }

    /// The millisecond at which the record is dead; the largest number if it lives for ever.
    #[inline(always)]
    pub(crate) const fn ms(self) -> u64 {
        if self.is_never() { u64::MAX } else { self.0 >> ID_BITS }
    }

    /// The timer's id.
    pub(crate) const fn id(self) -> u32 {
        (self.0 & ID) as u32
    }
}

/// How long a key is to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Ttl {
    /// As the store was told by [`default_ttl`](crate::StoreBuilder::default_ttl): for ever unless
    /// it was.
    #[default]
    Default,
    /// For ever.
    Never,
    /// For this long from now on. Zero is refused as `InvalidTtl`; more than 139 years are for
    /// ever.
    After(Duration),
    /// Until this time by the clock on the wall as it stands now. If that has passed, the key is
    /// removed, and nothing is stored.
    At(SystemTime),
    /// As long as what stands there now; as `Default` if nothing does.
    Keep,
}

/// How long a key has still to live. See [`Store::ttl`](super::Store::ttl).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remaining {
    /// It has no deadline.
    Never,
    /// So long, in whole milliseconds and never zero; at most what it was given.
    For(Duration),
}

#[cfg(all(test, not(rkv_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_keeps_its_time_and_its_timer() {
        let deadline = Deadline::new(1234, (7 << ID_BITS) + 5);
        assert_eq!((deadline.ms(), deadline.id(), deadline.is_never()), (1234, 5, false));
        let after = |ms| Deadline::following(Some(deadline), ms, 9);
        assert_eq!(after(1234), (deadline, true));
        assert_eq!(after(5000), (Deadline::new(5000, 5), true));
        assert_eq!(after(1233), (Deadline::new(1233, 9), false));
        assert_eq!(Deadline::following(Some(Deadline::NEVER), 7, 9), (Deadline::new(7, 9), false));
        assert_eq!(Deadline::new((1 << 42) - 2, u64::MAX).ms(), (1 << 42) - 2);
        for ms in [(1 << 42) - 1, u64::MAX] {
            assert_eq!(Deadline::new(ms, 0), Deadline::NEVER);
        }
        assert_eq!(Deadline::NEVER.ms(), u64::MAX);
    }
}
