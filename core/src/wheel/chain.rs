//! Tokens in no order, in blocks: grows without copying, and gives back each block that it empties.

use super::{NoMemory, Token};

/// Tokens in a block.
///
/// LIMIT: 248 bytes, which allocators round to 256: a token costs 17 bytes in a slot that is well
/// filled, and a slot that holds one token wastes no more than that.
const TOKENS: usize = 15;

/// An array of one: the only box that safe code can ask for without aborting when it is refused.
type Link = Option<Box<[Block; 1]>>;

struct Block {
    below: Link,
    tokens: [Token; TOKENS],
}

/// A stack of blocks. All but the top one are full, and none is empty.
#[derive(Default)]
pub(super) struct Chain {
    top: Link,
    /// Tokens in the top block; 0 if there is none.
    len: usize,
}

impl Chain {
    pub(super) const fn is_empty(&self) -> bool {
        self.top.is_none()
    }

    /// The token that `pop` would take.
    #[inline]
    pub(super) fn last(&self) -> Option<Token> {
        self.top.as_ref().map(|block| block[0].tokens[self.len - 1])
    }

    /// Adds a token; at most one block is allocated.
    #[inline]
    pub(super) fn push(&mut self, token: Token) -> Result<(), NoMemory> {
        match &mut self.top {
            Some(block) if self.len < TOKENS => block[0].tokens[self.len] = token,
            _ => {
                // The block is there before the old one is unhooked, so a refusal changes nothing.
                let mut block = new_block(token)?;
                block[0].below = self.top.take();
                self.top = Some(block);
                self.len = 0;
            }
        }
        self.len += 1;
        Ok(())
    }

    /// Takes a token out; at most one block is freed.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Token> {
        let token = self.last()?;
        self.len -= 1;
        if self.len == 0 {
            self.top = self.top.take().and_then(|mut block| block[0].below.take());
            self.len = if self.top.is_some() { TOKENS } else { 0 };
        }
        Some(token)
    }

    /// Blocks that the chain holds.
    #[cfg(test)]
    pub(super) fn blocks(&self) -> usize {
        std::iter::successors(self.top.as_ref(), |&block| block[0].below.as_ref()).count()
    }
}

impl Drop for Chain {
    /// Block by block: left to the compiler, a long chain would be dropped by recursion.
    fn drop(&mut self) {
        let mut top = self.top.take();
        while let Some(mut block) = top {
            top = block[0].below.take();
        }
    }
}

/// A block whose places all hold `token`.
fn new_block(token: Token) -> Result<Box<[Block; 1]>, NoMemory> {
    #[cfg(test)]
    if refusal::is_on() {
        return Err(NoMemory);
    }
    let mut room = Vec::new();
    room.try_reserve_exact(1).map_err(|_| NoMemory)?;
    room.push(Block { below: None, tokens: [token; TOKENS] });
    room.into_boxed_slice().try_into().map_err(|_| NoMemory)
}

/// Refuses memory for blocks, on one thread.
#[cfg(test)]
pub(super) mod refusal {
    use std::cell::Cell;

    thread_local!(static ON: Cell<bool> = const { Cell::new(false) });

    pub(super) fn is_on() -> bool {
        ON.get()
    }

    /// Runs `body` while every new block is refused.
    pub(crate) fn during<T>(body: impl FnOnce() -> T) -> T {
        struct Off;
        impl Drop for Off {
            fn drop(&mut self) {
                ON.set(false);
            }
        }
        ON.set(true);
        let _off = Off;
        body()
    }
}
