//! `rkv-models [--traces] [TEXT]`: explores every scenario whose line would contain TEXT.
//!
//! Ends with status 0 if every correct scenario holds and every planted bug is caught, with 1 if
//! not, with 2 if the arguments make no sense. `--traces` shows a shortest trace of each violation.

use std::process::ExitCode;

use rkv_models::suite::{Options, run};

fn main() -> ExitCode {
    let mut options = Options::default();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--traces" => options.traces = true,
            flag if flag.starts_with('-') => {
                eprintln!("usage: rkv-models [--traces] [TEXT]");
                return ExitCode::from(2);
            }
            text => options.filter = text.to_string(),
        }
    }
    if run(&options) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
