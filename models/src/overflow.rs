//! Merge overflow: two parents that together do not fit into their child. Backs ruling 4, "Merge".
//!
//! Modelled: both parents frozen, the merged list is longer than the child has slots; every helper
//! sees the same list, fills the two grandchildren instead and publishes the child as MOVED from
//! birth. Granularity: one atomic access per step (`table`). The table after next stands ready: its
//! allocation is not modelled.

use crate::explore::Violation::Broken;
use crate::scenario::Scenario;
use crate::table::{Bug, CHILD_OVERFLOW, Case, Shape};

fn case(programs: &'static str) -> Case {
    let shape = Shape {
        tables: vec![vec![2, 2], vec![3], vec![2, 2]],
        linked: 0,
        // K and N share a bucket, and M and O another, wherever there are two.
        homes: vec![[0, 1, 0, 1], [0; 4], [0, 1, 0, 1]],
    };
    let (layout, content) = ("2 x 2 slots into 3", "Ka Na / Ma Oa");
    Case { protocol: "overflow", layout, shape, content, programs, versions: false }
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        case("mig 0.0 || mig 0.1 || del K, put Kb").correct(true),
        case("mig 0.0 || put Mb, get K || del O").correct(true),
        case("mig 0.0 || mig 1.0 || del M, get M").correct(true),
        case("mig 0.0 || put Mb, get K || del O").planted(
            Bug::NoOverflow,
            "nowhere to go for what does not fit",
            Broken(CHILD_OVERFLOW),
        ),
    ]
}
