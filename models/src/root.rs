//! The root: three arrays, two resizes in a chain, and no thread that anyone waits for. Backs
//! ruling 4, "no resize depends on one thread".
//!
//! Modelled: each array has chunks with a cursor that hands them out (a hint: a stopped helper
//! keeps its chunk for ever) and a `swept` prefix; once the cursor is past the end a helper sweeps:
//! it moves the chunk behind the prefix if nobody did, and pushes the prefix on by CAS. An array is
//! complete when the prefix is its length. Any helper advances the root in a loop: while the root
//! has a next array and is complete, CAS root to next; only the winner of that CAS retires the old
//! array. A helper of the second array moves a chunk's parent first.
//!
//! Granularity: the cursor's increment, each load and each CAS are one step; moving a chunk is one
//! CAS (its inside is `resize`). The scenarios demand that each thread alone reaches its end from
//! every reachable state: wherever others have stopped for ever, resizes complete. A stopped winner
//! of the root's CAS keeps its array from being freed, and nothing else.

use crate::explore::Violation::{Broken, Waits};
use crate::explore::{At, Protocol, Step, Violation};
use crate::scenario::Scenario;

const CHUNKS: u8 = 2;
/// Arrays that have a next one; the root's last value.
const RESIZES: u8 = 2;

const RETIRED_TWICE: &str = "an array is retired twice";
const LEFT_BEHIND: &str = "a helper leaves with its resize done and the root behind";
const NOT_MOVED: &str = "the root or the prefix passed a chunk that is not moved";

