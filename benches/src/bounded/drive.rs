//! A trace through a cache: starts the threads together, counts hits, and checks what it reads.

use super::caches::Cache;
use super::trace::{SIZES, Trace};
use crate::drive::Start;
use crate::keys::{ByteKey, Key, Value};
use std::hint::black_box;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What one run showed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    /// Million requests per second, all threads together.
    pub mops: f64,
    /// Requests.
    pub requests: u64,
    /// Those that hit.
    pub hits: u64,
}

/// A part of a trace that threads walk together: each takes the next few requests, so that the
/// order is that of the trace but for what they have in hand.
pub struct Walk<'t> {
    trace: &'t Trace,
    next: AtomicU64,
    end: u64,
}

/// Requests that a thread takes at once, between two looks at the clock.
const CHUNK: u64 = 256;

impl<'t> Walk<'t> {
    /// These positions. Behind the last request the trace begins again.
    pub fn part(trace: &'t Trace, positions: Range<u64>) -> Self {
        Self { trace, next: AtomicU64::new(positions.start), end: positions.end }
    }

    /// From a position on, for as long as there is time.
    pub fn endless(trace: &'t Trace, position: u64) -> Self {
        Self::part(trace, position..u64::MAX)
    }

    fn take(&self) -> Option<impl Iterator<Item = u32>> {
        let start = self.next.fetch_add(CHUNK, Ordering::Relaxed);
        let count = self.end.saturating_sub(start).min(CHUNK);
        (count > 0).then(|| self.trace.starting_at(start).take(count as usize))
    }
}

/// Lets so many threads walk through a cache until the walk ends or the time is over.
///
/// # Panics
///
/// Panics when a get finds the value of another key, or a torn one.
pub(crate) fn run<C: Cache>(cache: &C, walk: Walk<'_>, threads: usize, time: Duration) -> Run {
    let start = Start::new(threads);
    std::thread::scope(|scope| {
        let (walk, start) = (&walk, &start);
        let work = move || {
            let mut client = Client::new(cache, walk.trace);
            let began = start.together();
            while began.elapsed() < time
                && let Some(chunk) = walk.take()
            {
                chunk.for_each(|index| client.request(index));
            }
            let mops = client.requests as f64 / began.elapsed().as_secs_f64() / 1e6;
            Run { mops, requests: client.requests, hits: client.hits }
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let runs = threads.into_iter().map(|t| t.join().expect("an engine panicked"));
        runs.fold(Run { mops: 0.0, requests: 0, hits: 0 }, |sum, run| Run {
            mops: sum.mops + run.mops,
            requests: sum.requests + run.requests,
            hits: sum.hits + run.hits,
        })
    })
}

/// One thread that asks a cache, and fills it.
struct Client<'c, C> {
    cache: &'c C,
    trace: &'c Trace,
    read: [u8; SIZES.1],
    written: [u8; SIZES.1],
    requests: u64,
    hits: u64,
}

impl<'c, C: Cache> Client<'c, C> {
    fn new(cache: &'c C, trace: &'c Trace) -> Self {
        let (read, written) = ([0; SIZES.1], [0; SIZES.1]);
        Self { cache, trace, read, written, requests: 0, hits: 0 }
    }

    #[inline]
    fn request(&mut self, index: u32) {
        let key = ByteKey::at(u64::from(index));
        self.requests += 1;
        if let Some(bytes) = self.cache.get(&key, &mut self.read) {
            self.hits += 1;
            assert!(is_whole(&self.read[..bytes], index), "a get returned another key's value");
            black_box(&self.read);
        } else {
            let value = &mut self.written[..self.trace.value_bytes(index)];
            stamp(value, index);
            self.cache.set(&key, value);
        }
    }
}

/// Makes a value that of a key: both ends carry it, so that a torn one differs.
fn stamp(value: &mut [u8], index: u32) {
    let word = <u64 as Value>::of(u64::from(index), 0).to_le_bytes();
    let end = value.len() - word.len();
    value[..word.len()].copy_from_slice(&word);
    value[end..].copy_from_slice(&word);
}

