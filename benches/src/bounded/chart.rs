//! The picture of hits: for each trace and bound, rkv beside its rivals.

use super::caches::{OWN, RIVALS};
use super::contest::Row;
use crate::bars::{self, Bar, Group, Picture};
use plotters::style::RGBColor;

/// The name of its file.
pub const FILE: &str = "hit-ratio.svg";

/// The caches and their colours.
const COLOURS: [(&str, RGBColor); 3] =
    [(OWN, bars::BLUE), (RIVALS[0], bars::ORANGE), (RIVALS[1], bars::GREEN)];

/// Hits of one thread.
pub fn draw(rows: &[Row]) -> String {
    let group = |row: &Row| {
        let bar = |(engine, colour)| {
            let hit_ratio = row.cell(engine, 1)?.hit_ratio;
            Some(Bar { colour, length: hit_ratio, label: format!("{:.1} %", 100.0 * hit_ratio) })
        };
        let name = format!("{}, {}", row.case.name(), row.case.bound_name());
        Group { name, bars: COLOURS.into_iter().filter_map(bar).collect() }
    };
    let ticks = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];
    let picture = Picture {
        title: "Hits of bounded caches, by trace and bound (share of the keys)".to_owned(),
        legend: COLOURS.to_vec(),
        ticks: ticks.map(|share| (share, format!("{:.0} %", 100.0 * share))).to_vec(),
        mark: None,
        groups: rows.iter().map(group).collect(),
    };
    picture.draw()
}

#[cfg(test)]
mod tests {
    use super::super::contest::Cell;
    use super::super::trace::{Bound, Case, Shape, Share};
    use super::*;

    #[test]
    fn chart_names_each_trace_and_the_hits_of_each_cache() {
        let cell = |engine, threads, hit_ratio| {
            let mops = Vec::new();
            Cell { engine, threads, hit_ratio, held: 1, mops }
        };
        let case = Case { shape: Shape::Scans, share: Share::Percent(1) };
        let cells = vec![
            cell(OWN, 1, 0.512),
            cell(RIVALS[0], 1, 0.5),
            cell(RIVALS[1], 1, 0.443),
            cell(OWN, 2, 0.999),
        ];
        let svg = draw(&[Row { case, bound: Bound::Entries(1), cells }]);
        for text in ["scans, 1 %", "rkv", "moka", "quick_cache", "51.2 %", "50.0 %", "44.3 %"] {
            assert!(svg.contains(text), "{text} is missing");
        }
        assert!(!svg.contains("99.9 %"));
    }
}
