//! Small programs as data: what happens before, on each thread, and after.

use std::rc::Rc;

use super::explore::{fails, holds};
use super::history::{Event, Op, Values, assert_explained};
use super::world::World;
use crate::sync::planted::Bug;

/// A program on a table of `S` slots in a bucket and `L` in a link.
#[derive(Clone, Copy)]
pub(super) struct Program<const S: usize, const L: usize> {
    pub(super) name: &'static str,
    /// The table begins with `2^log2` buckets.
    pub(super) log2: u32,
    pub(super) before: &'static [Op],
    /// The last of these runs on the thread that also did what was before.
    pub(super) threads: &'static [&'static [Op]],
    pub(super) after: &'static [Op],
    /// What else must be true at the end.
    pub(super) at_the_end: fn(&World<S, L>),
}

/// Nothing else must be true at the end.
pub(super) fn nothing<const S: usize, const L: usize>(_: &World<S, L>) {}

impl<const S: usize, const L: usize> Program<S, L> {
    /// Checks the program.
    #[track_caller]
    pub(super) fn holds(self) {
        holds(self.name, move || self.run());
    }

    /// Checks that loom finds `bug` in the program, with `bound` preemptions, for this reason.
    #[track_caller]
    pub(super) fn fails(self, bug: Bug, bound: usize, reason: &str) {
        fails(self.name, bug, bound, reason, move || self.run());
    }

    fn run(self) {
        let world = Rc::new(World::<S, L>::new(self.log2));
        let before = run_all(&world, 0, self.before);
        let (own, others) = self.threads.split_last().expect("a program has threads");
        let others: Vec<_> = (1..)
            .zip(others.iter().copied())
            .map(|(number, ops)| {
                let world = Rc::clone(&world);
                loom::thread::spawn(move || run_all(&world, number, ops))
            })
            .collect();
        let own = run_all(&world, 9, own);
        let mut events: Vec<_> =
            others.into_iter().map(|thread| thread.join().expect("no panic")).collect();
        events.push(own);
        let after = run_all(&world, 10, self.after);
        assert_explained(&before, &events, &after, Values::Any);
        (self.at_the_end)(&world);
        world.finish();
    }
}

/// Does the steps of a thread. Every value that is put is another: 100 times the thread's number
/// plus the number of the step.
fn run_all<const S: usize, const L: usize>(
    world: &World<S, L>,
    thread: u64,
    ops: &[Op],
) -> Vec<Event> {
    (1..).zip(ops).map(|(step, &op)| world.apply(world, op, 100 * thread + step)).collect()
}

/// Keys of different hashes in the first quarter of the hash space.
pub(super) const A: u64 = 0x1000_0000_0000_0000;
pub(super) const B: u64 = 0x2000_0000_0000_0000;
/// As `B`, in the second quarter.
pub(super) const C: u64 = 0x5000_0000_0000_0000;
/// As `B`, in the second half.
pub(super) const Z: u64 = 0xf000_0000_0000_0000;
