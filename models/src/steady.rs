//! Steady state: one bucket, no resize. Backs ruling 3 and the edges of find, insert and remove.
//!
//! Modelled: validated find, claim by CAS, publish by header CAS, undo and a fresh find when that
//! fails, replace by one CAS, remove by one CAS with the generation in EMPTY, clearing of bits by
//! anyone. Granularity: one atomic access per step (`table`). Not modelled: tags and pointers (a
//! record is its own identity), memory reclamation (nothing is freed), weak orderings.
//!
//! With fewer free slots than writers a writer may look at a full bucket until another undoes its
//! claim; the engine resizes there. Where that cannot happen, the scenario demands that no thread
//! ever waits.

use crate::explore::Violation::{Broken, NotLinearizable};
use crate::scenario::Scenario;
use crate::table::{Bug, Case, Shape};

const TWO: &str = "2 slots";
const ONE: &str = "1 slot";

fn case(layout: &'static str, content: &'static str, programs: &'static str) -> Case {
    let slots = if layout == ONE { 1 } else { 2 };
    let shape = Shape { tables: vec![vec![slots]], linked: 0, homes: vec![[0; 4]] };
    Case { protocol: "steady", layout, shape, content, programs, versions: false }
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut all = vec![
        case(TWO, "", "put Kb || put Kc || get K, get K").correct(true),
        case(TWO, "", "put Kb || put Kc || del K").correct(true),
        case(ONE, "Ma", "del M, put Kb || get K, get K").correct(true),
        case(ONE, "Ma", "del M, put Kb || get K, get K || del K").correct(true),
        case(ONE, "Ma", "del M, put Kb || put Kc, get K").correct(false),
        case(ONE, "", "put Nb, del N || put Kb || get K, get K").correct(false),
        case(TWO, "", "put Nb, del N || put Kb || put Kc").correct(false),
        case(TWO, "Ka", "del K || del K || put Kb").correct(true),
        case(TWO, "Ka", "del K, put Kb || del K, get K").correct(true),
        case(TWO, "", "put Kb, del K || put Kc, del K").correct(true),
        case(TWO, "Ma", "put Kb || put Kc || del M, get K").correct(false),
        case(TWO, "Ka", "put Kb || put Kc || del K, get K").correct(true),
        case(TWO, "Ka", "del K, put Kb || del K, put Kc || get K, get K").correct(true),
        case(TWO, "", "put Kb, del K || put Kc, del K || get K, get K").correct(true),
        case(TWO, "Ka", "put Kb || put Kc || del K, get K || del K, get K").correct(true),
        case(TWO, "Ka Ma", "del M, put Nb || put Kb, del K || get N, get K").correct(true),
    ];
    all.extend(planted());
    all
}

fn planted() -> Vec<Scenario> {
    let reuse = case(ONE, "Ma", "del M, put Kb || get K, get K");
    let rewrite = case(ONE, "Ma", "del M, put Kb || put Kc, get K");
    let race = case(TWO, "", "put Kb || put Kc || get K, get K");
    // The shape in which loom can show these two: see the twins in the engine.
    let stale = case(TWO, "", "put Nb, del N || put Kb || put Kc");
    let clear = case(TWO, "Ka", "del K, put Kb || del K, get K");
    let duplicate = Broken("two published records of one key");
    let standing = Broken("at rest, a claim stands unpublished or a bit without a record");
    let lost = NotLinearizable;
    vec![
        reuse.planted(Bug::GetWithoutRecheck, "no recheck on get", lost),
        rewrite.planted(Bug::WriteWithoutRecheck, "no recheck for replace and delete", lost),
        stale.planted(Bug::ClaimWithoutValidation, "claim without validation", duplicate),
        stale.planted(Bug::GenerationZero, "EMPTY with generation 0", duplicate),
        race.planted(Bug::PublishWithoutCompare, "publish without header CAS", lost),
        race.planted(Bug::PublishWithoutFind, "publish again without find", lost),
        race.planted(Bug::ClaimNotUndone, "claim not undone", standing),
        clear.planted(Bug::BlindClear, "blind clear of a bit", lost),
    ]
}
