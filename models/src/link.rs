//! Link buckets: one primary slot, and more behind a link that is attached by CAS. Backs rulings 3,
//! 4.
//!
//! Modelled: the link word goes from 0 to a link by CAS and never changes again; the loser's link
//! is dropped, the winner's used; slots behind the link are published in the same header, so a
//! reader that sees such a bit must find the link; a migration freezes linked slots and attaches
//! links to children by the same CAS. Granularity: one atomic access per step (`table`); the load
//! of the link word is one. Each thread has its link ready: allocation is not modelled.

use crate::explore::Violation::{Broken, NotLinearizable};
use crate::scenario::Scenario;
use crate::table::{BIT_WITHOUT_LINK, Bug, Case, Shape};

fn steady(content: &'static str, programs: &'static str) -> Case {
    let shape = Shape { tables: vec![vec![1]], linked: 2, homes: vec![[0; 4]] };
    Case { protocol: "link", layout: "1 + 2 slots", shape, content, programs, versions: false }
}

/// One table of {1 + 1 slots} becomes one of the same shape.
fn rebuilt(content: &'static str, programs: &'static str) -> Case {
    let shape = Shape { tables: vec![vec![1], vec![1]], linked: 1, homes: vec![[0; 4]; 2] };
    let layout = "1 + 1 slots, same size";
    Case { protocol: "link", layout, shape, content, programs, versions: false }
}

/// Two buckets with one primary slot each become one, which needs its link.
fn merged(content: &'static str, programs: &'static str) -> Case {
    let shape =
        Shape { tables: vec![vec![1, 1], vec![1]], linked: 1, homes: vec![[0, 1, 0, 0], [0; 4]] };
    let layout = "1 + 1 slots, shrink";
    Case { protocol: "link", layout, shape, content, programs, versions: false }
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    let different = steady("Oa", "put Kb || put Mb || get K, get K");
    let found_again = steady("Oa", "put Kb, get K || put Mb, get M");
    vec![
        different.correct(true),
        found_again.correct(true),
        steady("Oa", "put Kb || put Kc || get K, get K").correct(true),
        steady("Oa", "put Kb, del K || put Mb, get M").correct(true),
        steady("Oa", "put Kb, del K || put Kc || get K").correct(true),
        steady("", "put Kb || put Mb || put Nb, get K").correct(true),
        steady("Oa", "put Kb, del K || put Mb, del M || put Kc, get M").correct(false),
        rebuilt("Oa", "mig 0.0 || put Kb, get K || del O").correct(true),
        rebuilt("Oa", "mig 0.0 || put Kb || del O, put Ob").correct(true),
        merged("Ka / Ma", "mig 0.0 || mig 0.1 || del K, put Kb").correct(true),
        merged("Ka / Ma", "mig 0.0 || put Mb, get K || del M").correct(true),
        different.planted(
            Bug::PublishBeforeAttach,
            "publish a link's bit before attaching it",
            Broken(BIT_WITHOUT_LINK),
        ),
        found_again.planted(Bug::BlindAttach, "attach by a blind store", NotLinearizable),
    ]
}
