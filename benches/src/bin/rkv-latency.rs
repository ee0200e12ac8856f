//! `rkv-latency`: times every insert, and as many gets, while stores grow from empty.

use clap::{Parser, value_parser};
use rkv_benches::entrant::Entrant;
use rkv_benches::latency::{self, Scale};
use rkv_benches::plan::{ENTRIES_MAX, PlanError};
use rkv_benches::workload::Family;
use rkv_benches::{document, engines, progress, record};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

/// The allocator of every engine.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Times single operations of rkv and other concurrent maps while they grow.
#[derive(Parser)]
struct CommandLine {
    /// Entries that each engine grows to
    #[arg(long, default_value_t = 1 << 23)]
    #[arg(value_parser = value_parser!(u64).range(1..=ENTRIES_MAX))]
    entries: u64,
    /// Threads that insert
    #[arg(long, default_value_t = 2, value_parser = value_parser!(u16).range(1..=1_024))]
    threads: u16,
    /// How often each engine grows
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..=1_000))]
    rounds: u32,
    /// Full names of engines
    #[arg(long, value_delimiter = ',', default_value = "rkv,papaya,dashmap,scc-map")]
    engines: Vec<String>,
    /// Put the tables into the section for figures called `latency` of this document
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
}

fn main() -> ExitCode {
    match measure(&CommandLine::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rkv-latency: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(command_line: &CommandLine) -> Result<(), Box<dyn Error>> {
    let entrants = chosen(&command_line.engines)?;
    let CommandLine { entries, rounds, .. } = *command_line;
    let scale = Scale { entries, threads: usize::from(command_line.threads), rounds };
    let circumstances = record::circumstances(&record::command("rkv-latency")).join("\n");
    println!("{circumstances}");
    let progress = progress::bar(latency::estimate(entrants.len(), scale));
    let growths = latency::run(&entrants, scale, &progress);
    progress.finish_and_clear();
    let names: Vec<&str> = entrants.iter().map(|entrant| entrant.card.name).collect();
    let tables = latency::render(&names, scale, &growths);
    println!("\n{}", tables.trim_end());
    if let Some(file) = &command_line.document {
        document::write_figures(file, "latency", &format!("{circumstances}\n\n{tables}"))?;
    }
    Ok(())
}

/// The engines of these names, rkv's first.
fn chosen(names: &[String]) -> Result<Vec<Entrant>, PlanError> {
    let mut entrants = engines::entrants(Family::Bytes);
    let known = |name: &&String| entrants.iter().any(|entrant| entrant.card.name == *name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        return Err(PlanError::Engine(unknown.clone()));
    }
    entrants.retain(|entrant| names.iter().any(|name| name == entrant.card.name));
    Ok(entrants)
}
