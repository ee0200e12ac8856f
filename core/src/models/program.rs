//! Small programs as data: what happens before, on each thread, and after.

use std::rc::Rc;

use super::explore::{fails, holds, holds_less};
use super::history::{Event, Op, Values, assert_explained};
use super::world::World;
use crate::sync::noted::number_thread;
use crate::sync::planted::Bug;

/// A program on a table of `S` slots in a bucket and `L` in a link.
#[derive(Clone, Copy)]
pub(super) struct Program<const S: usize, const L: usize> {
    pub(super) name: &'static str,
    /// The table begins with `2^log2` buckets.
    pub(super) log2: u32,
    pub(super) before: &'static [Op],
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

    /// Checks the program with one preemption less than others: it is too long for more.
    #[track_caller]
    pub(super) fn holds_with_one_less(self) {
        holds_less(self.name, 1, move || self.run());
    }

    /// Checks that loom finds `bug` in the program, with `bound` preemptions, for this reason.
    #[track_caller]
    pub(super) fn fails(self, bug: Bug, bound: usize, reason: &str) {
        fails(self.name, bug, bound, reason, move || self.run());
    }

    fn run(self) {
        let world = Rc::new(World::<S, L>::new(self.log2));
        let before = run_all(&world, 0, self.before);
        let threads = self.threads.iter().map(|&ops| {
            let world = Rc::clone(&world);
            move |number| run_all(&world, number, ops)
        });
        let events = in_parallel(threads);
        let after = run_all(&world, 9, self.after);
        assert_explained(&before, &events, &after, Values::Any);
        (self.at_the_end)(&world);
        world.finish();
    }
}

/// Runs each of `threads` on a thread of its own, all at once, and waits for them. The calling
/// thread does nothing meanwhile, so that loom may begin with any of them.
pub(super) fn in_parallel<T: 'static, F>(threads: impl IntoIterator<Item = F>) -> Vec<T>
where
    F: FnOnce(usize) -> T + 'static,
{
    let spawn = |(number, thread): (usize, F)| {
        loom::thread::spawn(move || {
            number_thread(number);
            thread(number)
        })
    };
    let threads: Vec<_> = (1..).zip(threads).map(spawn).collect();
    threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
}

/// Does the steps of a thread. Every value that is put is another: 100 times the thread's number
/// plus the number of the step.
fn run_all<const S: usize, const L: usize>(
    world: &World<S, L>,
    thread: usize,
    ops: &[Op],
) -> Vec<Event> {
    (1..).zip(ops).map(|(step, &op)| world.apply(world, op, (100 * thread + step) as u64)).collect()
}

/// Keys of different hashes in the first quarter of the hash space.
pub(super) const A: u64 = 0x1000_0000_0000_0000;
pub(super) const B: u64 = 0x2000_0000_0000_0000;
/// As `B`, in the second quarter.
pub(super) const C: u64 = 0x5000_0000_0000_0000;
/// As `B`, in the second half.
pub(super) const Z: u64 = 0xf000_0000_0000_0000;
