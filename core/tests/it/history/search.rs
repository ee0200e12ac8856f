//! Wing and Gong's search with Lowe's memory: one legal order of one key's events.
//!
//! A lane's events follow each other, so the set of events already placed is one count per lane,
//! and an event may come next when it is the first unplaced one of its lane and no unplaced event
//! had returned before it began. The search never visits the same counts with the same state
//! twice: how a state was reached does not matter for what can follow.
//!
//! What a state is, and what an event makes of it, is the business of a [`Model`].

use std::collections::HashSet;
use std::fmt::{self, Debug};
use std::hash::Hash;

use super::event::Event;

/// How many events a violation shows for each lane.
const SHOWN: usize = 4;

/// A key as a checker imagines it.
pub(crate) trait Model {
    /// What a call says of the key.
    type Step: Copy + Debug;
    /// The key between two events; the default is the key before the first.
    type State: Copy + Debug + Default + Eq + Hash;
    /// In how many ways a step may be meant.
    const WAYS: usize;

    /// The state after `step`, meant in one way; `None` when its answer contradicts this state.
    fn after(&self, state: Self::State, step: Self::Step, way: usize) -> Option<Self::State>;
}

/// No order of the events is legal. What the best attempt reached, and what came next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stuck<Step, State> {
    pub(crate) placed: usize,
    pub(crate) of: usize,
    pub(crate) state: State,
    pub(crate) next: Vec<Vec<Event<Step>>>,
}

impl<Step: Debug, State: Debug> fmt::Display for Stuck<Step, State> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stuck { placed, of, state, next } = self;
        writeln!(f, "{placed} of {of} events can be placed, then {state:?} fits none of")?;
        for (lane, events) in next.iter().enumerate() {
            for event in events {
                writeln!(f, "  lane {lane}: {event:?}")?;
            }
        }
        Ok(())
    }
}

/// Looks for a legal order of the events of one key, lane by lane.
pub(crate) fn search<M: Model>(
    model: &M,
    lanes: Vec<Vec<Event<M::Step>>>,
) -> Result<(), Stuck<M::Step, M::State>> {
    for lane in &lanes {
        assert!(
            lane.windows(2).all(|pair| pair[0].precedes(&pair[1])),
            "the events of a lane overlap"
        );
    }
    let lanes: Vec<_> = lanes.into_iter().filter(|lane| !lane.is_empty()).collect();
    Search::new(model, &lanes).run()
}

/// One step of the search: the state, and what to try next.
struct Frame<State> {
    state: State,
    /// A lane and a way in which its next event may be meant.
    choice: usize,
}

/// Counts per lane, and the state that they led to.
type Visit<State> = (Box<[u32]>, State);

struct Search<'h, M: Model> {
    model: &'h M,
    lanes: &'h [Vec<Event<M::Step>>],
    /// Number of events placed, per lane.
    placed: Vec<u32>,
    /// Counts and states already visited.
    visited: HashSet<Visit<M::State>, ahash::RandomState>,
    frames: Vec<Frame<M::State>>,
    /// Number of events placed, state and counts of the longest attempt.
    best: (usize, M::State, Vec<u32>),
}

impl<'h, M: Model> Search<'h, M> {
    fn new(model: &'h M, lanes: &'h [Vec<Event<M::Step>>]) -> Self {
        Search {
            model,
            lanes,
            placed: vec![0; lanes.len()],
            visited: HashSet::default(),
            frames: vec![Frame { state: M::State::default(), choice: 0 }],
            best: (0, M::State::default(), vec![0; lanes.len()]),
        }
    }

    fn run(mut self) -> Result<(), Stuck<M::Step, M::State>> {
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
        while frame.choice < self.lanes.len() * M::WAYS {
            let (lane, way) = (frame.choice / M::WAYS, frame.choice % M::WAYS);
            frame.choice += 1;
            let Some(event) = self.lanes[lane].get(self.placed[lane] as usize) else { continue };
            if event.began > deadline {
                continue;
            }
            let Some(state) = self.model.after(state, event.step, way) else { continue };
            self.placed[lane] += 1;
            if self.visited.insert((self.placed.as_slice().into(), state)) {
                self.frames.push(Frame { state, choice: 0 });
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
        // `advance` left the frame pointing one past the choice by which it placed an event.
        self.placed[(frame.choice - 1) / M::WAYS] -= 1;
        true
    }

    /// The earliest return among the unplaced events; one that began later cannot come next.
    fn first_return(&self) -> u64 {
        let unplaced = self.lanes.iter().zip(&self.placed);
        let returns = unplaced.filter_map(|(lane, &n)| lane.get(n as usize)).map(|e| e.ended);
        returns.min().unwrap_or(u64::MAX)
    }

    fn remember(&mut self, state: M::State) {
        let depth = self.frames.len() - 1;
        if depth > self.best.0 {
            self.best.0 = depth;
            self.best.1 = state;
            self.best.2.copy_from_slice(&self.placed);
        }
    }

    fn stuck(self, of: usize) -> Stuck<M::Step, M::State> {
        let (placed, state, counts) = self.best;
        let ahead = self.lanes.iter().zip(counts);
        let next = ahead
            .map(|(lane, n)| lane.iter().skip(n as usize).take(SHOWN).copied().collect())
            .collect();
        Stuck { placed, of, state, next }
    }
}
