//! One workload on one engine: starts the threads together, counts, and checks what it reads.

use crate::engine::{Engine, Handle};
use crate::keys::{Key, Value};
use crate::workload::{Action, Draw, Mix};
use crate::zipf;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::hint::black_box;
use std::marker::PhantomData;
use std::sync::{Barrier, OnceLock};
use std::time::{Duration, Instant};

/// What one run showed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measurement {
    /// Million operations per second, all threads together. A batch counts as its keys.
    pub mops: f64,
    /// Keys that were asked for.
    pub gets: u64,
    /// Those that were found.
    pub hits: u64,
    /// The longest that one insert took, for [`grow`] alone.
    pub slowest_us: Option<f64>,
}

impl Measurement {
    /// Hits among the gets; `None` when there were no gets.
    pub fn hit_ratio(&self) -> Option<f64> {
        (self.gets > 0).then(|| self.hits as f64 / self.gets as f64)
    }
}

/// How long a run is and who takes part.
#[derive(Clone, Copy)]
pub struct Effort<'p> {
    /// Entries that the engine was prefilled with.
    pub entries: u64,
    /// Threads that drive it.
    pub threads: usize,
    /// Time after which each thread stops.
    pub time: Duration,
    /// Zipf draws over `entries`; needed for [`Draw::Zipf`] alone.
    pub zipf: Option<&'p zipf::Pool>,
    /// Sets the random numbers: the same for every engine of a round.
    pub seed: u64,
}

/// Operations between two looks at the clock.
const OPERATIONS_PER_LOOK: u32 = 256;

/// Inserts the keys `0..entries` by one thread.
pub fn prefill<K: Key, V: Value, E: Engine<K, V>>(engine: &E, entries: u64) {
    let mut handle = engine.handle();
    for index in 0..entries {
        handle.set(&K::at(index), &V::of(index, 0));
    }
}

/// Runs single operations, mixed at random.
pub fn mixed<K: Key, V: Value, E: Engine<K, V>>(
    engine: &E,
    effort: Effort<'_>,
    mix: Mix,
    draw: Draw,
) -> Measurement {
    let keys = if draw == Draw::HalfPresent { 2 * effort.entries } else { effort.entries };
    on_threads(effort, |seed, clock| {
        let mut rng = SmallRng::seed_from_u64(seed);
        let out = V::of(0, 0);
        let stepper = Stepper { handle: engine.handle(), mix, out, key: PhantomData::<K> };
        match (draw, effort.zipf) {
            (Draw::Zipf, Some(pool)) => {
                let mut walk = pool.walk(rng.next_u64());
                stepper.run(clock, || (walk.step(), rng.next_u32()))
            }
            (Draw::Zipf, None) => unreachable!("the runner draws the pool before a Zipf workload"),
            _ => stepper.run(clock, || {
                let word = rng.next_u64();
                (below(keys, word), word as u32)
            }),
        }
    })
}

/// Runs gets in batches of `batch` keys, uniform over the prefilled keys.
pub fn batches<K: Key, V: Value, E: Engine<K, V>>(
    engine: &E,
    effort: Effort<'_>,
    batch: usize,
) -> Measurement {
    on_threads(effort, |seed, clock| {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut handle = engine.handle();
        let mut tally = Tally::default();
        let mut indexes = vec![0; batch];
        let mut keys = vec![K::at(0); batch];
        let mut out = vec![V::of(0, 0); batch];
        while clock.goes_on() {
            for _ in 0..OPERATIONS_PER_LOOK as usize / batch {
                for (index, key) in indexes.iter_mut().zip(&mut keys) {
                    *index = below(effort.entries, rng.next_u64());
                    *key = K::at(*index);
                }
                tally.hits += handle.get_many(&keys, &mut out) as u64;
                let correct = out.iter().zip(&indexes).all(|(value, &i)| value.belongs_to(i));
                assert!(correct, "a batch returned the value of another key");
                black_box(&out);
                tally.gets += batch as u64;
                tally.operations += batch as u64;
            }
        }
        tally
    })
}

