//! Running a model in all its executions: one that must hold, or a twin that must fail.

use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Instant;

use loom::model::Builder;

use crate::sync::planted::{Bug, plant};
use crate::sync::{self, Mutex};

/// Preemptions of a model that must hold, unless `LOOM_MAX_PREEMPTIONS` says otherwise.
const PREEMPTIONS: usize = 2;
/// Steps of one execution, unless `LOOM_MAX_BRANCHES` says otherwise: far above what any needs.
const BRANCHES: usize = 100_000;

/// Bugs are planted for the whole process, so models run one at a time.
static RUNNING: Mutex<()> = Mutex::new(());
/// What the last panic said. The default hook would print a backtrace, for which the stacks of
/// loom's threads are too small.
static SAID: Mutex<String> = Mutex::new(String::new());

static MODELS: AtomicUsize = AtomicUsize::new(0);
static TWINS: AtomicUsize = AtomicUsize::new(0);
static EXECUTIONS: AtomicUsize = AtomicUsize::new(0);

/// Checks a model that must hold.
///
/// # Panics
///
/// When an execution fails, with what it said.
#[track_caller]
pub(super) fn holds(name: &str, model: impl Fn() + Send + Sync + 'static) {
    holds_less(name, 0, model);
}

/// Checks a model that must hold, with `less` preemptions than the others.
///
/// # Panics
///
/// As `holds`.
#[track_caller]
pub(super) fn holds_less(name: &str, less: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = builder();
    let bound = builder.preemption_bound.unwrap_or(PREEMPTIONS).saturating_sub(less);
    builder.preemption_bound = Some(bound);
    let run = run(&builder, None, model);
    MODELS.fetch_add(1, SeqCst);
    run.report(&format!("model {name}, bound {bound}"));
    if let Some(said) = run.failed {
        panic!("{name} failed in execution {}: {said}", run.executions);
    }
}

/// Checks that loom finds a planted bug with `bound` preemptions, and for the right reason.
///
/// # Panics
///
/// When no execution fails, or one fails and says something else than `reason`.
#[track_caller]
pub(super) fn fails(
    name: &str,
    bug: Bug,
    bound: usize,
    reason: &str,
    model: impl Fn() + Send + Sync + 'static,
) {
    let mut builder = builder();
    builder.preemption_bound = Some(bound);
    let run = run(&builder, Some(bug), model);
    TWINS.fetch_add(1, SeqCst);
    run.report(&format!("twin  {name} with {bug:?}, bound {bound}"));
    let said = run.failed.unwrap_or_else(|| panic!("{name} holds although {bug:?} is planted"));
    assert!(said.contains(reason), "{name} fails for another reason than {reason:?}: {said}");
}

/// What ran so far: models, twins, executions.
pub(super) fn totals() -> (usize, usize, usize) {
    (MODELS.load(SeqCst), TWINS.load(SeqCst), EXECUTIONS.load(SeqCst))
}

/// Says something that the test runner does not swallow.
pub(super) fn say(what: &str) {
    let _ = writeln!(io::stderr(), "{what}");
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.max_branches = builder.max_branches.max(BRANCHES);
    builder
}

/// One exploration.
struct Run {
    executions: usize,
    /// What the failing execution said, if one failed.
    failed: Option<String>,
    began: Instant,
}

impl Run {
    fn report(&self, what: &str) {
        let seconds = self.began.elapsed().as_secs_f64();
        say(&format!("{what}: {} executions, {seconds:.1} s", self.executions));
    }
}

fn run(builder: &Builder, bug: Option<Bug>, model: impl Fn() + Send + Sync + 'static) -> Run {
    let _running = sync::lock(&RUNNING);
    let began = Instant::now();
    let count = sync::Arc::new(AtomicUsize::new(0));
    let counted = sync::Arc::clone(&count);
    plant(bug);
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, |place| format!(" at {place}"));
        let said = info.payload_as_str().unwrap_or("no message");
        *sync::lock(&SAID) = format!("{said}{place}");
    }));
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
        builder.check(move || {
            counted.fetch_add(1, SeqCst);
            model();
        });
    }));
    panic::set_hook(hook);
    plant(None);
    let executions = count.load(SeqCst);
    EXECUTIONS.fetch_add(executions, SeqCst);
    let failed = outcome.err().map(|_| sync::lock(&SAID).clone());
    Run { executions, failed, began }
}

/// A value whose destructor touches loom's world. It is not dropped while a failed execution
/// unwinds: then another thread could run in the middle of the unwinding, and a second panic would
/// end the process.
pub(super) struct Tidy<T>(ManuallyDrop<T>);

impl<T> Tidy<T> {
    pub(super) fn new(value: T) -> Self {
        Self(ManuallyDrop::new(value))
    }
}

impl<T> Deref for Tidy<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Tidy<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> Drop for Tidy<T> {
    fn drop(&mut self) {
        if !sync::panicking() {
            // SAFETY: nobody uses the value after this.
            unsafe { ManuallyDrop::drop(&mut self.0) }
        }
    }
}
