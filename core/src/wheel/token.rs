//! What a wheel parks: who may be due, and when to look. 16 bytes.
//!
//! ```text
//!        63 .......................... 16 | 15 ............... 0
//!  who   [ hash: its top 48 bits         ][ timer id: low 16   ]
//!        63 ............... 32 | 31 ............ 6 | 5 ....... 0
//!  when  [ time: low 32 bits  ][ group: 26        ][ id: high 6 ]
//! ```

use super::HORIZON;

const HASH: u64 = !0 << 16;

/// Says: at this time, look the hash up in the group; the record with this timer id may be due.
///
/// A token points to nothing and nothing points to it, so it stays when its record is overwritten
/// or removed, and then finds nothing to do. Two equal tokens are no fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Token {
    who: u64,
    when: u64,
}

impl Token {
    /// Bits of a timer id.
    pub(crate) const ID_BITS: u32 = 22;
    /// Bits of a group's number.
    pub(crate) const GROUP_BITS: u32 = 26;

    /// A token without a time. Of `hash`, the top 48 bits are kept; `id` and `group` must fit.
    pub(crate) const fn new(hash: u64, id: u32, group: u32) -> Self {
        debug_assert!(id >> Self::ID_BITS == 0 && group >> Self::GROUP_BITS == 0);
        Self {
            who: hash & HASH | (id & 0xffff) as u64,
            when: (group as u64) << 6 | (id >> 16) as u64,
        }
    }

    /// The same token for `deadline`, or for [`HORIZON`] from `now` if that is earlier: it then
    /// fires before the deadline, and is to be parked again.
    pub(crate) fn at(self, deadline: u64, now: u64) -> Self {
        let earliest = now.saturating_sub(HORIZON);
        self.with_time(deadline.clamp(earliest, now.saturating_add(HORIZON)))
    }

    pub(super) const fn with_time(self, time: u64) -> Self {
        Self { who: self.who, when: time << 32 | self.when & 0xffff_ffff }
    }

    /// The token's time. 32 bits name it, given a moment within 24 days of it.
    pub(super) const fn time(self, near: u64) -> u64 {
        let time = (self.when >> 32) as u32;
        near.saturating_add_signed(time.wrapping_sub(near as u32).cast_signed() as i64)
    }

    /// The hash; its low 16 bits are 0.
    pub(crate) const fn hash(self) -> u64 {
        self.who & HASH
    }

    /// Whether it is a token of this hash.
    pub(crate) const fn means(self, hash: u64) -> bool {
        (self.who ^ hash) & HASH == 0
    }

    /// The timer id.
    pub(crate) const fn id(self) -> u32 {
        ((self.when & 0x3f) << 16 | self.who & 0xffff) as u32
    }

    /// The group's number.
    #[cfg_attr(not(test), expect(dead_code, reason = "stores have one group yet"))]
    pub(crate) const fn group(self) -> u32 {
        (self.when as u32) >> 6
    }
}
