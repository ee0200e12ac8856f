//! Several tables side by side, chosen by the low bits of the hash.
//!
//! Each grows by itself: growth is staggered, and a resize moves one part of the data. The roots
//! lie densely, eight in a cache line, so that choosing a table costs one load that is in the
//! cache.

use std::panic;

use super::{Begun, Change, Decision, Figures, Record, Refused, Table};
use crate::epoch::Retire;
use crate::sync::figures::AtomicI64;
use crate::sync::{self, CachePadded, Relaxed};

/// The most shards that a map or store can have.
pub(crate) const SHARDS_MAX: usize = 64;

/// The tables of one map or store, and how many entries they have.
pub(crate) struct Shards<R: Record> {
    tables: Box<[Table<R>]>,
    /// Entries created less entries removed, split by thread. One of them may be negative.
    counts: Box<[CachePadded<AtomicI64>]>,
    hasher: R::Hasher,
    /// The size below which no table shrinks.
    log2_min: u32,
}

/// Where a scan goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    shard: usize,
    from: u64,
}

impl Cursor {
    pub(crate) const START: Self = Self { shard: 0, from: 0 };

    /// The entries of one shard from `hash` on, and then those of the next shards.
    pub(crate) const fn at(shard: usize, hash: u64) -> Self {
        Self { shard, from: hash }
    }

    /// One number for a place not after this one, as close as it can say.
    pub(crate) const fn to_word(self) -> u64 {
        self.from / SHARDS_MAX as u64 * SHARDS_MAX as u64 + self.shard as u64
    }

    /// The place that a number stands for.
    pub(crate) const fn from_word(word: u64) -> Self {
        let shard = word % SHARDS_MAX as u64;
        Self { shard: shard as usize, from: word - shard }
    }

    /// Whether what comes next is in this shard.
    pub(crate) const fn is_of(self, shard: usize) -> bool {
        self.shard == shard
    }
}

impl<R: Record> Shards<R> {
    /// How many shards a map has unless it is told: the power of two from four times the number of
    /// processors, at most 64.
    pub(crate) fn default_len() -> usize {
        (4 * sync::parallelism()).next_power_of_two().min(SHARDS_MAX)
    }

    /// `len` empty tables, a power of two, with room for `entries` together.
    pub(crate) fn new(len: usize, entries: usize, hasher: R::Hasher) -> Result<Self, Refused> {
        assert!(len.is_power_of_two() && len <= SHARDS_MAX, "the builders check it");
        let log2_min = Table::<R>::log2_for(entries.div_ceil(len));
        let mut shards = Self {
            tables: Box::default(),
            counts: (0..Self::default_len()).map(|_| CachePadded::default()).collect(),
            hasher,
            log2_min,
        };
        let mut tables = Vec::with_capacity(len);
        for _ in 0..len {
            match Table::new(log2_min) {
                Ok(table) => tables.push(table),
                Err(refused) => {
                    shards.tables = tables.into_boxed_slice();
                    return Err(refused);
                }
            }
        }
        shards.tables = tables.into_boxed_slice();
        Ok(shards)
    }

    pub(crate) fn hasher(&self) -> &R::Hasher {
        &self.hasher
    }

    pub(crate) fn len(&self) -> usize {
        self.tables.len()
    }

    #[inline(always)]
    pub(crate) fn shard_of(&self, hash: u64) -> usize {
        hash as usize & (self.tables.len() - 1)
    }

    #[inline(always)]
    fn table_of(&self, hash: u64) -> &Table<R> {
        // SAFETY: the number of tables is a power of two, so the masked hash is below it. There are
        // none only while the shards are made or dropped, when nobody looks anything up.
        unsafe { self.tables.get_unchecked(self.shard_of(hash)) }
    }

    /// Asks for the memory of a hash's bucket, to be there when the operation that comes needs it.
    #[inline(always)]
    pub(crate) fn prefetch_bucket(&self, hash: u64) {
        self.table_of(hash).prefetch_bucket(hash);
    }

