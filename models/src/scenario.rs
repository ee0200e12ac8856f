//! A scenario: one protocol with one set of programs, and what exploring it must show.

use crate::explore::{Protocol, Report, Violation, explore};

/// What an exploration must find.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expect {
    /// No violation.
    Correct,
    /// The planted bug of this name, as this violation.
    Caught(&'static str, Violation),
}

/// A protocol, its programs, and the expected outcome.
pub struct Scenario {
    /// The protocol's name: the file that models it.
    pub protocol: &'static str,
    /// The layout and the programs.
    pub name: String,
    /// What must come out.
    pub expect: Expect,
    run: Box<dyn Fn() -> Report + Send + Sync>,
}

impl Scenario {
    /// A scenario that must be correct; `alone` demands that no thread ever waits for another.
    pub fn correct<P>(protocol: &'static str, name: String, model: P, alone: bool) -> Self
    where
        P: Protocol + Send + Sync + 'static,
    {
        let run = Box::new(move || explore(&model, alone));
        Self { protocol, name, expect: Expect::Correct, run }
    }

    /// A scenario with a planted bug, which must show as `violation`.
    pub fn planted<P>(
        protocol: &'static str,
        name: String,
        model: P,
        bug: &'static str,
        violation: Violation,
    ) -> Self
    where
        P: Protocol + Send + Sync + 'static,
    {
        let run = Box::new(move || explore(&model, violation == Violation::Waits));
        Self { protocol, name, expect: Expect::Caught(bug, violation), run }
    }

    /// Explores the scenario.
    #[must_use]
    pub fn run(&self) -> Report {
        (self.run)()
    }

    /// Whether `report` is what the scenario must show.
    #[must_use]
    pub fn passes(&self, report: &Report) -> bool {
        match self.expect {
            Expect::Correct => report.violation.is_none(),
            Expect::Caught(_, violation) => report.violation == Some(violation),
        }
    }
}
