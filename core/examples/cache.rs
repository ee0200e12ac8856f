//! A cache that holds its bound, and sessions that vanish on time: by count and by memory.

use std::time::{Duration, Instant};
use std::{fs, hint};

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

/// Half a million people log in within half a second, for half a second each.
fn vanishing_sessions() -> rkv::Result<()> {
    const PEOPLE: u32 = 500_000;
    const LIFE: Duration = Duration::from_millis(500);
    println!("\nHalf a million sessions of {} ms each:", LIFE.as_millis());
    let sessions = Store::new();
    let began = Instant::now();
    let show = |sessions: &Store| {
        let (ms, left) = (began.elapsed().as_millis(), sessions.stats().entries);
        println!("  after {ms:>5} ms: {left:>7} sessions, {}", resident());
        left
    };
    for person in 0..PEOPLE {
        sessions.set_with(person.to_le_bytes(), [0; 200], Ttl::After(LIFE))?;
        if person % (PEOPLE / 4) == 0 {
            show(&sessions);
        }
    }
    let last = began.elapsed();
    // Nobody asks for them again, and still they go.
    while show(&sessions) > 0 {
        let next = began.elapsed() + LIFE / 5;
        while began.elapsed() < next {
            std::thread::yield_now();
        }
        assert!(began.elapsed() < last + 20 * LIFE, "they should be gone by now");
    }
    let lag = sessions.stats().expiry_lag;
    println!("  each was gone {:?} after its end, 99 of 100 within {:?}", lag.p50, lag.p99);
    Ok(())
}

/// A page, the likelier the lower its number: about one request in `n` is for a page above a
/// million to the power of `1 - 1/n`.
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
