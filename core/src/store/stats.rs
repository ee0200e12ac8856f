//! Figures of a store.

use super::Store;
use super::lag::ExpiryLag;
use crate::epoch::{self, EpochStats};
use crate::sync::Relaxed;

/// The figures of a store at one moment. See [`Store::stats`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Entries, expired ones that are still in memory among them; exact when no write is in flight.
    pub entries: u64,
    /// Entries whose deadline passed and that a wheel removed.
    pub expired_actively: u64,
    /// Entries whose deadline passed and that a reader or writer met first.
    pub expired_lazily: u64,
    /// How late the timers removed what has expired.
    pub expiry_lag: ExpiryLag,
    /// Timers that wait in the wheels, those of deleted and overwritten entries among them.
    pub timers: u64,
    /// Of these, more or less, the ones that no entry needs any more. They go when they outnumber
    /// the others.
    pub stale_timers: u64,
    /// Entries that were removed to make room, or found none.
    pub evicted: u64,
    /// What the entries of a bounded store count together, as
    /// [`max_bytes`](crate::StoreBuilder::max_bytes) says; 0 in a store without a bound.
    pub bytes: u64,
    /// Tables that the store is split into.
    pub shards: u64,
    /// Buckets of all tables, of 64 bytes and 6 entries each; twice as many or so while a table
    /// grows.
    pub buckets: u64,
    /// Links, of 64 bytes and 8 entries each, that full buckets have taken.
    pub links: u64,
    /// Bytes of buckets and links.
    pub table_bytes: u64,
    /// Memory reclamation, of the whole process.
    pub epoch: EpochStats,
}

impl Store {
    /// The figures of the store now. Costs a look at each table and thread, not at each entry.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let table = self.engine.shards.figures(&epoch::pin());
        let (timers, capacity) = (&self.engine.timers, self.engine.capacity.as_ref());
        Stats {
            entries: self.engine.shards.count(),
            expired_actively: timers.figures.expired_actively.load(Relaxed),
            expired_lazily: timers.figures.expired_lazily.load(Relaxed),
            expiry_lag: timers.figures.lag.figures(),
            timers: timers.parked(),
            stale_timers: timers.stale(),
            evicted: capacity.map_or(0, |capacity| capacity.evicted.load(Relaxed)),
            bytes: capacity.map_or(0, |capacity| capacity.budget.taken().bytes),
            shards: self.engine.shards.len() as u64,
            buckets: table.buckets as u64,
            links: table.links as u64,
            table_bytes: table.bytes as u64,
            epoch: epoch::figures(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_may_be_read_while_tables_come_and_go() {
        let store = Store::builder().shards(1).build().expect("memory");
        let rounds = if cfg!(miri) { 1 } else { 20 };
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for _ in 0..rounds {
                    for key in 0..if cfg!(miri) { 60_u32 } else { 5000 } {
                        store.set(key.to_le_bytes(), "value").expect("memory");
                    }
                    store.clear().expect("memory");
                }
            });
            while !writer.is_finished() {
                let stats = store.stats();
                assert!(stats.buckets > 0 && stats.table_bytes > stats.buckets * 64);
            }
        });
        assert_eq!(store.stats().entries, 0);
    }
}
