//! Keys that are due one by one, among many that are not.

use super::Probed;
use super::lag::{Lag, follow, nap};
use super::timed::{Timed, spread};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What a probe is given before the first is due: all of them are set by then.
const LEAD: Duration = Duration::from_millis(500);

/// How long the last probes may be late.
const PATIENCE: Duration = Duration::from_secs(5);

/// What goes on beside the probes.
#[derive(Clone, Copy, PartialEq)]
enum Others {
    Rest,
    /// So many keys a second that are not due are set anew.
    Write(u64),
}

const SITUATIONS: [(&str, Others); 2] =
    [("nobody writes", Others::Rest), ("10,000 writes/s", Others::Write(10_000))];

/// Lets `probes` keys expire, `gap` after each other, among `entries` that are not due.
pub(super) fn run<T: Timed>(entries: u64, probes: u64, gap: Duration) -> Vec<Probed> {
    let timed = T::filled(entries);
    timed.count();
    let mut first = entries;
    let probe = |(situation, others)| {
        let probes = first..first + probes;
        first = probes.end;
        let look = || watched(&timed, probes, gap);
        let lag = match others {
            Others::Rest => look(),
            Others::Write(rate) => beside_a_writer(&timed, entries, rate, look),
        };
        Probed { engine: T::NAME, situation, lag }
    };
    SITUATIONS.into_iter().map(probe).collect()
}

/// Sets keys with these indexes, and looks when they go.
fn watched<T: Timed>(timed: &T, probes: std::ops::Range<u64>, gap: Duration) -> Lag {
    let (count, mut due) = (probes.end - probes.start, Vec::new());
    for index in probes {
        let ttl = LEAD + due.len() as u32 * gap;
        due.push(Instant::now() + ttl);
        timed.set(index, ttl);
    }
    timed.count();
    let before = timed.held();
    let end = due.last().map_or_else(Instant::now, |&last| last + PATIENCE);
    let seen = follow(count, end, || before.saturating_sub(timed.held()));
    Lag::of(&due, &seen)
}

/// While somebody sets random keys of those that are not due anew, `rate` a second.
fn beside_a_writer<T: Timed, R>(timed: &T, entries: u64, rate: u64, work: impl FnOnce() -> R) -> R {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let (mut rng, began, mut written) = (SmallRng::seed_from_u64(1), Instant::now(), 0);
            while !stop.load(Ordering::Relaxed) {
                let wanted = began.elapsed().as_micros() as u64 * rate / 1_000_000;
                for _ in written..wanted {
                    let index = rng.next_u64() % entries;
                    timed.set(index, spread(index));
                }
                written = wanted;
                nap();
            }
        });
        let done = work();
        stop.store(true, Ordering::Relaxed);
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_probe_goes_from_a_store_whatever_else_goes_on() {
        let probed = run::<rkv::Store>(100, 5, Duration::from_millis(10));
        assert_eq!(probed.len(), SITUATIONS.len());
        assert!(probed.iter().all(|probed| probed.lag.at(1000).is_some()));
    }

    #[test]
    fn writer_keeps_its_rate_and_sets_only_keys_that_are_there() {
        let store = rkv::Store::filled(10);
        let version = || (0..10).map(|index| version_of(&store, index)).sum::<u64>();
        let before = version();
        beside_a_writer(&store, 10, 1_000_000, || while version() < before + 1_000 {});
        assert_eq!(store.held(), 10);
    }

    fn version_of(store: &rkv::Store, index: u64) -> u64 {
        use crate::keys::{ByteKey, Key};
        store.get(ByteKey::at(index)).map_or(0, |value| value.version())
    }
}
