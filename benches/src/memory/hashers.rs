//! A map with a hopeless hasher is slow, never wrong, and never grows its table.

use super::Report;
use rkv::Map;
use std::hash::{BuildHasher, Hasher};

/// A hasher that keeps the last number and shows `mask` of it.
#[derive(Clone, Copy)]
struct Masked {
    mask: u64,
    last: u64,
}

impl Masked {
    const CONSTANT: Masked = Masked { mask: 0, last: 0 };
    const IDENTITY: Masked = Masked { mask: u64::MAX, last: 0 };
}

impl BuildHasher for Masked {
    type Hasher = Masked;

    fn build_hasher(&self) -> Masked {
        *self
    }
}

impl Hasher for Masked {
    fn finish(&self) -> u64 {
        self.last & self.mask
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.last = (self.last << 8) | u64::from(byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.last = number;
    }
}

/// What a full map took.
struct Taken {
    /// Bytes of its bucket arrays when it was empty.
    empty: usize,
    /// The same when it was full.
    table: usize,
}

/// Fills, reads and empties maps with hopeless hashers, and one with a good hasher beside them.
///
/// # Panics
///
/// Panics when a map answers wrongly.
pub fn run() -> Report {
    let title = "\
a constant hasher must not grow the bucket arrays; the identity on sequential keys may take a
quarter more of them than a good hasher";
    let columns = ["hasher", "entries", "table when empty", "table", "bytes per entry"];
    let mut report = Report::new(title.to_owned(), &columns);
    let constant = fill(Masked::CONSTANT, 2_000, "constant", &mut report);
    report.require(constant.table <= constant.empty, || {
        format!("2,000 entries of one hash grew the table to {} bytes", constant.table)
    });
    let identity = fill(Masked::IDENTITY, 1_000_000, "identity", &mut report);
    let good = fill(ahash::RandomState::new(), 1_000_000, "ahash", &mut report);
    report.require(identity.table <= good.table + good.table / 4, || {
        format!("the identity takes {} bytes of table, ahash {}", identity.table, good.table)
    });
    report
}

/// Fills a map, checks every answer, and empties it.
fn fill<S: BuildHasher>(hasher: S, entries: u64, name: &str, report: &mut Report) -> Taken {
    let map: Map<u64, u64, S> = Map::with_hasher(hasher);
    let empty = map.table_bytes();
    for key in 0..entries {
        assert!(map.pin().insert(key, !key).is_none(), "{name}: key {key} was there");
    }
    let taken = Taken { empty, table: map.table_bytes() };
    report.rows.push(vec![
        name.to_owned(),
        entries.to_string(),
        taken.empty.to_string(),
        taken.table.to_string(),
        format!("{:.1}", taken.table as f64 / entries as f64),
    ]);
    assert_eq!(map.len() as u64, entries, "{name}");
    for key in 0..entries {
        assert_eq!(map.pin().get(&key), Some(&!key), "{name}: key {key}");
        assert_eq!(map.pin().get(&(key + entries)), None, "{name}: no such key");
    }
    for key in 0..entries {
        assert_eq!(map.pin().remove(&key), Some(&!key), "{name}: key {key}");
        assert_eq!(map.pin().get(&key), None, "{name}: key {key} was removed");
    }
    assert!(map.is_empty(), "{name}");
    taken
}
