//! The checker and a brute-force search give the same verdict on random tiny histories.
//!
//! Brute force tries every order of the events and replays it on a plain variable; it shares no
//! code with the checker's search.

use super::checker::check_key;
use super::event::{Effect, Event, Expect, Seen};
use crate::dice::Dice;

const HISTORIES: usize = if cfg!(miri) { 200 } else { 60_000 };

/// Whether some order of `rest`, continued from `value` and `floor`, is legal.
fn some_order_is_legal(rest: &[Event], value: Option<Seen>, floor: u64) -> bool {
    if rest.is_empty() {
        return true;
    }
    (0..rest.len()).any(|index| {
        let event = rest[index];
        let late = rest.iter().any(|other| other.ended < event.began);
        let Some((value, floor)) = replay(&event, value, floor).filter(|_| !late) else {
            return false;
        };
        let mut rest = rest.to_vec();
        rest.remove(index);
        some_order_is_legal(&rest, value, floor)
    })
}

/// The variable after `event`; `None` when its answer is wrong.
fn replay(event: &Event, value: Option<Seen>, floor: u64) -> Option<(Option<Seen>, u64)> {
    let (expect, effect) = event.step;
    let answer_fits = match (expect, value) {
        (Expect::Anything, _) | (Expect::Absent | Expect::Nought, None) => true,
        (Expect::Present, Some(_)) => true,
        (Expect::Is(wanted), Some(found)) => wanted.value == found.value,
        (Expect::Version(version), Some(found)) => found.version == Some(version),
        (Expect::Nought, Some(found)) => found.value == 0,
        _ => false,
    };
    match effect {
        _ if !answer_fits => None,
        Effect::Keep => Some((value, floor)),
        Effect::Remove => Some((None, floor)),
        Effect::Put(new) => {
            let version = new.version.expect("these histories know all versions");
            (version > floor).then_some((Some(new), version))
        }
    }
}

/// Up to seven events in three lanes on few values, with random overlap.
fn tiny_history(dice: &mut Dice) -> Vec<Vec<Event>> {
    let mut lanes = vec![Vec::new(); 3];
    let mut open: [Option<u64>; 3] = [None; 3];
    let (mut returns, mut writes) = (0, 0);
    let events = 2 + dice.below(6);
    while returns < events {
        let lane = dice.below(3) as usize;
        match open[lane].take() {
            None => open[lane] = Some(returns),
            Some(began) => {
                let step = random_step(dice, &mut writes);
                lanes[lane].push(Event { began, ended: returns, step });
                returns += 1;
            }
        }
    }
    lanes
}

/// A step over values 1 to `writes`, each written once; versions are usually, not always, in
/// order.
fn random_step(dice: &mut Dice, writes: &mut u64) -> (Expect, Effect) {
    let seen = |value: u64| Seen::at(value, value * 2 + u64::from(value.is_multiple_of(3)) * 3);
    let some = seen(1 + dice.below(*writes + 1));
    let expect = match dice.below(8) {
        0 | 1 => Expect::Anything,
        2 => Expect::Absent,
        3 => Expect::Present,
        4 => Expect::Version(some.version.expect("given above")),
        5 => Expect::Nought,
        _ => Expect::Is(some),
    };
    let effect = match dice.below(8) {
        0..=2 => Effect::Keep,
        3 => Effect::Remove,
        _ => {
            *writes += 1;
            Effect::Put(seen(*writes))
        }
    };
    (expect, effect)
}

#[test]
fn verdicts_agree_on_random_tiny_histories() {
    let mut dice = Dice::new(15);
    let (mut legal, mut illegal) = (0, 0);
    while legal + illegal < HISTORIES {
        let lanes = tiny_history(&mut dice);
        let events: Vec<Event> = lanes.iter().flatten().copied().collect();
        let known = |event: &Event| match event.step.0 {
            // A version that no value bears is open to both answers; brute force wants it known.
            Expect::Version(version) => events.iter().any(
                |other| matches!(other.step.1, Effect::Put(new) if new.version == Some(version)),
            ),
            _ => true,
        };
        if !events.iter().all(known) {
            continue;
        }
        let expected = some_order_is_legal(&events, None, 0);
        let verdict = check_key(lanes.clone());
        assert_eq!(verdict.is_ok(), expected, "{lanes:#?}\n{verdict:?}");
        *(if expected { &mut legal } else { &mut illegal }) += 1;
    }
    // A generator that makes only one kind would prove nothing.
    assert!(legal > HISTORIES / 20 && illegal > HISTORIES / 20, "{legal} and {illegal}");
}
