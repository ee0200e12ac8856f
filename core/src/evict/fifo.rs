//! Handles, first in, first out, in blocks: grows without copying handles, and gives back each
//! block that it empties.

use std::collections::VecDeque;

use super::block;
use super::{Handle, NoMemory};

/// Handles in a block.
///
/// LIMIT: a block of 1 KiB. With the pointer to it, a handle costs 16.2 bytes, and of a million
/// handles no more than 128 KiB of pointers are ever copied.
pub(super) const HANDLES: usize = 64;

/// A queue.
#[derive(Default)]
pub(super) struct Fifo {
    blocks: VecDeque<Box<[Handle; HANDLES]>>,
    /// The place of the first handle in the first block.
    first: usize,
    len: usize,
}

impl Fifo {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The handle that `pop` would take.
    #[inline]
    pub(super) fn first(&self) -> Option<Handle> {
        (self.len > 0).then(|| self.blocks[0][self.first])
    }

    /// Adds a handle; at most one block is allocated. Refused memory changes nothing.
    #[inline]
    pub(super) fn push(&mut self, handle: Handle) -> Result<(), NoMemory> {
        let place = self.first + self.len;
        let (block, place) = (place / HANDLES, place % HANDLES);
        if block == self.blocks.len() {
            self.blocks.try_reserve(1).map_err(|_| NoMemory)?;
            self.blocks.push_back(block::new(handle)?);
        }
        self.blocks[block][place] = handle;
        self.len += 1;
        Ok(())
    }

    /// Takes the first handle out; at most one block is freed. The last block stays: a queue of
    /// one handle would allocate all the time.
    #[inline]
    pub(super) fn pop(&mut self) {
        debug_assert!(self.len > 0, "nothing to take");
        self.len -= 1;
        self.first += 1;
        if self.first == HANDLES && self.blocks.len() > 1 {
            self.blocks.pop_front();
            self.first = 0;
        } else if self.len == 0 {
            self.first = 0;
        }
    }

    /// Gives back the last block of an empty queue.
    pub(super) fn trim(&mut self) {
        if self.len == 0 {
            self.blocks = VecDeque::new();
        }
    }

    /// Blocks that the queue holds.
    #[cfg(test)]
    pub(super) fn blocks(&self) -> usize {
        self.blocks.len()
    }
}
