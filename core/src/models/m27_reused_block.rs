//! A freed record's block is the next that its thread allocates, by the list of `memory/cache.rs`,
//! while others still look at the bucket as it was: to them the word of the new record is that of
//! the former one.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize as Count;
use std::sync::atomic::Ordering::SeqCst;

use super::epochs::{Member, Stage};
use super::explore::{fails, holds};
use super::history::Op::{self, Add, Del, Get, Put};
use super::history::{Event, Values, assert_explained};
use super::program::A;
use super::record::read;
use crate::sync::planted::Bug;
use crate::sync::{Acquire, AtomicUsize, Release};
use crate::table::Decision;

const EXCHANGE: &str = "m27_reused_block, exchange";
const GET: &str = "m27_reused_block, get";

/// Another key of the hash of `A`: its records have the same tag.
const ALIKE: u64 = A | 1;

/// A writer reads an entry, and another replaces it twice before the first one's exchange. That
/// must fail, or the first one decided on a value that was overwritten. It tells that it has read,
/// so that the other's writes come after its reads: a block that comes back too soon is no race
/// then, and shows in the history only.
fn exchange() -> usize {
    let stage = stage();
    let told = Rc::new(AtomicUsize::new(0));
    let tell = Rc::clone(&told);
    let (slow, fast) = (stage.enter(), stage.enter());
    let threads = stage.play(
        move |stage| {
            let event = put_and_tell(stage, &slow, &tell);
            (slow, vec![event])
        },
        move |stage| {
            let mut events = Vec::new();
            if told.load(Acquire) == 1 {
                events.push(step(stage, &fast, Put(A), 2));
                fast.flush();
                stage.free_ready();
                events.push(step(stage, &fast, Put(A), 3));
            }
            (fast, events)
        },
    );
    finish(stage, threads)
}

/// Puts 9, and tells what it found before it decides.
fn put_and_tell(stage: &Stage<1, 1>, member: &Member, tell: &AtomicUsize) -> Event {
    let guard = member.pin();
    let draft = stage.world.draft(A, 9);
    let mut old = None;
    stage.world.write(&*guard, A, |found| {
        old = found.map(|record| read(record).value);
        tell.store(1, Release);
        Decision::Put(draft)
    });
    Event { op: Put(A), old, new: Some(9) }
}

/// A reader looks for a key while another takes its slot, its tag and its block.
fn get() -> usize {
    let stage = stage();
    let (reader, writer) = (stage.enter(), stage.enter());
    let threads = stage.play(
        move |stage| {
            let removed = step(stage, &writer, Del(A), 0);
            writer.flush();
            stage.free_ready();
            let added = step(stage, &writer, Add(ALIKE), 2);
            (writer, vec![removed, added])
        },
        move |stage| {
            let found = step(stage, &reader, Get(A), 0);
            (reader, vec![found])
        },
    );
    finish(stage, threads)
}

/// A stage where `A` is 1.
fn stage() -> Stage<1, 1> {
    let stage = Stage::reusing();
    stage.world.apply(&*stage.world, Put(A), 1);
    stage
}

/// One step under a guard of its own.
fn step(stage: &Stage<1, 1>, member: &Member, op: Op, value: u64) -> Event {
    let guard = member.pin();
    stage.world.apply(&*guard, op, value)
}

/// Judges what the threads did and ends the stage; how many blocks were used again.
fn finish(stage: Stage<1, 1>, threads: Vec<(Member, Vec<Event>)>) -> usize {
    let (members, threads): (Vec<_>, Vec<_>) = threads.into_iter().unzip();
    drop(members);
    let before = [Event { op: Put(A), old: None, new: Some(1) }];
    let after = [A, ALIKE].map(|key| stage.world.apply(&*stage.world, Get(key), 0));
    assert_explained(&before, &threads, &after, Values::Any);
    let again = stage.world.again();
    stage.finish();
    again
}

/// Checks that a model holds, and that it uses blocks again.
fn holds_and_reuses(name: &str, model: fn() -> usize) {
    let again = Arc::new(Count::new(0));
    let sum = Arc::clone(&again);
    holds(name, move || _ = sum.fetch_add(model(), SeqCst));
    assert!(again.load(SeqCst) > 0, "no block of {name} was used again");
}

#[test]
fn a_word_that_still_stands_is_still_the_same_record() {
    holds_and_reuses(EXCHANGE, exchange);
}

#[test]
fn a_record_that_was_found_does_not_become_another() {
    holds_and_reuses(GET, get);
}

#[test]
fn twin_exchanging_a_block_that_was_freed_at_once() {
    fails(EXCHANGE, Bug::FreeAtOnce, 1, "no order explains", || _ = exchange());
}

#[test]
fn twin_reading_a_block_that_was_freed_at_once() {
    fails(GET, Bug::FreeAtOnce, 1, "Causality violation", || _ = get());
}
