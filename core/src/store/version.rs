//! Versions that grow strictly for each key, also across delete and re-create, without a counter
//! that every write would have to share.
//!
//! An overwrite takes the old version plus one. A create takes the floor of its stripe plus one,
//! loaded after the search whose result the publishing exchange validates. A removal, before it
//! unlinks, raises the floor to at least the removed version plus one. The exhaustive model
//! `version` shows that this suffices, and that each of the two orders is needed.

use crate::sync::planted::{Bug, planted};
use crate::sync::{AcqRel, Acquire, AtomicU64, CachePadded};

/// Stripes of a store; chosen by hash, fixed for ever.
const STRIPES: usize = if cfg!(rkv_loom) { 2 } else { 64 };

/// Floors are raised in steps, so that a stripe whose keys come and go is written to rarely.
const STEP: u64 = 1024;

/// The least version that a created key must exceed, per stripe.
pub(crate) struct Floors {
    stripes: Box<[CachePadded<AtomicU64>]>,
}

impl Floors {
    pub(crate) fn new() -> Self {
        Self { stripes: (0..STRIPES).map(|_| CachePadded::new(AtomicU64::new(0))).collect() }
    }

    fn stripe(&self, hash: u64) -> &AtomicU64 {
        // The bits above those that choose a shard.
        &self.stripes[(hash >> 6) as usize % STRIPES]
    }

    /// The version of a key that is created. Called after the search that found it absent.
    pub(crate) fn created(&self, hash: u64) -> u64 {
        // Acquire: edge V1. That the key is absent was read from a header, which whoever cleared
        // the removed entry wrote after the floor, or from the emptied slot itself (edge T3).
        self.stripe(hash).load(Acquire) + 1
    }

    /// Makes room for a removal. Called before the exchange that unlinks `version`.
    pub(crate) fn removing(&self, hash: u64, version: u64) {
        if planted(Bug::FloorRaisedLate) {
            return;
        }
        self.raise(hash, version);
    }

    /// Raises the floor above `version`.
    pub(crate) fn raise(&self, hash: u64, version: u64) {
        let stripe = self.stripe(hash);
        // Acquire: a floor that is high enough was raised by somebody before.
        if stripe.load(Acquire) <= version {
            // AcqRel: edge V1.
            stripe.fetch_max((version + 1).next_multiple_of(STEP), AcqRel);
        }
    }
}

#[cfg(all(test, not(rkv_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_created_version_exceeds_every_removed_one_of_its_stripe() {
        let floors = Floors::new();
        assert_eq!(floors.created(7), 1);
        for version in [1, 5, 1023, 1024, 1025, 1 << 40] {
            floors.removing(7, version);
            assert!(floors.created(7) > version);
        }
        assert_eq!(floors.created(64 + 7), 1, "another stripe is untouched");
    }
}
