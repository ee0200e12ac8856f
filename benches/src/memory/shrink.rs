//! Grows and shrinks a store, twice: the bucket arrays must follow, and not creep up.

use super::{Memory, Report, mebibytes};
use crate::keys::{ByteKey, ByteValue, Key, Value};
use rkv::Store;

/// LIMIT: the share of the grown bucket arrays that may stand after shrinking.
const TABLE_SHARE_MAX: u64 = 16;

/// Grows to `high` entries, shrinks to `low`, grows again, and shrinks to none.
///
/// # Panics
///
/// Panics when the count is not exact.
pub fn run(high: u64, low: u64) -> Report {
    let title = format!(
        "grow to {high}, shrink to {low}, again to {high}, to none; shrunk bucket arrays may keep\n\
         1/{TABLE_SHARE_MAX} of what they had, or what an empty store has; regrown ones grow by a\n\
         quarter; half of the resident memory must go back"
    );
    let mut report = Report::new(title, &["entries", "resident", "table", "garbage"]);
    let store = Store::new();
    let mut seen = Vec::new();
    for entries in [0, high, low, high, 0] {
        resize(&store, entries);
        assert_eq!(store.count(), entries, "the count is exact when no write is in flight");
        let memory = Memory::of(&store);
        report.rows.push(vec![
            entries.to_string(),
            mebibytes(memory.resident),
            mebibytes(memory.table),
            mebibytes(memory.retired),
        ]);
        seen.push(memory);
    }
    judge(&mut report, seen.try_into().expect("five steps"));
    report
}

/// Inserts or deletes until the keys are exactly `0..entries`.
fn resize(store: &Store, entries: u64) {
    let count = store.count();
    for index in count..entries {
        store.set(ByteKey::at(index), ByteValue::of(index, 0)).expect("memory for a record");
    }
    for index in entries..count {
        let removed = store.delete(ByteKey::at(index)).expect("a delete succeeds");
        assert!(removed.is_some(), "key {index} was lost");
    }
}

fn judge(report: &mut Report, seen: [Memory; 5]) {
    let [empty, grown, low, regrown, none] = seen;
    let table_max = (grown.table / TABLE_SHARE_MAX).max(empty.table);
    for (name, memory) in [("low", low), ("none", none)] {
        report.require(memory.table <= table_max, || {
            format!("at {name}, the table keeps {} of {} bytes", memory.table, grown.table)
        });
        let half = empty.resident + (grown.resident - empty.resident) / 2;
        report.require(memory.resident <= half, || {
            format!("at {name}, {} of {} bytes stay resident", memory.resident, grown.resident)
        });
    }
    report.require(regrown.table <= grown.table + grown.table / 4, || {
        format!("the table regrew to {} instead of {} bytes", regrown.table, grown.table)
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(resident_mib: u64, table: u64) -> Memory {
        Memory { resident: resident_mib << 20, table, retired: 0 }
    }

    fn broken(change: impl Fn(&mut [Memory; 5])) -> usize {
        let (small, big) = (memory(20, 100), memory(200, 64_000));
        let mut seen = [small, big, small, big, small];
        change(&mut seen);
        let mut report = Report::new(String::new(), &[]);
        judge(&mut report, seen);
        report.broken.len()
    }

    #[test]
    fn arrays_and_memory_that_stay_are_found() {
        assert_eq!(broken(|_| ()), 0);
        assert_eq!(broken(|seen| seen[2].table = 4_001), 1);
        assert_eq!(broken(|seen| seen[4].table = 64_000), 1);
        assert_eq!(broken(|seen| seen[4].resident = 150 << 20), 1);
        assert_eq!(broken(|seen| seen[3].table = 128_000), 1);
    }

    #[test]
    fn resize_goes_up_and_down_to_the_very_entries() {
        let store = Store::new();
        for entries in [100, 10, 50, 0] {
            resize(&store, entries);
            assert_eq!(store.count(), entries);
        }
    }
}
