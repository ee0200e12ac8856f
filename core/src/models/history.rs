//! What the threads of a model did and saw, and whether one sequential order explains it.

/// A step of a thread. Keys are 64-bit numbers; see `record::hash_of`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Op {
    /// Look the key up.
    Get(u64),
    /// Set the key, whatever stands there.
    Put(u64),
    /// Set the key if it is absent.
    Add(u64),
    /// Remove the key.
    Del(u64),
    /// Begin to resize the nth array from the root to `2^log2` buckets.
    Resize { nth: usize, log2: u32 },
    /// Move one bucket of the nth array from the root, as a writer does who needs it moved.
    Move { nth: usize, bucket: usize },
    /// Freeze one bucket of the nth array from the root, the first half of its move.
    Freeze { nth: usize, bucket: usize },
    /// Take the part in a resize that every write takes at its end.
    Help,
    /// Take a chunk of a resize, and never move it.
    Abandon,
    /// Move the clock that a key is held against on to `now`.
    Tick { key: u64, now: u64 },
}

/// An operation on a key, with its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Event {
    pub(super) op: Op,
    /// The value that stood there.
    pub(super) old: Option<u64>,
    /// The value to put, if there is one.
    pub(super) new: Option<u64>,
}

impl Event {
    fn key(self) -> Option<u64> {
        match self.op {
            Op::Get(key) | Op::Put(key) | Op::Add(key) | Op::Del(key) => Some(key),
            Op::Tick { key, .. } => Some(key),
            _ => None,
        }
    }

    /// What stands there after the operation.
    fn after(self) -> Option<u64> {
        match self.op {
            Op::Put(_) => self.new,
            Op::Add(_) => self.old.or(self.new),
            Op::Del(_) => None,
            _ => self.old,
        }
    }
}

/// What is demanded of the values of one key, besides that an order explains them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    /// Nothing.
    Any,
    /// They are versions: every new one exceeds all before it.
    Grow,
    /// Their low byte says when they end, by a clock that begins at 0. What is above grows.
    GrowAndEnd,
}

impl Values {
    /// The version that a value is of, where they grow.
    fn version(self, value: u64) -> Option<u64> {
        match self {
            Values::Any => None,
            Values::Grow => Some(value),
            Values::GrowAndEnd => Some(value >> 8),
        }
    }

    /// Whether a value stands as long as it is let.
    fn lives(self, value: u64, now: u64) -> bool {
        self != Values::GrowAndEnd || value & NEVER > now
    }
}

/// When a value ends that never does.
pub(super) const NEVER: u64 = 0xff;

/// Asserts that the events of each key, taken alone, happened in some sequential order: first those
/// before, then those of the threads, each thread's in its own order, then those after.
#[track_caller]
pub(super) fn assert_explained(
    before: &[Event],
    threads: &[Vec<Event>],
    after: &[Event],
    values: Values,
) {
    let all = before.iter().chain(threads.iter().flatten()).chain(after);
    let mut keys: Vec<u64> = all.filter_map(|event| event.key()).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let of_key = |events: &[Event]| {
            events.iter().copied().filter(|event| event.key() == Some(key)).collect::<Vec<_>>()
        };
        let (first, last) = (of_key(before), of_key(after));
        let between: Vec<_> = threads.iter().map(|events| of_key(events)).collect();
        let search = Search { between: &between, last: &last, values };
        let start = search.steps(State::default(), &first);
        assert!(
            start.is_some_and(|start| search.explains(&mut vec![0; between.len()], start)),
            "no order explains {first:?}, then {between:?}, then {last:?}"
        );
    }
}

/// One key in the middle of an order.
#[derive(Clone, Copy, Default)]
struct State {
    value: Option<u64>,
    largest: u64,
    now: u64,
}

struct Search<'a> {
    between: &'a [Vec<Event>],
    last: &'a [Event],
    values: Values,
}

impl Search<'_> {
    /// The state after an event, if the event is possible.
    fn step(&self, state: State, event: &Event) -> Option<State> {
        let after = match event.op {
            Op::Tick { now, .. } => State { now, ..state },
            _ => self.change(state, event)?,
        };
        let value = after.value.filter(|&value| self.values.lives(value, after.now));
        Some(State { value, ..after })
    }

    fn change(&self, state: State, event: &Event) -> Option<State> {
        if event.old != state.value {
            return None;
        }
        let value = event.after();
        let changed = value.filter(|_| value != state.value);
        let version = changed.and_then(|new| self.values.version(new));
        if version.is_some_and(|version| version <= state.largest) {
            return None;
        }
        Some(State { value, largest: version.unwrap_or(state.largest), ..state })
    }

    fn steps(&self, state: State, events: &[Event]) -> Option<State> {
        events.iter().try_fold(state, |state, event| self.step(state, event))
    }

    /// Whether an order of the events from `next` on explains all answers.
    fn explains(&self, next: &mut [usize], state: State) -> bool {
        let mut done = true;
        for thread in 0..next.len() {
            let Some(event) = self.between[thread].get(next[thread]) else { continue };
            done = false;
            next[thread] += 1;
            let after = self.step(state, event);
            let explained = after.is_some_and(|after| self.explains(next, after));
            next[thread] -= 1;
            if explained {
                return true;
            }
        }
        done && self.steps(state, self.last).is_some()
    }
}
