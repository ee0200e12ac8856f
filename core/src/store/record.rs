//! A store's record: header, key and value in one allocation.
//!
//! ```text
//! 0        8         16           20             24        28           30        32
//! [version][deadline][references ][value length ][reserved][key length ][lineage ][key][value]
//! ```
//!
//! The reserved field is that of creation times, which are a layer of their own. A record is
//! immutable once it is published, the count of references and that of uses aside. The table's
//! share is one reference; a [`Value`](super::Value) holds another.

use std::marker::PhantomData;
use std::ptr::NonNull;
use std::slice;

use super::deadline::Deadline;
use super::lineage::Lineage;
use super::mortal::Mortal;
use crate::error::{Error, Result};
use crate::memory;
use crate::sync::{AcqRel, Acquire, AtomicU16, AtomicU32, Relaxed};
use crate::table::Record as TableRecord;

/// The longest key in bytes.
pub const KEY_BYTES_MAX: usize = u16::MAX as usize;

/// The longest value in bytes.
pub const VALUE_BYTES_MAX: usize = u32::MAX as usize;

/// References at which the count stops: the record then lives for ever.
const SATURATED: u32 = 1 << 31;

/// The header of a record. Pointers to it cover the whole allocation.
#[repr(C, align(16))]
pub(super) struct Record {
    version: u64,
    deadline: Deadline,
    references: AtomicU32,
    value_len: u32,
    created: u32,
    key_len: u16,
    lineage: AtomicU16,
}

pub(super) const HEADER: usize = size_of::<Record>();
const _: () = assert!(HEADER == 32);

/// Hashes the keys of a store.
pub(super) type KeyHasher = ahash::RandomState;

// SAFETY: a record is one allocation, aligned to 16, refused if its address does not fit, and never
// moved.
unsafe impl TableRecord for Record {
    type Hasher = KeyHasher;

    type Shown<'g> = Entry<'g>;

    unsafe fn show<'g>(record: NonNull<Self>) -> Entry<'g> {
        Entry { record, life: PhantomData }
    }

    unsafe fn hash(record: NonNull<Self>, hasher: &KeyHasher) -> u64 {
        // SAFETY: readable, says the caller.
        hash(hasher, unsafe { key(record) })
    }

    unsafe fn release(record: NonNull<Self>) {
        // SAFETY: the table gives up its one reference.
        unsafe { release(record) }
    }

    unsafe fn bytes(record: NonNull<Self>) -> usize {
        // SAFETY: readable, says the caller.
        let header = unsafe { record.as_ref() };
        HEADER + usize::from(header.key_len) + header.value_len as usize
    }
}

impl Mortal for Record {
    #[inline(always)]
    fn version(shown: Entry<'_>) -> u64 {
        shown.version()
    }

    #[inline(always)]
    fn deadline(shown: Entry<'_>) -> Deadline {
        shown.deadline()
    }

    fn is_same(one: Entry<'_>, other: Entry<'_>) -> bool {
        one.is_same(other)
    }

    fn is_of_same_key(one: Entry<'_>, other: Entry<'_>) -> bool {
        one.has_key(other.key())
    }
}

/// The hash of a key.
#[inline]
pub(super) fn hash(hasher: &KeyHasher, key: &[u8]) -> u64 {
    use std::hash::{BuildHasher, Hasher};
    let mut hasher = hasher.build_hasher();
    hasher.write(key);
    hasher.finish()
}

/// # Safety
///
/// The record is readable for `'r`.
#[inline]
unsafe fn key<'r>(record: NonNull<Record>) -> &'r [u8] {
    // SAFETY: the allocation holds `key_len` bytes after the header, written before it was shared.
    unsafe {
        let len = usize::from((*record.as_ptr()).key_len);
        slice::from_raw_parts(record.as_ptr().cast::<u8>().add(HEADER), len)
    }
}

/// # Safety
///
/// The record is readable for `'r`, and its key has `key_len` bytes.
#[inline]
unsafe fn value_after<'r>(record: NonNull<Record>, key_len: usize) -> &'r [u8] {
    // SAFETY: the allocation holds `value_len` bytes after the key, written before it was shared.
    unsafe {
        let start = record.as_ptr().cast::<u8>().add(HEADER + key_len);
        slice::from_raw_parts(start, (*record.as_ptr()).value_len as usize)
    }
}

