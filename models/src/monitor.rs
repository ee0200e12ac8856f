//! The linearizability monitor: carries every sequential explanation of the results given so far.
//!
//! An explanation is a state of the specification and, for each pending call, the result it will
//! give if its instant has passed already. A call extends each explanation by every order in which
//! pending calls may take effect; a return keeps those that predicted the result. None left: no
//! order explains the history. Sets of explanations are interned, so that a state of the explorer
//! holds one number, and every transition between sets is computed once.

use std::collections::HashMap;

use ahash::RandomState;
use indexmap::IndexSet;

use crate::explore::{Protocol, THREADS_MAX};

/// Index of each thread's pending call in its program.
type Pending = [Option<u8>; THREADS_MAX];

type Explanation<P> = (<P as Protocol>::Spec, [Option<<P as Protocol>::Output>; THREADS_MAX]);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Event<Output> {
    Call(Pending),
    Return(usize, Output),
    Happen((usize, u8), Pending),
}

type Transitions<P> = HashMap<(u32, Event<<P as Protocol>::Output>), Option<u32>, RandomState>;

pub(crate) struct Monitor<'a, P: Protocol> {
    protocol: &'a P,
    sets: IndexSet<Vec<Explanation<P>>, RandomState>,
    transitions: Transitions<P>,
}

impl<'a, P: Protocol> Monitor<'a, P> {
    pub(crate) fn new(protocol: &'a P) -> Self {
        Self { protocol, sets: IndexSet::default(), transitions: HashMap::default() }
    }

    /// The set that holds the initial state of the specification alone.
    pub(crate) fn start(&mut self) -> u32 {
        self.intern(vec![(self.protocol.spec(), [None; THREADS_MAX])])
    }

    /// The set after a call joined the `pending` ones.
    pub(crate) fn call(&mut self, set: u32, pending: Pending) -> u32 {
        let after = self.transition(set, Event::Call(pending), |monitor, explanations| {
            monitor.close(explanations, pending)
        });
        after.unwrap_or(set)
    }

    /// The set after `thread` returned `output`; nothing if no explanation allows it.
    pub(crate) fn give_back(&mut self, set: u32, thread: usize, output: P::Output) -> Option<u32> {
        self.transition(set, Event::Return(thread, output), |_, mut explanations| {
            explanations.retain(|(_, outputs)| outputs[thread] == Some(output));
            for (_, outputs) in &mut explanations {
                outputs[thread] = None;
            }
            explanations
        })
    }

    /// The set after the environment's operation `(thread, index)` took effect.
    pub(crate) fn happen(&mut self, set: u32, event: (usize, u8), pending: Pending) -> u32 {
        let op = self.protocol.programs()[event.0][event.1 as usize];
        let after = self.transition(set, Event::Happen(event, pending), |monitor, explanations| {
            let apply = |(spec, outputs)| (monitor.protocol.apply(spec, op).0, outputs);
            monitor.close(explanations.into_iter().map(apply).collect(), pending)
        });
        after.unwrap_or(set)
    }

    /// Whether some explanation leaves the specification in state `content`.
    pub(crate) fn explains(&self, set: u32, content: P::Spec) -> bool {
        self.sets[set as usize].iter().any(|(spec, _)| *spec == content)
    }

    fn transition(
        &mut self,
        set: u32,
        event: Event<P::Output>,
        compute: impl FnOnce(&Self, Vec<Explanation<P>>) -> Vec<Explanation<P>>,
    ) -> Option<u32> {
        if let Some(known) = self.transitions.get(&(set, event)) {
            return *known;
        }
        let mut explanations = compute(self, self.sets[set as usize].clone());
        explanations.sort_unstable();
        explanations.dedup();
        let after = (!explanations.is_empty()).then(|| self.intern(explanations));
        self.transitions.insert((set, event), after);
        after
    }

    fn intern(&mut self, explanations: Vec<Explanation<P>>) -> u32 {
        self.sets.insert_full(explanations).0 as u32
    }

    /// Adds every explanation in which more of the pending calls have taken effect.
    fn close(&self, explanations: Vec<Explanation<P>>, pending: Pending) -> Vec<Explanation<P>> {
        let mut closed: IndexSet<Explanation<P>, RandomState> = explanations.into_iter().collect();
        let mut index = 0;
        while index < closed.len() {
            let (spec, outputs) = closed[index];
            for (thread, call) in pending.iter().enumerate() {
                let (Some(call), None) = (call, outputs[thread]) else {
                    continue;
                };
                let op = self.protocol.programs()[thread][*call as usize];
                let (spec, output) = self.protocol.apply(spec, op);
                let mut outputs = outputs;
                outputs[thread] = Some(output);
                closed.insert((spec, outputs));
            }
            index += 1;
        }
        closed.into_iter().collect()
    }
}
