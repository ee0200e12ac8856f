//! What is to be measured: which engines, workloads, sizes and threads, how often and how long.

use crate::engine::Card;
use crate::engines;
use crate::entrant::Entrant;
use crate::workload::{Family, Shape, Workload};
use std::time::Duration;

/// A whole run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// In the order of [`Workload::ALL`].
    pub workloads: Vec<Workload>,
    /// Numbers of entries, each from 1 to [`ENTRIES_MAX`].
    pub sizes: Vec<u64>,
    /// Numbers of threads, each at least 1.
    pub threads: Vec<usize>,
    /// Names of engines, or what comes before a `-` in several; empty for all but the optional.
    pub engines: Vec<String>,
    /// How often each cell is measured. A claim needs at least five.
    pub rounds: u32,
    /// How long one engine is driven in one round of a cell.
    pub time: Duration,
}

/// LIMIT: twice as many keys as entries must be drawn from 32 bits.
pub const ENTRIES_MAX: u64 = 1 << 31;

/// Workloads that share the prefilled engines of one size and kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Entries in each engine.
    pub entries: u64,
    /// The kind of engine.
    pub family: Family,
    /// At least one.
    pub workloads: Vec<Workload>,
}

/// Why a plan cannot be run.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum PlanError {
    /// A name on the command line selects no engine of any kind.
    #[error("no engine is called `{0}`")]
    Engine(String),
    /// The chosen engines run none of the chosen workloads.
    #[error("the engines that were named run none of these workloads")]
    Nothing,
    /// A size or a number of threads or rounds is out of range.
    #[error("{name} must be from 1 to {max}")]
    Range {
        /// The option.
        name: &'static str,
        /// The largest value allowed.
        max: u64,
    },
}

impl Plan {
    /// What the published figures come from.
    pub fn full() -> Plan {
        Plan {
            workloads: Workload::standard(),
            sizes: vec![1 << 16, 1 << 22],
            threads: vec![2],
            engines: Vec::new(),
            rounds: 7,
            time: Duration::from_millis(400),
        }
    }

    /// A first look: a smaller second size, and short rounds.
    pub fn quick() -> Plan {
        let time = Duration::from_millis(50);
        Plan { sizes: vec![1 << 16, 1 << 20], rounds: 5, time, ..Plan::full() }
    }

    /// Errors: a number out of range, the name of an engine that does not exist, or nothing to run.
    pub fn check(&self) -> Result<(), PlanError> {
        let range = |name, max: u64, mut values: Box<dyn Iterator<Item = u64> + '_>| {
            let good = values.all(|value| (1..=max).contains(&value));
            if good { Ok(()) } else { Err(PlanError::Range { name, max }) }
        };
        range("sizes", ENTRIES_MAX, Box::new(self.sizes.iter().copied()))?;
        range("threads", 1_024, Box::new(self.threads.iter().map(|&n| n as u64)))?;
        range("rounds", 1_000, Box::new(std::iter::once(u64::from(self.rounds))))?;
        let cards: Vec<Card> = [Family::Bytes, Family::Words]
            .into_iter()
            .flat_map(engines::entrants)
            .map(|entrant| entrant.card)
            .collect();
        let unknown = |name: &&String| !cards.iter().any(|card| selects(name, card));
        match self.engines.iter().find(unknown) {
            Some(name) => Err(PlanError::Engine(name.clone())),
            None if self.sections().is_empty() => Err(PlanError::Nothing),
            None => Ok(()),
        }
    }

    /// Sizes times kinds of engines, leaving out what has no workload or no engine.
    pub fn sections(&self) -> Vec<Section> {
        let of_size = |&entries: &u64| {
            [Family::Bytes, Family::Words].into_iter().map(move |family| {
                let of_family = |w: &Workload| w.family() == family;
                let workloads = self.workloads.iter().copied().filter(of_family).collect();
                Section { entries, family, workloads }
            })
        };
        let mut sections: Vec<Section> = self.sizes.iter().flat_map(of_size).collect();
        sections.retain(|section| !section.workloads.is_empty());
        sections.retain(|section| !self.entrants(section).is_empty());
        sections
    }

    /// The engines that take part in a section, rkv's first.
    pub fn entrants(&self, section: &Section) -> Vec<Entrant> {
        let mut entrants = engines::entrants(section.family);
        entrants.retain(|entrant| self.takes_part(&entrant.card));
        entrants
    }

    /// How long the work on `entries` of all engines in `section` will take, about.
    pub fn estimate(&self, section: &Section) -> Duration {
        let engines = self.entrants(section).len() as u32;
        // Once for the memory of a fresh process and once for the workloads.
        let mut total = engines * 2 * estimate_fill(section.entries);
        for workload in &section.workloads {
            let once = match workload.shape() {
                Shape::Grow => estimate_fill(section.entries),
                _ => self.time,
            };
            total += engines * self.rounds * self.threads.len() as u32 * once;
        }
        total
    }

    fn takes_part(&self, card: &Card) -> bool {
        match self.engines.as_slice() {
            [] => !card.optional,
            names => names.iter().any(|name| selects(name, card)),
        }
    }
}