/// Takes a reference more.
///
/// # Safety
///
/// The caller has a share in the record, or a guard under which it was found.
unsafe fn retain(record: NonNull<Record>) {
    // SAFETY: the record is readable.
    let references = unsafe { &(*record.as_ptr()).references };
    // Relaxed: a share is made from a share, or under a guard that holds back the table's.
    if references.fetch_add(1, Relaxed) >= SATURATED {
        references.store(SATURATED + SATURATED / 2, Relaxed);
    }
}

/// Gives up a reference; the last one frees the record.
///
/// # Safety
///
/// The caller has this reference, and does not use it again.
unsafe fn release(record: NonNull<Record>) {
    // SAFETY: the record is readable as long as the caller has its reference.
    let references = unsafe { &(*record.as_ptr()).references };
    // Acquire: edge R3, all uses of the record by who gave up a reference before. Who sees its own
    // reference alone can spare the exchange: nobody has one to make another from.
    let seen = references.load(Acquire);
    if seen >= SATURATED {
        return;
    }
    // AcqRel: edge R3.
    if seen == 1 || references.fetch_sub(1, AcqRel) == 1 {
        // SAFETY: nobody has a reference any more; the size is that of `Draft::new`.
        unsafe {
            let header = &*record.as_ptr();
            let bytes = HEADER + usize::from(header.key_len) + header.value_len as usize;
            memory::free(record.cast(), bytes);
        }
    }
}

/// A record in the store, readable during `'g`.
#[derive(Clone, Copy)]
pub(super) struct Entry<'g> {
    record: NonNull<Record>,
    life: PhantomData<&'g Record>,
}

impl<'g> Entry<'g> {
    #[inline]
    pub(super) fn key(self) -> &'g [u8] {
        // SAFETY: an entry is readable during its lifetime.
        unsafe { key(self.record) }
    }

    /// Whether its key is `key`.
    #[inline]
    pub(super) fn has_key(self, key: &[u8]) -> bool {
        let own = self.key();
        // Without a call for keys of usual lengths: the first and the last eight bytes.
        match (own.len() == key.len(), key.len()) {
            (false, _) => false,
            (true, 8..=16) => {
                first_eight(own) == first_eight(key) && last_eight(own) == last_eight(key)
            }
            (true, _) => own == key,
        }
    }

    #[inline]
    pub(super) fn value(self) -> &'g [u8] {
        // SAFETY: as for `key`.
        unsafe { value_after(self.record, self.key().len()) }
    }

    /// The value of an entry that has this key.
    ///
    /// It lies behind the key, whose length the record states in its first line. With the length of
    /// the other key, the processor asks for the value without waiting for that line.
    #[inline]
    pub(super) fn value_of(self, key: &[u8]) -> &'g [u8] {
        assert!(self.key().len() == key.len(), "the value of an entry with another key");
        // SAFETY: as for `key`; its key is as long as `key`.
        unsafe { value_after(self.record, key.len()) }
    }

    /// The size of the record in bytes.
    #[inline]
    pub(super) fn bytes(self) -> usize {
        // SAFETY: an entry is readable during its lifetime.
        unsafe { Record::bytes(self.record) }
    }

    pub(super) fn version(self) -> u64 {
        // SAFETY: as for `key`; published versions do not change.
        unsafe { (*self.record.as_ptr()).version }
    }

    #[inline(always)]
    pub(super) fn deadline(self) -> Deadline {
        // SAFETY: as for `key`; published deadlines do not change.
        unsafe { (*self.record.as_ptr()).deadline }
    }

    /// Its lineage, and how often it was used.
    #[inline(always)]
    pub(super) fn lineage(self) -> Lineage {
        // SAFETY: as for `key`. Relaxed: uses are a figure, and the id never changes.
        Lineage::from_bits(unsafe { &(*self.record.as_ptr()).lineage }.load(Relaxed))
    }

    /// Says how often it was used. Two threads that say so at once may count as one.
    #[inline(always)]
    pub(super) fn set_lineage(self, lineage: Lineage) {
        // SAFETY: as for `key`. Relaxed: as in `lineage`.
        unsafe { &(*self.record.as_ptr()).lineage }.store(lineage.bits(), Relaxed);
    }

    /// The entry was used. Tested before it is written: what is used often is only read.
    #[inline(always)]
    pub(super) fn count_use(self) {
        if let Some(used) = self.lineage().used() {
            self.set_lineage(used);
        }
    }

    /// A share in the record that outlives the guard.
    pub(super) fn share(self) -> Share {
        // SAFETY: the entry was found under a guard that still lives.
        unsafe { retain(self.record) };
        Share { record: self.record }
    }

    /// Whether it is the very record that `other` shows.
    pub(super) fn is_same(self, other: Entry<'_>) -> bool {
        self.record == other.record
    }

    /// Whether it is the very record that `share` holds.
    pub(super) fn is(self, share: &Share) -> bool {
        self.record == share.record
    }
}

