//! A record ends while it is looked up: who says that it is gone has seen to it that nobody builds
//! on it any more, not even who read the clock before.

use super::lives::Act::{Advance, Freeze, Get, Refresh, Set, Tick};
use super::lives::Life;
use crate::sync::planted::Bug;

/// Who looks the key up once it is dead; the other found it live, and lets it live on.
const REFRESHED: Life = Life {
    name: "m29_dead_record, refreshed",
    before: &[Set(Some(1))],
    threads: &[&[Tick(1), Get], &[Refresh(9)]],
};

/// A reader beside its timer.
const FIRED: Life = Life {
    name: "m29_dead_record, fired",
    before: &[Set(Some(1))],
    threads: &[&[Tick(1), Advance], &[Get, Get]],
};

/// A reader, and a writer that puts another record in the place of the dead one.
const REPLACED: Life = Life {
    name: "m29_dead_record, replaced",
    before: &[Set(Some(1))],
    threads: &[&[Tick(1), Get], &[Set(Some(9)), Get]],
};

/// The reader has to move the record before it can take it out.
const FROZEN: Life = Life {
    name: "m29_dead_record, in a frozen bucket",
    before: &[Set(Some(1)), Freeze],
    threads: &[&[Tick(1), Get], &[Refresh(9)]],
};

#[test]
fn nobody_builds_on_what_was_said_to_be_gone() {
    REFRESHED.holds();
    FIRED.holds();
    REPLACED.holds();
    FROZEN.holds_with_one_less();
}

#[test]
fn twin_leaving_the_dead_record() {
    REFRESHED.fails(Bug::DeadLeftThere, 0, "no order explains");
}
