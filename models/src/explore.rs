//! The explorer: visits every reachable state of a protocol, breadth first.
//!
//! A protocol is a shared memory and a few threads, each with a short program of operations. One
//! step of one thread is one atomic access to the shared memory; what the thread computes between
//! two accesses belongs to the earlier one. An operation is invoked together with its first access
//! and returns together with its last: the shortest interval, hence the strictest demand on its
//! order. Memory is sequentially consistent; weaker orderings are the business of the loom models.
//!
//! In every state the explorer asks
//!
//! 1. whether the results given so far have a sequential explanation (`monitor`),
//! 2. whether the protocol's invariants hold,
//! 3. whether anything can move (else: deadlock),
//! 4. on demand, whether each thread, running alone from here, ends its program: then a thread that
//!    is stopped anywhere, for ever, blocks no other.
//!
//! Breadth first means that the trace of a violation is a shortest one.

use std::fmt::Debug;
use std::hash::Hash;

use ahash::RandomState;
use indexmap::IndexSet;

use crate::monitor::Monitor;

/// Most threads of one scenario; a scenario with fewer leaves the rest idle.
pub const THREADS_MAX: usize = 5;

/// Bound on the states of one scenario: a model that outgrows it has a mistake in it.
pub const STATES_MAX: usize = 8_000_000;

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const NOWHERE: u32 = u32::MAX;

/// What a thread's operation is to the monitor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// A call: it is invoked, takes effect at one instant, and returns.
    Call,
    /// One step of the environment (a clock tick): it takes effect where it happens.
    Environment,
    /// A server that never returns; it is at rest when its locals are the default ones.
    Background,
}

/// What one atomic access led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step<Output> {
    /// The operation goes on.
    Continue,
    /// The operation returned.
    Return(Output),
    /// The operation cannot move in this state.
    Blocked,
    /// The access met something that must not be.
    Broken(&'static str),
}

/// Who takes a step, in which operation, and which of its possible steps.
#[derive(Clone, Copy, Debug)]
pub struct At<Op> {
    /// Index of the thread.
    pub thread: usize,
    /// The operation it executes.
    pub op: Op,
    /// Which of `Protocol::choices` steps it takes.
    pub choice: u8,
}

/// A protocol to explore, with the programs of its threads.
pub trait Protocol {
    /// The memory that threads share, with ghost variables if invariants need some.
    type Shared: Copy + Eq + Hash + Debug;
    /// Program counter and locals of one thread; the default value is "about to start".
    type Local: Copy + Eq + Hash + Debug + Default;
    /// An operation of a program.
    type Op: Copy + Debug;
    /// State of the sequential specification.
    type Spec: Copy + Eq + Ord + Hash + Debug;
    /// Result of an operation.
    type Output: Copy + Eq + Ord + Hash + Debug;

    /// One program per thread, at most `THREADS_MAX`.
    fn programs(&self) -> &[Vec<Self::Op>];
    /// The memory at the start.
    fn shared(&self) -> Self::Shared;
    /// The specification's state at the start.
    fn spec(&self) -> Self::Spec;
    /// What `op` does and returns when nothing runs beside it.
    fn apply(&self, spec: Self::Spec, op: Self::Op) -> (Self::Spec, Self::Output);
    /// Takes one step; on `Blocked` the memory and the locals are left as they were.
    fn step(
        &self,
        at: At<Self::Op>,
        shared: &mut Self::Shared,
        local: &mut Self::Local,
    ) -> Step<Self::Output>;

    /// The role of `op`.
    fn role(&self, _op: Self::Op) -> Role {
        Role::Call
    }
    /// How many different steps an operation may take from here.
    fn choices(&self, _shared: &Self::Shared, _local: &Self::Local) -> u8 {
        1
    }
    /// Checks the invariants; `at_rest` says that every call has returned.
    ///
    /// # Errors
    /// The invariant that does not hold.
    fn check(&self, _shared: &Self::Shared, _at_rest: bool) -> Result<(), &'static str> {
        Ok(())
    }
    /// What the memory at rest means, if that can be compared with the specification.
    fn settled(&self, _shared: &Self::Shared) -> Option<Self::Spec> {
        None
    }
}

