//! The checker of keys with a time to live accepts correct histories and rejects each kind of
//! fault, planted by hand.

use super::event::{Event, Seen};
use super::timed::{Call, Did, Saw, Span, Until, check_key};

/// What a call found and left.
type Step = (Saw, Did);

/// Ticks from and to, milliseconds from and to, and the meaning of a call.
type Timed = ((u64, u64), (u64, u64), Step);

fn is_legal(lanes: &[&[Timed]]) -> bool {
    let event = |&((began, ended), (first, last), (saw, did)): &Timed| {
        assert!(began < ended && first <= last, "a call ends after it began");
        Event { began, ended, step: Call { clock: Span { first, last }, saw, did } }
    };
    check_key(lanes.iter().map(|lane| lane.iter().map(event).collect()).collect()).is_ok()
}

/// Whether calls one after another are legal, each at one millisecond.
fn may_follow(calls: &[(u64, Step)]) -> bool {
    let timed = |(index, &(ms, step)): (usize, &(u64, Step))| {
        let tick = 2 * index as u64;
        ((tick, tick + 1), (ms, ms), step)
    };
    is_legal(&[&calls.iter().enumerate().map(timed).collect::<Vec<_>>()])
}

const MISSING: Step = (Saw::Absent, Did::Nothing);

fn create(value: u64, until: Until) -> Step {
    (Saw::Absent, Did::Put(value, until))
}

fn replace(value: u64, until: Until) -> Step {
    (Saw::Present, Did::Put(value, until))
}

fn retime(until: Until) -> Step {
    (Saw::Present, Did::Retime(until))
}

fn touch(ms: u64) -> Step {
    (Saw::Present, Did::Touch(ms))
}

fn found(value: u64) -> Step {
    (Saw::Value(Seen::value(value)), Did::Nothing)
}

fn left(ms: u64) -> Step {
    (Saw::Left(ms), Did::Nothing)
}

fn at_version(version: u64) -> Step {
    (Saw::Version(version), Did::Nothing)
}

#[test]
fn a_key_that_lives_up_to_its_end_is_accepted() {
    for until in [Until::After(5), Until::At(5)] {
        let calls = [(0, create(1, until)), (4, found(1)), (4, left(1)), (5, MISSING)];
        assert!(may_follow(&calls));
        assert!(may_follow(&[(0, create(1, until)), (5, create(2, Until::Kept)), (90, found(2))]));
    }
}

#[test]
fn a_key_that_is_served_after_its_end_is_rejected() {
    assert!(!may_follow(&[(0, create(1, Until::After(5))), (5, found(1))]));
    assert!(!may_follow(&[(2, create(1, Until::At(5))), (5, (Saw::Present, Did::Nothing))]));
    assert!(!may_follow(&[(0, create(1, Until::After(5))), (5, (Saw::Present, Did::Remove))]));
}

#[test]
fn a_key_that_is_removed_before_its_end_is_rejected() {
    assert!(!may_follow(&[(0, create(1, Until::After(5))), (4, MISSING)]));
    assert!(!may_follow(&[(2, create(1, Until::At(5))), (4, create(2, Until::Never))]));
    assert!(!may_follow(&[(0, create(1, Until::Never)), (1000, MISSING)]));
}

#[test]
fn a_refresh_that_is_lost_is_rejected() {
    let refreshed = |by, last| may_follow(&[(0, create(1, Until::After(5))), (3, by), last]);
    for by in [retime(Until::After(5)), retime(Until::At(8)), touch(5)] {
        assert!(refreshed(by, (7, found(1))));
        assert!(refreshed(by, (8, MISSING)));
        assert!(!refreshed(by, (6, MISSING)));
        assert!(!refreshed(by, (8, found(1))));
    }
    assert!(refreshed(retime(Until::Never), (900, found(1))));
    assert!(!refreshed(retime(Until::Never), (900, MISSING)));
    assert!(!refreshed(retime(Until::After(1)), (4, found(1))), "a nearer end was lost");
}

#[test]
fn a_refresh_of_what_had_ended_is_rejected() {
    for by in [retime(Until::After(5)), retime(Until::Never), touch(5), replace(2, Until::Kept)] {
        assert!(!may_follow(&[(0, create(1, Until::After(5))), (5, by)]));
    }
}

#[test]
fn a_touch_renews_only_when_less_than_seven_eighths_are_left() {
    let touched = |at, last| may_follow(&[(0, create(1, Until::After(8))), (at, touch(8)), last]);
    assert!(touched(1, (7, found(1))) && touched(1, (8, MISSING)));
    assert!(!touched(1, (8, found(1))), "it had seven left");
    assert!(touched(2, (9, found(1))) && touched(2, (10, MISSING)));
    assert!(!touched(2, (9, MISSING)), "it had six left");
    let long = [(0, create(1, Until::After(90))), (1, touch(8)), (9, MISSING)];
    assert!(!may_follow(&long), "the end came nearer");
}

