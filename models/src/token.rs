//! Wheel tokens: no record with a deadline is left without a token. Backs ruling 14.
//!
//! Modelled: one key with immutable records {deadline, timer id}; tokens {time, id} in the wheel.
//! An overwrite inherits the id if both records have a deadline and the new one is no earlier; any
//! other deadline takes a fresh id and parks a token after publishing. The wheel takes any due
//! token, looks its record up, and unlinks it (due), files the token again under the same id at the
//! record's deadline (not due), drops the token (id not current), or looks again (its CAS failed).
//! At rest a linked record with a deadline has a token of its id that fires no later.
//!
//! Granularity: load of the slot, CAS of the slot, and parking of a token are one step each; taking
//! a token from the wheel is one, in any order of the due ones. Ids are unique here: a false match
//! costs a duplicate token, never a wrong expiry, because the wheel looks at the record's deadline.

use crate::explore::Violation::Broken;
use crate::explore::{At, Protocol, Role, Step};
use crate::scenario::Scenario;

const RECORDS_MAX: usize = 5;
const TOKENS_MAX: usize = 6;
const TICKS: usize = 4;
const NEVER: u8 = 99;
const ORPHAN: &str = "a record whose deadline no token watches";

/// A planted bug.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bug {
    /// An overwrite inherits the id whatever the deadlines.
    InheritAlways,
    /// A token is parked before its record is published.
    ParkFirst,
    /// The wheel drops the token when its unlink fails.
    NoSecondLook,
    /// The wheel files a token again under a fresh id.
    FreshIdOnRefile,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Op {
    Tick,
    /// Stores a record with this deadline.
    Set(u8),
    Delete,
    /// The wheel, for ever.
    Wheel,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
struct Record {
    deadline: u8,
    id: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Token {
    time: u8,
    id: u8,
}

/// A place of the wheel without token; sorts behind all tokens.
const NO_TOKEN: Token = Token { time: u8::MAX, id: 0 };

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Memory {
    slot: Option<u8>,
    records: [Record; RECORDS_MAX],
    count: u8,
    /// Sorted, so that wheels with the same tokens are the same state.
    tokens: [Token; TOKENS_MAX],
    now: u8,
    next_id: u8,
}

impl Memory {
    fn publish(&mut self, record: Record) {
        self.records[self.count as usize] = record;
        self.slot = Some(self.count);
        self.count += 1;
    }

    fn park(&mut self, time: u8, id: u8) {
        let free = self.tokens.last_mut().expect("the wheel has places");
        assert_eq!(*free, NO_TOKEN, "raise TOKENS_MAX");
        *free = Token { time, id };
        self.tokens.sort_unstable();
    }

    fn fresh_id(&mut self) -> u8 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// Takes the due token number `choice` of different ones.
    fn take_due(&mut self, choice: u8) -> Option<Token> {
        let place = choice as usize;
        let token = *self.tokens.get(place)?;
        if token.time > self.now || place > 0 && self.tokens[place - 1] == token {
            return None;
        }
        self.tokens[place] = NO_TOKEN;
        self.tokens.sort_unstable();
        Some(token)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
enum Local {
    #[default]
    Load,
    ParkFirst {
        expected: Option<u8>,
        id: u8,
    },
    Swap {
        expected: Option<u8>,
        id: u8,
        park: bool,
    },
    Park {
        id: u8,
    },
    Unlink {
        expected: u8,
    },
    Look {
        id: u8,
    },
    Refile {
        time: u8,
        id: u8,
    },
    Expire {
        expected: u8,
        id: u8,
    },
}

struct Wheel {
    programs: Vec<Vec<Op>>,
    first: Option<u8>,
    bug: Option<Bug>,
}

impl Protocol for Wheel {
    type Shared = Memory;
    type Local = Local;
    type Op = Op;
    type Spec = ();
    type Output = ();

    fn programs(&self) -> &[Vec<Op>] {
        &self.programs
    }

    fn shared(&self) -> Memory {
        let mut memory = Memory {
            slot: None,
            records: [Record::default(); RECORDS_MAX],
            count: 0,
            tokens: [NO_TOKEN; TOKENS_MAX],
            now: 0,
            next_id: 0,
        };
        if let Some(deadline) = self.first {
            let id = memory.fresh_id();
            memory.publish(Record { deadline, id });
            memory.park(deadline, id);
        }
        memory
    }

    fn spec(&self) {}

    fn apply(&self, (): (), _op: Op) -> ((), ()) {
        ((), ())
    }

    fn role(&self, op: Op) -> Role {
        match op {
            Op::Tick => Role::Environment,
            Op::Wheel => Role::Background,
            Op::Set(_) | Op::Delete => Role::Call,
        }
    }

    /// Which due token the wheel takes is free; every other step is determined.
    fn choices(&self, _memory: &Memory, local: &Local) -> u8 {
        if *local == Local::Load { TOKENS_MAX as u8 } else { 1 }
    }

    fn step(&self, at: At<Op>, memory: &mut Memory, local: &mut Local) -> Step<()> {
        if at.op != Op::Wheel && at.choice > 0 {
            return Step::Blocked;
        }
        match at.op {
            Op::Tick => {
                memory.now += 1;
                Step::Return(())
            }
            Op::Set(deadline) => self.set(deadline, memory, local),
            Op::Delete => delete(memory, local),
            Op::Wheel => self.wheel(at.choice, memory, local),
        }
    }

    fn check(&self, memory: &Memory, at_rest: bool) -> Result<(), &'static str> {
        let Some(slot) = memory.slot.filter(|_| at_rest) else {
            return Ok(());
        };
        let record = memory.records[slot as usize];
        let watches = |token: &Token| token.id == record.id && token.time <= record.deadline;
        if record.deadline == NEVER || memory.tokens.iter().any(watches) {
            return Ok(());
        }
        Err(ORPHAN)
    }
}

impl Wheel {
    fn set(&self, deadline: u8, memory: &mut Memory, local: &mut Local) -> Step<()> {
        match *local {
            Local::Load => *local = self.choose_id(deadline, memory),
            Local::ParkFirst { expected, id } => {
                memory.park(deadline, id);
                *local = Local::Swap { expected, id, park: false };
            }
            Local::Swap { expected, .. } if memory.slot != expected => *local = Local::Load,
            Local::Swap { id, park, .. } => {
                memory.publish(Record { deadline, id });
                if !park {
                    return Step::Return(());
                }
                *local = Local::Park { id };
            }
            Local::Park { id } => {
                memory.park(deadline, id);
                return Step::Return(());
            }
            _ => unreachable!("not a state of set"),
        }
        Step::Continue
    }

    fn choose_id(&self, deadline: u8, memory: &mut Memory) -> Local {
        let expected = memory.slot;
        if let Some(slot) = expected {
            let old = memory.records[slot as usize];
            let later = deadline >= old.deadline || self.bug == Some(Bug::InheritAlways);
            if later && old.deadline != NEVER && deadline != NEVER {
                return Local::Swap { expected, id: old.id, park: false };
            }
        }
        let (id, park) = (memory.fresh_id(), deadline != NEVER);
        if park && self.bug == Some(Bug::ParkFirst) {
            return Local::ParkFirst { expected, id };
        }
        Local::Swap { expected, id, park }
    }

    fn wheel(&self, choice: u8, memory: &mut Memory, local: &mut Local) -> Step<()> {
        *local = match *local {
            Local::Load => match memory.take_due(choice) {
                None => return Step::Blocked,
                Some(token) => Local::Look { id: token.id },
            },
            Local::Look { id } => look_up(id, memory),
            Local::Refile { time, id } => {
                let fresh = self.bug == Some(Bug::FreshIdOnRefile);
                let id = if fresh { memory.fresh_id() } else { id };
                memory.park(time, id);
                Local::Load
            }
            Local::Expire { expected, .. } if memory.slot == Some(expected) => {
                memory.slot = None;
                Local::Load
            }
            Local::Expire { .. } if self.bug == Some(Bug::NoSecondLook) => Local::Load,
            Local::Expire { id, .. } => Local::Look { id },
            _ => unreachable!("not a state of the wheel"),
        };
        Step::Continue
    }
}

/// What the wheel does with a token of `id`, given the record in the slot.
fn look_up(id: u8, memory: &Memory) -> Local {
    let Some(slot) = memory.slot else {
        return Local::Load;
    };
    let record = memory.records[slot as usize];
    if record.id != id || record.deadline == NEVER {
        Local::Load
    } else if record.deadline <= memory.now {
        Local::Expire { expected: slot, id }
    } else {
        Local::Refile { time: record.deadline, id }
    }
}

fn delete(memory: &mut Memory, local: &mut Local) -> Step<()> {
    match (*local, memory.slot) {
        (Local::Load, None) => return Step::Return(()),
        (Local::Load, Some(slot)) => *local = Local::Unlink { expected: slot },
        (Local::Unlink { expected }, Some(slot)) if slot == expected => {
            memory.slot = None;
            return Step::Return(());
        }
        _ => *local = Local::Load,
    }
    Step::Continue
}

type Programs = &'static [&'static [Op]];

const PROGRAMS: &[Programs] = &[
    &[&[Op::Set(4)]],
    &[&[Op::Set(1)]],
    &[&[Op::Set(1), Op::Set(4)]],
    &[&[Op::Set(4)], &[Op::Set(6)]],
    &[&[Op::Set(4)], &[Op::Set(1)]],
    &[&[Op::Set(NEVER), Op::Set(3)]],
    &[&[Op::Delete, Op::Set(3)]],
    &[&[Op::Delete], &[Op::Set(4)]],
    &[&[Op::Set(6)], &[Op::Set(4), Op::Set(5)]],
    &[&[Op::Set(1)], &[Op::Set(3)], &[Op::Set(5)]],
];

/// The record that is there at the start, with its token.
const FIRST: Option<u8> = Some(2);

fn model(first: Option<u8>, programs: Programs, bug: Option<Bug>) -> (String, Wheel) {
    let text: Vec<String> = programs.iter().map(|program| format!("{program:?}")).collect();
    let start = first.map_or("empty".to_string(), |deadline| format!("deadline {deadline}"));
    let servers = [vec![Op::Wheel], vec![Op::Tick; TICKS]];
    let programs = programs.iter().map(|program| program.to_vec()).chain(servers).collect();
    (format!("{start}: {} || wheel || clock", text.join(" || ")), Wheel { programs, first, bug })
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    let from_empty: Programs = &[&[Op::Set(2)], &[Op::Set(3)]];
    let starts = PROGRAMS.iter().map(|programs| (FIRST, *programs)).chain([(None, from_empty)]);
    let mut all = Vec::new();
    for (first, programs) in starts {
        let (name, model) = model(first, programs, None);
        all.push(Scenario::correct("token", name, model, false));
    }
    for (programs, bug, what) in [
        (PROGRAMS[1], Bug::InheritAlways, "the id inherited by an earlier deadline"),
        (PROGRAMS[0], Bug::ParkFirst, "a token parked before its record is published"),
        (PROGRAMS[0], Bug::NoSecondLook, "no second look after a failed unlink"),
        (PROGRAMS[0], Bug::FreshIdOnRefile, "a token filed again under a fresh id"),
    ] {
        let (name, model) = model(FIRST, programs, Some(bug));
        all.push(Scenario::planted("token", name, model, what, Broken(ORPHAN)));
    }
    all
}
