//! Iterators: a listing in the hands of the program, by number.
//!
//! An iterator stands in its store as a call does, so that the store's memory stays until the
//! iterator is closed. One thread at a time is inside of it; who comes meanwhile is sent away.

use std::ffi::c_void;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, TryLockError};

use rkv::{Scan, Value};
use self_cell::self_cell;

use crate::boundary::{Out, boundary, bytes};
use crate::entry::{EntryOut, kv_entry_t};
use crate::failure::Failure;
use crate::handle::{Opened, kv_store_t};
use crate::slot::Released;
use crate::status::{KV_END, KV_OK, kv_status_t};
use crate::store::keep;
use crate::table::{Held, Kept, Kind, Table};

/// An iterator over entries of a store, by number. The zero handle, { 0 }, names none.
///
/// It may be used by any thread, by one at a time: a call on an iterator that another thread is
/// using is KV_ERR_BUSY and does nothing. Passed by value; copies are equal, and are closed
/// together, once. Do not look into it.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct kv_iter_t {
    /// Private.
    pub id: u64,
}

/// The handle that names no iterator.
const NO_ITERATOR: kv_iter_t = kv_iter_t { id: 0 };

/// How far an iterator has come.
struct Progress<'s> {
    scan: Scan<'s>,
    /// What the last call gave.
    current: Option<Value>,
}

/// Only ever tried: no call waits for it, and none is in the way of a fork.
type Tried<'s> = Mutex<Progress<'s>>;

self_cell!(
    /// What stands behind a handle: the store, and a listing that borrows it.
    struct Listing {
        owner: Kept<Opened>,
        #[not_covariant]
        dependent: Tried,
    }
);

static LISTINGS: Table<Listing> = Table::new();

impl Kind for Listing {
    type Calls = AtomicU64;

    // LIMIT: as many iterators as values, 16,777,216 at once in a process.
    const INDEX_BITS: u32 = 24;
    const THINGS: &'static str = "iterators are open";

    fn table() -> &'static Table<Self> {
        &LISTINGS
    }
}

/// Opens an iterator over the entries whose keys begin with `prefix`, in no order, and writes it to
/// `out_iter`, to be closed by kv_iter_close; a prefix of length 0 means all keys. On failure
/// `out_iter` becomes the zero handle.
///
/// It shows what kv_scan would. Nothing is locked or pinned between two calls, so it may stay open
/// all day while anybody writes. If the store is closed, kv_iter_next returns KV_ERR_CLOSED; the
/// store's memory stays until the iterator is closed too.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_iter_open(
    store: kv_store_t,
    prefix: *const c_void,
    prefix_len: usize,
    out_iter: *mut kv_iter_t,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 6.
        let out_iter = unsafe { Out::new("out_iter", out_iter)? };
        out_iter.write(NO_ITERATOR);
        // SAFETY: convention 5.
        let prefix = unsafe { bytes("prefix", prefix, prefix_len)? };
        let iterator = Listing::new(keep(store)?, |store| {
            Mutex::new(Progress { scan: store.scan(prefix), current: None })
        });
        out_iter.write(kv_iter_t { id: LISTINGS.insert(iterator)? });
        Ok(KV_OK)
    })
}

/// Goes on to the next entry and writes it to `out_entry`, which kv_entry_init has prepared. Its
/// bytes are readable until the next call on the iterator, also if the key is deleted.
///
/// Returns KV_OK, or KV_END when there are no more: then all but struct_size becomes zero.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_iter_next(iter: kv_iter_t, out_entry: *mut kv_entry_t) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 8.
        let out_entry = unsafe { EntryOut::new(out_entry)? };
        let iterator = find(iter)?;
        iterator.with_dependent(|store, tried| {
            let mut progress = inside(&iterator, tried)?;
            if !store.is_open() {
                return Err(rkv::Error::Closed.into());
            }
            progress.current = progress.scan.next();
            match &progress.current {
                Some(value) => out_entry.write(value),
                None => out_entry.clear(),
            }
            Ok(if progress.current.is_some() { KV_OK } else { KV_END })
        })
    })
}