/// How a protocol failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Violation {
    /// A result that no sequential order explains.
    NotLinearizable,
    /// At rest, the memory differs from what every sequential order leaves.
    WrongContent,
    /// An invariant does not hold, or a step met what must not be.
    Broken(&'static str),
    /// Calls are pending and nothing can move.
    Deadlock,
    /// A thread that runs alone never ends: it waits for one that is stopped.
    Waits,
    /// More than `STATES_MAX` states.
    TooLarge,
}

/// What an exploration found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// Distinct states met.
    pub states: usize,
    /// The first violation, if any.
    pub violation: Option<Violation>,
    /// The steps that lead to it, one line each.
    pub trace: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Thread<Local> {
    next: u8,
    calling: bool,
    local: Local,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Node<Shared, Local> {
    shared: Shared,
    threads: [Thread<Local>; THREADS_MAX],
    explanations: u32,
}

type NodeOf<P> = Node<<P as Protocol>::Shared, <P as Protocol>::Local>;

#[derive(Clone, Copy)]
struct Origin {
    node: u32,
    thread: u8,
}

struct Failure {
    violation: Violation,
    node: usize,
    mover: Option<usize>,
}

struct Explorer<'a, P: Protocol> {
    protocol: &'a P,
    monitor: Monitor<'a, P>,
    nodes: IndexSet<NodeOf<P>, RandomState>,
    origins: Vec<Origin>,
    edges: Option<Vec<[u32; THREADS_MAX]>>,
}

/// Explores `protocol`; `alone` adds check 4, for protocols with one choice per step.
pub fn explore<P: Protocol>(protocol: &P, alone: bool) -> Report {
    let mut explorer = Explorer {
        protocol,
        monitor: Monitor::new(protocol),
        nodes: IndexSet::with_hasher(RandomState::with_seeds(SEED, 1, 2, 3)),
        origins: Vec::new(),
        edges: alone.then(Vec::new),
    };
    let failure = explorer.run().and_then(|()| explorer.each_thread_ends_alone()).err();
    Report {
        states: explorer.nodes.len(),
        violation: failure.as_ref().map(|failure| failure.violation),
        trace: failure.map(|failure| explorer.trace(&failure)).unwrap_or_default(),
    }
}

