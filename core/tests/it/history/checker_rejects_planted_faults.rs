//! The checker accepts correct histories and rejects each kind of fault, planted by hand.
//!
//! A history is written as lanes of `(from, to, step)`: the call ran from tick `from` to `to`.

use super::checker::{Violation, check_key};
use super::event::{Effect, Event, Expect, Seen, Step, exchange, read, removal, sum};
use super::search::Stuck;

/// Ticks of one call: the ends of its interval on the time line of the test.
type Call = (u64, u64, Step);

/// Checks lanes of calls, as if a clock had given them their ticks.
fn judge(lanes: &[&[Call]]) -> Result<(), Violation> {
    let event = |&(from, to, step): &Call| {
        assert!(from < to, "a call returns after it began");
        // `to` is a unique rank of a return; a call that begins at `from` saw all ranks below it.
        Event { began: from, ended: to, step }
    };
    check_key(lanes.iter().map(|lane| lane.iter().map(event).collect()).collect())
}

fn unordered(verdict: Result<(), Violation>) -> bool {
    matches!(verdict, Err(Violation::NoOrder(_)))
}

fn put(value: u64) -> Step {
    (Expect::Anything, Effect::Put(Seen::value(value)))
}

fn create(value: u64) -> Step {
    exchange(None, Seen::value(value))
}

fn found(value: u64) -> Step {
    read(Some(Seen::value(value)))
}

fn replace(old: u64, new: u64) -> Step {
    exchange(Some(Seen::value(old)), Seen::value(new))
}

fn remove(old: u64) -> Step {
    removal(Some(Seen::value(old)))
}

const MISSING: Step = (Expect::Absent, Effect::Keep);

#[test]
fn calls_one_after_another_are_accepted() {
    let lane = [
        (0, 1, MISSING),
        (2, 3, create(1)),
        (4, 5, found(1)),
        (6, 7, replace(1, 2)),
        (8, 9, remove(2)),
        (10, 11, MISSING),
        (12, 13, create(3)),
    ];
    assert_eq!(judge(&[&lane]), Ok(()));
}

#[test]
fn overlapping_writes_may_take_effect_in_either_order() {
    for last in [1, 2] {
        let verdict = judge(&[&[(0, 10, put(1))], &[(0, 11, put(2))], &[(12, 13, found(last))]]);
        assert_eq!(verdict, Ok(()));
    }
}

#[test]
fn a_read_beside_a_write_may_see_either_value_but_never_go_back() {
    let writer = [(0, 1, put(1)), (2, 20, put(2))];
    assert_eq!(judge(&[&writer, &[(3, 4, found(1)), (5, 6, found(2))]]), Ok(()));
    assert!(unordered(judge(&[&writer, &[(3, 4, found(2)), (5, 6, found(1))]])));
}

#[test]
fn a_stale_read_is_rejected() {
    assert!(unordered(judge(&[&[(0, 1, put(1)), (2, 3, put(2))], &[(4, 5, found(1))]])));
}

#[test]
fn a_read_of_a_value_that_nobody_wrote_is_rejected() {
    assert!(unordered(judge(&[&[(0, 1, put(1))], &[(2, 3, found(9))]])));
}

#[test]
fn a_lost_update_is_rejected() {
    let both_from_one = [(2, 10, replace(1, 2))];
    assert!(unordered(judge(&[&[(0, 1, put(1))], &both_from_one, &[(2, 11, replace(1, 3))]])));
    let additions: [&[Call]; 2] = [&[(0, 10, sum(5, 5))], &[(0, 11, sum(7, 7))]];
    assert!(unordered(judge(&additions)));
    assert_eq!(judge(&[&[(0, 10, sum(5, 5))], &[(0, 11, sum(7, 12))]]), Ok(()));
}

#[test]
fn a_lost_write_is_rejected() {
    assert!(unordered(judge(&[&[(0, 1, put(1))], &[(2, 3, MISSING)]])));
}

#[test]
fn a_duplicate_create_is_rejected() {
    assert!(unordered(judge(&[&[(0, 10, create(1))], &[(0, 11, create(2))]])));
}

