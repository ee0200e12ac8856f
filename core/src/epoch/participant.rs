//! Participants: who pins, and what they have retired.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::panic;
use std::rc::Rc;

use super::EpochStats;
use super::garbage::{Batch, Garbage, Payload, ReadyList, Retire};
use crate::clock;
use crate::sync::figures::AtomicU64 as Figure;
use crate::sync::planted::{Bug, planted};
use crate::sync::{self, Arc, Mutex, Relaxed, crossbeam};

/// Ready batches that a write frees at most when it ends. It retires at most a record or two, so
/// the list shrinks as long as anyone writes.
const FREED_PER_WRITE: usize = 2;

/// An epoch of its own: a collector, and what became ready in it.
#[derive(Debug)]
pub(crate) struct Domain {
    collector: crossbeam::Collector,
    ready: Arc<ReadyList>,
    sightings: Mutex<Vec<Arc<Sighting>>>,
}

/// What others may see of a participant. Written by its owner only.
#[derive(Debug, Default)]
struct Sighting {
    /// Guards that the participant holds.
    depth: Figure,
    /// Monotonic milliseconds at which a long pin began; 0 for none.
    pinned_since_ms: Figure,
}

impl Domain {
    pub(crate) fn new() -> Self {
        Self {
            collector: crossbeam::Collector::new(),
            ready: Arc::new(ReadyList::new()),
            sightings: Mutex::new(Vec::new()),
        }
    }

    /// A new participant for this thread.
    pub(crate) fn register(&self, generation: u64) -> Rc<Participant> {
        let sighting = Arc::new(Sighting::default());
        let mut sightings = sync::lock(&self.sightings);
        sightings.retain(|sighting| Arc::strong_count(sighting) > 1);
        sightings.push(Arc::clone(&sighting));
        drop(sightings);
        Rc::new(Participant {
            handle: self.collector.register(),
            ready: Arc::clone(&self.ready),
            batch: RefCell::default(),
            sighting,
            owes: Cell::new(false),
            freeing: Cell::new(false),
            generation,
        })
    }

    /// Frees everything that is ready.
    pub(crate) fn free_ready(&self) {
        loop {
            match self.ready.free_some(usize::MAX) {
                Ok(false) => return,
                Ok(true) => {}
                Err(payload) => panic::resume_unwind(payload),
            }
        }
    }

    /// What the domain is doing.
    pub(crate) fn figures(&self) -> EpochStats {
        let now = clock::monotonic_ms();
        let mut stats = EpochStats { retired_bytes: self.ready.bytes(), ..EpochStats::default() };
        for sighting in sync::lock(&self.sightings).iter() {
            if sighting.depth.load(Relaxed) == 0 {
                continue;
            }
            stats.pinned_guards += 1;
            let since = sighting.pinned_since_ms.load(Relaxed);
            if since != 0 {
                stats.oldest_pin_ms = stats.oldest_pin_ms.max(now.saturating_sub(since));
            }
        }
        stats
    }
}

/// One thread's, or one session's, membership in a domain.
#[derive(Debug)]
pub(crate) struct Participant {
    handle: crossbeam::LocalHandle,
    ready: Arc<ReadyList>,
    batch: RefCell<Batch>,
    sighting: Arc<Sighting>,
    /// It wrote since it last freed: the end of its pin frees a portion.
    owes: Cell<bool>,
    /// It is freeing: a `Drop` that comes back here must not free in turn.
    freeing: Cell<bool>,
    generation: u64,
}

impl Participant {
    /// The fork generation that it was registered in.
    #[inline]
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Pins: what is reachable now stays readable until the guard ends.
    #[inline]
    pub(crate) fn pin(self: &Rc<Self>) -> Guard {
        self.sighting.depth.store(self.sighting.depth.load(Relaxed) + 1, Relaxed);
        Guard { pin: Some(self.handle.pin()), participant: Rc::clone(self), here: PhantomData }
    }

    /// Notes that a pin of unknown length begins; `pin_ends` takes it back.
    pub(crate) fn long_pin_begins(&self) {
        self.sighting.pinned_since_ms.store(clock::monotonic_ms(), Relaxed);
    }

    /// Notes that the long pin ended.
    pub(crate) fn long_pin_ends(&self) {
        self.sighting.pinned_since_ms.store(0, Relaxed);
    }

