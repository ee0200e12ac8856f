//! The result charts for a README: per size, how far rkv is ahead of the best rival or behind it.
//!
//! One bar per workload and engine of rkv; its length is rkv's throughput divided by the best
//! rival's. The background is left open, and every colour stands out on white and on black.

use crate::grid::thousands;
use crate::runner::Outcome;
use crate::score::{Best, standings, throughputs};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::io;
use std::path::{Path, PathBuf};

/// A picture of one size at one number of threads.
pub struct Chart {
    /// The name of its file.
    pub file: String,
    /// The picture.
    pub svg: String,
}

/// Writes the charts of `outcomes` to `folder`, which is made if need be; their paths.
///
/// Errors: the folder or a file cannot be written.
pub fn write(folder: &Path, outcomes: &[Outcome]) -> io::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder)?;
    let write = |chart: Chart| {
        let path = folder.join(chart.file);
        std::fs::write(&path, chart.svg).map(|()| path)
    };
    charts(outcomes).into_iter().map(write).collect()
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

const TEXT: RGBColor = RGBColor(0x76, 0x76, 0x76);

/// rkv's engines: name, what a thread holds, colour.
const ENGINES: [(&str, &str, RGBColor); 2] = [
    ("rkv", "rkv, each call for itself", RGBColor(0x2f, 0x81, 0xf7)),
    ("rkv-session", "rkv with a session", RGBColor(0xd1, 0x70, 0x1a)),
];

// Places and sizes in pixels.
const WIDTH: i32 = 840;
/// The room for the names of the workloads.
const LEFT: i32 = 150;
/// The room for the figures, right of the longest bar.
const RIGHT: i32 = 170;
const TOP: i32 = 76;
const BOTTOM: i32 = 30;
const BAR: i32 = 14;
/// Between two workloads.
const GAP: i32 = 10;

fn draw(title: &str, groups: &[Group]) -> String {
    let bars: usize = groups.iter().map(|group| group.bars.len()).sum();
    let height = TOP + bars as i32 * BAR + groups.len() as i32 * GAP + BOTTOM;
    let mut svg = String::new();
    let canvas = Canvas(
        SVGBackend::with_string(&mut svg, (WIDTH as u32, height as u32)).into_drawing_area(),
    );
    let scale = Scale::of(groups);
    heading(&canvas, title);
    axis(&canvas, scale, height - BOTTOM);
    let mut top = TOP + GAP / 2;
    for group in groups {
        let middle = top + group.bars.len() as i32 * BAR / 2;
        canvas.text(group.workload, (LEFT - 8, middle), HPos::Right, 15);
        for &(engine, best) in &group.bars {
            let end = scale.x(best.ratio);
            canvas.bar((LEFT, top), (end, top + BAR - 2), colour(engine));
            let label = format!("{:.2} × {}", best.ratio, best.rival);
            canvas.text(&label, (WIDTH - RIGHT + 10, top + BAR / 2 - 1), HPos::Left, 13);
            top += BAR;
        }
        top += GAP;
    }
    canvas.line(scale.x(1.0), (TOP, height - BOTTOM), 2);
    canvas.text("the best rival", (scale.x(1.0), TOP - 6), HPos::Center, 13);
    drop(canvas);
    svg
}

fn heading(canvas: &Canvas<'_>, title: &str) {
    let title = format!("{title}: throughput of rkv divided by the best rival's");
    canvas.text(&title, (LEFT, 16), HPos::Left, 18);
    let mut left = LEFT;
    for (_, legend, colour) in ENGINES {
        canvas.bar((left, 36), (left + BAR - 2, 36 + BAR - 2), colour);
        canvas.text(legend, (left + BAR + 4, 42), HPos::Left, 14);
        left += 200;
    }
}

fn axis(canvas: &Canvas<'_>, scale: Scale, bottom: i32) {
    let mut ratio = 0.0;
    while ratio <= scale.max {
        let x = scale.x(ratio);
        canvas.line(x, (bottom, bottom + 5), 1);
        canvas.text(&format!("{ratio}"), (x, bottom + 14), HPos::Center, 13);
        ratio += scale.step;
    }
}

fn colour(engine: &str) -> RGBColor {
    let known = ENGINES.into_iter().find(|(name, ..)| *name == engine);
    known.map_or(TEXT, |(.., colour)| colour)
}

/// From ratios to pixels; the axis begins at 0.
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

    fn x(self, ratio: f64) -> i32 {
        LEFT + (ratio / self.max * f64::from(WIDTH - LEFT - RIGHT)).round() as i32
    }
}

/// What can be drawn. Drawing goes to a string, which cannot fail.
struct Canvas<'s>(DrawingArea<SVGBackend<'s>, Shift>);

impl Canvas<'_> {
    fn bar(&self, from: (i32, i32), to: (i32, i32), colour: RGBColor) {
        self.0.draw(&Rectangle::new([from, to], colour.filled())).expect("drawn to a string");
    }

    fn line(&self, x: i32, (top, bottom): (i32, i32), width: u32) {
        let line = PathElement::new([(x, top), (x, bottom)], TEXT.stroke_width(width));
        self.0.draw(&line).expect("drawn to a string");
    }

    fn text(&self, text: &str, at: (i32, i32), side: HPos, size: i32) {
        let style = ("sans-serif", size).into_font().color(&TEXT).pos(Pos::new(side, VPos::Center));
        self.0.draw_text(text, &style, at).expect("drawn to a string");
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
    fn bars_end_within_the_picture_and_begin_at_zero() {
        for ratio in [0.2, 1.0, 1.3, 7.5, 900.0] {
            let bars = vec![("rkv", Best { rival: "quick", ratio })];
            let scale = Scale::of(&[Group { workload: "kv-get", bars }]);
            assert_eq!(scale.x(0.0), LEFT);
            assert!(scale.x(ratio.max(1.0)) == WIDTH - RIGHT && scale.x(1.0) > LEFT);
            assert!(scale.max / scale.step <= 8.0);
        }
    }

    /// Contrast as the accessibility guidelines of the web define it.
    fn contrast(one: RGBColor, other: RGBColor) -> f64 {
        let light = |RGBColor(red, green, blue): RGBColor| {
            let linear = |part: u8| match f64::from(part) / 255.0 {
                part if part <= 0.040_45 => part / 12.92,
                part => ((part + 0.055) / 1.055).powf(2.4),
            };
            0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue) + 0.05
        };
        let (one, other) = (light(one), light(other));
        one.max(other) / one.min(other)
    }

    #[test]
    fn text_and_bars_stand_out_on_a_light_and_on_a_dark_page() {
        for page in [WHITE, RGBColor(0x0d, 0x11, 0x17)] {
            assert!(contrast(TEXT, page) >= 4.0);
            for (name, _, colour) in ENGINES {
                assert!(contrast(colour, page) >= 3.0, "{name}");
            }
        }
    }
}
