//! Records calls with the ticks of one counter.
//!
//! Why a counter and not `Instant`: the claim "call A returned before call B began" must carry a
//! happens-before edge, or a correct program fails the check. A monotonic clock gives none: B's
//! first load may be executed ahead of the clock read, A's last store may still sit in a store
//! buffer, and Miri's weak memory may return an old value whatever the clock says. Here a call
//! that returns adds one (release) and a call that begins loads (acquire): if B loads more than A
//! returned, then B's load reads from A's addition or from a later one in the same release
//! sequence, so all that A did is visible to B. Any violation found is one in the memory model,
//! too.
//!
//! Why it is fast enough and hides little: one read-modify-write per call, after the call, on a
//! line of its own; the start of a call is a plain load on x86-64. A stale load makes the interval
//! longer, which is always sound.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_utils::CachePadded;

use super::event::{Event, Step};

/// The counter that all lanes of a run share.
#[derive(Default)]
pub(crate) struct Clock(CachePadded<AtomicU64>);

impl Clock {
    /// The number of calls that have returned; taken before a call.
    pub(crate) fn begin(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// The rank of a return; taken after a call.
    pub(crate) fn end(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Release)
    }
}

/// The calls of one thread, in order. Two calls of one lane never overlap.
pub(crate) struct Lane<'c, S = Step> {
    clock: &'c Clock,
    events: Vec<(u32, Event<S>)>,
}

impl<'c, S> Lane<'c, S> {
    /// An empty lane with room for `events`.
    pub(crate) fn new(clock: &'c Clock, events: usize) -> Self {
        Lane { clock, events: Vec::with_capacity(events) }
    }

    /// Runs `call` on `key` and notes what its answer means.
    pub(crate) fn record<R>(
        &mut self,
        key: u32,
        call: impl FnOnce() -> R,
        meaning: impl FnOnce(R) -> S,
    ) {
        let began = self.clock.begin();
        let answer = call();
        let ended = self.clock.end();
        self.note(key, began, ended, meaning(answer));
    }

    /// Notes a call on `key` that ran between two ticks of this lane's clock.
    pub(crate) fn note(&mut self, key: u32, began: u64, ended: u64, step: S) {
        self.events.push((key, Event { began, ended, step }));
    }

    /// The number of calls recorded.
    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }
}

/// The events of each key, lane by lane.
pub(crate) fn by_key<S>(lanes: Vec<Lane<'_, S>>) -> BTreeMap<u32, Vec<Vec<Event<S>>>> {
    let width = lanes.len();
    let mut keys: BTreeMap<u32, Vec<Vec<Event<S>>>> = BTreeMap::new();
    for (index, lane) in lanes.into_iter().enumerate() {
        for (key, event) in lane.events {
            keys.entry(key).or_insert_with(|| (0..width).map(|_| Vec::new()).collect())[index]
                .push(event);
        }
    }
    keys
}
