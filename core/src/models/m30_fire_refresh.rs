//! A timer fires while its record is given a later end: the record that stands is not taken out
//! before its end, and the timer, which it takes over, runs on.

use super::lives::Act::{Advance, Refresh, Set, Tick};
use super::lives::Life;
use crate::sync::planted::Bug;

const LIFE: Life = Life {
    name: "m30_fire_refresh",
    before: &[Set(Some(1))],
    threads: &[&[Tick(1), Advance], &[Refresh(9)]],
};

/// Two writers, each of which takes the timer over, or finds that it is too late.
const TWICE: Life = Life {
    name: "m30_fire_refresh, twice",
    before: &[Set(Some(1))],
    threads: &[&[Tick(1), Advance], &[Refresh(5), Refresh(9)]],
};

#[test]
fn a_timer_spares_what_was_given_a_later_end() {
    LIFE.holds();
    TWICE.holds();
}

#[test]
fn twin_taking_out_whatever_stands_there() {
    LIFE.fails(Bug::EndedByKey, 1, "no order explains");
}

#[test]
fn twin_dropping_the_token_of_a_record_that_was_replaced() {
    LIFE.fails(Bug::TokenDropped, 1, "no token serves");
}
