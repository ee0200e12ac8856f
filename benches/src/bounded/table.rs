//! The tables of hits and throughput for people, and the record for machines.

use super::caches::{OWN, RIVALS};
use super::contest::{CROWD, Cell, Row, Scale, THREADS};
use super::trace::Bound;
use crate::grid::{aligned, thousands};
use crate::score::median;

/// All that is said about the rows.
pub fn render(rows: &[Row], scale: Scale) -> String {
    format!(
        "{}\n{}\n{}\n{}\n{}",
        hits_title(scale),
        aligned(&hits(rows)),
        throughput_title(scale),
        aligned(&throughputs(rows)),
        verdict(rows)
    )
}

fn hits_title(scale: Scale) -> String {
    let (keys, half) = (thousands(scale.keys), thousands(scale.requests / 2));
    format!(
        "{keys} keys of 16 bytes, values of 64 bytes (sizes: 16 to 4,096): hits in percent of\n\
         {half} requests after as many that warm up; ahead: points to the better rival; ! is over\n\
         its bound by more than a hundredth"
    )
}

fn throughput_title(scale: Scale) -> String {
    let Scale { rounds, .. } = scale;
    format!("million requests a second, a miss with its set, median of {rounds} rounds")
}

/// The engines in the order of the columns.
const ENGINES: [&str; 3] = [OWN, RIVALS[0], RIVALS[1]];

/// Two header rows: the numbers of threads stand above the first column of theirs.
fn head(extra: &[&str]) -> [Vec<String>; 2] {
    let mut above = vec![String::new(); 2];
    let mut below = vec!["trace".to_owned(), "bound".to_owned()];
    for threads in THREADS {
        let columns = ENGINES.into_iter().chain(extra.iter().copied());
        for (place, column) in columns.enumerate() {
            above.push(if place == 0 { threads_name(threads) } else { String::new() });
            below.push(column.to_owned());
        }
    }
    [above, below]
}

fn threads_name(threads: usize) -> String {
    if threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") }
}

fn names(row: &Row) -> Vec<String> {
    vec![row.case.name(), row.case.bound_name()]
}

fn hits(rows: &[Row]) -> Vec<Vec<String>> {
    let [mut above, mut below] = head(&["ahead"]);
    above.push(threads_name(CROWD));
    below.push(OWN.to_owned());
    let percent = |row: &Row, cell: Option<&Cell>| {
        let mark = |cell| if row.is_over(cell) { "!" } else { "" };
        cell.map_or("-".to_owned(), |c| format!("{}{:.2}", mark(c), 100.0 * c.hit_ratio))
    };
    let line = |row: &Row| {
        let mut line = names(row);
        for threads in THREADS {
            line.extend(ENGINES.map(|engine| percent(row, row.cell(engine, threads))));
            line.push(points_ahead(row, threads).map_or("-".to_owned(), |p| format!("{p:+.2}")));
        }
        line.push(percent(row, row.cell(OWN, CROWD)));
        line
    };
    [above, below].into_iter().chain(rows.iter().map(line)).collect()
}

fn throughputs(rows: &[Row]) -> Vec<Vec<String>> {
    let to = RIVALS.map(|rival| format!("to {rival}"));
    let head = head(&[&to[0], &to[1]]);
    let figure = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
    let line = |row: &Row| {
        let mut line = names(row);
        for threads in THREADS {
            line.extend(ENGINES.map(|engine| figure(throughput(row, engine, threads))));
            line.extend(RIVALS.map(|rival| figure(speed_ratio(row, rival, threads))));
        }
        line
    };
    head.into_iter().chain(rows.iter().map(line)).collect()
}

fn throughput(row: &Row, engine: &str, threads: usize) -> Option<f64> {
    median(row.cell(engine, threads)?.mops.iter().copied())
}

/// rkv's throughput divided by a rival's.
fn speed_ratio(row: &Row, rival: &str, threads: usize) -> Option<f64> {
    Some(throughput(row, OWN, threads)? / throughput(row, rival, threads)?)
}

/// How many hits in a hundred requests rkv has more than the better rival, of those that keep to
/// their bound; `None` where it does not itself.
fn points_ahead(row: &Row, threads: usize) -> Option<f64> {
    let of = |engine: &str| {
        let cell = row.cell(engine, threads).filter(|cell| !row.is_over(cell));
        cell.map(|cell| 100.0 * cell.hit_ratio)
    };
    let best = RIVALS.into_iter().filter_map(of).reduce(f64::max)?;
    Some(of(OWN)? - best)
}

/// The worst rows and how many are good.
fn verdict(rows: &[Row]) -> String {
    let mut text = String::new();
    for threads in THREADS {
        let points = |row: &Row| points_ahead(row, threads);
        let ahead = rows.iter().filter(|row| points(row).is_some_and(|points| points > 0.0));
        let of = format!("ahead in {} of {} rows", ahead.count(), rows.len());
        if let Some((least, row)) = least(rows, points) {
            let threads = threads_name(threads);
            text += &format!("hits, {threads}: {of}, at worst {least:+.2} points ({row})\n");
        }
    }
    for threads in THREADS {
        for rival in RIVALS {
            if let Some((least, row)) = least(rows, |row| speed_ratio(row, rival, threads)) {
                let threads = threads_name(threads);
                text +=
                    &format!("throughput, {threads}, to {rival}: at least {least:.2} ({row})\n");
            }
        }
    }
    text
}

/// The least figure, and the names of its row.
fn least(rows: &[Row], figure: impl Fn(&Row) -> Option<f64>) -> Option<(f64, String)> {
    let figures = rows.iter().filter_map(|row| Some((figure(row)?, names(row).join(", "))));
    figures.min_by(|(one, _), (other, _)| one.total_cmp(other))
}

