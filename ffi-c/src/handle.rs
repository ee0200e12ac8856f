//! The handles of open stores.
//!
//! Of a handle, 16 bits are the index and 48 the generation (`table.rs`).

use std::ops::Deref;

use rkv::{ManualClock, Store};

use crate::barrier;
use crate::calls::Striped;
use crate::failure::Failure;
use crate::stripe::STRIPES;
use crate::table::{Held, Kept, Kind, Table};

/// A store, by number. The zero handle, { 0 }, names no store.
///
/// It is a structure, so that a compiler tells it from every other number, and passed by value. Do
/// not look into it and do not do arithmetic on it; copies are equal.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct kv_store_t {
    /// Private.
    pub id: u64,
}

/// What stands behind a handle: a store, with the clock that it was given.
pub(crate) struct Opened {
    store: Store,
    clock: Option<ManualClock>,
}

impl Opened {
    pub(crate) fn new(store: Store, clock: Option<ManualClock>) -> Self {
        Opened { store, clock }
    }

    /// The store's clock, if it is moved by hand.
    pub(crate) fn clock(&self) -> Option<&ManualClock> {
        self.clock.as_ref()
    }

    pub(crate) fn close(self) -> rkv::Result<()> {
        self.store.close()
    }
}

impl Deref for Opened {
    type Target = Store;

    #[inline]
    fn deref(&self) -> &Store {
        &self.store
    }
}

/// The handle that names no store.
pub(crate) const NO_STORE: kv_store_t = kv_store_t { id: 0 };

static STORES: Table<Opened> = Table::new();

impl Kind for Opened {
    type Calls = Striped<STRIPES>;

    // LIMIT: 65,536 stores open at once in a process.
    const INDEX_BITS: u32 = 16;
    const THINGS: &'static str = "stores are open";

    fn table() -> &'static Table<Self> {
        &STORES
    }
}

/// Gives `store` a handle with one reference.
///
/// # Errors
/// Those of `Table::insert`.
pub(crate) fn open(store: Opened) -> Result<kv_store_t, Failure> {
    // Before anybody can enter it.
    let _ = barrier::prepare();
    Ok(kv_store_t { id: STORES.insert(store)? })
}

/// Enters the store that `handle` names and keeps it alive until the call leaves.
///
/// # Errors
/// Closed when the handle names no open store.
#[inline(always)]
pub(crate) fn enter(handle: kv_store_t) -> Result<Held<Opened>, Failure> {
    STORES.enter(handle.id).ok_or(CLOSED)
}

/// The same for a call that may last, or end on another thread.
pub(crate) fn keep(handle: kv_store_t) -> Result<Kept<Opened>, Failure> {
    STORES.keep(handle.id).ok_or(CLOSED)
}

const CLOSED: Failure = Failure::Engine(rkv::Error::Closed);
