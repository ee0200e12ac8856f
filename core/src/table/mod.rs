//! The table: a lock-free hash table of pointers to heap records.
//!
//! Reads, writes and resizes are lock-free: a thread that stops anywhere stops nobody else. A
//! bucket is one cache line, a record one allocation, so a get has two dependent misses. The state
//! machines, the numbered edges between atomic accesses and the linearization points are in
//! `docs/concurrency.md`.
//!
//! # Invariants
//!
//! 1. A bit of a header is set only if its slot holds a published entry, or is emptied.
//! 2. Generations of the emptied words of one slot grow.
//! 3. At most one published slot of all arrays that have authority holds a given hash.
//! 4. The version of a header grows with every change of the header.
//! 5. A bucket of a later array is written to only by migrations until its parents are moved.
//! 6. A record's word never comes back to a slot that it left.
//!
//! The table knows neither time nor bytes nor threads; whoever calls it is pinned.

mod array;
mod batch;
mod collision;
mod find;
mod free;
mod migrate;
mod prefetch;
#[cfg(all(test, rkv_loom))]
mod probe;
mod resize;
mod scan;
mod shards;
mod tags;
#[cfg(all(test, not(rkv_loom)))]
mod tests;
mod word;
mod write;

use std::marker::PhantomData;
use std::ptr::NonNull;

use self::array::Array;
use crate::epoch::{Garbage, Retire};
use crate::sync::{Acquire, AtomicPtr};

pub(crate) use self::batch::BYTES_AHEAD;
pub(crate) use self::find::Begun;
pub(crate) use self::shards::{Cursor, SHARDS_MAX, Shards};
pub(crate) use self::write::{Change, Decision};

/// What a table needs to know of the records that it points to.
///
/// # Safety
///
/// Records stay where they are, in memory whose address has 16 bits free at the top and 4 at the
/// bottom, until `release`.
pub(crate) unsafe trait Record: Sized {
    /// What a hash is computed with.
    type Hasher;

    /// A record as it is shown to who holds a guard.
    type Shown<'g>: Copy
    where
        Self: 'g;

    /// Shows a record.
    ///
    /// # Safety
    ///
    /// The record is published, or was when the guard of `'g` began or later, and the table is
    /// not dropped during `'g`.
    unsafe fn show<'g>(record: NonNull<Self>) -> Self::Shown<'g>
    where
        Self: 'g;

    /// The hash of the record's key: the same at every call.
    ///
    /// # Safety
    ///
    /// The record is readable.
    unsafe fn hash(record: NonNull<Self>, hasher: &Self::Hasher) -> u64;

    /// Gives up the table's share in a record.
    ///
    /// # Safety
    ///
    /// Called once; no table holds the record, and nobody reads it on the ground of a guard.
    unsafe fn release(record: NonNull<Self>);

    /// Bytes that `release` frees, for the figures.
    ///
    /// # Safety
    ///
    /// The record is readable.
    unsafe fn bytes(record: NonNull<Self>) -> usize;

    /// The record as garbage.
    ///
    /// # Safety
    ///
    /// Called once, when the record is in no table any more.
    unsafe fn into_garbage(record: NonNull<Self>) -> Garbage {
        unsafe fn free<R: Record>(record: *mut ()) {
            if let Some(record) = NonNull::new(record.cast()) {
                // SAFETY: the grace period is over, and garbage is freed once.
                unsafe { R::release(record) }
            }
        }
        // SAFETY: the caller took the record out of its table; records are `Send` as the bounds of
        // the types that use tables demand.
        unsafe { Garbage::new(record.as_ptr().cast(), Self::bytes(record), free::<Self>) }
    }
}

/// Why a table could not do what it was asked to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    /// The system refused memory.
    NoMemory,
    /// The table cannot grow any more.
    Full,
}

/// One table: a root word. `S` slots in a bucket, `L` in each of its two links.
pub(crate) struct Table<R, const S: usize = 6, const L: usize = 8> {
    /// The array that every operation begins at: a packed word, never null.
    root: AtomicPtr<()>,
    /// Invariant in `R`: records go in as well as out.
    records: PhantomData<*mut R>,
}

// SAFETY: a table owns its records as a box would, and hands out pointers only.
unsafe impl<R: Send, const S: usize, const L: usize> Send for Table<R, S, L> {}

// SAFETY: every shared access goes through atomics; through a shared table, records are read on any
// thread and moved to any thread, to be dropped there.
unsafe impl<R: Send + Sync, const S: usize, const L: usize> Sync for Table<R, S, L> {}

impl<R: Record, const S: usize, const L: usize> Table<R, S, L> {
    /// An empty table of `2^log2` buckets.
    pub(crate) fn new(log2: u32) -> Result<Self, Refused> {
        let array = Array::<S, L>::allocate(log2, false).ok_or(Refused::NoMemory)?;
        Ok(Self { root: AtomicPtr::new(array.pack()), records: PhantomData })
    }

    #[inline(always)]
    fn root(&self) -> Array<S, L> {
        // Acquire: edge T8.
        let word = self.root.load(Acquire);
        // SAFETY: the root is never null.
        unsafe { Array::unpack(word).unwrap_unchecked() }
    }

    /// Buckets, links and bytes of the arrays that the table holds now.
    pub(crate) fn figures<G: Retire>(&self, _: &G) -> Figures {
        let mut figures = Figures::default();
        let mut array = Some(self.root());
        while let Some(this) = array {
            figures.buckets += this.len();
            figures.links += this.links();
            figures.bytes += this.bytes();
            array = this.next();
        }
        figures
    }
}

/// The size of a table's arrays, both of them while a resize runs.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Figures {
    pub(crate) buckets: usize,
    pub(crate) links: usize,
    pub(crate) bytes: usize,
}
