//! Inserts and deletes in rounds at a steady size: nothing may grow.

use super::{Memory, Report, mebibytes};
use crate::keys::{ByteKey, ByteValue, Key, Value};
use rkv::Store;

/// How much is turned over.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Entries that stand after each round.
    pub entries: u64,
    /// Entries inserted, and as many deleted, per round.
    pub turnover: u64,
    /// Rounds, at least two.
    pub rounds: u64,
    /// Threads, each with its own keys.
    pub threads: u64,
}

impl Scale {
    /// 10 million inserts and deletes at 100,000 entries.
    pub const FULL: Scale = Scale { entries: 100_000, turnover: 500_000, rounds: 20, threads: 2 };
}

/// LIMIT: what may be resident over the second round's figure: a tenth, and what an allocator
/// keeps for one more thread.
fn resident_max(second_round: u64) -> u64 {
    second_round + second_round / 10 + (4 << 20)
}

/// LIMIT: bytes of buckets and links over those of the freshly filled store: steps to the next size
/// are doublings, and links pile up before a step to the same size sheds them.
const TABLE_FACTOR_MAX: u64 = 3;

/// LIMIT: garbage that may wait to be freed when nobody is pinned.
const RETIRED_MAX: u64 = 1 << 20;

/// Runs the rounds on a fresh store.
///
/// # Panics
///
/// Panics when a key is missing that must be there, or there that must be missing.
pub fn run(scale: Scale) -> Report {
    let title = format!(
        "{} inserts and deletes at {} entries, {} threads; the table may double once and take\n\
         links, in all {TABLE_FACTOR_MAX} times its first size, resident memory grow by a tenth\n\
         and 4 MiB after round 2, garbage stay below {}",
        scale.turnover * scale.rounds,
        scale.entries,
        scale.threads,
        mebibytes(RETIRED_MAX),
    );
    let mut report = Report::new(title, &["round", "entries", "resident", "table", "garbage"]);
    let store = Store::new();
    let mut seen = Vec::new();
    for round in 0..=scale.rounds {
        turn(&store, scale, round);
        let memory = Memory::of(&store);
        report.rows.push(vec![
            round.to_string(),
            store.count().to_string(),
            mebibytes(memory.resident),
            mebibytes(memory.table),
            mebibytes(memory.retired),
        ]);
        assert_eq!(store.count(), scale.entries, "the count is exact when no write is in flight");
        seen.push(memory);
    }
    judge(&mut report, &seen);
    report
}

/// Round 0 inserts the first entries; each later one moves the window of keys on.
fn turn(store: &Store, scale: Scale, round: u64) {
    let window = scale.entries / scale.threads;
    let steps = scale.turnover / scale.threads;
    std::thread::scope(|scope| {
        for thread in 0..scale.threads {
            scope.spawn(move || {
                let key = |step: u64| ByteKey::at(thread << 40 | step);
                let insert = |step: u64| {
                    let created = store.set_if_absent(key(step), ByteValue::of(step, 0));
                    assert_eq!(created, Ok(true), "step {step}");
                };
                if round == 0 {
                    return (0..window).for_each(insert);
                }
                for step in (round - 1) * steps..round * steps {
                    insert(step + window);
                    let removed = store.delete(key(step)).expect("a delete succeeds");
                    assert!(removed.is_some(), "step {step}");
                }
            });
        }
    });
}

fn judge(report: &mut Report, seen: &[Memory]) {
    let (first, second) = (seen[0], seen[2]);
    for (round, memory) in seen.iter().enumerate() {
        report.require(memory.table <= TABLE_FACTOR_MAX * first.table, || {
            format!("round {round}: the table grew from {} to {}", first.table, memory.table)
        });
        report.require(memory.resident <= resident_max(second.resident), || {
            let (from, to) = (second.resident, memory.resident);
            format!("round {round}: resident memory grew from {from} to {to}")
        });
        report.require(memory.retired <= RETIRED_MAX, || {
            format!("round {round}: {} bytes of garbage wait", memory.retired)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEADY: Memory = Memory { resident: 100 << 20, table: 1 << 20, retired: 0 };

    fn broken(last: Memory) -> usize {
        let mut report = Report::new(String::new(), &[]);
        judge(&mut report, &[STEADY, STEADY, STEADY, last]);
        report.broken.len()
    }

    #[test]
    fn growth_of_each_kind_is_found() {
        assert_eq!(broken(STEADY), 0);
        assert_eq!(broken(Memory { resident: 115 << 20, ..STEADY }), 1);
        assert_eq!(broken(Memory { table: (3 << 20) + 1, ..STEADY }), 1);
        assert_eq!(broken(Memory { retired: (1 << 20) + 1, ..STEADY }), 1);
    }

    #[test]
    fn rounds_keep_the_size_and_turn_the_keys_over() {
        let scale = Scale { entries: 1_000, turnover: 2_000, rounds: 2, threads: 2 };
        let store = Store::new();
        for round in 0..=2 {
            turn(&store, scale, round);
            assert_eq!(store.count(), 1_000);
        }
        assert!(!store.contains(ByteKey::at(1_999)) && store.contains(ByteKey::at(2_000)));
    }
}