impl<P: Protocol> Explorer<'_, P> {
    fn run(&mut self) -> Result<(), Failure> {
        let idle = Thread { next: 0, calling: false, local: P::Local::default() };
        let first = Node {
            shared: self.protocol.shared(),
            threads: [idle; THREADS_MAX],
            explanations: self.monitor.start(),
        };
        self.visit(first, Origin { node: NOWHERE, thread: 0 });
        let mut index = 0;
        while index < self.nodes.len() {
            self.expand(index)?;
            index += 1;
            if index > STATES_MAX {
                return Err(Failure { violation: Violation::TooLarge, node: 0, mover: None });
            }
        }
        Ok(())
    }

    fn visit(&mut self, node: NodeOf<P>, origin: Origin) -> u32 {
        let (index, first_time) = self.nodes.insert_full(node);
        if first_time {
            self.origins.push(origin);
        }
        index as u32
    }

    fn expand(&mut self, index: usize) -> Result<(), Failure> {
        let node = self.nodes[index];
        let fail = |violation, mover| Failure { violation, node: index, mover };
        self.judge(&node).map_err(|violation| fail(violation, None))?;
        let mut successors = [NOWHERE; THREADS_MAX];
        let mut moved = false;
        for (thread, successor) in successors.iter_mut().enumerate() {
            for choice in 0..self.protocol.choices(&node.shared, &node.threads[thread].local) {
                let step = self.advance(node, thread, choice);
                let Some(next) = step.map_err(|v| fail(v, Some(thread)))? else {
                    continue;
                };
                let origin = Origin { node: index as u32, thread: thread as u8 };
                *successor = self.visit(next, origin);
                moved = true;
            }
        }
        if !moved && !self.at_rest(&node) {
            return Err(fail(Violation::Deadlock, None));
        }
        if let Some(edges) = &mut self.edges {
            edges.push(successors);
        }
        Ok(())
    }

    fn judge(&self, node: &NodeOf<P>) -> Result<(), Violation> {
        let at_rest = self.at_rest(node);
        self.protocol.check(&node.shared, at_rest).map_err(Violation::Broken)?;
        if at_rest
            && let Some(content) = self.protocol.settled(&node.shared)
            && !self.monitor.explains(node.explanations, content)
        {
            return Err(Violation::WrongContent);
        }
        Ok(())
    }

    fn op(&self, thread: usize, next: u8) -> Option<P::Op> {
        self.protocol.programs().get(thread)?.get(next as usize).copied()
    }

    fn at_rest(&self, node: &NodeOf<P>) -> bool {
        node.threads.iter().enumerate().all(|(thread, state)| {
            match self.op(thread, state.next).map(|op| self.protocol.role(op)) {
                None | Some(Role::Environment) => true,
                Some(Role::Call) => false,
                Some(Role::Background) => state.local == P::Local::default(),
            }
        })
    }

    fn pending(&self, node: &NodeOf<P>) -> [Option<u8>; THREADS_MAX] {
        node.threads.map(|thread| thread.calling.then_some(thread.next))
    }

    /// The state after one step of `thread`, or nothing if it is done or blocked.
    fn advance(
        &mut self,
        mut node: NodeOf<P>,
        thread: usize,
        choice: u8,
    ) -> Result<Option<NodeOf<P>>, Violation> {
        let next = node.threads[thread].next;
        let Some(op) = self.op(thread, next) else {
            return Ok(None);
        };
        let role = self.protocol.role(op);
        if role == Role::Call && !node.threads[thread].calling {
            node.threads[thread].calling = true;
            node.explanations = self.monitor.call(node.explanations, self.pending(&node));
        }
        let at = At { thread, op, choice };
        let output = match self.protocol.step(at, &mut node.shared, &mut node.threads[thread].local)
        {
            Step::Continue => return Ok(Some(node)),
            Step::Blocked => return Ok(None),
            Step::Broken(what) => return Err(Violation::Broken(what)),
            Step::Return(output) => output,
        };
        node.threads[thread] =
            Thread { next: next + 1, calling: false, local: P::Local::default() };
        if role == Role::Call {
            let explained = self.monitor.give_back(node.explanations, thread, output);
            node.explanations = explained.ok_or(Violation::NotLinearizable)?;
        } else {
            let pending = self.pending(&node);
            node.explanations = self.monitor.happen(node.explanations, (thread, next), pending);
        }
        Ok(Some(node))
    }

    /// From every state, the chain of one thread's steps must end and not run into a circle.
    fn each_thread_ends_alone(&self) -> Result<(), Failure> {
        let Some(edges) = &self.edges else {
            return Ok(());
        };
        for thread in 0..self.protocol.programs().len() {
            let mut ends = vec![false; edges.len()];
            let mut on_path = vec![false; edges.len()];
            let mut path = Vec::new();
            for start in 0..edges.len() {
                let mut here = start;
                while !ends[here] {
                    let next = edges[here][thread];
                    let finished = self.op(thread, self.nodes[here].threads[thread].next).is_none();
                    if on_path[here] || (next == NOWHERE && !finished) {
                        let mover = Some(thread);
                        return Err(Failure { violation: Violation::Waits, node: start, mover });
                    }
                    on_path[here] = true;
                    path.push(here);
                    if finished {
                        break;
                    }
                    here = next as usize;
                }
                for node in path.drain(..) {
                    ends[node] = true;
                }
            }
        }
        Ok(())
    }

    fn trace(&self, failure: &Failure) -> Vec<String> {
        let mut steps = Vec::new();
        let mut index = failure.node;
        loop {
            let origin = self.origins[index];
            if origin.node == NOWHERE {
                break;
            }
            let from = &self.nodes[origin.node as usize];
            steps.push(self.line(from, origin.thread as usize, Some(&self.nodes[index])));
            index = origin.node as usize;
        }
        steps.reverse();
        if let Some(thread) = failure.mover {
            steps.push(self.line(&self.nodes[failure.node], thread, None));
        }
        steps
    }

    fn line(&self, from: &NodeOf<P>, thread: usize, to: Option<&NodeOf<P>>) -> String {
        let state = from.threads[thread];
        let Some(op) = self.op(thread, state.next) else {
            return format!("T{thread} is done");
        };
        let after = match to {
            Some(to) if to.shared != from.shared => format!(" => {:?}", to.shared),
            _ => String::new(),
        };
        format!("T{thread} {op:?} at {:?}{after}", state.local)
    }
}
