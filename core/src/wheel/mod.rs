//! A hierarchical timer wheel: whose time has come, without a look at all the others.
//!
//! The structure is the seventh scheme of G. Varghese and T. Lauck, "Hashed and Hierarchical Timing
//! Wheels" (SOSP 1987). Time is in milliseconds, from any fixed moment on.
//!
//! ```text
//!   level      0       1       2         3        4
//!   a slot     1 ms    64 ms   4.1 s     4.4 min  4.7 h
//!   64 slots   64 ms   4.1 s   4.4 min   4.7 h    12.4 days: the horizon
//! ```
//!
//! A token goes to the level whose slots are as wide as its time is far from the *hand*. When the
//! hand reaches a slot, the slot is *opened*: all that lies in it is taken out in one step, and
//! then worked off token by token. What is due is handed out, the rest goes to a lower level. So a
//! token moves at most four times, and no step is longer because more tokens wait.
//!
//! # Invariants
//!
//! 1. Slots that begin at or before the hand are empty; `next` is when the first other one begins.
//! 2. The hand does not leave the times of an opened slot while the slot holds tokens. So whatever
//!    waits has a time close to the hand, and 32 bits name it.
//! 3. A token is in one place, or handed out.
//!
//! # Promises
//!
//! A token is never handed out before its time, and with enough budget never after an `advance` to
//! its time. The one exception: a time beyond the horizon counts as the horizon.
//!
//! The wheel knows no clock, no threads, no records; it does what its one owner calls for.

mod chain;
#[cfg(test)]
mod model;
mod slots;
#[cfg(test)]
mod tests;
mod token;

use self::slots::{ALL, LEVELS, Slot, Slots};
pub(crate) use self::token::Token;

/// How far ahead a token can wait, in milliseconds: 12.4 days.
pub(crate) const HORIZON: u64 = (1 << 30) - 1;

/// The opened slot that a compaction works on; those below it belong to the levels.
const SWEPT: usize = LEVELS;

/// Tokens of one opened slot that are worked off before the next one has its turn.
const RUN: usize = 16;

/// The system refused memory. Nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NoMemory;

/// How far a call came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Progress {
    /// All that was to be done now is done.
    Done,
    /// The budget is used up, and there is more to do now.
    Behind,
    /// The system refused memory for tokens that are not due yet and have to move. They stay in the
    /// wheel, and those that are due were handed out as far as the budget went. Call again later.
    NoMemory,
}

/// A wheel. It costs no memory of its own until the first token is parked, and 5 KiB from then on.
pub(crate) struct Wheel {
    /// The wheel's time. It never goes back.
    hand: u64,
    /// When the first occupied slot begins; `u64::MAX` if there is none.
    next: u64,
    slots: Slots,
    /// The slot of each level that the hand opened last, and the one that is swept. Level 0 also
    /// takes what comes too late for a slot.
    opened: [Slot; LEVELS + 1],
    /// The opened slot that had its turn last.
    turn: usize,
    /// A compaction has still to visit the slots below this one.
    unswept: usize,
    len: usize,
}

impl Wheel {
    /// An empty wheel whose time is `now`. Times stay below 2^63.
    pub(crate) fn new(now: u64) -> Self {
        Self {
            hand: now,
            next: u64::MAX,
            slots: Slots::new(),
            opened: Default::default(),
            turn: 0,
            unswept: ALL,
            len: 0,
        }
    }

    /// Tokens that are parked.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// When `advance` will have something to do: not after the time of any token. At most four
    /// times in its life a token makes this earlier than the first token's time, to be moved.
    /// `None` if the wheel is empty.
    pub(crate) fn next_due(&self) -> Option<u64> {
        let opened = self.opened.iter().filter(|slot| !slot.chain.is_empty());
        let first = opened.map(|slot| slot.first).fold(self.next, u64::min);
        (self.len > 0).then_some(first)
    }

    /// Parks a token, for the time of [`Token::at`]. `now` is at most 12 days away from the `now`
    /// that was given there. A token whose time has passed is handed out by the next `advance`.
    ///
    /// Constant time; allocates at most 256 bytes, the first call 5 KiB.
    pub(crate) fn schedule(&mut self, token: Token, now: u64) -> Result<(), NoMemory> {
        self.file(token, token.time(now))?;
        self.len += 1;
        Ok(())
    }

