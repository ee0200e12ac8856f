//! One engine grows from empty, and every operation on the way is timed.

use crate::drive::{Start, below};
use crate::engine::{Engine, Handle};
use crate::keys::{Key, Value};
use hdrhistogram::Histogram;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::hint::black_box;
use std::time::Instant;

/// What one growth showed.
pub struct Growth {
    /// Million inserts per second, all threads together, the gets between them included.
    pub inserts_per_us: f64,
    /// Nanoseconds of each insert.
    pub inserts: Histogram<u64>,
    /// Nanoseconds of each get.
    pub gets: Histogram<u64>,
}

/// LIMIT: a minute, in nanoseconds. An operation that takes longer counts as this long.
const NANOS_MAX: u64 = 60_000_000_000;

/// Digits that a histogram keeps of each time.
const DIGITS: u8 = 3;

/// Inserts the keys `0..entries` into an engine that was given no room. Each thread follows each of
/// its inserts by a get of one of the keys that it inserted before, uniform.
///
/// # Panics
///
/// Panics when the engine does not find such a key, or finds another value.
pub fn grow<K: Key, V: Value, E: Engine<K, V>>(entries: u64, threads: usize) -> Growth {
    let engine = E::with_room(0);
    let start = Start::new(threads);
    let (inserts, gets, last) = std::thread::scope(|scope| {
        let (engine, start) = (&engine, &start);
        let threads: Vec<_> = (0..threads as u64)
            .map(|thread| {
                scope.spawn(move || share(engine, thread, threads as u64, entries, start))
            })
            .collect();
        let joined = threads.into_iter().map(|t| t.join().expect("an engine panicked"));
        joined.reduce(merged).expect("at least one thread")
    });
    let seconds = (last - start.together_at()).as_secs_f64();
    Growth { inserts_per_us: entries as f64 / seconds / 1e6, inserts, gets }
}

/// The inserts and gets of one thread, and when it was done.
type Share = (Histogram<u64>, Histogram<u64>, Instant);

fn share<K: Key, V: Value, E: Engine<K, V>>(
    engine: &E,
    thread: u64,
    threads: u64,
    entries: u64,
    start: &Start,
) -> Share {
    let mut handle = engine.handle();
    let mut rng = SmallRng::seed_from_u64(thread);
    let (mut inserts, mut gets) = (times(), times());
    let mut out = V::of(0, 0);
    start.together();
    // One look at the clock per operation: the end of one is the start of the next.
    let mut before = Instant::now();
    let mut lap = |times: &mut Histogram<u64>| {
        let now = Instant::now();
        times.saturating_record((now - before).as_nanos() as u64);
        before = now;
    };
    for (step, index) in (1..).zip((thread..entries).step_by(threads as usize)) {
        handle.set(&K::at(index), &V::of(index, 0));
        lap(&mut inserts);
        let index = thread + threads * below(step, rng.next_u64());
        let found = handle.get(&K::at(index), &mut out);
        assert!(found && out.belongs_to(index), "a key was lost while the engine grew");
        black_box(&out);
        lap(&mut gets);
    }
    (inserts, gets, before)
}

/// An empty histogram of nanoseconds.
pub(crate) fn times() -> Histogram<u64> {
    Histogram::new_with_max(NANOS_MAX, DIGITS).expect("the bounds are valid")
}

/// What two threads did together.
fn merged(mut one: Share, other: Share) -> Share {
    one.0 += other.0;
    one.1 += other.1;
    (one.0, one.1, one.2.max(other.2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engines::RivalForTests;
    use std::time::Duration;

    #[test]
    fn every_insert_and_as_many_gets_are_timed() {
        for threads in [1, 3] {
            let growth = grow::<u64, u64, RivalForTests<u64, u64>>(1_000, threads);
            assert_eq!((growth.inserts.len(), growth.gets.len()), (1_000, 1_000));
            assert!(growth.inserts.max() > 0 && growth.inserts_per_us > 0.0);
        }
    }

    #[test]
    fn merged_histograms_hold_the_times_of_both() {
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        let share = |nanos, end| {
            let (mut inserts, gets) = (times(), times());
            inserts.saturating_record(nanos);
            (inserts, gets, end)
        };
        let (inserts, gets, end) = merged(share(100, later), share(1_000_000, now));
        assert_eq!((inserts.len(), gets.len(), end), (2, 0, later));
        assert!(inserts.equivalent(inserts.min(), 100));
        assert!(inserts.equivalent(inserts.max(), 1_000_000));
    }

    #[test]
    fn time_beyond_the_limit_counts_as_the_limit() {
        let mut times = times();
        times.saturating_record(10 * NANOS_MAX);
        assert!(times.len() == 1 && (NANOS_MAX..2 * NANOS_MAX).contains(&times.max()));
    }
}
