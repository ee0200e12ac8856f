//! Stress runs: goal and method.
//!
//! Goal: every call of every thread is linearizable while the table grows, shrinks and reuses
//! slots beneath it. Method: *workers* call everything on a few hot keys and record each call;
//! beside them *churners* insert and delete keys of their own in bulk, which forces resizes and
//! slot reuse, and check each answer at once (a key that one thread owns has one legal answer).
//! After the run every recorded history is checked, and all memory must come back.
//!
//! `RKV_STRESS` multiplies the number of rounds; each round is a fresh table.

mod map_churn;
mod map_runs;
mod map_workers;
pub(crate) mod preempt;
mod store_churn;
mod store_runs;
mod store_workers;
mod ttl_runs;
mod ttl_workers;

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use self::preempt::Preempted;
use crate::history::{self, Clock, Lane, Meaning};

/// The shape of one stress run.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    /// Threads that record calls on the hot keys.
    pub(crate) workers: u32,
    /// Threads that insert and delete keys of their own.
    pub(crate) churners: u32,
    /// Keys that the first churner moves in bulk; the others move [`FEW`].
    pub(crate) bulk: u32,
    /// Number of hot keys.
    pub(crate) keys: u32,
    /// Recorded calls per worker and round.
    pub(crate) calls: usize,
    /// Rounds before `RKV_STRESS` multiplies them.
    pub(crate) rounds: usize,
}

/// Keys that fit in a few buckets: moving them reuses slots and hardly ever resizes the table.
const FEW: u32 = if cfg!(miri) { 6 } else { 40 };

impl Run {
    /// Recorded calls of the whole run, at least, before `RKV_STRESS` multiplies them.
    pub(crate) const fn recorded(&self) -> usize {
        self.workers as usize * self.calls * self.rounds
    }

    /// This run, at a size that an interpreter can finish.
    fn scaled(self) -> Run {
        if cfg!(miri) {
            Run { calls: 40, rounds: 1, bulk: self.bulk.min(60), ..self }
        } else {
            self
        }
    }
}

/// How often `RKV_STRESS` wants each round; 1 when it is not set.
fn multiplier() -> usize {
    match std::env::var("RKV_STRESS") {
        Ok(text) => text.parse().expect("RKV_STRESS is a whole number"),
        Err(_) => 1,
    }
}

/// What one thread of a run may use.
pub(crate) struct Place<'r> {
    /// Rank among the threads of its kind.
    pub(crate) index: u32,
    /// A seed that no other thread of the run has.
    pub(crate) seed: u64,
    /// The shape of the run.
    pub(crate) run: Run,
    /// The clock of the recorder.
    pub(crate) clock: &'r Clock,
    working: &'r AtomicUsize,
}

impl Place<'_> {
    /// Keys that a churner in this place moves in bulk.
    pub(crate) fn bulk(&self) -> u32 {
        if self.index == 0 { self.run.bulk } else { FEW }
    }

    /// True while a worker is still calling.
    pub(crate) fn work_goes_on(&self) -> bool {
        self.working.load(Ordering::Relaxed) > 0
    }
}

/// The sizes of a table under a churner, in bytes: proof that it was resized both ways.
#[derive(Default)]
pub(crate) struct Resizes {
    full: u64,
    shrunk: bool,
}

impl Resizes {
    /// Notes the size of a table that holds all keys of the churner.
    pub(crate) fn full(&mut self, bytes: u64) {
        self.full = self.full.max(bytes);
    }

    /// Notes the size of a table from which the churner has deleted its keys.
    pub(crate) fn empty(&mut self, bytes: u64) {
        self.shrunk |= bytes * 2 <= self.full;
    }

    /// Judges the whole run of a churner that moves `bulk` keys.
    pub(crate) fn check(&self, bulk: u32) {
        assert!(bulk <= FEW || self.shrunk, "the table never shrank from its {} bytes", self.full);
    }
}

/// Counts a worker off when it ends, however it ends.
struct CountOff<'r>(&'r AtomicUsize);

impl Drop for CountOff<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs all rounds: `subject` makes the table, `worker` returns its lanes, `churner` checks
/// itself, `finish` judges and drops the table. Every history is checked.
pub(crate) fn rounds<T: Sync, S: Meaning + Send>(
    run: Run,
    subject: impl Fn() -> T,
    worker: impl for<'r> Fn(&T, &Place<'r>) -> Vec<Lane<'r, S>> + Sync,
    churner: impl Fn(&T, &Place<'_>) + Sync,
    finish: impl Fn(T),
) {
    let run = run.scaled();
    for round in 0..run.rounds * multiplier() {
        let table = subject();
        let scene = Scene {
            run,
            seed: (round as u64) << 32,
            clock: Clock::default(),
            working: AtomicUsize::new(run.workers as usize),
        };
        let lanes = scene.play(&table, &worker, &churner);
        let recorded: usize = lanes.iter().map(Lane::len).sum();
        assert!(recorded >= run.workers as usize * run.calls, "only {recorded} calls recorded");
        assert_eq!(history::check(lanes), recorded);
        finish(table);
    }
}

/// What the threads of one round share.
struct Scene {
    run: Run,
    seed: u64,
    clock: Clock,
    /// Number of workers that are still calling.
    working: AtomicUsize,
}

impl Scene {
    fn place(&self, index: u32, kind: u64) -> Place<'_> {
        let seed = self.seed | (kind << 16) | u64::from(index);
        Place { index, seed, run: self.run, clock: &self.clock, working: &self.working }
    }

    /// Runs all threads to their end; the lanes of the workers.
    fn play<'r, T: Sync, S: Send>(
        &'r self,
        table: &T,
        worker: &(impl Fn(&T, &Place<'r>) -> Vec<Lane<'r, S>> + Sync),
        churner: &(impl Fn(&T, &Place<'_>) + Sync),
    ) -> Vec<Lane<'r, S>> {
        let barrier = &Barrier::new((self.run.workers + self.run.churners) as usize);
        std::thread::scope(|scope| {
            for index in 0..self.run.churners {
                scope.spawn(move || {
                    barrier.wait();
                    let _preempted = Preempted::start();
                    churner(table, &self.place(index, 1));
                });
            }
            let work = |index| {
                // Counts the worker off also when it panics: churners must not wait for it.
                let _done = CountOff(&self.working);
                barrier.wait();
                let _preempted = Preempted::start();
                worker(table, &self.place(index, 0))
            };
            let workers = 0..self.run.workers;
            let threads: Vec<_> = workers.map(|index| scope.spawn(move || work(index))).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("a worker")).collect()
        })
    }
}