/// Inserts the keys `0..entries` into an engine that was given no room, and times each insert.
pub fn grow<K: Key, V: Value, E: Engine<K, V>>(entries: u64, threads: usize) -> Measurement {
    let engine = E::with_room(0);
    let start = Start::new(threads);
    let share = |thread: u64| (thread..entries).step_by(threads);
    let (slowest, last) = std::thread::scope(|scope| {
        let (engine, start) = (&engine, &start);
        let threads: Vec<_> = (0..threads as u64)
            .map(|thread| {
                scope.spawn(move || {
                    let mut handle = engine.handle();
                    start.together();
                    // Its own look: to wake up late is not part of the first insert.
                    let mut before = Instant::now();
                    let mut slowest = Duration::ZERO;
                    for index in share(thread) {
                        handle.set(&K::at(index), &V::of(index, 0));
                        // One look at the clock per insert: the end of one is the start of the
                        // next.
                        let after = Instant::now();
                        slowest = slowest.max(after - before);
                        before = after;
                    }
                    (slowest, before)
                })
            })
            .collect();
        let joined = threads.into_iter().map(|t| t.join().expect("an engine panicked"));
        joined.reduce(|a, b| (a.0.max(b.0), a.1.max(b.1))).expect("at least one thread")
    });
    Measurement {
        mops: entries as f64 / (last - start.together_at()).as_secs_f64() / 1e6,
        gets: 0,
        hits: 0,
        slowest_us: Some(slowest.as_secs_f64() * 1e6),
    }
}

/// One thread's loop over a mix.
struct Stepper<K, H, V> {
    handle: H,
    mix: Mix,
    out: V,
    key: PhantomData<K>,
}

impl<K: Key, V: Value, H: Handle<K, V>> Stepper<K, H, V> {
    /// `draw` gives the next key's index and the dice for its action.
    fn run(mut self, clock: &Clock, mut draw: impl FnMut() -> (u64, u32)) -> Tally {
        let mut tally = Tally::default();
        while clock.goes_on() {
            for _ in 0..OPERATIONS_PER_LOOK {
                let (index, dice) = draw();
                self.step(index, dice, &mut tally);
            }
            tally.operations += u64::from(OPERATIONS_PER_LOOK);
        }
        tally
    }

    #[inline]
    fn step(&mut self, index: u64, dice: u32, tally: &mut Tally) {
        let key = K::at(index);
        match self.mix.action(dice) {
            Action::Get => {
                tally.gets += 1;
                if self.handle.get(&key, &mut self.out) {
                    tally.hits += 1;
                    assert!(self.out.belongs_to(index), "a get returned the value of another key");
                    black_box(&self.out);
                }
            }
            Action::Set => self.handle.set(&key, &V::of(index, dice)),
            Action::Remove => _ = black_box(self.handle.remove(&key)),
            Action::Update => _ = black_box(self.handle.update(&key, V::stepped)),
        }
    }
}

/// What one thread counted.
#[derive(Default)]
struct Tally {
    operations: u64,
    gets: u64,
    hits: u64,
}

/// Tells a thread when to stop.
struct Clock {
    start: Instant,
    time: Duration,
}

impl Clock {
    fn goes_on(&self) -> bool {
        self.start.elapsed() < self.time
    }
}

/// Lets all threads begin at one moment, once each is ready.
pub(crate) struct Start {
    barrier: Barrier,
    at: OnceLock<Instant>,
}

impl Start {
    /// A start of so many threads.
    pub(crate) fn new(threads: usize) -> Start {
        Start { barrier: Barrier::new(threads), at: OnceLock::new() }
    }

    /// Waits for the others; the moment is the same for all.
    pub(crate) fn together(&self) -> Instant {
        self.barrier.wait();
        self.together_at()
    }

    /// The moment at which the first thread went on.
    pub(crate) fn together_at(&self) -> Instant {
        *self.at.get_or_init(Instant::now)
    }
}

