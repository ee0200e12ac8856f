//! Sessions: many operations of one thread under a pin of its own.

use std::fmt;
use std::rc::Rc;

use super::record::Entry;
use super::{SetResult, Store};
use crate::epoch::{self, Guard, Participant, Retire};
use crate::error::Result;

/// Operations between two renewals of a session's pin.
const OPERATIONS_PER_PIN: u32 = 64;

/// The fastest way to use a store from one thread: reads take no locked instruction and copy
/// nothing. See [`Store::session`].
///
/// A session is pinned: while it is, memory that anyone removes from any store of the process
/// waits. It renews its pin every 64 operations. A session that waits for something should be
/// [`idle`](Self::idle) meanwhile.
///
/// ```
/// let store = rkv::Store::new();
/// let mut session = store.session();
/// session.set("a", "1")?;
/// assert_eq!(session.get("a"), Some(&b"1"[..]));
/// # Ok::<(), rkv::Error>(())
/// ```
///
/// What a read returns is valid until the next call:
///
/// ```compile_fail
/// let store = rkv::Store::new();
/// let mut session = store.session();
/// let first = session.get("a");
/// session.get("b");
/// drop(first);
/// ```
///
/// It stays on its thread:
///
/// ```compile_fail
/// fn sent<T: Send>(_: T) {}
/// let store = rkv::Store::new();
/// sent(store.session());
/// ```
pub struct Session<'s> {
    store: &'s Store,
    guard: Option<Guard>,
    participant: Rc<Participant>,
    /// Operations until the pin is renewed; 0 where there is none.
    left: u32,
}

impl Store {
    /// A session of this thread. Making one registers with the
    /// reclamation, so make it once and not per operation.
    pub fn session(&self) -> Session<'_> {
        Session { store: self, guard: None, participant: epoch::register(), left: 0 }
    }
}

impl Session<'_> {
    /// The value of a key, valid until the session is used again.
    #[inline]
    pub fn get(&mut self, key: impl AsRef<[u8]>) -> Option<&[u8]> {
        let store = self.store;
        let key = store.engine.key(key.as_ref());
        store.engine.find_used(self.pinned(), key).map(|entry| entry.value_of(key.bytes))
    }

    /// Calls `f` with the position and the value of each of `keys`, in their order.
    pub fn get_many<K: AsRef<[u8]>>(
        &mut self,
        keys: &[K],
        mut f: impl FnMut(usize, Option<&[u8]>),
    ) {
        let store = self.store;
        store.find_many(self.pinned(), keys, |index, entry| f(index, entry.map(Entry::value)));
        self.left = self.left.saturating_sub(keys.len().min(OPERATIONS_PER_PIN as usize) as u32);
    }

    /// Sets a key to a value.
    ///
    /// # Errors
    ///
    /// As for [`Store::set`].
    pub fn set(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<SetResult> {
        self.store.check()?;
        let store = self.store;
        let key = store.engine.key_ahead(key.as_ref());
        store.set_pinned(self.pinned(), key, value.as_ref())
    }

    /// Removes a key; whether it was there.
    ///
    /// # Errors
    ///
    /// As for [`Store::delete`].
    pub fn delete(&mut self, key: impl AsRef<[u8]>) -> Result<bool> {
        self.store.check()?;
        let store = self.store;
        let key = store.engine.key_ahead(key.as_ref());
        Ok(store.unlink(self.pinned(), key, |_| true)?.is_some())
    }

    /// Ends the pin until the next operation, which begins one anew.
    pub fn idle(&mut self) {
        self.left = 0;
        if let Some(guard) = self.guard.take() {
            guard.hand_over();
        }
        self.participant.long_pin_ends();
    }

    /// The session's guard, renewed when it has served for long.
    #[inline]
    fn pinned(&mut self) -> &Guard {
        if self.left == 0 {
            self.renew();
        }
        self.left -= 1;
        match &self.guard {
            Some(guard) => guard,
            None => unreachable!("renew leaves a guard"),
        }
    }

    #[cold]
    fn renew(&mut self) {
        self.left = OPERATIONS_PER_PIN;
        match &mut self.guard {
            Some(guard) => guard.renew(),
            None => self.guard = Some(self.participant.pin()),
        }
        self.participant.long_pin_begins();
    }
}

impl fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("pinned", &self.guard.is_some()).finish_non_exhaustive()
    }
}
