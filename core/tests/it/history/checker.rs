//! Searches for a legal order of one key's events: Wing and Gong's search with Lowe's memory.
//!
//! A lane's events follow each other, so the set of events already placed is one count per lane,
//! and an event may come next when it is the first unplaced one of its lane and no unplaced event
//! had returned before it began. The search never visits the same counts with the same state
//! twice: how a state was reached does not matter for what can follow.
//!
//! The state is the value of the key and the highest version written so far. The latter makes
//! versions part of the question: they must grow along the order, also across a removal.

use std::collections::HashSet;
use std::fmt;

use super::event::{Effect, Event, Expect};
use super::versions::Versions;

/// How many events a violation shows for each lane.
const SHOWN: usize = 4;

/// Why a history is not linearizable.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// One write was seen with two versions.
    TwoVersions { value: u64, versions: [u64; 2] },
    /// One version was seen with two values.
    TwoValues { version: u64, values: [u64; 2] },
    /// No order of the events is legal. What the best attempt reached, and what came next.
    NoOrder { placed: usize, of: usize, state: State, next: Vec<Vec<Event>> },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation::NoOrder { placed, of, state, next } = self else {
            return write!(f, "{self:?}");
        };
        writeln!(f, "{placed} of {of} events can be placed, then {state:?} fits none of")?;
        for (lane, events) in next.iter().enumerate() {
            for event in events {
                writeln!(f, "  lane {lane}: {event:?}")?;
            }
        }
        Ok(())
    }
}

/// The key between two events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct State {
    value: Option<u64>,
    /// The highest known version among the writes placed so far; 0 before the first.
    floor: u64,
}

impl State {
    /// The state after `event`, or `None` when its answer contradicts this state.
    fn after(self, event: &Event, versions: &Versions) -> Option<State> {
        let legal = match event.expect {
            Expect::Anything => true,
            Expect::Absent => self.value.is_none(),
            Expect::Present => self.value.is_some(),
            Expect::Is(seen) => self.value == Some(seen.value),
            Expect::Nought => self.value.unwrap_or(0) == 0,
            Expect::Version(version) => {
                version >= self.floor && self.value.is_some_and(|v| versions.agree(v, version))
            }
        };
        if !legal {
            return None;
        }
        match event.effect {
            Effect::Keep => Some(self),
            Effect::Remove => Some(State { value: None, ..self }),
            Effect::Put(seen) => match versions.of_value(seen.value) {
                Some(version) if version <= self.floor => None,
                known => {
                    Some(State { value: Some(seen.value), floor: known.unwrap_or(self.floor) })
                }
            },
        }
    }
}

/// Decides whether the events of one key, lane by lane, are linearizable.
pub(crate) fn check_key(lanes: Vec<Vec<Event>>) -> Result<(), Violation> {
    for lane in &lanes {
        assert!(
            lane.windows(2).all(|pair| pair[0].precedes(&pair[1])),
            "the events of a lane overlap"
        );
    }
    let versions = Versions::of(&lanes)?;
    let lanes: Vec<_> = lanes.into_iter().filter(|lane| !lane.is_empty()).collect();
    Search::new(&lanes, &versions).run()
}

/// One step of the search: the state, and the lane to try next.
struct Frame {
    state: State,
    lane: usize,
}

struct Search<'h> {
    lanes: &'h [Vec<Event>],
    versions: &'h Versions,
    /// Number of events placed, per lane.
    placed: Vec<u32>,
    /// Counts and states already visited.
    visited: HashSet<(Box<[u32]>, State), ahash::RandomState>,
    frames: Vec<Frame>,
    /// Number of events placed, state and counts of the longest attempt.
    best: (usize, State, Vec<u32>),
}

impl<'h> Search<'h> {
    fn new(lanes: &'h [Vec<Event>], versions: &'h Versions) -> Self {
        Search {
            lanes,
            versions,
            placed: vec![0; lanes.len()],
            visited: HashSet::default(),
            frames: vec![Frame { state: State::default(), lane: 0 }],
            best: (0, State::default(), vec![0; lanes.len()]),
        }
    }

    fn run(mut self) -> Result<(), Violation> {
        let total: usize = self.lanes.iter().map(Vec::len).sum();
        while self.frames.len() <= total {
            if !self.advance() && !self.retreat() {
                return Err(self.stuck(total));
            }
        }
        Ok(())
    }

    /// Places one more event, if one fits.
    fn advance(&mut self) -> bool {
        let deadline = self.first_return();
        let frame = self.frames.last_mut().expect("the first frame is popped last");
        let state = frame.state;
        while frame.lane < self.lanes.len() {
            let lane = frame.lane;
            frame.lane += 1;
            let Some(event) = self.lanes[lane].get(self.placed[lane] as usize) else { continue };
            if event.began > deadline {
                continue;
            }
            let Some(state) = state.after(event, self.versions) else { continue };
            self.placed[lane] += 1;
            if self.visited.insert((self.placed.as_slice().into(), state)) {
                self.frames.push(Frame { state, lane: 0 });
                self.remember(state);
                return true;
            }
            self.placed[lane] -= 1;
        }
        false
    }

    /// Takes the last placed event back; false when there is none.
    fn retreat(&mut self) -> bool {
        self.frames.pop();
        let Some(frame) = self.frames.last() else { return false };
        // `advance` left the frame pointing one past the lane from which it placed an event.
        self.placed[frame.lane - 1] -= 1;
        true
    }

    /// The earliest return among the unplaced events; one that began later cannot come next.
    fn first_return(&self) -> u64 {
        let unplaced = self.lanes.iter().zip(&self.placed);
        let returns = unplaced.filter_map(|(lane, &n)| lane.get(n as usize)).map(|e| e.ended);
        returns.min().unwrap_or(u64::MAX)
    }

    fn remember(&mut self, state: State) {
        let depth = self.frames.len() - 1;
        if depth > self.best.0 {
            self.best.0 = depth;
            self.best.1 = state;
            self.best.2.copy_from_slice(&self.placed);
        }
    }

    fn stuck(self, of: usize) -> Violation {
        let (placed, state, counts) = self.best;
        let ahead = self.lanes.iter().zip(counts);
        let next = ahead
            .map(|(lane, n)| lane.iter().skip(n as usize).take(SHOWN).copied().collect())
            .collect();
        Violation::NoOrder { placed, of, state, next }
    }
}
