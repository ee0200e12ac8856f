//! `rkv-expiry`: what deadlines cost, and how late what has expired goes.

use clap::{Args, Parser, Subcommand, value_parser};
use rkv_benches::plan::ENTRIES_MAX;
use rkv_benches::{chart, document, expiry, record, resident};
use std::io;
use std::path::PathBuf;
use std::process::Command;

/// The allocator of the benchmarks.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Times the end of keys with a deadline.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(flatten)]
    run: Run,
    #[command(subcommand)]
    step: Option<Step>,
}

/// What to measure.
#[derive(Args)]
struct Run {
    /// Keys that are not due, beside those that are; what else needs many keys has at most a
    /// million of them
    #[arg(long, default_value_t = 10_000_000)]
    #[arg(value_parser = value_parser!(u64).range(2..=ENTRIES_MAX))]
    entries: u64,
    /// Draw the lag into this folder
    #[arg(long, value_name = "FOLDER")]
    charts: Option<PathBuf>,
    /// Put the table into the section for figures called `expiry` of this document
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Step {
    /// Prints the resident bytes per entry of a store
    #[command(hide = true)]
    Resident {
        entries: u64,
        #[arg(action = clap::ArgAction::Set)]
        timed: bool,
    },
}

fn main() -> io::Result<()> {
    let command_line = CommandLine::parse();
    match command_line.step {
        Some(Step::Resident { entries, timed }) => {
            println!("{}", expiry::bytes_per_entry(entries, timed));
            Ok(())
        }
        None => measure(&command_line.run),
    }
}

fn measure(run: &Run) -> io::Result<()> {
    let circumstances = record::circumstances(&record::command("rkv-expiry")).join("\n");
    println!("{circumstances}\n");
    let report = expiry::report(run.entries, &bytes_elsewhere)?;
    if let Some(folder) = &run.charts {
        let svg = expiry::chart::draw(&report.probed);
        println!("drawn in {}", chart::save(folder, expiry::chart::FILE, &svg)?.display());
    }
    if let Some(file) = &run.document {
        document::write_figures(file, "expiry", &format!("{circumstances}\n\n{}", report.text))?;
    }
    Ok(())
}

/// Measures memory in a process of its own, where nothing was freed before.
fn bytes_elsewhere(entries: u64, timed: bool) -> io::Result<f64> {
    let (name, value) = resident::EAGER_ALLOCATOR;
    let output = Command::new(std::env::current_exe()?)
        .env(name, value)
        .args(["resident", &entries.to_string(), &timed.to_string()])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let complaint = || io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned());
    text.trim().parse().map_err(|_| complaint())
}