    /// The record of a key; see [`Table::get`].
    #[inline(always)]
    pub(crate) fn get<'g, G: Retire>(
        &'g self,
        hash: u64,
        _: &'g G,
        is_key: impl Fn(R::Shown<'g>) -> bool + Copy,
    ) -> Option<R::Shown<'g>> {
        let table = self.table_of(hash);
        // SAFETY: both closures see records that were validated under the guard.
        let found = table.get(&self.hasher, hash, |record| is_key(unsafe { R::show(record) }));
        // SAFETY: as above.
        found.map(|record| unsafe { R::show(record) })
    }

    /// The record that `is_key` means, in one table, by a hash of which the low 16 bits need not be
    /// right.
    pub(crate) fn get_in<'g, G: Retire>(
        &'g self,
        shard: usize,
        hash: u64,
        _: &'g G,
        is_key: impl Fn(R::Shown<'g>) -> bool + Copy,
    ) -> Option<R::Shown<'g>> {
        let table = self.tables.get(shard)?;
        // SAFETY: both closures see records that were validated under the guard.
        let found = table.get(&self.hasher, hash, |record| is_key(unsafe { R::show(record) }));
        // SAFETY: as above.
        found.map(|record| unsafe { R::show(record) })
    }

    /// Begins a get, and asks for the memory it needs next; see [`Table::begin_ahead`].
    #[inline(always)]
    pub(crate) fn begin<'g, G: Retire>(&'g self, hash: u64, bytes: usize, _: &'g G) -> Begun<'g> {
        self.table_of(hash).begin_ahead(hash, bytes)
    }

    /// Asks for the memory of a bucket in one table, as [`get_in`](Self::get_in) needs it.
    pub(crate) fn prefetch_in(&self, shard: usize, hash: u64) {
        if let Some(table) = self.tables.get(shard) {
            table.prefetch_bucket(hash);
        }
    }

    /// Asks for the memory of a record in one table, as [`get_in`](Self::get_in) needs it.
    pub(crate) fn prefetch_record_in<G: Retire>(
        &self,
        shard: usize,
        hash: u64,
        bytes: usize,
        _: &G,
    ) {
        if let Some(table) = self.tables.get(shard) {
            let _ = table.begin_ahead(hash, bytes);
        }
    }

    /// Begins a get anew that needs links; see [`Table::begin_in_links`].
    #[inline(always)]
    pub(crate) fn begin_in_links<'g, G: Retire>(
        &'g self,
        hash: u64,
        bytes: usize,
        _: &'g G,
    ) -> Begun<'g> {
        self.table_of(hash).begin_in_links(hash, bytes)
    }

    /// Ends a get; see [`Table::finish`].
    #[inline(always)]
    pub(crate) fn finish<'g>(
        &'g self,
        hash: u64,
        begun: Begun<'g>,
        is_key: impl Fn(R::Shown<'g>) -> bool + Copy,
    ) -> Option<R::Shown<'g>> {
        let table = self.table_of(hash);
        // SAFETY: both closures see records that were validated under the guard of `begin`.
        let is_key = |record| is_key(unsafe { R::show(record) });
        let found = table.finish(&self.hasher, hash, begun, is_key);
        // SAFETY: as above.
        found.map(|record| unsafe { R::show(record) })
    }

    /// Changes the entry of one key; see [`Table::write`].
    #[inline]
    pub(crate) fn write<'g, G: Retire>(
        &'g self,
        hash: u64,
        guard: &'g G,
        is_key: impl Fn(R::Shown<'g>) -> bool + Copy,
        mut decide: impl FnMut(Option<R::Shown<'g>>) -> Decision<R>,
    ) -> Result<Change<R::Shown<'g>>, Refused> {
        let table = self.table_of(hash);
        let change = table.write(
            &self.hasher,
            hash,
            guard,
            // SAFETY: validated under the guard.
            |record| is_key(unsafe { R::show(record) }),
            // SAFETY: validated under the guard.
            |found| decide(found.map(|record| unsafe { R::show(record) })),
        )?;
        match change {
            Change::Created => self.add_to_count(1),
            Change::Removed(_) => {
                self.add_to_count(-1);
                table.consider_shrinking(hash, self.log2_min);
            }
            Change::Replaced(_) | Change::Kept(_) => {}
        }
        table.help(&self.hasher, guard);
        guard.owe();
        // SAFETY: what the exchange took out was published under the guard, and is retired.
        Ok(change.map(|record| unsafe { R::show(record) }))
    }

    /// Visits the records of the next part of the hash space; `None` after the last.
    pub(crate) fn scan<'g, G: Retire>(
        &'g self,
        at: Cursor,
        _: &'g G,
        mut visit: impl FnMut(R::Shown<'g>),
    ) -> Option<Cursor> {
        let table = self.tables.get(at.shard)?;
        // SAFETY: the scan validated the records under the guard.
        match table.scan(&self.hasher, at.from, |record| visit(unsafe { R::show(record) })) {
            Some(from) => Some(Cursor { from, ..at }),
            None => Some(Cursor { shard: at.shard + 1, from: 0 }).filter(|c| c.shard < self.len()),
        }
    }

    /// Gives up the tables without touching them: what they hold is never freed.
    pub(crate) fn abandon(&mut self) {
        self.tables = Box::default();
    }

    /// Gives back what the arrays have too much, after many entries were removed.
    pub(crate) fn shrink<G: Retire>(&self, guard: &G) {
        for table in &self.tables {
            table.shrink(&self.hasher, guard, self.log2_min);
        }
    }

    #[inline]
    fn add_to_count(&self, by: i64) {
        // Relaxed: a figure.
        self.counts[sync::thread_number() & (self.counts.len() - 1)].fetch_add(by, Relaxed);
    }

    /// How many entries there are: exact when no write is in flight, never negative.
    pub(crate) fn count(&self) -> u64 {
        let sum: i64 = self.counts.iter().map(|count| count.load(Relaxed)).sum();
        u64::try_from(sum).unwrap_or(0)
    }

    /// Begins to make room for more entries, as a hint.
    pub(crate) fn reserve<G: Retire>(&self, more: usize, guard: &G) -> Result<(), Refused> {
        let entries = more.saturating_add(self.count() as usize).div_ceil(self.len());
        self.tables.iter().try_for_each(|table| table.reserve(&self.hasher, guard, entries))
    }

    /// The size of all arrays.
    pub(crate) fn figures<G: Retire>(&self, guard: &G) -> Figures {
        let mut sum = Figures::default();
        for table in &self.tables {
            let figures = table.figures(guard);
            sum.buckets += figures.buckets;
            sum.links += figures.links;
            sum.bytes += figures.bytes;
        }
        sum
    }
}

impl<R: Record> Drop for Shards<R> {
    fn drop(&mut self) {
        let mut outcome = Ok(());
        for table in &self.tables {
            // SAFETY: `&mut self`: nobody else uses the tables. What was retired is garbage, which
            // holds its own memory.
            outcome = outcome.and(unsafe { table.free(&self.hasher) });
        }
        if let Err(payload) = outcome {
            // A second panic while unwinding would abort the process.
            if !sync::panicking() {
                panic::resume_unwind(payload);
            }
        }
    }
}
