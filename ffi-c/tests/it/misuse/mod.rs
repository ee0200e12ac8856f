//! The misuse table: every function of kv.h with every argument wrong in every way, one at a time.
//!
//! The program is made from the header, so that no function can be forgotten: types and names of
//! arguments say how each can be wrong and how the error text calls it, comments say what may be
//! NULL and what a refused call does with its results. What no header says is in `expect.rs`. After
//! each refused call the store must be as it was, and at the end everything must still work.

mod cases;
mod expect;
mod generate;
mod kinds;
pub(crate) mod parse;
mod places;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::programs::{Memory, run_newest};
use crate::symbols::declared;
use crate::toolchain::repository;
use parse::Header;

#[test]
fn every_function_refuses_every_misuse_by_name_and_changes_nothing() {
    let text = fs::read_to_string(repository().join("include/kv.h")).unwrap();
    let source = Path::new(env!("CARGO_TARGET_TMPDIR")).join("misuse_table.c");
    fs::write(&source, generate::program(&Header::read(&text))).unwrap();
    let printed = run_newest(&source, Memory::AccessesAndLeaks);
    let calls: BTreeMap<String, u32> = printed.lines().map(counted).collect();
    let covered: BTreeSet<String> = calls.keys().cloned().collect();
    assert_eq!(covered, declared(&text), "the table and include/kv.h differ");
    let sum: u32 = calls.values().sum();
    println!("{} functions, {sum} calls", calls.len());
    let (functions, wrong) = (calls.len() as u32, 100 * calls.len() as u32);
    assert!(functions > 30 && sum > wrong, "calls got lost: {calls:?}");
}

/// A line of the program: a function, and how often it was called.
fn counted(line: &str) -> (String, u32) {
    let (function, calls) = line.split_once(' ').expect("a name and a number");
    (function.to_owned(), calls.parse().expect("a number"))
}
