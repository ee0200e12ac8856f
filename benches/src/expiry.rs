//! What deadlines cost, and how late what has expired goes.

use crate::keys::{ByteKey, ByteValue, Key, Value};
use crate::score::median;
use rkv::{Store, Ttl};
use std::fs;
use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_secs(3600);

/// A store with `entries` keys that are due in one to two hours.
fn filled(entries: u64) -> Store {
    let store = Store::new();
    for index in 0..entries {
        let ttl = HOUR + Duration::from_millis(index % 3_600_000);
        set(&store, index, Some(ttl));
    }
    store
}

fn set(store: &Store, index: u64, ttl: Option<Duration>) {
    let (key, value) = (ByteKey::at(index), ByteValue::of(index, 0));
    let done = match ttl {
        None => store.set(key, value),
        Some(ttl) => store.set_with(key, value, Ttl::After(ttl)),
    };
    done.expect("memory for a record");
}

/// How late keys went, in milliseconds.
pub struct Lag {
    late: Vec<f64>,
}

impl Lag {
    /// Follows a store until as many keys have expired as there are `due` times, in their order.
    fn follow(store: &Store, due: &[Instant]) -> Self {
        let mut late = Vec::with_capacity(due.len());
        while late.len() < due.len() {
            let (gone, now) = (store.stats().expired_actively as usize, Instant::now());
            let fresh = &due[late.len()..gone.min(due.len())];
            late.extend(fresh.iter().map(|&due| (now - due).as_secs_f64() * 1e3));
            thread::yield_now();
        }
        late.sort_unstable_by(f64::total_cmp);
        Self { late }
    }

    /// The lag that so many of a thousand do not exceed.
    fn at(&self, permille: usize) -> f64 {
        self.late[(self.late.len() - 1) * permille / 1000]
    }

    fn row(&self, what: &str) -> String {
        let (p50, p99, max) = (self.at(500), self.at(990), self.at(1000));
        format!("{what:<58} {p50:>6.2} {p99:>6.2} {max:>6.2}")
    }
}

/// The lag of a thousand keys in a store with `entries` that are not due.
fn probes(entries: u64) -> Lag {
    let store = filled(entries);
    let due: Vec<_> = (0..1000)
        .map(|probe| {
            let ttl = Duration::from_millis(500 + 2 * probe);
            let due = Instant::now() + ttl;
            set(&store, entries + probe, Some(ttl));
            due
        })
        .collect();
    Lag::follow(&store, &due)
}

/// The lag while `rate` keys a second are set, each for a fifth of a second, for `seconds`. Where
/// the writer is late, so are its keys.
fn stream(rate: u64, seconds: u64) -> Lag {
    let (store, ttl) = (&Store::new(), Duration::from_millis(200));
    let began = Instant::now();
    let planned = move |index| began + Duration::from_nanos(index * 1_000_000_000 / rate);
    let due: Vec<_> = (0..rate * seconds).map(|index| planned(index) + ttl).collect();
    thread::scope(|scope| {
        scope.spawn(move || {
            for index in 0..rate * seconds {
                while Instant::now() < planned(index) {
                    thread::yield_now();
                }
                set(store, index, Some(ttl));
            }
        });
        Lag::follow(store, &due)
    })
}

/// Milliseconds from the deadline of `entries` keys until all are gone.
fn at_once(entries: u64) -> f64 {
    let store = Store::new();
    let due = Instant::now() + Duration::from_secs(4);
    for index in 0..entries {
        set(&store, index, Some(due - Instant::now()));
    }
    assert!(Instant::now() < due, "the machine is too slow to set them in time");
    while store.stats().entries > 0 {
        thread::yield_now();
    }
    (Instant::now() - due).as_secs_f64() * 1e3
}

/// Throughput of overwrites with a deadline divided by that without: the median of the rounds.
fn cost_of_setting() -> (f64, f64) {
    const KEYS: u64 = 65_536;
    let timed = |ttl: Option<Duration>, times: u64| {
        let store = Store::new();
        (0..KEYS).for_each(|index| set(&store, index, ttl));
        let began = Instant::now();
        for index in 0..times {
            set(&store, black_box(index.wrapping_mul(40_503) % KEYS), ttl);
        }
        began.elapsed().as_secs_f64()
    };
    let ratio = |times| {
        let rounds = (0..7).map(|_| timed(None, times) / timed(Some(HOUR), times));
        median(rounds.collect::<Vec<_>>().into_iter()).unwrap_or(f64::NAN)
    };
    (ratio(1_000_000), {
        // Each key once: every deadline is new, and parks a timer.
        let fresh = |ttl| {
            let store = Store::new();
            let began = Instant::now();
            (0..500_000).for_each(|index| set(&store, index, ttl));
            began.elapsed().as_secs_f64()
        };
        let rounds = (0..7).map(|_| fresh(None) / fresh(Some(HOUR)));
        median(rounds.collect::<Vec<_>>().into_iter()).unwrap_or(f64::NAN)
    })
}

/// Milliseconds of processor time in `time` of a process whose store has `entries` keys that are
/// due in an hour.
fn idle(entries: u64, time: Duration) -> f64 {
    let store = filled(entries);
    // Until the last of them is in its wheel.
    while store.advance().is_ok_and(|wait| wait == Some(Duration::ZERO)) {}
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

/// Runs everything and shows each line as it comes; all lines.
pub fn report(entries: u64) -> String {
    let mut text = String::new();
    let mut say = |line: String| {
        println!("{line}");
        text += &line;
        text.push('\n');
    };
    say(format!("{:<58} {:>6} {:>6} {:>6}", "late by, in milliseconds", "p50", "p99", "max"));
    say(probes(entries).row(&format!("1,000 keys among {entries} that are not due")));
    say(stream(200_000, 3).row("200,000 keys a second, set and expired, for 3 seconds"));
    let ms = at_once(1_000_000);
    say(format!("\n1,000,000 keys with one deadline: gone {ms:.0} ms after it"));
    let (again, fresh) = cost_of_setting();
    say("sets with a deadline, to sets without:".to_owned());
    say(format!("  overwrites {again:.2}, new keys {fresh:.2} of the throughput"));
    let ms = idle(1_000_000, Duration::from_secs(5));
    say(format!("1,000,000 keys due in an hour or two: {ms:.1} ms of processor time in 5 s"));
    text
}
