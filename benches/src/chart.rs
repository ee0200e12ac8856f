//! The result charts for a README: per size, how far rkv is ahead of the best rival or behind it.
//!
//! One bar per workload and engine of rkv; its length is rkv's throughput divided by the best
//! rival's.

use crate::bars::{self, Bar, Picture};
use crate::grid::thousands;
use crate::runner::Outcome;
use crate::score::{Best, standings, throughputs};
use plotters::style::RGBColor;
use std::io;
use std::path::{Path, PathBuf};

/// A picture of one size at one number of threads.
pub struct Chart {
    /// The name of its file.
    pub file: String,
    /// The picture.
    pub svg: String,
}

/// Writes the charts of `outcomes` to `folder`; their paths.
///
/// Errors: as [`save`].
pub fn write(folder: &Path, outcomes: &[Outcome]) -> io::Result<Vec<PathBuf>> {
    charts(outcomes).into_iter().map(|chart| save(folder, &chart.file, &chart.svg)).collect()
}

/// Writes a picture to a file in `folder`, which is made if need be; its path.
///
/// Errors: the folder or the file cannot be written.
pub fn save(folder: &Path, file: &str, svg: &str) -> io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(file);
    std::fs::write(&path, svg)?;
    Ok(path)
}

/// One chart per size and number of threads in `outcomes`; none where no rival took part.
pub fn charts(outcomes: &[Outcome]) -> Vec<Chart> {
    let cells =
        outcomes.iter().flat_map(|o| o.cells.iter().map(|c| (o.section.entries, c.threads)));
    let mut places: Vec<(u64, usize)> = cells.collect();
    places.sort_unstable();
    places.dedup();
    let chart = |(entries, threads)| {
        let groups = groups(outcomes, entries, threads);
        let file = format!("{entries}-entries-{threads}-threads.svg");
        let title = format!("{} entries, {threads} threads", thousands(entries));
        (!groups.is_empty()).then(|| Chart { file, svg: draw(&title, &groups) })
    };
    places.into_iter().filter_map(chart).collect()
}

/// The bars of one workload.
struct Group {
    workload: &'static str,
    bars: Vec<(&'static str, Best)>,
}

fn groups(outcomes: &[Outcome], entries: u64, threads: usize) -> Vec<Group> {
    let of_size = outcomes.iter().filter(|outcome| outcome.section.entries == entries);
    let cells = of_size.flat_map(|o| o.cells.iter().map(move |cell| (&o.cards, cell)));
    let groups = cells.filter(|(_, cell)| cell.threads == threads).map(|(cards, cell)| {
        let standings = standings(cards, &throughputs(cell)).into_iter();
        let bars = standings.filter_map(|s| s.best.map(|best| (s.engine, best))).collect();
        Group { workload: cell.workload.name(), bars }
    });
    groups.filter(|group| !group.bars.is_empty()).collect()
}

/// rkv's engines: name, what a thread holds, colour.
const ENGINES: [(&str, &str, RGBColor); 2] = [
    ("rkv", "rkv, each call for itself", bars::BLUE),
    ("rkv-session", "rkv with a session", bars::ORANGE),
];

fn draw(title: &str, groups: &[Group]) -> String {
    let scale = Scale::of(groups);
    let bar = |&(engine, best): &(&str, Best)| {
        let label = format!("{:.2} × {}", best.ratio, best.rival);
        Bar { colour: colour(engine), length: scale.length(best.ratio), label }
    };
    let groups = groups.iter().map(|group| bars::Group {
        name: group.workload.to_owned(),
        bars: group.bars.iter().map(bar).collect(),
    });
    let picture = Picture {
        title: format!("{title}: throughput of rkv divided by the best rival's"),
        legend: ENGINES.map(|(_, what, colour)| (what, colour)).to_vec(),
        ticks: scale.ticks(),
        mark: Some((scale.length(1.0), "the best rival")),
        groups: groups.collect(),
    };
    picture.draw()
}

fn colour(engine: &str) -> RGBColor {
    let known = ENGINES.into_iter().find(|(name, ..)| *name == engine);
    known.map_or(bars::GREY, |(.., colour)| colour)
}

/// From ratios to lengths of bars; the axis begins at 0.
#[derive(Clone, Copy)]
struct Scale {
    /// The largest ratio.
    max: f64,
    /// Between two numbers of the axis.
    step: f64,
}

impl Scale {
    fn of(groups: &[Group]) -> Scale {
        let ratios = groups.iter().flat_map(|group| &group.bars).map(|(_, best)| best.ratio);
        let max = ratios.fold(1.0, f64::max);
        let steps = [0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0];
        let step = steps.into_iter().find(|step| max / step <= 8.0).unwrap_or(max / 8.0);
        Scale { max, step }
    }

