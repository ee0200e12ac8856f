//! A cache that holds its bound, and sessions that vanish on time: by count and by memory.

use std::time::{Duration, Instant};
use std::{fs, hint, thread};

use rkv::{Store, Ttl};

fn main() -> rkv::Result<()> {
    bounded_cache()?;
    vanishing_sessions()
}

/// Four million pages are asked for, some much more often than others, of which a cache has room
/// for a hundred thousand.
fn bounded_cache() -> rkv::Result<()> {
    const ROOM: u64 = 100_000;
    const REQUESTS: u64 = 4_000_000;
    println!("A cache with room for {ROOM} pages, and requests for a million:");
    let cache = Store::builder().max_entries(ROOM).build()?;
    let mut hits = 0;
    for request in 1..=REQUESTS {
        let page = page_of(request);
        if cache.get_with(page.to_le_bytes(), |page| hint::black_box(page.len())).is_some() {
            hits += 1;
        } else {
            cache.set(page.to_le_bytes(), [0; 200])?;
        }
        assert!(request % 1000 != 0 || cache.count() <= ROOM, "it holds its bound at all times");
        if request % (REQUESTS / 5) == 0 {
            let (pages, percent) = (cache.count(), 100 * hits / request);
            let memory = resident();
            println!("  {request:>9} requests: {pages:>7} pages, {memory}, {percent} % hits");
        }
    }
    assert_eq!(cache.count(), ROOM);
    Ok(())
}

/// Half a million people log in, for half a second each; then there are only few who do.
fn vanishing_sessions() -> rkv::Result<()> {
    const CROWD: u32 = 500_000;
    const FEW: u32 = 5_000;
    const LIFE: Duration = Duration::from_millis(500);
    println!("\nHalf a million sessions of {} ms, and {FEW} more at a time:", LIFE.as_millis());
    let sessions = Store::new();
    let log_in =
        |person: u32| sessions.set_with(person.to_le_bytes(), [0; 200], Ttl::After(LIFE)).map(drop);
    let began = Instant::now();
    let show = || {
        let (ms, left) = (began.elapsed().as_millis(), sessions.stats().entries);
        println!("  after {ms:>5} ms: {left:>7} sessions, {}", resident());
    };
    (0..CROWD).try_for_each(log_in)?;
    show();
    let last = began.elapsed();
    for step in 1..=5 {
        while began.elapsed() < last + step * LIFE {
            thread::yield_now();
        }
        (0..FEW).try_for_each(|person| log_in(CROWD + FEW * step + person))?;
        show();
    }
    // Nobody asks for them again, and still they go.
    while sessions.stats().entries > 0 {
        thread::yield_now();
    }
    show();
    let lag = sessions.stats().expiry_lag;
    let (half, most) = (lag.p50.as_millis(), lag.p99.as_millis());
    println!("  half were late by {half} ms at most, 99 of 100 by {most} ms");
    Ok(())
}

/// A page of a million, the likelier the lower its number: as many requests are for the first ten
/// as for the next ninety.
fn page_of(request: u64) -> u64 {
    let bits = request.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let random = (bits ^ bits >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 11;
    1_000_000_f64.powf(random as f64 / (1_u64 << 53) as f64) as u64
}

/// The memory of this process, in words.
fn resident() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.map_or("memory unknown".to_owned(), |kib| format!("{:>4} MiB resident", kib / 1024))
}
