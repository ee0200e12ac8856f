//! Where tokens wait: five levels of 64 slots, and one bit for each slot that holds any.

use super::chain::Chain;
use super::{HORIZON, NoMemory, Token};

pub(super) const LEVELS: usize = 5;

/// A level has `2^BITS` slots, and so has a slot of one level in the level below it.
const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;

const _: () = assert!(HORIZON == (1 << (BITS * LEVELS as u32)) - 1);

/// All slots of all levels, counted from level 0 up.
pub(super) const ALL: usize = LEVELS * SLOTS;

/// The slots. Which times a slot stands for depends on the hand: those that come round next.
pub(super) struct Slots {
    /// Empty until the first token comes: a wheel that is not used costs nothing.
    chains: Vec<Chain>,
    occupied: [u64; LEVELS],
}

/// What a slot held when it was taken, and the first and last time that its tokens can have.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) chain: Chain,
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Slots {
    pub(super) const fn new() -> Self {
        Self { chains: Vec::new(), occupied: [0; LEVELS] }
    }

    /// Puts a token away that is due at `time`, 1 to [`HORIZON`] after the hand: into the level
    /// whose slots are as wide as that is far. Returns when the slot begins: after the hand, and
    /// not after `time`.
    #[inline]
    pub(super) fn put(&mut self, token: Token, time: u64, hand: u64) -> Result<u64, NoMemory> {
        if self.chains.is_empty() {
            self.chains.try_reserve_exact(ALL).map_err(|_| NoMemory)?;
            self.chains.resize_with(ALL, Chain::default);
        }
        let level = ((time - hand).ilog2() / BITS) as usize;
        let index = index(level, time);
        self.chains[level * SLOTS + index].push(token)?;
        self.occupied[level] |= 1 << index;
        Ok(time >> shift(level) << shift(level))
    }

    /// Takes what lies in the slot of `level` that begins at `first`, in one step.
    pub(super) fn take(&mut self, level: usize, first: u64) -> Option<Slot> {
        let index = index(level, first);
        let bit = 1 << index;
        if self.occupied[level] & bit == 0 {
            return None;
        }
        self.occupied[level] &= !bit;
        let chain = std::mem::take(&mut self.chains[level * SLOTS + index]);
        Some(Slot { chain, first, last: first + width(level) - 1 })
    }

    /// When the first occupied slot begins, seen from the hand.
    pub(super) fn first(&self, hand: u64) -> Option<u64> {
        let levels = (0..LEVELS).filter(|&level| self.occupied[level] != 0);
        // The slot of the hand itself comes last: it was emptied, and holds what comes in a round.
        let distance = |level: usize| {
            let after = index(level, hand) as u32 + 1;
            u64::from(self.occupied[level].rotate_right(after).trailing_zeros()) + 1
        };
        levels.map(|level| ((hand >> shift(level)) + distance(level)) << shift(level)).min()
    }

    /// The last occupied slot of those below `bound`: its number, its level, and when it begins.
    pub(super) fn last_below(&self, bound: usize, hand: u64) -> Option<(usize, usize, u64)> {
        (0..LEVELS).rev().find_map(|level| {
            let below = bound.saturating_sub(level * SLOTS).min(SLOTS);
            let bits = u128::from(self.occupied[level]) & ((1 << below) - 1);
            let index = bits.checked_ilog2()? as usize;
            let place = hand >> shift(level);
            let distance = (index as u64).wrapping_sub(place + 1) % SLOTS as u64 + 1;
            Some((level * SLOTS + index, level, (place + distance) << shift(level)))
        })
    }

    #[cfg(test)]
    pub(super) fn chains(&self) -> &[Chain] {
        &self.chains
    }
}

/// Milliseconds in a slot of `level`.
pub(super) const fn width(level: usize) -> u64 {
    1 << shift(level)
}

const fn shift(level: usize) -> u32 {
    BITS * level as u32
}

/// The slot of `level` that holds `time`.
const fn index(level: usize, time: u64) -> usize {
    (time >> shift(level)) as usize % SLOTS
}
