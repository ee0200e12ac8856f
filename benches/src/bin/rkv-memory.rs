//! `rkv-memory`: shows that memory stays flat under turnover and comes back after shrinking.
//!
//! Exits non-zero when a bound that it states is broken.

use clap::Parser;
use rkv_benches::memory::{Report, hashers, shrink, turnover};
use rkv_benches::{document, record, resident};
use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// The allocator of the benchmarks.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs with steady, shrinking and badly hashed keys; prints what memory they take.
#[derive(Parser)]
struct CommandLine {
    /// Put the tables into the section for figures called `memory` of this document
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
}

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    // The allocator reads its options when it starts, so they are set for a process of its own.
    let (name, value) = resident::EAGER_ALLOCATOR;
    let done = match std::env::var_os(name) {
        Some(_) => measure(&command_line),
        None => again_with(name, value),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("rkv-memory: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs this program again with one more environment variable; whether it succeeded.
fn again_with(name: &str, value: &str) -> io::Result<bool> {
    let mut program = Command::new(std::env::current_exe()?);
    program.args(std::env::args_os().skip(1)).env(name, value);
    Ok(program.status()?.success())
}

/// Runs everything; whether all bounds hold.
fn measure(command_line: &CommandLine) -> io::Result<bool> {
    let runs: &[fn() -> Report] =
        &[|| turnover::run(turnover::Scale::FULL), || shrink::run(1_000_000, 1_000), hashers::run];
    let mut text = record::circumstances("rkv-memory").join("\n");
    println!("{text}");
    let mut holds = true;
    for run in runs {
        let report = run();
        let table = format!("\n\n{}", report.render().trim_end());
        println!("{table}");
        text += &table;
        holds &= report.broken.is_empty();
    }
    if let Some(file) = &command_line.document {
        document::write_figures(file, "memory", &text)?;
    }
    Ok(holds)
}
