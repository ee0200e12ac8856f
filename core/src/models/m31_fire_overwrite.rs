//! A timer fires while its record is overwritten by one that never ends, or that ends earlier.

use super::lives::Act::{Advance, Refresh, Set, Tick};
use super::lives::Life;
use crate::sync::planted::Bug;

const FOR_EVER: Life = Life {
    name: "m31_fire_overwrite, for ever",
    before: &[Set(Some(1))],
    threads: &[&[Tick(1), Advance], &[Set(None)]],
};

/// What lived for ever for a moment has a timer of its own again.
const AND_BACK: Life = Life {
    name: "m31_fire_overwrite, and back",
    before: &[Set(Some(1))],
    threads: &[&[Tick(1), Advance], &[Set(None), Set(Some(9))]],
};

const NEARER: Life = Life {
    name: "m31_fire_overwrite, nearer",
    before: &[Set(Some(5))],
    threads: &[&[Tick(5), Advance], &[Refresh(3)]],
};

/// It is the new timer that fires, and the former one is still parked.
const NEARER_BY_FAR: Life = Life {
    name: "m31_fire_overwrite, nearer by far",
    before: &[Set(Some(5))],
    threads: &[&[Tick(4), Advance], &[Refresh(3)]],
};

#[test]
fn a_timer_spares_what_has_another_one_or_none() {
    FOR_EVER.holds();
    AND_BACK.holds();
    NEARER.holds();
    NEARER_BY_FAR.holds();
}

#[test]
fn twin_taking_out_what_lives_for_ever() {
    FOR_EVER.fails(Bug::EndedByKey, 1, "no order explains");
}

#[test]
fn twin_taking_over_a_timer_that_fires_too_late() {
    NEARER_BY_FAR.fails(Bug::LateTimer, 0, "no token serves");
}
