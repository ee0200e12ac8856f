//! What stands in a queue for an entry: how to find it, and how large it was. 16 bytes.
//!
//! ```text
//!        63 .......................... 16 | 15 ............ 2 | 1 0
//!  who   [ hash: its top 48 bits         ][ lineage id: 14    ][   ]
//!        63 ............... 38 | 37 .......................... 0
//!  what  [ group: 26          ][ bytes: 38                     ]
//! ```

const HASH: u64 = !0 << 16;

const BYTES_BITS: u32 = 38;
const BYTES_MAX: u64 = (1 << BYTES_BITS) - 1;

/// Says: look the hash up in the group; the record with this lineage id is the entry.
///
/// All records of one entry, however often it is overwritten, share a lineage, so an entry needs
/// one handle in its life. A handle points to nothing and nothing points to it: it stays when its
/// entry is removed, and then finds nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Handle {
    who: u64,
    what: u64,
}

impl Handle {
    /// Bits of a lineage id.
    pub(crate) const LINEAGE_BITS: u32 = 14;
    /// Bits of a group's number.
    pub(crate) const GROUP_BITS: u32 = 26;

    /// The handle of an entry of `bytes`. Of `hash`, the top 48 bits are kept; `lineage` and
    /// `group` must fit. 256 GiB and more count as 256 GiB.
    pub(crate) const fn new(hash: u64, lineage: u16, group: u32, bytes: u64) -> Self {
        debug_assert!(lineage >> Self::LINEAGE_BITS == 0 && group >> Self::GROUP_BITS == 0);
        let who = hash & HASH | (lineage as u64) << 2;
        Self { who, what: (group as u64) << BYTES_BITS }.with_bytes(bytes)
    }

    /// The hash; its low 16 bits are 0.
    pub(crate) const fn hash(self) -> u64 {
        self.who & HASH
    }

    /// Whether it is of a key with this hash, as far as its 48 bits tell.
    pub(crate) const fn means(self, hash: u64) -> bool {
        self.who & HASH == hash & HASH
    }

    /// The lineage id.
    pub(crate) const fn lineage(self) -> u16 {
        (self.who & !HASH) as u16 >> 2
    }

    /// The group's number.
    pub(crate) const fn group(self) -> u32 {
        (self.what >> BYTES_BITS) as u32
    }

    /// How large the entry was when it was last looked at.
    pub(super) const fn bytes(self) -> u64 {
        self.what & BYTES_MAX
    }

    pub(super) const fn with_bytes(self, bytes: u64) -> Self {
        let bytes = if bytes < BYTES_MAX { bytes } else { BYTES_MAX };
        Self { who: self.who, what: self.what & !BYTES_MAX | bytes }
    }

    /// 32 bits by which the key is known again, never 0; equal for all lineages.
    pub(super) const fn fingerprint(self) -> u32 {
        // Equal keys of several groups may have equal hashes.
        let group = (self.group() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let fingerprint = ((self.who ^ group) >> 32) as u32;
        if fingerprint == 0 { 1 } else { fingerprint }
    }
}