/// Whether a value is that of a key.
fn is_whole(value: &[u8], index: u32) -> bool {
    let (Some(first), Some(last)) = (value.first_chunk(), value.last_chunk()) else { return false };
    first == last && u64::from_le_bytes(*first).belongs_to(u64::from(index))
}

#[cfg(test)]
mod tests {
    use super::super::trace::{Bound, Case, Shape, Share};
    use super::*;
    use std::collections::HashMap;
    use std::sync::Mutex;

    /// Holds everything; a bound makes it give wrong values.
    struct Plain(Mutex<HashMap<ByteKey, Vec<u8>>>, Bound);

    const HONEST: Bound = Bound::Entries(0);

    impl Cache for Plain {
        const NAME: &'static str = "plain";

        fn bounded(bound: Bound, _: u64) -> Self {
            Plain(Mutex::default(), bound)
        }

        fn get(&self, key: &ByteKey, out: &mut [u8]) -> Option<usize> {
            let held = self.0.lock().expect("no panic under the lock");
            let value = held.get(key)?;
            out[..value.len()].copy_from_slice(value);
            Some(value.len() - usize::from(self.1 != HONEST))
        }

        fn set(&self, key: &ByteKey, value: &[u8]) {
            self.0.lock().expect("no panic under the lock").insert(*key, value.to_vec());
        }

        fn held(&self) -> u64 {
            self.0.lock().expect("no panic under the lock").len() as u64
        }
    }

    const ENDLESS: Duration = Duration::MAX;

    fn trace(shape: Shape) -> Trace {
        Case { shape, share: Share::Percent(10) }.trace(10_000, 20_000)
    }

    #[test]
    fn every_request_is_made_once_and_only_repeated_keys_hit() {
        for (shape, threads) in [(Shape::Loop, 1), (Shape::Loop, 3), (Shape::Sizes, 2)] {
            let (trace, cache) = (trace(shape), Plain::bounded(HONEST, 0));
            let run = run(&cache, Walk::part(&trace, 0..20_000), threads, ENDLESS);
            assert_eq!(run.requests, 20_000);
            let different =
                trace.starting_at(0).collect::<std::collections::HashSet<_>>().len() as u64;
            assert_eq!(Cache::held(&cache), different);
            // Threads may miss a key at the same time.
            assert!(run.hits <= 20_000 - different && run.hits + 1_000 > 20_000 - different);
            assert!(run.mops > 0.0);
        }
    }

    #[test]
    fn parts_of_a_trace_follow_each_other() {
        let (trace, cache) = (trace(Shape::Loop), Plain::bounded(HONEST, 0));
        // 1,100 keys in turn: all are new at first, then none.
        assert_eq!(run(&cache, Walk::part(&trace, 0..1_100), 1, ENDLESS).hits, 0);
        assert_eq!(run(&cache, Walk::part(&trace, 1_100..1_300), 1, ENDLESS).hits, 200);
    }

    #[test]
    fn endless_walk_goes_round_until_the_time_is_over() {
        let (trace, cache) = (trace(Shape::Loop), Plain::bounded(HONEST, 0));
        let run = run(&cache, Walk::endless(&trace, 19_900), 2, Duration::from_millis(20));
        assert!(run.requests >= CHUNK && run.requests.is_multiple_of(CHUNK));
    }

    #[test]
    #[should_panic(expected = "an engine panicked")]
    fn value_that_is_not_whole_ends_the_run() {
        let (trace, cache) = (trace(Shape::Loop), Plain::bounded(Bound::Entries(1), 0));
        run(&cache, Walk::part(&trace, 0..2_000), 1, ENDLESS);
    }

    #[test]
    fn value_belongs_to_its_key_alone() {
        for bytes in [SIZES.0, 64, SIZES.1] {
            let mut value = vec![0; bytes];
            stamp(&mut value, 7);
            assert!(is_whole(&value, 7) && !is_whole(&value, 8));
            value[bytes - 1] ^= 1;
            assert!(!is_whole(&value, 7));
        }
        assert!(!is_whole(&[], 0));
    }
}
