//! A timer fires while its key is removed and created again, or created: the new record has a timer
//! of another id, and a version beyond the former one's.

use super::lives::Act::{Advance, Del, Set, Tick};
use super::lives::Life;
use crate::sync::planted::Bug;

const AGAIN: Life = Life {
    name: "m32_fire_recreate, again",
    before: &[Set(Some(1))],
    threads: &[&[Tick(1), Advance], &[Del, Set(Some(9))]],
};

/// The writer only creates: it is the timer that removes.
const AFTER: Life = Life {
    name: "m32_fire_recreate, after",
    before: &[Set(Some(1))],
    threads: &[&[Tick(1), Advance], &[Set(Some(9))]],
};

/// The token may be taken in as soon as it is parked, and is due at once.
const FIRST: Life = Life {
    name: "m32_fire_recreate, first",
    before: &[],
    threads: &[&[Tick(1), Advance], &[Set(Some(1))]],
};

#[test]
fn a_timer_spares_what_came_after_its_record() {
    AGAIN.holds();
    AFTER.holds();
    FIRST.holds();
}

#[test]
fn twin_serving_whatever_timer_the_record_has() {
    AGAIN.fails(Bug::AnyTimer, 1, "a token that serves nothing");
}

#[test]
fn twin_raising_the_floor_after_the_end() {
    AFTER.fails(Bug::FloorRaisedLate, 0, "no order explains");
}

#[test]
fn twin_parking_before_the_record_is_published() {
    FIRST.fails(Bug::ParkedEarly, 1, "no token serves");
}