/// The whole record: circumstances as comments, then a row for each count of hits and each round.
pub fn csv(circumstances: &[String], rows: &[Row], scale: Scale) -> String {
    let comments = circumstances.iter().map(|line| format!("# {line}"));
    let header = "trace,bound,unit,keys,threads,engine,round,mops,hit_ratio,held";
    let cells = rows.iter().flat_map(|row| row.cells.iter().map(move |cell| (row, cell)));
    let lines = cells.flat_map(|(row, cell)| records(row, cell, scale.keys));
    let lines = comments.chain([header.to_owned()]).chain(lines);
    lines.map(|line| line + "\n").collect()
}

fn records(row: &Row, cell: &Cell, keys: u64) -> Vec<String> {
    let (most, unit) = match row.bound {
        Bound::Entries(most) => (most, "entries"),
        Bound::Bytes(most) => (most, "bytes"),
    };
    let Cell { engine, threads, hit_ratio, held, mops } = cell;
    let place = format!("{},{most},{unit},{keys},{threads},{engine}", row.case.name());
    let hits = format!("{place},0,,{hit_ratio:.6},{held}");
    let rounds = (1..).zip(mops).map(|(round, mops)| format!("{place},{round},{mops:.4},,"));
    [hits].into_iter().chain(rounds).collect()
}

#[cfg(test)]
mod tests {
    use super::super::trace::{Case, Shape, Share};
    use super::*;
    use std::time::Duration;

    const SCALE: Scale =
        Scale { keys: 1_000, requests: 4_000, rounds: 3, time: Duration::from_millis(1) };

    fn cell(engine: &'static str, threads: usize, hit_ratio: f64, mops: &[f64]) -> Cell {
        Cell { engine, threads, hit_ratio, held: 100, mops: mops.to_vec() }
    }

    /// rkv is ahead by a point with one thread and behind by as much with two.
    fn row(shape: Shape, mops: f64) -> Row {
        let cells = vec![
            cell("rkv", 1, 0.51, &[mops, 99.0, mops]),
            cell("moka", 1, 0.5, &[1.0; 3]),
            cell("quick_cache", 1, 0.4, &[4.0; 3]),
            cell("rkv", 2, 0.49, &[2.0 * mops; 3]),
            cell("moka", 2, 0.5, &[2.0; 3]),
            cell("quick_cache", 2, 0.4, &[5.0; 3]),
            cell("rkv", 4, 0.48, &[]),
        ];
        Row { case: Case { shape, share: Share::Percent(10) }, bound: Bound::Entries(100), cells }
    }

    #[test]
    fn hits_stand_under_their_cache_and_show_how_far_rkv_is_ahead() {
        let text = aligned(&hits(&[row(Shape::Zipf(0.7), 6.0)]));
        let lines: Vec<_> = text.lines().collect();
        // Up to the first column of two threads.
        let expected = [
            "                 1 thread                             2 threads",
            "trace     bound       rkv   moka  quick_cache  ahead        rkv",
            "zipf 0.7   10 %     51.00  50.00        40.00  +1.00      49.00",
        ];
        for (line, expected) in lines.into_iter().zip(expected) {
            assert_eq!(&line[..expected.len()], expected);
        }
        assert!(text.ends_with("40.00  -1.00      48.00\n"));
    }

    #[test]
    fn cache_over_its_bound_is_marked_and_nobody_is_compared_with_it() {
        let mut over = row(Shape::Loop, 6.0);
        over.cells[1].held = 102;
        assert_eq!(hits(&[over])[2][2..6], ["51.00", "!50.00", "40.00", "+11.00"]);
        let mut over = row(Shape::Loop, 6.0);
        over.cells[0].held = 102;
        assert_eq!(hits(&[over])[2][2..6], ["!51.00", "50.00", "40.00", "-"]);
    }

    #[test]
    fn throughput_is_the_median_and_divided_by_that_of_each_rival() {
        let rows = throughputs(&[row(Shape::Loop, 6.0)]);
        let expected = ["loop", "10 %", "6.00", "1.00", "4.00", "6.00", "1.50"];
        assert_eq!(rows[2][..7], expected);
        assert_eq!(rows[2][7..], ["12.00", "2.00", "5.00", "6.00", "2.40"]);
        assert_eq!(rows[1].len(), rows[2].len());
    }

    #[test]
    fn verdict_names_the_worst_row_and_counts_the_good_ones() {
        let text = verdict(&[row(Shape::Zipf(0.7), 6.0), row(Shape::Loop, 5.0)]);
        for line in [
            "hits, 1 thread: ahead in 2 of 2 rows, at worst +1.00 points (zipf 0.7, 10 %)",
            "hits, 2 threads: ahead in 0 of 2 rows, at worst -1.00 points (zipf 0.7, 10 %)",
            "throughput, 1 thread, to moka: at least 5.00 (loop, 10 %)",
            "throughput, 2 threads, to quick_cache: at least 2.00 (loop, 10 %)",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn record_has_a_row_for_the_hits_and_one_for_each_round() {
        let text = csv(&["date: today".to_owned()], &[row(Shape::Loop, 6.0)], SCALE);
        let expected = "\
# date: today
trace,bound,unit,keys,threads,engine,round,mops,hit_ratio,held
loop,100,entries,1000,1,rkv,0,,0.510000,100
loop,100,entries,1000,1,rkv,1,6.0000,,
";
        assert!(text.starts_with(expected), "{text}");
        assert_eq!(text.lines().count(), 2 + 6 * 4 + 1);
        assert!(text.ends_with("loop,100,entries,1000,4,rkv,0,,0.480000,100\n"));
    }
}
