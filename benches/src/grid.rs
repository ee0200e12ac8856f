//! The result tables for people: million operations per second, and rkv's ratio to the best rival.

use crate::engine::{Card, Side};
use crate::runner::{Cell, Outcome};
use crate::score::{median, standings, throughputs};
use crate::workload::Family;

/// One table for a section.
pub fn render(outcome: &Outcome) -> String {
    let mut rows = head(&outcome.cards);
    for cells in outcome.cells.chunk_by(|a, b| a.workload == b.workload) {
        for cell in cells {
            rows.push(throughput_row(&outcome.cards, cell));
            rows.extend(slowest_row(cell));
        }
        rows.extend(crowd_row(cells));
    }
    let bytes = outcome.bytes_per_entry.iter().map(|bytes| match bytes {
        Some(bytes) => format!("{bytes:.0}"),
        None => "-".to_owned(),
    });
    rows.push(["bytes per entry".to_owned(), String::new()].into_iter().chain(bytes).collect());
    format!("{}\n{}", title(outcome), aligned(&rows))
}

fn title(outcome: &Outcome) -> String {
    let kind = match outcome.section.family {
        Family::Bytes => "16-byte keys, 64-byte values",
        Family::Words => "u64 to u64",
    };
    let rounds = outcome.cells.first().and_then(|cell| cell.rounds.first()).map_or(0, Vec::len);
    let entries = thousands(outcome.section.entries);
    format!("{entries} entries, {kind}: Mops/s, median of {rounds} rounds, * the best rival")
}

/// Two header rows: names are broken at their last `-`.
fn head(cards: &[Card]) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new(); 2], vec!["workload".to_owned(), "threads".to_owned()]];
    let own = cards.iter().filter(|card| card.side == Side::Own);
    let names = cards.iter().map(|card| card.name).chain(own.map(|card| card.name));
    for (column, name) in names.enumerate() {
        let (above, below) = name.rsplit_once('-').unwrap_or(("", name));
        let ratio = column >= cards.len();
        rows[0].push(if ratio { "ratio".to_owned() } else { above.to_owned() });
        rows[1].push(below.to_owned());
    }
    rows
}

fn throughput_row(cards: &[Card], cell: &Cell) -> Vec<String> {
    let mops = throughputs(cell);
    let rivals = cards.iter().zip(&mops).filter(|(card, _)| card.side == Side::Rival);
    let best = rivals.map(|(_, &mops)| mops).fold(f64::NAN, f64::max);
    let mut row = vec![cell.workload.name().to_owned(), cell.threads.to_string()];
    row.extend(cards.iter().zip(&mops).map(|(card, &mops)| {
        let mark = if card.side == Side::Rival && mops == best { "*" } else { "" };
        format!("{mark}{mops:.2}")
    }));
    row.extend(standings(cards, &mops).into_iter().map(|standing| match standing.best {
        Some(best) => format!("{:.2}", best.ratio),
        None => "-".to_owned(),
    }));
    row
}

fn slowest_row(cell: &Cell) -> Option<Vec<String>> {
    let slowest: Option<Vec<f64>> = cell
        .rounds
        .iter()
        .map(|rounds| median(rounds.iter().filter_map(|m| m.slowest_us)))
        .collect();
    let mut row = vec!["  slowest insert, us".to_owned(), cell.threads.to_string()];
    row.extend(slowest?.into_iter().map(|us| format!("{us:.0}")));
    Some(row)
}

/// What the most threads reach, divided by what the second most do: below 1 an engine suffers from
/// threads that wait for a core. `None` where only one number of threads was measured.
fn crowd_row(cells: &[Cell]) -> Option<Vec<String>> {
    let mut cells: Vec<&Cell> = cells.iter().collect();
    cells.sort_by_key(|cell| cell.threads);
    let [.., fewer, most] = cells.as_slice() else { return None };
    let mut row = vec![format!("  {} threads / {}", most.threads, fewer.threads), String::new()];
    let both = throughputs(most).into_iter().zip(throughputs(fewer));
    row.extend(both.map(|(most, fewer)| format!("{:.2}", most / fewer)));
    Some(row)
}

/// Columns under each other: the first to the left, the others to the right.
pub(crate) fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column| rows.iter().filter_map(|row| row.get(column)).map(String::len).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (text, &width))| {
            if column == 0 { format!("{text:width$}") } else { format!("{text:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// A number with a comma before every three digits.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive::Measurement;
    use crate::plan::Section;
    use crate::workload::Workload;

    fn cards() -> Vec<Card> {
        vec![
            Card::own("rkv"),
            Card::own("rkv-session").session(),
            Card::rival("slow"),
            Card::rival("quick"),
            Card::rival("quick-session").session(),
        ]
    }

    fn measured(mops: [f64; 3], slowest_us: Option<f64>) -> Vec<Measurement> {
        mops.map(|mops| Measurement { mops, gets: 0, hits: 0, slowest_us }).to_vec()
    }

    #[test]
    fn table_lines_up_and_marks_the_best_rival() {
        let rounds = [30.0, 50.0, 10.0, 20.0, 40.0].map(|m| measured([m, m, 99.0], None));
        let grown = [3.0, 5.0, 1.0, 2.0, 4.0].map(|m| measured([m; 3], Some(1_234.0)));
        let outcome = Outcome {
            section: Section { entries: 65_536, family: Family::Bytes, workloads: Vec::new() },
            cards: cards(),
            bytes_per_entry: vec![Some(113.2), None, Some(1.0), Some(2.0), None],
            cells: vec![
                Cell { workload: Workload::KvGet, threads: 2, rounds: rounds.to_vec() },
                Cell { workload: Workload::KvGrow, threads: 2, rounds: grown.to_vec() },
            ],
        };
        let expected = "\
65,536 entries, 16-byte keys, 64-byte values: Mops/s, median of 3 rounds, * the best rival
                                          rkv                  quick  ratio    ratio
workload              threads    rkv  session   slow  quick  session    rkv  session
kv-get                      2  30.00    50.00  10.00  20.00   *40.00   1.50     1.25
kv-grow                     2   3.00     5.00   1.00   2.00    *4.00   1.50     1.25
  slowest insert, us        2   1234     1234   1234   1234     1234
bytes per entry                  113        -      1      2        -
";
        assert_eq!(render(&outcome), expected);
    }
    #[test]
    fn two_numbers_of_threads_show_their_quotient() {
        let cell = |threads, mops: [f64; 2]| Cell {
            workload: Workload::KvGet,
            threads,
            rounds: mops.map(|mops| measured([mops; 3], None)).to_vec(),
        };
        let cells = [cell(4, [19.0, 5.0]), cell(1, [10.0, 10.0]), cell(2, [20.0, 10.0])];
        let expected = ["  4 threads / 2", "", "0.95", "0.50"].map(str::to_owned);
        assert_eq!(crowd_row(&cells), Some(expected.to_vec()));
        assert_eq!(crowd_row(&cells[..1]), None);
    }
}
