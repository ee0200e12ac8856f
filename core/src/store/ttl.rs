//! Time to live: setting, asking, changing and ending it.

use std::time::Duration;

use super::deadline::{Remaining, Ttl};
use super::outgoing::Outgoing;
use super::record::{Draft, Entry};
use super::{SetResult, Store};
use crate::epoch;
use crate::error::{Error, Result};
use crate::table::{Change, Decision};

/// How [`Store::set_with`] sets a key. A [`Ttl`] alone will do where no other option is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SetOptions {
    /// How long the key is to live.
    pub ttl: Ttl,
}

impl From<Ttl> for SetOptions {
    fn from(ttl: Ttl) -> Self {
        Self { ttl }
    }
}

impl Store {
    /// Sets a key to a value with options, a time to live among them.
    ///
    /// A key is served as long as the clock shows less than its deadline, never after, and its
    /// memory is given back by [`advance`](Self::advance), or by who meets it first.
    ///
    /// ```
    /// use std::time::Duration;
    /// use rkv::{Remaining, Store, Ttl};
    /// let store = Store::new();
    /// store.set_with("session", "ada", Ttl::After(Duration::from_secs(30)))?;
    /// assert!(matches!(store.ttl("session"), Some(Remaining::For(_))));
    /// store.set_with("session", "ada, again", Ttl::Keep)?;
    /// store.persist("session")?;
    /// assert_eq!(store.ttl("session"), Some(Remaining::Never));
    /// # Ok::<(), rkv::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `InvalidTtl` for a time to live of zero; else as for [`set`](Self::set).
    pub fn set_with(
        &self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        options: impl Into<SetOptions>,
    ) -> Result<SetResult> {
        self.check()?;
        let key = self.engine.key_ahead(key.as_ref());
        let draft = Draft::new(key.bytes, value.as_ref())?;
        let Some(until) = self.engine.until(options.into().ttl)? else {
            self.unlink(&epoch::pin(), key, |_| true)?;
            return Ok(SetResult::Expired);
        };
        self.set_outgoing(&epoch::pin(), key, Outgoing::new(draft, until))
    }

    /// Sets a key to a value with options if it is absent; whether it did. With a time to live it
    /// makes a lease: whoever sets the key has it until the time is over.
    ///
    /// # Errors
    ///
    /// As for [`set_with`](Self::set_with).
    pub fn set_if_absent_with(
        &self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        options: impl Into<SetOptions>,
    ) -> Result<bool> {
        self.check()?;
        match self.engine.until(options.into().ttl)? {
            Some(until) => self.set_if_absent_until(key.as_ref(), value.as_ref(), until),
            None => Ok(false),
        }
    }

    /// How long a key has still to live; `None` if it is absent.
    #[must_use]
    pub fn ttl(&self, key: impl AsRef<[u8]>) -> Option<Remaining> {
        let key = self.engine.key_ahead(key.as_ref());
        let guard = epoch::pin();
        // Read before it is found live: so something is left. Rounded as deadlines are.
        let now = self.engine.clock.now().ms_after(Duration::ZERO);
        let deadline = self.engine.find(&guard, key)?.deadline();
        if deadline.is_never() {
            return Some(Remaining::Never);
        }
        let left = deadline.ms().saturating_sub(now).max(1);
        Some(Remaining::For(Duration::from_millis(left)))
    }

    /// Gives a key another time to live, its value as it stands; whether it was there. Costs a copy
    /// of its record and a version.
    ///
    /// # Errors
    ///
    /// `InvalidTtl` for zero, and for `Keep`; `NoMemory`, `Forked`.
    pub fn expire(&self, key: impl AsRef<[u8]>, ttl: Ttl) -> Result<bool> {
        if ttl == Ttl::Keep {
            return Err(Error::InvalidTtl);
        }
        self.retime(key.as_ref(), ttl, |_| true)
    }

    /// Makes a key live for ever; whether it was there. Costs nothing if it did already.
    ///
    /// # Errors
    ///
    /// `NoMemory`, `Forked`.
    pub fn persist(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        self.retime(key.as_ref(), Ttl::Never, |entry| !entry.deadline().is_never())
    }

    /// Lets a key live for `ttl` from now on; whether it was there. For keys that live as long as
    /// they are used: it costs as much as [`expire`](Self::expire) only when less than seven
    /// eighths of `ttl` are left, and does not bring a deadline nearer. A key that lives for ever
    /// is left alone.
    ///
    /// # Errors
    ///
    /// `InvalidTtl` for zero; `NoMemory`, `Forked`.
    pub fn touch(&self, key: impl AsRef<[u8]>, ttl: Duration) -> Result<bool> {
        if ttl.is_zero() {
            return Err(Error::InvalidTtl);
        }
        let enough = self.engine.clock.now().ms_after(ttl - ttl / 8);
        self.retime(key.as_ref(), Ttl::After(ttl), |entry| entry.deadline().ms() < enough)
    }

    /// Gives the entry of a key another deadline where `wanted` says so.
    fn retime(&self, key: &[u8], ttl: Ttl, wanted: impl Fn(Entry<'_>) -> bool) -> Result<bool> {
        self.check()?;
        let key = self.engine.key_ahead(key);
        let guard = epoch::pin();
        let Some(until) = self.engine.until(ttl)? else {
            return Ok(self.unlink(&guard, key, |_| true)?.is_some());
        };
        let copy = |entry: Entry<'_>| {
            Draft::new(key.bytes, entry.value()).map(|draft| Outgoing::new(draft, until))
        };
        let mut made = None;
        let change = self.engine.write(&guard, key, |seen, attempt| {
            made = seen.live().filter(|&entry| wanted(entry)).map(copy);
            match &mut made {
                Some(Ok(outgoing)) => self.engine.put(outgoing, seen, key.hash, attempt),
                Some(Err(_)) | None => Decision::Keep,
            }
        })?;
        match (change, made) {
            (Change::Replaced(_), Some(Ok(outgoing))) => {
                self.engine.published(&guard, outgoing, key.hash, false);
                Ok(true)
            }
            (_, Some(Err(error))) => Err(error),
            (change, _) => Ok(matches!(change, Change::Kept(Some(_)))),
        }
    }

    /// Removes all keys whose deadline has passed; how many this call removed. Another thread that
    /// is removing some at this moment is left to do so.
    ///
    /// # Errors
    ///
    /// `Forked`.
    pub fn purge_expired(&self) -> Result<u64> {
        self.check()?;
        let expired = self.engine.expire_all();
        epoch::flush();
        Ok(expired)
    }

    /// Does a bounded part of what is due: removes keys whose deadline has passed, some hundred in
    /// each shard, so that their memory goes back. When to call again: at once, if more is due, in
    /// so long, or not before another key is given a deadline. (A nearer deadline that is set
    /// meanwhile comes earlier.)
    ///
    /// # Errors
    ///
    /// `Forked`.
    pub fn advance(&self) -> Result<Option<Duration>> {
        self.check()?;
        let advanced = self.engine.advance_all();
        if advanced.behind {
            return Ok(Some(Duration::ZERO));
        }
        if advanced.busy {
            return Ok(Some(Duration::from_millis(1)));
        }
        let wait = advanced.next.saturating_sub(self.engine.clock.now_ms());
        Ok((advanced.next != u64::MAX).then(|| Duration::from_millis(wait)))
    }
}
