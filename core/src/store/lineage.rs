//! Which entry a record belongs to, and how often it was used of late: 16 bits of its header.
//!
//! ```text
//! 15 ............ 2 | 1 0
//! [ lineage id: 14  ][uses]
//! ```
//!
//! All records that follow each other under a key, without an end between them, are of one lineage.
//! The eviction queues know an entry by it.

use crate::evict::Handle;

/// The two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Lineage(u16);

/// Uses that are counted.
const USES_MAX: u16 = 3;

impl Lineage {
    /// That of records in stores that do not evict: as if used enough, so that no reader counts.
    pub(super) const NONE: Self = Self(USES_MAX);

    /// The lineage of an entry that is created at `version`.
    ///
    /// Its id is made of the low bits of the version. Versions of keys that come and go are far
    /// apart (see `version.rs`), so the bits above are folded in. If two lineages of a key share an
    /// id, an old handle counts as one of the new entry.
    pub(super) const fn new(version: u64) -> Self {
        let id = (version ^ version >> 10) as u16 & ((1 << Handle::LINEAGE_BITS) - 1);
        Self(id << 2)
    }

    pub(super) const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    pub(super) const fn bits(self) -> u16 {
        self.0
    }

    pub(super) const fn id(self) -> u16 {
        self.0 >> 2
    }

    pub(super) const fn uses(self) -> u8 {
        (self.0 & USES_MAX) as u8
    }

    pub(super) const fn with_uses(self, uses: u8) -> Self {
        Self(self.0 & !USES_MAX | uses as u16)
    }

    /// The same after one more use; `None` if no more are counted.
    #[inline(always)]
    pub(super) const fn used(self) -> Option<Self> {
        if self.0 & USES_MAX == USES_MAX { None } else { Some(Self(self.0 + 1)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_counted_to_three_and_leave_the_lineage_alone() {
        let lineage = Lineage::new(5);
        let (once, twice) = (lineage.used().expect("once"), lineage.with_uses(2));
        assert_eq!((once.id(), once.uses()), (lineage.id(), 1));
        assert_eq!(once.used(), Some(twice));
        assert_eq!(twice.used().and_then(Lineage::used), None);
        assert_eq!(Lineage::NONE.used(), None);
    }

    #[test]
    fn a_key_that_is_created_again_has_another_lineage_for_long() {
        let mut version = 1_u64;
        let ids = (0..64).map(|_| {
            version = version.next_multiple_of(1024) + 1;
            Lineage::new(version).id()
        });
        let ids: std::collections::BTreeSet<_> = ids.collect();
        assert_eq!(ids.len(), 64);
    }
}