    /// Moves the time to `now` and calls `fire` for each token whose time has come, once; the wheel
    /// forgets it. An earlier `now` than the wheel's time counts as the wheel's time.
    ///
    /// At most `budget` units of work are done, each in constant time: a token handed out, a token
    /// moved, or a slot opened. Empty time costs nothing, however long. What is left when the
    /// budget ends is done by the next calls, in turns: tokens that are due do not wait until a
    /// full slot of a higher level is worked off.
    pub(crate) fn advance(
        &mut self,
        now: u64,
        budget: usize,
        mut fire: impl FnMut(Token),
    ) -> Progress {
        let now = now.max(self.hand);
        let (mut left, mut refused) = (budget, false);
        while left > 0 {
            let limit = self.limit().min(now);
            if self.next <= limit {
                self.open(self.next);
                left -= 1;
                continue;
            }
            self.hand = limit;
            let Some(turn) = self.workable(now, refused) else { break };
            self.turn = turn;
            let run = left.min(RUN);
            let done = self.work(turn, now, run, &mut fire);
            refused |= done < run && !self.opened[turn].chain.is_empty();
            left -= done;
        }
        match self.next_due() {
            _ if refused => Progress::NoMemory,
            Some(due) if due <= now => Progress::Behind,
            _ => {
                self.hand = now;
                Progress::Done
            }
        }
    }

    /// Drops the tokens that `keep` answers `false` for, slot after slot, at most `budget` units of
    /// work in a call: a token looked at, or a slot taken. `Done` ends a round through all slots;
    /// the next call begins another one.
    ///
    /// A token that moves to another slot during the round may come twice or not at all, and so do
    /// those that are due. Other calls may come in between.
    pub(crate) fn compact(
        &mut self,
        budget: usize,
        mut keep: impl FnMut(Token) -> bool,
    ) -> Progress {
        for _ in 0..budget {
            let Some(token) = self.opened[SWEPT].chain.last() else {
                if !self.sweep_next() {
                    return Progress::Done;
                }
                continue;
            };
            if !keep(token) {
                self.len -= 1;
            } else if self.file(token, token.time(self.hand)).is_err() {
                return Progress::NoMemory;
            }
            self.opened[SWEPT].chain.pop();
        }
        Progress::Behind
    }

    /// Puts a token where it belongs at this moment.
    #[inline]
    fn file(&mut self, token: Token, time: u64) -> Result<(), NoMemory> {
        let time = time.clamp(self.hand, self.hand + HORIZON);
        let token = token.with_time(time);
        if time > self.hand {
            let first = self.slots.put(token, time, self.hand)?;
            self.next = self.next.min(first);
        } else {
            // Whatever lies here has this time too: it holds the hand.
            let late = &mut self.opened[0];
            late.chain.push(token)?;
            (late.first, late.last) = (time, time);
        }
        Ok(())
    }

    /// The last time that the hand may be moved to before opened slots are worked off.
    fn limit(&self) -> u64 {
        let opened = self.opened.iter().filter(|slot| !slot.chain.is_empty());
        opened.map(|slot| slot.last).fold(u64::MAX, u64::min)
    }

    /// Moves the hand to `time`, and opens the slots that begin there, one of each level at most.
    fn open(&mut self, time: u64) {
        self.hand = time;
        for level in (0..LEVELS).take_while(|&level| time.is_multiple_of(slots::width(level))) {
            if let Some(slot) = self.slots.take(level, time) {
                debug_assert!(self.opened[level].chain.is_empty(), "the hand left an open slot");
                self.opened[level] = slot;
            }
        }
        self.find_next();
    }

    fn find_next(&mut self) {
        self.next = self.slots.first(self.hand).unwrap_or(u64::MAX);
    }

    /// The opened slot whose turn it is. Where memory is refused, only one whose next token is due.
    fn workable(&self, now: u64, refused: bool) -> Option<usize> {
        let ready = |slot: &Slot| {
            slot.first <= self.hand
                && slot.chain.last().is_some_and(|token| !refused || token.time(self.hand) <= now)
        };
        let mut turns = (1..=self.opened.len()).map(|step| (self.turn + step) % self.opened.len());
        turns.find(|&turn| ready(&self.opened[turn]))
    }

    /// Works off `run` tokens of an opened slot; how many it did. Fewer if there are no more, or
    /// if memory is refused.
    fn work(&mut self, slot: usize, now: u64, run: usize, fire: &mut impl FnMut(Token)) -> usize {
        for done in 0..run {
            let Some(token) = self.opened[slot].chain.last() else { return done };
            let time = token.time(self.hand);
            if time > now {
                // A lower level takes it, and only then does it leave this one.
                if self.file(token, time).is_err() {
                    return done;
                }
                self.opened[slot].chain.pop();
            } else {
                self.opened[slot].chain.pop();
                self.len -= 1;
                fire(token);
            }
        }
        run
    }

    /// Takes the next slot to be swept; whether there was one. From the top down, so that a token
    /// which moves down meanwhile still lies ahead.
    fn sweep_next(&mut self) -> bool {
        let found = self.slots.last_below(self.unswept, self.hand);
        let Some((slot, level, first)) = found else {
            self.unswept = ALL;
            return false;
        };
        self.unswept = slot;
        self.opened[SWEPT] = self.slots.take(level, first).unwrap_or_default();
        self.find_next();
        true
    }
}
