//! `rkv-bench`: measures rkv beside its rivals. Method and caveats: `docs/benchmarks.md`.

use clap::{Args, Parser, Subcommand};
use rkv_benches::engine::Card;
use rkv_benches::plan::{Plan, Section};
use rkv_benches::runner::{self, Outcome, RunError};
use rkv_benches::workload::{Family, Workload};
use rkv_benches::{chart, document, engines, grid, progress, record, resident};
use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

/// The allocator of every engine.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures rkv and other concurrent maps side by side in one process.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(flatten)]
    run: Run,
    #[command(subcommand)]
    step: Option<Step>,
}

/// What to measure; the full comparison without any option.
#[derive(Args)]
struct Run {
    /// A smaller second size and short rounds: a first look in two minutes
    #[arg(long)]
    quick: bool,
    /// Names of workloads, or beginnings of names [default: all but batches of 8 and of 32]
    #[arg(long, value_delimiter = ',')]
    workloads: Vec<String>,
    /// Numbers of entries [default: 65536,4194304; quick: 65536,1048576]
    #[arg(long, value_delimiter = ',')]
    sizes: Vec<u64>,
    /// Numbers of threads
    #[arg(long, value_delimiter = ',', default_value = "2")]
    threads: Vec<usize>,
    /// Names of engines; `scc` stands for `scc-map` and all others with that beginning
    /// [default: all but moka]
    #[arg(long, value_delimiter = ',')]
    engines: Vec<String>,
    /// How often each cell is measured [default: 7; quick: 5]
    #[arg(long)]
    rounds: Option<u32>,
    /// Seconds for one engine in one round of a cell [default: 0.4; quick: 0.05]
    #[arg(long)]
    seconds: Option<f64>,
    /// Write every measurement to this file; a bare name goes to benches/record
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Draw the ratios of each size into this folder
    #[arg(long, value_name = "FOLDER")]
    charts: Option<PathBuf>,
    /// Put the tables into a section for figures of this document; may come several times
    #[arg(long, value_name = "FILE")]
    document: Vec<PathBuf>,
    /// The name of that section
    #[arg(long, value_name = "NAME", default_value = "rivals", requires = "document")]
    section: String,
}

#[derive(Subcommand)]
enum Step {
    /// Prints the resident bytes per entry of one engine
    #[command(hide = true)]
    Resident {
        engine: String,
        entries: u64,
        #[arg(action = clap::ArgAction::Set)]
        words: bool,
    },
}

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    let done = match command_line.step {
        Some(Step::Resident { engine, entries, words }) => print_resident(&engine, entries, words),
        None => compare(&command_line.run),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rkv-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(run: &Run) -> Result<(), Box<dyn Error>> {
    let plan = run.plan()?;
    let circumstances = record::circumstances(&record::command("rkv-bench"));
    let sections = plan.sections();
    let estimate: Duration = sections.iter().map(|section| plan.estimate(section)).sum();
    let progress = progress::bar(estimate);
    let mut text = circumstances.join("\n");
    println!("{text}");
    let mut outcomes: Vec<Outcome> = Vec::new();
    for section in &sections {
        let outcome = runner::run(&plan, section, &resident_elsewhere, &progress)?;
        let table = format!("\n\n{}", grid::render(&outcome).trim_end());
        progress.suspend(|| println!("{table}"));
        text += &table;
        outcomes.push(outcome);
    }
    progress.finish_and_clear();
    println!("\n{LEGEND}");
    run.keep(&format!("{text}\n\n{LEGEND}"), &record::csv(&circumstances, &outcomes), &outcomes)
}

/// What the columns mean.
const LEGEND: &str = "\
ratio: to the best rival in the cell; an engine that pins in each call against those that do, a
session against all. 4 threads / 2: throughput of four threads divided by that of two. Bytes per
entry are resident, after prefilling.";

impl Run {
    fn plan(&self) -> Result<Plan, Box<dyn Error>> {
        let mut plan = if self.quick { Plan::quick() } else { Plan::full() };
        plan.workloads = Workload::select(&self.workloads)?;
        plan.threads = self.threads.clone();
        plan.engines = self.engines.clone();
        plan.rounds = self.rounds.unwrap_or(plan.rounds);
        if !self.sizes.is_empty() {
            plan.sizes = self.sizes.clone();
        }
        if let Some(seconds) = self.seconds {
            plan.time = Duration::try_from_secs_f64(seconds)?;
        }
        plan.check()?;
        Ok(plan)
    }

    /// Writes what the options ask for.
    fn keep(&self, text: &str, csv: &str, outcomes: &[Outcome]) -> Result<(), Box<dyn Error>> {
        if let Some(file) = &self.record {
            let path = record::write(file, csv)?;
            println!("recorded in {}", path.display());
        }
        if let Some(folder) = &self.charts {
            for path in chart::write(folder, outcomes)? {
                println!("drawn in {}", path.display());
            }
        }
        for file in &self.document {
            document::write_figures(file, &self.section, text)?;
        }
        Ok(())
    }
}

/// Measures the memory of an engine in a process of its own, where nothing was freed before.
fn resident_elsewhere(card: &Card, section: &Section) -> Result<f64, RunError> {
    let failed = |reason: String| RunError::Memory { engine: card.name, reason };
    let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let words = section.family == Family::Words;
    let (name, value) = resident::EAGER_ALLOCATOR;
    let output = Command::new(program)
        .env(name, value)
        .args(["resident", card.name, &section.entries.to_string(), &words.to_string()])
        .output()
        .map_err(|error| failed(error.to_string()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let complaint = || failed(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    text.trim().parse().map_err(|_| complaint())
}

fn print_resident(engine: &str, entries: u64, words: bool) -> Result<(), Box<dyn Error>> {
    let family = if words { Family::Words } else { Family::Bytes };
    let mut entrants = engines::entrants(family).into_iter();
    let entrant = entrants.find(|entrant| entrant.card.name == engine).ok_or("no such engine")?;
    let before = resident::bytes();
    let loaded = (entrant.prefilled)(entries);
    let grown = resident::bytes().saturating_sub(before);
    drop(loaded);
    println!("{}", grown as f64 / entries as f64);
    Ok(())
}
