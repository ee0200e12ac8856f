//! `rkv-expiry`: what deadlines cost, and how late what has expired goes.

use clap::Parser;
use rkv_benches::{document, expiry, record};
use std::io;
use std::path::PathBuf;

/// The allocator of the benchmarks.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Times the end of keys with a deadline.
#[derive(Parser)]
struct CommandLine {
    /// Keys that are not due, beside those that are
    #[arg(long, default_value_t = 10_000_000)]
    entries: u64,
    /// Put the table into the section for figures called `expiry` of this document
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
}

fn main() -> io::Result<()> {
    let command_line = CommandLine::parse();
    let circumstances = record::circumstances(&record::command("rkv-expiry")).join("\n");
    println!("{circumstances}\n");
    let report = expiry::report(command_line.entries);
    match &command_line.document {
        None => Ok(()),
        Some(file) => {
            document::write_figures(file, "expiry", &format!("{circumstances}\n\n{report}"))
        }
    }
}
