//! The last words of `make loom`: what ran, and that nothing was planted in vain.

use std::path::Path;
use std::{fs, io};

use super::explore::{say, totals};

/// The names of the variants of `Bug`.
fn bugs() -> Vec<&'static str> {
    let text = include_str!("../sync/planted.rs");
    let (_, body) = text.split_once("enum Bug {").expect("the enum");
    let (body, _) = body.split_once('}').expect("its end");
    let lines = body.lines().map(str::trim).filter(|line| !line.starts_with("///"));
    lines
        .filter_map(|line| line.split(&[',', ' ']).next())
        .filter(|name| !name.is_empty())
        .collect()
}

/// The text of all models.
fn models() -> io::Result<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/models");
    fs::read_dir(folder)?.map(|entry| fs::read_to_string(entry?.path())).collect()
}

#[test]
fn every_planted_bug_has_a_twin() {
    let models = models().expect("the models are readable");
    let planted = |bug: &&str| models.contains(&format!("Bug::{bug}, "));
    let lost: Vec<_> = bugs().into_iter().filter(|bug| !planted(bug)).collect();
    assert!(bugs().len() > 10 && lost.is_empty(), "no twin plants {lost:?}");
    let (models, twins, executions) = totals();
    say(&format!("{models} models hold, {twins} twins fail, after {executions} executions"));
}
