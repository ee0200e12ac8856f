//! Endurance runs: memory stays flat under turnover, and comes back after shrinking.
//!
//! Each run states its bounds, prints what it saw, and lists what was broken.

pub mod turnover;
pub mod shrink;
pub mod hashers;

use crate::grid;
use crate::resident;
use rkv::Store;

/// What a run saw, for people, and what it found broken.
pub struct Report {
    /// What was done, and the bounds.
    pub title: String,
    /// Column titles, then a row per step.
    rows: Vec<Vec<String>>,
    /// One sentence per broken bound; empty when all hold.
    pub broken: Vec<String>,
}

/// Memory at one moment.
#[derive(Debug, Clone, Copy)]
struct Memory {
    resident: u64,
    table: u64,
    retired: u64,
}

impl Report {
    fn new(title: String, columns: &[&str]) -> Report {
        let head = columns.iter().map(|&column| column.to_owned()).collect();
        Report { title, rows: vec![head], broken: Vec::new() }
    }

    /// Notes a broken bound unless `holds`.
    fn require(&mut self, holds: bool, sentence: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(sentence());
        }
    }

    /// The table and the broken bounds, as lines of text.
    pub fn render(&self) -> String {
        let verdict = match self.broken.as_slice() {
            [] => "all bounds hold\n".to_owned(),
            broken => broken.iter().map(|sentence| format!("BROKEN: {sentence}\n")).collect(),
        };
        format!("{}\n{}{verdict}", self.title, grid::aligned(&self.rows))
    }
}

impl Memory {
    /// Memory now, after freeing what this thread can free.
    fn of(store: &Store) -> Memory {
        rkv::flush();
        let stats = store.stats();
        Memory {
            resident: resident::bytes(),
            table: stats.table_bytes,
            retired: stats.epoch.retired_bytes,
        }
    }
}

/// Bytes in binary units with one decimal.
fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_bound_shows_in_the_report() {
        let mut report = Report::new("a run".to_owned(), &["step", "bytes"]);
        report.rows.push(vec!["1".to_owned(), mebibytes(3 << 19)]);
        report.require(true, || unreachable!("the bound holds"));
        assert!(report.render().ends_with("1     1.5 MiB\nall bounds hold\n"));
        report.require(false, || "it grew".to_owned());
        assert!(report.render().ends_with("BROKEN: it grew\n"));
    }
}
