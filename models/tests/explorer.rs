//! The explorer finds what it is there to find, in protocols small enough to be judged by eye.

use rkv_models::suite::scenarios;
use rkv_models::{At, Expect, Protocol, Report, Step, Violation, explore};

/// How two threads add one to a shared number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Load and compare-and-swap, until it holds.
    Swap,
    /// Load and store: an addition may be lost, and two threads get the same answer.
    Store,
    /// As `Store`, but the answer says nothing.
    SilentStore,
    /// Take a lock by spinning, add, release.
    Lock,
    /// Take a lock that is never released.
    LockForEver,
    /// Add at once, and too much on the second time.
    Overshoot,
}

struct Counter {
    way: Way,
    programs: Vec<Vec<()>>,
}

fn count(way: Way, threads: usize, alone: bool) -> Report {
    explore(&Counter { way, programs: vec![vec![()]; threads] }, alone)
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Memory {
    number: u8,
    locked: bool,
}

impl Protocol for Counter {
    type Shared = Memory;
    /// The number loaded, or with a lock whether it is held.
    type Local = Option<u8>;
    type Op = ();
    type Spec = u8;
    type Output = u8;

    fn programs(&self) -> &[Vec<()>] {
        &self.programs
    }

    fn shared(&self) -> Memory {
        Memory { number: 0, locked: false }
    }

    fn spec(&self) -> u8 {
        0
    }

    fn apply(&self, number: u8, (): ()) -> (u8, u8) {
        (number + 1, if self.way == Way::SilentStore { 0 } else { number })
    }

    fn step(&self, _at: At<()>, memory: &mut Memory, local: &mut Option<u8>) -> Step<u8> {
        let blocks = matches!(self.way, Way::LockForEver);
        match (self.way, *local) {
            (Way::Overshoot, _) => {
                memory.number = 2 * memory.number + 1;
                return Step::Return(memory.number / 2);
            }
            (Way::Lock | Way::LockForEver, None) => {
                if memory.locked {
                    return if blocks { Step::Blocked } else { Step::Continue };
                }
                memory.locked = true;
                *local = Some(0);
            }
            (Way::Lock | Way::LockForEver, Some(_)) => {
                memory.locked = blocks;
                memory.number += 1;
                return Step::Return(memory.number - 1);
            }
            (_, None) => *local = Some(memory.number),
            (Way::Swap, Some(loaded)) if loaded != memory.number => *local = None,
            (way, Some(loaded)) => {
                memory.number = loaded + 1;
                return Step::Return(if way == Way::SilentStore { 0 } else { loaded });
            }
        }
        Step::Continue
    }

    fn check(&self, memory: &Memory, _at_rest: bool) -> Result<(), &'static str> {
        let bound = self.programs.len() as u8;
        if memory.number <= bound { Ok(()) } else { Err("more than was added") }
    }

    fn settled(&self, memory: &Memory) -> Option<u8> {
        Some(memory.number)
    }
}

#[test]
fn counter_that_compares_is_linearizable_and_nobody_waits() {
    let report = count(Way::Swap, 3, true);
    assert_eq!(report.violation, None);
    assert!(report.trace.is_empty());
}

#[test]
fn every_interleaving_of_two_threads_is_visited() {
    // One thread: about to start, holding the lock, done.
    assert_eq!(count(Way::Lock, 1, true).states, 3);
    // Two: (idle, idle) and (done, done), and either way round (holds, idle), (holds, spins),
    // (done, idle), (done, spins), (done, holds).
    assert_eq!(count(Way::Lock, 2, false).states, 12);
}

#[test]
fn planted_lost_update_is_not_linearizable_and_has_a_shortest_trace() {
    let report = count(Way::Store, 2, false);
    assert_eq!(report.violation, Some(Violation::NotLinearizable));
    // Two loads and two stores; nothing shorter shows it.
    assert_eq!(report.trace.len(), 4, "{:#?}", report.trace);
}

#[test]
fn lost_update_that_no_answer_shows_is_found_in_the_memory_at_rest() {
    let report = count(Way::SilentStore, 2, false);
    assert_eq!(report.violation, Some(Violation::WrongContent));
}

#[test]
fn lock_is_linearizable_but_its_waiters_wait() {
    assert_eq!(count(Way::Lock, 2, false).violation, None);
    assert_eq!(count(Way::Lock, 2, true).violation, Some(Violation::Waits));
}

#[test]
fn lock_that_is_never_released_is_a_deadlock() {
    assert_eq!(count(Way::LockForEver, 2, false).violation, Some(Violation::Deadlock));
}

#[test]
fn broken_invariant_is_named() {
    let report = count(Way::Overshoot, 2, false);
    assert_eq!(report.violation, Some(Violation::Broken("more than was added")));
}

#[test]
fn every_protocol_has_a_correct_scenario_and_a_planted_bug() {
    let scenarios = scenarios();
    for protocol in ["steady", "link", "resize", "overflow", "version", "deadline", "token", "root"]
    {
        let mine = || scenarios.iter().filter(|scenario| scenario.protocol == protocol);
        assert!(mine().any(|scenario| scenario.expect == Expect::Correct), "{protocol}");
        assert!(mine().any(|scenario| scenario.expect != Expect::Correct), "{protocol}");
    }
}

#[test]
fn every_planted_bug_of_the_suite_is_caught_as_what_it_is() {
    for scenario in scenarios().iter().filter(|scenario| scenario.expect != Expect::Correct) {
        let report = scenario.run();
        assert!(scenario.passes(&report), "{}: {:?}", scenario.name, report.violation);
        assert!(!report.trace.is_empty(), "{}", scenario.name);
    }
}

#[test]
fn steady_state_and_deadlines_hold() {
    let small = ["steady", "deadline"];
    for scenario in scenarios().iter().filter(|scenario| small.contains(&scenario.protocol)) {
        let report = scenario.run();
        assert!(scenario.passes(&report), "{}: {:#?}", scenario.name, report);
    }
}
