//! `Value`: what a get returns.

use std::fmt;
use std::ops::Deref;

use super::record::{Entry, Share};

/// A counted reference to an entry of a store, as it stood at one moment.
///
/// Derefs to the bytes of the value, which never change. It may be kept, cloned and sent to other
/// threads, and outlives the store. It holds back the memory of its own entry only. Taking and
/// dropping one writes to the entry's cache line: code that many threads run on one hot key is
/// better off with [`Store::get_with`](super::Store::get_with) or a session.
#[derive(Clone)]
pub struct Value {
    share: Share,
}

impl Value {
    pub(super) fn of(entry: Entry<'_>) -> Self {
        Self { share: entry.share() }
    }

    pub(super) fn new(share: Share) -> Self {
        Self { share }
    }

    /// Whether `entry` is the very record that this value shows.
    pub(super) fn is(&self, entry: Entry<'_>) -> bool {
        entry.is(&self.share)
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.share.entry().key()
    }

    /// The version of the entry: for one key it grows with every change, also across delete and
    /// re-create.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.share.entry().version()
    }
}

impl Deref for Value {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.share.entry().value()
    }
}

impl AsRef<[u8]> for Value {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl<T: AsRef<[u8]> + ?Sized> PartialEq<T> for Value {
    fn eq(&self, other: &T) -> bool {
        **self == *other.as_ref()
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.escape_ascii())
    }
}