#[test]
fn a_duplicate_removal_is_rejected() {
    let lanes: [&[Call]; 3] = [&[(0, 1, put(1))], &[(2, 10, remove(1))], &[(2, 11, remove(1))]];
    assert!(unordered(judge(&lanes)));
}

#[test]
fn a_resurrected_value_is_rejected() {
    let writer = [(0, 1, put(1)), (2, 3, remove(1))];
    assert!(unordered(judge(&[&writer, &[(4, 5, found(1))]])));
}

#[test]
fn a_wrong_old_value_is_rejected() {
    let writer = [(0, 1, put(1)), (2, 3, put(2))];
    assert!(unordered(judge(&[&writer, &[(4, 5, remove(1))]])));
    assert!(unordered(judge(&[&writer, &[(4, 5, replace(1, 3))]])));
}

#[test]
fn a_wrong_claim_of_presence_is_rejected() {
    let present = (Expect::Present, Effect::Keep);
    assert!(unordered(judge(&[&[(0, 1, put(1)), (2, 3, remove(1)), (4, 5, present)]])));
    assert_eq!(judge(&[&[(0, 1, put(1)), (2, 3, present)]]), Ok(()));
}

#[test]
fn a_version_going_backwards_is_rejected() {
    let versioned = |first, second| {
        let writer = [(0, 1, put(1)), (4, 5, put(2))];
        let reader =
            [(2, 3, read(Some(Seen::at(1, first)))), (6, 7, read(Some(Seen::at(2, second))))];
        judge(&[&writer, &reader])
    };
    assert_eq!(versioned(7, 8), Ok(()));
    assert!(unordered(versioned(8, 7)));
}

#[test]
fn a_version_that_starts_again_after_a_removal_is_rejected() {
    let versioned = |first, second| {
        let removal = removal(Some(Seen::at(1, first)));
        let created = exchange(None, Seen::at(2, second));
        judge(&[&[(0, 1, put(1)), (2, 3, removal), (4, 5, created)]])
    };
    assert_eq!(versioned(1, 2), Ok(()));
    assert!(unordered(versioned(2, 1)));
}

#[test]
fn one_version_names_one_value() {
    let lane = [
        (0, 1, put(1)),
        (2, 3, read(Some(Seen::at(1, 4)))),
        (4, 5, put(2)),
        (6, 7, read(Some(Seen::at(2, 4)))),
    ];
    assert_eq!(judge(&[&lane]), Err(Violation::TwoValues { version: 4, values: [1, 2] }));
    let lane =
        [(0, 1, put(1)), (2, 3, read(Some(Seen::at(1, 4)))), (4, 5, read(Some(Seen::at(1, 5))))];
    assert_eq!(judge(&[&lane]), Err(Violation::TwoVersions { value: 1, versions: [4, 5] }));
}

#[test]
fn a_conflict_must_name_the_version_that_stood() {
    let conflict = |version| {
        let seen = (2, 3, read(Some(Seen::at(1, 4))));
        judge(&[&[(0, 1, put(1)), seen, (4, 5, (Expect::Version(version), Effect::Keep))]])
    };
    assert_eq!(conflict(4), Ok(()));
    assert!(unordered(conflict(5)));
}

#[test]
fn the_search_backs_out_of_a_wrong_first_choice() {
    // The reads force the write of lane 1 between the two of lane 0, although it returns last.
    let lanes: [&[Call]; 3] = [
        &[(0, 1, put(1)), (6, 7, put(3))],
        &[(0, 30, put(2))],
        &[(2, 3, found(1)), (4, 5, found(2)), (8, 9, found(3)), (31, 32, found(3))],
    ];
    assert_eq!(judge(&lanes), Ok(()));
}

#[test]
fn a_violation_shows_how_far_the_search_came() {
    let verdict = judge(&[&[(0, 1, put(1)), (2, 3, put(2))], &[(4, 5, found(1))]]);
    let Err(Violation::NoOrder(Stuck { placed, of, next, .. })) = verdict else {
        panic!("the stale read was accepted");
    };
    assert_eq!((placed, of), (2, 3));
    assert_eq!(next[1].len(), 1);
}
