//! Runs all scenarios on all cores and prints one line for each.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::explore::Report;
use crate::scenario::{Expect, Scenario};

/// Every scenario, protocol by protocol.
#[must_use]
pub fn scenarios() -> Vec<Scenario> {
    let protocols = [
        crate::steady::scenarios,
        crate::link::scenarios,
        crate::resize::scenarios,
        crate::overflow::scenarios,
        crate::version::scenarios,
        crate::deadline::scenarios,
        crate::token::scenarios,
        crate::root::scenarios,
    ];
    protocols.into_iter().flat_map(|scenarios| scenarios()).collect()
}

/// What to run and what to show.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only scenarios whose protocol, name or bug contains this text.
    pub filter: String,
    /// Show the shortest trace of every violation, also of those that are expected.
    pub traces: bool,
}

struct Finished {
    index: usize,
    report: Report,
    time: Duration,
}

/// Totals of one run.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Totals {
    correct: usize,
    caught: usize,
    failed: usize,
    states: usize,
}

/// Runs the chosen scenarios and prints to standard output; true if all came out as they must.
#[must_use]
pub fn run(options: &Options) -> bool {
    let chosen: Vec<Scenario> =
        scenarios().into_iter().filter(|scenario| chosen(scenario, &options.filter)).collect();
    if chosen.is_empty() {
        println!("no scenario contains {:?}", options.filter);
        return false;
    }
    let started = Instant::now();
    let totals = run_all(&chosen, options);
    println!(
        "{} scenarios, {} mutations caught, {} states, {:.1} s",
        totals.correct,
        totals.caught,
        totals.states,
        started.elapsed().as_secs_f64()
    );
    if totals.failed > 0 {
        println!("{} did not come out as they must", totals.failed);
    }
    totals.failed == 0
}

fn chosen(scenario: &Scenario, filter: &str) -> bool {
    let bug = match scenario.expect {
        Expect::Correct => "",
        Expect::Caught(bug, _) => bug,
    };
    [scenario.protocol, &scenario.name, bug].iter().any(|text| text.contains(filter))
}

fn run_all(scenarios: &[Scenario], options: &Options) -> Totals {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            let (next, sender) = (&next, sender.clone());
            scope.spawn(move || {
                loop {
                    // Relaxed: the number is all that is shared.
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(scenario) = scenarios.get(index) else {
                        break;
                    };
                    let started = Instant::now();
                    let report = scenario.run();
                    let time = started.elapsed();
                    sender.send(Finished { index, report, time }).expect("the printer waits");
                }
            });
        }
        drop(sender);
        print_in_order(scenarios, options, receiver)
    })
}

/// Prints each report when all before it are printed, so that output does not depend on timing.
fn print_in_order(
    scenarios: &[Scenario],
    options: &Options,
    receiver: mpsc::Receiver<Finished>,
) -> Totals {
    let terminal = std::io::stdout().is_terminal();
    let mut waiting: Vec<Option<Finished>> = scenarios.iter().map(|_| None).collect();
    let (mut totals, mut printed, mut done) = (Totals::default(), 0, 0);
    for finished in receiver {
        let index = finished.index;
        waiting[index] = Some(finished);
        done += 1;
        if terminal {
            print!("\r\x1b[K");
        }
        while let Some(finished) = waiting.get_mut(printed).and_then(Option::take) {
            print_report(&scenarios[printed], &finished, options, &mut totals);
            printed += 1;
        }
        if terminal && done < scenarios.len() {
            print!("{done} of {}", scenarios.len());
            // Progress that cannot be shown is no reason to stop.
            let _ = std::io::stdout().flush();
        }
    }
    totals
}

fn print_report(scenario: &Scenario, finished: &Finished, options: &Options, totals: &mut Totals) {
    let report = &finished.report;
    let passes = scenario.passes(report);
    let (word, what) = match (passes, scenario.expect) {
        (true, Expect::Correct) => ("ok    ", scenario.name.clone()),
        (true, Expect::Caught(bug, _)) => ("caught", format!("{bug}: {}", scenario.name)),
        (false, Expect::Correct) => ("FAILED", scenario.name.clone()),
        (false, Expect::Caught(bug, _)) => ("MISSED", format!("{bug}: {}", scenario.name)),
    };
    let verdict = report.violation.map_or(String::new(), |violation| format!(", {violation:?}"));
    let (protocol, states, time) = (scenario.protocol, report.states, finished.time.as_secs_f64());
    println!("{word} {protocol:8} {what}: {states} states, {time:.2} s{verdict}");
    if options.traces || !passes {
        report.trace.iter().for_each(|step| println!("           {step}"));
    }
    totals.states += report.states;
    match (passes, scenario.expect) {
        (true, Expect::Correct) => totals.correct += 1,
        (true, Expect::Caught(..)) => totals.caught += 1,
        (false, _) => totals.failed += 1,
    }
}
