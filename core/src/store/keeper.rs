//! The keeper: one thread of the process, which removes what has expired from stores that nobody
//! uses.
//!
//! It starts with the first timer and ends with the last store that has one. It sleeps until the
//! next token is due, and not at all while none is parked. A writer wakes it only for a token that
//! is due before that. A forked child has a keeper of its own.

use std::panic;
use std::time::Duration;

use super::engine::Engine;
pub(super) use super::shift::Bell;
use super::shift::{Running, Shift};
use crate::epoch;
use crate::sync::per_process::PerProcess;
use crate::sync::{Arc, Mutex, Weak, lock};

/// How long the keeper lets a wheel alone that is in other hands.
const BUSY: Duration = Duration::from_millis(1);

static KEEPER: PerProcess<Keeper> = PerProcess::new();

/// The keeper of this process.
struct Keeper {
    generation: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    engines: Vec<Weak<Engine>>,
    thread: Option<Running>,
}

fn keeper() -> &'static Keeper {
    let is_ours = |keeper: &Keeper| keeper.generation == epoch::generation();
    KEEPER.get(is_ours, || Keeper { generation: epoch::birth(), state: Mutex::default() })
}

/// Looks after the timers of an engine from now on. Where the system refuses a thread, writers that
/// park timers move the wheels alone, and the next engine tries again.
pub(super) fn keep(engine: &Engine) {
    let keeper = keeper();
    let mut state = lock(&keeper.state);
    state.engines.push(Weak::clone(&engine.this));
    if state.thread.is_none() {
        state.thread = Running::begin(|shift| keeper.run(shift)).ok();
    }
    if let Some(running) = &state.thread {
        // While the engine is kept the thread does not end.
        let _ = engine.bell.set(running.bell());
        running.wake();
    }
}

/// Looks after an engine no more. Waits while the keeper is at work on one, and, where it was the
/// last, for the end of the thread.
pub(super) fn leave(engine: &Engine) {
    let keeper = keeper();
    let mut state = lock(&keeper.state);
    state.engines.retain(|kept| !Weak::ptr_eq(kept, &engine.this));
    if !state.engines.is_empty() {
        return;
    }
    let Some(running) = state.thread.take() else { return };
    running.stop();
    drop(state);
    running.join();
}

impl Engine {
    /// There is something to do at `ms`, which an inbox or a shard's `next` says by now.
    #[inline]
    pub(super) fn wake_keeper(&self, ms: u64) {
        Bell::ring(&self.bell, ms);
    }
}

impl Keeper {
    fn run(&self, shift: &Shift) {
        while shift.goes_on() {
            let round = self.round();
            if round.expired > 0 || round.behind {
                // What was removed goes back now, not when somebody writes again. A panic of what
                // a user made is not the keeper's affair, and was reported by its hook.
                let _ = panic::catch_unwind(epoch::flush);
                continue;
            }
            if round.busy {
                // Somebody helps a wheel along, and may have stopped in the middle.
                shift.sleep_until(round.next, Some(BUSY), || false);
            } else {
                shift.sleep_until(round.next, round.wait, || self.is_due_before(round.next));
            }
        }
    }

    /// A step of each wheel. Nothing is freed meanwhile: what users made may end stores.
    fn round(&self) -> Round {
        let mut round = Round::default();
        epoch::without_freeing(|| round = Round::of(&lock(&self.state)));
        round
    }

    /// Whether an engine has something to do before `ms` that the last round did not see.
    fn is_due_before(&self, ms: u64) -> bool {
        let state = lock(&self.state);
        let mut engines = state.engines.iter().filter_map(Weak::upgrade);
        engines.any(|engine| engine.timers.are_due_before(ms))
    }
}

/// A look at all engines.
#[derive(Default)]
struct Round {
    expired: u64,
    behind: bool,
    /// Whether a wheel was in other hands.
    busy: bool,
    next: u64,
    /// How long it is until then; `None` if nothing is parked.
    wait: Option<Duration>,
}

impl Round {
    fn of(state: &State) -> Self {
        let mut round = Self { expired: 0, behind: false, busy: false, next: u64::MAX, wait: None };
        for engine in state.engines.iter().filter_map(Weak::upgrade) {
            let advanced = engine.advance_all();
            round.expired += advanced.expired;
            round.behind |= advanced.behind;
            round.busy |= advanced.busy;
            if advanced.next < round.next {
                round.next = advanced.next;
                let ms = advanced.next.saturating_sub(engine.clock.now_ms());
                round.wait = Some(Duration::from_millis(ms));
            }
            // The store that it belongs to cannot end before the lock is free.
            debug_assert!(Arc::strong_count(&engine) > 1);
        }
        round
    }
}
