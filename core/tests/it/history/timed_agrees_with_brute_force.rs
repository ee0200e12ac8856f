//! The checker of keys with a time to live and a brute-force search give the same verdict on random
//! tiny histories.
//!
//! Brute force tries every order of the events, every moment at which each may have taken effect,
//! and every reading of the clock from which a new end may have been counted. It replays them on a
//! plain variable with one end, and shares no code with the checker.

use super::event::{Event, Seen};
use super::timed::{Call, Did, Saw, Span, Until, check_key};
use crate::dice::Dice;

const HISTORIES: usize = if cfg!(any(miri, rkv_watched)) { 500 } else { 60_000 };

const NEVER: u64 = u64::MAX;

/// A variable: a value and when it ends.
type Variable = Option<(u64, u64)>;

/// Whether some order of `rest`, continued from `value` at `now`, is legal.
fn some_order_is_legal(rest: &[Event<Call>], value: Variable, now: u64) -> bool {
    if rest.is_empty() {
        return true;
    }
    (0..rest.len()).any(|index| {
        let event = rest[index];
        if rest.iter().any(|other| other.ended < event.began) {
            return false;
        }
        let mut rest = rest.to_vec();
        rest.remove(index);
        let Span { first, last } = event.step.clock;
        (now.max(first)..=last).any(|now| {
            // Whether the dead is taken out or stays makes no difference from now on.
            let live = value.filter(|&(_, end)| now < end);
            readings(&event.step).any(|readings| {
                replay(&event.step, live, now, readings)
                    .is_some_and(|value| some_order_is_legal(&rest, value, now))
            })
        })
    })
}

/// What a call may have read from the clock when it looked at it twice.
fn readings(call: &Call) -> impl Iterator<Item = (u64, u64)> + use<> {
    let Span { first, last } = call.clock;
    let counts = matches!(call.did, Did::Put(_, Until::After(_)) | Did::Retime(Until::After(_)))
        || matches!(call.saw, Saw::Left(_));
    let ones = first..=if counts || touches(call) { last } else { first };
    let twos = if touches(call) { last } else { first };
    ones.flat_map(move |one| (one..=twos.max(one)).map(move |two| (one, two)))
}

fn touches(call: &Call) -> bool {
    matches!(call.did, Did::Touch(_))
}

/// The variable after a call that read the clock at two moments; `None` when its answer is wrong.
fn replay(call: &Call, live: Variable, now: u64, (one, two): (u64, u64)) -> Option<Variable> {
    let fits = match (call.saw, live) {
        (Saw::Absent, None) | (Saw::Present, Some(_)) => true,
        (Saw::Value(seen), Some((value, _))) => seen.value == value,
        (Saw::Left(ms), Some((_, end))) => end != NEVER && end - one.min(end) == ms,
        (Saw::Endless, Some((_, end))) => end == NEVER,
        (Saw::Passed(ms), _) => now >= ms,
        _ => false,
    };
    if !fits {
        return None;
    }
    let end_of = |until, old| match until {
        Until::Never => NEVER,
        Until::After(ms) => one + ms,
        Until::At(ms) => ms,
        Until::Kept => old,
    };
    match (call.did, live) {
        (Did::Nothing, live) => Some(live),
        (Did::Remove, _) => Some(None),
        (Did::Put(_, Until::At(ms)), _) if ms <= call.clock.first => None,
        (Did::Put(value, until), old) => {
            Some(Some((value, end_of(until, old.map_or(NEVER, |(_, end)| end)))))
        }
        (Did::Retime(until), live) => Some(live.map(|(value, end)| (value, end_of(until, end)))),
        (Did::Touch(ms), Some((value, end))) if end < one + ms - ms / 8 => {
            Some(Some((value, two + ms)))
        }
        (Did::Touch(_), live) => Some(live),
    }
}

/// Up to six events in three lanes, with random overlap and a clock that moves now and then.
fn tiny_history(dice: &mut Dice) -> Vec<Vec<Event<Call>>> {
    let mut lanes = vec![Vec::new(); 3];
    let mut open: [Option<(u64, u64)>; 3] = [None; 3];
    let (mut returns, mut writes, mut now) = (0, 0, 0);
    let events = 2 + dice.below(5);
    while returns < events {
        now += u64::from(dice.below(3) == 0);
        let lane = dice.below(3) as usize;
        match open[lane].take() {
            None => open[lane] = Some((returns, now)),
            Some((began, first)) => {
                let clock = Span { first, last: now };
                let (saw, did) = random_step(dice, &mut writes, now);
                lanes[lane].push(Event { began, ended: returns, step: Call { clock, saw, did } });
                returns += 1;
            }
        }
    }
    lanes
}

/// A step over values 1 to `writes`, each written once.
fn random_step(dice: &mut Dice, writes: &mut u64, now: u64) -> (Saw, Did) {
    let saw = match dice.below(9) {
        0..=2 => Saw::Absent,
        3 | 4 => Saw::Present,
        5 => Saw::Left(1 + dice.below(3)),
        6 => Saw::Endless,
        7 => return (Saw::Passed(now.saturating_sub(dice.below(2))), Did::Remove),
        _ => Saw::Value(Seen::value(1 + dice.below(*writes + 1))),
    };
    let until = match dice.below(5) {
        0 => Until::Never,
        1 => Until::At(now + dice.below(3)),
        2 => Until::Kept,
        _ => Until::After(1 + dice.below(3)),
    };
    let did = match (dice.below(8), saw) {
        // Who asks how much is left changes nothing.
        (0..=2, _) | (_, Saw::Left(_)) => Did::Nothing,
        (3, _) => Did::Remove,
        (4, Saw::Present) => Did::Touch(1 + dice.below(4)),
        (5, Saw::Present) if until != Until::Kept => Did::Retime(until),
        _ => {
            *writes += 1;
            Did::Put(*writes, until)
        }
    };
    (saw, did)
}

#[test]
fn verdicts_agree_on_random_tiny_histories_with_ends() {
    let mut dice = Dice::new(16);
    let (mut legal, mut illegal) = (0, 0);
    while legal + illegal < HISTORIES {
        let lanes = tiny_history(&mut dice);
        let events: Vec<_> = lanes.iter().flatten().copied().collect();
        let expected = some_order_is_legal(&events, None, 0);
        let verdict = check_key(lanes.clone());
        assert_eq!(verdict.is_ok(), expected, "{lanes:#?}\n{verdict:?}");
        *(if expected { &mut legal } else { &mut illegal }) += 1;
    }
    // A generator that makes only one kind would prove nothing.
    assert!(legal > HISTORIES / 20 && illegal > HISTORIES / 20, "{legal} and {illegal}");
}
