//! Very many keys with one deadline: how soon all are gone, and what readers feel of it.

use super::lag::follow;
use super::timed::{Timed, set};
use crate::drive::below;
use crate::grid::thousands;
use crate::keys::{ByteKey, ByteValue, Key, Value};
use crate::latency::growth::times;
use crate::score::median;
use hdrhistogram::Histogram;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use rkv::Store;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// From the first set until the keys are due: they must all be set by then, and a second of quiet
/// follows.
const LEAD: Duration = Duration::from_secs(5);

/// How long the last key may be late.
const PATIENCE: Duration = Duration::from_secs(60);

/// The end of the quiet time, before the deadline.
const BREATH: Duration = Duration::from_millis(50);

/// Keys without a deadline, which are read.
const PLAIN: u64 = 65_536;

/// Rounds with and rounds without a reader. The figures are medians.
const ROUNDS: u32 = 3;

/// What one round showed.
struct Round {
    /// Milliseconds from the deadline until all were gone; infinite if some never went.
    gone: f64,
    reads: Option<Reads>,
}

/// Nanoseconds of each get.
struct Reads {
    quiet: Histogram<u64>,
    during: Histogram<u64>,
}

/// All rounds, as lines of text.
pub(super) fn report(entries: u64) -> String {
    let rounds = |reads| (0..ROUNDS).map(|_| round(entries, LEAD, reads)).collect::<Vec<_>>();
    let (alone, read) = (rounds(false), rounds(true));
    let gone = |rounds: &[Round]| median(rounds.iter().map(|r| r.gone)).unwrap_or(f64::NAN);
    let (alone, busy) = (gone(&alone), gone(&read));
    let micros = |of: fn(&Reads) -> &Histogram<u64>| {
        let reads = read.iter().filter_map(|round| round.reads.as_ref());
        let p999 = reads.map(|reads| of(reads).value_at_quantile(0.999) as f64 / 1e3);
        median(p999).unwrap_or(f64::NAN)
    };
    let (quiet, during) = (micros(|reads| &reads.quiet), micros(|reads| &reads.during));
    format!(
        "{} keys with one deadline: gone {alone:.0} ms after it, {busy:.0} while a thread reads\n  \
         p99.9 of its gets: {quiet:.2} us when it is quiet, {during:.2} us while they expire: \
         {:.2} times\n  medians of {ROUNDS} rounds; it reads {} keys without a deadline",
        thousands(entries),
        during / quiet,
        thousands(PLAIN)
    )
}

/// # Panics
///
/// Panics when the keys cannot be set before they are due.
fn round(entries: u64, lead: Duration, reads: bool) -> Round {
    let store = Store::new();
    (entries..entries + PLAIN).for_each(|index| set(&store, index, None));
    let due = Instant::now() + lead;
    (0..entries).for_each(|index| set(&store, index, Some(left(due))));
    assert!(Instant::now() < due, "the machine is too slow to set them in time");
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let (store, stop) = (&store, &stop);
        let reader = reads.then(|| scope.spawn(move || read(store, entries, due, stop)));
        let seen =
            follow(entries, due + PATIENCE, || (entries + PLAIN).saturating_sub(store.held()));
        stop.store(true, Ordering::Relaxed);
        let late = |at: Instant| at.saturating_duration_since(due).as_secs_f64() * 1e3;
        let last = seen.last().filter(|&&(gone, _)| gone >= entries);
        let gone = last.map_or(f64::INFINITY, |&(_, at)| late(at));
        let reads = reader.map(|reader| reader.join().expect("the reader does not panic"));
        Round { gone, reads }
    })
}

/// The time until then, if only by a hair.
fn left(due: Instant) -> Duration {
    due.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1))
}

/// Reads random keys of those without a deadline, which begin at `first`, until it is stopped.
fn read(store: &Store, first: u64, due: Instant, stop: &AtomicBool) -> Reads {
    let mut reads = Reads { quiet: times(), during: times() };
    let (mut rng, mut out) = (SmallRng::seed_from_u64(1), ByteValue::of(0, 0));
    // One look at the clock per get: the end of one is the start of the next.
    let mut before = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let index = first + below(PLAIN, rng.next_u64());
        let found = store.get_with(ByteKey::at(index), |value| out.copy_from_slice(value));
        assert!(found.is_some() && out.belongs_to(index), "a key without a deadline was lost");
        black_box(&out);
        let after = Instant::now();
        let times = if after >= due {
            Some(&mut reads.during)
        } else {
            (after + BREATH < due).then_some(&mut reads.quiet)
        };
        if let Some(times) = times {
            times.saturating_record((after - before).as_nanos() as u64);
        }
        before = after;
    }
    reads
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keys_go_and_gets_are_timed_before_and_after_the_deadline() {
        let round = round(1_000, Duration::from_millis(300), true);
        assert!(round.gone.is_finite());
        let reads = round.reads.expect("somebody read");
        assert!(!reads.quiet.is_empty());
    }
}
