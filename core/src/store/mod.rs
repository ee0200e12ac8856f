//! `Store`: bytes by name, on the table. Groups, deadlines, eviction and events build on it.

mod batch;
mod berth;
mod budget;
mod builder;
mod capacity;
mod deadline;
mod engine;
mod entries;
mod keeper;
mod key;
mod lag;
mod lineage;
mod mortal;
mod outgoing;
mod pin;
#[expect(unsafe_code, reason = "records are raw memory")]
mod record;
mod scan;
mod session;
mod shift;
mod stats;
mod timers;
mod ttl;
mod update;
mod value;
pub(crate) mod version;

use std::fmt;

pub use self::builder::{Eviction, StoreBuilder};
use self::capacity::Capacity;
pub use self::capacity::ENTRY_BYTES;
use self::deadline::Deadline;
pub use self::deadline::{Remaining, Ttl};
use self::engine::Engine;
use self::key::Key;
pub use self::lag::ExpiryLag;
use self::mortal::Mortals;
use self::outgoing::{Outgoing, Until};
pub use self::pin::Pin;
use self::record::{Draft, Entry, KeyHasher};
pub use self::record::{KEY_BYTES_MAX, VALUE_BYTES_MAX};
pub use self::scan::Scan;
pub use self::session::Session;
pub use self::stats::Stats;
use self::timers::Timers;
pub use self::ttl::SetOptions;
pub use self::update::{Computed, Op};
pub use self::value::Value;
use self::version::Floors;
use crate::epoch::{self, Guard};
use crate::error::{Error, Result};
use crate::sync::{Arc, AtomicU64, OnceLock, Weak};
use crate::table::{Change, Cursor, Decision, Refused, Shards};

/// A concurrent key/value store of byte strings. Share it by reference or in an `Arc`.
///
/// Keys are up to 65,535 bytes, values up to 4 GiB - 1; both may be empty and hold any bytes. Every
/// operation on one key is atomic. Reads, writes and resizes are lock-free: a thread that stops in
/// the middle of one stops no other.
///
/// ```
/// let store = rkv::Store::new();
/// store.set("greeting", "hello")?;
/// assert_eq!(store.get("greeting").as_deref(), Some(&b"hello"[..]));
/// assert_eq!(store.incr("visits", 1)?, 1);
/// # Ok::<(), rkv::Error>(())
/// ```
///
/// # After fork
///
/// A store does not live on in a process forked from its own: there, every call that can fail
/// answers [`Error::Forked`], reads answer from the memory as it stood at the fork, and dropping it
/// frees nothing. New stores work.
pub struct Store {
    engine: Arc<Engine>,
}

/// A one-call set copies values up to this many bytes while it is pinned, longer ones before. (A
/// session is pinned anyway.)
const COPIED_PINNED_MAX: usize = 4096;

/// What a [`set`](Store::set) did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetResult {
    /// The key was absent.
    Created,
    /// The key had another value.
    Updated,
    /// The deadline had passed: nothing was stored, and what stood there was removed.
    Expired,
}

impl SetResult {
    #[inline]
    fn of(change: &Change<Entry<'_>>) -> Self {
        match change {
            Change::Created => Self::Created,
            Change::Replaced(_) | Change::Removed(_) | Change::Kept(_) => Self::Updated,
        }
    }
}

impl Store {
    /// An empty store. Ends the process when memory is refused; [`builder`](Self::builder) has an
    /// answer for that.
    #[must_use]
    pub fn new() -> Self {
        match Self::builder().build() {
            Ok(store) => store,
            Err(_) => std::alloc::handle_alloc_error(std::alloc::Layout::new::<Self>()),
        }
    }

    /// A store with options.
    #[must_use]
    pub fn builder() -> StoreBuilder {
        StoreBuilder::default()
    }

    fn with_options(options: StoreBuilder) -> Result<Self> {
        let shards = options.shards.unwrap_or_else(|| options.usual_shards());
        let shards = Shards::new(shards, options.capacity, KeyHasher::new())?;
        let room = options.room();
        let engine = Arc::new_cyclic(|this| Engine {
            timers: Timers::new(shards.len()),
            capacity: room.map(|max| Capacity::new(max, options.eviction, shards.len())),
            shards,
            floors: Floors::new(),
            is_kept: options.maintenance && options.clock.is_system(),
            clock: options.clock,
            is_plain: options.default_ttl.is_none() && room.is_none(),
            default_ttl: options.default_ttl,
            bell: OnceLock::new(),
            this: Weak::clone(this),
            finger: AtomicU64::new(Cursor::START.to_word()),
            generation: epoch::birth(),
        });
        Ok(Self { engine })
    }

    /// Whether the store can be written to.
    ///
    /// # Errors
    ///
    /// `Forked` when the store was made before a `fork`, in the parent process. Every call that can
    /// fail says the same.
    #[inline]
    pub fn check(&self) -> Result<()> {
        if self.engine.is_ours() { Ok(()) } else { Err(Error::Forked) }
    }

