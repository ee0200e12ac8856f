//! How late keys went, from a count of those that are left.
//!
//! A count does not say which key went. But no key goes before it is due: when as many are gone as
//! are due before some moment, and that is seen before the next one is due, then it is these. So
//! the keys are due at moments that lie further apart than the lag is, and [`Lag::in_doubt`] says
//! of how many keys that did not hold.

use std::thread;
use std::time::{Duration, Instant};

/// How late keys went.
pub struct Lag {
    /// In milliseconds, of those that went, in ascending order.
    late: Vec<f64>,
    /// Those that never went.
    never: usize,
    in_doubt: usize,
}

impl Lag {
    /// From the moments at which keys were due, and at which so many had been seen to be gone, both
    /// in ascending order.
    pub fn of(due: &[Instant], seen: &[(u64, Instant)]) -> Self {
        let (mut late, mut in_doubt) = (Vec::with_capacity(due.len()), 0);
        for &(gone, at) in seen {
            let gone = due.len().min(gone as usize);
            for &moment in &due[late.len().min(gone)..gone] {
                late.push(at.saturating_duration_since(moment).as_secs_f64() * 1e3);
                let next = due[due.partition_point(|&other| other <= moment)..].first();
                in_doubt += usize::from(next.is_some_and(|&next| next <= at));
            }
        }
        late.sort_unstable_by(f64::total_cmp);
        Self { never: due.len() - late.len(), late, in_doubt }
    }

    /// The lag in milliseconds that so many of a thousand keys do not exceed; `None` if they never
    /// went.
    pub fn at(&self, permille: usize) -> Option<f64> {
        let keys = self.late.len() + self.never;
        self.late.get(keys.saturating_sub(1) * permille / 1000).copied()
    }

    /// Of how many keys it is not sure whether it was they that went, or others that were due.
    pub fn in_doubt(&self) -> usize {
        self.in_doubt
    }

    /// The titles above rows.
    pub fn head() -> String {
        let figures = ["p50", "p99", "max"].map(|title| format!("{title:>8}")).join("");
        format!("{:<66}{figures} in doubt", "late by, in milliseconds")
    }

    /// A line of a table.
    pub fn row(&self, what: &str) -> String {
        let figures = [500, 990, 1000].map(|permille| match self.at(permille) {
            Some(ms) => format!("{ms:>8.2}"),
            None => format!("{:>8}", "never"),
        });
        format!("{what:<66}{} {:>8}", figures.join(""), self.in_doubt)
    }
}

/// Looks at a count until it reaches `all` or `end` has come; each change of it, and when.
pub(super) fn follow(all: u64, end: Instant, gone: impl Fn() -> u64) -> Vec<(u64, Instant)> {
    let (mut seen, mut last) = (Vec::new(), 0);
    loop {
        let (count, now) = (gone(), Instant::now());
        if count > last {
            seen.push((count, now));
            last = count;
        }
        if count >= all || now >= end {
            return seen;
        }
        nap();
    }
}

/// How long who watches looks away: as long as a lag may seem longer than it is.
const NAP: Duration = Duration::from_micros(100);

/// Leaves the processor to those who are watched.
#[expect(clippy::disallowed_methods, reason = "who watches must not take a core from who works")]
pub(super) fn nap() {
    thread::sleep(NAP);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn after(ms: &[u64]) -> Vec<Instant> {
        let start = Instant::now();
        ms.iter().map(|&ms| start + Duration::from_millis(ms)).collect()
    }

    /// Keys due after so many milliseconds, and counts seen after so many.
    fn lag(due: &[u64], seen: &[(u64, u64)]) -> Lag {
        let moments: Vec<u64> = seen.iter().map(|&(_, ms)| ms).collect();
        let all = after(&[due, &moments].concat());
        let (due, moments) = all.split_at(due.len());
        let seen: Vec<_> = seen.iter().map(|&(gone, _)| gone).zip(moments.to_vec()).collect();
        Lag::of(due, &seen)
    }

    fn permilles(lag: &Lag) -> [Option<f64>; 3] {
        [0, 500, 1000].map(|permille| lag.at(permille).map(f64::round))
    }

    #[test]
    fn keys_that_go_before_the_next_is_due_are_late_by_what_was_seen() {
        let lag = lag(&[10, 20, 30], &[(1, 11), (2, 25), (3, 33)]);
        assert_eq!(permilles(&lag), [Some(1.0), Some(3.0), Some(5.0)]);
        assert_eq!(lag.in_doubt(), 0);
    }

    #[test]
    fn keys_that_are_due_together_are_told_apart_from_later_ones() {
        let lag = lag(&[10, 10, 10, 20], &[(2, 12), (3, 19), (4, 21)]);
        assert_eq!(permilles(&lag), [Some(1.0), Some(2.0), Some(9.0)]);
        assert_eq!(lag.in_doubt(), 0);
    }

    #[test]
    fn key_that_was_seen_to_go_when_the_next_was_due_is_in_doubt() {
        let lag = lag(&[10, 20, 30], &[(1, 21), (2, 29), (3, 90)]);
        assert_eq!(lag.in_doubt(), 1);
    }

    #[test]
    fn keys_that_are_still_there_at_the_end_never_went() {
        let lag = lag(&[10, 20, 30], &[(1, 11)]);
        assert_eq!(permilles(&lag), [Some(1.0), None, None]);
        assert!(lag.row("one").contains("never"));
    }

    #[test]
    fn watch_ends_with_the_last_key_or_with_its_time() {
        let looks = Cell::new(0);
        let gone = || {
            looks.set(looks.get() + 1);
            7
        };
        let seen = follow(7, Instant::now() + Duration::from_secs(1), gone);
        assert_eq!((seen.len(), seen[0].0, looks.get()), (1, 7, 1));
        assert!(follow(7, Instant::now(), || 0).is_empty());
    }
}