/// A planted bug.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bug {
    /// Complete means that a count, raised after each move, is the number of chunks.
    MovedCount,
    /// The sweep waits for the helpers to which the cursor gave their chunks.
    SweepOnlyLooks,
    /// The prefix is pushed on without a look at the chunk.
    SweepBlindly,
    /// Who loses the CAS of the root retires the array, too.
    LoserRetires,
    /// The root's CAS is tried once, from the helper's own array.
    RootOnce,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Op {
    /// Helps with the resize of this array.
    Help(u8),
    /// Helps with the resize of the array that is the root.
    HelpRoot,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
struct Array {
    moved: [bool; CHUNKS as usize],
    cursor: u8,
    swept: u8,
    count: u8,
    retired: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
struct Memory {
    root: u8,
    arrays: [Array; RESIZES as usize],
}

/// Why a chunk is being moved.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Reason {
    Claimed,
    Sweep,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
enum Next {
    #[default]
    Start,
    Claim,
    Parent(u8, Reason),
    Look(u8, Reason),
    Move(u8, Reason),
    Count(Reason),
    Sweep,
    PushOn(u8),
    Root,
    Complete(u8),
    CompleteLook(u8, u8),
    CompletePush(u8, u8),
    Advance(u8),
    Retire(u8),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
struct Local {
    array: u8,
    next: Next,
}

struct Root {
    programs: Vec<Vec<Op>>,
    bug: Option<Bug>,
}

impl Protocol for Root {
    type Shared = Memory;
    type Local = Local;
    type Op = Op;
    type Spec = ();
    type Output = ();

    fn programs(&self) -> &[Vec<Op>] {
        &self.programs
    }

    fn shared(&self) -> Memory {
        Memory::default()
    }

    fn spec(&self) {}

    fn apply(&self, (): (), _op: Op) -> ((), ()) {
        ((), ())
    }

    fn step(&self, at: At<Op>, memory: &mut Memory, local: &mut Local) -> Step<()> {
        Machine { bug: self.bug, op: at.op, memory, local }.step()
    }

    fn check(&self, memory: &Memory, at_rest: bool) -> Result<(), &'static str> {
        for (index, array) in memory.arrays.iter().enumerate() {
            let passed = (index as u8) < memory.root;
            let prefix = if passed { CHUNKS } else { array.swept } as usize;
            if array.moved[..prefix].contains(&false) {
                return Err(NOT_MOVED);
            }
            match array.retired {
                0 if at_rest && passed => return Err("an array is never retired"),
                1 if !passed => return Err("the root is retired"),
                0 | 1 => {}
                _ => return Err(RETIRED_TWICE),
            }
        }
        Ok(())
    }
}

struct Machine<'a> {
    bug: Option<Bug>,
    op: Op,
    memory: &'a mut Memory,
    local: &'a mut Local,
}

impl Machine<'_> {
    fn goto(&mut self, next: Next) -> Step<()> {
        self.local.next = next;
        Step::Continue
    }

    fn array(&mut self) -> &mut Array {
        &mut self.memory.arrays[self.local.array as usize]
    }

    fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    fn step(&mut self) -> Step<()> {
        match self.local.next {
            Next::Start => self.start(),
            Next::Claim => self.claim(),
            Next::Parent(chunk, reason) => self.parent(chunk, reason),
            Next::Look(chunk, reason) => self.look(chunk, reason),
            Next::Move(chunk, reason) => self.move_chunk(chunk, reason),
            Next::Count(reason) => {
                self.array().count += 1;
                self.moved(0, reason)
            }
            Next::Sweep => self.sweep(),
            Next::PushOn(swept) => self.push_on(swept),
            Next::Root => self.root(),
            Next::Complete(root) => self.complete(root),
            Next::CompleteLook(root, swept) => self.complete_look(root, swept),
            Next::CompletePush(root, swept) => {
                push(&mut self.memory.arrays[root as usize].swept, swept);
                self.goto(Next::Complete(root))
            }
            Next::Advance(root) => self.advance(root),
            Next::Retire(array) => {
                self.memory.arrays[array as usize].retired += 1;
                self.after_advance()
            }
        }
    }

    fn start(&mut self) -> Step<()> {
        match self.op {
            Op::Help(array) => {
                self.local.array = array;
                self.claim()
            }
            Op::HelpRoot if self.memory.root == RESIZES => Step::Return(()),
            Op::HelpRoot => {
                self.local.array = self.memory.root;
                self.goto(Next::Claim)
            }
        }
    }

    fn claim(&mut self) -> Step<()> {
        let chunk = self.array().cursor;
        if chunk == CHUNKS {
            return self.goto(Next::Sweep);
        }
        self.array().cursor += 1;
        self.begin_chunk(chunk, Reason::Claimed)
    }

    fn begin_chunk(&mut self, chunk: u8, reason: Reason) -> Step<()> {
        let first = self.local.array == 0;
        self.goto(if first { Next::Look(chunk, reason) } else { Next::Parent(chunk, reason) })
    }

    /// Parents first: moves the chunk's parent by one CAS, whose failure means that it is moved.
    fn parent(&mut self, chunk: u8, reason: Reason) -> Step<()> {
        let parent = &mut self.memory.arrays[self.local.array as usize - 1];
        if !std::mem::replace(&mut parent.moved[chunk as usize], true) {
            parent.count += 1;
        }
        self.goto(Next::Look(chunk, reason))
    }

    fn look(&mut self, chunk: u8, reason: Reason) -> Step<()> {
        if self.array().moved[chunk as usize] {
            return self.moved(chunk, reason);
        }
        if reason == Reason::Sweep && self.has(Bug::SweepOnlyLooks) {
            return self.goto(Next::Sweep);
        }
        self.goto(Next::Move(chunk, reason))
    }

    fn move_chunk(&mut self, chunk: u8, reason: Reason) -> Step<()> {
        let was_moved = std::mem::replace(&mut self.array().moved[chunk as usize], true);
        if self.has(Bug::MovedCount) && !was_moved {
            return self.goto(Next::Count(reason));
        }
        self.moved(chunk, reason)
    }

    fn moved(&mut self, chunk: u8, reason: Reason) -> Step<()> {
        match reason {
            Reason::Claimed => self.goto(Next::Claim),
            Reason::Sweep => self.goto(Next::PushOn(chunk)),
        }
    }

    fn sweep(&mut self) -> Step<()> {
        if self.has(Bug::MovedCount) {
            let done = self.array().count == CHUNKS;
            return self.goto(if done { Next::Root } else { Next::Sweep });
        }
        let swept = self.array().swept;
        if swept == CHUNKS {
            let once = Next::Advance(self.local.array);
            return self.goto(if self.has(Bug::RootOnce) { once } else { Next::Root });
        }
        if self.has(Bug::SweepBlindly) {
            return self.goto(Next::PushOn(swept));
        }
        self.begin_chunk(swept, Reason::Sweep)
    }

    fn push_on(&mut self, swept: u8) -> Step<()> {
        push(&mut self.array().swept, swept);
        self.goto(Next::Sweep)
    }

    fn root(&mut self) -> Step<()> {
        let root = self.memory.root;
        if root == RESIZES {
            return self.leave();
        }
        self.goto(Next::Complete(root))
    }

    fn complete(&mut self, root: u8) -> Step<()> {
        let array = self.memory.arrays[root as usize];
        if self.has(Bug::MovedCount) {
            return if array.count == CHUNKS {
                self.goto(Next::Advance(root))
            } else {
                self.leave()
            };
        }
        let done = array.swept == CHUNKS;
        self.goto(if done { Next::Advance(root) } else { Next::CompleteLook(root, array.swept) })
    }

    fn complete_look(&mut self, root: u8, swept: u8) -> Step<()> {
        if self.memory.arrays[root as usize].moved[swept as usize] {
            return self.goto(Next::CompletePush(root, swept));
        }
        self.leave()
    }

    fn advance(&mut self, root: u8) -> Step<()> {
        if self.memory.root != root {
            let retires = self.has(Bug::LoserRetires);
            return if retires { self.goto(Next::Retire(root)) } else { self.after_advance() };
        }
        self.memory.root += 1;
        self.goto(Next::Retire(root))
    }

    fn after_advance(&mut self) -> Step<()> {
        if self.has(Bug::RootOnce) { self.leave() } else { self.goto(Next::Root) }
    }

    fn leave(&mut self) -> Step<()> {
        if self.memory.root <= self.local.array {
            return Step::Broken(LEFT_BEHIND);
        }
        Step::Return(())
    }
}

