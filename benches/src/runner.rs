//! Runs a plan: every cell side by side in one process, engines in alternating order.

use crate::drive::{Effort, Measurement};
use crate::engine::{Card, Hold};
use crate::entrant::{Entrant, Loaded};
use crate::plan::{Plan, Section, estimate_fill};
use crate::progress::advance;
use crate::workload::{Draw, Shape, Workload};
use crate::zipf;
use indicatif::ProgressBar;

/// What a section showed.
pub struct Outcome {
    /// What was measured.
    pub section: Section,
    /// The engines, rkv's first; all lists below are in this order.
    pub cards: Vec<Card>,
    /// Resident bytes per entry after prefilling; `None` for a session, which shares the table of
    /// the engine before it.
    pub bytes_per_entry: Vec<Option<f64>>,
    /// One per workload and number of threads.
    pub cells: Vec<Cell>,
}

/// One workload at one number of threads.
pub struct Cell {
    /// Which.
    pub workload: Workload,
    /// How many.
    pub threads: usize,
    /// For each engine one measurement per round.
    pub rounds: Vec<Vec<Measurement>>,
}

/// Why a run was given up.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// An engine missed keys that it holds, or found keys that it does not.
    #[error("{engine} found {hits} of {gets} keys in {workload}")]
    WrongHits {
        /// The engine.
        engine: &'static str,
        /// The workload.
        workload: &'static str,
        /// Keys that were asked for.
        gets: u64,
        /// Those that were found.
        hits: u64,
    },
    /// The process that measures memory failed.
    #[error("the memory of {engine} could not be measured: {reason}")]
    Memory {
        /// The engine.
        engine: &'static str,
        /// What went wrong.
        reason: String,
    },
}

/// Measures the resident bytes per entry of one engine, best in a process of its own.
pub type MeasureMemory<'m> = dyn Fn(&Card, &Section) -> Result<f64, RunError> + 'm;

/// Runs one section. `progress` counts milliseconds of estimated work.
///
/// Errors: an engine's hits contradict the workload; memory could not be measured.
pub fn run(
    plan: &Plan,
    section: &Section,
    memory: &MeasureMemory<'_>,
    progress: &ProgressBar,
) -> Result<Outcome, RunError> {
    let entrants = plan.entrants(section);
    let cards: Vec<Card> = entrants.iter().map(|entrant| entrant.card).collect();
    let mut bytes_per_entry = Vec::new();
    for card in &cards {
        say(progress, section, &format!("memory of {}", card.name));
        let shares_a_table = card.hold == Hold::Session
            && cards.iter().any(|other| card.name == format!("{}-session", other.name));
        bytes_per_entry.push(if shares_a_table { None } else { Some(memory(card, section)?) });
        advance(progress, estimate_fill(section.entries));
    }
    let field = Field::prepare(plan, section, entrants, progress);
    let mut cells = Vec::new();
    for &workload in &section.workloads {
        for &threads in &plan.threads {
            cells.push(field.cell(workload, threads)?);
        }
    }
    Ok(Outcome { section: section.clone(), cards, bytes_per_entry, cells })
}

/// Prefilled engines and all that their workloads need.
struct Field<'p> {
    plan: &'p Plan,
    section: &'p Section,
    entrants: Vec<Entrant>,
    /// Empty when no workload needs prefilled engines.
    loaded: Vec<Box<dyn Loaded>>,
    zipf: Option<zipf::Pool>,
    progress: &'p ProgressBar,
}

