//! How late expired entries go: a histogram.

use std::array;
use std::time::Duration;

use crate::sync::Relaxed;
use crate::sync::figures::AtomicU64;

/// Up to so many milliseconds, each has a bucket of its own; then each power of two has so many.
const FINE: u64 = 8;

/// Buckets for all spans up to 2^42 ms, the longest deadline.
const BUCKETS: usize = (FINE * 40) as usize;

/// Counts of spans, each within an eighth of what it was.
pub(super) struct Lag {
    buckets: [AtomicU64; BUCKETS],
    max: AtomicU64,
}

/// How late entries went that a timer removed after their deadline, since the store was made. To
/// within an eighth, and rounded up; all zero if none did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ExpiryLag {
    /// Half of them went as soon as this, or sooner.
    pub p50: Duration,
    /// 99 of 100 went as soon as this, or sooner.
    pub p99: Duration,
    /// None went later. Exact.
    pub max: Duration,
}

impl Default for Lag {
    fn default() -> Self {
        Self { buckets: array::from_fn(|_| AtomicU64::default()), max: AtomicU64::default() }
    }
}

impl Lag {
    /// Counts a span of `ms`.
    pub(super) fn count(&self, ms: u64) {
        // Relaxed: figures.
        self.buckets[bucket(ms)].fetch_add(1, Relaxed);
        if ms > self.max.load(Relaxed) {
            self.max.fetch_max(ms, Relaxed);
        }
    }

    pub(super) fn figures(&self) -> ExpiryLag {
        let counts = self.buckets.each_ref().map(|count| count.load(Relaxed));
        let (all, max) = (counts.iter().sum::<u64>(), self.max.load(Relaxed));
        let quantile = |of_100: u64| {
            let mut left = (all * of_100).div_ceil(100);
            let holds = |&count: &u64| {
                left = left.saturating_sub(count);
                left == 0
            };
            let bucket = counts.iter().position(holds).unwrap_or(0);
            Duration::from_millis(last_of(bucket).min(max))
        };
        ExpiryLag { p50: quantile(50), p99: quantile(99), max: Duration::from_millis(max) }
    }
}

/// The bucket of a span: those from `FINE << n` on are `1 << n` ms wide.
fn bucket(ms: u64) -> usize {
    let width = (ms / FINE).checked_ilog2().unwrap_or(0);
    let bucket = (ms >> width) + FINE * u64::from(width);
    (bucket as usize).min(BUCKETS - 1)
}

/// The longest span of a bucket.
fn last_of(bucket: usize) -> u64 {
    let width = (bucket as u64 / FINE).saturating_sub(1);
    let first = bucket as u64 - FINE * width;
    ((first + 1) << width) - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ManualClock, Store, Ttl};

    #[test]
    fn buckets_follow_each_other_without_a_gap_and_are_within_an_eighth() {
        assert_eq!(bucket(0), 0);
        let spans = (0..5000).chain([1 << 20, 1 << 41]);
        for ms in spans {
            let last = last_of(bucket(ms));
            assert!(last >= ms && last - ms <= ms / FINE, "{ms} ms stands for {last}");
            assert_eq!(bucket(last + 1), bucket(ms) + 1);
        }
    }

    #[test]
    fn quantiles_are_those_of_what_was_counted() {
        let lag = Lag::default();
        assert_eq!(lag.figures(), ExpiryLag::default());
        (1..=100).for_each(|ms| lag.count(ms));
        lag.count(777);
        let ExpiryLag { p50, p99, max } = lag.figures();
        assert_eq!(p50.as_millis(), 51);
        assert!((100..=103).contains(&p99.as_millis()), "{p99:?}");
        assert_eq!(max.as_millis(), 777);
    }

    #[test]
    fn quantiles_are_exact_where_spans_are_short_and_never_above_the_longest() {
        let lag = Lag::default();
        (1..=3).for_each(|ms| lag.count(ms));
        let millis = |lag: &Lag| {
            let ExpiryLag { p50, p99, max } = lag.figures();
            [p50, p99, max].map(|span| span.as_millis())
        };
        assert_eq!(millis(&lag), [2, 3, 3]);
        let lag = Lag::default();
        lag.count(4096);
        assert_eq!(millis(&lag), [4096; 3]);
    }

    #[test]
    fn an_end_counts_as_late_by_the_time_since_its_deadline_if_a_timer_brought_it() {
        let clock = ManualClock::new();
        let store = Store::builder().clock(&clock).build().expect("memory");
        let (ttl, late) = (Duration::from_millis(20), Duration::from_millis(5));
        let set = || {
            store.set_with("k", "v", Ttl::After(ttl)).expect("set");
            clock.advance(ttl + late);
        };
        set();
        assert!(!store.contains("k"), "the reader was first");
        set();
        store.set("k", "w").expect("the writer was first");
        assert_eq!(store.stats().expiry_lag, ExpiryLag::default());
        set();
        assert_eq!(store.purge_expired(), Ok(1));
        let lag = store.stats().expiry_lag;
        assert_eq!([lag.p50, lag.p99, lag.max], [late; 3]);
        let stats = store.stats();
        assert_eq!((stats.expired_lazily, stats.expired_actively), (2, 1));
    }
}
