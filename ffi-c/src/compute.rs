//! Changes that the program computes from what stands there.
//!
//! While a callback runs, its change stands on a stack of its thread, by a number that no other has
//! had. kv_change_put looks the number up there; so any number at all can be passed for a change.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use rkv::{Computed, Op, Value};

use crate::boundary::{boundary, bytes, write_unless_null};
use crate::entry::kv_entry_t;
use crate::failure::Failure;
use crate::handle::{Opened, kv_store_t};
use crate::lifetime::meaning;
use crate::status::{KV_OK, KV_STOPPED, kv_status_t};
use crate::store::keep;

/// What a callback of kv_compute is about to do, by number. It names something only while the
/// callback that it was passed to runs, and on its thread.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct kv_change_t {
    /// Private.
    pub id: u64,
}

/// What a callback of kv_compute returns: the key is to stay as it is.
pub const KV_CHANGE_KEEP: i32 = 0;
/// What a callback of kv_compute returns: the key is to have the value that kv_change_put was given
/// last.
pub const KV_CHANGE_PUT: i32 = 1;
/// What a callback of kv_compute returns: the key is to be removed, if it exists.
pub const KV_CHANGE_REMOVE: i32 = 2;
/// What a callback of kv_compute returns: the key is to stay as it is, and the call to return
/// KV_STOPPED.
pub const KV_CHANGE_ABORT: i32 = 3;

/// Called with the entry that stands under the key, or NULL if the key does not exist; returns one
/// of the four constants KV_CHANGE_KEEP, KV_CHANGE_PUT, KV_CHANGE_REMOVE and KV_CHANGE_ABORT.
///
/// It may run more than once: see kv_compute. Convention 10 holds: it may use the store freely, and
/// must not throw or keep pointers.
pub type kv_compute_fn = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        current: *const kv_entry_t,
        change: kv_change_t,
    ) -> i32,
>;

/// Does with `key` what `callback` wants, in one atomic step, whatever stands there.
///
/// The callback sees what stands there, decides, and for KV_CHANGE_PUT passes the new value to
/// kv_change_put. If another thread changes the key meanwhile, nothing is done, and the callback
/// runs again and sees the new state; so it must not count its runs. No lock is held and nothing is
/// pinned while it runs. A callback that changes the key itself, each time, never comes to an end.
///
/// Returns KV_OK, and writes to `out_version`, which may be NULL, the version that stands now, 0 if
/// the key does not exist; or KV_STOPPED for KV_CHANGE_ABORT. KV_CHANGE_PUT without kv_change_put,
/// and any other number than the four, are KV_ERR_INVALID_ARGUMENT. On all but KV_OK nothing was
/// changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_compute(
    store: kv_store_t,
    key: *const c_void,
    key_len: usize,
    callback: kv_compute_fn,
    user_data: *mut c_void,
    out_version: *mut u64,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 5.
        let key = unsafe { bytes("key", key, key_len)? };
        let callback = callback.ok_or(Failure::invalid("callback", "NULL"))?;
        let store = keep(store)?;
        let call = |current: *const kv_entry_t, change| {
            // SAFETY: convention 10; who calls this keeps the bytes of the entry alive.
            unsafe { callback(user_data, current, change) }
        };
        let computed = match store.compute(key, |current| wish(&store, current, call)) {
            Ok(computed) => computed,
            Err(Ending::Stopped) => return Ok(KV_STOPPED),
            Err(Ending::Failed(failure)) => return Err(failure),
        };
        // SAFETY: convention 6.
        unsafe { write_unless_null(out_version, version(&computed)) };
        Ok(KV_OK)
    })
}

/// Says what the value of the key is to be, a copy of these bytes, and how long it is to live: for
/// `ttl_ms` milliseconds from when it is stored, or as KV_TTL_KEEP, which is the usual,
/// KV_TTL_NEVER or KV_TTL_DEFAULT say.
///
/// It is for a callback of kv_compute that is about to return KV_CHANGE_PUT; if it calls this more
/// than once, the last call counts. Callbacks may be nested, and the change of an outer one given
/// too. Any other number is KV_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kv_change_put(
    change: kv_change_t,
    value: *const c_void,
    value_len: usize,
    ttl_ms: u64,
) -> kv_status_t {
    boundary(|| {
        // SAFETY: convention 5.
        let value = unsafe { bytes("value", value, value_len)? };
        let mut copy = Vec::new();
        let put = |changes: &mut Vec<Change>| {
            let is_it = |running: &&mut Change| running.number == change.id;
            let running = changes.iter_mut().rev().find(is_it).ok_or(NOT_RUNNING)?;
            copy.try_reserve_exact(value.len()).map_err(|_| rkv::Error::NoMemory)?;
            copy.extend_from_slice(value);
            running.put = Some((copy, ttl_ms));
            Ok(KV_OK)
        };
        with_changes(put).unwrap_or(Err(NOT_RUNNING))
    })
}

