//! The clock. The only caller of `Instant` and `SystemTime`.

use std::time::{Duration, Instant, SystemTime};

use crate::sync::figures::AtomicU64;
use crate::sync::{Arc, OnceLock, Relaxed};

/// Milliseconds since this process first asked, from a clock that never goes back. At least 1.
pub(crate) fn monotonic_ms() -> u64 {
    monotonic().as_millis() as u64 + 1
}

/// The time since this process first asked.
fn monotonic() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// What a store takes its time from: the system's monotonic clock, or one that is moved by hand.
///
/// A reading of the system's costs 20 to 40 ns; only keys with a deadline need one.
#[derive(Debug, Clone, Default)]
pub(crate) enum Clock {
    #[default]
    System,
    Manual(ManualClock),
}

impl Clock {
    /// Whether it is the system's.
    pub(crate) fn is_system(&self) -> bool {
        matches!(self, Self::System)
    }

    /// Whole milliseconds that have passed since some moment.
    #[inline]
    pub(crate) fn now_ms(&self) -> u64 {
        self.now().ms()
    }

    /// The first whole millisecond at which the clock on the wall, as it stands now, shows `time`;
    /// `None` if that has passed.
    pub(crate) fn ms_at(&self, time: SystemTime) -> Option<u64> {
        // The wall first: with it second, the span would be too short.
        let (wall, now) = match self {
            Self::System => (SystemTime::now(), self.now()),
            Self::Manual(clock) => {
                let now = clock.elapsed();
                (SystemTime::UNIX_EPOCH + now, Moment(nanoseconds(now)))
            }
        };
        let left = time.duration_since(wall).ok().filter(|left| !left.is_zero())?;
        Some(now.ms_after(left))
    }

    /// What it shows.
    #[inline]
    pub(crate) fn now(&self) -> Moment {
        match self {
            Self::System => Moment(nanoseconds(monotonic())),
            Self::Manual(clock) => Moment(nanoseconds(clock.elapsed())),
        }
    }
}

/// A reading of a clock, in nanoseconds since some moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(u64);

const NANOSECONDS_PER_MS: u64 = 1_000_000;

impl Moment {
    #[cfg(all(test, rkv_loom))]
    pub(crate) const fn at_ms(ms: u64) -> Self {
        Self(ms * NANOSECONDS_PER_MS)
    }

    /// Whole milliseconds.
    #[inline]
    pub(crate) const fn ms(self) -> u64 {
        self.0 / NANOSECONDS_PER_MS
    }

    /// The first whole millisecond at which `after` has passed from this moment on. The last of
    /// 584 years if that is later.
    #[inline]
    pub(crate) fn ms_after(self, after: Duration) -> u64 {
        self.0.saturating_add(nanoseconds(after)).div_ceil(NANOSECONDS_PER_MS)
    }
}

/// 584 years if it is longer.
#[inline]
fn nanoseconds(span: Duration) -> u64 {
    let whole = span.as_secs().saturating_mul(1_000_000_000);
    whole.saturating_add(u64::from(span.subsec_nanos()))
}

/// A clock for tests that stands still until it is told to move. See
/// [`StoreBuilder::clock`](crate::StoreBuilder::clock).
///
/// Clones are the same clock. Its wall time begins at the Unix epoch.
///
/// ```
/// use std::time::Duration;
/// use rkv::{ManualClock, Store, Ttl};
/// let clock = ManualClock::new();
/// let store = Store::builder().clock(&clock).build()?;
/// store.set_with("token", "secret", Ttl::After(Duration::from_secs(60)))?;
/// clock.advance(Duration::from_secs(59));
/// assert!(store.contains("token"));
/// clock.advance(Duration::from_secs(1));
/// assert!(!store.contains("token"));
/// # Ok::<(), rkv::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ManualClock {
    nanoseconds: Arc<AtomicU64>,
}

impl ManualClock {
    /// A clock at 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock on. It stops after 584 years.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        // Relaxed: who must see the new time is told by other means.
        let _ = self.nanoseconds.fetch_update(Relaxed, Relaxed, |now| Some(now.saturating_add(by)));
    }

    /// The time since it began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_ends_at_the_first_millisecond_that_is_not_too_early() {
        let manual = ManualClock::new();
        let clock = Clock::Manual(manual.clone());
        assert_eq!(clock.now().ms_after(Duration::from_millis(5)), 5);
        manual.advance(Duration::from_nanos(1));
        assert_eq!(clock.now_ms(), 0);
        assert_eq!(clock.now().ms_after(Duration::from_millis(5)), 6);
        assert_eq!(clock.now().ms_after(Duration::from_nanos(1)), 1);
        assert!(clock.now().ms_after(Duration::MAX) > 1 << 42, "for ever, to a deadline");
    }

    #[test]
    fn a_time_on_the_wall_is_found_on_the_clock_unless_it_has_passed() {
        let manual = ManualClock::new();
        manual.advance(Duration::from_secs(10));
        let clock = Clock::Manual(manual);
        let at = |nanoseconds| SystemTime::UNIX_EPOCH + Duration::from_nanos(nanoseconds);
        assert_eq!(clock.ms_at(at(25_000_000_001)), Some(25_001));
        assert_eq!(clock.ms_at(at(10_000_000_000)), None);
        assert_eq!(clock.ms_at(at(0)), None);
        let soon = SystemTime::now() + Duration::from_secs(5);
        let before = Clock::System.now().ms_after(Duration::from_secs(4));
        assert!(Clock::System.ms_at(soon).is_some_and(|ms| ms > before));
        assert_eq!(Clock::System.ms_at(SystemTime::UNIX_EPOCH), None);
    }
}