#[test]
fn a_keep_that_copies_the_end_of_what_had_ended_is_rejected() {
    let kept = [(0, create(1, Until::After(5))), (6, create(2, Until::Kept))];
    assert!(may_follow(&[kept[0], kept[1], (90, found(2))]));
    assert!(!may_follow(&[kept[0], kept[1], (6, MISSING)]));
}

#[test]
fn a_keep_that_loses_the_end_is_rejected() {
    let kept = [(0, create(1, Until::After(5))), (3, replace(2, Until::Kept))];
    assert!(may_follow(&[kept[0], kept[1], (4, left(1)), (5, MISSING)]));
    assert!(!may_follow(&[kept[0], kept[1], (5, found(2))]));
    assert!(!may_follow(&[kept[0], kept[1], (3, (Saw::Endless, Did::Nothing))]));
}

#[test]
fn a_wrong_rest_of_life_is_rejected() {
    for wrong in [left(1), left(3), (Saw::Endless, Did::Nothing)] {
        assert!(!may_follow(&[(0, create(1, Until::After(5))), (3, wrong)]));
    }
    assert!(!may_follow(&[(0, create(1, Until::Never)), (3, left(2))]));
}

#[test]
fn a_time_that_has_passed_is_not_stored_and_one_that_has_not_is() {
    let refused = (Saw::Passed(5), Did::Remove);
    assert!(may_follow(&[(0, create(1, Until::Never)), (5, refused), (5, MISSING)]));
    assert!(!may_follow(&[(4, refused)]));
    assert!(!may_follow(&[(5, create(1, Until::At(5)))]));
}

#[test]
fn beside_a_step_of_the_clock_a_key_may_have_ended_or_not_but_never_comes_back() {
    let writer = [((0, 1), (0, 0), create(1, Until::At(5)))];
    let (here, gone) = (found(1), MISSING);
    let reads = |one, other| {
        let readers = [((2, 3), (4, 5), one), ((4, 5), (4, 5), other)];
        is_legal(&[&writer, &readers])
    };
    assert!(reads(here, here) && reads(here, gone) && reads(gone, gone));
    assert!(!reads(gone, here));
    // Who prolongs it began before anybody was told that it is gone.
    let prolong = |one| {
        let prolonged = ((2, 20), (4, 5), retime(Until::After(9)));
        let reader = [((3, 4), (4, 5), gone), ((5, 6), (5, 5), one)];
        is_legal(&[&writer, &[prolonged], &reader])
    };
    assert!(!prolong(here) && !prolong(gone));
}

#[test]
fn an_end_counted_from_a_moving_clock_is_one_end() {
    let writer = [((0, 10), (0, 3), create(1, Until::After(5)))];
    let reads = |calls: [(u64, Step); 2]| {
        let timed =
            |(index, (ms, step))| ((11 + 2 * index as u64, 12 + 2 * index as u64), (ms, ms), step);
        let readers: Vec<_> = calls.into_iter().enumerate().map(timed).collect();
        is_legal(&[&writer, &readers])
    };
    for end in 5..=8 {
        assert!(reads([(end - 1, found(1)), (end, MISSING)]));
        assert!(reads([(3, left(end - 3)), (end, MISSING)]));
        assert!(!reads([(3, left(end - 3)), (end - 1, MISSING)]));
        assert!(!reads([(3, left(end - 3)), (end, found(1))]));
    }
    assert!(!reads([(4, MISSING), (4, MISSING)]) && !reads([(8, found(1)), (9, MISSING)]));
}

#[test]
fn a_clock_that_goes_back_in_the_order_of_a_key_is_rejected() {
    // The first to return saw the clock at 7; who began later may not have seen it at 6.
    let lanes: [&[Timed]; 2] = [&[((0, 1), (7, 7), MISSING)], &[((2, 3), (6, 6), MISSING)]];
    assert!(!is_legal(&lanes));
}

#[test]
fn versions_grow_with_each_refresh_and_with_each_end() {
    let retimed = |version| {
        let put = (0, create(1, Until::After(5)));
        may_follow(&[put, (1, at_version(7)), (2, retime(Until::After(5))), (3, version)])
    };
    assert!(retimed(at_version(8)) && !retimed(at_version(7)));
    let ended = |version| {
        let (first, second) = (create(1, Until::After(5)), create(2, Until::Never));
        may_follow(&[(0, first), (1, at_version(7)), (5, second), (6, at_version(version))])
    };
    assert!(ended(9) && !ended(8), "the end itself takes a version");
}