const NOT_RUNNING: Failure =
    Failure::invalid("change", "not of a callback that runs on this thread");

/// Why there is no wish.
enum Ending {
    /// The callback wants an end.
    Stopped,
    Failed(Failure),
}

impl From<Failure> for Ending {
    fn from(failure: Failure) -> Self {
        Ending::Failed(failure)
    }
}

impl From<rkv::Error> for Ending {
    fn from(error: rkv::Error) -> Self {
        Ending::Failed(error.into())
    }
}

/// Runs the callback once: what it wants.
fn wish(
    store: &Opened,
    current: Option<&Value>,
    callback: impl Fn(*const kv_entry_t, kv_change_t) -> i32,
) -> Result<Op, Ending> {
    let number = next_number();
    let begun = with_changes(|changes| {
        changes.try_reserve(1).map_err(|_| rkv::Error::NoMemory)?;
        changes.push(Change { number, put: None });
        Ok::<_, Failure>(())
    });
    begun.unwrap_or(Err(ENDING_THREAD))?;
    let entry = current.map(kv_entry_t::new);
    let current = entry.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let answer = callback(current, kv_change_t { id: number });
    // Its own, and those that began later and were left by a jump: not just the innermost.
    let put = with_changes(|changes| {
        let at = changes.iter().rposition(|change| change.number == number)?;
        changes.drain(at..).next()?.put
    });
    let put = put.flatten();
    // The callback may have forked: in the child the store ends here.
    store.check()?;
    match (answer, put) {
        (KV_CHANGE_KEEP, _) => Ok(Op::Keep),
        (KV_CHANGE_REMOVE, _) => Ok(Op::Remove),
        (KV_CHANGE_ABORT, _) => Err(Ending::Stopped),
        (KV_CHANGE_PUT, Some((value, ttl_ms))) => Ok(Op::PutFor(value, meaning(ttl_ms))),
        (KV_CHANGE_PUT, None) => Err(NO_PUT.into()),
        _ => Err(NO_ANSWER.into()),
    }
}

const ENDING_THREAD: Failure =
    Failure::Unsupported { name: "kv_compute", reason: "this thread is ending" };
const NO_PUT: Failure =
    Failure::invalid("callback", "returned KV_CHANGE_PUT without a call of kv_change_put");
const NO_ANSWER: Failure =
    Failure::invalid("callback", "returned a number that is none of KV_CHANGE_*");

/// The version that stands now, or 0.
fn version(computed: &Computed) -> u64 {
    match computed {
        Computed::Created(new) | Computed::Updated { new, .. } | Computed::Kept(Some(new)) => {
            new.version()
        }
        Computed::Removed(_) | Computed::Kept(None) => 0,
    }
}

/// A callback that runs, and the value and time to live that it has passed.
struct Change {
    number: u64,
    put: Option<(Vec<u8>, u64)>,
}

thread_local! {
    /// The changes of the callbacks that run on this thread, the innermost last.
    static CHANGES: RefCell<Vec<Change>> = const { RefCell::new(Vec::new()) };
}

/// Runs `f` on the changes of this thread; `None` when the thread is ending.
fn with_changes<R>(f: impl FnOnce(&mut Vec<Change>) -> R) -> Option<R> {
    CHANGES.try_with(|changes| f(&mut changes.borrow_mut())).ok()
}

/// A number that no other callback has had, in this thread or another; never 0.
fn next_number() -> u64 {
    // LIMIT: threads take so many at once, so that they seldom write to one word.
    const AT_ONCE: u64 = 1 << 10;
    static TAKEN: AtomicU64 = AtomicU64::new(0);
    thread_local! {
        static LAST: Cell<u64> = const { Cell::new(0) };
    }
    LAST.with(|last| {
        let mut number = last.get() + 1;
        if last.get() % AT_ONCE == 0 {
            // Relaxed: only the number counts.
            number = TAKEN.fetch_add(AT_ONCE, Relaxed) + 1;
        }
        last.set(number);
        number
    })
}
