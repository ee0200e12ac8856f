//! Resize: several tables, migration by helping, parents first. Backs ruling 4.
//!
//! Modelled: freeze of headers and slots, deterministic fill of children by CAS from 0, MOVED; grow
//! into two children, shrink of two parents, the same size, and chains of three tables in which
//! every operation starts at the oldest one. Granularity: one atomic access per step (`table`), the
//! loads of the parents' headers included. Not modelled: when a resize starts and what size it
//! chooses, chunks and the root (`root`), refused allocations.

use crate::explore::Violation::NotLinearizable;
use crate::scenario::Scenario;
use crate::table::{Bug, Case, Shape};

fn case(layout: &'static str, content: &'static str, programs: &'static str) -> Case {
    let (tables, homes) = match layout {
        "same size" => (vec![vec![2], vec![2]], vec![[0; 4]; 2]),
        "same size, 2 to 3" => (vec![vec![2], vec![3]], vec![[0; 4]; 2]),
        "same size, 1 to 2" => (vec![vec![1], vec![2]], vec![[0; 4]; 2]),
        "grow" => (vec![vec![2], vec![2, 2]], vec![[0; 4], [0, 1, 0, 0]]),
        "shrink" => (vec![vec![2, 2], vec![4]], vec![[0, 1, 0, 0], [0; 4]]),
        "three tables" => (vec![vec![2]; 3], vec![[0; 4]; 3]),
        "up, down" => (vec![vec![2], vec![2, 2], vec![3]], vec![[0; 4], [0, 1, 0, 0], [0; 4]]),
        "down, up" => {
            (vec![vec![1, 1], vec![3], vec![1, 2]], vec![[0, 1, 0, 0], [0; 4], [0, 1, 0, 0]])
        }
        _ => unreachable!("no such layout: {layout}"),
    };
    let shape = Shape { tables, linked: 0, homes };
    Case { protocol: "resize", layout, shape, content, programs, versions: false }
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut all = two_tables();
    all.extend(three_tables());
    all.extend(planted());
    all
}

fn two_tables() -> Vec<Scenario> {
    let cases = [
        case("same size", "Ma", "mig 0.0 || put Kb || get K, get K"),
        case("same size", "Ka", "mig 0.0 || del K || get K, get K"),
        case("same size", "Ka", "mig 0.0 || put Kb || get K, get K"),
        case("same size", "Ka", "mig 0.0 || mig 0.0 || del K, put Kb"),
        case("same size, 2 to 3", "Ka Ma", "mig 0.0 || mig 0.0 || del K, put Nb, del N"),
        case("same size", "", "mig 0.0 || put Kb || put Kc"),
        case("same size", "Ma", "mig 0.0 || put Kb, del K || get K, get K"),
        case("same size, 1 to 2", "Ma", "mig 0.0 || del M, put Kb || del K"),
        case("grow", "Ma", "mig 0.0 || put Kb || get K, get K"),
        case("grow", "Ka Ma", "mig 0.0 || mig 0.0 || del K, put Kb"),
        case("grow", "Ma", "mig 0.0 || del M, put Mb || put Kb, get M"),
        case("shrink", "Ka / Ma", "mig 0.0 || put Kb || del M, get K"),
        case("shrink", "Ka / Ma", "mig 0.0 || mig 0.1 || del K, put Kb"),
        case("shrink", "Ka / Ma", "mig 0.0 || put Mb, del K || get K, get M"),
    ];
    cases.iter().map(|case| case.correct(true)).collect()
}

fn three_tables() -> Vec<Scenario> {
    let cases = [
        case("three tables", "Ma", "mig 0.0 || mig 1.0 || put Kb"),
        case("three tables", "Ka", "mig 1.0 || del K, put Kb || get K"),
        case("up, down", "Ka Ma", "mig 1.0 || put Kb || get K"),
        case("up, down", "Ka Ma", "mig 0.0 || mig 1.0 || del K, get M"),
        case("down, up", "Ka / Ma", "mig 0.0 || mig 1.0 || put Kb, get M"),
        case("three tables", "Ka", "mig 0.0 || mig 1.0 || del K, put Kb || get K"),
    ];
    cases.iter().map(|case| case.correct(true)).collect()
}

fn planted() -> Vec<Scenario> {
    let removed = case("same size", "Ka", "mig 0.0 || del K || get K, get K");
    let up_down = case("up, down", "Ka Ma", "mig 0.0 || mig 1.0 || del K, get M");
    let down_up = case("down, up", "Ka / Ma", "mig 0.0 || mig 1.0 || put Kb, get M");
    let merge = case("shrink", "Ka / Ma", "mig 0.0 || mig 0.1 || del K, put Kb");
    let inserts = case("same size", "", "mig 0.0 || put Kb || put Kc");
    let lost = NotLinearizable;
    vec![
        removed.planted(Bug::NoSlotFreeze, "no freeze of slots", lost),
        removed.planted(Bug::BlindFill, "blind fill of the child", lost),
        removed.planted(Bug::GenerationZero, "EMPTY with generation 0", lost),
        inserts.planted(Bug::PublishIntoFrozen, "publish into a FROZEN bucket", lost),
        up_down.planted(Bug::NoParentsFirst, "parents not first, up and down", lost),
        down_up.planted(Bug::NoParentsFirst, "parents not first, down and up", lost),
        merge.planted(Bug::OneParent, "merge with one parent frozen", lost),
        down_up.planted(Bug::OneParent, "merge with one parent frozen, then grow", lost),
    ]
}
