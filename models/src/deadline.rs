//! Deadlines: one key, immutable records, and a clock that ticks at any moment. Backs ruling 13.
//!
//! Modelled: an operation loads the slot, then (the record being immutable) its deadline, then the
//! clock; a record is live iff the clock is below its deadline. A verdict "dead" first unlinks that
//! very record by the slot's CAS and starts over if that fails; a plain set replaces it instead.
//! Every mutation, refresh included, is one CAS of the slot; Keep copies the deadline of the record
//! that its CAS replaces. Granularity: the load of the slot, the read of the clock, and the CAS are
//! one step each; a tick takes effect where it happens. Not modelled: the bucket around the slot
//! (`steady`).

use crate::explore::Violation::NotLinearizable;
use crate::explore::{At, Protocol, Role, Step};
use crate::scenario::Scenario;

const RECORDS_MAX: usize = 6;
const NEVER: u8 = 99;

/// A planted bug.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bug {
    /// A dead verdict is answered without an unlink.
    NoUnlink,
    /// Get reads the clock before it loads the slot.
    ClockFirst,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Op {
    /// The clock advances by one.
    Tick,
    Get,
    /// Gives the record a new deadline; false if there is no live one.
    Refresh(u8),
    /// Replaces the value and keeps the deadline; false if there is no live record.
    Keep(char),
    /// Stores a value without deadline.
    Set(char),
    /// Stores a value with a deadline that may have passed when it is published.
    SetUntil(char, u8),
    /// Unlinks a dead record: what the timer does.
    Expire,
    Delete,
}