/// How long it takes to insert `entries` into one engine and to free it, about.
pub fn estimate_fill(entries: u64) -> Duration {
    Duration::from_nanos(entries * 400)
}

/// Whether `name` is the card's name or what its name begins with, up to a `-`.
fn selects(name: &str, card: &Card) -> bool {
    let rest = card.name.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(engines: &[&str]) -> Plan {
        Plan {
            workloads: Workload::ALL.to_vec(),
            sizes: vec![10, 20],
            threads: vec![1, 2],
            engines: engines.iter().map(|&name| name.to_owned()).collect(),
            rounds: 5,
            time: Duration::from_secs(1),
        }
    }

    fn names(plan: &Plan) -> Vec<&'static str> {
        let section = &plan.sections()[0];
        plan.entrants(section).iter().map(|entrant| entrant.card.name).collect()
    }

    #[test]
    fn section_holds_the_workloads_of_one_size_and_kind() {
        let sections = plan(&[]).sections();
        assert_eq!(sections.len(), 4);
        for section in &sections {
            assert!(section.workloads.iter().all(|w| w.family() == section.family));
        }
        let total: usize = sections.iter().map(|section| section.workloads.len()).sum();
        assert_eq!(total, 2 * Workload::ALL.len());
    }

    #[test]
    fn engines_are_all_but_the_optional_unless_named() {
        assert!(!names(&plan(&[])).contains(&"moka-ttl"));
        assert!(names(&plan(&[])).contains(&"dashmap"));
        assert_eq!(names(&plan(&["moka-ttl", "papaya"])), ["papaya", "papaya-session", "moka-ttl"]);
    }

    #[test]
    fn unknown_engine_and_zero_are_refused() {
        assert_eq!(plan(&["rkv", "dash"]).check(), Err(PlanError::Engine("dash".to_owned())));
        assert_eq!(plan(&["rkv", "moka"]).check(), Ok(()));
        let none = Plan { threads: vec![2, 0], ..plan(&[]) };
        assert_eq!(none.check(), Err(PlanError::Range { name: "threads", max: 1_024 }));
    }
    #[test]
    fn kind_without_an_engine_has_no_section() {
        let sections = plan(&["moka"]).sections();
        assert_eq!(sections.len(), 2);
        assert!(sections.iter().all(|section| section.family == Family::Bytes));
        let words = Plan { workloads: vec![Workload::MapGet], ..plan(&["moka"]) };
        assert_eq!(words.check(), Err(PlanError::Nothing));
    }

    #[test]
    fn published_plans_keep_their_time_and_their_rounds() {
        let total = |plan: &Plan| -> Duration {
            plan.sections().iter().map(|section| plan.estimate(section)).sum()
        };
        // A quarter is left for a machine that is slower than the one of the estimates.
        assert!(total(&Plan::full()) <= Duration::from_secs(15 * 60));
        assert!(total(&Plan::quick()) <= Duration::from_secs(2 * 60));
        for plan in [Plan::full(), Plan::quick()] {
            assert_eq!(plan.check(), Ok(()));
            assert!(plan.rounds >= 5);
        }
    }
}