impl<'p> Field<'p> {
    fn prepare(
        plan: &'p Plan,
        section: &'p Section,
        entrants: Vec<Entrant>,
        progress: &'p ProgressBar,
    ) -> Field<'p> {
        let mut loaded = Vec::new();
        let prefills = section.workloads.iter().any(|w| w.shape() != Shape::Grow);
        for entrant in &entrants {
            say(progress, section, &format!("filling {}", entrant.card.name));
            if prefills {
                loaded.push((entrant.prefilled)(section.entries));
            }
            advance(progress, estimate_fill(section.entries));
        }
        let draws = |w: &Workload| matches!(w.shape(), Shape::Mixed(_, Draw::Zipf));
        let zipf = section.workloads.iter().any(draws).then(|| {
            // LIMIT: as many draws as a fast thread makes in one round, at most 64 MiB of them.
            let count = (plan.time.as_micros() as usize * 100).clamp(1 << 16, 1 << 24);
            zipf::Pool::new(section.entries, count, 1)
        });
        Field { plan, section, entrants, loaded, zipf, progress }
    }

    fn cell(&self, workload: Workload, threads: usize) -> Result<Cell, RunError> {
        let mut rounds = vec![Vec::new(); self.entrants.len()];
        for round in 0..self.plan.rounds {
            say(
                self.progress,
                self.section,
                &format!("{}, threads {threads}, round {}", workload.name(), round + 1),
            );
            for engine in alternating(self.entrants.len(), round) {
                let measured = self.measure(engine, workload, threads, round);
                let card = self.entrants[engine].card;
                let Measurement { gets, hits, .. } = measured;
                if !workload.hits_plausible(card.side, gets, hits) {
                    let (engine, workload) = (card.name, workload.name());
                    return Err(RunError::WrongHits { engine, workload, gets, hits });
                }
                rounds[engine].push(measured);
            }
        }
        Ok(Cell { workload, threads, rounds })
    }

    fn measure(
        &self,
        engine: usize,
        workload: Workload,
        threads: usize,
        round: u32,
    ) -> Measurement {
        let effort = Effort {
            entries: self.section.entries,
            threads,
            time: self.plan.time,
            zipf: self.zipf.as_ref(),
            seed: u64::from(round) + 1,
        };
        let (measured, expected) = match workload.shape() {
            Shape::Grow => {
                let fill = estimate_fill(effort.entries);
                ((self.entrants[engine].grow)(effort.entries, threads), fill)
            }
            Shape::Mixed(mix, draw) => (self.loaded[engine].mixed(effort, mix, draw), effort.time),
            Shape::Batches(batch) => (self.loaded[engine].batches(effort, batch), effort.time),
        };
        advance(self.progress, expected);
        measured
    }
}

/// Forward in even rounds, backward in odd ones, so that no engine always follows the same one.
pub(crate) fn alternating(engines: usize, round: u32) -> impl Iterator<Item = usize> {
    (0..engines).map(move |place| if round.is_multiple_of(2) { place } else { engines - 1 - place })
}

fn say(progress: &ProgressBar, section: &Section, what: &str) {
    progress.set_message(format!("{} entries: {what}", section.entries));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn tiny(workloads: &[&str], engines: &[&str]) -> Plan {
        let owned = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
        Plan {
            workloads: Workload::select(&owned(workloads)).expect("known workloads"),
            sizes: vec![5_000],
            threads: vec![1, 2],
            engines: owned(engines),
            rounds: 2,
            time: Duration::from_millis(2),
        }
    }

    #[test]
    fn order_alternates_between_rounds() {
        assert!(alternating(3, 0).eq([0, 1, 2]) && alternating(3, 1).eq([2, 1, 0]));
    }

    #[test]
    fn every_cell_has_every_engine_in_every_round() {
        let plan = tiny(&["kv"], &["rkv", "dashmap"]);
        let section = &plan.sections()[0];
        let outcome = run(&plan, section, &|_, _| Ok(100.0), &ProgressBar::hidden())
            .expect("no engine loses keys");
        assert_eq!(outcome.cells.len(), 10 * 2);
        for cell in &outcome.cells {
            assert_eq!(cell.rounds.len(), 3);
            assert!(cell.rounds.iter().all(|rounds| rounds.len() == 2), "{:?}", cell.workload);
            let grows = cell.workload == Workload::KvGrow;
            assert!(cell.rounds.iter().flatten().all(|m| m.slowest_us.is_some() == grows));
        }
        assert_eq!(outcome.bytes_per_entry, [Some(100.0), None, Some(100.0)]);
    }

    #[test]
    fn engine_that_misses_its_keys_ends_the_run() {
        let plan = tiny(&["map-u64-get"], &["dashmap"]);
        let section = &plan.sections()[0];
        let progress = ProgressBar::hidden();
        let mut field = Field::prepare(&plan, section, plan.entrants(section), &progress);
        // Half of the keys that the workload of this section expects are not there.
        field.loaded = vec![(field.entrants[0].prefilled)(section.entries / 2)];
        let error = field.cell(Workload::MapGet, 1).map(drop);
        assert!(matches!(error, Err(RunError::WrongHits { engine: "dashmap", .. })));
    }
}
