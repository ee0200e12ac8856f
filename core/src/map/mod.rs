//! `Map`: a concurrent hash map for any key and value. It knows neither time nor bytes.

mod builder;
mod iter;
#[expect(unsafe_code, reason = "records are raw memory")]
mod node;
mod pinned;
#[cfg(test)]
mod stopped;

use std::fmt;
use std::hash::{BuildHasher, Hash};

pub use self::builder::MapBuilder;
pub use self::iter::{Iter, Keys, Values};
use self::node::Node;
pub use self::pinned::{Compute, OccupiedError, Operation, Pinned};
use crate::epoch;
use crate::hash::Finalizer;
use crate::table::Shards;

/// The hasher of a map that was not given one: ahash, seeded anew for each map.
pub type DefaultHashBuilder = ahash::RandomState;

/// A concurrent hash map whose reads, writes and resizes are all lock-free.
///
/// The methods of a [`Pinned`] map mean what papaya's methods of the same name mean.
///
/// ```
/// let map = rkv::Map::new();
/// let pinned = map.pin();
/// pinned.insert("apple", 3);
/// assert_eq!(pinned.get("apple"), Some(&3));
/// pinned.update("apple", |n| n + 1);
/// assert_eq!(pinned.remove("apple"), Some(&4));
/// ```
///
/// # Memory
///
/// What is removed or replaced is dropped some time later, perhaps by another thread and perhaps
/// after the map itself: when every thread that could still read it has unpinned, at the end of
/// some write, or by [`flush`](crate::flush). So keys and values must be `Send + 'static`:
///
/// ```compile_fail
/// let local = String::from("short");
/// let map = rkv::Map::new();
/// map.pin().insert(1, &local); // borrowed data may be gone before it is dropped
/// ```
///
/// ```compile_fail
/// let map = rkv::Map::new();
/// map.pin().insert(1, std::rc::Rc::new(1)); // may be dropped on another thread
/// ```
///
/// A map is shared between threads only if its keys and values may be:
///
/// ```compile_fail
/// fn shared<T: Sync>(_: T) {}
/// shared(rkv::Map::<i32, std::cell::Cell<i32>>::new());
/// ```
///
/// A pin stays on its thread:
///
/// ```compile_fail
/// fn sent<T: Send>(_: T) {}
/// let map = rkv::Map::<i32, i32>::new();
/// sent(map.pin());
/// ```
///
/// When the system refuses memory, the process ends, as with std's collections.
///
/// A map that came through a `fork` works in the child. A pin that did is only good for what it
/// already shows; what the child removes after that is not given back.
///
/// # User code
///
/// `Hash`, `Eq`, `Drop` and closures may panic and may use the map: no lock is held and nothing is
/// half-done while they run. A panic of a `Drop` surfaces in the thread that happens to free.
pub struct Map<K, V, S = DefaultHashBuilder> {
    shards: Shards<Node<K, V>>,
    hash_builder: S,
    finalizer: Finalizer,
}

impl<K, V> Map<K, V> {
    /// An empty map.
    #[must_use]
    pub fn new() -> Self {
        MapBuilder::new().build()
    }

    /// An empty map with room for `entries`.
    #[must_use]
    pub fn with_capacity(entries: usize) -> Self {
        MapBuilder::new().capacity(entries).build()
    }

    /// A map with options.
    #[must_use]
    pub fn builder() -> MapBuilder<K, V> {
        MapBuilder::new()
    }
}

impl<K, V, S> Map<K, V, S> {
    /// An empty map that hashes with `hash_builder`.
    #[must_use]
    pub fn with_hasher(hash_builder: S) -> Self {
        MapBuilder::new().hasher(hash_builder).build()
    }

    /// Pins this thread: entries that the returned handle shows stay readable as long as it lives.
    ///
    /// While it lives, memory that other threads remove is not given back,
    /// so drop it before waiting for anything.
    #[inline]
    pub fn pin(&self) -> Pinned<'_, K, V, S> {
        Pinned::new(self, epoch::pin())
    }

    /// How many entries there are: exact when no write is in flight, never negative.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.count() as usize
    }

    /// Whether there is no entry; as exact as [`len`](Self::len).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the bucket arrays, without the entries.
    #[must_use]
    pub fn table_bytes(&self) -> usize {
        self.shards.figures(&epoch::pin()).bytes
    }
}

impl<K, V, S: BuildHasher> Map<K, V, S> {
    #[inline]
    fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        self.finalizer.scramble(self.hash_builder.hash_one(key))
    }
}

impl<K, V, S: Default> Default for Map<K, V, S> {
    fn default() -> Self {
        Self::with_hasher(S::default())
    }
}

impl<K, V, S> fmt::Debug for Map<K, V, S>
where
    K: Hash + Eq + fmt::Debug + Send + 'static,
    V: fmt::Debug + Send + 'static,
    S: BuildHasher,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.pin().iter()).finish()
    }
}

impl<K, V, S> Extend<(K, V)> for Map<K, V, S>
where
    K: Hash + Eq + Send + 'static,
    V: Send + 'static,
    S: BuildHasher,
{
    fn extend<T: IntoIterator<Item = (K, V)>>(&mut self, entries: T) {
        let pinned = self.pin();
        for (key, value) in entries {
            pinned.insert(key, value);
        }
    }
}

impl<K, V, S> FromIterator<(K, V)> for Map<K, V, S>
where
    K: Hash + Eq + Send + 'static,
    V: Send + 'static,
    S: BuildHasher + Default,
{
    fn from_iter<T: IntoIterator<Item = (K, V)>>(entries: T) -> Self {
        let mut map = Self::default();
        map.extend(entries);
        map
    }
}
