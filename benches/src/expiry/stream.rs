//! Keys that are set and expire at a steady rate.
//!
//! All keys of a pulse are due at one moment, so that a count shows how late each is: see `lag`.

use super::lag::{Lag, follow};
use super::timed::set;
use rkv::Store;
use std::thread;
use std::time::{Duration, Instant};

/// How much expires, and how fast.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    /// Keys that are due at one moment.
    pub(super) pulse: u64,
    /// From one such moment to the next.
    pub(super) gap: Duration,
    /// How many such moments.
    pub(super) pulses: u32,
}

impl Scale {
    /// 200,000 keys a second for ten seconds.
    pub(super) const FULL: Scale =
        Scale { pulse: 4_000, gap: Duration::from_millis(20), pulses: 500 };
}

/// What the stream showed.
pub(super) struct Stream {
    pub(super) lag: Lag,
    /// Keys that the writer set in a second. A writer that falls behind sets fewer.
    pub(super) rate: u64,
}

/// What a key has left, at least, when it is set.
const TTL: Duration = Duration::from_millis(200);

/// How long the last keys may be late.
const PATIENCE: Duration = Duration::from_secs(5);

/// One thread sets keys, evenly over the time; each is due when its pulse is.
pub(super) fn run(scale: Scale) -> Stream {
    let store = Store::new();
    let began = Instant::now();
    let due = |pulse: u32| began + (pulse + 1) * scale.gap + TTL;
    let all = scale.pulse * u64::from(scale.pulses);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for pulse in 0..scale.pulses {
                write_pulse(&store, scale, (pulse, began + pulse * scale.gap), due(pulse));
            }
            began.elapsed()
        });
        // Keys that a writer removes with the table it moves have gone as well.
        let gone = || {
            let stats = store.stats();
            stats.expired_actively + stats.expired_lazily
        };
        let seen = follow(all, due(scale.pulses) + PATIENCE, gone);
        let took = writer.join().expect("the writer does not panic");
        let due: Vec<_> = (0..all).map(|key| due((key / scale.pulse) as u32)).collect();
        let rate = (all as f64 / took.as_secs_f64()).round() as u64;
        Stream { lag: Lag::of(&due, &seen), rate }
    })
}

/// Sets the keys of a pulse, evenly from `start` on.
fn write_pulse(store: &Store, scale: Scale, (pulse, start): (u32, Instant), due: Instant) {
    let first = u64::from(pulse) * scale.pulse;
    for key in 0..scale.pulse {
        let planned = start + scale.gap.mul_f64(key as f64 / scale.pulse as f64);
        while Instant::now() < planned {
            thread::yield_now();
        }
        // A writer that is too late by more than the lifetime sets what ends at once.
        let left = due.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
        set(store, first + key, Some(left));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_stream_goes_and_the_rate_is_that_of_the_writer() {
        let scale = Scale { pulse: 20, gap: Duration::from_millis(10), pulses: 5 };
        let stream = run(scale);
        assert!(stream.lag.at(1000).is_some());
        // A busy machine can make it slower, nothing can make it faster.
        assert!(stream.rate > 0 && stream.rate <= 2_100, "{}", stream.rate);
    }
}
