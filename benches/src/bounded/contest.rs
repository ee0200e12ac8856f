//! Runs one trace through all caches, side by side in one process.

use super::caches::{Driven, OWN, entrants};
use super::drive::Walk;
use super::trace::{Bound, CASES, Case, Trace};
use crate::grid::thousands;
use crate::progress::advance;
use crate::runner::alternating;
use indicatif::ProgressBar;
use std::time::Duration;

/// How much is asked, how often, how long.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Keys that the requests are spread over.
    pub keys: u64,
    /// Requests of a trace. The first half warms the caches up; in the second half hits count.
    pub requests: u64,
    /// How often throughput is measured.
    pub rounds: u32,
    /// How long one cache is driven in one round.
    pub time: Duration,
}

/// With so many threads hits are counted and throughput is measured.
pub const THREADS: [usize; 2] = [1, 2];

/// With so many threads rkv's hits are counted once more.
pub const CROWD: usize = 4;

/// What a trace showed.
pub struct Row {
    /// Which trace.
    pub case: Case,
    /// What the caches were told.
    pub bound: Bound,
    /// One for each cache and number of threads.
    pub cells: Vec<Cell>,
}

/// What a cache showed with so many threads.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The cache.
    pub engine: &'static str,
    /// The threads.
    pub threads: usize,
    /// Hits among the requests of the second half of the trace.
    pub hit_ratio: f64,
    /// What it held after that, counted as its bound is.
    pub held: u64,
    /// Million requests per second in each round; empty where only hits were counted.
    pub mops: Vec<f64>,
}

impl Row {
    /// What a cache showed with so many threads.
    pub fn cell(&self, engine: &str, threads: usize) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.engine == engine && cell.threads == threads)
    }

    /// Whether a cache held more than it may, by more than a hundredth. Then its hits say nothing.
    pub fn is_over(&self, cell: &Cell) -> bool {
        let (Bound::Entries(most) | Bound::Bytes(most)) = self.bound;
        cell.held > most + most / 100
    }
}

/// About how long a run takes.
pub fn estimate(scale: Scale) -> Duration {
    CASES.len() as u32 * estimate_case(scale)
}

fn estimate_case(scale: Scale) -> Duration {
    let timed = scale.rounds * THREADS.len() as u32 * 3 * scale.time;
    // All caches together, for one request of each with each number of threads.
    timed + Duration::from_nanos(scale.requests * 4_500)
}

/// Runs one case.
pub fn run(case: Case, scale: Scale, progress: &ProgressBar) -> Row {
    progress.set_message(format!(
        "{}, a bound of {}, {} keys",
        case.name(),
        case.bound_name(),
        thousands(scale.keys)
    ));
    let trace = case.trace(scale.keys, scale.requests as usize);
    let mut cells: Vec<Cell> =
        THREADS.iter().flat_map(|&threads| together(&trace, threads, scale)).collect();
    let own = entrants(trace.bound).into_iter().find(|entrant| entrant.name == OWN);
    let crowded = own.map(|own| {
        let cache = (own.open)(trace.bound, trace.entries);
        warmed(own.name, &*cache, &trace, CROWD)
    });
    cells.extend(crowded);
    advance(progress, estimate_case(scale));
    Row { case, bound: trace.bound, cells }
}

/// All caches with so many threads: first the hits, then, as they are warm, the throughput.
fn together(trace: &Trace, threads: usize, scale: Scale) -> Vec<Cell> {
    let mut field: Vec<(Box<dyn Driven>, Cell)> = entrants(trace.bound)
        .into_iter()
        .map(|entrant| {
            let cache = (entrant.open)(trace.bound, trace.entries);
            let cell = warmed(entrant.name, &*cache, trace, threads);
            (cache, cell)
        })
        .collect();
    for round in 0..scale.rounds {
        let position = trace.requests() * u64::from(round) / u64::from(scale.rounds);
        for engine in alternating(field.len(), round) {
            let (cache, cell) = &mut field[engine];
            let walk = Walk::endless(trace, position);
            cell.mops.push(cache.run(walk, threads, scale.time).mops);
        }
    }
    field.into_iter().map(|(_, cell)| cell).collect()
}

/// Runs the whole trace through an empty cache.
fn warmed(engine: &'static str, cache: &dyn Driven, trace: &Trace, threads: usize) -> Cell {
    let half = trace.requests() / 2;
    cache.run(Walk::part(trace, 0..half), threads, Duration::MAX);
    let run = cache.run(Walk::part(trace, half..trace.requests()), threads, Duration::MAX);
    let hit_ratio = run.hits as f64 / run.requests as f64;
    Cell { engine, threads, hit_ratio, held: cache.held(), mops: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::super::caches::RIVALS;
    use super::super::trace::{Shape, Share};
    use super::*;

    const SCALE: Scale =
        Scale { keys: 10_000, requests: 40_000, rounds: 2, time: Duration::from_millis(2) };

    fn row(shape: Shape) -> Row {
        let case = Case { shape, share: Share::Percent(10) };
        run(case, SCALE, &ProgressBar::hidden())
    }

    #[test]
    fn every_cache_has_hits_and_rounds_with_each_number_of_threads() {
        for shape in [Shape::Zipf(0.99), Shape::Sizes] {
            let row = row(shape);
            for engine in [OWN, RIVALS[0], RIVALS[1]] {
                for threads in THREADS {
                    let cell = row.cell(engine, threads).expect("it took part");
                    assert!(cell.hit_ratio > 0.4 && cell.hit_ratio < 1.0, "{cell:?}");
                    assert_eq!(cell.mops.len(), 2);
                    assert!(cell.mops.iter().all(|&mops| mops > 0.0));
                }
            }
            assert!(row.cell(OWN, CROWD).is_some_and(|cell| cell.mops.is_empty()));
        }
    }

    #[test]
    fn rivals_on_one_thread_hit_the_same_trace_as_often_in_each_run() {
        let ratio = |row: &Row| row.cell(RIVALS[1], 1).map(|cell| cell.hit_ratio);
        assert_eq!(ratio(&row(Shape::Scans)), ratio(&row(Shape::Scans)));
    }

    #[test]
    fn cache_that_holds_more_than_it_may_is_found_out() {
        let cell = |held| {
            let (engine, mops) = (OWN, Vec::new());
            Cell { engine, threads: 1, hit_ratio: 0.5, held, mops }
        };
        let case = Case { shape: Shape::Loop, share: Share::Percent(10) };
        let row = Row { case, bound: Bound::Entries(1_000), cells: Vec::new() };
        assert!(!row.is_over(&cell(1_000)) && row.is_over(&cell(1_100)));
    }
}
