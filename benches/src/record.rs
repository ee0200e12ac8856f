//! The result files for machines: every measurement of a run, with what it was measured on.

use crate::runner::Outcome;
use crate::workload::Family;
use std::io;
use std::path::{Path, PathBuf};

/// The crates whose versions a record states.
const VERSIONS_OF: [&str; 8] =
    ["ahash", "dashmap", "flurry", "mimalloc", "moka", "papaya", "quick_cache", "scc"];

const LOCKFILE: &str = include_str!("../../Cargo.lock");

/// What a run was made on, one fact per line.
pub fn circumstances(command: &str) -> Vec<String> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let cpu = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
    let cpu = cpu.map_or("unknown processor", |rest| rest.trim_start_matches(['\t', ' ', ':']));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let avx2 = if cfg!(target_feature = "avx2") { "yes" } else { "no" };
    let versions = VERSIONS_OF.map(|name| format!("{name} {}", version(LOCKFILE, name)));
    vec![
        format!("date: {}", jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ")),
        format!("machine: {cpu}, {cores} cores, {}", std::env::consts::OS),
        format!("kernel: {}", read("/proc/sys/kernel/osrelease").trim()),
        format!("huge pages: {}", read("/sys/kernel/mm/transparent_hugepage/enabled").trim()),
        format!("compiled for avx2: {avx2}"),
        format!("versions: rkv {}, {}", version(LOCKFILE, "rkv"), versions.join(", ")),
        format!("command: {command}"),
    ]
}

/// The command line of this process, as if `program` had been called by its name alone.
pub fn command(program: &str) -> String {
    let arguments = std::env::args().skip(1);
    [program.to_owned()].into_iter().chain(arguments).collect::<Vec<_>>().join(" ")
}

/// The whole file: circumstances as comments, then one row per measurement.
pub fn csv(circumstances: &[String], outcomes: &[Outcome]) -> String {
    let comments = circumstances.iter().map(|line| format!("# {line}"));
    let header = "workload,entries,threads,engine,round,mops,hit_ratio,slowest_insert_us,bytes";
    let rows = outcomes.iter().flat_map(|outcome| memory_rows(outcome).chain(cell_rows(outcome)));
    let lines = comments.chain([header.to_owned()]).chain(rows);
    lines.map(|line| line + "\n").collect()
}

/// Resident bytes per entry, one row per table.
fn memory_rows(outcome: &Outcome) -> impl Iterator<Item = String> {
    let kind = match outcome.section.family {
        Family::Bytes => "kv-memory",
        Family::Words => "map-u64-memory",
    };
    let entries = outcome.section.entries;
    outcome.cards.iter().zip(&outcome.bytes_per_entry).filter_map(move |(card, bytes)| {
        bytes.map(|bytes| format!("{kind},{entries},1,{},1,,,,{bytes:.1}", card.name))
    })
}

fn cell_rows(outcome: &Outcome) -> impl Iterator<Item = String> {
    outcome.cells.iter().flat_map(move |cell| {
        let place = format!("{},{}", cell.workload.name(), outcome.section.entries);
        outcome.cards.iter().zip(&cell.rounds).flat_map(move |(card, rounds)| {
            let place = format!("{place},{},{}", cell.threads, card.name);
            rounds.iter().enumerate().map(move |(round, m)| {
                let slowest = m.slowest_us.map_or(String::new(), |us| format!("{us:.1}"));
                let hits = m.hit_ratio().map_or(String::new(), |ratio| format!("{ratio:.6}"));
                format!("{place},{},{:.4},{hits},{slowest},", round + 1, m.mops)
            })
        })
    })
}

/// Writes a record to `file`, see [`path`]; where it went.
///
/// Errors: the folder or the file cannot be written.
pub fn write(file: &Path, csv: &str) -> io::Result<PathBuf> {
    let path = path(file);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&path, csv)?;
    Ok(path)
}

/// Where a record called `name` goes: a bare name to the folder of records, a path as it stands.
pub fn path(name: &Path) -> PathBuf {
    match name.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("benches/record").join(name),
        _ => name.to_owned(),
    }
}

/// The highest version of `name` in a lockfile.
fn version<'l>(lockfile: &'l str, name: &str) -> &'l str {
    let heading = format!("name = \"{name}\"");
    let mut lines = lockfile.lines();
    let mut found = "unknown";
    while lines.any(|line| line == heading) {
        let version = lines.next().and_then(|line| line.strip_prefix("version = "));
        found = version.map_or(found, |version| version.trim_matches('"'));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive::Measurement;
    use crate::engine::Card;
    use crate::plan::Section;
    use crate::runner::Cell;
    use crate::workload::Workload;

    fn outcome() -> Outcome {
        let measured = |mops, slowest_us| Measurement { mops, gets: 4, hits: 3, slowest_us };
        let grown = vec![measured(1.5, Some(20.0)), measured(2.5, Some(30.0))];
        Outcome {
            section: Section { entries: 10, family: Family::Bytes, workloads: Vec::new() },
            cards: vec![Card::own("rkv")],
            bytes_per_entry: vec![Some(113.25)],
            cells: vec![Cell { workload: Workload::KvGrow, threads: 2, rounds: vec![grown] }],
        }
    }

    #[test]
    fn record_has_one_row_per_measurement() {
        let expected = "\
# date: today
workload,entries,threads,engine,round,mops,hit_ratio,slowest_insert_us,bytes
kv-memory,10,1,rkv,1,,,,113.2
kv-grow,10,2,rkv,1,1.5000,0.750000,20.0,
kv-grow,10,2,rkv,2,2.5000,0.750000,30.0,
";
        assert_eq!(csv(&["date: today".to_owned()], &[outcome()]), expected);
    }

    #[test]
    fn versions_come_from_the_lockfile() {
        for name in VERSIONS_OF {
            assert!(version(LOCKFILE, name).starts_with(|c: char| c.is_ascii_digit()), "{name}");
        }
        assert_eq!(version("name = \"a\"\nversion = \"1.2.3\"\n", "a"), "1.2.3");
        assert_eq!(version("name = \"a\"\nversion = \"1.2.3\"\n", "b"), "unknown");
    }

    #[test]
    fn bare_name_goes_to_the_folder_of_records() {
        assert_eq!(path(Path::new("x.csv")), Path::new("benches/record/x.csv"));
        assert_eq!(path(Path::new("./x.csv")), Path::new("./x.csv"));
    }
}