#[inline]
fn first_eight(bytes: &[u8]) -> Option<[u8; 8]> {
    bytes.first_chunk().copied()
}

#[inline]
fn last_eight(bytes: &[u8]) -> Option<[u8; 8]> {
    bytes.last_chunk().copied()
}

/// A counted share in a record.
pub(super) struct Share {
    record: NonNull<Record>,
}

// SAFETY: the record is immutable and its count atomic; freeing it touches no thread's state.
unsafe impl Send for Share {}

// SAFETY: as for `Send`.
unsafe impl Sync for Share {}

impl Share {
    #[inline]
    pub(super) fn entry(&self) -> Entry<'_> {
        Entry { record: self.record, life: PhantomData }
    }
}

impl Clone for Share {
    fn clone(&self) -> Self {
        self.entry().share()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        // SAFETY: this share's own reference.
        unsafe { release(self.record) }
    }
}

/// A record that is not in the store yet; its version can still change.
pub(super) struct Draft {
    record: NonNull<Record>,
}

impl Draft {
    /// A record of `key` and `value`, with the table's one reference.
    ///
    /// # Errors
    ///
    /// `TooLarge` for a key over [`KEY_BYTES_MAX`] or a value over [`VALUE_BYTES_MAX`]; `NoMemory`.
    pub(super) fn new(key: &[u8], value: &[u8]) -> Result<Self> {
        let (Ok(key_len), Ok(value_len)) = (u16::try_from(key.len()), u32::try_from(value.len()))
        else {
            return Err(too_large(key.len(), value.len()));
        };
        let bytes = HEADER + key.len() + value.len();
        let place = memory::allocate(bytes).ok_or(Error::NoMemory)?;
        let record = place.cast::<Record>();
        // SAFETY: fresh memory of the right size for the header and both byte strings.
        unsafe {
            record.write(Record {
                version: 0,
                deadline: Deadline::NEVER,
                references: AtomicU32::new(1),
                value_len,
                created: 0,
                key_len,
                lineage: AtomicU16::new(Lineage::NONE.bits()),
            });
            let bytes = place.as_ptr().add(HEADER);
            bytes.copy_from_nonoverlapping(key.as_ptr(), key.len());
            bytes.add(key.len()).copy_from_nonoverlapping(value.as_ptr(), value.len());
        }
        Ok(Self { record })
    }

    /// Gives the draft its version and its deadline; the record, to be put into the table.
    #[inline]
    pub(super) fn at(&self, version: u64, deadline: Deadline) -> NonNull<Record> {
        // SAFETY: the draft is this thread's alone until it is published.
        unsafe {
            (&raw mut (*self.record.as_ptr()).version).write(version);
            (&raw mut (*self.record.as_ptr()).deadline).write(deadline);
        }
        self.record
    }

    pub(super) fn lineage(&self) -> Lineage {
        self.entry().lineage()
    }

    /// Gives the draft a lineage; it has none until then.
    pub(super) fn set_lineage(&self, lineage: Lineage) {
        self.entry().set_lineage(lineage);
    }

    /// The size of the record in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.entry().bytes()
    }

    fn entry(&self) -> Entry<'_> {
        Entry { record: self.record, life: PhantomData }
    }

    /// A share of its own, for who shows what it is about to publish.
    pub(super) fn share(&self) -> Share {
        // SAFETY: the draft has a reference.
        unsafe { retain(self.record) };
        Share { record: self.record }
    }

    /// The table has the record, and with it the draft's reference.
    pub(super) fn published(self) {
        std::mem::forget(self);
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // SAFETY: the reference that the draft was made with.
        unsafe { release(self.record) }
    }
}

fn too_large(key: usize, value: usize) -> Error {
    if key > KEY_BYTES_MAX {
        Error::TooLarge { name: "key", len: key, max: KEY_BYTES_MAX }
    } else {
        Error::TooLarge { name: "value", len: value, max: VALUE_BYTES_MAX }
    }
}