    /// Hands over the batch, full or not.
    pub(crate) fn hand_over(&self, pin: &crossbeam::Guard) {
        let batch = self.batch.take();
        if batch.is_empty() {
            return;
        }
        self.ready.expect(&batch);
        let ready = Arc::clone(&self.ready);
        if planted(Bug::FreeAtOnce) {
            ready.push(batch);
            return;
        }
        // SAFETY: the closure only moves a batch to a list that it keeps alive; it may run on any
        // thread, since a `Batch` is `Send`, and borrows nothing.
        unsafe { pin.defer_unchecked(move || ready.push(batch)) };
        // Without this, up to 64 batches would wait in crossbeam's own bag.
        pin.flush();
    }

    /// Moves the epoch on and frees what became ready, this thread's batch included.
    pub(crate) fn flush(self: &Rc<Self>) {
        let guard = self.pin();
        if let Some(pin) = &guard.pin {
            self.hand_over(pin);
            pin.flush();
        }
    }

    /// Frees a portion of what is ready; called with no guard of this participant live. The first
    /// panic of a `Drop`, if there was one.
    fn free_portion(&self) -> Result<(), Payload> {
        // What was ready at a fork stays with the parent.
        if self.generation != super::generation() || self.freeing.replace(true) {
            return Ok(());
        }
        self.owes.set(false);
        let outcome = self.ready.free_some(FREED_PER_WRITE);
        self.freeing.set(false);
        outcome.map(drop)
    }

    /// Runs `f` while guards of this participant free nothing when they end.
    pub(crate) fn without_freeing(&self, f: impl FnOnce()) {
        let freeing = self.freeing.replace(true);
        f();
        self.freeing.set(freeing);
    }

    /// Whether it holds a guard.
    pub(crate) fn is_pinned(&self) -> bool {
        self.sighting.depth.load(Relaxed) > 0
    }
}

impl Drop for Participant {
    fn drop(&mut self) {
        if planted(Bug::LoseBatchAtExit) {
            std::mem::forget(self.batch.take());
            return;
        }
        // A handle that is not pinned any more: the batch goes through the epoch like any other.
        let pin = self.handle.pin();
        self.hand_over(&pin);
    }
}

/// Proof that this thread is pinned. Ends the pin when dropped.
#[derive(Debug)]
pub(crate) struct Guard {
    /// `None` only while the guard is being dropped or renewed.
    pin: Option<crossbeam::Guard>,
    participant: Rc<Participant>,
    here: PhantomData<*mut ()>,
}

impl Guard {
    /// The participant that is pinned.
    pub(crate) fn participant(&self) -> &Rc<Participant> {
        &self.participant
    }

    /// Ends this pin and begins a new one; frees a portion in between if this participant retired
    /// something. Pointers read before are not readable any more, which `&mut self` sees to.
    pub(crate) fn renew(&mut self) {
        if planted(Bug::RenewUnpinned) {
            self.pin = None;
            return;
        }
        let alone = self.participant.sighting.depth.load(Relaxed) == 1;
        if self.participant.owes.get() && alone {
            self.pin = None;
            let freed = self.participant.free_portion();
            // Pinned again before a panic goes on: its catcher may go on with this guard.
            self.pin = Some(self.participant.handle.pin());
            surface(freed);
        } else if let Some(pin) = &mut self.pin {
            pin.repin();
        }
    }
}

impl Retire for Guard {
    fn owe(&self) {
        self.participant.owes.set(true);
    }

    fn retire(&self, garbage: Garbage) {
        let participant = &self.participant;
        let mut batch = participant.batch.borrow_mut();
        batch.push(garbage);
        if batch.is_full() {
            drop(batch);
            self.hand_over();
        }
    }

    fn hand_over(&self) {
        if let Some(pin) = &self.pin {
            self.participant.hand_over(pin);
        }
    }
}

impl Drop for Guard {
    #[inline]
    fn drop(&mut self) {
        self.pin = None;
        let depth = self.participant.sighting.depth.load(Relaxed) - 1;
        self.participant.sighting.depth.store(depth, Relaxed);
        if depth == 0 && self.participant.owes.replace(false) && !self.participant.ready.is_empty()
        {
            settle(&self.participant);
        }
    }
}

/// Frees the portion that a participant owes.
#[inline(never)]
fn settle(participant: &Participant) {
    surface(participant.free_portion());
}

/// Goes on with a panic of a `Drop` that was caught, unless this thread is unwinding: a second
/// panic would abort the process.
fn surface(freed: Result<(), Payload>) {
    if let Err(payload) = freed
        && !sync::panicking()
    {
        panic::resume_unwind(payload);
    }
}