    /// The value of a key. Lock-free; copies nothing.
    #[must_use]
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        let key = self.engine.key_ahead(key.as_ref());
        let guard = epoch::pin();
        self.engine.find_used(&guard, key).map(Value::of)
    }

    /// What `f` makes of the value of a key. Costs no reference count, but while `f` runs this
    /// thread is pinned, which holds back the freeing of memory: `f` should not wait for anything.
    #[inline]
    pub fn get_with<R>(&self, key: impl AsRef<[u8]>, f: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let key = self.engine.key_ahead(key.as_ref());
        let guard = epoch::pin();
        self.engine.find_used(&guard, key).map(|entry| f(entry.value_of(key.bytes)))
    }

    /// Whether the key is there.
    #[must_use]
    pub fn contains(&self, key: impl AsRef<[u8]>) -> bool {
        let key = self.engine.key_ahead(key.as_ref());
        let guard = epoch::pin();
        self.engine.find(&guard, key).is_some()
    }

    /// Sets a key to a value.
    ///
    /// # Errors
    ///
    /// `TooLarge`, `NoMemory`, `Full`, `Forked`; nothing was changed then.
    pub fn set(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<SetResult> {
        self.check()?;
        let (key, value) = (self.engine.key_ahead(key.as_ref()), value.as_ref());
        if value.len() > COPIED_PINNED_MAX {
            let draft = Draft::new(key.bytes, value)?;
            return self.set_draft(&epoch::pin(), key, draft);
        }
        self.set_pinned(&epoch::pin(), key, value)
    }

    /// Sets a key to a value if it is absent; whether it did.
    ///
    /// # Errors
    ///
    /// As for [`set`](Self::set).
    pub fn set_if_absent(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<bool> {
        self.check()?;
        self.set_if_absent_until(key.as_ref(), value.as_ref(), self.engine.until_default())
    }

    /// Removes a key; the value that it had, `None` if it was absent.
    ///
    /// # Errors
    ///
    /// `NoMemory` when the key's bucket had to move and the system refused memory; `Forked`.
    pub fn delete(&self, key: impl AsRef<[u8]>) -> Result<Option<Value>> {
        self.check()?;
        let key = self.engine.key_ahead(key.as_ref());
        let guard = epoch::pin();
        Ok(self.unlink(&guard, key, |_| true)?.map(Value::of))
    }

    /// The same as [`delete`](Self::delete), under the name that it has where `delete` only says
    /// whether the key was there.
    ///
    /// # Errors
    ///
    /// As for [`delete`](Self::delete).
    pub fn take(&self, key: impl AsRef<[u8]>) -> Result<Option<Value>> {
        self.delete(key)
    }

    /// How many keys there are: exact when no write is in flight, never negative.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.engine.expire_due();
        self.engine.shards.count()
    }

    /// Whether there is no key; as exact as [`count`](Self::count).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Ends the store. What it holds is freed, except for what values still refer to.
    ///
    /// # Errors
    ///
    /// None yet; a store that writes to disk will report here what it could not save.
    pub fn close(self) -> Result<()> {
        Ok(())
    }

    /// Sets a key to a value. The record is made under the pin: a pin waits until all that was
    /// written before is in place, and fresh memory may be far.
    #[inline]
    fn set_pinned(&self, guard: &Guard, key: Key<'_>, value: &[u8]) -> Result<SetResult> {
        let draft = Draft::new(key.bytes, value)?;
        self.set_draft(guard, key, draft)
    }

    /// Sets a key to the draft that was made for it, to live as long as the store's default.
    fn set_draft(&self, guard: &Guard, key: Key<'_>, draft: Draft) -> Result<SetResult> {
        if !self.engine.is_plain {
            let outgoing = Outgoing::new(draft, self.engine.until_default());
            return self.set_outgoing(guard, key, outgoing);
        }
        let change = self.engine.write_plain(guard, key, |seen| {
            Decision::Put(draft.at(self.engine.next_version(seen, key.hash), Deadline::NEVER))
        })?;
        draft.published();
        Ok(SetResult::of(&change))
    }

    /// Sets a key to a value that ends at `until` if it is absent; whether it did.
    fn set_if_absent_until(&self, key: &[u8], value: &[u8], until: Until) -> Result<bool> {
        let key = self.engine.key_ahead(key);
        let guard = epoch::pin();
        if self.engine.find(&guard, key).is_some() {
            return Ok(false);
        }
        let draft = Draft::new(key.bytes, value)?;
        let mut outgoing = Outgoing::new(draft, until);
        let change = self.engine.write(&guard, key, |seen, attempt| match seen.live() {
            Some(_) => Decision::Keep,
            None => self.engine.put(&mut outgoing, seen, key.hash, attempt),
        })?;
        let created = matches!(change, Change::Created);
        if created {
            self.engine.published(&guard, outgoing, key.hash, true);
        }
        Ok(created)
    }

    #[inline(never)]
    fn set_outgoing(
        &self,
        guard: &Guard,
        key: Key<'_>,
        mut outgoing: Outgoing,
    ) -> Result<SetResult> {
        let change = self.engine.write(guard, key, |seen, attempt| {
            self.engine.put(&mut outgoing, seen, key.hash, attempt)
        })?;
        let result = SetResult::of(&change);
        self.engine.published(guard, outgoing, key.hash, result == SetResult::Created);
        Ok(result)
    }

    /// Removes the entry of a key if `wanted` says so of it: the one way by which entries go.
    fn unlink<'g>(
        &'g self,
        guard: &'g Guard,
        key: Key<'_>,
        mut wanted: impl FnMut(Entry<'g>) -> bool,
    ) -> Result<Option<Entry<'g>>> {
        let change = self.engine.write_plain(guard, key, |seen| match seen.live() {
            Some(entry) if wanted(entry) => Decision::Remove,
            _ => Decision::Keep,
        })?;
        Ok(match change {
            Change::Removed(entry) => Some(entry),
            Change::Created | Change::Replaced(_) | Change::Kept(_) => None,
        })
    }
}

impl Default for Store {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("count", &self.count()).finish_non_exhaustive()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.engine.is_kept && self.engine.timers.are_used() && self.engine.is_ours() {
            keeper::leave(&self.engine);
        }
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NoMemory => Error::NoMemory,
            Refused::Full => Error::Full,
        }
    }
}
