//! Two buckets that do not fit into one are merged: the child is born moved, and the entries go to
//! the grandchildren.

use super::history::Op::{Freeze, Get, Move, Put, Resize};
use super::program::{A, B, Program, Z, nothing};
use crate::sync::planted::Bug;

/// As `Z`, in the same half.
const Y: u64 = Z - (1 << 60);

const PROGRAM: Program<1, 1> = Program {
    name: "m23_merge_overflow",
    log2: 1,
    // Both are frozen already: how that goes against others is the matter of `m09` and `m22`.
    before: &[
        Resize { nth: 0, log2: 0 },
        Put(A),
        Put(B),
        Put(Y),
        Put(Z),
        Freeze { nth: 0, bucket: 0 },
        Freeze { nth: 0, bucket: 1 },
    ],
    threads: &[&[Move { nth: 0, bucket: 0 }], &[Move { nth: 0, bucket: 0 }, Get(B)]],
    after: &[Get(A), Get(B), Get(Y), Get(Z)],
    at_the_end: nothing,
};

#[test]
fn what_does_not_fit_is_passed_on() {
    PROGRAM.holds_with_one_less();
}

#[test]
fn twin_sending_readers_on_too_early() {
    PROGRAM.fails(Bug::PassedOnEarly, 1, "no order explains");
}
