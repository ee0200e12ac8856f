//! `rkv-bounded`: how often bounded caches hit, and how fast they are.

use clap::{Parser, value_parser};
use rkv_benches::bounded::contest::{self, Row, Scale};
use rkv_benches::bounded::trace::CASES;
use rkv_benches::bounded::{chart, table};
use rkv_benches::{document, progress, record};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// The allocator of every engine.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs traces through rkv and other caches with a bound, side by side in one process.
#[derive(Parser)]
struct CommandLine {
    /// Keys that the requests are spread over
    #[arg(long, default_value_t = 1_000_000)]
    #[arg(value_parser = value_parser!(u64).range(1_000..=100_000_000))]
    keys: u64,
    /// Requests of a trace, of which the first half warms up
    #[arg(long, default_value_t = 2_000_000)]
    #[arg(value_parser = value_parser!(u64).range(1_000..=1_000_000_000))]
    requests: u64,
    /// How often throughput is measured
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..=1_000))]
    rounds: u32,
    /// Seconds for one cache in one round
    #[arg(long, default_value_t = 0.15)]
    seconds: f64,
    /// Write every measurement to this file; a bare name goes to benches/record
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Draw the hits into this folder
    #[arg(long, value_name = "FOLDER")]
    charts: Option<PathBuf>,
    /// Put the tables into the section for figures called `bounded` of this document
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
}

fn main() -> ExitCode {
    match measure(&CommandLine::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rkv-bounded: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(command_line: &CommandLine) -> Result<(), Box<dyn Error>> {
    let CommandLine { keys, requests, rounds, seconds, .. } = *command_line;
    let time = Duration::try_from_secs_f64(seconds)?;
    let scale = Scale { keys, requests, rounds, time };
    let circumstances = record::circumstances(&record::command("rkv-bounded"));
    let head = circumstances.join("\n");
    println!("{head}");
    let progress = progress::bar(contest::estimate(scale));
    let rows: Vec<Row> = CASES.map(|case| contest::run(case, scale, &progress)).into();
    progress.finish_and_clear();
    let tables = table::render(&rows, scale);
    println!("\n{}", tables.trim_end());
    if let Some(file) = &command_line.record {
        let path = record::write(file, &table::csv(&circumstances, &rows, scale))?;
        println!("recorded in {}", path.display());
    }
    if let Some(folder) = &command_line.charts {
        let path = rkv_benches::chart::save(folder, chart::FILE, &chart::draw(&rows))?;
        println!("drawn in {}", path.display());
    }
    if let Some(file) = &command_line.document {
        document::write_figures(file, "bounded", &format!("{head}\n\n{tables}"))?;
    }
    Ok(())
}