    fn length(self, ratio: f64) -> f64 {
        ratio / self.max
    }

    fn ticks(self) -> Vec<(f64, String)> {
        let ratios = (0..).map(|step| f64::from(step) * self.step);
        let ratios = ratios.take_while(|&ratio| ratio <= self.max);
        ratios.map(|ratio| (self.length(ratio), format!("{ratio}"))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive::Measurement;
    use crate::engine::Card;
    use crate::plan::Section;
    use crate::runner::Cell;
    use crate::workload::{Family, Workload};

    fn outcome(entries: u64, cards: &[Card], mops: &[f64]) -> Outcome {
        let measured = |&mops| vec![Measurement { mops, gets: 0, hits: 0, slowest_us: None }];
        let cell = |workload, threads| {
            let rounds = mops.iter().map(measured).collect();
            Cell { workload, threads, rounds }
        };
        Outcome {
            section: Section { entries, family: Family::Bytes, workloads: Vec::new() },
            cards: cards.to_vec(),
            bytes_per_entry: vec![None; cards.len()],
            cells: vec![cell(Workload::KvGet, 2), cell(Workload::KvGetMany16, 2)],
        }
    }

    fn cards() -> Vec<Card> {
        let own = [Card::own("rkv"), Card::own("rkv-session").session()];
        own.into_iter().chain([Card::rival("slow"), Card::rival("quick")]).collect()
    }

    #[test]
    fn same_figures_give_the_same_picture() {
        let draw = || charts(&[outcome(65_536, &cards(), &[30.0, 50.0, 10.0, 20.0])]);
        let (one, other) = (draw(), draw());
        assert_eq!(one.len(), 1);
        assert_eq!((&one[0].file, &one[0].svg), (&other[0].file, &other[0].svg));
    }

    #[test]
    fn chart_names_the_workload_the_ratio_and_the_rival() {
        let chart = &charts(&[outcome(65_536, &cards(), &[30.0, 50.0, 10.0, 20.0])])[0];
        assert_eq!(chart.file, "65536-entries-2-threads.svg");
        for text in ["65,536 entries", "kv-get-many-16", "1.50 × quick", "2.50 × quick"] {
            assert!(chart.svg.contains(text), "{text} is missing");
        }
        assert!(chart.svg.ends_with("</svg>\n"));
    }

    #[test]
    fn each_size_has_a_chart_that_shows_all_kinds_of_engines() {
        let mops = [30.0, 50.0, 10.0, 20.0];
        let both = [outcome(10, &cards(), &mops), outcome(10, &cards()[1..], &mops[1..])];
        let more = outcome(20, &cards(), &mops);
        let charts = charts(&[more].into_iter().chain(both).collect::<Vec<_>>());
        let files: Vec<_> = charts.iter().map(|chart| chart.file.as_str()).collect();
        assert_eq!(files, ["10-entries-2-threads.svg", "20-entries-2-threads.svg"]);
        assert_eq!(charts[0].svg.matches(" × quick").count(), 2 * 2 + 2);
        assert_eq!(charts[1].svg.matches(" × quick").count(), 2 * 2);
    }

    #[test]
    fn without_a_rival_there_is_no_chart() {
        assert!(charts(&[outcome(10, &cards()[..2], &[1.0, 2.0])]).is_empty());
    }

    #[test]
    fn longest_bar_has_the_whole_length_and_the_axis_few_numbers() {
        for ratio in [0.2, 1.0, 1.3, 7.5, 900.0] {
            let bars = vec![("rkv", Best { rival: "quick", ratio })];
            let scale = Scale::of(&[Group { workload: "kv-get", bars }]);
            assert_eq!(scale.length(ratio.max(1.0)), 1.0);
            let ticks = scale.ticks();
            assert!((2..=9).contains(&ticks.len()) && ticks[0] == (0.0, "0".to_owned()));
        }
    }
}
