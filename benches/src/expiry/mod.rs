//! What deadlines cost, and how late what has expired goes.
//!
//! `timed` is a store or a rival with keys that end, `lag` says how late they went; `probes`,
//! `stream` and `at_once` let keys expire in three ways, `cost` is the price of a deadline in time
//! and memory, and `chart` shows rkv beside its rival.

pub mod lag;
mod timed;
mod probes;
mod stream;
mod at_once;
mod cost;
pub mod chart;

pub use cost::bytes_per_entry;

use crate::grid::thousands;
use lag::Lag;
use std::io;
use std::time::Duration;
use timed::{Moka, Timed};

/// What a run showed.
pub struct Report {
    /// All lines.
    pub text: String,
    /// How late the probes went.
    pub probed: Vec<Probed>,
}

/// How late probes went from a store or a cache.
pub struct Probed {
    /// Whose.
    pub engine: &'static str,
    /// What else went on.
    pub situation: &'static str,
    /// How late.
    pub lag: Lag,
}

/// Keys that are due, watched one by one.
const PROBES: u64 = 1_000;

/// LIMIT: what is not about many keys that are not due has a million, or a run takes too long.
const MANY: u64 = 1_000_000;

/// Measures the resident bytes per entry of a store with so many entries, with or without
/// deadlines, in a process of its own.
pub type MeasureMemory<'m> = dyn Fn(u64, bool) -> io::Result<f64> + 'm;

/// Runs everything with so many keys that are not due, and shows each line as it comes.
///
/// Errors: memory could not be measured.
pub fn report(entries: u64, memory: &MeasureMemory<'_>) -> io::Result<Report> {
    let mut lines = Lines(String::new());
    lines.say(Lag::head());
    let mut probed = probe::<rkv::Store>(entries, &mut lines);
    probed.extend(probe::<Moka>(entries.min(MANY), &mut lines));
    let stream = stream::run(stream::Scale::FULL);
    lines.say(stream.lag.row("rkv, 200,000 keys a second, set and expired, for 10 seconds"));
    lines.say(format!("  of which the writer set {} a second", thousands(stream.rate)));
    lines.say(String::new());
    lines.say(at_once::report(entries.min(MANY)));
    lines.say(cost::report(entries.min(MANY), memory)?);
    Ok(Report { text: lines.0, probed })
}

fn probe<T: Timed>(entries: u64, lines: &mut Lines) -> Vec<Probed> {
    let probed = probes::run::<T>(entries, PROBES, Duration::from_millis(10));
    for Probed { engine, situation, lag } in &probed {
        let (probes, others) = (thousands(PROBES), thousands(entries));
        lines.say(lag.row(&format!("{engine}, {probes} keys among {others}, {situation}")));
    }
    probed
}

/// What has been said.
struct Lines(String);

impl Lines {
    fn say(&mut self, line: String) {
        println!("{line}");
        self.0 += &line;
        self.0.push('\n');
    }
}
