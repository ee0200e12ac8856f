//! Versions without a shared counter: those of one key grow strictly. Backs ruling 6.
//!
//! Modelled: overwrite takes old + 1; create takes floor + 1, loaded after the find that its
//! publishing CAS validates, and again on each retry; remove takes old + 1 and raises the floor to
//! it before it unlinks. A ghost variable holds each key's last version and is compared at every
//! CAS that takes effect. One stripe, shared by all keys; also across a migration. Granularity: one
//! atomic access per step (`table`); raising the floor is one atomic maximum.

use crate::explore::Violation::Broken;
use crate::scenario::Scenario;
use crate::table::{Bug, Case, Shape, VERSION_SHRANK};

fn case(layout: &'static str, content: &'static str, programs: &'static str) -> Case {
    let (tables, homes) = match layout {
        "2 slots" => (vec![vec![2]], vec![[0; 4]]),
        "3 slots" => (vec![vec![3]], vec![[0; 4]]),
        "grow" => (vec![vec![2], vec![2, 2]], vec![[0; 4], [0, 1, 0, 0]]),
        _ => unreachable!("no such layout: {layout}"),
    };
    let shape = Shape { tables, linked: 0, homes };
    Case { protocol: "version", layout, shape, content, programs, versions: true }
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    let smallest = case("2 slots", "", "put Kb || put Kc, del K");
    let shrinks = Broken(VERSION_SHRANK);
    vec![
        smallest.correct(true),
        case("3 slots", "", "put Kb || put Kc, del K || put Mb").correct(true),
        case("2 slots", "", "put Kb, del K || put Kc, del K").correct(true),
        case("2 slots", "Ka", "del K, put Kb || put Kc, del K").correct(true),
        case("2 slots", "", "put Kb, del K || put Mb, del M || put Kc").correct(false),
        case("grow", "Ka", "mig 0.0 || del K, put Kb || put Kc").correct(true),
        smallest.planted(Bug::CounterOnce, "a counter, fetched once before the claim", shrinks),
        smallest.planted(Bug::FloorOnce, "the floor loaded once before the claim", shrinks),
        smallest.planted(Bug::FloorLate, "the floor raised after the unlink", shrinks),
    ]
}
