//! The price of a deadline: throughput of sets, bytes, and the processor time of a store at rest.

use super::MeasureMemory;
use super::timed::{HOUR, Timed, set, spread};
use crate::grid::thousands;
use crate::resident;
use crate::score::median;
use rkv::Store;
use std::hint::black_box;
use std::time::{Duration, Instant};
use std::{fs, io, thread};

/// How often the sets are timed.
const ROUNDS: u32 = 7;

/// How long a store at rest is watched.
const REST: Duration = Duration::from_secs(5);

/// Everything, as lines of text.
pub(super) fn report(entries: u64, memory: &MeasureMemory<'_>) -> io::Result<String> {
    let again = ratio(|ttl| seconds_of_overwrites(entries, ttl));
    let fresh = ratio(|ttl| seconds_of_new_keys(entries / 2, ttl));
    let (plain, timed) = (memory(entries, false)?, memory(entries, true)?);
    let idle = idle(entries, REST);
    let entries = thousands(entries);
    Ok(format!(
        "sets with a deadline, to sets without: overwrites {again:.2}, new keys {fresh:.2} of the \
         throughput\nbytes of an entry, without its share of the table: {plain:.1}, with a \
         deadline {timed:.1}: {:.1} more\n{entries} keys due in an hour or two: {idle:.1} ms of \
         processor time in {} s",
        timed - plain,
        REST.as_secs()
    ))
}

/// Throughput with a deadline divided by that without: the median of the rounds, of which each
/// begins with the other.
fn ratio(seconds: impl Fn(Option<Duration>) -> f64) -> f64 {
    let round = |round: u32| {
        if round.is_multiple_of(2) {
            let plain = seconds(None);
            plain / seconds(Some(HOUR))
        } else {
            let timed = seconds(Some(HOUR));
            seconds(None) / timed
        }
    };
    median((0..ROUNDS).map(round)).unwrap_or(f64::NAN)
}

fn seconds_of_overwrites(times: u64, ttl: Option<Duration>) -> f64 {
    const KEYS: u64 = 65_536;
    let store = Store::new();
    (0..KEYS).for_each(|index| set(&store, index, ttl));
    let began = Instant::now();
    for index in 0..times {
        set(&store, black_box(index.wrapping_mul(40_503) % KEYS), ttl);
    }
    began.elapsed().as_secs_f64()
}

/// Each key once: every deadline is new, and parks a timer.
fn seconds_of_new_keys(keys: u64, ttl: Option<Duration>) -> f64 {
    let store = Store::new();
    let began = Instant::now();
    (0..keys).for_each(|index| set(&store, index, ttl));
    began.elapsed().as_secs_f64()
}

/// Resident bytes per entry of a store with so many, without the table, which has steps of its own.
/// This process should have done nothing before, and its allocator give pages back at once.
pub fn bytes_per_entry(entries: u64, timed: bool) -> f64 {
    let before = resident::bytes();
    let store = Store::builder().capacity(entries as usize).build().expect("memory for a table");
    (0..entries).for_each(|index| set(&store, index, timed.then(|| spread(index))));
    settle(&store);
    rkv::flush();
    let grown = resident::bytes().saturating_sub(before);
    grown.saturating_sub(store.stats().table_bytes) as f64 / entries as f64
}

/// Waits until the last timer is in its wheel.
fn settle(store: &Store) {
    while store.advance().is_ok_and(|wait| wait == Some(Duration::ZERO)) {}
}

/// Milliseconds of processor time in `time` of a process whose store has `entries` keys that are
/// due in an hour or two.
fn idle(entries: u64, time: Duration) -> f64 {
    let store = Store::filled(entries);
    settle(&store);
    let before = processor_ms();
    #[expect(clippy::disallowed_methods, reason = "what a process does that has nothing to do")]
    thread::sleep(time);
    let used = processor_ms() - before;
    drop(store);
    used
}

/// Processor time of all threads of this process.
fn processor_ms() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let files = tasks.filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok());
    let times = files.filter_map(|text| text.split(' ').next()?.parse::<f64>().ok());
    times.sum::<f64>() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn ratio_is_throughput_to_throughput_and_rounds_take_turns() {
        let order = RefCell::new(Vec::new());
        let ratio = ratio(|ttl| {
            order.borrow_mut().push(ttl.is_some());
            if ttl.is_some() { 4.0 } else { 3.0 }
        });
        assert_eq!(ratio, 0.75);
        assert_eq!(order.borrow()[..4], [false, true, true, false]);
    }

    #[test]
    fn work_takes_processor_time() {
        let (before, end) = (processor_ms(), Instant::now() + Duration::from_secs(10));
        let mut sum = 0_u64;
        while processor_ms() == before && Instant::now() < end {
            sum = black_box(sum.wrapping_add(1));
        }
        assert!(processor_ms() > before);
    }
}
