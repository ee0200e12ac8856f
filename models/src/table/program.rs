//! Programs of the table's scenarios, written as text that is also the scenario's name.
//!
//! `put Kb, get M || mig 0.1` is two threads: one puts record Kb and then gets key M, the other
//! migrates bucket 1 of table 0.

use std::fmt;

use super::layout::{Layout, Shape};
use super::word::{Record, key_number};
use super::{Bug, Table};
use crate::explore::Violation;
use crate::scenario::Scenario;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Get { key: usize },
    Put { record: Record },
    Remove { key: usize },
    Migrate { table: u8, bucket: u8 },
}

impl Op {
    pub(super) fn key(self) -> usize {
        match self {
            Self::Get { key } | Self::Remove { key } => key,
            Self::Put { record } => record.key(),
            Self::Migrate { .. } => unreachable!("a migration has no key"),
        }
    }

    fn parse(text: &str) -> Self {
        let (verb, object) = text.split_once(' ').expect("an operation is a verb and an object");
        match verb {
            "get" => Self::Get { key: key_number(object.as_bytes()[0]) },
            "put" => Self::Put { record: Record::parse(object) },
            "del" => Self::Remove { key: key_number(object.as_bytes()[0]) },
            "mig" => {
                let (table, bucket) = object.split_once('.').expect("mig table.bucket");
                let number = |text: &str| text.parse().expect("tables and buckets are numbers");
                Self::Migrate { table: number(table), bucket: number(bucket) }
            }
            _ => panic!("unknown operation: {text}"),
        }
    }
}

impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = |key: usize| b"KMNO"[key] as char;
        match self {
            Self::Get { key: k } => write!(f, "get {}", key(*k)),
            Self::Put { record } => write!(f, "put {record:?}"),
            Self::Remove { key: k } => write!(f, "del {}", key(*k)),
            Self::Migrate { table, bucket } => write!(f, "mig {table}.{bucket}"),
        }
    }
}

/// A shape with a content and programs; the text form of all three names the scenario.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The file that owns the scenario.
    pub protocol: &'static str,
    /// The name of `shape`.
    pub layout: &'static str,
    /// The tables.
    pub shape: Shape,
    /// The records of each bucket of the oldest table: `Ka Ma / Na`.
    pub content: &'static str,
    /// The threads' programs: `put Kb, get M || mig 0.1`.
    pub programs: &'static str,
    /// Whether records carry versions.
    pub versions: bool,
}

impl Case {
    /// The scenario that must be correct, and in which no thread waits for another if `alone`.
    pub(crate) fn correct(&self, alone: bool) -> Scenario {
        Scenario::correct(self.protocol, self.name(), self.table(None), alone)
    }

    /// The scenario with `bug`, called `name`, which must show as `violation`.
    pub(crate) fn planted(&self, bug: Bug, name: &'static str, violation: Violation) -> Scenario {
        Scenario::planted(self.protocol, self.name(), self.table(Some(bug)), name, violation)
    }

    fn name(&self) -> String {
        let content = if self.content.is_empty() { "empty" } else { self.content };
        format!("{}, {content}: {}", self.layout, self.programs)
    }

    pub(super) fn table(&self, bug: Option<Bug>) -> Table {
        let programs: Vec<Vec<Op>> = self
            .programs
            .split(" || ")
            .map(|program| program.split(", ").map(Op::parse).collect())
            .collect();
        let (layout, words) = Layout::new(&self.shape, programs.len());
        let records = |bucket: &str| bucket.split_whitespace().map(Record::parse).collect();
        let content = self.content.split('/').map(records).enumerate();
        let content = content.map(|(bucket, records)| (bucket as u8, records)).collect();
        Table { layout, words, content, programs, versions: self.versions, bug }
    }
}
