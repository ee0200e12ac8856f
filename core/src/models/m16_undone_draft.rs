//! A draft was claimed, undone because the header changed, and is freed at once by its owner. That
//! is sound because nobody touches a record before the header is read again.

use std::rc::Rc;

use super::epochs::Stage;
use super::explore::{fails, holds_less};
use super::history::Op::{self, Add, Del, Get, Put};
use super::program::{A, B, in_parallel};
use crate::sync::planted::Bug;

const NAME: &str = "m16_undone_draft";

fn model() {
    let stage = Stage::<2, 1>::new();
    stage.world.apply(&*stage.world, Put(A), 1);
    // Both are pinned all the time: whatever is not freed at once lives on.
    let members = [stage.enter(), stage.enter(), stage.enter()];
    let steps: [&[Op]; 3] = [&[Del(A), Add(B)], &[Put(B)], &[Get(B)]];
    let threads: Vec<_> = std::iter::zip(&members, steps)
        .map(|(member, steps)| {
            let (world, guard) = (Rc::clone(&stage.world), member.pin());
            move |thread| {
                for &op in steps {
                    world.apply(&*guard, op, thread as u64);
                }
                guard
            }
        })
        .collect();
    drop(in_parallel(threads));
    drop(members);
    stage.finish();
}

#[test]
fn an_undone_draft_is_its_owners_again() {
    // Three threads, one of them with two steps: two preemptions would take many minutes.
    holds_less(NAME, 1, model);
}

#[test]
fn twin_looking_before_validating() {
    fails(NAME, Bug::NoRecheckOnRead, 1, "Causality violation", model);
}