/// Runs `work` on every thread with its own seed; adds up the threads' rates.
fn on_threads(effort: Effort<'_>, work: impl Fn(u64, &Clock) -> Tally + Sync) -> Measurement {
    let start = Start::new(effort.threads);
    let total = std::thread::scope(|scope| {
        let (work, start) = (&work, &start);
        let threads: Vec<_> = (0..effort.threads as u64)
            .map(|thread| {
                scope.spawn(move || {
                    let clock = Clock { start: start.together(), time: effort.time };
                    let tally = work(effort.seed.wrapping_add(thread << 32), &clock);
                    (tally.operations as f64 / clock.start.elapsed().as_secs_f64(), tally)
                })
            })
            .collect();
        let joined = threads.into_iter().map(|t| t.join().expect("an engine panicked"));
        joined.fold((0.0, 0, 0), |sum, (rate, tally)| {
            (sum.0 + rate, sum.1 + tally.gets, sum.2 + tally.hits)
        })
    });
    let (rate, gets, hits) = total;
    Measurement { mops: rate / 1e6, gets, hits, slowest_us: None }
}

/// A number below `bound`, uniform, by the high half of `word`.
#[inline]
pub(crate) fn below(bound: u64, word: u64) -> u64 {
    ((word >> 32) * bound) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Side;
    use crate::engines::RivalForTests;
    use crate::workload::{Shape, Workload};

    const ENTRIES: u64 = 1_000;

    fn effort(zipf: Option<&zipf::Pool>) -> Effort<'_> {
        let time = Duration::from_millis(20);
        Effort { entries: ENTRIES, threads: 2, time, zipf, seed: 1 }
    }

    fn prefilled() -> RivalForTests<u64, u64> {
        let engine = RivalForTests::with_room(0);
        prefill(&engine, ENTRIES);
        engine
    }

    fn present(engine: &RivalForTests<u64, u64>, indexes: std::ops::Range<u64>) -> usize {
        let (mut handle, mut out) = (engine.handle(), 0);
        indexes.filter(|&index| handle.get(&u64::at(index), &mut out)).count()
    }

    #[test]
    fn every_mixed_workload_hits_as_often_as_it_states_and_keeps_its_size() {
        let pool = zipf::Pool::new(ENTRIES, 10_000, 1);
        for workload in Workload::ALL {
            let Shape::Mixed(mix, draw) = workload.shape() else {
                continue;
            };
            let engine = prefilled();
            let measured = mixed(&engine, effort(Some(&pool)), mix, draw);
            let size = present(&engine, 0..2 * ENTRIES) as f64;
            // Twelve standard deviations of a half-filled key space.
            assert!((size - ENTRIES as f64).abs() < 12.0 * (ENTRIES as f64 / 2.0).sqrt());
            assert!(measured.mops > 0.0);
            assert!(workload.hits_plausible(Side::Own, measured.gets, measured.hits));
        }
    }

    #[test]
    fn churn_turns_the_keys_over() {
        let Shape::Mixed(mix, draw) = Workload::KvChurn.shape() else { panic!("not mixed") };
        let engine = prefilled();
        // A run does at least 256 operations on each thread, however slow the machine is.
        for seed in 0..10 {
            mixed(&engine, Effort { seed, ..effort(None) }, mix, draw);
        }
        let newcomers = present(&engine, ENTRIES..2 * ENTRIES);
        assert!(newcomers > ENTRIES as usize / 4, "{newcomers} of {ENTRIES}");
    }

    #[test]
    fn batches_find_every_key() {
        for batch in [8, 16, 32, 64] {
            let measured = batches(&prefilled(), effort(None), batch);
            assert_eq!(measured.hit_ratio(), Some(1.0));
            assert!(measured.mops > 0.0 && measured.gets.is_multiple_of(batch as u64));
        }
    }

    #[test]
    fn grow_reports_the_slowest_insert() {
        let measured = grow::<u64, u64, RivalForTests<u64, u64>>(ENTRIES, 3);
        let slowest = measured.slowest_us.expect("grow times every insert");
        // The slowest of a thousand inserts lasts at least as long as their average.
        assert!(slowest >= 1.0 / measured.mops && slowest > 0.0);
    }

    #[test]
    fn lost_keys_show_in_the_hits() {
        let engine = prefilled();
        let mut handle = engine.handle();
        (0..ENTRIES / 2).for_each(|index| assert!(handle.remove(&u64::at(index))));
        let Shape::Mixed(mix, draw) = Workload::MapGet.shape() else { panic!("not mixed") };
        let measured = mixed(&engine, effort(None), mix, draw);
        assert!(!Workload::MapGet.hits_plausible(Side::Rival, measured.gets, measured.hits));
    }
}