/// Closes an iterator; what it gave last is not readable any more. Any thread may do it. Does
/// nothing for the zero handle; an iterator that was closed before is KV_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub extern "C" fn kv_iter_close(iter: kv_iter_t) -> kv_status_t {
    boundary(|| {
        if iter == NO_ITERATOR {
            return Ok(KV_OK);
        }
        let iterator = find(iter)?;
        iterator.with_dependent(|_, tried| {
            // Held until the handle names nothing: who comes inside afterwards sees that.
            let _progress = inside(&iterator, tried)?;
            match iterator.release() {
                Released::Last => Ok(KV_OK),
                Released::Shared | Released::Closed => Err(NOT_OPEN),
            }
        })
    })
}

const NOT_OPEN: Failure = Failure::invalid("iter", "not an iterator, or closed already");

/// The iterator that a handle names.
///
/// # Errors
/// InvalidArgument when it names none; Forked when another process opened its store.
fn find(iter: kv_iter_t) -> Result<Held<Listing>, Failure> {
    let iterator = LISTINGS.enter(iter.id).ok_or(NOT_OPEN)?;
    iterator.borrow_owner().check()?;
    Ok(iterator)
}

/// Goes inside of an iterator, where one thread may be.
///
/// # Errors
/// Busy when another thread is there; InvalidArgument when the iterator was closed meanwhile.
fn inside<'a, 's>(
    iterator: &Held<Listing>,
    tried: &'a Tried<'s>,
) -> Result<MutexGuard<'a, Progress<'s>>, Failure> {
    let progress = match tried.try_lock() {
        Ok(progress) => progress,
        // A panic inside was reported; the listing goes on with what it had.
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => return Err(Failure::Busy { name: "iter" }),
    };
    if iterator.is_open() { Ok(progress) } else { Err(NOT_OPEN) }
}

#[cfg(test)]
mod tests {
    use std::mem::zeroed;
    use std::ptr::null;

    use super::*;
    use crate::status::{KV_ERR_BUSY, KV_ERR_INVALID_ARGUMENT};
    use crate::{kv_close, kv_entry_init, kv_open};

    #[test]
    fn iterator_with_somebody_inside_is_busy_and_unharmed() {
        let (mut store, mut iter) = (kv_store_t { id: 0 }, NO_ITERATOR);
        // SAFETY: a structure of numbers and pointers.
        let mut entry: kv_entry_t = unsafe { zeroed() };
        // SAFETY: conventions 5, 6 and 8.
        unsafe {
            assert_eq!(kv_open(null(), &mut store), KV_OK);
            assert_eq!(kv_entry_init(&mut entry, size_of::<kv_entry_t>()), KV_OK);
            assert_eq!(kv_iter_open(store, null(), 0, &mut iter), KV_OK);
        }
        // SAFETY: convention 8.
        let mut next = || unsafe { kv_iter_next(iter, &mut entry) };
        find(iter).unwrap().with_dependent(|_, tried| {
            let somebody = tried.lock().unwrap();
            assert_eq!((next(), kv_iter_close(iter)), (KV_ERR_BUSY, KV_ERR_BUSY));
            drop(somebody);
            assert_eq!(next(), KV_END);
        });
        // Who has found the iterator when it is closed does not come inside afterwards.
        let found = find(iter).unwrap();
        assert_eq!(kv_iter_close(iter), KV_OK);
        found.with_dependent(|_, tried| assert!(inside(&found, tried).is_err()));
        drop(found);
        assert_eq!(
            (next(), kv_iter_close(iter)),
            (KV_ERR_INVALID_ARGUMENT, KV_ERR_INVALID_ARGUMENT)
        );
        assert_eq!(kv_close(store), KV_OK);
    }
}