impl Op {
    /// The value and the deadline that a plain set stores.
    fn stores(self) -> Option<(char, u8)> {
        match self {
            Self::Set(value) => Some((value, NEVER)),
            Self::SetUntil(value, deadline) => Some((value, deadline)),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Answer {
    Nothing,
    Value(char),
    Done(bool),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
struct Record {
    value: char,
    deadline: u8,
}

/// The slot holds the index of a record; records are never reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Memory {
    slot: Option<u8>,
    records: [Record; RECORDS_MAX],
    count: u8,
    now: u8,
}

impl Memory {
    fn link(&mut self, value: char, deadline: u8) {
        self.records[self.count as usize] = Record { value, deadline };
        self.slot = Some(self.count);
        self.count += 1;
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
enum Local {
    #[default]
    Load,
    /// The time is known: only with the bug that reads the clock first.
    LoadLate(u8),
    Clock(u8),
    Unlink(u8),
    Replace(u8),
    Create,
}

struct Deadline {
    programs: Vec<Vec<Op>>,
    first: Record,
    bug: Option<Bug>,
}

impl Protocol for Deadline {
    type Shared = Memory;
    type Local = Local;
    type Op = Op;
    /// The record, dead or alive, and the time.
    type Spec = (Option<Record>, u8);
    type Output = Answer;

    fn programs(&self) -> &[Vec<Op>] {
        &self.programs
    }

    fn shared(&self) -> Memory {
        let records = [Record::default(); RECORDS_MAX];
        let mut memory = Memory { slot: None, records, count: 0, now: 0 };
        memory.link(self.first.value, self.first.deadline);
        memory
    }

    fn spec(&self) -> Self::Spec {
        (Some(self.first), 0)
    }

    fn role(&self, op: Op) -> Role {
        if op == Op::Tick { Role::Environment } else { Role::Call }
    }

    fn apply(&self, (record, now): Self::Spec, op: Op) -> (Self::Spec, Answer) {
        let live = record.filter(|record| now < record.deadline);
        let value = live.map_or(Answer::Nothing, |live| Answer::Value(live.value));
        match (op, live) {
            (Op::Tick, _) => ((record, now + 1), Answer::Nothing),
            (Op::Get, _) => ((record, now), value),
            (Op::Expire, _) => ((record, now), Answer::Nothing),
            (Op::Delete, _) => ((None, now), value),
            (Op::Set(value), _) => {
                ((Some(Record { value, deadline: NEVER }), now), Answer::Done(true))
            }
            (Op::SetUntil(value, deadline), _) => {
                ((Some(Record { value, deadline }), now), Answer::Done(true))
            }
            (Op::Refresh(deadline), Some(live)) => {
                ((Some(Record { deadline, ..live }), now), Answer::Done(true))
            }
            (Op::Keep(value), Some(live)) => {
                ((Some(Record { value, ..live }), now), Answer::Done(true))
            }
            (Op::Refresh(_) | Op::Keep(_), None) => ((record, now), Answer::Done(false)),
        }
    }

    fn step(&self, at: At<Op>, memory: &mut Memory, local: &mut Local) -> Step<Answer> {
        match *local {
            _ if at.op == Op::Tick => {
                memory.now += 1;
                return Step::Return(Answer::Nothing);
            }
            Local::Load if at.op == Op::Get && self.bug == Some(Bug::ClockFirst) => {
                *local = Local::LoadLate(memory.now);
            }
            Local::Load => return load(at.op, memory, local),
            Local::LoadLate(now) => {
                let Some(slot) = memory.slot else {
                    return Step::Return(missing(at.op));
                };
                return self.judge(at.op, slot, now, memory, local);
            }
            Local::Clock(slot) => return self.judge(at.op, slot, memory.now, memory, local),
            Local::Unlink(slot) if memory.slot == Some(slot) => {
                memory.slot = None;
                return Step::Return(missing(at.op));
            }
            Local::Replace(slot) if memory.slot == Some(slot) => {
                return Step::Return(replace(at.op, slot, memory));
            }
            Local::Create if memory.slot.is_none() => {
                let (value, deadline) = at.op.stores().expect("only a set creates");
                memory.link(value, deadline);
                return Step::Return(Answer::Done(true));
            }
            Local::Unlink(_) | Local::Replace(_) | Local::Create => *local = Local::Load,
        }
        Step::Continue
    }
}

impl Deadline {
    /// Decides what to do with the record in the slot, given the time `now`.
    fn judge(&self, op: Op, slot: u8, now: u8, memory: &Memory, local: &mut Local) -> Step<Answer> {
        let record = memory.records[slot as usize];
        let dead = record.deadline <= now;
        *local = match (op, dead) {
            (Op::Expire, false) => return Step::Return(Answer::Nothing),
            (Op::Expire, true) => Local::Unlink(slot),
            (_, true) if self.bug == Some(Bug::NoUnlink) => return Step::Return(missing(op)),
            (_, true) => Local::Unlink(slot),
            (Op::Get, false) => return Step::Return(Answer::Value(record.value)),
            (_, false) => Local::Replace(slot),
        };
        Step::Continue
    }
}

fn load(op: Op, memory: &Memory, local: &mut Local) -> Step<Answer> {
    *local = match (memory.slot, op.stores()) {
        (None, Some(_)) => Local::Create,
        (None, None) => return Step::Return(missing(op)),
        // A plain set replaces the record whatever the clock says, so it does not ask.
        (Some(slot), Some(_)) => Local::Replace(slot),
        (Some(slot), None) => Local::Clock(slot),
    };
    Step::Continue
}

fn replace(op: Op, slot: u8, memory: &mut Memory) -> Answer {
    let record = memory.records[slot as usize];
    match op {
        Op::Delete => {
            memory.slot = None;
            return Answer::Value(record.value);
        }
        Op::Refresh(deadline) => memory.link(record.value, deadline),
        Op::Keep(value) => memory.link(value, record.deadline),
        Op::Set(value) => memory.link(value, NEVER),
        Op::SetUntil(value, deadline) => memory.link(value, deadline),
        Op::Tick | Op::Get | Op::Expire => unreachable!("these replace nothing"),
    }
    Answer::Done(true)
}

/// What `op` answers when there is no live record.
fn missing(op: Op) -> Answer {
    match op {
        Op::Refresh(_) | Op::Keep(_) => Answer::Done(false),
        _ => Answer::Nothing,
    }
}

const TICK: Op = Op::Tick;
const GET: Op = Op::Get;
const LATER: Op = Op::Refresh(9);
const KEEP: Op = Op::Keep('b');
const SET: Op = Op::Set('c');
const EXPIRE: Op = Op::Expire;
const DELETE: Op = Op::Delete;

type Programs = &'static [&'static [Op]];

const PROGRAMS: &[Programs] = &[
    &[&[TICK], &[GET, GET], &[LATER]],
    &[&[TICK], &[GET], &[LATER, GET]],
    &[&[TICK], &[GET, GET], &[SET]],
    &[&[TICK], &[GET], &[SET, GET], &[GET]],
    &[&[TICK], &[LATER, GET], &[KEEP, GET]],
    &[&[TICK], &[LATER], &[KEEP], &[GET, GET]],
    &[&[TICK], &[LATER], &[EXPIRE], &[GET, GET]],
    &[&[TICK], &[KEEP], &[EXPIRE], &[GET, GET]],
    &[&[TICK], &[KEEP], &[Op::Keep('e')], &[LATER, GET]],
    &[&[TICK], &[SET], &[EXPIRE], &[GET, GET]],
    &[&[TICK], &[LATER], &[SET], &[GET, GET]],
    &[&[TICK], &[DELETE], &[GET, GET]],
    &[&[TICK], &[DELETE], &[LATER, GET]],
    &[&[TICK, TICK], &[Op::Refresh(2), KEEP], &[DELETE, SET], &[GET]],
];

/// A set that may publish its record after that record's deadline, over one without deadline.
const BORN_DEAD: Programs = &[&[TICK], &[Op::SetUntil('c', 1)], &[GET, GET], &[GET]];

fn model(programs: Programs, bug: Option<Bug>) -> (String, Deadline) {
    let deadline = if programs == BORN_DEAD { NEVER } else { 1 };
    let name = programs.iter().map(|program| format!("{program:?}")).collect::<Vec<_>>();
    let programs = programs.iter().map(|program| program.to_vec()).collect();
    (name.join(" || "), Deadline { programs, first: Record { value: 'a', deadline }, bug })
}

fn planted(programs: Programs, bug: Bug, what: &'static str) -> Scenario {
    let (name, model) = model(programs, Some(bug));
    Scenario::planted("deadline", name, model, what, NotLinearizable)
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    for programs in PROGRAMS.iter().copied().chain([BORN_DEAD]) {
        let (name, model) = model(programs, None);
        all.push(Scenario::correct("deadline", name, model, true));
    }
    for programs in [PROGRAMS[0], PROGRAMS[2], PROGRAMS[5]] {
        all.push(planted(programs, Bug::NoUnlink, "a dead verdict without an unlink"));
    }
    all.push(planted(BORN_DEAD, Bug::ClockFirst, "the clock read before the slot"));
    all
}
