//! A wheel beside a binary heap, and an owner who treats tokens as a store does. The property test
//! and the fuzz target bring the calls.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::{HORIZON, Progress, Token, Wheel};

/// Both, and what they must agree on.
pub(crate) struct Model {
    wheel: Wheel,
    now: u64,
    /// The wheel's hand is here or later.
    reached: u64,
    parked: BTreeMap<u32, Parked>,
    /// Deadlines and serial numbers; those of tokens that are gone leave when they come up.
    heap: BinaryHeap<Reverse<(u64, u32)>>,
    /// Serial numbers and deadlines of tokens that the wheel had no memory for.
    held: Vec<(u32, u64)>,
    serial: u32,
}

struct Parked {
    deadline: u64,
    /// Before this, the token must not fire.
    earliest: u64,
}

impl Model {
    /// Nothing is parked.
    pub(crate) fn new(now: u64) -> Self {
        Self {
            wheel: Wheel::new(now),
            now,
            reached: now,
            parked: BTreeMap::new(),
            heap: BinaryHeap::new(),
            held: Vec::new(),
            serial: 0,
        }
    }

    /// Parks a new token for `offset` milliseconds from now, which may be in the past.
    pub(crate) fn park(&mut self, offset: i64) {
        self.serial += 1;
        self.schedule(self.serial, self.now.saturating_add_signed(offset));
        self.check();
    }

    /// Lets `by` milliseconds pass and advances the wheel; tokens that fire early are parked again.
    pub(crate) fn advance(&mut self, by: u64, budget: usize) {
        self.now += by;
        let mut fired = Vec::new();
        let progress = self.wheel.advance(self.now, budget, |token| fired.push(serial(token)));
        assert!(fired.len() <= budget, "more tokens than the budget allows");
        let mut again = std::mem::take(&mut self.held);
        for serial in fired {
            let Parked { deadline, earliest } =
                self.parked.remove(&serial).expect("a token fires once");
            assert!(earliest <= self.now, "a token fired before its time");
            if self.now < deadline {
                again.push((serial, deadline));
            }
        }
        if progress == Progress::Done {
            assert!(self.first().is_none_or(|deadline| deadline > self.now), "a token is late");
            assert!(self.wheel.next_due().is_none_or(|due| due > self.now), "done, and not done");
            self.reached = self.now;
        }
        again.into_iter().for_each(|(serial, deadline)| self.schedule(serial, deadline));
        self.check();
    }

    /// Drops tokens whose serial number is a multiple of `every`; whether a round ended.
    pub(crate) fn compact(&mut self, every: u32, budget: usize) -> bool {
        let mut seen = 0;
        let progress = self.wheel.compact(budget, |token| {
            seen += 1;
            let serial = serial(token);
            let keep = !serial.is_multiple_of(every);
            let known = if keep {
                self.parked.contains_key(&serial)
            } else {
                self.parked.remove(&serial).is_some()
            };
            assert!(known, "a token that was gone is shown");
            keep
        });
        assert!(seen <= budget, "more tokens than the budget allows");
        self.check();
        progress == Progress::Done
    }

    /// Sleeps from one deadline to the next until nothing is left.
    pub(crate) fn finish(mut self) {
        // A few moves of each token, more than once if it fires early.
        let mut wakes = 16 + 64 * (self.parked.len() + self.held.len());
        while !self.parked.is_empty() || !self.held.is_empty() {
            let due = self.wheel.next_due().unwrap_or(self.now);
            self.advance(due.saturating_sub(self.now), 64);
            wakes = wakes.checked_sub(1).expect("each wake-up gets something done");
        }
    }

    fn schedule(&mut self, serial: u32, deadline: u64) {
        let token = Token::new(u64::from(serial) << 20, id(serial), group(serial));
        match self.wheel.schedule(token.at(deadline, self.now), self.now) {
            Ok(()) => {
                let earliest = deadline.min(self.reached + HORIZON);
                self.parked.insert(serial, Parked { deadline, earliest });
                self.heap.push(Reverse((deadline, serial)));
            }
            Err(_) => self.held.push((serial, deadline)),
        }
    }

    /// The earliest deadline of those that are parked.
    fn first(&mut self) -> Option<u64> {
        while let Some(&Reverse((deadline, serial))) = self.heap.peek() {
            if self.parked.contains_key(&serial) {
                return Some(deadline);
            }
            self.heap.pop();
        }
        None
    }

    fn check(&mut self) {
        assert_eq!(self.wheel.len(), self.parked.len());
        let (due, first) = (self.wheel.next_due(), self.first());
        assert_eq!(due.is_some(), first.is_some());
        assert!(due <= first.map(|first| first.max(self.now)), "a sleeper would wake up late");
    }
}

const fn id(serial: u32) -> u32 {
    serial & ((1 << Token::ID_BITS) - 1)
}

const fn group(serial: u32) -> u32 {
    serial & ((1 << Token::GROUP_BITS) - 1)
}

/// Which token this is, all of its parts agreeing.
fn serial(token: Token) -> u32 {
    let serial = (token.hash() >> 20) as u32;
    assert_eq!((token.id(), token.group()), (id(serial), group(serial)));
    serial
}
