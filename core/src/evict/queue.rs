//! One of the two queues of handles, and the sweep through it that leaves stale ones out.
//!
//! A queue is two: `swept` holds the older handles, `rest` the newer ones. A sweep moves handles
//! from the front of `rest` to the end of `swept`, so it can stop anywhere and the order stays.

use super::fifo::Fifo;
use super::{Handle, NoMemory};

#[derive(Default)]
pub(super) struct Queue {
    swept: Fifo,
    rest: Fifo,
    bytes: u64,
}

impl Queue {
    pub(super) const fn len(&self) -> usize {
        self.swept.len() + self.rest.len()
    }

    /// The sizes of all handles, stale ones too.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The oldest handle, which `pop` takes.
    #[inline]
    pub(super) fn first(&self) -> Option<Handle> {
        self.swept.first().or_else(|| self.rest.first())
    }

    #[inline]
    pub(super) fn push(&mut self, handle: Handle) -> Result<(), NoMemory> {
        self.rest.push(handle)?;
        self.bytes += handle.bytes();
        Ok(())
    }

    #[inline]
    pub(super) fn pop(&mut self) {
        let Some(handle) = self.first() else { return };
        let older = if self.swept.len() > 0 { &mut self.swept } else { &mut self.rest };
        older.pop();
        self.bytes -= handle.bytes();
    }

    /// The handle that a sweep comes to next; `None` ends the sweep.
    pub(super) fn unswept(&self) -> Option<Handle> {
        self.rest.first()
    }

    /// Moves the sweep past its next handle, which stays if it has a size.
    pub(super) fn sweep(&mut self, bytes: Option<u64>) -> Result<(), NoMemory> {
        let Some(handle) = self.rest.first() else { return Ok(()) };
        if let Some(bytes) = bytes {
            let handle = handle.with_bytes(bytes);
            self.swept.push(handle)?;
            self.bytes += handle.bytes();
        }
        self.rest.pop();
        self.bytes -= handle.bytes();
        Ok(())
    }

    /// Ends a sweep that has come to the end: all is to be swept again.
    pub(super) fn end_sweep(&mut self) {
        debug_assert_eq!(self.rest.len(), 0, "the sweep has not come to the end");
        std::mem::swap(&mut self.swept, &mut self.rest);
        self.trim();
    }

    /// Gives back blocks that hold nothing.
    pub(super) fn trim(&mut self) {
        self.swept.trim();
        self.rest.trim();
    }

    #[cfg(test)]
    pub(super) fn blocks(&self) -> usize {
        self.swept.blocks() + self.rest.blocks()
    }
}