/// Pushes a prefix on from `swept`; a failure means that another helper did.
fn push(prefix: &mut u8, swept: u8) {
    if *prefix == swept {
        *prefix += 1;
    }
}

fn model(programs: &[&[Op]], bug: Option<Bug>) -> (String, Root) {
    let name: Vec<String> = programs.iter().map(|program| format!("{program:?}")).collect();
    let programs = programs.iter().map(|program| program.to_vec()).collect();
    (name.join(" || "), Root { programs, bug })
}

fn planted(bug: Bug, what: &'static str, violation: Violation) -> Scenario {
    let beside: &[&[Op]] = &[&[Op::Help(0)], &[Op::Help(0)]];
    let in_chain: &[&[Op]] = &[&[Op::Help(0)], &[Op::Help(1)], &[Op::HelpRoot]];
    let (name, model) = model(if violation == Waits { beside } else { in_chain }, Some(bug));
    Scenario::planted("root", name, model, what, violation)
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    let (first, second, root) = (Op::Help(0), Op::Help(1), Op::HelpRoot);
    let programs: [&[&[Op]]; 5] = [
        &[&[first], &[second]],
        &[&[first], &[first], &[second]],
        &[&[first], &[second], &[second]],
        &[&[first], &[second], &[root]],
        &[&[root, root], &[root, root], &[root, root]],
    ];
    let mut all = Vec::new();
    for programs in programs {
        let (name, model) = model(programs, None);
        all.push(Scenario::correct("root", name, model, true));
    }
    all.extend([
        planted(Bug::MovedCount, "complete by a count of moves", Waits),
        planted(Bug::SweepOnlyLooks, "a sweep that waits for chunks given out", Waits),
        planted(Bug::SweepBlindly, "a sweep that does not look", Broken(NOT_MOVED)),
        planted(Bug::LoserRetires, "the loser retires the array", Broken(RETIRED_TWICE)),
        planted(Bug::RootOnce, "the root advanced by each finisher once", Broken(LEFT_BEHIND)),
    ]);
    all
}
