//! How long single operations take while a map grows from empty, as percentiles.
//!
//! A throughput hides the one insert that waits for the whole table to be copied; the last
//! percentiles show it.

pub mod growth;

use crate::entrant::Entrant;
use crate::grid::{aligned, thousands};
use crate::plan::estimate_fill;
use crate::progress::advance;
use crate::runner::alternating;
use crate::score::median;
use growth::Growth;
use hdrhistogram::Histogram;
use indicatif::ProgressBar;
use std::time::Duration;

/// How much is inserted, by whom, how often.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Entries that an engine grows to.
    pub entries: u64,
    /// Threads that insert.
    pub threads: usize,
    /// How often each engine grows.
    pub rounds: u32,
}

/// The columns of percentiles.
const QUANTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999), ("max", 1.0)];

/// How long a run takes, about.
pub fn estimate(engines: usize, scale: Scale) -> Duration {
    engines as u32 * scale.rounds * estimate_fill(scale.entries)
}

/// Lets each of `entrants` grow in each round, in alternating order; for each one its growths.
/// `progress` counts milliseconds of estimated work.
pub fn run(entrants: &[Entrant], scale: Scale, progress: &ProgressBar) -> Vec<Vec<Growth>> {
    let mut growths: Vec<Vec<Growth>> = entrants.iter().map(|_| Vec::new()).collect();
    for round in 0..scale.rounds {
        for engine in alternating(entrants.len(), round) {
            progress.set_message(format!("{}, round {}", entrants[engine].card.name, round + 1));
            growths[engine].push((entrants[engine].growth)(scale.entries, scale.threads));
            advance(progress, estimate_fill(scale.entries));
        }
    }
    growths
}

/// The tables of inserts and gets; each figure is the median of its rounds.
pub fn render(names: &[&str], scale: Scale, growths: &[Vec<Growth>]) -> String {
    let Scale { entries, threads, rounds } = scale;
    let head = |what: &str, first: Option<&str>| {
        let quantiles = QUANTILES.iter().map(|(title, _)| *title);
        let titles = [what].into_iter().chain(first).chain(quantiles);
        titles.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut inserts = vec![head("insert", Some("M inserts/s"))];
    let mut gets = vec![head("get", None)];
    for (name, growths) in names.iter().zip(growths) {
        let rate = median(growths.iter().map(|growth| growth.inserts_per_us));
        let mut row = vec![(*name).to_owned(), format!("{:.2}", rate.unwrap_or(f64::NAN))];
        row.extend(percentiles(growths, |growth| &growth.inserts));
        inserts.push(row);
        let times = percentiles(growths, |growth| &growth.gets);
        gets.push([(*name).to_owned()].into_iter().chain(times).collect());
    }
    format!(
        "{} inserts into an empty store by {threads} threads, each followed by a get of an earlier \
         key;\n16-byte keys, 64-byte values: microseconds, median of {rounds} rounds\n{}\n{}",
        thousands(entries),
        aligned(&inserts),
        aligned(&gets)
    )
}

/// The median over the rounds of each percentile, in microseconds.
fn percentiles(
    growths: &[Growth],
    times: impl Fn(&Growth) -> &Histogram<u64>,
) -> impl Iterator<Item = String> {
    QUANTILES
        .map(|(_, quantile)| {
            let nanos =
                growths.iter().map(|growth| times(growth).value_at_quantile(quantile) as f64);
            microseconds(median(nanos).unwrap_or(f64::NAN))
        })
        .into_iter()
}

/// Three digits or more.
fn microseconds(nanos: f64) -> String {
    let us = nanos / 1e3;
    match us {
        _ if us < 10.0 => format!("{us:.2}"),
        _ if us < 100.0 => format!("{us:.1}"),
        _ => format!("{us:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engines;
    use crate::workload::Family;

    /// A growth in which one insert of a thousand takes `slowest` nanoseconds, the others 500.
    fn growth(inserts_per_us: f64, slowest: u64) -> Growth {
        let (mut inserts, mut gets) = (growth::times(), growth::times());
        inserts.saturating_record_n(500, 999);
        inserts.saturating_record(slowest);
        gets.saturating_record(12_000);
        Growth { inserts_per_us, inserts, gets }
    }

    #[test]
    fn tables_show_the_median_of_each_percentile() {
        let rkv = vec![growth(1.0, 9_000_000), growth(2.0, 40_000), growth(3.0, 2_000)];
        let slow = vec![growth(0.5, 700_000_000)];
        let scale = Scale { entries: 1_000, threads: 2, rounds: 3 };
        let expected = "\
1,000 inserts into an empty store by 2 threads, each followed by a get of an earlier key;
16-byte keys, 64-byte values: microseconds, median of 3 rounds
insert  M inserts/s   p50   p99  p99.9  p99.99     max
rkv            2.00  0.50  0.50   0.50    40.0    40.0
slow           0.50  0.50  0.50   0.50  700449  700449

get    p50   p99  p99.9  p99.99   max
rkv   12.0  12.0   12.0    12.0  12.0
slow  12.0  12.0   12.0    12.0  12.0
";
        assert_eq!(render(&["rkv", "slow"], scale, &[rkv, slow]), expected);
    }

    #[test]
    fn every_engine_grows_in_every_round() {
        let mut entrants = engines::entrants(Family::Bytes);
        entrants.truncate(3);
        let scale = Scale { entries: 2_000, threads: 2, rounds: 2 };
        let bar = crate::progress::bar(estimate(3, scale));
        let growths = run(&entrants, scale, &bar);
        assert!(growths.len() == 3 && growths.iter().all(|growths| growths.len() == 2));
        assert!(growths.iter().flatten().all(|growth| growth.inserts.len() == 2_000));
    }
}
